/*
 * Who sent a message, and did he? The protection is verified here, once, over the bytes that came
 * (RFC 9810 5.1.3). Only the files of auth make a struct cmp_verified.
 */
#pragma once

#include "cmp/work.h"

enum cmp_protection { CMP_PROTECTION_MAC, CMP_PROTECTION_SIGNATURE };

/*
 * Sets work->verified when protection, credential and identity are right; otherwise remembers the
 * fault (if it is the first). Runs also after a fault of the gate, because the answer's protection
 * depends on it. Errors: CMPD_ENOMEM, CMPD_EIO: not the message's fault.
 */
int auth_verify(struct cmp_work *work) CMPD_MUST_CHECK;

enum cmp_protection auth_protection(const struct cmp_verified *verified);
const struct desk_requester *auth_requester(const struct cmp_verified *verified);
/* Signature: issuer of the signer's certificate, DER Name. */
struct bytes auth_signer_issuer(const struct cmp_verified *verified);
/* MAC: the secret and the request's algorithm, borrowed. */
struct bytes auth_mac_secret(const struct cmp_verified *verified);
const struct wire_alg *auth_mac_alg(const struct cmp_verified *verified);
