/*
 * Registration authorities of an endpoint (RFC 9810 4.5): who is one, and under which name. A
 * certificate is one only with the extended key usage cmcRA, and only if it is configured or leads
 * to an anchor that is there for RAs; a secret, if its reference is configured.
 */
#pragma once

#include "cmp/work.h"

/* One certificate that is configured. Memory of the door. */
struct cmp_ra {
	const char *name;
	uint8_t sha256[DIGEST_SIZE];
	struct bytes subject; /* DER Name */
};

/* Loads what endpoint->conf says. CMPD_ECONF, also for a certificate that may not be one; on
 * failure endpoint_fini frees all the same. */
int ra_load(struct cmp_door *door, struct cmp_endpoint *endpoint,
    struct diag *diag) CMPD_MUST_CHECK;

/* The name of a configured certificate, NULL: it is not. */
const char *ra_name_of_certificate(const struct cmp_endpoint *endpoint,
    const uint8_t sha256[DIGEST_SIZE]);
/* The name of one that leads to an anchor for RAs, by its subject (DER); that of a configured
 * certificate with the same subject, so that it survives a renewal. */
int ra_name_of_subject(const struct cmp_endpoint *endpoint, struct pool *pool, struct bytes subject,
    const char **ret) CMPD_MUST_CHECK;
/* The name of a configured secret, NULL: it is not. */
const char *ra_name_of_reference(const struct conf_endpoint *conf, const char *reference);
