#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

static int ends[2];
static char text[8192];

/* What was written since the last call; "" for nothing. */
static const char *
written(void)
{
	ssize_t n;

	/* The mark makes sure that read has something to return. */
	assert_int_equal(write(ends[1], "#", 1), 1);
	n = read(ends[0], text, sizeof(text) - 1);
	assert_true(n > 0);
	text[n - 1] = '\0';
	return text;
}

static int64_t
noon(void)
{
	return INT64_C(1769860800000);
}

static int
set_up(void **state)
{
	(void)state;
	unsetenv("JOURNAL_STREAM");
	clock_set_source(noon, NULL);
	if (pipe(ends) != 0) {
		return -1;
	}
	log_set_fd(ends[1]);
	log_set_level(LOG_LEVEL_INFO);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	unsetenv("JOURNAL_STREAM");
	log_set_fd(2);
	close(ends[0]);
	close(ends[1]);
	return 0;
}

static void
a_line_is_key_value(void **state)
{
	struct log_line l;

	(void)state;
	log_begin(&l, LOG_LEVEL_INFO, "enrol.held");
	log_hex(&l, "txn", bytes_of("\x01\xff", 2));
	log_str(&l, "subject", "/CN=a");
	log_str(&l, "absent", NULL);
	log_int(&l, "n", -5);
	log_end(&l);
	assert_string_equal(written(),
	    "2026-01-31T12:00:00Z info enrol.held txn=01ff subject=/CN=a n=-5\n");
}

static void
the_journal_gets_a_level_and_no_time(void **state)
{
	(void)state;
	setenv("JOURNAL_STREAM", "8:1", 1);
	log_msg(LOG_LEVEL_ERROR, "daemon.stop", "no %s", "space");
	assert_string_equal(written(), "<3>daemon.stop msg=\"no space\"\n");
}

static void
foreign_text_cannot_break_the_line(void **state)
{
	struct log_line l;

	(void)state;
	log_begin(&l, LOG_LEVEL_WARNING, "e");
	log_bytes(&l, "v", bytes_of("a\n\0\x1b[\xc3\xa4\"\\ b", 11));
	log_str(&l, "w", "");
	log_end(&l);
	assert_string_equal(written(),
	    "2026-01-31T12:00:00Z warning e v=\"a\\x0a\\x00\\x1b[\\xc3\\xa4\\\"\\\\ b\" w=\"\"\n");
}

static void
lines_above_the_level_are_dropped(void **state)
{
	(void)state;
	log_msg(LOG_LEVEL_DEBUG, "e", "x");
	assert_string_equal(written(), "");
	log_set_level(LOG_LEVEL_DEBUG);
	log_msg(LOG_LEVEL_DEBUG, "e", "x");
	assert_string_equal(written(), "2026-01-31T12:00:00Z debug e msg=x\n");
}

/* For every length around the end of the line's space. */
static void
too_long_a_line_is_cut_and_says_so(void **state)
{
	struct log_line l;
	char value[2100];

	(void)state;
	for (size_t len = 1900; len < sizeof(value); len++) {
		const char *out;

		memset(value, 'x', len);
		value[len / 2] = ' ';
		log_begin(&l, LOG_LEVEL_INFO, "e");
		log_bytes(&l, "v", bytes_of(value, len));
		log_str(&l, "w", "a b");
		log_hex(&l, "h", bytes_str("0123456789"));
		log_int(&l, "i", 12345678);
		log_end(&l);
		out = written();
		assert_true(strlen(out) < sizeof(l.text));
		assert_int_equal(out[strlen(out) - 1], '\n');
		assert_true((strstr(out, " i=12345678\n") != NULL) ||
			    (strstr(out, " cut=1\n") != NULL));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_line_is_key_value, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(the_journal_gets_a_level_and_no_time, set_up,
		tear_down),
	    cmocka_unit_test_setup_teardown(foreign_text_cannot_break_the_line, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(lines_above_the_level_are_dropped, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(too_long_a_line_is_cut_and_says_so, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("base_log", tests, NULL, NULL);
}
