#include "ctl/inventory_row.h"

#include <string.h>

#include "base/pool.h"
#include "conf/conf.h"
#include "enrol/desk.h"
#include "model/name.h"

#define SANS_MAX 64
/* Bytes of one column: a page of the longest rows fits into an answer. */
#define COLUMN_MAX 1024

int
inventory_serial_parse(struct ctl_context *context, const char *text, struct bytes *ret)
{
	/* A zero before it, for an odd number of digits. */
	char *digits = pool_alloc(context->desk->pool, strlen(text) + 3);
	uint8_t *serial = pool_alloc(context->desk->pool, INVENTORY_SERIAL_MAX);
	size_t n = 0;

	if (!digits || !serial) {
		return CMPD_ENOMEM;
	}
	if (!*text) {
		return CMPD_EFORMAT;
	}
	digits[0] = '0';
	for (; *text; text++) {
		if (*text != ':' && (*text != '0' || n > 0)) {
			digits[1 + n++] = *text;
		}
	}
	if (n == 0) {
		digits[1 + n++] = '0'; /* the number 0 */
	}
	if (hex_decode(n % 2 ? digits : digits + 1, serial, INVENTORY_SERIAL_MAX, &n)) {
		return CMPD_EFORMAT;
	}
	*ret = bytes_of(serial, n);
	return 0;
}

int
inventory_name_parse(struct ctl_context *context, const char *text, const char **ret)
{
	struct bytes der;
	int r = name_from_text(context->desk->pool, text, &der);

	if (r == 0 && strcmp(text, "/") == 0) {
		r = CMPD_EFORMAT;
	}
	return r < 0 ? r : name_to_text(context->desk->pool, der, ret);
}

/* What cannot be a host name is rather a list with the wrong separator. */
static bool
could_be_dns(const char *san)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789.-_*";

	return strncasecmp(san, "DNS:", 4) != 0 || (san[4] && !san[4 + strspn(san + 4, allowed)]);
}

/* "DNS:a;IP:10.0.0.1" in the form that is compared. */
static int
parse_sans(struct ctl_context *context, const char *text, const char ***ret)
{
	struct pool *pool = context->desk->pool;
	const char *sans[SANS_MAX + 1] = {NULL};
	struct bytes extensions;
	size_t n = 0;
	int r;

	while (*text) {
		size_t len = strcspn(text, ";");

		if (n == SANS_MAX) {
			return CMPD_EFORMAT;
		}
		sans[n] = pool_strndup(pool, text, len);
		if (!sans[n++]) {
			return CMPD_ENOMEM;
		}
		if (!could_be_dns(sans[n - 1])) {
			return CMPD_EFORMAT;
		}
		text += len + (text[len] == ';');
	}
	r = name_sans_replace(pool, BYTES_NONE, sans, false, &extensions);
	return r < 0 ? r : name_sans_to_text(pool, extensions, ret);
}

static int
refuse(struct ctl_context *context, int64_t line, int error, const char *what)
{
	return error != CMPD_EFORMAT
		   ? error
		   : diag_set(&context->diag, CMPD_EFORMAT, "line %lld: %s", (long long)line, what);
}

/* What says which device it is. */
static int
parse_device(struct ctl_context *context, int64_t line, const char *const *texts,
    struct inventory *ret)
{
	int r = 0;

	if (!*texts[INVENTORY_SERIAL] && !*texts[INVENTORY_SUBJECT]) {
		return refuse(context, line, CMPD_EFORMAT,
		    "neither serial nor subject: which device is it?");
	}
	if (*texts[INVENTORY_SERIAL]) {
		r = inventory_serial_parse(context, texts[INVENTORY_SERIAL], &ret->serial);
		if (r < 0) {
			return refuse(context, line, r, "serial: up to 64 bytes in hex are wanted");
		}
	}
	if (*texts[INVENTORY_SUBJECT]) {
		r = inventory_name_parse(context, texts[INVENTORY_SUBJECT], &ret->subject);
		if (r < 0) {
			return refuse(context, line, r, "subject: not a name such as /O=x/CN=y");
		}
	}
	if (*texts[INVENTORY_ISSUER]) {
		r = inventory_name_parse(context, texts[INVENTORY_ISSUER], &ret->issuer);
	}
	return r < 0 ? refuse(context, line, r, "issuer: not a name such as /O=x/CN=y") : 0;
}

static int
parse_names(struct ctl_context *context, int64_t line, const char *const *texts,
    struct inventory *ret)
{
	int r = parse_sans(context, texts[INVENTORY_NEW_SAN], &ret->new_sans);

	if (r < 0) {
		return refuse(context, line, r,
		    "new_san: not a list such as DNS:a.example;IP:10.0.0.1");
	}
	if (*texts[INVENTORY_NEW_SUBJECT]) {
		r = inventory_name_parse(context, texts[INVENTORY_NEW_SUBJECT], &ret->new_subject);
		if (r < 0) {
			return refuse(context, line, r,
			    "new_subject: not a name such as /O=x/CN=y");
		}
	}
	if (*texts[INVENTORY_PROFILE]) {
		ret->profile = texts[INVENTORY_PROFILE];
		if (!conf_profile_find(context->desk->conf, ret->profile)) {
			return refuse(context, line, CMPD_EFORMAT,
			    "profile: there is none of that name");
		}
	}
	return 0;
}

int
inventory_row_parse(struct ctl_context *context, const json_t *columns, struct inventory *ret)
{
	const char *texts[INVENTORY_COLUMNS] = {""};
	struct inventory row = {.number = 0};
	int64_t line = json_integer_value(json_array_get(columns, INVENTORY_LINE));
	int r;

	if (json_array_size(columns) != INVENTORY_COLUMNS || line < 1) {
		return diag_set(&context->diag, CMPD_EINVAL, "rows: %d columns are wanted",
		    INVENTORY_COLUMNS);
	}
	for (size_t i = INVENTORY_SERIAL; i < INVENTORY_COLUMNS; i++) {
		texts[i] = json_string_value(json_array_get(columns, i));
		if (!texts[i]) {
			return diag_set(&context->diag, CMPD_EINVAL, "rows: texts are wanted");
		}
		if (strlen(texts[i]) > COLUMN_MAX) {
			return diag_set(&context->diag, CMPD_EFORMAT,
			    "line %lld: a field of more than %d bytes", (long long)line,
			    COLUMN_MAX);
		}
	}
	row.number = (uint64_t)line;
	r = parse_device(context, line, texts, &row);
	if (r == 0) {
		r = parse_names(context, line, texts, &row);
	}
	if (r == 0) {
		*ret = row;
	}
	return r;
}

void
inventory_row_put(struct ctl_object *object, const struct inventory *row)
{
	ctl_object_integer(object, "line", (int64_t)row->number);
	ctl_object_hex(object, "serial", row->serial);
	ctl_object_text(object, "subject", row->subject);
	ctl_object_text(object, "issuer", row->issuer);
	ctl_object_text(object, "new_subject", row->new_subject);
	ctl_object_texts(object, "new_sans", (const char *const *)row->new_sans);
	ctl_object_text(object, "profile", row->profile);
}
