#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/error.h"

static void
every_number_has_a_sentence(void **state)
{
	(void)state;
	for (int error = CMPD_OK; error >= CMPD_EUNAVAILABLE; error--) {
		assert_string_not_equal(cmpd_strerror(error), "unknown error");
	}
	assert_string_equal(cmpd_strerror(CMPD_EUNAVAILABLE - 1), "unknown error");
	assert_string_equal(cmpd_strerror(1), "unknown error");
	assert_string_equal(cmpd_strerror(-2147483647 - 1), "unknown error");
}

static void
diag_returns_the_error_and_keeps_the_text(void **state)
{
	struct diag diag = {""};

	(void)state;
	assert_int_equal(diag_set(&diag, CMPD_ECONF, "key %s", "x"), CMPD_ECONF);
	assert_string_equal(diag.text, "key x");
	diag_prefix(&diag, "file:%d", 7);
	assert_string_equal(diag.text, "file:7: key x");
	assert_int_equal(diag_set(&diag, CMPD_EIO, "(%s)", diag.text), CMPD_EIO);
	assert_string_equal(diag.text, "(file:7: key x)");
	assert_int_equal(diag_set(NULL, CMPD_EIO, "x"), CMPD_EIO);
	diag_prefix(NULL, "x");
}

static void
long_texts_are_cut(void **state)
{
	struct diag diag = {""};
	char text[2000];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	diag_set(&diag, 0, "%s", text);
	assert_int_equal(strlen(diag.text), sizeof(diag.text) - 1);
	diag_prefix(&diag, "a");
	assert_int_equal(strlen(diag.text), sizeof(diag.text) - 1);
	assert_memory_equal(diag.text, "a: x", 4);
	diag_prefix(&diag, "%s", text);
	assert_int_equal(strlen(diag.text), sizeof(diag.text) - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_number_has_a_sentence),
	    cmocka_unit_test(diag_returns_the_error_and_keeps_the_text),
	    cmocka_unit_test(long_texts_are_cut),
	};

	return cmocka_run_group_tests_name("base_error", tests, NULL, NULL);
}
