#include "cmp/delayed.h"
#include "cmp/auth.h"
#include "cmp/gate.h"
#include "cmp/genm.h"
#include "cmp/revoke.h"
#include "cmp/seal.h"
#include "cmp/serve.h"

/* rp for an rr, an error message for a genm. */
static int
refusal(struct cmp_work *work, enum request_type type, struct bytes in,
    const struct wire_status_info *status, struct bytes *ret)
{
	if (type == REQUEST_RR) {
		return revoke_refuse(work, in, status, ret);
	}
	*ret = wire_error_encode(work->desk->pool, status);
	return ret->data ? 0 : CMPD_ENOMEM;
}

static int
begin(struct cmp_work *work, const struct desk_outcome *outcome)
{
	struct seal_options options = {.implicit_confirm = false};
	struct wire_status_info status = serve_status_of(outcome);
	const struct wire_message *in = &work->in;
	struct txn *txn = &work->txn;
	struct bytes body = BYTES_NONE;
	int error = 0;

	serve_open_txn(work);
	txn->n_ids = 1;
	txn->ids[0] = DESK_WHOLE;
	desk_open_txn(work->desk, auth_requester(work->verified), txn);
	serve_log_outcome(work, outcome);
	if (outcome->status == DESK_WAITING) {
		txn->request = wire_message_build(work->desk->pool, in->header_raw, in->body_raw,
		    in->protection, NULL, 0);
		body = wire_error_encode(work->desk->pool, &status);
		work->answer->waits = true;
		error = txn->request.data && body.data ? 0 : CMPD_ENOMEM;
	} else {
		txn->told = 1;
		error = refusal(work, txn->type, in->body, &status, &body);
	}
	return error ? error : serve_finish(work, body, &options, &outcome->entry);
}

int
delayed_ask(struct cmp_work *work, const struct desk_matter *matters, size_t n, size_t n_all,
    bool *ret_begun)
{
	struct cmp_request *request = work->request;
	struct desk_inquiry inquiry = {.endpoint = work->endpoint->conf,
	    .txn = work->key,
	    .req = request->req,
	    .type = (enum request_type)work->in.body_type,
	    .matters = matters,
	    .n = n,
	    .only = n_all == 1};
	struct desk_outcome outcome;
	struct diag why = {""};
	int error = serve_check_new(work, DESK_WHOLE);

	*ret_begun = false;
	if (error || work->fault.id) {
		return error;
	}
	/* All places, also those of what is no matter any more: somebody may still think about it. */
	request->n_verdicts = n_all;
	error = desk_inquire(work->desk, auth_requester(work->verified), &inquiry,
	    request->verdicts, request->wake, request->arg, &outcome, &why);
	if (error == CMPD_EUNAVAILABLE && why.text[0]) {
		cmp_work_fault(work, "B3.19", FI_SYSTEM_UNAVAIL, "%s", why.text);
		return 0;
	}
	if (error || outcome.status == DESK_GRANTED) {
		return error;
	}
	if (outcome.status == DESK_WAITING) {
		error = serve_check_room(work);
	}
	if (error || work->fault.id) {
		return error;
	}
	*ret_begun = true;
	return begin(work, &outcome);
}

/* Only the unit counts from here: what was added to it for something that failed is not done. */
static int
start_anew(struct cmp_work *work)
{
	unit_free(work->desk->unit);
	work->desk->unit = unit_new();
	return work->desk->unit ? 0 : CMPD_ENOMEM;
}

/* The stored request, as if it came now: other checks may have another result than when it came. */
static int
carry_out(struct cmp_work *work, const struct wire_message *request, struct desk_outcome *outcome,
    struct bytes *ret)
{
	struct diag why = {""};
	bool rr = work->txn.type == REQUEST_RR;
	int error = 0;

	if (!gate_cert_profiles(work, &request->header, &why)) {
		return CMPD_ECORRUPT;
	}
	error = rr ? revoke_carry_out(work, request->body, outcome->entry.wants, ret)
		   : genm_carry_out(work, request->body, ret);
	if (error) {
		return error;
	}
	if (!work->fault.id) {
		bool done = !rr || !unit_is_empty(work->desk->unit);

		return desk_done(work->desk, &outcome->entry, done, FI_NONE,
		    done ? NULL : "it could not be carried out any more");
	}
	outcome->status = DESK_REJECTED;
	outcome->fail_info = work->fault.fail_info;
	outcome->text = pool_strdup(work->desk->pool, work->fault.why.text);
	work->fault.id = NULL;
	error = outcome->text ? start_anew(work) : CMPD_ENOMEM;
	return error ? error
		     : desk_done(work->desk, &outcome->entry, false, outcome->fail_info,
			   outcome->text);
}

int
delayed_end(struct cmp_work *work, struct desk_outcome *outcome)
{
	const struct conf_endpoint *conf = work->endpoint->conf;
	struct seal_options options = {
	    .recip_nonce_first = conf->recip_nonce == CONF_RECIP_NONCE_REQUEST};
	struct wire_message request;
	struct wire_status_info status;
	struct bytes body = BYTES_NONE;
	int error = wire_message_decode(work->desk->pool, work->txn.request, 0, &request, NULL);

	if (error) {
		return error == CMPD_ENOMEM ? error : CMPD_ECORRUPT;
	}
	if (outcome->status == DESK_GRANTED) {
		error = carry_out(work, &request, outcome, &body);
	}
	if (!error && outcome->status == DESK_REJECTED) {
		serve_log_outcome(work, outcome);
		status = serve_status_of(outcome);
		error = refusal(work, work->txn.type, request.body, &status, &body);
	}
	work->txn.told = 1;
	return error ? error : serve_finish(work, body, &options, &outcome->entry);
}
