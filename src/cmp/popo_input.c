#include <openssl/asn1.h>

#include "cmp/auth.h"
#include "cmp/mac.h"
#include "cmp/popo.h"
#include "model/der.h"
#include "model/name.h"

static int
does_not_decode(struct diag *why)
{
	return diag_set(why, CMPD_EPOP, "poposkInput does not decode");
}

/* [0] GeneralName: who is known by a signature. An RA has seen for itself whose request it brings. */
static int
check_sender(struct cmp_work *work, struct bytes sender, struct diag *why)
{
	const struct desk_requester *requester = auth_requester(work->verified);
	struct bytes name = wire_directory_name(sender);

	if (requester->ra) {
		return 0;
	}
	if (!requester->signer_subject.data) {
		return diag_set(why, CMPD_EPOP,
		    "poposkInput of a MACed request has a publicKeyMAC, no sender");
	}
	if (name.data && name_equal(name, requester->signer_subject)) {
		return 0;
	}
	return diag_set(why, CMPD_EPOP, "sender in poposkInput is not who signed the message");
}

/* AlgorithmIdentifier and BIT STRING. */
static int
decode_mac(struct bytes in, struct wire_alg *ret_alg, struct bytes *ret_value)
{
	struct bytes fields;
	struct der alg, parameters;

	if (der_take_element(&in, DER_SEQUENCE, &alg) < 0 ||
	    der_only(in, DER_BIT_STRING, ret_value) < 0 || ret_value->len < 2 ||
	    ret_value->data[0] != 0) {
		return CMPD_EFORMAT;
	}
	ret_value->data++;
	ret_value->len--;
	fields = alg.value;
	if (der_take(&fields, DER_OID, &ret_alg->oid) < 0 || der_next(&fields, &parameters) < 0 ||
	    fields.len > 0) {
		return CMPD_EFORMAT;
	}
	ret_alg->der = alg.whole;
	ret_alg->parameters = parameters.whole;
	return 0;
}

/* PKMACValue under the secret of the message, over the public key. */
static int
check_mac(struct cmp_work *work, struct bytes in, struct bytes spki, struct diag *why)
{
	struct pool *pool = work->desk->pool;
	struct wire_alg alg;
	struct bytes value, mac;
	int64_t iterations;
	int error;

	if (auth_protection(work->verified) != CMP_PROTECTION_MAC) {
		return diag_set(why, CMPD_EPOP,
		    "poposkInput of a signed request has a sender, no publicKeyMAC");
	}
	if (decode_mac(in, &alg, &value)) {
		return does_not_decode(why);
	}
	if (!mac_is(&alg)) {
		return diag_set(why, CMPD_EALGORITHM, "publicKeyMAC is of an unknown kind");
	}
	error = mac_check(work->endpoint->conf, pool, &alg, &iterations, why);
	if (!error) {
		error = mac_compute(work->door, pool, &alg, auth_mac_secret(work->verified), spki,
		    &mac);
	}
	if (error) {
		return error;
	}
	return bytes_equal_secret(mac, value)
		   ? 0
		   : diag_set(why, CMPD_EPOP, "publicKeyMAC in poposkInput does not verify");
}

int
popo_input_check(struct cmp_work *work, const struct wire_cert_req *request, struct diag *why)
{
	struct bytes in;
	struct der who, key;
	int error;

	if (request->template.subject.data) {
		return diag_set(why, CMPD_EPOP,
		    "poposkInput has no place beside subject and publicKey: sign the CertRequest");
	}
	if (der_only(request->popo_input, DER_SEQUENCE, &in) < 0 || der_next(&in, &who) < 0 ||
	    der_take_element(&in, DER_SEQUENCE, &key) < 0 || in.len > 0) {
		return does_not_decode(why);
	}
	if (!bytes_equal(key.whole, request->template.spki)) {
		return diag_set(why, CMPD_EPOP,
		    "publicKey in poposkInput is not that of the template");
	}
	if (who.tag == DER_CONSTRUCTED(0)) {
		error = check_sender(work, who.value, why);
	} else if (who.tag == DER_SEQUENCE) {
		error = check_mac(work, who.value, key.whole, why);
	} else {
		error = does_not_decode(why);
	}
	return error;
}
