#include <string.h>

#include "enrol/submission.h"
#include "model/name.h"

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

int
submission_resolve(struct submission *s)
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

int
submission_prepare(struct submission *s)
{
	int error = choose_profile(s);

	if (!error) {
		error = complete_update(s);
	}
	if (!error) {
		error = submission_resolve(s);
	}
	if (!error) {
		error = digest_sha256(s->resolved.spki, s->spki_sha256);
	}
	return error ? error : check_same_key(s);
}
