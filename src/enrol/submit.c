#include <openssl/evp.h>
#include <string.h>

#include "enrol/submission.h"
#include "model/name.h"

/* A fault of the request: nothing is stored, the door says it. */
static int
reject(struct submission *s, int error, struct desk_outcome *ret)
{
	ret->status = DESK_REJECTED;
	ret->error = error;
	ret->fail_info = FI_NONE;
	ret->text =
	    pool_strdup(s->desk->pool, s->diag.text[0] ? s->diag.text : cmpd_strerror(error));
	return ret->text ? 0 : CMPD_ENOMEM;
}

static int
ask_policy(struct submission *s, struct desk_verdict *slot, void (*wake)(void *), void *arg)
{
	char key_type[ISSUER_KEY_TYPE_SIZE];
	const char *make_key = s->wanted.make_key;
	struct policy_request question = {
	    .req = s->request->req,
	    .txn = s->request->txn,
	    .cert_req_id = s->request->cert_req_id,
	    .type = s->request->type,
	    .profile = s->profile->name,
	    .subject = s->subject,
	    .sans = s->sans,
	    .spki = s->resolved.spki,
	    .template = s->request->raw,
	    .key_type = make_key ? make_key : key_type,
	    .pop = s->request->pop,
	};
	int error = slot->call || make_key ? 0 : issuer_key_type(s->resolved.spki, key_type);

	if (!error) {
		error = desk_ask_policy(s->desk, s->requester, s->request->endpoint, &question,
		    slot, wake, arg, &s->verdict);
	}
	s->received = slot->asked;
	return error;
}

/* The plugin may have changed the request: check the changed one like the one that came. */
static int
apply_changes(struct submission *s)
{
	const struct policy_verdict *v = &s->verdict;
	const char *first = s->mods;
	int error = 0;

	if (!v->subject && !v->sans && !v->validity && !v->profile) {
		return 0;
	}
	if (v->profile) {
		s->profile = conf_profile_find(s->desk->conf, v->profile);
		if (!s->profile) {
			return diag_set(&s->diag, CMPD_EPLUGIN,
			    "policy names a profile that does not exist");
		}
	}
	if (v->subject) {
		error = name_from_text(s->desk->pool, v->subject, &s->wanted.subject);
	}
	if (!error && v->sans) {
		error = name_sans_replace(s->desk->pool, s->wanted.extensions,
		    (const char *const *)v->sans, false, &s->wanted.extensions);
	}
	if (!error) {
		error = submission_resolve(s);
	}
	if (error) {
		return error;
	}
	if (v->validity > 0 && v->validity < s->resolved.validity) {
		s->resolved.validity = v->validity;
	}
	s->mods = pool_printf(s->desk->pool, "%s%schanged by policy", first ? first : "",
	    first ? "; " : "");
	return s->mods ? 0 : CMPD_ENOMEM;
}

static int
fill_entry(struct submission *s, struct entry *entry)
{
	desk_entry_init(s->desk, s->requester, s->request->endpoint, entry);
	entry->txn = s->request->txn;
	entry->cert_req_id = s->request->cert_req_id;
	entry->type = s->request->type;
	entry->profile = s->profile->name;
	entry->requested = s->request->template;
	entry->resolved = s->resolved;
	entry->make_key = s->wanted.make_key;
	entry->mods = s->mods;
	entry->subject = s->subject;
	entry->sans = s->sans;
	memcpy(entry->spki_sha256, s->spki_sha256, DIGEST_SIZE);
	entry->pop = s->request->pop;
	if (s->vendor.source) {
		entry->requester =
		    pool_printf(s->desk->pool, "%s names=%s", entry->requester, s->vendor.source);
	}
	if (s->has_old) {
		memcpy(entry->signer_ca, s->old.ca, sizeof(entry->signer_ca));
		entry->signer_serial = s->old.serial;
	}
	entry->received = s->received;
	return entry->requester ? 0 : CMPD_ENOMEM;
}

static int
hold(struct submission *s, const char *reason, struct desk_outcome *ret)
{
	int error;

	memset(&ret->entry.resolved, 0, sizeof(ret->entry.resolved));
	error = desk_hold_entry(s->desk, &s->verdict, reason, ret, &s->diag);
	return error == CMPD_EUNAVAILABLE ? reject(s, error, ret) : error;
}

static int
grant(struct submission *s, struct desk_outcome *ret)
{
	struct entry *entry = &ret->entry;
	struct cert cert;
	int error;

	entry->decided_by = pool_printf(s->desk->pool, "plugin:%s", s->verdict.plugin);
	if (!entry->decided_by) {
		return CMPD_ENOMEM;
	}
	entry->state = ENTRY_APPROVED;
	entry->decided = s->desk->now;
	error = desk_make_certificate(s->desk, entry, s->request->endpoint,
	    s->request->implicit_confirm, &cert, &ret->made_key, &s->diag);
	if (error) {
		return error;
	}
	desk_outcome_granted(ret, cert.der);
	return 0;
}

static int
follow_verdict(struct submission *s, struct desk_outcome *ret)
{
	struct entry *entry = &ret->entry;
	const char *why = NULL;
	int error = fill_entry(s, entry);

	if (!error) {
		error = desk_names_check(s->desk, &s->owner, s->profile, s->resolved.subject,
		    s->resolved.extensions, &entry->names_bound, &why);
	}
	if (error) {
		return error;
	}
	if (s->vendor.unknown) {
		entry->names_bound = false;
		why = s->vendor.unknown;
	}
	switch (s->verdict.answer) {
	case POLICY_DENY:
		return desk_deny_entry(s->desk, &s->verdict, ret);
	case POLICY_HOLD:
		return hold(s, s->verdict.text ? s->verdict.text : "waiting for approval", ret);
	case POLICY_PASS:
		/* Nobody granted it: an enrolment is held, never granted. */
		return hold(s, s->vendor.unknown ? s->vendor.unknown : "waiting for approval", ret);
	case POLICY_GRANT:
		break;
	}
	return entry->names_bound ? grant(s, ret) : hold(s, why, ret);
}

/* The certificate that a kur updates remembers it, so that there is one update at a time. */
static int
note_update(struct submission *s, const struct entry *entry)
{
	if (!s->has_old || entry->state == ENTRY_DENIED) {
		return 0;
	}
	memcpy(s->old.update, entry->id, sizeof(s->old.update));
	if (entry->state == ENTRY_CONFIRMED) {
		desk_supersede(s->desk, &s->old, s->request->endpoint);
	}
	unit_put_cert(s->desk->unit, &s->old);
	return 0;
}

int
desk_submit(struct desk *desk, const struct desk_requester *requester,
    const struct desk_request *request, struct desk_verdict *verdict, void (*wake)(void *arg),
    void *arg, struct desk_outcome *ret)
{
	struct submission s = {
	    .desk = desk, .requester = requester, .request = request, .wanted = request->template};
	int error;

	desk_outcome_init(ret, request->cert_req_id);
	error = submission_prepare(&s);
	if (!error) {
		error = ask_policy(&s, verdict, wake, arg);
	}
	if (!error) {
		error = apply_changes(&s);
		if (error && (desk_is_fault(error) || error == CMPD_EPLUGIN)) {
			/* What the plugin made of it cannot be issued: that is not the client's fault. */
			s.verdict.answer = POLICY_HOLD;
			s.verdict.text = "waiting for approval";
			s.wanted = request->template;
			error = submission_prepare(&s);
		}
	}
	if (!error) {
		error = follow_verdict(&s, ret);
	}
	/* Entries are forgotten some day, the audit is not: it names the authority. */
	if (!error && !ret->error && (requester->ra || requester->carrier)) {
		desk_audit_entry(desk, &ret->entry, "client", "entry.by_ra", requester->words);
	}
	if (!error) {
		error = note_update(&s, &ret->entry);
	}
	if (error) {
		EVP_PKEY_free(ret->made_key);
		ret->made_key = NULL;
	}
	if (error && desk_is_fault(error)) {
		return reject(&s, error, ret);
	}
	return error;
}
