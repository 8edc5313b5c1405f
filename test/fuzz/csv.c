/* Arbitrary bytes as a table: an error or fields that are text, and what was read reads the same when it is quoted. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "cmpd-ctl/csv.h"

struct text {
	const uint8_t *at;
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
	return *text->at++;
}

static void
put_quoted(struct buf *out, const struct csv *csv)
{
	for (size_t i = 0; i < csv->n; i++) {
		buf_put(out, i ? ",\"" : "\"", i ? 2 : 1);
		for (const char *p = csv->fields[i]; *p; p++) {
			buf_put(out, "\"\"", *p == '"');
			buf_put(out, p, 1);
		}
		buf_put_u8(out, '"');
	}
	buf_put_u8(out, '\n');
}

static void
must_read_again(const struct csv *csv)
{
	struct csv again;
	struct text in;
	struct buf out;

	buf_init(&out, SIZE_MAX);
	put_quoted(&out, csv);
	if (buf_error(&out)) {
		abort();
	}
	in = (struct text){out.data, out.len};
	csv_init(&again, next, &in);
	if (csv_read(&again, NULL) != 0 || again.n != csv->n) {
		abort();
	}
	for (size_t i = 0; i < csv->n; i++) {
		if (strcmp(again.fields[i], csv->fields[i]) != 0 ||
		    !utf8_valid(bytes_str(csv->fields[i]))) {
			abort();
		}
	}
	csv_fini(&again);
	buf_fini(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text in = {data, size};
	struct diag diag = {""};
	struct csv csv;
	int64_t line = 0;
	int r;

	csv_init(&csv, next, &in);
	while ((r = csv_read(&csv, &diag)) == 0) {
		if (csv.line <= line || csv.n == 0) {
			abort();
		}
		line = csv.line;
		must_read_again(&csv);
	}
	if (r == CMPD_EFORMAT && strncmp(diag.text, "line ", 5) != 0) {
		abort();
	}
	csv_fini(&csv);
	return 0;
}
