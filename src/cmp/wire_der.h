/*
 * DER underneath wire.h: the strict walk over a whole message, and a builder whose parts lie in a
 * pool. Inside cmp/ (and tests) only; the cursor is that of model/der.h.
 */
#pragma once

#include "base/bytes.h"
#include "base/error.h"
#include "model/der.h"

struct diag;
struct pool;

#define DER_DEPTH_MAX 32 /* nesting of a message */
#define DER_COUNT_MAX 16384 /* values of all levels in a message */

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
