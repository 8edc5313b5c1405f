/*
 * Proof of possession that OpenSSL's server code cannot judge: several requests in one message, a template without
 * subject, poposkInput (RFC 9810 5.2.8). Verified over the raw CertRequest, as it was signed.
 */
#pragma once

#include "cmp/work.h"

/* Can OpenSSL verify it inside? Then the request goes there as it came. */
bool popo_is_plain(const struct wire_cert_req *request, size_t n_requests);
/* Algorithm rules that hold wherever it is verified: 0, CMPD_EPOP (none, or a kind that is not served), CMPD_EALGORITHM,
 * CMPD_EACCES (raVerified by somebody who is no RA). */
int popo_check(const struct wire_cert_req *request, struct algorithm_set allowed,
    struct diag *why) CMPD_MUST_CHECK;
/* 0, CMPD_EPOP, CMPD_EALGORITHM. */
int popo_verify(struct cmp_work *work, const struct wire_cert_req *request,
    struct diag *why) CMPD_MUST_CHECK;
