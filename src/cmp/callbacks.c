#include "cmp/callbacks.h"

/* Each callback sets its out-parameters first: OpenSSL leaves them as they were on the stack (F13). */

static struct engine_call *
call_of(OSSL_CMP_SRV_CTX *srv)
{
	return OSSL_CMP_SRV_CTX_get0_custom_ctx(srv);
}

/* Runs what the message is about, once; the answer's texts are the seal's, OpenSSL gets only the status. */
static bool
run_once(struct engine_call *call)
{
	if (!call->called) {
		call->called = true;
		call->error = call->run(call);
	}
	return call->error == 0;
}

static OSSL_CMP_PKISI *
status_new(enum desk_status status)
{
	switch (status) {
	case DESK_GRANTED:
		return OSSL_CMP_STATUSINFO_new(OSSL_CMP_PKISTATUS_accepted, 0, NULL);
	case DESK_GRANTED_WITH_MODS:
		return OSSL_CMP_STATUSINFO_new(OSSL_CMP_PKISTATUS_grantedWithMods, 0, NULL);
	case DESK_WAITING:
		return OSSL_CMP_STATUSINFO_new(OSSL_CMP_PKISTATUS_waiting, 0, NULL);
	case DESK_REJECTED:
		break;
	}
	return OSSL_CMP_STATUSINFO_new(OSSL_CMP_PKISTATUS_rejection, 0, NULL);
}

static OSSL_CMP_PKISI *
on_cert_request(OSSL_CMP_SRV_CTX *srv, const OSSL_CMP_MSG *req, int cert_req_id,
    const OSSL_CRMF_MSG *crm, const X509_REQ *p10cr, X509 **cert_out, STACK_OF(X509) * *chain_out,
    STACK_OF(X509) * *ca_pubs)
{
	struct engine_call *call = call_of(srv);

	*cert_out = NULL;
	*chain_out = NULL;
	*ca_pubs = NULL;
	(void)req;
	(void)cert_req_id;
	(void)crm;
	(void)p10cr;
	if (!call->primed) {
		return status_new(call->polls ? DESK_WAITING : DESK_REJECTED);
	}
	return run_once(call) ? status_new(call->outcome.status) : NULL;
}

static OSSL_CMP_PKISI *
on_rr(OSSL_CMP_SRV_CTX *srv, const OSSL_CMP_MSG *req, const X509_NAME *issuer,
    const ASN1_INTEGER *serial)
{
	struct engine_call *call = call_of(srv);

	(void)req;
	(void)issuer;
	(void)serial;
	return run_once(call) ? status_new(call->outcome.status) : NULL;
}

/* The InfoTypeAndValues of the answer are the seal's: OpenSSL gets an empty list. */
static int
on_genm(OSSL_CMP_SRV_CTX *srv, const OSSL_CMP_MSG *req, const STACK_OF(OSSL_CMP_ITAV) * in,
    STACK_OF(OSSL_CMP_ITAV) * *out)
{
	*out = NULL;
	(void)req;
	(void)in;
	if (!run_once(call_of(srv))) {
		return 0;
	}
	*out = sk_OSSL_CMP_ITAV_new_null();
	return *out != NULL;
}

static void
on_error(OSSL_CMP_SRV_CTX *srv, const OSSL_CMP_MSG *req, const OSSL_CMP_PKISI *status,
    const ASN1_INTEGER *code, const OSSL_CMP_PKIFREETEXT *details)
{
	(void)req;
	(void)status;
	(void)code;
	(void)details;
	(void)run_once(call_of(srv));
}

static int
on_cert_conf(OSSL_CMP_SRV_CTX *srv, const OSSL_CMP_MSG *req, int cert_req_id,
    const ASN1_OCTET_STRING *cert_hash, const OSSL_CMP_PKISI *status)
{
	(void)req;
	(void)cert_req_id;
	(void)cert_hash;
	(void)status;
	return run_once(call_of(srv));
}

static int
on_poll_req(OSSL_CMP_SRV_CTX *srv, const OSSL_CMP_MSG *req, int cert_req_id,
    OSSL_CMP_MSG **cert_req, int64_t *check_after)
{
	struct engine_call *call = call_of(srv);

	*cert_req = NULL;
	*check_after = 0;
	(void)req;
	(void)cert_req_id;
	if (!run_once(call)) {
		return 0;
	}
	if (call->outcome.status == DESK_WAITING) {
		*check_after = call->outcome.check_after / 1000;
		return 1;
	}
	/* Decided: OpenSSL asks on_cert_request again with this request, which tells the same outcome. */
	*cert_req = engine_primer(call);
	return *cert_req != NULL;
}

bool
callbacks_init(OSSL_CMP_SRV_CTX *srv, struct engine_call *call)
{
	return OSSL_CMP_SRV_CTX_init(srv, call, on_cert_request, on_rr, on_genm, on_error,
		   on_cert_conf, on_poll_req) == 1;
}
