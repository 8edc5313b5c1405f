#include "cmpd-ctl/csv.h"

#include <string.h>

#include "base/utf8.h"

#define END (-1)

void
csv_init(struct csv *csv, int (*next)(void *arg), void *arg)
{
	memset(csv, 0, sizeof(*csv));
	csv->next = next;
	csv->arg = arg;
	csv->ahead = END;
	csv->at = 1;
	buf_init(&csv->text, CSV_RECORD_MAX);
}

void
csv_fini(struct csv *csv)
{
	buf_fini(&csv->text);
}

static int
take(struct csv *csv)
{
	int c = csv->ahead;

	csv->ahead = END;
	if (c < 0) {
		c = csv->next(csv->arg);
	}
	csv->at += c == '\n';
	return c;
}

static int
peek(struct csv *csv)
{
	if (csv->ahead < 0) {
		csv->ahead = csv->next(csv->arg);
	}
	return csv->ahead;
}

/* Takes LF, or CRLF; nothing else. */
static bool
take_line_end(struct csv *csv)
{
	if (peek(csv) == '\r') {
		(void)take(csv);
		if (peek(csv) != '\n') {
			return false;
		}
	}
	(void)take(csv);
	return true;
}

static int
fault(const struct csv *csv, struct diag *diag, const char *what)
{
	return diag_set(diag, CMPD_EFORMAT, "line %lld: %s", (long long)csv->line, what);
}

static int
read_quoted(struct csv *csv, struct diag *diag)
{
	(void)take(csv);
	for (;;) {
		int c = take(csv);

		if (c < 0) {
			return fault(csv, diag, "a quote is not closed");
		}
		if (c == '"' && peek(csv) != '"') {
			break;
		}
		if (c == '"') {
			(void)take(csv);
		}
		buf_put_u8(&csv->text, (uint8_t)c);
		if (buf_error(&csv->text)) {
			return fault(csv, diag, "too long; perhaps a quote is not closed");
		}
	}
	if (peek(csv) == 0 || (peek(csv) > 0 && !strchr(",\r\n", peek(csv)))) {
		return fault(csv, diag, "behind a closing quote stands something");
	}
	return 0;
}

static int
read_plain(struct csv *csv, struct diag *diag)
{
	while (peek(csv) > 0 && !strchr(",\r\n\"", peek(csv))) {
		buf_put_u8(&csv->text, (uint8_t)take(csv));
		if (buf_error(&csv->text)) {
			return fault(csv, diag, "too long");
		}
	}
	return peek(csv) == '"'
		   ? fault(csv, diag, "a quote in a field that does not begin with one")
	       : peek(csv) == 0 ? fault(csv, diag, "a NUL byte")
				: 0;
}

static int
read_field(struct csv *csv, struct diag *diag)
{
	size_t start = csv->text.len;
	struct bytes field;
	int error;

	if (csv->n == CSV_FIELDS_MAX) {
		return fault(csv, diag, "too many fields");
	}
	error = peek(csv) == '"' ? read_quoted(csv, diag) : read_plain(csv, diag);
	if (error) {
		return error;
	}
	field = bytes_of(csv->text.data + start, csv->text.len - start);
	if (field.len > 0 && (!utf8_valid(field) || memchr(field.data, '\0', field.len))) {
		return fault(csv, diag, "a field is not UTF-8, or has a NUL byte");
	}
	buf_put_u8(&csv->text, 0);
	if (buf_error(&csv->text)) {
		return fault(csv, diag, "too long");
	}
	csv->offsets[csv->n++] = start;
	return 0;
}

/* Up to the first line that is not empty. */
static int
begin(struct csv *csv, struct diag *diag)
{
	csv->line = csv->at;
	if (!csv->begun && peek(csv) == 0xef) {
		(void)take(csv);
		if (take(csv) != 0xbb || take(csv) != 0xbf) {
			return fault(csv, diag, "not UTF-8");
		}
	}
	csv->begun = true;
	while (peek(csv) == '\n' || peek(csv) == '\r') {
		if (!take_line_end(csv)) {
			return fault(csv, diag, "a CR without LF");
		}
		csv->line = csv->at;
	}
	return peek(csv) < 0 ? CMPD_ENOENT : 0;
}

int
csv_read(struct csv *csv, struct diag *diag)
{
	int error = begin(csv, diag);

	csv->text.len = 0;
	csv->n = 0;
	while (!error) {
		error = read_field(csv, diag);
		if (error || peek(csv) != ',') {
			break;
		}
		(void)take(csv);
	}
	if (!error && peek(csv) >= 0 && !take_line_end(csv)) {
		error = fault(csv, diag, "a CR without LF");
	}
	for (size_t i = 0; !error && i < csv->n; i++) {
		csv->fields[i] = (const char *)csv->text.data + csv->offsets[i];
	}
	return error;
}
