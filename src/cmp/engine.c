#include <openssl/cmp.h>
#include <openssl/err.h>
#include <string.h>

#include "cmp/callbacks.h"
#include "cmp/engine.h"
#include "cmp/wire_der.h"

/* Any transactionID and nonce would do inside: the gate has compared the real ones. */
static const uint8_t inner_id[16] = "cmpd inner trans";
static const uint8_t inner_nonce[16] = "cmpd inner nonce";

/* GeneralName directoryName of the empty Name. */
static const uint8_t null_name[] = {0xa4, 0x02, 0x30, 0x00};

/* ir body with one request: certReqId 0, a template with nothing but a key of an algorithm that does not exist (cheap
 * to decode; from OpenSSL 3.5 on a missing or empty one would ask for central key generation), POPO raVerified. */
static const uint8_t primer_body[] = {0xa0, 0x18, 0x30, 0x16, 0x30, 0x14, 0x30, 0x10, 0x02, 0x01,
    0x00, 0x30, 0x0b, 0xa6, 0x09, 0x30, 0x03, 0x06, 0x01, 0x2a, 0x03, 0x02, 0x00, 0x00, 0x80, 0x00};

/* pollReq body for certReqId 0. */
static const uint8_t poll_body[] = {0xb9, 0x07, 0x30, 0x05, 0x30, 0x03, 0x02, 0x01, 0x00};

/* CMPD_EFORMAT: a body that our decoder takes and OpenSSL's does not. */
static int
inner_message(struct cmp_work *work, struct bytes body, bool later, OSSL_CMP_MSG **ret)
{
	struct pool *pool = work->desk->pool;
	struct wire_header header = {
	    .pvno = 2,
	    .sender = bytes_of(null_name, sizeof(null_name)),
	    .recipient = bytes_of(null_name, sizeof(null_name)),
	    .transaction_id = bytes_of(inner_id, sizeof(inner_id)),
	    .sender_nonce = bytes_of(inner_nonce, sizeof(inner_nonce)),
	};
	struct bytes head, der;
	const unsigned char *p;

	if (later) {
		header.recip_nonce = header.sender_nonce;
	}
	head = wire_header_encode(pool, &header);
	der = head.data && body.data ? wire_message_build(pool, head, body, BYTES_NONE, NULL, 0)
				     : BYTES_NONE;
	if (!der.data) {
		return CMPD_ENOMEM;
	}
	p = der.data;
	*ret = d2i_OSSL_CMP_MSG(NULL, &p, (long)der.len);
	return *ret ? 0 : CMPD_EFORMAT;
}

OSSL_CMP_MSG *
engine_primer(struct engine_call *call)
{
	OSSL_CMP_MSG *primer = NULL;

	return inner_message(call->work, bytes_of(primer_body, sizeof(primer_body)), false, &primer)
		   ? NULL
		   : primer;
}

static OSSL_CMP_SRV_CTX *
context_new(struct engine_call *call)
{
	OSSL_CMP_SRV_CTX *srv = OSSL_CMP_SRV_CTX_new(call->work->door->libctx, NULL);
	OSSL_CMP_CTX *ctx = srv ? OSSL_CMP_SRV_CTX_get0_cmp_ctx(srv) : NULL;

	if (!ctx || !callbacks_init(srv, call) ||
	    !OSSL_CMP_SRV_CTX_set_accept_unprotected(srv, 1) ||
	    !OSSL_CMP_CTX_set_option(ctx, OSSL_CMP_OPT_UNPROTECTED_SEND, 1) ||
	    /* Its answers must name a sender, even though nobody gets to see them. */
	    !OSSL_CMP_CTX_set1_referenceValue(ctx, inner_id, sizeof(inner_id)) ||
	    !OSSL_CMP_CTX_set_log_verbosity(ctx, OSSL_CMP_LOG_CRIT)) {
		OSSL_CMP_SRV_CTX_free(srv);
		return NULL;
	}
	return srv;
}

/* Runs a message and gives back the type of the answer's body and, of ip/cp/kup, its PKIStatus. */
static int
process(struct engine_call *call, OSSL_CMP_SRV_CTX *srv, const OSSL_CMP_MSG *message, int *ret_body,
    int64_t *ret_status)
{
	struct pool *pool = call->work->desk->pool;
	OSSL_CMP_MSG *answer = NULL;
	unsigned char *der = NULL;
	struct wire_message decoded;
	struct wire_cert_response *responses = NULL;
	size_t n = 0;
	int len, error = CMPD_ECRYPTO;

	answer = OSSL_CMP_SRV_process_request(srv, message);
	if (!answer) {
		goto out;
	}
	*ret_body = OSSL_CMP_MSG_get_bodytype(answer);
	*ret_status = -1;
	error = 0;
	if (*ret_body != WIRE_IP && *ret_body != WIRE_CP && *ret_body != WIRE_KUP) {
		goto out;
	}
	len = i2d_OSSL_CMP_MSG(answer, &der);
	if (len <= 0) {
		error = CMPD_ENOMEM;
		goto out;
	}
	error = wire_message_decode(pool, bytes_of(der, (size_t)len), 0, &decoded, NULL);
	if (!error) {
		error = wire_cert_rep_decode(pool, decoded.body, 1, &responses, &n, NULL);
	}
	if (!error && n == 1) {
		*ret_status = responses[0].status.status;
	} else if (!error) {
		error = CMPD_ECRYPTO;
	}
out:
	OPENSSL_free(der);
	OSSL_CMP_MSG_free(answer);
	ERR_clear_error();
	return error;
}

/* The door's own primer: contexts only read it, and its key costs more to decode than everything else of the priming. */
static const OSSL_CMP_MSG *
primer_get0(struct engine_call *call)
{
	struct cmp_door *door = call->work->door;

	if (!door->primer) {
		door->primer = engine_primer(call);
	}
	return door->primer;
}

/* Brings a fresh context to where a certConf (rejection) or a pollReq (waiting) is expected. */
static OSSL_CMP_SRV_CTX *
context_primed(struct engine_call *call)
{
	OSSL_CMP_SRV_CTX *srv = context_new(call);
	OSSL_CMP_CTX *ctx = srv ? OSSL_CMP_SRV_CTX_get0_cmp_ctx(srv) : NULL;
	const OSSL_CMP_MSG *primer = primer_get0(call);
	OSSL_CMP_MSG *answer = NULL;
	ASN1_OCTET_STRING *id = ASN1_OCTET_STRING_new(), *nonce = ASN1_OCTET_STRING_new();
	bool done = false;

	if (!ctx || !primer || !id || !nonce || !OSSL_CMP_SRV_CTX_set_accept_raverified(srv, 1)) {
		goto out;
	}
	call->primed = false;
	answer = OSSL_CMP_SRV_process_request(srv, primer);
	ERR_clear_error();
	done = answer && OSSL_CMP_SRV_CTX_set_accept_raverified(srv, 0) &&
	       OSSL_CMP_CTX_set_option(ctx, OSSL_CMP_OPT_IMPLICIT_CONFIRM, 0) &&
	       ASN1_OCTET_STRING_set(id, inner_id, sizeof(inner_id)) &&
	       ASN1_OCTET_STRING_set(nonce, inner_nonce, sizeof(inner_nonce)) &&
	       OSSL_CMP_CTX_set1_transactionID(ctx, id) &&
	       OSSL_CMP_CTX_set1_senderNonce(ctx, nonce);
	call->primed = true;
out:
	ASN1_OCTET_STRING_free(id);
	ASN1_OCTET_STRING_free(nonce);
	OSSL_CMP_MSG_free(answer);
	ERR_clear_error();
	if (done) {
		return srv;
	}
	OSSL_CMP_SRV_CTX_free(srv);
	return NULL;
}

/* The PKIStatus that OpenSSL must have put into its answer for what the desk said. */
static int64_t
status_of(const struct desk_outcome *outcome)
{
	switch (outcome->status) {
	case DESK_GRANTED:
		return WIRE_ACCEPTED;
	case DESK_GRANTED_WITH_MODS:
		return WIRE_GRANTED_WITH_MODS;
	case DESK_WAITING:
		return WIRE_WAITING;
	case DESK_REJECTED:
		break;
	}
	return WIRE_REJECTION;
}

/* A p10cr is what it is: OpenSSL verifies its signature. */
static int
p10cr_message(struct cmp_work *work, OSSL_CMP_MSG **ret)
{
	struct wire_der_build build = {.pool = work->desk->pool};
	struct bytes body = wire_der_put1(&build, DER_CONSTRUCTED(WIRE_P10CR), work->p10.raw);
	int error = inner_message(work, body, false, ret);

	/* A key or name that makes no sense. */
	return error == CMPD_EFORMAT ? CMPD_ETEMPLATE : error;
}

int
engine_cert_request(struct engine_call *call)
{
	bool p10 = call->work->in.body_type == WIRE_P10CR;
	const OSSL_CMP_MSG *message = p10 ? NULL : primer_get0(call);
	OSSL_CMP_SRV_CTX *srv = context_new(call);
	OSSL_CMP_MSG *own = NULL;
	int body_type, error = CMPD_ENOMEM;
	int64_t status;

	call->primed = true;
	ERR_clear_error();
	if (!srv || !OSSL_CMP_SRV_CTX_set_accept_raverified(srv, !p10)) {
		goto out;
	}
	if (p10) {
		error = p10cr_message(call->work, &own);
		message = own;
		if (error) {
			goto out;
		}
	}
	if (!message) {
		goto out;
	}
	error = process(call, srv, message, &body_type, &status);
	if (!error && call->called) {
		error = call->error;
	} else if (!error) {
		error = body_type == WIRE_ERROR ? CMPD_ETEMPLATE : CMPD_EPOP;
	}
	if (!error && status != status_of(&call->outcome)) {
		error = CMPD_ECRYPTO;
	}
out:
	OSSL_CMP_MSG_free(own);
	OSSL_CMP_SRV_CTX_free(srv);
	ERR_clear_error();
	return error;
}

int
engine_poll(struct engine_call *call)
{
	OSSL_CMP_SRV_CTX *srv = NULL;
	OSSL_CMP_MSG *message = NULL;
	int body_type, error = CMPD_ENOMEM;
	int64_t status;

	call->polls = true;
	srv = context_primed(call);
	if (!srv || !OSSL_CMP_SRV_CTX_set_accept_raverified(srv, 1)) {
		goto out;
	}
	error = inner_message(call->work, bytes_of(poll_body, sizeof(poll_body)), true, &message);
	if (error) {
		goto out;
	}
	error = process(call, srv, message, &body_type, &status);
	if (!error) {
		error = call->called ? call->error : CMPD_ECRYPTO;
	}
	if (!error &&
	    body_type != (call->outcome.status == DESK_WAITING ? WIRE_POLLREP : WIRE_IP)) {
		error = CMPD_ECRYPTO;
	}
	if (!error && body_type == WIRE_IP && status != status_of(&call->outcome)) {
		error = CMPD_ECRYPTO;
	}
out:
	OSSL_CMP_MSG_free(message);
	OSSL_CMP_SRV_CTX_free(srv);
	ERR_clear_error();
	return error;
}

/* What is not a request for a certificate: the callback has run, and the answer is the one that is due. Frees srv. */
static int
run_inner(struct engine_call *call, OSSL_CMP_SRV_CTX *srv, struct bytes body, bool later,
    bool has_callback, int due)
{
	OSSL_CMP_MSG *message = NULL;
	int body_type, error = CMPD_ENOMEM;
	int64_t status;

	if (srv) {
		error = inner_message(call->work, body, later, &message);
	}
	if (!error) {
		error = process(call, srv, message, &body_type, &status);
	}
	if (!error && !has_callback) {
		call->called = true;
		call->error = call->run(call);
	}
	if (!error) {
		error = call->called ? call->error : CMPD_ECRYPTO;
	}
	if (!error && body_type != due) {
		error = CMPD_ECRYPTO;
	}
	OSSL_CMP_MSG_free(message);
	OSSL_CMP_SRV_CTX_free(srv);
	ERR_clear_error();
	return error;
}

/* certConf body with one CertStatus for certReqId 0, or none. A rejection carries its status alone. */
static struct bytes
cert_conf_body(struct pool *pool, const struct wire_cert_conf *confirm)
{
	static const uint8_t id_zero[] = {0x02, 0x01, 0x00};
	static const uint8_t rejection[] = {0x30, 0x03, 0x02, 0x01, 0x02};
	struct wire_der_build build = {.pool = pool};
	struct bytes parts[3] = {BYTES_NONE}, status = BYTES_NONE;

	if (confirm) {
		parts[0] = wire_der_put1(&build, DER_OCTET_STRING, confirm->cert_hash);
		parts[1] = bytes_of(id_zero, sizeof(id_zero));
		if (confirm->has_status && confirm->status.status == WIRE_REJECTION) {
			parts[2] = bytes_of(rejection, sizeof(rejection));
		}
		status = wire_der_put(&build, DER_SEQUENCE, parts, 3);
	}
	return wire_der_put1(&build, DER_CONSTRUCTED(WIRE_CERTCONF),
	    wire_der_put(&build, DER_SEQUENCE, &status, 1));
}

int
engine_cert_conf(struct engine_call *call, const struct wire_cert_conf *confirm)
{
	/* No callback runs for an empty certConf. */
	return run_inner(call, context_primed(call),
	    cert_conf_body(call->work->desk->pool, confirm), true, confirm != NULL, WIRE_PKICONF);
}

int
engine_error(struct engine_call *call)
{
	call->primed = true;
	return run_inner(call, context_new(call), call->work->in.body_raw, false, true,
	    WIRE_PKICONF);
}

/* rr body with what names the certificate; the rest of the RevDetails is judged outside. */
static struct bytes
rr_body(struct pool *pool, const struct wire_rev_req *request)
{
	struct wire_der_build build = {.pool = pool};
	struct bytes parts[] = {wire_der_put1(&build, DER_PRIMITIVE(1), request->serial),
	    wire_der_put1(&build, DER_CONSTRUCTED(3), request->issuer)};
	struct bytes details =
	    wire_der_put1(&build, DER_SEQUENCE, wire_der_put(&build, DER_SEQUENCE, parts, 2));

	return wire_der_put1(&build, DER_CONSTRUCTED(WIRE_RR),
	    wire_der_put1(&build, DER_SEQUENCE, details));
}

int
engine_rr(struct engine_call *call, const struct wire_rev_req *request)
{
	call->primed = true;
	return run_inner(call, context_new(call), rr_body(call->work->desk->pool, request), false,
	    true, WIRE_RP);
}

int
engine_genm(struct engine_call *call)
{
	static const uint8_t genm_body[] = {0xb5, 0x02, 0x30, 0x00};

	call->primed = true;
	return run_inner(call, context_new(call), bytes_of(genm_body, sizeof(genm_body)), false,
	    true, WIRE_GENP);
}
