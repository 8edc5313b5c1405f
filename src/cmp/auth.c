#include <string.h>

#include "cmp/auth_parts.h"
#include "cmp/mac.h"

enum cmp_protection
auth_protection(const struct cmp_verified *verified)
{
	return verified->protection;
}

const struct desk_requester *
auth_requester(const struct cmp_verified *verified)
{
	return &verified->requester;
}

struct bytes
auth_signer_issuer(const struct cmp_verified *verified)
{
	return verified->signer_issuer;
}

struct bytes
auth_mac_secret(const struct cmp_verified *verified)
{
	return verified->secret.value;
}

const struct wire_alg *
auth_mac_alg(const struct cmp_verified *verified)
{
	return &verified->mac;
}

/*
 * The identity that opened the transaction is the only one that may go on. Who has become a registration
 * authority since, by configuration, goes on with the certificate that he began with.
 */
bool
auth_same_identity(struct cmp_work *work, const struct identity *identity)
{
	const struct identity *opener = &work->txn.identity;

	if (!work->has_txn || identity_equal(opener, identity)) {
		return true;
	}
	if ((opener->kind == IDENTITY_SECRET) != (identity->kind == IDENTITY_SECRET)) {
		return cmp_work_fault(work, "B3.9", FI_WRONG_INTEGRITY,
		    "the kind of protection is not the one that opened the transaction");
	}
	if (opener->kind == IDENTITY_CERTIFICATE &&
	    !memcmp(opener->certificate, identity->certificate, DIGEST_SIZE)) {
		return true;
	}
	return cmp_work_fault(work, "B3.11", FI_NOT_AUTHORIZED,
	    "another identity has opened the transaction");
}

/* What entries and audit say of him also names who brought the message. */
static int
add_carrier(struct cmp_work *work)
{
	struct cmp_verified *v = work->verified;

	if (!v || !work->ra) {
		return 0;
	}
	v->requester.carrier = work->ra;
	v->requester.words =
	    pool_printf(work->desk->pool, "%s nested_by=%s", v->requester.words, work->ra);
	return v->requester.words ? 0 : CMPD_ENOMEM;
}

int
auth_verify(struct cmp_work *work)
{
	const struct wire_message *in = &work->in;
	bool has_alg = in->header.protection_alg.der.data != NULL;
	struct bytes part;
	bool mac;
	int error;

	if (!in->protection.data || !has_alg) {
		cmp_work_fault(work, "B3.8", FI_BAD_MESSAGE_CHECK,
		    has_alg || in->protection.data
			? "protection and protectionAlg must both be there"
			: "the message is not protected");
		return 0;
	}
	mac = mac_is(&in->header.protection_alg);
	if (mac && !work->endpoint->conf->allow_mac) {
		cmp_work_fault(work, "B3.9", FI_WRONG_INTEGRITY,
		    "this endpoint wants signatures, not MACs");
		return 0;
	}
	if (mac && in->body_type == WIRE_KUR) {
		cmp_work_fault(work, "B3.9", FI_WRONG_INTEGRITY,
		    "a kur is signed with the certificate to be updated, not MACed");
	}
	part = wire_protected_part(work->desk->pool, in->header_raw, in->body_raw);
	if (!part.data) {
		return CMPD_ENOMEM;
	}
	error = mac ? auth_mac(work, part) : auth_signature(work, part);
	return error ? error : add_carrier(work);
}
