#include <string.h>

#include "cmp/auth.h"
#include "cmp/central.h"
#include "cmp/engine.h"
#include "cmp/gate.h"
#include "cmp/popo.h"
#include "cmp/seal.h"
#include "cmp/serve.h"
#include "cmp/verify.h"
#include "model/name.h"
#include "model/spki.h"

/* p10cr has no certReqId; in cp, certConf and pollReq it is -1 (RFC 9810 5.3.4). */
#define P10CR_ID (-1)

static int
decode_body(struct cmp_work *work)
{
	struct pool *pool = work->desk->pool;
	struct diag why = {""};
	int error;

	if (work->in.body_type == WIRE_P10CR) {
		error = wire_p10_decode(pool, work->in.body, &work->p10, &why);
		work->n_requests = 1;
	} else {
		error = wire_cert_reqs_decode(pool, work->in.body, CMP_REQUESTS_MAX,
		    &work->requests, &work->n_requests, &why);
	}
	if (error == CMPD_ELIMIT) {
		cmp_work_fault(work, "B3.12", FI_BAD_REQUEST,
		    "more than %d requests in one message", CMP_REQUESTS_MAX);
		return 0;
	}
	if (error == CMPD_EFORMAT) {
		cmp_work_fault(work, "B3.1", FI_BAD_DATA_FORMAT, "the body does not decode: %s",
		    why.text);
		return 0;
	}
	return error;
}

static int64_t
id_of(const struct cmp_work *work, size_t i)
{
	return work->in.body_type == WIRE_P10CR ? P10CR_ID : work->requests[i].cert_req_id;
}

/* Faults of the whole set of requests: each is rejected then. */
static int
check_set(const struct cmp_work *work, struct diag *why)
{
	int64_t max = work->endpoint->conf->max_requests;

	if ((int64_t)work->n_requests > max) {
		return diag_set(why, CMPD_ELIMIT,
		    "%zu requests in one message, at most %lld are served", work->n_requests,
		    (long long)max);
	}
	if (work->n_cert_profiles > work->n_requests) {
		return diag_set(why, CMPD_EINVAL,
		    "certProfile has more names than there are requests");
	}
	/* Nearly always the one that signed it, and a certificate has one update at a time. */
	if (work->in.body_type == WIRE_KUR && work->n_requests > 1) {
		return diag_set(why, CMPD_EINVAL, "a kur updates one certificate, not %zu",
		    work->n_requests);
	}
	/* RFC 9483 4.1.1: the one request of a message has certReqId 0. */
	if (work->endpoint->conf->strict && max == 1 && work->in.body_type != WIRE_P10CR &&
	    id_of(work, 0) != 0) {
		return diag_set(why, CMPD_EINVAL, "certReqId of the only request is %lld, not 0",
		    (long long)id_of(work, 0));
	}
	for (size_t i = 0; i < work->n_requests; i++) {
		/* It would be nobody's: -1 is the whole answer in a pollReq (RFC 9810 5.3.22). */
		if (id_of(work, i) < 0 && work->in.body_type != WIRE_P10CR) {
			return diag_set(why, CMPD_EINVAL, "certReqId %lld is negative",
			    (long long)id_of(work, i));
		}
		for (size_t k = 0; k < i; k++) {
			if (id_of(work, i) == id_of(work, k)) {
				return diag_set(why, CMPD_EINVAL, "certReqId %lld is there twice",
				    (long long)id_of(work, i));
			}
		}
	}
	return 0;
}

/* oldCertID, if there, must name the certificate that signed (RFC 9810 5.3.5); that of an RA the desk looks up. */
static int
check_old_cert_id(struct cmp_work *work, const struct wire_cert_req *request, struct diag *why)
{
	const struct desk_requester *requester = auth_requester(work->verified);
	struct bytes issuer = wire_directory_name(request->old_issuer);

	if (work->in.body_type != WIRE_KUR || requester->ra || !request->old_issuer.data) {
		return 0;
	}
	if (issuer.data && name_equal(issuer, auth_signer_issuer(work->verified)) &&
	    bytes_equal(request->old_serial, requester->signer_serial)) {
		return 0;
	}
	return diag_set(why, CMPD_ECERTID, "oldCertID does not name the certificate that signed");
}

/* Keys that libcrypto could not use, or would take long to decode, do not get to it. */
static int
check_key(struct bytes spki, struct diag *why)
{
	struct spki key;
	int error = spki.data ? spki_parse(spki, &key, why) : 0;

	return error == CMPD_EFORMAT ? CMPD_ETEMPLATE : error;
}

/* One key in two requests of a message would get two certificates, which same_key must allow: the store does not know of
 * the first yet when the second is looked at. */
static int
check_own_key(const struct cmp_work *work, size_t i, struct diag *why)
{
	struct bytes spki = work->requests[i].template.spki;

	if (work->endpoint->conf->same_key & CONF_BODY(work->in.body_type)) {
		return 0;
	}
	for (size_t k = 0; k < i && spki.data; k++) {
		if (bytes_equal(spki, work->requests[k].template.spki)) {
			return diag_set(why, CMPD_ETEMPLATE,
			    "the key is that of certReqId %lld too: make one for each",
			    (long long)id_of(work, k));
		}
	}
	return 0;
}

/* What is wrong with one request before OpenSSL sees it. The POPO of a p10cr is verified there. */
static int
check_request(struct cmp_work *work, size_t i, struct diag *why)
{
	const struct wire_cert_req *request = NULL;
	int error;

	if (work->in.body_type == WIRE_P10CR) {
		error = algorithm_check(work->p10.alg.der, work->endpoint->popo, why);
		return error ? error : check_key(work->p10.template.spki, why);
	}
	request = &work->requests[i];
	if (request->template_odd) {
		return diag_set(why, CMPD_ETEMPLATE,
		    "the template has fields that only a CA may fill");
	}
	if (central_asked(request)) {
		error = central_check(work, why);
		return error ? error : check_old_cert_id(work, request, why);
	}
	error = popo_check(work, request, why);
	if (!error) {
		error = check_key(request->template.spki, why);
	}
	if (!error) {
		error = check_old_cert_id(work, request, why);
	}
	if (!error) {
		error = check_own_key(work, i, why);
	}
	return error ? error : popo_verify(work, request, why);
}

static int
run_submit(struct engine_call *call)
{
	struct cmp_work *work = call->work;
	bool p10 = work->in.body_type == WIRE_P10CR;
	const struct wire_cert_req *request = p10 ? NULL : &work->requests[call->index];
	bool vouched = request && request->popo == WIRE_POPO_RA_VERIFIED;
	bool central = request && central_asked(request);
	struct desk_request ask = {
	    .endpoint = work->endpoint->conf,
	    .profile = work->cert_profiles[call->index],
	    .txn = work->key,
	    .req = work->request->req,
	    .type = (enum request_type)work->in.body_type,
	    .cert_req_id = id_of(work, (size_t)call->index),
	    .template = p10 ? work->p10.template : request->template,
	    .raw = p10 ? work->p10.raw : request->template_raw,
	    .old_issuer = request ? wire_directory_name(request->old_issuer) : BYTES_NONE,
	    .old_serial = request ? request->old_serial : BYTES_NONE,
	    .pop = central   ? POP_NOT_NEEDED
		   : vouched ? POP_RA_VERIFIED
			     : POP_VERIFIED,
	    .implicit_confirm = gate_wants_implicit_confirm(work) &&
				work->endpoint->conf->confirm == CONF_CONFIRM_IMPLICIT,
	};
	int error = desk_submit(work->desk, auth_requester(call->verified), &ask,
	    &work->request->verdicts[call->index], work->request->wake, work->request->arg,
	    &call->outcome);

	return error ? error : central_wrap(work, &call->outcome);
}

static int
reject(struct cmp_work *work, int64_t id, int error, const char *text, struct desk_outcome *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->cert_req_id = id;
	ret->status = DESK_REJECTED;
	ret->error = error;
	ret->fail_info = FI_NONE;
	ret->text = pool_strdup(work->desk->pool, text && *text ? text : cmpd_strerror(error));
	return ret->text ? 0 : CMPD_ENOMEM;
}

static const char *
fault_text(int error)
{
	return error == CMPD_EPOP ? "the signature of the proof of possession does not verify"
	       : error == CMPD_ETEMPLATE
		   ? "the request does not decode: a name or a key makes no sense"
		   : NULL;
}

static int
submit_one(struct cmp_work *work, size_t i, struct desk_outcome *ret)
{
	struct engine_call call = {
	    .work = work, .verified = work->verified, .index = (int)i, .run = run_submit};
	struct diag why = {""};
	int error = check_request(work, i, &why);

	if (!error) {
		error = engine_cert_request(&call);
	}
	if (!error) {
		*ret = call.outcome;
		return 0;
	}
	if (!desk_is_fault(error) || (call.called && call.error)) {
		return error;
	}
	return reject(work, id_of(work, i), error, why.text[0] ? why.text : fault_text(error), ret);
}

/* All of them, even if one is parked: policy thinks about all at once. */
static int
submit_all(struct cmp_work *work, struct desk_outcome *outcomes)
{
	struct diag why = {""};
	int parked = 0, error = check_set(work, &why);

	for (size_t i = 0; i < work->n_requests; i++) {
		int one = error ? reject(work, id_of(work, i), error, why.text, &outcomes[i])
				: submit_one(work, i, &outcomes[i]);

		if (one == CMPD_EPARKED) {
			parked = one;
		} else if (one) {
			return one;
		}
	}
	return parked;
}

int
serve_enrolment(struct cmp_work *work)
{
	const struct desk_requester *requester = auth_requester(work->verified);
	struct desk_outcome *outcomes = NULL;
	size_t faults = 0;
	int error = serve_check_room(work);

	if (!error && !work->fault.id) {
		error = decode_body(work);
	}
	if (error || work->fault.id) {
		return error;
	}
	for (size_t i = 0; i < work->n_requests && !error && !work->fault.id; i++) {
		error = serve_check_new(work, id_of(work, i));
	}
	if (error || work->fault.id) {
		return error;
	}
	outcomes = pool_alloc(work->desk->pool, work->n_requests * sizeof(*outcomes));
	if (!outcomes) {
		return CMPD_ENOMEM;
	}
	work->request->n_verdicts = work->n_requests;
	error = submit_all(work, outcomes);
	if (error) {
		return error;
	}
	for (size_t i = 0; i < work->n_requests; i++) {
		faults += outcomes[i].status == DESK_REJECTED && outcomes[i].error;
	}
	if (faults == work->n_requests) {
		return serve_cert_rep(work, outcomes, work->n_requests, false);
	}
	serve_open_txn(work);
	work->txn.implicit_confirm = gate_wants_implicit_confirm(work) &&
				     work->endpoint->conf->confirm == CONF_CONFIRM_IMPLICIT;
	work->txn.n_ids = work->n_requests;
	for (size_t i = 0; i < work->n_requests; i++) {
		work->txn.ids[i] = id_of(work, i);
	}
	desk_open_txn(work->desk, requester, &work->txn);
	for (size_t i = 0; i < work->n_requests && !error; i++) {
		if (outcomes[i].status == DESK_REJECTED && outcomes[i].error) {
			outcomes[i].fail_info = failinfo_of_error(outcomes[i].error);
			error = desk_file_rejected(work->desk, requester, &work->txn, &outcomes[i]);
		}
	}
	return error ? error : serve_cert_rep(work, outcomes, work->n_requests, false);
}
