/*
 * DER underneath wire.h: the strict walk over a whole message, a cursor over
 * the parts of a value, and a builder. Inside cmp/wire*.c (and tests) only.
 */
#pragma once

#include "base/bytes.h"
#include "base/error.h"

struct diag;
struct pool;

/* Identifier octets. */
enum wire_der_tag {
	DER_BOOLEAN = 0x01,
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_NULL = 0x05,
	DER_OID = 0x06,
	DER_ENUMERATED = 0x0a,
	DER_UTF8_STRING = 0x0c,
	DER_UTC_TIME = 0x17,
	DER_GENERALIZED_TIME = 0x18,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31
};
#define DER_PRIMITIVE(n)   (0x80 | (n)) /* [n] around a primitive, implicit */
#define DER_CONSTRUCTED(n) (0xa0 | (n)) /* [n] explicit, or implicit around a SEQUENCE */

#define DER_DEPTH_MAX 32 /* nesting of a message */
#define DER_COUNT_MAX 16384 /* values of all levels in a message */

/* One value: what points where in the input. */
struct der {
	uint8_t tag; /* identifier octet; tag numbers over 30 are not taken */
	struct bytes content;
	struct bytes raw; /* with identifier and length */
};

/*
 * Everything in `in` (one or several values) is DER: definite minimal lengths,
 * primitive strings, minimal INTEGERs, BOOLEAN 00 or FF, BIT STRINGs with
 * unused bits zero, well-formed OIDs, within the two limits. The
 * order within a SET is not looked at: certificates in the field have it wrong.
 * One walk may take several calls. CMPD_EFORMAT, text in diag.
 */
struct wire_der_walk {
	const uint8_t *start; /* of the message, so that the text can name the byte */
	size_t count; /* values so far */
};
int wire_der_check(struct bytes in, struct wire_der_walk *walk, struct diag *diag) CMPD_MUST_CHECK;

/* Takes the first value off rest. CMPD_EFORMAT, also when nothing is left; rest stays then. */
int wire_der_next(struct bytes *rest, struct der *ret) CMPD_MUST_CHECK;
/* The same if the value has this identifier octet, else CMPD_EFORMAT. */
int wire_der_take(struct bytes *rest, uint8_t tag, struct der *ret) CMPD_MUST_CHECK;
/* As wire_der_next, but a value that is cut off by the end of rest gives what there is; *ret_cut says so. */
int wire_der_next_cut(struct bytes *rest, struct der *ret, bool *ret_cut) CMPD_MUST_CHECK;
/* in is one value with this identifier octet and nothing behind it. */
int wire_der_only(struct bytes in, uint8_t tag, struct bytes *ret_content) CMPD_MUST_CHECK;
/* Values up to the end. CMPD_EFORMAT. */
int wire_der_count(struct bytes in, size_t *ret) CMPD_MUST_CHECK;

/*
 * The builder. Each function returns DER in the pool; a part that is absent
 * is left out. When memory runs out `failed` stays set and all returns are absent.
 */
struct wire_der_build {
	struct pool *pool;
	bool failed;
};

/* A value with this identifier octet around the parts. */
struct bytes wire_der_put(struct wire_der_build *build, uint8_t tag, const struct bytes *parts,
    size_t n_parts);
/* Around one part; absent if the part is. */
struct bytes wire_der_put1(struct wire_der_build *build, uint8_t tag, struct bytes part);
struct bytes wire_der_put_int(struct wire_der_build *build, int64_t value);
/* All bits of value used, none cut. Absent if value is. */
struct bytes wire_der_put_bits(struct wire_der_build *build, struct bytes value);
/* The same bytes under another identifier octet (IMPLICIT tags). Absent if value is. */
struct bytes wire_der_retag(struct wire_der_build *build, uint8_t tag, struct bytes value);
