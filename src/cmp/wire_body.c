#include "base/pool.h"
#include "cmp/wire_asn1.h"

/* ---- bodies of requests ---- */

static int
cert_status_decode(struct pool *pool, struct bytes in, void *out, struct diag *diag)
{
	struct wire_take take = {.pool = pool, .diag = diag};
	struct wire_cert_conf *ret = out;
	struct asn1_cert_status *asn1;
	int error;

	error = wire_asn1_decode(ASN1_ITEM_rptr(wire_cert_status_asn1), in, "a CertStatus", &asn1,
	    diag);
	if (error != 0) {
		return error;
	}
	ret->cert_hash = wire_take_string(&take, asn1->cert_hash);
	ret->cert_req_id = wire_take_id(&take, asn1->cert_req_id);
	ret->has_status = asn1->status != NULL;
	ret->status.fail_info = -1;
	if (ret->has_status) {
		wire_take_status(&take, asn1->status, &ret->status);
	}
	wire_take_alg(&take, asn1->hash_alg, &ret->hash_alg);
	ASN1_item_free((ASN1_VALUE *)asn1, ASN1_ITEM_rptr(wire_cert_status_asn1));
	return take.error;
}

int
wire_cert_confs_decode(struct pool *pool, struct bytes in, size_t max, struct wire_cert_conf **ret,
    size_t *ret_n, struct diag *diag)
{
	return wire_list_decode(pool, in, max, sizeof(**ret), cert_status_decode,
	    "CertConfirmContent", ret, ret_n, diag);
}

static int
poll_req_decode(struct pool *pool, struct bytes in, void *ret, struct diag *diag)
{
	struct wire_take take = {.pool = pool, .diag = diag};
	struct asn1_poll_req *asn1;
	int error;

	error = wire_asn1_decode(ASN1_ITEM_rptr(wire_poll_req_asn1), in, "a pollReq entry", &asn1,
	    diag);
	if (error != 0) {
		return error;
	}
	*(int64_t *)ret = wire_take_id(&take, asn1->cert_req_id);
	ASN1_item_free((ASN1_VALUE *)asn1, ASN1_ITEM_rptr(wire_poll_req_asn1));
	return take.error;
}

int
wire_poll_reqs_decode(struct pool *pool, struct bytes in, size_t max, int64_t **ret, size_t *ret_n,
    struct diag *diag)
{
	return wire_list_decode(pool, in, max, sizeof(**ret), poll_req_decode, "PollReqContent",
	    ret, ret_n, diag);
}

int
wire_error_decode(struct pool *pool, struct bytes in, struct wire_status_info *ret,
    struct diag *diag)
{
	struct wire_take take = {.pool = pool, .diag = diag};
	struct wire_status_info status = {0};
	struct asn1_error *asn1;
	const char *details;
	int error;

	error = wire_asn1_decode(ASN1_ITEM_rptr(wire_error_asn1), in, "the ErrorMsgContent", &asn1,
	    diag);
	if (error != 0) {
		return error;
	}
	wire_take_status(&take, asn1->status, &status);
	details = wire_take_free_text(&take, asn1->details);
	if (status.text == NULL) {
		status.text = details;
	}
	ASN1_item_free((ASN1_VALUE *)asn1, ASN1_ITEM_rptr(wire_error_asn1));
	if (take.error == 0) {
		*ret = status;
	}
	return take.error;
}

/* ---- bodies of answers ---- */

/* privateKey [0] -> EncryptedKey -> envelopedData [0]. */
static void
take_private_key(struct wire_take *take, struct bytes rest, struct bytes *ret)
{
	struct wire_der_build build = {.pool = take->pool};
	struct bytes content;
	struct der choice;

	if (!der_peek(rest, DER_CONSTRUCTED(0))) {
		return;
	}
	if (der_take(&rest, DER_CONSTRUCTED(0), &content) != 0 ||
	    der_next(&content, &choice) != 0 || content.len != 0) {
		wire_take_fault(take, "a privateKey does not decode");
		return;
	}
	if (choice.tag == DER_CONSTRUCTED(0)) {
		*ret = wire_der_retag(&build, DER_SEQUENCE, choice.whole);
		take->error = ret->data || take->error ? take->error : CMPD_ENOMEM;
	}
}

/* CertifiedKeyPair -> certOrEncCert -> certificate [0], explicit as in all of CMP. */
static void
take_key_pair(struct wire_take *take, struct bytes in, struct wire_cert_response *ret)
{
	struct der choice, certificate;
	struct bytes content;

	if (der_only(in, DER_SEQUENCE, &content) != 0 || der_next(&content, &choice) != 0) {
		wire_take_fault(take, "a CertifiedKeyPair does not decode");
		return;
	}
	take_private_key(take, content, &ret->private_key);
	if (choice.tag != DER_CONSTRUCTED(0)) {
		return;
	}
	content = choice.value;
	if (der_take_element(&content, DER_SEQUENCE, &certificate) != 0 || content.len != 0) {
		wire_take_fault(take, "a CertifiedKeyPair does not decode");
		return;
	}
	ret->certificate = certificate.whole;
}

static int
cert_response_decode(struct pool *pool, struct bytes in, void *out, struct diag *diag)
{
	struct wire_take take = {.pool = pool, .diag = diag};
	struct wire_cert_response *ret = out;
	struct asn1_cert_response *asn1;
	struct bytes key_pair;
	int error;

	error = wire_asn1_decode(ASN1_ITEM_rptr(wire_cert_response_asn1), in, "a CertResponse",
	    &asn1, diag);
	if (error != 0) {
		return error;
	}
	ret->cert_req_id = wire_take_id(&take, asn1->cert_req_id);
	wire_take_status(&take, asn1->status, &ret->status);
	key_pair = wire_take_string(&take, asn1->key_pair);
	if (key_pair.data != NULL) {
		take_key_pair(&take, key_pair, ret);
	}
	ASN1_item_free((ASN1_VALUE *)asn1, ASN1_ITEM_rptr(wire_cert_response_asn1));
	return take.error;
}

int
wire_cert_rep_decode(struct pool *pool, struct bytes in, size_t max,
    struct wire_cert_response **ret, size_t *ret_n, struct diag *diag)
{
	struct wire_take take = {.pool = pool, .diag = diag};
	struct asn1_cert_rep *asn1;
	struct bytes responses;
	int error;

	error = wire_asn1_decode(ASN1_ITEM_rptr(wire_cert_rep_asn1), in, "the CertRepMessage",
	    &asn1, diag);
	if (error != 0) {
		return error;
	}
	responses = wire_take_string(&take, asn1->responses);
	ASN1_item_free((ASN1_VALUE *)asn1, ASN1_ITEM_rptr(wire_cert_rep_asn1));
	return take.error != 0 ? take.error
			       : wire_list_decode(pool, responses, max, sizeof(**ret),
				     cert_response_decode, "CertRepMessage", ret, ret_n, diag);
}

/* reason stands untagged [5.3.22]; its first proposal had a [0] around it, which is taken too. */
static int
poll_rep_decode(struct pool *pool, struct bytes in, void *out, struct diag *diag)
{
	struct wire_take take = {.pool = pool, .diag = diag};
	struct wire_poll_rep *ret = out;
	struct asn1_poll_rep *asn1;
	int error;

	error = wire_asn1_decode(ASN1_ITEM_rptr(wire_poll_rep_asn1), in, "a pollRep entry", &asn1,
	    diag);
	if (error != 0) {
		return error;
	}
	ret->cert_req_id = wire_take_id(&take, asn1->cert_req_id);
	ret->check_after = wire_take_int(asn1->check_after);
	ret->reason =
	    wire_take_free_text(&take, asn1->reason != NULL ? asn1->reason : asn1->tagged_reason);
	ASN1_item_free((ASN1_VALUE *)asn1, ASN1_ITEM_rptr(wire_poll_rep_asn1));
	return take.error;
}

int
wire_poll_rep_decode(struct pool *pool, struct bytes in, size_t max, struct wire_poll_rep **ret,
    size_t *ret_n, struct diag *diag)
{
	return wire_list_decode(pool, in, max, sizeof(**ret), poll_rep_decode, "PollRepContent",
	    ret, ret_n, diag);
}
