#include <string.h>

#include "cmp/auth.h"
#include "cmp/delayed.h"
#include "cmp/engine.h"
#include "cmp/revoke.h"
#include "cmp/seal.h"
#include "cmp/serve.h"
#include "model/der.h"
#include "model/name.h"

/* RevDetails in one message, whatever the configuration says. */
#define REVOCATIONS_MAX 16

static const uint8_t oid_crl_reason[] = {0x55, 0x1d, 0x15};
static const uint8_t oid_invalidity_date[] = {0x55, 0x1d, 0x18};

struct revoking {
	const struct wire_rev_req *request;
	struct wire_status_info status;
	struct diag why;
};

static int
reason_value(struct bytes octets, int *ret, struct diag *why)
{
	struct bytes value;

	if (der_only(octets, DER_ENUMERATED, &value) < 0 || value.len != 1 ||
	    crl_reason_name(value.data[0]) == NULL) {
		return diag_set(why, CMPD_EFORMAT, "reasonCode is no CRLReason");
	}
	*ret = value.data[0];
	return 0;
}

/* One Extension of crlEntryDetails. Beside the reason only invalidityDate may come; it is not kept. */
static int
reason_extension(struct bytes extension, int *ret, struct diag *why)
{
	struct bytes oid, flag, octets;
	bool critical;

	if (der_take(&extension, DER_OID, &oid) < 0) {
		return diag_set(why, CMPD_EFORMAT, "crlEntryDetails do not decode");
	}
	critical = der_peek(extension, DER_BOOLEAN);
	if ((critical && der_take(&extension, DER_BOOLEAN, &flag) < 0) ||
	    der_take(&extension, DER_OCTET_STRING, &octets) < 0 || extension.len > 0) {
		return diag_set(why, CMPD_EFORMAT, "crlEntryDetails do not decode");
	}
	if (!bytes_equal(oid, bytes_of(oid_crl_reason, sizeof(oid_crl_reason)))) {
		return !critical || bytes_equal(oid,
					bytes_of(oid_invalidity_date, sizeof(oid_invalidity_date)))
			   ? 0
			   : diag_set(why, CMPD_EINVAL,
				 "crlEntryDetails hold an unknown critical extension");
	}
	if (*ret != REASON_NONE) {
		return diag_set(why, CMPD_EINVAL, "more than one reasonCode");
	}
	return reason_value(octets, ret, why);
}

/* RFC 9810 5.3.9; none is taken as unspecified. */
static int
reason_of(const struct wire_rev_req *request, int *ret, struct diag *why)
{
	struct bytes list, extension;

	*ret = REASON_NONE;
	if (!request->crl_entry_details.data) {
		return 0;
	}
	if (der_only(request->crl_entry_details, DER_SEQUENCE, &list) < 0) {
		return diag_set(why, CMPD_EFORMAT, "crlEntryDetails do not decode");
	}
	while (list.len > 0) {
		int error = CMPD_EFORMAT;

		if (der_take(&list, DER_SEQUENCE, &extension) < 0) {
			return diag_set(why, error, "crlEntryDetails do not decode");
		}
		error = reason_extension(extension, ret, why);
		if (error) {
			return error;
		}
	}
	return 0;
}

static void
log_revoked(struct cmp_work *work, const struct cert *cert)
{
	static const char *const events[] = {[CERT_VALID] = "cmp.revived",
	    [CERT_REVOKED] = "cmp.revoked",
	    [CERT_HELD] = "cmp.suspended"};
	struct log_line *line = cmp_work_log(work, LOG_LEVEL_INFO, events[cert->status]);

	if (line) {
		log_hex(line, "serial", cert->serial);
		log_str(line, "subject", cert->subject);
		log_int(line, "reason", cert->reason);
		log_str(line, "requester", auth_requester(work->verified)->words);
		log_str(line, "peer", work->request->peer);
	}
}

static int
run_revoke(struct engine_call *call)
{
	struct revoking *r = call->arg;
	struct desk_revocation revocation = {.issuer = r->request->issuer,
	    .serial = r->request->serial,
	    .named = r->request->template};
	const struct conf_endpoint *conf = call->work->endpoint->conf;
	struct cert cert;
	int error = reason_of(r->request, &revocation.reason, &r->why);

	if (!error) {
		error = desk_revocation(call->work->desk, auth_requester(call->verified), conf,
		    &revocation, &cert, &r->why);
	}
	if (!error) {
		log_revoked(call->work, &cert);
		r->status =
		    (struct wire_status_info){.status = WIRE_ACCEPTED, .fail_info = FI_NONE};
		call->outcome.status = DESK_GRANTED;
		return 0;
	}
	if (!desk_is_fault(error)) {
		return error;
	}
	call->outcome.status = DESK_REJECTED;
	r->status = (struct wire_status_info){.status = WIRE_REJECTION,
	    .fail_info = failinfo_of_error(error),
	    .text = pool_strdup(call->work->desk->pool, r->why.text)};
	if (error == CMPD_EREVOKED && conf->rr_again_warning) {
		r->status.status = WIRE_REVOCATION_WARNING;
		r->status.fail_info = FI_NONE;
	}
	return r->status.text ? 0 : CMPD_ENOMEM;
}

/* Both would be judged by what is stored, and one of the answers would not be true. */
static bool
is_named_before(const struct wire_rev_req *requests, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		if (bytes_equal(requests[k].serial, requests[i].serial) &&
		    name_equal(requests[k].issuer, requests[i].issuer)) {
			return true;
		}
	}
	return false;
}

static int
revoke_one(struct cmp_work *work, const struct wire_rev_req *request, const char *fault,
    struct wire_status_info *ret)
{
	struct revoking r = {.request = request};
	struct engine_call call = {
	    .work = work, .verified = work->verified, .run = run_revoke, .arg = &r};
	int error;

	if (fault) {
		*ret = (struct wire_status_info){
		    .status = WIRE_REJECTION, .fail_info = FI_BAD_REQUEST, .text = fault};
		return 0;
	}
	error = engine_rr(&call, request);
	if (error == CMPD_EFORMAT && !call.called) {
		*ret = (struct wire_status_info){.status = WIRE_REJECTION,
		    .fail_info = FI_BAD_DATA_FORMAT,
		    .text = "the name of the issuer does not decode"};
		return 0;
	}
	if (!error) {
		*ret = r.status;
	}
	return error;
}

/* A certificate that is not good any more may name itself, nothing else. */
static bool
names_itself(struct cmp_work *work, const struct wire_status_info *status)
{
	const struct desk_requester *requester = auth_requester(work->verified);
	int expected = requester->signer_revoked ? FI_CERT_REVOKED : FI_BAD_CERT_ID;

	if ((!requester->signer_revoked && !requester->signer_expired) || status->fail_info < 0 ||
	    status->fail_info == expected) {
		return true;
	}
	return cmp_work_fault(work, "B3.10", FI_SIGNER_NOT_TRUSTED,
	    "the signer's certificate is %s", requester->signer_revoked ? "revoked" : "expired");
}

/* rr body. Faults are remembered. */
static int
decode(struct cmp_work *work, struct bytes in, struct wire_rev_req **ret, size_t *ret_n)
{
	struct diag why = {""};
	int error = wire_rev_reqs_decode(work->desk->pool, in, REVOCATIONS_MAX, ret, ret_n, &why);

	if (error == CMPD_EFORMAT || error == CMPD_ELIMIT) {
		cmp_work_fault(work, "B3.1", FI_BAD_DATA_FORMAT, "the rr does not decode: %s",
		    why.text);
		return 0;
	}
	if (!error && *ret_n == 0) {
		cmp_work_fault(work, "B3.1", FI_BAD_DATA_FORMAT, "the rr names no certificate");
	}
	return error;
}

/* "revoke 01ab (keyCompromise)" */
static const char *
in_words(struct pool *pool, const struct cert *cert, int reason)
{
	char serial[2 * SERIAL_MAX + 1];
	const char *what = reason == REASON_REMOVE_FROM_CRL    ? "revive"
			   : reason == REASON_CERTIFICATE_HOLD ? "hold"
							       : "revoke";

	hex_encode(cert->serial, serial, sizeof(serial));
	return pool_printf(pool, "%s %s (%s)", what, serial,
	    reason == REASON_NONE ? "no reason" : crl_reason_name(reason));
}

/* Would it be done now, and what is it then in words? Else what is wrong with it. */
static int
would_do(struct cmp_work *work, const struct wire_rev_req *request, struct cert *ret,
    const char **ret_words)
{
	struct desk_revocation revocation = {
	    .issuer = request->issuer, .serial = request->serial, .named = request->template};
	struct diag why = {""};
	int error = reason_of(request, &revocation.reason, &why);

	if (!error) {
		error = desk_revocation_check(work->desk, auth_requester(work->verified),
		    work->endpoint->conf, &revocation, ret, &why);
	}
	if (error) {
		return error;
	}
	*ret_words = in_words(work->desk->pool, ret, revocation.reason);
	return *ret_words ? 0 : CMPD_ENOMEM;
}

/* What could not be done when it was asked for was shown to nobody, and may be possible by now. */
static int
check_decided(struct cmp_work *work, const struct wire_rev_req *request, const char *decided,
    const char **ret_fault)
{
	const char *words = NULL;
	struct cert cert;
	int error = decided ? would_do(work, request, &cert, &words) : 0;

	if (error && !desk_is_fault(error)) {
		return error;
	}
	if (words && !strstr(decided, words)) {
		*ret_fault = "it could not be done when it was asked for: ask for it alone";
	}
	return 0;
}

int
revoke_carry_out(struct cmp_work *work, struct bytes in, const char *decided, struct bytes *ret)
{
	struct wire_rev_req *requests = NULL;
	struct wire_status_info *status = NULL;
	size_t n = 0;
	int error = decode(work, in, &requests, &n);

	if (error || work->fault.id) {
		return error;
	}
	status = pool_alloc(work->desk->pool, n * sizeof(*status));
	if (!status) {
		return CMPD_ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		const char *fault = NULL;

		if ((int64_t)n > work->endpoint->conf->max_requests) {
			fault = "more revocations in one message than are served";
		} else if (is_named_before(requests, i)) {
			fault = "the certificate is named twice in one message";
		}
		error = fault ? 0 : check_decided(work, &requests[i], decided, &fault);
		if (error) {
			return error;
		}
		error = revoke_one(work, &requests[i], fault, &status[i]);
		if (error) {
			return error;
		}
		if (!names_itself(work, &status[i])) {
			return 0;
		}
	}
	*ret = wire_rev_rep_encode(work->desk->pool, status, n);
	return ret->data ? 0 : CMPD_ENOMEM;
}

int
revoke_refuse(struct cmp_work *work, struct bytes in, const struct wire_status_info *status,
    struct bytes *ret)
{
	struct wire_rev_req *requests = NULL;
	struct wire_status_info all[REVOCATIONS_MAX];
	size_t n = 0;
	int error =
	    wire_rev_reqs_decode(work->desk->pool, in, REVOCATIONS_MAX, &requests, &n, NULL);

	if (error == CMPD_ENOMEM) {
		return error;
	}
	for (size_t i = 0; i < REVOCATIONS_MAX; i++) {
		all[i] = *status;
	}
	*ret = wire_rev_rep_encode(work->desk->pool, all, error || n == 0 ? 1 : n);
	return ret->data ? 0 : CMPD_ENOMEM;
}

/* Those that would be done now. The others are told what is wrong with them, and nobody needs to decide about that. */
static int
matters_of(struct cmp_work *work, const struct wire_rev_req *requests, size_t n,
    struct desk_matter *ret, size_t *ret_n)
{
	struct cert *certs = pool_alloc(work->desk->pool, n * sizeof(*certs));

	*ret_n = 0;
	for (size_t i = 0; certs && i < n; i++) {
		struct desk_matter *matter = &ret[*ret_n];
		int error = would_do(work, &requests[i], &certs[i], &matter->wants);

		if (error && desk_is_fault(error)) {
			continue;
		}
		if (error) {
			return error;
		}
		matter->index = i;
		matter->subject = certs[i].subject;
		matter->spki_sha256 = certs[i].spki_sha256;
		matter->raw = requests[i].template_raw;
		(*ret_n)++;
	}
	return certs ? 0 : CMPD_ENOMEM;
}

static const char *
all_words(struct pool *pool, const struct desk_matter *matters, size_t n)
{
	const char *all = "";

	for (size_t i = 0; all && i < n; i++) {
		all = pool_printf(pool, "%s; %s", all, matters[i].wants);
	}
	return all;
}

/* Must somebody be asked? *ret_begun: then it waits (or was denied), and that is the answer. *ret_decided: what was granted. */
static int
ask(struct cmp_work *work, bool *ret_begun, const char **ret_decided)
{
	struct wire_rev_req *requests = NULL;
	struct desk_matter matters[REVOCATIONS_MAX];
	size_t n = 0, n_matters = 0;
	int error = decode(work, work->in.body, &requests, &n);

	*ret_begun = false;
	if (error || work->fault.id || (int64_t)n > work->endpoint->conf->max_requests) {
		return error;
	}
	memset(matters, 0, sizeof(matters));
	error = matters_of(work, requests, n, matters, &n_matters);
	if (error) {
		return error;
	}
	*ret_decided = all_words(work->desk->pool, matters, n_matters);
	if (!*ret_decided) {
		return CMPD_ENOMEM;
	}
	return n_matters == 0 ? 0 : delayed_ask(work, matters, n_matters, n, ret_begun);
}

int
serve_rr(struct cmp_work *work)
{
	struct seal_options options = {.implicit_confirm = false};
	struct sealed sealed;
	struct bytes body = BYTES_NONE;
	const char *decided = NULL;
	bool begun = false;
	int error = 0;

	if (desk_inquires(work->endpoint->conf, REQUEST_RR)) {
		error = ask(work, &begun, &decided);
	}
	if (!error && !begun && !work->fault.id) {
		error = revoke_carry_out(work, work->in.body, decided, &body);
	}
	if (error || begun || work->fault.id) {
		return error;
	}
	if (unit_is_empty(work->desk->unit)) {
		/* Nothing was changed: nothing is stored, and it may be asked again. */
		error = seal_body(work, body, &options, &sealed);
		work->answer->body = error ? BYTES_NONE : sealed.message;
		work->answer->fault = true;
		return error;
	}
	serve_open_txn(work);
	desk_open_txn(work->desk, auth_requester(work->verified), &work->txn);
	return serve_finish(work, body, &options, NULL);
}
