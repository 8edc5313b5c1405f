#include "cmp/popo.h"
#include "cmp/verify.h"

int
popo_check(const struct wire_cert_req *request, struct algorithm_set allowed, struct diag *why)
{
	switch (request->popo) {
	case WIRE_POPO_SIGNATURE:
		break;
	case WIRE_POPO_RA_VERIFIED:
		return diag_set(why, CMPD_EACCES,
		    "raVerified is for registration authorities only");
	case WIRE_POPO_NONE:
		return diag_set(why, CMPD_EPOP, "the proof of possession is missing");
	default:
		return diag_set(why, CMPD_EPOP,
		    "this kind of proof of possession is not served: sign the request");
	}
	if (!request->template.spki.data) {
		return diag_set(why, CMPD_ETEMPLATE, "the template has no public key");
	}
	if (request->popo_input.data) {
		/* Its sender or publicKeyMAC would have to be compared as well (F9); no client needs it: the template
		 * without a subject may be signed as it is. */
		return diag_set(why, CMPD_EPOP, "poposkInput is not served: sign the CertRequest");
	}
	return algorithm_check(request->popo_alg.der, allowed, why);
}

int
popo_verify(struct cmp_work *work, const struct wire_cert_req *request, struct diag *why)
{
	int error = verify_signed_by_spki(&work->door->keys, request->request_raw,
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
