/*
 * Password-based MAC (RFC 9810 5.1.3.1).
 */
#pragma once

#include "base/pool.h"
#include "cmp/work.h"

/* Are algorithms, salt and iteration count within the endpoint's limits? Computes nothing. CMPD_EALGORITHM with the reason. */
int mac_pbm_check(const struct conf_endpoint *endpoint, const struct wire_pbm *pbm,
    struct diag *why) CMPD_MUST_CHECK;
/* The MAC over data; parameters: DER PBMParameter. CMPD_ECRYPTO, CMPD_ENOMEM. */
int mac_pbm_compute(struct cmp_door *door, struct pool *pool, struct bytes parameters,
    struct bytes secret, struct bytes data, struct bytes *ret) CMPD_MUST_CHECK;
