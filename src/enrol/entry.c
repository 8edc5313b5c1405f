/* How a request becomes an entry, and how an entry goes from state to state. */
#include <string.h>

#include "enrol/internal.h"

const struct conf_endpoint *
desk_endpoint_find(const struct desk *desk, const char *path)
{
	return conf_endpoint_find(desk->conf, path);
}

void
desk_audit_entry(struct desk *desk, const struct entry *entry, const char *actor, const char *what,
    const char *text)
{
	char id[2 * ENTRY_ID_SIZE + 1];

	hex_encode(bytes_of(entry->id, sizeof(entry->id)), id, sizeof(id));
	unit_audit(desk->unit, desk->now, actor, what, id, text);
}

int64_t
desk_entry_due(const struct desk *desk, const struct entry *entry)
{
	switch (entry->state) {
	case ENTRY_PENDING:
	case ENTRY_APPROVED:
		return entry->expires;
	case ENTRY_ISSUED:
		return entry->confirm_until;
	default:
		return desk->now + desk->conf->retention.entry;
	}
}

int
desk_move_entry(struct desk *desk, struct entry *entry, enum entry_state to)
{
	enum entry_state from = entry->state;

	if (!entry_state_can_move(from, to)) {
		return CMPD_ESTATE;
	}
	entry->state = to;
	entry->due = desk_entry_due(desk, entry);
	unit_put_entry(desk->unit, entry, from);
	return 0;
}

/* May one more be held? CMPD_EUNAVAILABLE: too many are (diag). */
static int
check_room(struct desk *desk, struct diag *diag)
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

void
desk_entry_init(struct desk *desk, const struct desk_requester *requester,
    const struct conf_endpoint *endpoint, struct entry *ret)
{
	memset(ret, 0, sizeof(*ret));
	random_bytes(ret->id, sizeof(ret->id));
	ret->state = ENTRY_RECEIVED;
	ret->endpoint = endpoint->path;
	ret->profile = endpoint->profile;
	ret->subject = "/";
	ret->requester = requester->words;
	ret->secret = requester->secret ? requester->secret->id : 0;
	ret->peer = requester->peer;
	ret->received = desk->now;
	ret->expires = desk->now + endpoint->entry_ttl;
	ret->check_after = endpoint->check_after;
	ret->fail_info = FI_NONE;
	ret->approvals_needed = 1;
}

int
desk_hold_entry(struct desk *desk, const struct policy_verdict *verdict, const char *reason,
    struct desk_outcome *outcome, struct diag *diag)
{
	struct entry *entry = &outcome->entry;
	int error = check_room(desk, diag);

	if (error) {
		return error;
	}
	if (verdict->answer == POLICY_HOLD && verdict->check_after > 0) {
		entry->check_after = verdict->check_after;
	}
	if (verdict->answer == POLICY_HOLD && verdict->approvals > 0) {
		entry->approvals_needed = verdict->approvals;
	}
	entry->reason = reason;
	desk_outcome_waiting(outcome);
	desk_audit_entry(desk, entry, "client", "entry.held", reason);
	return desk_move_entry(desk, entry, ENTRY_PENDING);
}

static int
file_denied(struct desk *desk, const char *by, struct desk_outcome *outcome)
{
	struct entry *entry = &outcome->entry;

	entry->decided = desk->now;
	entry->decided_by = by;
	entry->fail_info = outcome->fail_info;
	entry->text = outcome->text;
	desk_audit_entry(desk, entry, by, "entry.denied", entry->text);
	return desk_move_entry(desk, entry, ENTRY_DENIED);
}

int
desk_deny_entry(struct desk *desk, const struct policy_verdict *verdict,
    struct desk_outcome *outcome)
{
	const char *by = pool_printf(desk->pool, "plugin:%s", verdict->plugin);

	desk_outcome_rejected(outcome, verdict->fail_info,
	    verdict->text ? verdict->text : "refused by policy");
	return by ? file_denied(desk, by, outcome) : CMPD_ENOMEM;
}

int
desk_file_rejected(struct desk *desk, const struct desk_requester *requester, const struct txn *txn,
    struct desk_outcome *outcome)
{
	const struct conf_endpoint *endpoint = desk_endpoint_find(desk, txn->endpoint);
	struct entry *entry = &outcome->entry;

	if (!endpoint) {
		return CMPD_ENOENT;
	}
	desk_entry_init(desk, requester, endpoint, entry);
	entry->txn = txn->key;
	entry->cert_req_id = outcome->cert_req_id;
	entry->type = txn->type;
	return file_denied(desk, "cmpd", outcome);
}
