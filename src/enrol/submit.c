#include <string.h>

#include "enrol/internal.h"
#include "model/name.h"

/* What submit gathers about one request. */
struct submission {
	struct desk *desk;
	const struct desk_requester *requester;
	const struct desk_request *request;
	const struct conf_profile *profile;
	struct template wanted; /* the request, completed */
	struct template resolved;
	const char *mods;
	const char *subject; /* of resolved */
	const char **sans;
	struct policy_verdict verdict;
	int64_t received; /* when policy was asked first */
	uint8_t spki_sha256[DIGEST_SIZE];
	bool has_old; /* kur: the certificate to be updated */
	struct cert old;
	struct diag diag;
};

/* A fault of the request: nothing is stored, the door says it. */
static int
reject(struct submission *s, int error, struct desk_outcome *ret)
{
	ret->status = DESK_REJECTED;
	ret->error = error;
	ret->fail_info = -1;
	ret->text =
	    pool_strdup(s->desk->pool, s->diag.text[0] ? s->diag.text : cmpd_strerror(error));
	return ret->text ? 0 : CMPD_ENOMEM;
}

bool
desk_profile_offered(const struct conf_endpoint *endpoint, const char *name)
{
	if (!strcmp(name, endpoint->profile)) {
		return true;
	}
	for (const char **offered = endpoint->profiles; offered && *offered; offered++) {
		if (!strcmp(*offered, name)) {
			return true;
		}
	}
	return false;
}

static int
choose_profile(struct submission *s)
{
	const struct conf_endpoint *endpoint = s->request->endpoint;
	const char *name = s->request->profile;

	if (name && !desk_profile_offered(endpoint, name)) {
		return diag_set(&s->diag, CMPD_ETEMPLATE, "certProfile \"%s\" is not offered here",
		    name);
	}
	/* A secret that is bound to a profile gets that one, whatever is asked for. */
	if (s->requester->secret && s->requester->secret->profile) {
		name = s->requester->secret->profile;
	}
	if (!name) {
		name = endpoint->profile;
	}
	s->profile = conf_profile_find(s->desk->conf, name);
	if (!s->profile) {
		return diag_set(&s->diag, CMPD_ETEMPLATE, "there is no profile \"%s\"", name);
	}
	return 0;
}

static bool
is_zero(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i]) {
			return false;
		}
	}
	return true;
}

/* One update at a time: the last one must have come to nothing. */
static int
check_no_update(struct submission *s)
{
	char id[2 * ENTRY_ID_SIZE + 1];
	struct entry entry;
	int error;

	if (s->old.updated) {
		return diag_set(&s->diag, CMPD_ECERTID, "the certificate has been updated already");
	}
	if (is_zero(s->old.update, sizeof(s->old.update))) {
		return 0;
	}
	hex_encode(bytes_of(s->old.update, sizeof(s->old.update)), id, sizeof(id));
	error = store_entry_by_id(s->desk->reader, s->desk->pool, id, &entry);
	if (error) {
		return error == CMPD_ENOENT ? 0 : error;
	}
	if (entry_state_is_final(entry.state)) {
		return 0;
	}
	return diag_set(&s->diag, CMPD_EINVAL, "an update of the certificate is %s: end it first",
	    entry_state_name(entry.state));
}

/* kur (RFC 9810 5.3.5): the signer's certificate is the one to be updated; it must be ours and good. What the template
 * leaves out is taken from it. */
static int
complete_update(struct submission *s)
{
	const struct desk_requester *requester = s->requester;
	const char *const *sans = NULL;
	const char **have = NULL;
	int error;

	if (s->request->type != REQUEST_KUR) {
		return 0;
	}
	if (!requester->signer_ours) {
		return diag_set(&s->diag, CMPD_ECERTID,
		    "the certificate to be updated was not issued here");
	}
	error = store_cert_get(s->desk->reader, s->desk->pool, requester->signer_ca,
	    requester->signer_serial, &s->old);
	if (error == CMPD_ENOENT) {
		return diag_set(&s->diag, CMPD_ECERTID,
		    "the certificate to be updated is not known");
	}
	if (error) {
		return error;
	}
	if (s->old.status != CERT_VALID) {
		return diag_set(&s->diag, CMPD_EREVOKED,
		    "the certificate to be updated is revoked");
	}
	if (requester->signer_expired) {
		return diag_set(&s->diag, CMPD_ECERTID,
		    "the certificate to be updated has expired");
	}
	error = check_no_update(s);
	if (error) {
		return error;
	}
	s->has_old = true;
	if (!s->wanted.subject.data) {
		s->wanted.subject = requester->signer_subject;
	}
	error = name_sans_to_text(s->desk->pool, s->wanted.extensions, &have);
	if (error || *have || !requester->signer_extensions.data) {
		return error;
	}
	error = name_sans_to_text(s->desk->pool, requester->signer_extensions, &have);
	sans = (const char *const *)have;
	if (error || !*sans) {
		return error;
	}
	return name_sans_replace(s->desk->pool, s->wanted.extensions, sans, false,
	    &s->wanted.extensions);
}

/* A key that has a valid certificate gets no other one, unless the endpoint says so. Unconfirmed ones do not count: their
 * clients may have lost them and begin anew. */
static int
check_same_key(struct submission *s)
{
	struct cert cert;
	int error;

	if (s->request->endpoint->same_key & CONF_BODY(s->request->type)) {
		return 0;
	}
	error = store_cert_by_key(s->desk->reader, s->desk->pool, s->spki_sha256, &cert);
	if (error) {
		return error == CMPD_ENOENT ? 0 : error;
	}
	if (!cert.confirmed || cert.not_after <= s->desk->now) {
		return 0;
	}
	return diag_set(&s->diag, CMPD_ETEMPLATE,
	    "the key has a valid certificate already: make a new one");
}

static int
resolve(struct submission *s)
{
	int error = issuer_resolve(s->desk->issuer, s->profile->name, &s->wanted, s->desk->pool,
	    &s->resolved, &s->mods, &s->diag);

	if (!error) {
		error = name_to_text(s->desk->pool, s->resolved.subject, &s->subject);
	}
	if (!error) {
		error = name_sans_to_text(s->desk->pool, s->resolved.extensions, &s->sans);
	}
	return error;
}

static int
ask_policy(struct submission *s, struct desk_verdict *slot, void (*wake)(void *), void *arg)
{
	const struct desk_requester *requester = s->requester;
	const struct policy_chain *chain = policy_chain_get0(s->desk->policy, s->request->endpoint);
	char key_type[ISSUER_KEY_TYPE_SIZE];
	struct policy_request question = {
	    .req = s->request->req,
	    .txn = s->request->txn,
	    .cert_req_id = s->request->cert_req_id,
	    .type = s->request->type,
	    .endpoint = s->request->endpoint->path,
	    .profile = s->profile->name,
	    .subject = s->subject,
	    .sans = s->sans,
	    .requester = requester->words,
	    .requester_kind = requester->secret ? "mac" : "signature",
	    .reference = requester->reference,
	    .signer = requester->signer,
	    .spki = s->resolved.spki,
	    .template = s->request->raw,
	    .key_type = key_type,
	    .peer = requester->peer,
	    .pop = s->request->pop,
	    .received = s->desk->now,
	};
	int error;

	memset(&s->verdict, 0, sizeof(s->verdict));
	s->verdict.fail_info = -1;
	if (!slot->call) {
		error = issuer_key_type(s->resolved.spki, key_type);
		if (!error && requester->signer_subject.data) {
			error = name_to_text(s->desk->pool, requester->signer_subject,
			    &question.signer_subject);
		}
		if (error) {
			return error;
		}
		slot->asked = s->desk->now;
		slot->call = policy_call_new(chain, &question);
		if (!slot->call) {
			return CMPD_ENOMEM;
		}
		error = policy_call_run(slot->call, wake, arg);
		if (error == CMPD_EUNAVAILABLE) {
			/* No thread for it: an operator decides, and nobody waits for a verdict. */
			slot->over = true;
		} else if (error) {
			return error;
		}
	}
	s->received = slot->asked;
	error = policy_call_verdict(slot->call, &s->verdict);
	if (error == CMPD_EPARKED && slot->over) {
		slot->detach = true;
		s->verdict.answer = POLICY_HOLD;
		s->verdict.text = "policy has not decided yet";
		return 0;
	}
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
		error = resolve(s);
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

static void
fill_entry(struct submission *s, struct entry *entry)
{
	const struct desk_requester *requester = s->requester;

	memset(entry, 0, sizeof(*entry));
	random_bytes(entry->id, sizeof(entry->id));
	entry->state = ENTRY_RECEIVED;
	entry->txn = s->request->txn;
	entry->cert_req_id = s->request->cert_req_id;
	entry->type = s->request->type;
	entry->endpoint = s->request->endpoint->path;
	entry->profile = s->profile->name;
	entry->requested = s->request->template;
	entry->resolved = s->resolved;
	entry->mods = s->mods;
	entry->subject = s->subject;
	entry->sans = s->sans;
	entry->pop = s->request->pop;
	entry->requester = requester->words;
	entry->secret = requester->secret ? requester->secret->id : 0;
	memcpy(entry->signer_ca, requester->signer_ca, sizeof(entry->signer_ca));
	entry->signer_serial = requester->signer_serial;
	entry->peer = requester->peer;
	entry->received = s->received;
	entry->expires = s->desk->now + s->request->endpoint->entry_ttl;
	entry->check_after = s->request->endpoint->check_after;
	entry->fail_info = -1;
	entry->approvals_needed = 1;
}

/* Puts a new entry into the unit in the state the verdict leads to. */
static int
file_entry(struct submission *s, struct entry *entry, enum entry_state to)
{
	if (!entry_state_can_move(entry->state, to)) {
		return CMPD_ESTATE;
	}
	entry->state = to;
	if (to == ENTRY_DENIED || to == ENTRY_APPROVED) {
		entry->decided = s->desk->now;
	}
	entry->due = desk_entry_due(s->desk, entry);
	unit_put_entry(s->desk->unit, entry, ENTRY_RECEIVED);
	return 0;
}

/* Workers look at it at the same time: a few more than the limit may get in. */
static int
check_room(struct submission *s)
{
	struct store_stats stats;
	int error = store_stats(s->desk->reader, &stats);

	if (error || stats.entries[ENTRY_PENDING] < (uint64_t)s->desk->conf->limits.pending) {
		return error;
	}
	return diag_set(&s->diag, CMPD_EUNAVAILABLE,
	    "too many requests wait for a decision already: try again later");
}

static int
hold(struct submission *s, struct entry *entry, const char *reason, struct desk_outcome *ret)
{
	int error = check_room(s);

	if (error) {
		return error == CMPD_EUNAVAILABLE ? reject(s, error, ret) : error;
	}
	if (s->verdict.answer == POLICY_HOLD) {
		if (s->verdict.check_after > 0) {
			entry->check_after = s->verdict.check_after;
		}
		if (s->verdict.approvals > 0) {
			entry->approvals_needed = s->verdict.approvals;
		}
	}
	entry->reason = reason;
	memset(&entry->resolved, 0, sizeof(entry->resolved));
	ret->status = DESK_WAITING;
	ret->check_after = entry->check_after;
	ret->text = reason;
	desk_audit_entry(s->desk, entry, "client", "entry.held", reason);
	return file_entry(s, entry, ENTRY_PENDING);
}

static int
deny(struct submission *s, struct entry *entry, struct desk_outcome *ret)
{
	entry->fail_info = s->verdict.fail_info;
	entry->text = s->verdict.text ? s->verdict.text : "refused by policy";
	entry->decided_by = pool_printf(s->desk->pool, "plugin:%s", s->verdict.plugin);
	if (!entry->decided_by) {
		return CMPD_ENOMEM;
	}
	ret->status = DESK_REJECTED;
	ret->fail_info = entry->fail_info;
	ret->text = entry->text;
	desk_audit_entry(s->desk, entry, entry->decided_by, "entry.denied", entry->text);
	return file_entry(s, entry, ENTRY_DENIED);
}

static int
grant(struct submission *s, struct entry *entry, struct desk_outcome *ret)
{
	struct cert cert;
	int error;

	entry->decided_by = pool_printf(s->desk->pool, "plugin:%s", s->verdict.plugin);
	if (!entry->decided_by) {
		return CMPD_ENOMEM;
	}
	entry->state = ENTRY_APPROVED;
	entry->decided = s->desk->now;
	error = desk_make_certificate(s->desk, entry, s->request->endpoint,
	    s->request->implicit_confirm, &cert, &s->diag);
	if (error) {
		return error;
	}
	ret->status = entry->mods ? DESK_GRANTED_WITH_MODS : DESK_GRANTED;
	ret->text = entry->mods;
	ret->certificate = cert.der;
	ret->confirmed = entry->state == ENTRY_CONFIRMED;
	return 0;
}

static int
follow_verdict(struct submission *s, struct desk_outcome *ret)
{
	struct entry *entry = &ret->entry;
	const char *why = NULL;
	int error;

	fill_entry(s, entry);
	memcpy(entry->spki_sha256, s->spki_sha256, DIGEST_SIZE);
	error = desk_names_check(s->desk, s->requester, s->profile, s->resolved.subject,
	    s->resolved.extensions, &entry->names_bound, &why);
	if (error) {
		return error;
	}
	switch (s->verdict.answer) {
	case POLICY_DENY:
		return deny(s, entry, ret);
	case POLICY_HOLD:
		return hold(s, entry, s->verdict.text ? s->verdict.text : "waiting for approval",
		    ret);
	case POLICY_PASS:
		/* Nobody granted it: an enrolment is held, never granted. */
		return hold(s, entry, "waiting for approval", ret);
	case POLICY_GRANT:
		break;
	}
	return entry->names_bound ? grant(s, entry, ret) : hold(s, entry, why, ret);
}

/* All that a request must pass before policy is asked. */
static int
prepare(struct submission *s)
{
	int error = choose_profile(s);

	if (!error) {
		error = complete_update(s);
	}
	if (!error) {
		error = resolve(s);
	}
	if (!error) {
		error = digest_sha256(s->resolved.spki, s->spki_sha256);
	}
	return error ? error : check_same_key(s);
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

	memset(ret, 0, sizeof(*ret));
	ret->cert_req_id = request->cert_req_id;
	ret->fail_info = -1;
	error = prepare(&s);
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
			error = prepare(&s);
		}
	}
	if (!error) {
		error = follow_verdict(&s, ret);
	}
	if (!error) {
		error = note_update(&s, &ret->entry);
	}
	if (error && desk_is_fault(error)) {
		return reject(&s, error, ret);
	}
	return error;
}
