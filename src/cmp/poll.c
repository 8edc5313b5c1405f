#include "cmp/auth.h"
#include "cmp/central.h"
#include "cmp/delayed.h"
#include "cmp/engine.h"
#include "cmp/seal.h"
#include "cmp/serve.h"

/* pollReq with this id asks for the whole answer (RFC 9810 5.3.22). */
#define WHOLE_ANSWER (-1)

static int
run_collect(struct engine_call *call)
{
	const struct entry *entries = call->arg;
	int error =
	    desk_collect(call->work->desk, &call->work->txn, &entries[call->index], &call->outcome);

	return error ? error : central_wrap(call->work, &call->outcome);
}

static bool
is_pending(const struct txn *txn, int index)
{
	return index >= 0 && !(txn->told & (uint64_t)1 << index);
}

static bool
unconfirmed_left(const struct txn *txn, const struct entry *entries)
{
	for (size_t i = 0; i < txn->n_ids; i++) {
		if (entries[i].state == ENTRY_ISSUED && (txn->told & (uint64_t)1 << i)) {
			return true;
		}
	}
	return false;
}

/* The indices that are asked for, in pool; faults are remembered. */
static int
asked_for(struct cmp_work *work, int **ret, size_t *ret_n)
{
	const struct txn *txn = &work->txn;
	struct diag why = {""};
	int64_t *ids = NULL;
	size_t n = 0, count = 0;
	int *indices = pool_alloc(work->desk->pool, TXN_IDS_MAX * sizeof(*indices));
	int error =
	    wire_poll_reqs_decode(work->desk->pool, work->in.body, TXN_IDS_MAX, &ids, &n, &why);

	if (!indices) {
		return CMPD_ENOMEM;
	}
	if (error == CMPD_EFORMAT || error == CMPD_ELIMIT) {
		cmp_work_fault(work, "B3.1", FI_BAD_DATA_FORMAT, "the pollReq does not decode: %s",
		    why.text);
		return 0;
	}
	if (error) {
		return error;
	}
	if (n == 1 && ids[0] == WHOLE_ANSWER && serve_index_of(txn, WHOLE_ANSWER) < 0) {
		for (size_t i = 0; i < txn->n_ids; i++) {
			if (is_pending(txn, (int)i)) {
				indices[count++] = (int)i;
			}
		}
	}
	for (size_t i = 0; i < n && count == 0; i++) {
		int index = serve_index_of(txn, ids[i]);

		/* Some products number the request of a p10cr 0 here. */
		if (index < 0 && txn->type == REQUEST_P10CR && ids[i] == 0) {
			index = 0;
		}
		if (!is_pending(txn, index)) {
			cmp_work_fault(work, "B2.3", FI_BAD_REQUEST,
			    "nothing is pending under certReqId %lld", (long long)ids[i]);
			return 0;
		}
		/* By what it means: of a p10cr -1 and 0 are the same. */
		for (size_t k = 0; k < i; k++) {
			if (indices[k] == index) {
				cmp_work_fault(work, "B2.3", FI_BAD_REQUEST,
				    "certReqId %lld is asked for twice", (long long)ids[i]);
				return 0;
			}
		}
		indices[i] = index;
		if (i + 1 == n) {
			count = n;
		}
	}
	*ret = indices;
	*ret_n = count;
	return 0;
}

static int
poll_rep(struct cmp_work *work, const struct desk_outcome *outcomes, size_t n,
    const struct entry *entries)
{
	struct wire_poll_rep *reps = pool_alloc(work->desk->pool, n * sizeof(*reps));
	struct seal_options options = {.implicit_confirm = false};
	struct log_line *line = NULL;

	if (!reps) {
		return CMPD_ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		reps[i].cert_req_id = outcomes[i].cert_req_id;
		if (work->txn.type == REQUEST_P10CR && work->endpoint->conf->p10cr_id_zero) {
			reps[i].cert_req_id = 0;
		}
		reps[i].check_after = (outcomes[i].check_after + 999) / 1000;
		reps[i].reason = outcomes[i].text;
	}
	work->answer->waits = true;
	line = cmp_work_log(work, LOG_LEVEL_DEBUG, "cmp.polled");
	if (line) {
		log_int(line, "waiting", (int64_t)n);
	}
	return serve_finish(work, wire_poll_rep_encode(work->desk->pool, reps, n), &options,
	    entries);
}

int
serve_poll(struct cmp_work *work)
{
	struct desk_outcome *outcomes = NULL;
	struct entry *entries = NULL;
	int *indices = NULL;
	size_t n = 0, decided = 0;
	int error;

	if (work->txn.ended) {
		cmp_work_fault(work, "B2.11", FI_BAD_REQUEST,
		    "the transaction has ended: nothing is pending");
		return 0;
	}
	error = serve_entries(work, &entries);
	if (error) {
		return error;
	}
	if (unconfirmed_left(&work->txn, entries)) {
		cmp_work_fault(work, "B3.3", FI_BAD_REQUEST,
		    "a certificate was sent: a certConf is due first");
		return 0;
	}
	error = asked_for(work, &indices, &n);
	if (error || work->fault.id) {
		return error;
	}
	if (n == 0) {
		cmp_work_fault(work, "B2.3", FI_BAD_REQUEST,
		    "the pollReq asks for nothing that is pending");
		return 0;
	}
	outcomes = pool_alloc(work->desk->pool, n * sizeof(*outcomes));
	if (!outcomes) {
		return CMPD_ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		struct engine_call call = {.work = work,
		    .verified = work->verified,
		    .index = indices[i],
		    .run = run_collect,
		    .arg = entries};

		error = engine_poll(&call);
		if (error) {
			return error;
		}
		outcomes[i] = call.outcome;
		decided += call.outcome.status != DESK_WAITING;
	}
	if (decided == 0) {
		return poll_rep(work, outcomes, n, entries);
	}
	if (!request_type_enrols(work->txn.type)) {
		return delayed_end(work, &outcomes[0]);
	}
	return serve_cert_rep(work, outcomes, n, true);
}
