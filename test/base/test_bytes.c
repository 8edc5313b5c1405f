#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"

static void
comparison_is_that_of_memcmp(void **state)
{
	(void)state;
	assert_true(bytes_equal(BYTES_NONE, bytes_str("")));
	assert_false(bytes_equal(bytes_str("a"), bytes_str("ab")));
	assert_true(bytes_compare(bytes_str("a"), bytes_str("ab")) < 0);
	assert_true(bytes_compare(bytes_str("\xff"), bytes_str("ab")) > 0);
	assert_int_equal(bytes_compare(bytes_str("ab"), bytes_str("ab")), 0);
	assert_int_equal(bytes_compare(BYTES_NONE, bytes_str("")), 0);
}

static void
secrets_compare_by_every_byte(void **state)
{
	(void)state;
	assert_true(bytes_equal_secret(bytes_str("secret"), bytes_str("secret")));
	assert_false(bytes_equal_secret(bytes_str("secret"), bytes_str("secreT")));
	assert_false(bytes_equal_secret(bytes_str("secret"), bytes_str("Secret")));
	assert_false(bytes_equal_secret(bytes_str("secret"), bytes_str("secre")));
}

static void
hex_goes_there_and_back(void **state)
{
	char text[7];
	uint8_t back[3];
	size_t len = 9;

	(void)state;
	assert_string_equal(hex_encode(bytes_of("\x00\xab\x7f", 3), text, sizeof(text)), "00ab7f");
	assert_int_equal(hex_decode("00aB7f", back, sizeof(back), &len), 0);
	assert_int_equal(len, 3);
	assert_memory_equal(back, "\x00\xab\x7f", 3);
	assert_int_equal(hex_decode("", back, sizeof(back), &len), 0);
	assert_int_equal(len, 0);
}

static void
hex_that_does_not_fit_is_cut_at_a_byte(void **state)
{
	char text[6];

	(void)state;
	assert_string_equal(hex_encode(bytes_str("abc"), text, sizeof(text)), "6162");
	assert_string_equal(hex_encode(bytes_str("abc"), text, 1), "");
}

static void
bad_hex_is_refused(void **state)
{
	uint8_t out[2];
	size_t len = 9;

	(void)state;
	assert_int_equal(hex_decode("abc", out, sizeof(out), &len), CMPD_EFORMAT);
	assert_int_equal(hex_decode("0x", out, sizeof(out), &len), CMPD_EFORMAT);
	assert_int_equal(hex_decode("010203", out, sizeof(out), &len), CMPD_ELIMIT);
	assert_int_equal(len, 9);
}

static void
numbers_go_there_and_back_and_sort_as_numbers_do(void **state)
{
	static const uint64_t numbers[] = {
	    0, 1, 255, 256, UINT64_C(0x0102030405060708), UINT64_MAX};
	uint8_t before[8] = {0}, out[8];

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		bytes_put_u64(numbers[i], out);
		assert_true(bytes_get_u64(out) == numbers[i]);
		assert_true(i == 0 || memcmp(before, out, sizeof(out)) < 0);
		memcpy(before, out, sizeof(out));
	}
	bytes_put_u64(UINT64_C(0x0102030405060708), out);
	assert_memory_equal(out, "\1\2\3\4\5\6\7\10", 8);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(comparison_is_that_of_memcmp),
	    cmocka_unit_test(secrets_compare_by_every_byte),
	    cmocka_unit_test(hex_goes_there_and_back),
	    cmocka_unit_test(hex_that_does_not_fit_is_cut_at_a_byte),
	    cmocka_unit_test(bad_hex_is_refused),
	    cmocka_unit_test(numbers_go_there_and_back_and_sort_as_numbers_do),
	};

	return cmocka_run_group_tests_name("base_bytes", tests, NULL, NULL);
}
