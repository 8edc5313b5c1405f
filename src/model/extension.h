/*
 * Reading DER Extensions (RFC 5280 4.1) one by one. Everything is borrowed from the input.
 *
 *	struct bytes list;
 *	struct extension e;
 *
 *	if (extensions_open(der, &list) < 0) ...
 *	while (list.len > 0) { if (extension_next(&list, &e) < 0) ... }
 */
#pragma once

#include "model/der.h"

struct extension {
	struct bytes oid; /* contents of the OBJECT IDENTIFIER */
	bool critical;
	struct bytes value; /* the DER inside the OCTET STRING */
	struct bytes whole;
};

/* id-ce: 2.5.29.n as contents of an OBJECT IDENTIFIER */
#define EXTENSION_CE(n)		     bytes_of("\x55\x1d" n, 3)
#define EXTENSION_SUBJECT_KEY_ID     EXTENSION_CE("\x0e")
#define EXTENSION_KEY_USAGE	     EXTENSION_CE("\x0f")
#define EXTENSION_SUBJECT_ALT_NAME   EXTENSION_CE("\x11")
#define EXTENSION_BASIC_CONSTRAINTS  EXTENSION_CE("\x13")
#define EXTENSION_CRL_DISTRIBUTION   EXTENSION_CE("\x1f")
#define EXTENSION_AUTHORITY_KEY_ID   EXTENSION_CE("\x23")
#define EXTENSION_EXTENDED_KEY_USAGE EXTENSION_CE("\x25")
/* id-pe-authorityInfoAccess: 1.3.6.1.5.5.7.1.1 */
#define EXTENSION_AUTHORITY_INFO bytes_of("\x2b\x06\x01\x05\x05\x07\x01\x01", 8)

/* Absent bytes are an empty list. CMPD_EFORMAT. */
int extensions_open(struct bytes der, struct bytes *ret_list) CMPD_MUST_CHECK;
int extension_next(struct bytes *list, struct extension *ret) CMPD_MUST_CHECK;
/* The one with this OID: 0, CMPD_ENOENT, CMPD_EFORMAT (also if it is there twice). */
int extension_find(struct bytes der, struct bytes oid, struct extension *ret) CMPD_MUST_CHECK;
/* value: the DER that goes into the OCTET STRING. */
void extension_put(struct buf *out, struct bytes oid, bool critical, struct bytes value);
