/*
 * MACs under a shared secret: PBM (RFC 9810 5.1.3.1) and PBMAC1 (RFC 8018 A.5), chosen by the AlgorithmIdentifier of the
 * message. Their parameters are decoded here and nowhere else.
 */
#pragma once

#include "base/pool.h"
#include "cmp/work.h"

/* Is it a MAC at all? Anything else is taken for a signature. */
bool mac_is(const struct wire_alg *alg);
/* Are kind, algorithms, salt and iteration count within the endpoint's limits? Computes nothing. *ret_iterations: what computing will
 * cost. CMPD_EALGORITHM with the reason. */
int mac_check(const struct conf_endpoint *endpoint, struct pool *pool, const struct wire_alg *alg,
    int64_t *ret_iterations, struct diag *why) CMPD_MUST_CHECK;
/* The MAC over data, in pool; alg has passed mac_check or comes from mac_answer. CMPD_ECRYPTO, CMPD_ENOMEM. */
int mac_compute(struct cmp_door *door, struct pool *pool, const struct wire_alg *alg,
    struct bytes secret, struct bytes data, struct bytes *ret) CMPD_MUST_CHECK;
/* The same algorithms and iteration count with a new salt, for the answer. */
int mac_answer(struct pool *pool, const struct wire_alg *asked,
    struct wire_alg *ret) CMPD_MUST_CHECK;
