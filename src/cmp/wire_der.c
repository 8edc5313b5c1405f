#include "cmp/wire_der.h"

#include <string.h>

#include "base/pool.h"

int
wire_der_count(struct bytes in, size_t *ret)
{
	struct der value;
	size_t n;

	for (n = 0; in.len != 0; n++) {
		if (der_next(&in, &value) != 0) {
			return CMPD_EFORMAT;
		}
	}
	*ret = n;
	return 0;
}

/* ---- the strict walk ---- */

static const char *
check_integer(struct bytes in)
{
	if (in.len == 0) {
		return "an INTEGER without content";
	}
	if (in.len > 1 && ((in.data[0] == 0 && in.data[1] < 0x80) ||
			      (in.data[0] == 0xff && in.data[1] >= 0x80))) {
		return "an INTEGER that is not minimal";
	}
	return NULL;
}

static const char *
check_boolean(struct bytes in)
{
	return in.len != 1 || (in.data[0] != 0 && in.data[0] != 0xff) ? "a BOOLEAN not 00 or FF"
								      : NULL;
}

static const char *
check_null(struct bytes in)
{
	return in.len != 0 ? "a NULL with content" : NULL;
}

/* Newer versions of OpenSSL do not decode shorter times; older ones do. */
static const char *
check_utc_time(struct bytes in)
{
	return in.len >= 13 ? NULL : "a UTCTime that is too short";
}

static const char *
check_generalized_time(struct bytes in)
{
	return in.len >= 15 ? NULL : "a GeneralizedTime that is too short";
}

static const char *
check_bits(struct bytes in)
{
	unsigned unused;

	if (in.len == 0) {
		return "a BIT STRING without content";
	}
	unused = in.data[0];
	if (unused > 7 || (in.len == 1 && unused != 0) ||
	    (in.data[in.len - 1] & ((1u << unused) - 1) & 0xff && in.len > 1)) {
		return "a BIT STRING with wrong unused bits";
	}
	return NULL;
}

static const char *
check_oid(struct bytes in)
{
	bool first = true;
	size_t i;

	for (i = 0; i < in.len; i++) {
		if (first && in.data[i] == 0x80) {
			return "an OBJECT IDENTIFIER that is not minimal";
		}
		first = in.data[i] < 0x80;
	}
	return in.len == 0 || !first ? "an OBJECT IDENTIFIER that is cut off" : NULL;
}

/* Universal types by tag number; DER has strings in primitive form only. */
static const struct {
	bool known;
	bool constructed;
	const char *(*check)(struct bytes in);
} universal[31] = {
    [1] = {true, false, check_boolean},
    [2] = {true, false, check_integer},
    [3] = {true, false, check_bits},
    [4] = {true, false, NULL},
    [5] = {true, false, check_null},
    [6] = {true, false, check_oid},
    [9] = {true, false, NULL},
    [10] = {true, false, check_integer},
    [12] = {true, false, NULL},
    [16] = {true, true, NULL},
    [17] = {true, true, NULL},
    [18] = {true, false, NULL},
    [19] = {true, false, NULL},
    [20] = {true, false, NULL},
    [21] = {true, false, NULL},
    [22] = {true, false, NULL},
    [23] = {true, false, check_utc_time},
    [24] = {true, false, check_generalized_time},
    [25] = {true, false, NULL},
    [26] = {true, false, NULL},
    [27] = {true, false, NULL},
    [28] = {true, false, NULL},
    [30] = {true, false, NULL},
};

static const char *
check_value(const struct der *value)
{
	unsigned number = value->tag & 0x1f;

	if (value->tag >= 0x40) {
		return NULL;
	}
	if (!universal[number].known) {
		return "an unknown universal type";
	}
	if (universal[number].constructed != ((value->tag & 0x20) != 0)) {
		return "a value in the wrong form, primitive or constructed";
	}
	return universal[number].check == NULL ? NULL : universal[number].check(value->value);
}

int
wire_der_check(struct bytes in, struct wire_der_walk *walk, struct diag *diag)
{
	const uint8_t *ends[DER_DEPTH_MAX + 1];
	struct bytes rest = in;
	const char *fault = NULL;
	struct der value;
	size_t depth = 0;

	ends[0] = in.data + in.len;
	while (fault == NULL) {
		while (depth > 0 && rest.data == ends[depth]) {
			depth--;
		}
		rest.len = (size_t)(ends[depth] - rest.data);
		if (rest.len == 0) {
			return 0;
		}
		in = rest;
		if (der_next(&rest, &value) != 0) {
			fault = "a bad length or tag";
		} else if (walk->count++ >= DER_COUNT_MAX) {
			fault = "too many values";
		} else if ((fault = check_value(&value)) == NULL && (value.tag & 0x20) != 0) {
			if (depth == DER_DEPTH_MAX) {
				fault = "too deep nesting";
				break;
			}
			ends[++depth] = value.value.data + value.value.len;
			rest.data = value.value.data;
		}
	}
	return diag_set(diag, CMPD_EFORMAT, "not DER: %s at byte %zu", fault,
	    (size_t)(in.data - walk->start));
}

/* ---- the builder ---- */

struct bytes
wire_der_put(struct wire_der_build *build, uint8_t tag, const struct bytes *parts, size_t n_parts)
{
	size_t len = 0, n_len = 0, i;
	uint8_t *out, *p;

	for (i = 0; i < n_parts; i++) {
		len += parts[i].len;
	}
	if (len > UINT32_MAX) {
		build->failed = true;
	}
	if (len >= 0x80) {
		for (n_len = 1; n_len < 4 && len >> (8 * n_len) != 0; n_len++) {
		}
	}
	out = build->failed ? NULL : pool_alloc(build->pool, 2 + n_len + len);
	if (out == NULL) {
		build->failed = true;
		return BYTES_NONE;
	}
	p = out;
	*p++ = tag;
	*p++ = (uint8_t)(n_len == 0 ? len : 0x80 | n_len);
	for (i = n_len; i > 0; i--) {
		*p++ = (uint8_t)(len >> (8 * (i - 1)));
	}
	for (i = 0; i < n_parts; i++) {
		if (parts[i].len != 0) {
			memcpy(p, parts[i].data, parts[i].len);
			p += parts[i].len;
		}
	}
	return bytes_of(out, (size_t)(p - out));
}

struct bytes
wire_der_put1(struct wire_der_build *build, uint8_t tag, struct bytes part)
{
	return part.data == NULL ? BYTES_NONE : wire_der_put(build, tag, &part, 1);
}

struct bytes
wire_der_put_int(struct wire_der_build *build, int64_t value)
{
	uint8_t octets[8];
	size_t skip = 0;
	int i;

	for (i = 0; i < 8; i++) {
		octets[i] = (uint8_t)((uint64_t)value >> (56 - 8 * i));
	}
	while (skip < 7 && ((octets[skip] == 0 && octets[skip + 1] < 0x80) ||
			       (octets[skip] == 0xff && octets[skip + 1] >= 0x80))) {
		skip++;
	}
	return wire_der_put1(build, DER_INTEGER, bytes_of(octets + skip, 8 - skip));
}

struct bytes
wire_der_put_bits(struct wire_der_build *build, struct bytes value)
{
	static const uint8_t none_unused = 0;
	struct bytes parts[] = {bytes_of(&none_unused, 1), value};

	return value.data == NULL ? BYTES_NONE : wire_der_put(build, DER_BIT_STRING, parts, 2);
}

struct bytes
wire_der_retag(struct wire_der_build *build, uint8_t tag, struct bytes value)
{
	uint8_t *out;

	if (value.len == 0) {
		return BYTES_NONE;
	}
	out = build->failed ? NULL : pool_alloc(build->pool, value.len);
	if (out == NULL) {
		build->failed = true;
		return BYTES_NONE;
	}
	memcpy(out, value.data, value.len);
	out[0] = tag;
	return bytes_of(out, value.len);
}
