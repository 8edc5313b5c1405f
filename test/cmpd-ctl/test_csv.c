/* Tables as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "cmpd-ctl/csv.h"

struct text {
	const char *at;
	size_t len;
};

static int
next(void *arg)
{
	struct text *text = arg;

	if (text->len == 0) {
		return -1;
	}
	text->len--;
	return (uint8_t)*text->at++;
}

/* Records as "a|b" with a newline behind each; or the fault. */
static const char *
read_all(const char *text, size_t len)
{
	static char out[4096];
	struct text in = {text, len};
	struct diag diag = {""};
	struct csv csv;
	int r;

	out[0] = '\0';
	csv_init(&csv, next, &in);
	while ((r = csv_read(&csv, &diag)) == 0) {
		for (size_t i = 0; i < csv.n; i++) {
			strcat(strcat(out, i ? "|" : ""), csv.fields[i]);
		}
		strcat(out, "\n");
	}
	csv_fini(&csv);
	if (r != CMPD_ENOENT) {
		assert_int_equal(r, CMPD_EFORMAT);
		return strcpy(out, diag.text);
	}
	return out;
}

static void
assert_reads(const char *text, const char *wanted)
{
	assert_string_equal(read_all(text, strlen(text)), wanted);
}

static void
b4_9_records_and_quotes(void **state)
{
	(void)state;
	assert_reads("", "");
	assert_reads("\n\r\n\n", "");
	assert_reads("a,b\nc,d", "a|b\nc|d\n");
	assert_reads("a,b\r\nc,d\r\n", "a|b\nc|d\n");
	assert_reads("\xef\xbb\xbf"
		     "a,b\n",
	    "a|b\n");
	assert_reads("\"a,b\",\"c\"\"d\",\"\"\n", "a,b|c\"d|\n");
	assert_reads("\"a\nb\",c\nd,e\n", "a\nb|c\nd|e\n");
	assert_reads(",,\n,", "||\n|\n");
	assert_reads("a b , c\n", "a b | c\n");
	assert_reads("\xc3\xa4,\"\xe2\x82\xac\"\n", "\xc3\xa4|\xe2\x82\xac\n");
}

static void
b4_9_faults_name_their_line(void **state)
{
	(void)state;
	assert_reads("a\n\"b\nc", "line 2: a quote is not closed");
	assert_reads("a\n\nb\"c\n", "line 3: a quote in a field that does not begin with one");
	assert_reads("\"a\"b\n", "line 1: behind a closing quote stands something");
	assert_reads("a\rb\n", "line 1: a CR without LF");
	assert_reads("\"a\nb\"\n\"c\" \n", "line 3: behind a closing quote stands something");
	assert_reads("a,\xff\n", "line 1: a field is not UTF-8, or has a NUL byte");
	assert_reads("\xef\xbb,\n", "line 1: not UTF-8");
	assert_string_equal(read_all("\"a\"\0b\n", 6),
	    "line 1: behind a closing quote stands something");
	assert_string_equal(read_all("a\0b\n", 4), "line 1: a NUL byte");
	assert_string_equal(read_all("\"a\0b\"\n", 6),
	    "line 1: a field is not UTF-8, or has a NUL byte");
}

static void
b4_9_records_have_limits(void **state)
{
	static char text[2 * CSV_RECORD_MAX];

	(void)state;
	memset(text, 'a', sizeof(text));
	assert_string_equal(read_all(text, sizeof(text)), "line 1: too long");
	text[0] = '"';
	assert_string_equal(read_all(text, sizeof(text)),
	    "line 1: too long; perhaps a quote is not closed");
	memset(text, ',', CSV_FIELDS_MAX);
	assert_string_equal(read_all(text, CSV_FIELDS_MAX), "line 1: too many fields");
	assert_string_not_equal(read_all(text, CSV_FIELDS_MAX - 1), "line 1: too many fields");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(b4_9_records_and_quotes),
	    cmocka_unit_test(b4_9_faults_name_their_line),
	    cmocka_unit_test(b4_9_records_have_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
