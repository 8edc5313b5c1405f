#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"

#define YEARS(n) (INT64_C(31557600000) * (n))

static void
durations_have_units(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} rows[] = {{"90d", 90 * INT64_C(86400000)}, {"12h", 43200000}, {"30m", 1800000},
	    {"30s", 30000}, {"500ms", 500}, {"60", 60000}, {"0", 0}, {"007s", 7000},
	    {"365250d", YEARS(1000)}};
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(clock_parse_duration(rows[i].text, &ms), 0);
		assert_true(ms == rows[i].ms);
	}
}

static void
what_is_no_duration_is_refused(void **state)
{
	static const char *const rows[] = {
	    "", "d", "-1s", "+1s", " 1s", "1s ", "1 s", "1.5h", "1w", "1h30m", "1S"};
	int64_t ms = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(clock_parse_duration(rows[i], &ms), CMPD_EFORMAT);
	}
	assert_int_equal(clock_parse_duration("365251d", &ms), CMPD_ELIMIT);
	assert_int_equal(clock_parse_duration("99999999999999999999999s", &ms), CMPD_ELIMIT);
	assert_true(ms == 7);
}

static void
durations_print_as_they_are_read(void **state)
{
	static const int64_t rows[] = {
	    0, 1, 999, 1000, 90000, 5400000, 7200000, 86400000, YEARS(1000), 90061001};
	char text[CLOCK_TEXT_SIZE];
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(clock_parse_duration(clock_format_duration(rows[i], text), &ms),
		    0);
		assert_true(ms == rows[i]);
	}
	assert_string_equal(clock_format_duration(90000, text), "90s");
	assert_string_equal(clock_format_duration(INT64_C(86400000) * 90, text), "90d");
}

static void
points_in_time_are_rfc_3339(void **state)
{
	char text[CLOCK_TEXT_SIZE];

	(void)state;
	assert_string_equal(clock_format(0, text), "1970-01-01T00:00:00Z");
	assert_string_equal(clock_format(-1, text), "1969-12-31T23:59:59Z");
	assert_string_equal(clock_format(INT64_C(1769860800999), text), "2026-01-31T12:00:00Z");
	assert_string_equal(clock_format(INT64_MAX, text), "292278994-08-17T07:12:55Z");
}

static int64_t
fixed(void)
{
	return 42;
}

static void
tests_set_the_time(void **state)
{
	(void)state;
	clock_set_source(fixed, NULL);
	assert_true(clock_wall_ms() == 42);
	assert_true(clock_mono_ms() > 0);
	clock_set_source(NULL, fixed);
	assert_true(clock_wall_ms() > INT64_C(1700000000000));
	assert_true(clock_mono_ms() == 42);
	clock_set_source(NULL, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(durations_have_units),
	    cmocka_unit_test(what_is_no_duration_is_refused),
	    cmocka_unit_test(durations_print_as_they_are_read),
	    cmocka_unit_test(points_in_time_are_rfc_3339),
	    cmocka_unit_test(tests_set_the_time),
	};

	return cmocka_run_group_tests_name("base_clock", tests, NULL, NULL);
}
