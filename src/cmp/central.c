#include <openssl/evp.h>

#include "cmp/auth.h"
#include "cmp/central.h"
#include "cmp/keypackage.h"
#include "cmp/signer.h"
#include "model/spki.h"

bool
central_asked(const struct wire_cert_req *request)
{
	struct bytes spki = request->template.spki;

	return request->popo == WIRE_POPO_NONE && (!spki.data || spki_is_wish(spki));
}

/* Whoever sent this message: the key is for him. Lent until the next signer is loaded. */
static int
find_recipient(struct cmp_work *work, struct key_recipient *ret)
{
	struct signer *signer = NULL;
	int error;

	*ret = (struct key_recipient){.certificate = NULL};
	if (auth_protection(work->verified) == CMP_PROTECTION_MAC) {
		ret->secret = auth_mac_secret(work->verified);
		return 0;
	}
	error = signer_load(work->door, work->endpoint, auth_requester(work->verified)->signer,
	    &signer);
	if (!error) {
		ret->certificate = signer->certificate;
	}
	return error;
}

int
central_check(struct cmp_work *work, struct diag *why)
{
	struct key_recipient recipient;
	int error;

	if (!work->endpoint->kga) {
		return diag_set(why, CMPD_ETEMPLATE,
		    "the template has no public key, and keys are not made here");
	}
	error = desk_may(work->desk, auth_requester(work->verified), work->endpoint->conf,
	    DESK_DEED_MADE_KEY, NULL, why);
	if (!error) {
		error = find_recipient(work, &recipient);
	}
	return error || !recipient.certificate ? error
					       : key_recipient_check(recipient.certificate, why);
}

int
central_wrap(struct cmp_work *work, struct desk_outcome *outcome)
{
	struct cmp_endpoint *ep = NULL;
	struct key_recipient recipient;
	int error;

	if (!outcome->made_key) {
		return 0;
	}
	/* Polling may come by another path than the request. */
	ep = cmp_endpoint_find(work->door, outcome->entry.endpoint);
	error = ep && ep->kga ? find_recipient(work, &recipient) : CMPD_EUNAVAILABLE;
	if (!error) {
		error = key_package_make(work->door->libctx, ep->kga, &recipient, outcome->made_key,
		    work->desk->pool, &outcome->envelope);
	}
	EVP_PKEY_free(outcome->made_key);
	outcome->made_key = NULL;
	return error;
}
