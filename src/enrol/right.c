/* Who may do what: every enum desk_deed is given or refused here. What a factory certificate may open is a matter of auth. */
#include <string.h>

#include "enrol/internal.h"

static int
must_be_ra(const struct desk_requester *requester, struct diag *diag)
{
	return requester->ra
		   ? 0
		   : diag_set(diag, CMPD_EACCES, "raVerified is for registration authorities only");
}

/* The key is for whoever protects the message that asks for it. */
static int
must_be_owner(const struct desk_requester *requester, struct diag *diag)
{
	return requester->ra ? diag_set(diag, CMPD_EACCES,
				   "no key is made for others: who shall have it must ask for it")
			     : 0;
}

static bool
is_itself(const struct desk_requester *requester, const struct cert *cert)
{
	return requester->signer.data &&
	       !memcmp(requester->identity.certificate, cert->sha256, DIGEST_SIZE);
}

/* Any generation of the CA of a profile. */
static bool
profile_has_ca(struct desk *desk, const char *name, const uint8_t ca[CA_ID_SIZE])
{
	const struct conf_profile *profile = conf_profile_find(desk->conf, name);
	struct issuer_generation g;

	for (size_t i = 0; profile && issuer_generation0(desk->issuer, i, &g) == 0; i++) {
		if (!strcmp(g.conf->name, profile->ca) && !memcmp(g.id, ca, CA_ID_SIZE)) {
			return true;
		}
	}
	return false;
}

/* An RA acts for others as far as the CAs of its endpoint go. */
static int
must_be_served(struct desk *desk, const struct conf_endpoint *endpoint, const struct cert *cert,
    struct diag *diag)
{
	bool served = profile_has_ca(desk, endpoint->profile, cert->ca);

	for (const char **name = endpoint->profiles; !served && name && *name; name++) {
		served = profile_has_ca(desk, *name, cert->ca);
	}
	return served
		   ? 0
		   : diag_set(diag, CMPD_EACCES, "the certificate is not of a CA of this endpoint");
}

/* Where the endpoint lets secrets revoke: those certificates that were obtained with it. */
static int
must_have_obtained(struct desk *desk, const struct desk_requester *requester,
    const struct conf_endpoint *endpoint, const struct cert *cert, struct diag *diag)
{
	char id[2 * ENTRY_ID_SIZE + 1];
	struct entry entry;
	int error;

	if (!endpoint->rr_mac) {
		return diag_set(diag, CMPD_EACCES,
		    "revocation by a shared secret is not allowed here");
	}
	hex_encode(bytes_of(cert->entry, sizeof(cert->entry)), id, sizeof(id));
	error = store_entry_by_id(desk->reader, desk->pool, id, &entry);
	if (!error && entry.secret == requester->secret->id) {
		return 0;
	}
	if (error && error != CMPD_ENOENT) {
		return error;
	}
	return diag_set(diag, CMPD_EACCES, "the certificate was not obtained with this secret");
}

int
desk_may(struct desk *desk, const struct desk_requester *requester,
    const struct conf_endpoint *endpoint, enum desk_deed deed, const struct cert *cert,
    struct diag *diag)
{
	if (deed == DESK_DEED_RA_VERIFIED) {
		return must_be_ra(requester, diag);
	}
	if (deed == DESK_DEED_MADE_KEY) {
		return must_be_owner(requester, diag);
	}
	if (is_itself(requester, cert)) {
		return 0;
	}
	if (requester->ra) {
		return must_be_served(desk, endpoint, cert, diag);
	}
	if (deed == DESK_DEED_REVOKE && requester->secret) {
		return must_have_obtained(desk, requester, endpoint, cert, diag);
	}
	return diag_set(diag, CMPD_EACCES,
	    "only the certificate itself or a registration authority may ask for its %s",
	    deed == DESK_DEED_REVOKE ? "revocation" : "update");
}
