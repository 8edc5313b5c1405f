#include <string.h>

#include "enrol/internal.h"
#include "model/name.h"

/* Once per request, whatever is done again: what the slot remembers is not asked a second time. */
static int
start(struct desk *desk, const struct desk_requester *requester,
    const struct conf_endpoint *endpoint, struct policy_request *question,
    struct desk_verdict *slot, void (*wake)(void *), void *arg)
{
	int error = 0;

	question->endpoint = endpoint->path;
	question->requester = requester->words;
	question->requester_kind = requester->secret ? "mac" : "signature";
	question->reference = requester->reference;
	question->signer = requester->signer;
	question->peer = requester->peer;
	question->received = desk->now;
	if (requester->signer_subject.data) {
		error =
		    name_to_text(desk->pool, requester->signer_subject, &question->signer_subject);
	}
	if (error) {
		return error;
	}
	slot->asked = desk->now;
	slot->call = policy_call_new(policy_chain_get0(desk->policy, endpoint), question);
	if (!slot->call) {
		return CMPD_ENOMEM;
	}
	error = policy_call_run(slot->call, wake, arg);
	if (error == CMPD_EUNAVAILABLE) {
		/* No thread for it: an operator decides, and nobody waits for a verdict. */
		slot->over = true;
		return 0;
	}
	return error;
}

int
desk_ask_policy(struct desk *desk, const struct desk_requester *requester,
    const struct conf_endpoint *endpoint, struct policy_request *question,
    struct desk_verdict *slot, void (*wake)(void *), void *arg, struct policy_verdict *ret)
{
	int error = 0;

	if (!slot->call) {
		error = start(desk, requester, endpoint, question, slot, wake, arg);
	}
	if (error) {
		return error;
	}
	memset(ret, 0, sizeof(*ret));
	ret->fail_info = FI_NONE;
	error = policy_call_verdict(slot->call, ret);
	if (error == CMPD_EPARKED && slot->over) {
		slot->detach = true;
		ret->answer = POLICY_HOLD;
		ret->text = "policy has not decided yet";
		return 0;
	}
	return error;
}
