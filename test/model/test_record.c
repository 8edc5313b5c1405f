#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/record.h"

static void
types_have_the_names_of_their_bodies(void **state)
{
	(void)state;
	assert_string_equal(request_type_name(REQUEST_IR), "ir");
	assert_string_equal(request_type_name(REQUEST_CR), "cr");
	assert_string_equal(request_type_name(REQUEST_P10CR), "p10cr");
	assert_string_equal(request_type_name(REQUEST_KUR), "kur");
	assert_string_equal(request_type_name(REQUEST_RR), "rr");
	assert_string_equal(request_type_name(REQUEST_GENM), "genm");
	assert_null(request_type_name((enum request_type)1));
	assert_null(request_type_name((enum request_type)26));
}

static void
revocations_have_the_reasons_of_RFC_5280(void **state)
{
	int reason = REASON_NONE;

	(void)state;
	for (int i = REASON_UNSPECIFIED; i <= REASON_AA_COMPROMISE; i++) {
		const char *name = crl_reason_name(i);

		assert_true((name == NULL) == (i == 7));
		assert_true(name == NULL || (crl_reason_parse(name, &reason) == 0 && reason == i));
		assert_true(crl_reason_is_final(i) == (i < 6 || i > 8));
	}
	assert_null(crl_reason_name(REASON_NONE));
	assert_null(crl_reason_name(REASON_AA_COMPROMISE + 1));
	assert_int_equal(crl_reason_parse("nonsense", &reason), CMPD_EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(types_have_the_names_of_their_bodies),
	    cmocka_unit_test(revocations_have_the_reasons_of_RFC_5280),
	};

	return cmocka_run_group_tests_name("model_record", tests, NULL, NULL);
}
