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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(types_have_the_names_of_their_bodies),
	};

	return cmocka_run_group_tests_name("model_record", tests, NULL, NULL);
}
