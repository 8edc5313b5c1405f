/*
 * The gate: decodes a message and applies the rules that hold for every message, as one table of
 * checks: a row is a rule. Nothing here changes any state, and nothing of the message is believed
 * yet.
 */
#pragma once

#include "cmp/work.h"

/*
 * Fills work->in, hash, has_txn, txn; remembers the first fault. *ret_replay: the last message of a
 * transaction has come again, byte for byte: the stored answer is to be given (B2.10). CMPD_ENOMEM,
 * CMPD_EIO: not the message's fault.
 */
int gate_read(struct cmp_work *work, bool *ret_replay) CMPD_MUST_CHECK;

/* certProfile of a header into work->cert_profiles; also of a stored message that is carried out
 * later. false: it makes no sense. */
bool gate_cert_profiles(struct cmp_work *work, const struct wire_header *header, struct diag *why);

/* Asked for by the header (RFC 9810 5.1.1.1). */
bool gate_wants_implicit_confirm(const struct cmp_work *work);
