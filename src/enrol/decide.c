#include <string.h>

#include "enrol/internal.h"
#include "model/name.h"

/* Comments and approvals of one entry; a bound, so that nobody can blow up a record. */
#define DESK_NOTES_MAX 32

static int
note_add(struct desk *desk, const char ***list, const char *note)
{
	size_t n = 0;
	const char **longer = NULL;

	while (*list && (*list)[n]) {
		n++;
	}
	if (n >= DESK_NOTES_MAX) {
		return CMPD_ELIMIT;
	}
	longer = pool_alloc(desk->pool, (n + 2) * sizeof(*longer));
	if (!longer) {
		return CMPD_ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		longer[i] = (*list)[i];
	}
	longer[n] = note;
	*list = longer;
	return 0;
}

static bool
note_has(const char **list, const char *note)
{
	for (; list && *list; list++) {
		if (!strcmp(*list, note)) {
			return true;
		}
	}
	return false;
}

static size_t
note_count(const char **list)
{
	size_t n = 0;

	while (list && list[n]) {
		n++;
	}
	return n;
}

/* The template of a held entry as the profile makes it now. Approval stores it; collection makes exactly that. */
static int
resolve_entry(struct desk *desk, struct entry *entry, const struct policy_verdict *verdict,
    struct diag *diag)
{
	struct template wanted = entry->requested;
	const char *mods = NULL;
	struct bytes subject;
	int error;

	if (verdict && verdict->profile) {
		entry->profile = verdict->profile;
	}
	wanted.make_key = entry->make_key;
	/* What was shown to the people who decide: kur may have taken names from the old certificate. */
	error = name_from_text(desk->pool,
	    verdict && verdict->subject ? verdict->subject : entry->subject, &subject);
	if (error) {
		return error;
	}
	if (!wanted.subject.data || !name_equal(wanted.subject, subject)) {
		wanted.subject = subject;
	}
	if ((verdict && verdict->sans) || entry->mods || entry->type == REQUEST_KUR) {
		const char **sans = verdict && verdict->sans ? verdict->sans : entry->sans;

		error = name_sans_replace(desk->pool, wanted.extensions, (const char *const *)sans,
		    false, &wanted.extensions);
		if (error) {
			return error;
		}
	}
	error = issuer_resolve(desk->issuer, entry->profile, &wanted, desk->pool, &entry->resolved,
	    &mods, diag);
	if (error) {
		return error;
	}
	if (verdict && verdict->validity > 0 && verdict->validity < entry->resolved.validity) {
		entry->resolved.validity = verdict->validity;
	}
	if (!entry->mods) {
		entry->mods = mods;
	}
	error = name_to_text(desk->pool, entry->resolved.subject, &entry->subject);
	return error ? error
		     : name_sans_to_text(desk->pool, entry->resolved.extensions, &entry->sans);
}

static int
check_open(const struct entry *entry, uint64_t version, struct diag *diag)
{
	if (version && version != entry->version) {
		return diag_set(diag, CMPD_ECONFLICT,
		    "changed since you looked: it is %s now, version %llu",
		    entry_state_name(entry->state), (unsigned long long)entry->version);
	}
	if (entry->state == ENTRY_PENDING) {
		return 0;
	}
	return diag_set(diag, CMPD_ESTATE, "nothing to decide: it is %s%s%s",
	    entry_state_name(entry->state), entry->decided_by ? ", decided by " : "",
	    entry->decided_by ? entry->decided_by : "");
}

static int
approve(struct desk *desk, struct entry *entry, const char *actor,
    const struct policy_verdict *verdict, struct diag *diag)
{
	int error;

	if (note_has(entry->approvals, actor)) {
		return diag_set(diag, CMPD_EEXIST, "%s has approved it already", actor);
	}
	error = request_type_enrols(entry->type) ? resolve_entry(desk, entry, verdict, diag) : 0;
	if (!error) {
		error = note_add(desk, &entry->approvals, actor);
	}
	if (error) {
		return error;
	}
	desk_audit_entry(desk, entry, actor, "entry.approved", NULL);
	if (note_count(entry->approvals) < entry->approvals_needed && !verdict) {
		memset(&entry->resolved, 0, sizeof(entry->resolved));
		unit_put_entry(desk->unit, entry, ENTRY_PENDING);
		return 0;
	}
	entry->decided = desk->now;
	entry->decided_by = actor;
	return desk_move_entry(desk, entry, ENTRY_APPROVED);
}

static int
deny(struct desk *desk, struct entry *entry, const char *actor, int fail_info, const char *text)
{
	entry->fail_info = fail_info;
	entry->text = text;
	entry->decided = desk->now;
	entry->decided_by = actor;
	desk_audit_entry(desk, entry, actor, "entry.denied", text);
	return desk_move_entry(desk, entry, ENTRY_DENIED);
}

static int
comment(struct desk *desk, struct entry *entry, const struct decision *decision, struct diag *diag)
{
	char when[CLOCK_TEXT_SIZE];
	const char *note = pool_printf(desk->pool, "%s %s: %s", clock_format(desk->now, when),
	    decision->actor, decision->text ? decision->text : "");
	int error = note ? note_add(desk, &entry->comments, note) : CMPD_ENOMEM;

	if (error == CMPD_ELIMIT) {
		return diag_set(diag, error, "there are %d comments already", DESK_NOTES_MAX);
	}
	if (error) {
		return error;
	}
	desk_audit_entry(desk, entry, decision->actor, "entry.comment", decision->text);
	unit_put_entry(desk->unit, entry, entry->state);
	return 0;
}

int
desk_decide(struct desk *desk, const char *hex_id, const struct decision *decision,
    struct entry *ret, struct diag *diag)
{
	struct entry entry;
	int error = store_entry_by_id(desk->reader, desk->pool, hex_id, &entry);

	if (error) {
		return error;
	}
	if (decision->kind == DECISION_COMMENT) {
		error = comment(desk, &entry, decision, diag);
	} else {
		error = check_open(&entry, decision->version, diag);
		if (!error && decision->kind == DECISION_APPROVE) {
			error = approve(desk, &entry, decision->actor, NULL, diag);
		} else if (!error) {
			error = deny(desk, &entry, decision->actor, decision->fail_info,
			    decision->text);
		}
	}
	if (!error) {
		*ret = entry;
	}
	return error;
}

int
desk_decide_late(struct desk *desk, const struct txn_key *txn, int64_t cert_req_id,
    const struct policy_verdict *verdict, struct entry *ret, struct diag *diag)
{
	const char *actor =
	    pool_printf(desk->pool, "plugin:%s", verdict->plugin ? verdict->plugin : "?");
	struct entry entry;
	int error = store_entry_find(desk->reader, desk->pool, txn, cert_req_id, &entry);

	if (!actor) {
		return CMPD_ENOMEM;
	}
	if (!error && entry.received != verdict->received) {
		error = CMPD_ENOENT;
	}
	if (!error) {
		error = check_open(&entry, 0, diag);
	}
	if (error) {
		return error;
	}
	/* Names beyond the requester's own are an operator's to grant. */
	if (verdict->answer == POLICY_GRANT &&
	    (!entry.names_bound || verdict->subject || verdict->sans)) {
		return diag_set(diag, CMPD_EACCES,
		    "the names are not the requester's own: an operator must decide");
	}
	if (verdict->answer == POLICY_GRANT) {
		error = approve(desk, &entry, actor, verdict, diag);
	} else if (verdict->answer == POLICY_DENY) {
		error = deny(desk, &entry, actor, verdict->fail_info, verdict->text);
	}
	if (!error) {
		*ret = entry;
	}
	return error;
}

int
desk_revoke(struct desk *desk, const char *hex_serial, int reason, const char *actor,
    struct cert *ret, struct diag *diag)
{
	struct cert cert;
	int error = store_cert_by_serial(desk->reader, desk->pool, hex_serial, &cert);
	char serial[2 * SERIAL_MAX + 1];

	if (error) {
		return error;
	}
	if (cert.status == CERT_REVOKED) {
		return diag_set(diag, CMPD_EREVOKED, "it is revoked already");
	}
	cert.status = CERT_REVOKED;
	cert.reason = reason;
	cert.revoked = desk->now;
	unit_put_cert(desk->unit, &cert);
	unit_audit(desk->unit, desk->now, actor, "cert.revoked",
	    hex_encode(cert.serial, serial, sizeof(serial)), cert.subject);
	*ret = cert;
	return 0;
}
