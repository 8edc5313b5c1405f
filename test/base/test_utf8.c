#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/utf8.h"

static void
each_length_is_decoded(void **state)
{
	static const struct {
		const char *text;
		uint32_t c;
	} rows[] = {{"a", 'a'}, {"\xc2\x80", 0x80}, {"\xc3\xa4", 0xe4}, {"\xe2\x82\xac", 0x20ac},
	    {"\xef\xbf\xbd", 0xfffd}, {"\xf0\x9f\x98\x80", 0x1f600},
	    {"\xf4\x8f\xbf\xbf", 0x10ffff}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bytes in = bytes_str(rows[i].text);
		uint32_t c = 0;

		assert_int_equal(utf8_decode(in, &c), in.len);
		assert_int_equal(c, rows[i].c);
		assert_true(utf8_valid(in));
		assert_int_equal(in.len > 1 && utf8_decode(bytes_of(in.data, in.len - 1), &c) > 0,
		    0);
	}
}

static void
what_is_not_well_formed_is_no_character(void **state)
{
	static const char *const bad[] = {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80",
	    "\xe0\x9f\xbf", "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
	    "\xf5\x80\x80\x80", "\xff", "\xc3(", "\xe2\x82("};
	uint32_t c;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(utf8_decode(bytes_str(bad[i]), &c), 0);
		assert_false(utf8_valid(bytes_str(bad[i])));
	}
	assert_int_equal(utf8_decode(BYTES_NONE, &c), 0);
	assert_true(utf8_valid(BYTES_NONE));
}

static void
harmful_is_what_hides_or_steers(void **state)
{
	static const uint32_t bad[] = {0, '\n', 0x1b, 0x7f, 0x9b, 0xad, 0x200b, 0x202e, 0x2066,
	    0xe000, 0xfeff, 0xfffe, 0xe0001, 0x110000};
	static const uint32_t good[] = {' ', '~', 0xe4, 0x20ac, 0x4e2d, 0x1f600};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_true(utf8_is_harmful(bad[i]));
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_false(utf8_is_harmful(good[i]));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_length_is_decoded),
	    cmocka_unit_test(what_is_not_well_formed_is_no_character),
	    cmocka_unit_test(harmful_is_what_hides_or_steers),
	};

	return cmocka_run_group_tests_name("base_utf8", tests, NULL, NULL);
}
