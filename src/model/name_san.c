/* subjectAltName between DER and text: the second half of name.h. */
#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/pool.h"
#include "base/utf8.h"
#include "model/escape.h"
#include "model/extension.h"
#include "model/name.h"

#define SAN_MAX_SIZE (256 * 1024)

/* Tags of GeneralName (RFC 5280 4.2.1.6). */
#define SAN_OTHER    DER_CONSTRUCTED(0)
#define SAN_EMAIL    DER_PRIMITIVE(1)
#define SAN_DNS	     DER_PRIMITIVE(2)
#define SAN_X400     DER_CONSTRUCTED(3)
#define SAN_DIR_NAME DER_CONSTRUCTED(4)
#define SAN_EDI	     DER_CONSTRUCTED(5)
#define SAN_URI	     DER_PRIMITIVE(6)
#define SAN_IP	     DER_PRIMITIVE(7)
#define SAN_RID	     DER_PRIMITIVE(8)

static void
san_put_hex(struct buf *out, struct bytes in)
{
	buf_put_u8(out, '#');
	buf_put_hex(out, in);
}

/* ---- to text ---- */

static int
san_put_ascii(struct pool *pool, struct bytes value, struct buf *out)
{
	(void)pool;
	escape_ascii(out, value, "");
	return 0;
}

static int
san_put_ip(struct pool *pool, struct bytes value, struct buf *out)
{
	char text[INET6_ADDRSTRLEN];

	(void)pool;
	if ((value.len == 4 || value.len == 16) && inet_ntop(value.len == 4 ? AF_INET : AF_INET6,
						       value.data, text, sizeof(text)) != NULL) {
		buf_put_bytes(out, bytes_str(text));
	} else {
		san_put_hex(out, value);
	}
	return 0;
}

static int
san_put_dir_name(struct pool *pool, struct bytes value, struct buf *out)
{
	const char *text;
	int result = name_to_text(pool, value, &text);

	if (result == 0) {
		buf_put_bytes(out, bytes_str(text));
	}
	return result;
}

static int
san_put_oid(struct bytes oid, struct buf *out)
{
	char text[DER_OID_TEXT_MAX];

	if (der_oid_to_text(oid, text) < 0) {
		return CMPD_EFORMAT;
	}
	buf_put_bytes(out, bytes_str(text));
	return 0;
}

static int
san_put_rid(struct pool *pool, struct bytes value, struct buf *out)
{
	(void)pool;
	return san_put_oid(value, out);
}

/* The value stands there too: an operator must see what would be certified. */
static int
san_put_other(struct pool *pool, struct bytes value, struct buf *out)
{
	struct bytes oid, wrapped, in;
	struct der element;

	(void)pool;
	if (der_take(&value, DER_OID, &oid) < 0 ||
	    der_only(value, DER_CONSTRUCTED(0), &wrapped) < 0) {
		return CMPD_EFORMAT;
	}
	in = wrapped;
	if (der_next(&in, &element) < 0 || in.len > 0 || san_put_oid(oid, out) < 0) {
		return CMPD_EFORMAT;
	}
	buf_put_u8(out, '=');
	if (element.tag == DER_UTF8_STRING && element.value.len > 0 &&
	    element.value.data[0] != '#') {
		escape_utf8(out, element.value, "");
	} else {
		san_put_hex(out, element.whole);
	}
	return 0;
}

static int
san_put_raw(struct pool *pool, struct bytes value, struct buf *out)
{
	(void)pool;
	san_put_hex(out, value);
	return 0;
}

/* ---- from text ---- */

static int
san_parse_text(struct buf *out, uint8_t tag, const char *text)
{
	struct buf plain;
	struct bytes value;
	int result;

	buf_init(&plain, SAN_MAX_SIZE);
	result = unescape(&plain, bytes_str(text));
	value = buf_get0(&plain);
	for (size_t i = 0; result == 0 && i < value.len; i++) {
		if (value.data[i] >= 0x80) {
			result = CMPD_EFORMAT; /* IA5String */
		}
	}
	if (result == 0 && value.len == 0) {
		result = CMPD_EFORMAT;
	}
	if (result == 0) {
		der_put(out, tag, value);
	}
	buf_fini(&plain);
	return result;
}

static int
san_parse_ascii(struct pool *pool, struct buf *out, uint8_t tag, const char *text)
{
	(void)pool;
	return san_parse_text(out, tag, text);
}

static int
san_parse_ip(struct pool *pool, struct buf *out, uint8_t tag, const char *text)
{
	uint8_t address[16];

	(void)pool;
	if (inet_pton(AF_INET, text, address) == 1) {
		der_put(out, tag, bytes_of(address, 4));
	} else if (inet_pton(AF_INET6, text, address) == 1) {
		der_put(out, tag, bytes_of(address, 16));
	} else {
		return CMPD_EFORMAT;
	}
	return 0;
}

static int
san_parse_dir_name(struct pool *pool, struct buf *out, uint8_t tag, const char *text)
{
	struct bytes der;
	int result = name_from_text(pool, text, &der);

	if (result == 0) {
		der_put(out, tag, der); /* explicit: Name is a CHOICE */
	}
	return result;
}

static int
san_parse_rid(struct pool *pool, struct buf *out, uint8_t tag, const char *text)
{
	uint8_t oid[DER_OID_MAX];
	size_t len;
	int result = der_oid_from_text(text, false, oid, &len);

	(void)pool;
	if (result == 0) {
		der_put(out, tag, bytes_of(oid, len));
	}
	return result;
}

static int
san_parse_other_value(struct pool *pool, struct buf *out, const char *text)
{
	size_t size = strlen(text), len;
	struct buf plain;
	struct bytes in;
	struct der element;
	uint8_t *der;
	int result;

	if (text[0] != '#') {
		buf_init(&plain, SAN_MAX_SIZE);
		result = unescape(&plain, bytes_str(text));
		if (result == 0 && (plain.len == 0 || !utf8_valid(buf_get0(&plain)))) {
			result = CMPD_EFORMAT;
		}
		if (result == 0) {
			der_put(out, DER_UTF8_STRING, buf_get0(&plain));
		}
		buf_fini(&plain);
		return result;
	}
	der = pool_alloc(pool, size);
	if (der == NULL) {
		return CMPD_ENOMEM;
	}
	if (hex_decode(text + 1, der, size, &len) < 0) {
		return CMPD_EFORMAT;
	}
	in = bytes_of(der, len);
	if (der_next(&in, &element) < 0 || in.len > 0) {
		return CMPD_EFORMAT;
	}
	buf_put_bytes(out, element.whole);
	return 0;
}

/* "1.3.6.1=text" or "1.3.6.1=#0c01.." */
static int
san_parse_other(struct pool *pool, struct buf *out, uint8_t tag, const char *text)
{
	const char *equals = strchr(text, '=');
	uint8_t oid[DER_OID_MAX];
	char *dotted;
	size_t len, outer, inner;
	int result;

	if (equals == NULL) {
		return CMPD_EFORMAT;
	}
	dotted = pool_strndup(pool, text, (size_t)(equals - text));
	if (dotted == NULL) {
		return CMPD_ENOMEM;
	}
	result = der_oid_from_text(dotted, false, oid, &len);
	if (result < 0) {
		return result;
	}
	outer = der_begin(out, tag);
	der_put(out, DER_OID, bytes_of(oid, len));
	inner = der_begin(out, DER_CONSTRUCTED(0));
	result = san_parse_other_value(pool, out, equals + 1);
	der_end(out, inner);
	der_end(out, outer);
	return result;
}

static const struct san_kind {
	uint8_t tag;
	const char *prefix;
	int (*put)(struct pool *pool, struct bytes value, struct buf *out);
	int (*parse)(struct pool *pool, struct buf *out, uint8_t tag, const char *text);
} san_kinds[] = {
    {SAN_DNS, "DNS:", san_put_ascii, san_parse_ascii},
    {SAN_IP, "IP:", san_put_ip, san_parse_ip},
    {SAN_EMAIL, "email:", san_put_ascii, san_parse_ascii},
    {SAN_URI, "URI:", san_put_ascii, san_parse_ascii},
    {SAN_DIR_NAME, "dirName:", san_put_dir_name, san_parse_dir_name},
    {SAN_OTHER, "other:", san_put_other, san_parse_other},
    {SAN_RID, "RID:", san_put_rid, san_parse_rid},
    {SAN_X400, "x400:", san_put_raw, NULL},
    {SAN_EDI, "ediParty:", san_put_raw, NULL},
};

#define N_SAN_KINDS (sizeof(san_kinds) / sizeof(san_kinds[0]))

/* ---- lists ---- */

static int
san_to_text(struct pool *pool, const struct der *name, const char **ret)
{
	const struct san_kind *kind = NULL;
	struct buf out;
	int result;

	for (size_t i = 0; i < N_SAN_KINDS; i++) {
		if (san_kinds[i].tag == name->tag) {
			kind = &san_kinds[i];
		}
	}
	if (kind == NULL) {
		return CMPD_EFORMAT;
	}
	buf_init(&out, SAN_MAX_SIZE);
	buf_put_bytes(&out, bytes_str(kind->prefix));
	result = kind->put(pool, name->value, &out);
	if (result == 0) {
		result = buf_error(&out);
	}
	if (result == 0) {
		*ret = pool_strndup(pool, buf_get0(&out).data, buf_get0(&out).len);
		result = *ret != NULL ? 0 : CMPD_ENOMEM;
	}
	buf_fini(&out);
	return result;
}

static int
san_open(struct bytes extensions, struct bytes *ret_names)
{
	struct extension san;
	int result = extension_find(extensions, EXTENSION_SUBJECT_ALT_NAME, &san);

	if (result == CMPD_ENOENT) {
		*ret_names = BYTES_NONE;
		return 0;
	}
	return result < 0 ? result : der_only(san.value, DER_SEQUENCE, ret_names);
}

int
name_sans_to_text(struct pool *pool, struct bytes extensions, const char ***ret)
{
	struct bytes names, rest;
	const char **list;
	struct der name;
	size_t n = 0;

	if (san_open(extensions, &names) < 0) {
		return CMPD_EFORMAT;
	}
	for (rest = names; rest.len > 0; n++) {
		if (der_next(&rest, &name) < 0) {
			return CMPD_EFORMAT;
		}
	}
	list = pool_alloc(pool, (n + 1) * sizeof(*list));
	if (list == NULL) {
		return CMPD_ENOMEM;
	}
	for (n = 0; names.len > 0; n++) {
		int result = der_next(&names, &name);

		if (result == 0) {
			result = san_to_text(pool, &name, &list[n]);
		}
		if (result < 0) {
			return result;
		}
	}
	*ret = list;
	return 0;
}

static int
san_parse(struct pool *pool, struct buf *out, const char *text)
{
	for (size_t i = 0; i < N_SAN_KINDS; i++) {
		size_t len = strlen(san_kinds[i].prefix);

		if (san_kinds[i].parse != NULL &&
		    strncasecmp(text, san_kinds[i].prefix, len) == 0) {
			return san_kinds[i].parse(pool, out, san_kinds[i].tag, text + len);
		}
	}
	return CMPD_EFORMAT;
}

/* GeneralNames of the texts, as an extension. */
static int
san_put_extension(struct pool *pool, struct buf *out, const char *const *sans, bool critical)
{
	struct buf names;
	size_t mark;
	int result = 0;

	buf_init(&names, SAN_MAX_SIZE);
	mark = der_begin(&names, DER_SEQUENCE);
	for (; *sans != NULL && result == 0; sans++) {
		result = san_parse(pool, &names, *sans);
	}
	der_end(&names, mark);
	if (result == 0) {
		result = buf_error(&names);
	}
	if (result == 0) {
		extension_put(out, EXTENSION_SUBJECT_ALT_NAME, critical, buf_get0(&names));
	}
	buf_fini(&names);
	return result;
}

int
name_sans_replace(struct pool *pool, struct bytes extensions, const char *const *sans,
    bool critical, struct bytes *ret_extensions)
{
	struct bytes list, der = BYTES_NONE;
	struct extension extension;
	struct buf out;
	size_t mark;
	int result = CMPD_EFORMAT;

	buf_init(&out, 2 * SAN_MAX_SIZE);
	if (extensions_open(extensions, &list) < 0) {
		goto out;
	}
	mark = der_begin(&out, DER_SEQUENCE);
	while (list.len > 0) {
		if (extension_next(&list, &extension) < 0) {
			goto out;
		}
		if (!bytes_equal(extension.oid, EXTENSION_SUBJECT_ALT_NAME)) {
			buf_put_bytes(&out, extension.whole);
		}
	}
	result = 0;
	if (sans != NULL && sans[0] != NULL) {
		result = san_put_extension(pool, &out, sans, critical);
	}
	der_end(&out, mark);
	if (result == 0) {
		result = buf_error(&out);
	}
	/* Extensions may not be empty: then there are none. */
	if (result == 0 && out.len > mark) {
		der = pool_bytes(pool, buf_get0(&out));
		result = der.data != NULL ? 0 : CMPD_ENOMEM;
	}
	if (result == 0) {
		*ret_extensions = der;
	}
out:
	buf_fini(&out);
	return result;
}
