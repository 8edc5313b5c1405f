/*
 * What stands in a certificate (RFC 5280 4.1), found without decoding key, names or extensions.
 */
#pragma once

#include "base/bytes.h"
#include "base/error.h"

/* DER elements, borrowed from the certificate. */
struct certificate_parts {
	struct bytes issuer; /* Name */
	struct bytes subject; /* Name */
	struct bytes spki; /* SubjectPublicKeyInfo */
	struct bytes extensions; /* Extensions; absent: none */
};

/* CMPD_EFORMAT. */
int certificate_read(struct bytes der, struct certificate_parts *ret) CMPD_MUST_CHECK;
