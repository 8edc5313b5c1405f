/*
 * Names and subjectAltNames between DER and text (CMPD_ELIMIT: past 256 KiB). Text is UTF-8, one line:
 * control bytes, bidi controls and invalid UTF-8 are escaped as \XX, so it may
 * be shown and matched. Any thread; libcrypto's error queue is left empty.
 */
#pragma once

#include "base/bytes.h"

struct pool;

/* RFC 4514-like with a leading slash and in the order of encoding: "/C=DE/O=x/CN=y"; "/" for
 * the empty name; "/", "\", "=" and "+" inside a value are escaped by "\". Attributes of one RDN are joined by "+";
 * types without a short name are dotted; values that are no strings are "#" and their DER in hex. CMPD_EFORMAT, CMPD_ENOMEM. */
int name_to_text(struct pool *pool, struct bytes der, const char **ret) CMPD_MUST_CHECK;
/* The reverse ("/CN=y"). Values become UTF8String; countryName, serialNumber, dnQualifier and telephoneNumber PrintableString and
 * domainComponent and emailAddress IA5String if their characters allow it. Empty values and anything that is not
 * UTF-8: CMPD_EFORMAT. */
int name_from_text(struct pool *pool, const char *text, struct bytes *ret_der) CMPD_MUST_CHECK;

/* DER Extensions -> the subjectAltName inside as a NULL-ended list of
 * "DNS:a", "IP:10.0.0.1", "email:x@y", "URI:...", "dirName:/CN=..", "other:<oid>=<text>" ("=#<hex of its DER>" if it is no
 * UTF8String), "RID:<oid>", "x400:#<hex>", "ediParty:#<hex>"; an empty list if there is none.
 * CMPD_EFORMAT, also when subjectAltName stands there twice. */
int name_sans_to_text(struct pool *pool, struct bytes extensions,
    const char ***ret) CMPD_MUST_CHECK;
/* Replaces (or adds, or with an empty list removes) subjectAltName in DER Extensions; the others stay as they are. x400 and
 * ediParty cannot be written: CMPD_EFORMAT. critical: as RFC 5280 4.2.1.6 wants it for an empty subject. */
int name_sans_replace(struct pool *pool, struct bytes extensions, const char *const *sans,
    bool critical, struct bytes *ret_extensions) CMPD_MUST_CHECK;
/* Equal after DER decoding and libcrypto's canonical comparison (case, spaces). */
bool name_equal(struct bytes der_a, struct bytes der_b);
