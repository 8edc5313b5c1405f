#include "model/name.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/x509.h>

#include "base/buf.h"
#include "base/pool.h"
#include "base/utf8.h"
#include "model/attribute.h"
#include "model/der.h"
#include "model/escape.h"

#define NAME_MAX_SIZE (256 * 1024) /* of a text or encoding made here */
#define NAME_TYPE_MAX 64
#define NAME_SET_MAX  16 /* attributes in one RelativeDistinguishedName made here */
#define NAME_SPECIALS "/=+"

/* ---- to text ---- */

static void
name_put_hex(struct buf *out, struct bytes der)
{
	buf_put_u8(out, '#');
	buf_put_hex(out, der);
}

/* A value that begins with "#" must not look like one written in hex. */
static void
name_mark_sharp(struct buf *out, size_t start)
{
	if (buf_error(out) == 0 && out->len > start && out->data[start] == '#') {
		buf_put_u8(out, '#');
		out->data[start] = '\\';
		memmove(out->data + start + 2, out->data + start + 1, out->len - start - 2);
		out->data[start + 1] = '#';
	}
}

static void
name_put_value(struct buf *out, const struct der *value)
{
	size_t start = out->len;

	switch (value->tag) {
	case DER_UTF8_STRING:
		escape_utf8(out, value->value, NAME_SPECIALS);
		break;
	case DER_PRINTABLE_STRING:
	case DER_IA5_STRING:
	case DER_NUMERIC_STRING:
	case DER_VISIBLE_STRING:
		escape_ascii(out, value->value, NAME_SPECIALS);
		break;
	case DER_T61_STRING:
		escape_latin1(out, value->value, NAME_SPECIALS);
		break;
	case DER_BMP_STRING:
		escape_wide(out, value->value, 2, NAME_SPECIALS);
		break;
	case DER_UNIVERSAL_STRING:
		escape_wide(out, value->value, 4, NAME_SPECIALS);
		break;
	default:
		name_put_hex(out, value->whole);
		return;
	}
	name_mark_sharp(out, start);
}

static int
name_put_attribute(struct buf *out, struct bytes attribute)
{
	const struct attribute *known;
	char dotted[DER_OID_TEXT_MAX];
	struct bytes oid;
	struct der value;

	if (der_take(&attribute, DER_OID, &oid) < 0 || der_next(&attribute, &value) < 0 ||
	    attribute.len > 0) {
		return CMPD_EFORMAT;
	}
	known = attribute_by_oid(oid);
	if (known != NULL) {
		buf_put_bytes(out, bytes_str(known->name));
	} else if (der_oid_to_text(oid, dotted) == 0) {
		buf_put_bytes(out, bytes_str(dotted));
	} else {
		return CMPD_EFORMAT;
	}
	buf_put_u8(out, '=');
	name_put_value(out, &value);
	return 0;
}

static int
name_put_rdn(struct buf *out, struct bytes set)
{
	const char *separator = "/";

	if (set.len == 0) {
		return CMPD_EFORMAT;
	}
	while (set.len > 0) {
		struct bytes attribute;

		if (der_take(&set, DER_SEQUENCE, &attribute) < 0) {
			return CMPD_EFORMAT;
		}
		buf_put(out, separator, 1);
		if (name_put_attribute(out, attribute) < 0) {
			return CMPD_EFORMAT;
		}
		separator = "+";
	}
	return 0;
}

int
name_to_text(struct pool *pool, struct bytes der, const char **ret)
{
	struct buf out;
	struct bytes name;
	char *text;
	int result = CMPD_EFORMAT;

	buf_init(&out, NAME_MAX_SIZE);
	if (der_only(der, DER_SEQUENCE, &name) < 0) {
		goto out;
	}
	if (name.len == 0) {
		buf_put_u8(&out, '/');
	}
	while (name.len > 0) {
		struct bytes set;

		if (der_take(&name, DER_SET, &set) < 0 || name_put_rdn(&out, set) < 0) {
			goto out;
		}
	}
	result = buf_error(&out);
	if (result < 0) {
		goto out;
	}
	text = pool_strndup(pool, buf_get0(&out).data, buf_get0(&out).len);
	if (text == NULL) {
		result = CMPD_ENOMEM;
		goto out;
	}
	*ret = text;
out:
	buf_fini(&out);
	return result;
}

/* ---- from text ---- */

/* Up to the next unescaped one of stops, or the end. */
static struct bytes
name_scan(struct bytes *in, const char *stops)
{
	size_t i = 0;
	struct bytes token;

	while (i < in->len && strchr(stops, in->data[i]) == NULL) {
		i += in->data[i] == '\\' && i + 1 < in->len ? 2 : 1;
	}
	token = bytes_of(in->data, i);
	in->data += i;
	in->len -= i;
	return token;
}

static bool
name_is_printable(struct bytes value)
{
	for (size_t i = 0; i < value.len; i++) {
		uint8_t c = value.data[i];

		if (!((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
			(c != 0 && strchr(" '()+,-./:=?", c) != NULL))) {
			return false;
		}
	}
	return true;
}

static bool
name_is_ascii(struct bytes value)
{
	for (size_t i = 0; i < value.len; i++) {
		if (value.data[i] >= 0x80) {
			return false;
		}
	}
	return true;
}

/* "#0c0161": the DER of the value as it stands. */
static int
name_parse_hex(struct buf *out, struct bytes text)
{
	char digits[3] = "";
	struct bytes rest;
	struct der value;
	size_t start = out->len, n;

	for (size_t i = 1; i < text.len; i += 2) {
		uint8_t byte;

		digits[0] = (char)text.data[i];
		digits[1] = i + 1 < text.len ? (char)text.data[i + 1] : '\0';
		if (hex_decode(digits, &byte, 1, &n) < 0 || n != 1) {
			return CMPD_EFORMAT;
		}
		buf_put_u8(out, byte);
	}
	if (buf_error(out) < 0) {
		return buf_error(out);
	}
	rest = bytes_of(out->data + start, out->len - start);
	return der_next(&rest, &value) == 0 && rest.len == 0 ? 0 : CMPD_EFORMAT;
}

static int
name_parse_value(struct buf *out, struct bytes text, uint8_t tag)
{
	struct buf plain;
	struct bytes value;
	int result;

	if (text.len == 0) {
		return CMPD_EFORMAT;
	}
	if (text.data[0] == '#') {
		return name_parse_hex(out, text);
	}
	buf_init(&plain, NAME_MAX_SIZE);
	result = unescape(&plain, text);
	if (result < 0) {
		goto out;
	}
	value = buf_get0(&plain);
	if (!utf8_valid(value)) {
		result = CMPD_EFORMAT;
		goto out;
	}
	if ((tag == DER_PRINTABLE_STRING && !name_is_printable(value)) ||
	    (tag == DER_IA5_STRING && !name_is_ascii(value))) {
		tag = DER_UTF8_STRING;
	}
	der_put(out, tag, value);
	result = buf_error(out);
out:
	buf_fini(&plain);
	return result;
}

/* "type=value" at the beginning of *in; in is left at the separator behind it. */
static int
name_parse_attribute(struct buf *out, struct bytes *in)
{
	const struct attribute *known;
	uint8_t oid[DER_OID_MAX];
	char type[NAME_TYPE_MAX];
	struct bytes name = name_scan(in, "/+=\\"), value;
	size_t oid_len, mark;
	int result;

	if (in->len == 0 || in->data[0] != '=' || name.len == 0 || name.len >= sizeof(type)) {
		return CMPD_EFORMAT;
	}
	in->data++;
	in->len--;
	value = name_scan(in, "/+=");
	if (in->len > 0 && in->data[0] == '=') {
		return CMPD_EFORMAT;
	}
	known = attribute_by_name(name);
	mark = der_begin(out, DER_SEQUENCE);
	if (known != NULL) {
		der_put(out, DER_OID, known->oid);
	} else {
		memcpy(type, name.data, name.len);
		type[name.len] = '\0';
		if (strlen(type) != name.len || der_oid_from_text(type, true, oid, &oid_len) < 0) {
			return CMPD_EFORMAT;
		}
		known = attribute_by_oid(bytes_of(oid, oid_len)); /* a long name */
		der_put(out, DER_OID, bytes_of(oid, oid_len));
	}
	result = name_parse_value(out, value, known != NULL ? known->tag : DER_UTF8_STRING);
	der_end(out, mark);
	return result;
}

/* DER wants the members of a SET OF in the order of their encodings. */
static int
name_sort_set(struct buf *out, size_t mark)
{
	struct bytes set = bytes_of(out->data + mark, out->len - mark), rest = set;
	struct bytes members[NAME_SET_MAX];
	struct buf sorted;
	size_t n = 0;
	int result;

	while (rest.len > 0) {
		struct der member;

		if (n == NAME_SET_MAX || der_next(&rest, &member) < 0) {
			return CMPD_EFORMAT;
		}
		size_t i = n++;
		for (; i > 0 && bytes_compare(members[i - 1], member.whole) > 0; i--) {
			members[i] = members[i - 1];
		}
		members[i] = member.whole;
	}
	if (n < 2) {
		return 0;
	}
	buf_init(&sorted, NAME_MAX_SIZE);
	for (size_t i = 0; i < n; i++) {
		buf_put_bytes(&sorted, members[i]);
	}
	result = buf_error(&sorted);
	if (result == 0) {
		memcpy(out->data + mark, sorted.data, sorted.len);
	}
	buf_fini(&sorted);
	return result;
}

static int
name_parse_rdn(struct buf *out, struct bytes *in)
{
	size_t mark = der_begin(out, DER_SET);
	int result;

	for (;;) {
		result = name_parse_attribute(out, in);
		if (result == 0) {
			result = buf_error(out);
		}
		if (result < 0) {
			return result;
		}
		if (in->len == 0 || in->data[0] != '+') {
			break;
		}
		in->data++;
		in->len--;
	}
	result = name_sort_set(out, mark);
	der_end(out, mark);
	return result;
}

int
name_from_text(struct pool *pool, const char *text, struct bytes *ret_der)
{
	struct bytes in = bytes_str(text), der;
	struct buf out;
	size_t mark;
	int result = CMPD_EFORMAT;

	buf_init(&out, NAME_MAX_SIZE);
	mark = der_begin(&out, DER_SEQUENCE);
	if (in.len == 0 || in.data[0] != '/') {
		goto out;
	}
	while (in.len > 1 || (in.len == 1 && in.data != (const uint8_t *)text)) {
		in.data++;
		in.len--;
		result = name_parse_rdn(&out, &in);
		if (result < 0) {
			goto out;
		}
	}
	der_end(&out, mark);
	result = buf_error(&out);
	if (result < 0) {
		goto out;
	}
	der = pool_bytes(pool, buf_get0(&out));
	if (der.data == NULL) {
		result = CMPD_ENOMEM;
		goto out;
	}
	*ret_der = der;
out:
	buf_fini(&out);
	return result;
}

/* ---- comparison ---- */

bool
name_equal(struct bytes der_a, struct bytes der_b)
{
	const uint8_t *p = der_a.data, *q = der_b.data;
	X509_NAME *a = NULL, *b = NULL;
	bool equal = false;

	if (p == NULL || q == NULL || der_a.len > NAME_MAX_SIZE || der_b.len > NAME_MAX_SIZE) {
		return false;
	}
	a = d2i_X509_NAME(NULL, &p, (long)der_a.len);
	b = d2i_X509_NAME(NULL, &q, (long)der_b.len);
	if (a != NULL && b != NULL && p == der_a.data + der_a.len && q == der_b.data + der_b.len) {
		equal = X509_NAME_cmp(a, b) == 0;
	}
	X509_NAME_free(a);
	X509_NAME_free(b);
	ERR_clear_error();
	return equal;
}
