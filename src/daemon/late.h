/*
 * Verdicts that come after the message was answered: an entry is held, and the plugin decides it like an operator.
 */
#pragma once

#include <stdint.h>

struct policy_verdict;
struct txn_key;

/* For cmp_request_detach; flow is a struct flow. Any thread; copies what it needs. A verdict that cannot be kept is lost: the entry stays held. */
void late_verdict(void *flow, const struct txn_key *txn, int64_t cert_req_id,
    const struct policy_verdict *verdict);
