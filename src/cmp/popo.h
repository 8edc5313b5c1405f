/*
 * Proof of possession (RFC 9810 5.2.8) of ir, cr and kur, verified over the raw CertRequest as it
 * was signed: so any certReqId, a template without subject and several requests in one message are
 * all judged alike, and the requested key is decoded once, the cheap way.
 */
#pragma once

#include "cmp/work.h"

/* Kind and algorithm, before anything is computed: 0, CMPD_EPOP (none, or a kind that is not
 * served), CMPD_EALGORITHM, CMPD_EACCES (raVerified by somebody who is no RA). */
int popo_check(struct cmp_work *work, const struct wire_cert_req *request,
    struct diag *why) CMPD_MUST_CHECK;
/* poposkInput (RFC 9810 5.2.8.2), which is signed instead of the CertRequest where the template has
 * no subject: it names who was authenticated, or has a MAC under his secret, and has the key of the
 * template. 0, CMPD_EPOP, CMPD_EALGORITHM. */
int popo_input_check(struct cmp_work *work, const struct wire_cert_req *request,
    struct diag *why) CMPD_MUST_CHECK;
/* 0, CMPD_EPOP, CMPD_EALGORITHM. With raVerified the key is only decoded. */
int popo_verify(struct cmp_work *work, const struct wire_cert_req *request,
    struct diag *why) CMPD_MUST_CHECK;
