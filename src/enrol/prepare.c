#include <string.h>

#include "enrol/submission.h"
#include "model/certificate.h"
#include "model/name.h"
#include "model/spki.h"

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
	if (s->vendor.profile) {
		name = s->vendor.profile;
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

/* Who sends no key gets one made, of a kind that the endpoint has: the first with the algorithm that is asked for. */
static int
choose_key(struct submission *s)
{
	const char **kinds = s->request->endpoint->central_key;
	struct bytes spki = s->wanted.spki;
	bool any = !spki.data;

	if (!any && !spki_is_wish(spki)) {
		return 0;
	}
	while (kinds && *kinds && !any && !spki_wish_fits(spki, *kinds)) {
		kinds++;
	}
	if (!kinds || !*kinds) {
		return diag_set(&s->diag, CMPD_ETEMPLATE, "%s: send a public key",
		    any ? "keys are not made here" : "keys of this algorithm are not made here");
	}
	s->wanted.make_key = *kinds;
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

/* kur (RFC 9810 5.3.5): the certificate to be updated is the signer's own. An RA always names it by oldCertID, so that a forgotten
 * one never gives somebody else's key the names of the RA. */
static int
find_old(struct submission *s)
{
	const struct desk_requester *requester = s->requester;
	const struct desk_request *request = s->request;
	struct desk *desk = s->desk;
	int error;

	if (!requester->ra) {
		if (!requester->signer_ours) {
			return diag_set(&s->diag, CMPD_ECERTID,
			    "the certificate to be updated was not issued here");
		}
		error = store_cert_get(desk->reader, desk->pool, requester->signer_ca,
		    requester->signer_serial, &s->old);
		return error == CMPD_ENOENT ? diag_set(&s->diag, CMPD_ECERTID,
						  "the certificate to be updated is not known")
					    : error;
	}
	if (!request->old_issuer.data || !request->old_serial.data) {
		return diag_set(&s->diag, CMPD_ECERTID,
		    "oldCertID must name the certificate that a registration authority updates");
	}
	error = desk_cert_named(desk, request->old_issuer, request->old_serial, &s->old, &s->diag);
	return error ? error
		     : desk_may(desk, requester, request->endpoint, DESK_DEED_UPDATE, &s->old,
			   &s->diag);
}

static int
check_old(struct submission *s)
{
	if (s->old.status != CERT_VALID) {
		return diag_set(&s->diag, CMPD_EREVOKED,
		    "the certificate to be updated is revoked");
	}
	if (s->desk->now > s->old.not_after) {
		return diag_set(&s->diag, CMPD_ECERTID,
		    "the certificate to be updated has expired");
	}
	return check_no_update(s);
}

/* What the template leaves out is taken from the certificate to be updated. */
static int
complete_update(struct submission *s)
{
	struct certificate_parts old;
	const char **have = NULL;
	int error;

	if (s->request->type != REQUEST_KUR) {
		return 0;
	}
	error = find_old(s);
	if (!error) {
		error = check_old(s);
	}
	if (error) {
		return error;
	}
	s->has_old = true;
	if (certificate_read(s->old.der, &old)) {
		return CMPD_ECORRUPT;
	}
	if (!s->wanted.subject.data) {
		s->wanted.subject = old.subject;
	}
	error = name_sans_to_text(s->desk->pool, s->wanted.extensions, &have);
	if (error || *have) {
		return error;
	}
	error = name_sans_to_text(s->desk->pool, old.extensions, &have);
	if (error || !*have) {
		return error;
	}
	return name_sans_replace(s->desk->pool, s->wanted.extensions, (const char *const *)have,
	    false, &s->wanted.extensions);
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
	int error = submission_find_vendor(s);

	if (!error) {
		error = choose_profile(s);
	}
	if (!error) {
		error = choose_key(s);
	}
	if (!error) {
		error = complete_update(s);
	}
	if (!error) {
		error = submission_take_vendor(s);
	}
	if (!error) {
		error = submission_resolve(s);
	}
	if (!error && s->vendor.mods) {
		s->mods = s->mods ? pool_printf(s->desk->pool, "%s; %s", s->vendor.mods, s->mods)
				  : s->vendor.mods;
		error = s->mods ? 0 : CMPD_ENOMEM;
	}
	/* One that is to be made has not been seen before. */
	if (!error && s->wanted.make_key) {
		return 0;
	}
	if (!error) {
		error = digest_sha256(s->resolved.spki, s->spki_sha256);
	}
	return error ? error : check_same_key(s);
}
