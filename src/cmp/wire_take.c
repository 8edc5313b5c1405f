#include <limits.h>
#include <string.h>

#include "base/pool.h"
#include "base/utf8.h"
#include "cmp/wire_asn1.h"

static struct bytes
string_bytes(const ASN1_STRING *in)
{
	/* An empty ASN1_STRING may have no data, but it is there. */
	return in->length > 0 ? bytes_of(in->data, (size_t)in->length) : bytes_of("", 0);
}

static void
take_nomem(struct wire_take *take)
{
	if (take->error == 0) {
		take->error = diag_set(take->diag, CMPD_ENOMEM, "out of memory");
	}
}

void
wire_take_fault(struct wire_take *take, const char *text)
{
	if (take->error == 0) {
		take->error = diag_set(take->diag, CMPD_EFORMAT, "%s", text);
	}
}

static struct bytes
take_bytes(struct wire_take *take, struct bytes in)
{
	struct bytes out = pool_bytes(take->pool, in);

	if (out.data == NULL) {
		take_nomem(take);
	}
	return out;
}

struct bytes
wire_take_string(struct wire_take *take, const ASN1_STRING *in)
{
	return in == NULL ? BYTES_NONE : take_bytes(take, string_bytes(in));
}

struct bytes
wire_take_general_name(struct wire_take *take, const ASN1_TYPE *in)
{
	struct bytes out, rest;
	struct der value;

	/* Of a context tag OpenSSL keeps the whole value. */
	if (in->type == V_ASN1_OTHER) {
		out = rest = wire_take_string(take, in->value.asn1_string);
		/* [0] to [8] (RFC 5280 4.2.1.6) */
		if (out.data == NULL ||
		    (der_next(&rest, &value) == 0 && rest.len == 0 && (value.tag & 0xc0) == 0x80 &&
			(value.tag & 0x1f) <= 8)) {
			return out;
		}
	}
	wire_take_fault(take, "a GeneralName does not decode");
	return BYTES_NONE;
}

struct bytes
wire_take_retagged(struct wire_take *take, const ASN1_STRING *in, uint8_t tag)
{
	struct wire_der_build build = {.pool = take->pool};
	struct bytes out;

	if (in == NULL) {
		return BYTES_NONE;
	}
	out = wire_der_retag(&build, tag, string_bytes(in));
	if (build.failed) {
		take_nomem(take);
	}
	return out;
}

struct bytes
wire_take_bits(struct wire_take *take, const ASN1_BIT_STRING *in)
{
	if (in == NULL) {
		return BYTES_NONE;
	}
	if ((in->flags & 7) != 0) {
		wire_take_fault(take, "a signature or MAC that does not end with its last octet");
		return BYTES_NONE;
	}
	return wire_take_string(take, in);
}

struct bytes
wire_take_serial(struct wire_take *take, const ASN1_INTEGER *in)
{
	if (in == NULL) {
		return BYTES_NONE;
	}
	if (ASN1_STRING_type(in) == V_ASN1_NEG_INTEGER) {
		wire_take_fault(take, "a negative serial number");
		return BYTES_NONE;
	}
	return wire_take_string(take, in);
}

int64_t
wire_take_int(const ASN1_INTEGER *in)
{
	int64_t value;

	if (ASN1_INTEGER_get_int64(&value, in)) {
		return value;
	}
	return ASN1_STRING_type(in) == V_ASN1_NEG_INTEGER ? INT64_MIN : INT64_MAX;
}

int64_t
wire_take_id(struct wire_take *take, const ASN1_INTEGER *in)
{
	int64_t value = wire_take_int(in);

	if (value < INT32_MIN || value > INT32_MAX) {
		wire_take_fault(take, "a certReqId of more than 32 bits");
		return 0;
	}
	return value;
}

int
wire_pair_split(struct bytes in, struct bytes *ret_oid, struct bytes *ret_value)
{
	struct bytes content;
	struct der oid, value = {0};

	if (der_only(in, DER_SEQUENCE, &content) != 0 ||
	    der_take_element(&content, DER_OID, &oid) != 0 ||
	    (content.len != 0 && der_next(&content, &value) != 0) || content.len != 0) {
		return CMPD_EFORMAT;
	}
	*ret_oid = oid.value;
	*ret_value = value.whole;
	return 0;
}

void
wire_take_alg(struct wire_take *take, const ASN1_STRING *in, struct wire_alg *ret)
{
	struct wire_alg alg = {.der = wire_take_string(take, in)};

	if (alg.der.data != NULL && wire_pair_split(alg.der, &alg.oid, &alg.parameters) != 0) {
		wire_take_fault(take, "an AlgorithmIdentifier does not decode");
		return;
	}
	*ret = alg;
}

/* ---- texts ---- */

static char *
text_put(char *out, struct bytes in)
{
	uint32_t c = 0;
	size_t n;

	while (in.len != 0) {
		n = utf8_decode(in, &c);
		if (n == 0 || c == 0) {
			memcpy(out, "\xef\xbf\xbd", 3);
			out += 3;
			n = 1;
		} else {
			memcpy(out, in.data, n);
			out += n;
		}
		in.data += n;
		in.len -= n;
	}
	return out;
}

char *
wire_text(struct pool *pool, struct bytes in)
{
	char *out = pool_alloc(pool, 3 * in.len + 1);

	if (out != NULL) {
		text_put(out, in);
	}
	return out;
}

/* PKIFreeText: the lines joined by "; ". */
const char *
wire_take_free_text(struct wire_take *take, const ASN1_STRING *in)
{
	struct bytes content, rest;
	char *out, *end;
	struct der line;

	if (in == NULL) {
		return NULL;
	}
	rest = string_bytes(in);
	if (der_only(rest, DER_SEQUENCE, &content) != 0) {
		wire_take_fault(take, "a PKIFreeText does not decode");
		return NULL;
	}
	out = end = pool_alloc(take->pool, 3 * content.len + 1);
	if (out == NULL) {
		take_nomem(take);
		return NULL;
	}
	while (content.len != 0) {
		if (der_take_element(&content, DER_UTF8_STRING, &line) != 0) {
			wire_take_fault(take, "a PKIFreeText does not decode");
			return NULL;
		}
		/* Identifier and length of the line leave the room for this. */
		if (end != out) {
			end = text_put(end, bytes_of("; ", 2));
		}
		end = text_put(end, line.value);
	}
	return out;
}

void
wire_take_status(struct wire_take *take, const struct asn1_status_info *in,
    struct wire_status_info *ret)
{
	int bit, n;

	ret->status = wire_take_int(in->status);
	ret->text = wire_take_free_text(take, in->text);
	ret->fail_info = -1;
	n = in->fail_info == NULL ? 0 : ASN1_STRING_length(in->fail_info) * 8;
	for (bit = 0; bit < n; bit++) {
		if (ASN1_BIT_STRING_get_bit(in->fail_info, bit)) {
			ret->fail_info = bit;
			return;
		}
	}
}

int
wire_list_decode(struct pool *pool, struct bytes in, size_t max, size_t size,
    int (*one)(struct pool *pool, struct bytes in, void *ret, struct diag *diag), const char *what,
    void *ret, size_t *ret_n, struct diag *diag)
{
	struct der value = {0};
	struct bytes content;
	size_t n, i;
	char *list;
	int error;

	if (der_only(in, DER_SEQUENCE, &content) != 0 || wire_der_count(content, &n) != 0) {
		return diag_set(diag, CMPD_EFORMAT, "%s: no SEQUENCE OF", what);
	}
	*ret_n = n;
	if (n > max) {
		return diag_set(diag, CMPD_ELIMIT, "%s: %zu given, %zu allowed", what, n, max);
	}
	list = pool_alloc(pool, n == 0 ? 1 : n * size);
	if (list == NULL) {
		return diag_set(diag, CMPD_ENOMEM, "%s: out of memory", what);
	}
	for (i = 0; i < n; i++) {
		error = der_next(&content, &value);
		if (error == 0) {
			error = one(pool, value.whole, list + i * size, diag);
		}
		if (error != 0) {
			return error;
		}
	}
	*(void **)ret = list;
	return 0;
}
