#include "cmp/popo.h"
#include "cmp/auth.h"
#include "cmp/verify.h"

/* RFC 9810 5.2.8.1. The new key of a kur proves itself also when an RA asks for it: the RA forwards the device's signature. */
static int
check_ra_verified(struct cmp_work *work, struct diag *why)
{
	int error = desk_may(work->desk, auth_requester(work->verified), work->endpoint->conf,
	    DESK_DEED_RA_VERIFIED, NULL, why);

	if (!error && work->in.body_type == WIRE_KUR) {
		return diag_set(why, CMPD_EPOP, "raVerified has no place in a kur");
	}
	return error;
}

int
popo_check(struct cmp_work *work, const struct wire_cert_req *request, struct diag *why)
{
	int error = 0;

	switch (request->popo) {
	case WIRE_POPO_SIGNATURE:
		break;
	case WIRE_POPO_RA_VERIFIED:
		error = check_ra_verified(work, why);
		break;
	case WIRE_POPO_NONE:
		return diag_set(why, CMPD_EPOP, "the proof of possession is missing");
	default:
		return diag_set(why, CMPD_EPOP,
		    "this kind of proof of possession is not served: sign the request");
	}
	if (error) {
		return error;
	}
	if (!request->template.spki.data) {
		return diag_set(why, CMPD_ETEMPLATE, "the template has no public key");
	}
	if (request->popo == WIRE_POPO_RA_VERIFIED) {
		return 0;
	}
	error = algorithm_check(request->popo_alg.der, work->endpoint->popo, why);
	return error || !request->popo_input.data ? error : popo_input_check(work, request, why);
}

/* Nothing shows that somebody has the key; that it is one is seen all the same. */
static int
decode_key(struct cmp_work *work, struct bytes spki)
{
	EVP_PKEY *key = NULL;
	int error = key_maker_make(&work->door->keys, spki, &key);

	EVP_PKEY_free(key);
	return error;
}

int
popo_verify(struct cmp_work *work, const struct wire_cert_req *request, struct diag *why)
{
	int error =
	    request->popo == WIRE_POPO_RA_VERIFIED
		? decode_key(work, request->template.spki)
		: verify_signed_by_spki(&work->door->keys,
		      request->popo_input.data ? request->popo_input : request->request_raw,
		      request->popo_alg.der, request->popo_signature, request->template.spki);

	if (error == CMPD_EALGORITHM) {
		return diag_set(why, error, "the public key cannot be decoded");
	}
	if (error == CMPD_EAUTH) {
		return diag_set(why, CMPD_EPOP,
		    "the signature of the proof of possession does not verify");
	}
	return error;
}
