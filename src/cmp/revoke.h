/*
 * Revocations (RFC 9810 5.3.9), beside serve_rr. in: an rr's body, of the message at hand or of one
 * that has waited.
 */
#pragma once

#include "cmp/work.h"

/* Does what can be done: adds it to the unit. decided: in words what was decided about, nothing
 * else is done; NULL: nobody had to be asked. *ret: the rp. Faults of the whole message are
 * remembered. */
int revoke_carry_out(struct cmp_work *work, struct bytes in, const char *decided,
    struct bytes *ret) CMPD_MUST_CHECK;
/* An rp that says the same about each. */
int revoke_refuse(struct cmp_work *work, struct bytes in, const struct wire_status_info *status,
    struct bytes *ret) CMPD_MUST_CHECK;
