#include <string.h>

#include "cmp/door.h"
#include "policy/policy.h"

void
cmp_request_init(struct cmp_request *request)
{
	request->n_verdicts = 0;
	request->ra = NULL;
	memset(request->verdicts, 0, sizeof(request->verdicts));
}

void
cmp_request_fini(struct cmp_request *request)
{
	for (size_t i = 0; i < request->n_verdicts; i++) {
		policy_call_free(request->verdicts[i].call);
	}
	request->n_verdicts = 0;
}

/* Held because the plugin was too slow, or because it said so and may have kept the request to decide later. */
static bool
is_awaited(const struct desk_verdict *verdict)
{
	struct policy_verdict said;

	if (!verdict->call) {
		return false;
	}
	return verdict->detach ||
	       (policy_call_verdict(verdict->call, &said) == 0 && said.answer == POLICY_HOLD);
}

void
cmp_request_detach(struct cmp_request *request,
    void (*late)(void *arg, const struct txn_key *txn, int64_t cert_req_id,
	const struct policy_verdict *verdict),
    void *arg)
{
	for (size_t i = 0; i < request->n_verdicts; i++) {
		if (is_awaited(&request->verdicts[i])) {
			policy_call_detach(request->verdicts[i].call, late, arg);
		}
	}
}

void
cmp_request_expire(struct cmp_request *request)
{
	for (size_t i = 0; i < request->n_verdicts; i++) {
		request->verdicts[i].over = true;
	}
}
