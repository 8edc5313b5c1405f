#include <string.h>

#include "enrol/internal.h"

/* Of what is asked for in words, in an entry. */
#define WANTS_MAX 2000

bool
desk_inquires(const struct conf_endpoint *endpoint, enum request_type type)
{
	return endpoint->n_policy > 0 || (endpoint->hold & CONF_BODY(type));
}

int
desk_check_room(struct desk *desk, struct diag *diag)
{
	struct store_stats stats;
	int error = store_stats(desk->reader, &stats);

	/* Workers look at it at the same time: a few more than the limit may get in. */
	if (error || stats.entries[ENTRY_PENDING] < (uint64_t)desk->conf->limits.pending) {
		return error;
	}
	return diag_set(diag, CMPD_EUNAVAILABLE,
	    "too many requests wait for a decision already: try again later");
}

static int
ask_one(struct desk *desk, const struct desk_requester *requester,
    const struct desk_inquiry *inquiry, size_t i, struct desk_verdict *slot, void (*wake)(void *),
    void *arg, struct policy_verdict *ret)
{
	const struct desk_matter *matter = &inquiry->matters[i];
	struct policy_request question = {
	    .req = inquiry->req,
	    .txn = inquiry->txn,
	    /* A late verdict on one of several decides nothing: it finds no entry under its number. */
	    .cert_req_id = inquiry->n == 1 ? DESK_WHOLE : (int64_t)i,
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
		struct policy_verdict one;
		int error = ask_one(desk, requester, inquiry, i, &verdicts[i], wake, arg, &one);

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
	const struct conf_endpoint *endpoint = inquiry->endpoint;
	const struct desk_matter *first = &inquiry->matters[0];

	memset(entry, 0, sizeof(*entry));
	random_bytes(entry->id, sizeof(entry->id));
	entry->state = ENTRY_RECEIVED;
	entry->txn = inquiry->txn;
	entry->cert_req_id = DESK_WHOLE;
	entry->type = inquiry->type;
	entry->endpoint = endpoint->path;
	entry->profile = endpoint->profile;
	entry->subject = first->subject ? first->subject : "/";
	entry->pop = POP_NOT_NEEDED;
	entry->names_bound = true;
	entry->requester = requester->words;
	entry->secret = requester->secret ? requester->secret->id : 0;
	entry->wants = all_wants(desk->pool, inquiry);
	entry->peer = requester->peer;
	entry->received = received;
	entry->expires = desk->now + endpoint->entry_ttl;
	entry->check_after = endpoint->check_after;
	entry->fail_info = -1;
	entry->approvals_needed = 1;
	if (first->spki_sha256) {
		memcpy(entry->spki_sha256, first->spki_sha256, DIGEST_SIZE);
	}
	return entry->wants ? 0 : CMPD_ENOMEM;
}

static int
file_entry(struct desk *desk, struct entry *entry, enum entry_state to, const char *actor,
    const char *what, const char *text)
{
	if (!entry_state_can_move(entry->state, to)) {
		return CMPD_ESTATE;
	}
	entry->state = to;
	entry->due = desk_entry_due(desk, entry);
	desk_audit_entry(desk, entry, actor, what, text);
	unit_put_entry(desk->unit, entry, ENTRY_RECEIVED);
	return 0;
}

static int
deny(struct desk *desk, const struct policy_verdict *verdict, struct desk_outcome *ret)
{
	struct entry *entry = &ret->entry;

	entry->fail_info = verdict->fail_info;
	entry->text = verdict->text ? verdict->text : "refused by policy";
	entry->decided = desk->now;
	entry->decided_by = pool_printf(desk->pool, "plugin:%s", verdict->plugin);
	if (!entry->decided_by) {
		return CMPD_ENOMEM;
	}
	ret->status = DESK_REJECTED;
	ret->fail_info = entry->fail_info;
	ret->text = entry->text;
	return file_entry(desk, entry, ENTRY_DENIED, entry->decided_by, "entry.denied",
	    entry->text);
}

static int
hold(struct desk *desk, const struct policy_verdict *verdict, struct desk_outcome *ret,
    struct diag *diag)
{
	struct entry *entry = &ret->entry;
	int error = desk_check_room(desk, diag);

	if (error) {
		return error;
	}
	entry->reason = verdict->text ? verdict->text : "waiting for approval";
	if (verdict->check_after > 0) {
		entry->check_after = verdict->check_after;
	}
	if (verdict->approvals > 0) {
		entry->approvals_needed = verdict->approvals;
	}
	ret->status = DESK_WAITING;
	ret->check_after = entry->check_after;
	ret->text = entry->reason;
	return file_entry(desk, entry, ENTRY_PENDING, "client", "entry.held", entry->reason);
}

int
desk_inquire(struct desk *desk, const struct desk_requester *requester,
    const struct desk_inquiry *inquiry, struct desk_verdict *verdicts, void (*wake)(void *arg),
    void *arg, struct desk_outcome *ret, struct diag *diag)
{
	struct policy_verdict verdict = {.answer = POLICY_PASS, .fail_info = -1};
	int error = ask_all(desk, requester, inquiry, verdicts, wake, arg, &verdict);

	if (error) {
		return error;
	}
	memset(ret, 0, sizeof(*ret));
	ret->cert_req_id = DESK_WHOLE;
	ret->fail_info = -1;
	ret->status = DESK_GRANTED;
	if (verdict.answer == POLICY_PASS && (inquiry->endpoint->hold & CONF_BODY(inquiry->type))) {
		verdict.answer = POLICY_HOLD;
	}
	if (verdict.answer != POLICY_DENY && verdict.answer != POLICY_HOLD) {
		return 0;
	}
	error = fill_entry(desk, requester, inquiry, verdicts[0].asked, &ret->entry);
	if (error) {
		return error;
	}
	return verdict.answer == POLICY_DENY ? deny(desk, &verdict, ret)
					     : hold(desk, &verdict, ret, diag);
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
