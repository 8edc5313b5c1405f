/*
 * Just enough DER: elements with one-byte tags and definite, shortest lengths.
 * Reading borrows from the input; writing nests with marks:
 *
 *	size_t mark = der_begin(&buf, DER_SEQUENCE);
 *	der_put(&buf, DER_UTF8_STRING, value);
 *	der_end(&buf, mark);
 *
 * Errors while writing stick to the buf.
 */
#pragma once

#include "base/buf.h"

#define DER_BOOLEAN	     0x01
#define DER_INTEGER	     0x02
#define DER_BIT_STRING	     0x03
#define DER_OCTET_STRING     0x04
#define DER_NULL	     0x05
#define DER_OID		     0x06
#define DER_ENUMERATED	     0x0a
#define DER_UTF8_STRING	     0x0c
#define DER_NUMERIC_STRING   0x12
#define DER_PRINTABLE_STRING 0x13
#define DER_T61_STRING	     0x14
#define DER_IA5_STRING	     0x16
#define DER_UTC_TIME	     0x17
#define DER_GENERALIZED_TIME 0x18
#define DER_VISIBLE_STRING   0x1a
#define DER_UNIVERSAL_STRING 0x1c
#define DER_BMP_STRING	     0x1e
#define DER_SEQUENCE	     0x30
#define DER_SET		     0x31
/* Context-specific tags, primitive and constructed. */
#define DER_PRIMITIVE(n)   (0x80 | (n))
#define DER_CONSTRUCTED(n) (0xa0 | (n))

struct der {
	uint8_t tag;
	struct bytes value; /* the contents */
	struct bytes whole; /* with tag and length */
};

/* Takes the first element off *in. CMPD_EFORMAT: none there, or not DER; *in is then untouched. */
int der_next(struct bytes *in, struct der *ret) CMPD_MUST_CHECK;
/* The same, but an element that is cut off by the end of *in gives what there is; *ret_cut says so. */
int der_next_cut(struct bytes *in, struct der *ret, bool *ret_cut) CMPD_MUST_CHECK;
/* As der_next, and the tag must be this one. */
int der_take_element(struct bytes *in, uint8_t tag, struct der *ret) CMPD_MUST_CHECK;
/* The same for who wants the contents only. */
int der_take(struct bytes *in, uint8_t tag, struct bytes *ret_value) CMPD_MUST_CHECK;
/* in is one element with this tag and nothing behind it. */
int der_only(struct bytes in, uint8_t tag, struct bytes *ret_value) CMPD_MUST_CHECK;
/* Does an element with this tag come next? */
bool der_peek(struct bytes in, uint8_t tag);

size_t der_begin(struct buf *buf, uint8_t tag);
void der_end(struct buf *buf, size_t mark);
void der_put(struct buf *buf, uint8_t tag, struct bytes value);

/* Contents of an OBJECT IDENTIFIER, well-formed and not longer than DER_OID_MAX? */
bool der_oid_valid(struct bytes oid);
/* Contents of an OBJECT IDENTIFIER, to and from "1.2.840.113549". CMPD_EFORMAT; libcrypto's
 * error queue is left empty. Longer than DER_OID_MAX bytes is refused both ways. */
#define DER_OID_MAX	 64
#define DER_OID_TEXT_MAX 256
int der_oid_to_text(struct bytes oid, char out[DER_OID_TEXT_MAX]) CMPD_MUST_CHECK;
/* Also libcrypto's short and long names ("serverAuth"), if names is set. */
int der_oid_from_text(const char *text, bool names, uint8_t out[DER_OID_MAX],
    size_t *ret_len) CMPD_MUST_CHECK;
