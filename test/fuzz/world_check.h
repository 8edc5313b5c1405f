/*
 * What is always true of an answer.
 */
#pragma once

#include "world.h"

/* Says what was to be true, and ends the process. */
void check(bool is_true, const char *words);
void check_no_errors_left(void);

/*
 * The answer decodes with wire and with OpenSSL, repeats transactionID and nonce, is protected (by MAC if the message was MACed and authentic), has one failInfo
 * bit with a rejection and none without, and does not blame the server for what the client sent.
 */
void check_answer(struct world *w, struct bytes message, struct bytes answer, bool authentic,
    struct wire_message *ret);

/* The MAC under the world's secret, in its pool. */
struct bytes world_mac(struct world *w, const struct wire_alg *alg, struct bytes part);
