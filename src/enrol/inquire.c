#include <string.h>

#include "enrol/internal.h"

/* Of what is asked for in words, in an entry. */
#define WANTS_MAX 2000

bool
desk_inquires(const struct conf_endpoint *endpoint, enum request_type type)
{
	return endpoint->n_policy > 0 || (endpoint->hold & CONF_BODY(type));
}

static int
ask_one(struct desk *desk, const struct desk_requester *requester,
    const struct desk_inquiry *inquiry, const struct desk_matter *matter, struct desk_verdict *slot,
    void (*wake)(void *), void *arg, struct policy_verdict *ret)
{
	struct policy_request question = {
	    .req = inquiry->req,
	    .txn = inquiry->txn,
	    /* A late verdict on one of several decides nothing: it finds no entry under its number. */
	    .cert_req_id = inquiry->only ? DESK_WHOLE : (int64_t)matter->index,
	    .type = inquiry->type,
	    .profile = inquiry->endpoint->profile,
	    .subject = matter->subject,
	    .template = matter->raw,
	    .wants = matter->wants,
	    .pop = POP_NOT_NEEDED,
	};

	return desk_ask_policy(desk, requester, inquiry->endpoint, &question, slot, wake, arg, ret);
}

/* Denied before held before granted. */
static int
weight(enum policy_answer answer)
{
	switch (answer) {
	case POLICY_DENY:
		return 3;
	case POLICY_HOLD:
		return 2;
	case POLICY_PASS:
		return 1;
	case POLICY_GRANT:
		break;
	}
	return 0;
}

/* All of them, even if one is parked; the verdict that counts. */
static int
ask_all(struct desk *desk, const struct desk_requester *requester,
    const struct desk_inquiry *inquiry, struct desk_verdict *verdicts, void (*wake)(void *),
    void *arg, struct policy_verdict *ret)
{
	int parked = 0;

	for (size_t i = 0; i < inquiry->n; i++) {
		const struct desk_matter *matter = &inquiry->matters[i];
		struct policy_verdict one;
		int error = ask_one(desk, requester, inquiry, matter, &verdicts[matter->index],
		    wake, arg, &one);

		if (error == CMPD_EPARKED) {
			parked = error;
		} else if (error) {
			return error;
		} else if (i == 0 || weight(one.answer) > weight(ret->answer)) {
			*ret = one;
		}
	}
	return parked;
}

static const char *
all_wants(struct pool *pool, const struct desk_inquiry *inquiry)
{
	const char *all = inquiry->matters[0].wants;

	for (size_t i = 1; all && i < inquiry->n && strlen(all) < WANTS_MAX; i++) {
		all = pool_printf(pool, "%s; %s", all, inquiry->matters[i].wants);
	}
	return all;
}

static int
fill_entry(struct desk *desk, const struct desk_requester *requester,
    const struct desk_inquiry *inquiry, int64_t received, struct entry *entry)
{
	const struct desk_matter *first = &inquiry->matters[0];

	desk_entry_init(desk, requester, inquiry->endpoint, entry);
	entry->txn = inquiry->txn;
	entry->cert_req_id = DESK_WHOLE;
	entry->type = inquiry->type;
	entry->wants = all_wants(desk->pool, inquiry);
	entry->pop = POP_NOT_NEEDED;
	entry->names_bound = true;
	entry->received = received;
	if (first->subject) {
		entry->subject = first->subject;
	}
	if (first->spki_sha256) {
		memcpy(entry->spki_sha256, first->spki_sha256, DIGEST_SIZE);
	}
	return entry->wants ? 0 : CMPD_ENOMEM;
}

int
desk_inquire(struct desk *desk, const struct desk_requester *requester,
    const struct desk_inquiry *inquiry, struct desk_verdict *verdicts, void (*wake)(void *arg),
    void *arg, struct desk_outcome *ret, struct diag *diag)
{
	struct policy_verdict verdict = {.answer = POLICY_PASS, .fail_info = FI_NONE};
	int error = ask_all(desk, requester, inquiry, verdicts, wake, arg, &verdict);

	if (error) {
		return error;
	}
	desk_outcome_init(ret, DESK_WHOLE);
	ret->status = DESK_GRANTED;
	if (verdict.answer == POLICY_PASS && (inquiry->endpoint->hold & CONF_BODY(inquiry->type))) {
		verdict.answer = POLICY_HOLD;
	}
	if (verdict.answer != POLICY_DENY && verdict.answer != POLICY_HOLD) {
		return 0;
	}
	error = fill_entry(desk, requester, inquiry, verdicts[inquiry->matters[0].index].asked,
	    &ret->entry);
	if (error) {
		return error;
	}
	if (verdict.answer == POLICY_DENY) {
		return desk_deny_entry(desk, &verdict, ret);
	}
	return desk_hold_entry(desk, &verdict, verdict.text ? verdict.text : "waiting for approval",
	    ret, diag);
}

int
desk_done(struct desk *desk, struct entry *entry, bool done, int fail_info, const char *text)
{
	desk_audit_entry(desk, entry, "cmpd", done ? "entry.done" : "entry.denied", text);
	if (done) {
		return desk_move_entry(desk, entry, ENTRY_DONE);
	}
	entry->fail_info = fail_info;
	entry->text = text;
	return desk_move_entry(desk, entry, ENTRY_DENIED);
}
