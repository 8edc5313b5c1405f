/*
 * Requests that plugins keep to decide later.
 */
#include <stdlib.h>

#include <cmpd/request.h>

#include "policy/call.h"

struct cmpd_kept {
	struct policy_call *call; /* a share of it */
	struct policy_link *link;
};

struct cmpd_kept *
cmpd_request_keep(struct cmpd_request *request)
{
	struct policy_call *call = request->call;
	struct cmpd_kept *kept = NULL;
	struct policy_link *link;

	pthread_mutex_lock(&call->lock);
	link = call->link;
	pthread_mutex_unlock(&call->lock);
	/* NULL: decide was given up meanwhile, nobody listens any more. */
	if (link != NULL) {
		kept = malloc(sizeof(*kept));
	}
	if (kept != NULL) {
		kept->call = policy_call_get1(call);
		kept->link = link;
		atomic_fetch_add(&link->kept, 1);
	}
	return kept;
}

struct cmpd_request *
cmpd_kept_request(struct cmpd_kept *kept)
{
	return &kept->call->request;
}

void
cmpd_decide_later(struct cmpd_kept *kept, const struct cmpd_verdict *verdict)
{
	struct policy_call *call = kept->call;
	struct diag diag = {.text = ""};
	struct policy_verdict taken;
	int rc;

	/* The oldest version of the struct is the one of ABI 1.0; so far it is the only one. */
	rc = verdict->struct_size >= sizeof(*verdict)
		 ? policy_verdict_take(call->policy, kept->link, &call->request, verdict, &taken,
		       &diag)
		 : diag_set(&diag, CMPD_EPLUGIN, "struct_size of its verdict is not set");
	if (rc != 0) {
		policy_call_log(call, kept->link, diag.text);
	} else if (taken.answer == POLICY_GRANT || taken.answer == POLICY_DENY) {
		policy_call_later(call, kept->link, &taken);
	}
	cmpd_kept_free(kept);
}

void
cmpd_kept_free(struct cmpd_kept *kept)
{
	struct policy_call *call;

	if (kept == NULL) {
		return;
	}
	call = kept->call;
	atomic_fetch_sub(&kept->link->kept, 1);
	free(kept);
	policy_call_unref(call);
}
