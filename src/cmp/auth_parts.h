/*
 * What the files of auth share: auth.c says whether a message is protected at all and by whom a
 * transaction goes on, auth_mac.c and auth_signature.c verify one kind of protection each. No other
 * file includes this.
 */
#pragma once

#include "cmp/auth.h"

struct cmp_verified {
	enum cmp_protection protection;
	struct desk_requester requester;
	struct secret secret;
	struct wire_alg mac;
	struct bytes signer_issuer;
};

/* Each verifies the protection over part (the ProtectedPart) and, when credential and identity are
 * right, sets work->verified; as auth_verify. */
int auth_mac(struct cmp_work *work, struct bytes part) CMPD_MUST_CHECK;
int auth_signature(struct cmp_work *work, struct bytes part) CMPD_MUST_CHECK;

/* Is it the identity that opened the transaction, if there is one? Otherwise remembers the
 * fault. */
bool auth_same_identity(struct cmp_work *work, const struct identity *identity);
