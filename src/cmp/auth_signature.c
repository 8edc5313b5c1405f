#include <string.h>

#include "cmp/auth_parts.h"
#include "cmp/signer.h"
#include "cmp/verify.h"
#include "model/name.h"

static bool
signer_key_allowed(struct cmp_work *work, const struct signer *signer)
{
	const char **words = work->endpoint->conf->signer_keys;
	char kind[SPKI_TEXT_SIZE];

	for (; words && *words; words++) {
		if (spki_fits(&signer->spki, *words)) {
			return true;
		}
	}
	return cmp_work_fault(work, "B3.12", FI_BAD_ALG,
	    "the signer's key (%s) is not of an allowed kind", spki_to_text(&signer->spki, kind));
}

static bool
signer_fits_header(struct cmp_work *work, const struct signer *signer)
{
	const struct wire_header *header = &work->in.header;
	struct bytes name = wire_directory_name(header->sender);

	/* Nearly always the same bytes; comparing names costs two decodings. */
	if (!name.data ||
	    (!bytes_equal(name, signer->subject) && !name_equal(name, signer->subject))) {
		return cmp_work_fault(work, "B3.8", FI_BAD_MESSAGE_CHECK,
		    "sender is not the subject of the protection certificate (first of "
		    "extraCerts)");
	}
	if (header->sender_kid.data && signer->kid.data &&
	    !bytes_equal(header->sender_kid, signer->kid)) {
		return cmp_work_fault(work, "B3.8", FI_BAD_MESSAGE_CHECK,
		    "senderKID is not the subject key identifier of the protection certificate");
	}
	return true;
}

/* What the store knows of the signer's own certificate. */
struct standing {
	/* another CA may have the name of ours and give out our serials: ours is what is stored */
	bool ours;
	bool revoked; /* or on hold */
	bool expired;
};

static int
find_standing(struct cmp_work *work, const struct signer *signer, struct standing *ret)
{
	struct cert cert;
	int error;

	memset(ret, 0, sizeof(*ret));
	if (!signer->ours) {
		return 0;
	}
	error =
	    store_cert_get(work->desk->reader, work->desk->pool, signer->ca, signer->serial, &cert);
	if (error) {
		return error == CMPD_ENOENT ? 0 : error;
	}
	ret->ours = !memcmp(cert.sha256, signer->sha256, DIGEST_SIZE);
	ret->revoked = ret->ours && cert.status != CERT_VALID;
	ret->expired = ret->ours && work->desk->now > cert.not_after;
	return 0;
}

/* Revocation is looked at for every message, time only when a transaction opens. A certificate of ours that is revoked or
 * expired may still ask for its revocation or update, and is told by rp or kup what is wrong with it (B3.18). */
static int
signer_status(struct cmp_work *work, const struct signer *signer, struct standing *ret)
{
	bool about_itself = work->in.body_type == WIRE_RR || work->in.body_type == WIRE_KUR ||
			    (work->has_txn && work->txn.type == REQUEST_RR);
	int64_t now = work->desk->now;
	int error = find_standing(work, signer, ret);

	if (error) {
		return error;
	}
	if (!work->has_txn && (now < signer->not_before || now > signer->not_after) &&
	    !(ret->expired && about_itself)) {
		cmp_work_fault(work, "B3.10", FI_SIGNER_NOT_TRUSTED,
		    "the signer's certificate or its chain is %s",
		    now < signer->not_before ? "not valid yet" : "expired");
	} else if (ret->revoked && !about_itself) {
		cmp_work_fault(work, "B3.10", FI_SIGNER_NOT_TRUSTED,
		    "the signer's certificate is revoked");
	}
	return 0;
}

/* A registration authority is one by its name: the transaction goes on when its certificate has been renewed. One whose certificate is
 * revoked or expired is none: it is judged as that certificate alone. */
static int
fill_identity(struct pool *pool, const struct signer *signer, struct desk_requester *requester)
{
	struct identity *identity = &requester->identity;

	identity->kind = IDENTITY_CERTIFICATE;
	memcpy(identity->certificate, signer->sha256, DIGEST_SIZE);
	if (!signer->ra || requester->signer_revoked || requester->signer_expired) {
		return 0;
	}
	requester->ra = pool_strdup(pool, signer->ra);
	if (!requester->ra) {
		return CMPD_ENOMEM;
	}
	identity->kind = IDENTITY_RA;
	identity->name = bytes_str(requester->ra);
	return 0;
}

/* A factory certificate says what a device is, not what it may do here: with it the device gets a certificate of its own, nothing else. */
static bool
vendor_may(struct cmp_work *work, const struct signer *signer)
{
	switch (work->in.body_type) {
	case WIRE_IR:
	case WIRE_P10CR:
	case WIRE_CERTCONF:
	case WIRE_POLLREQ:
	case WIRE_ERROR:
		return true;
	default:
		return !signer->vendor ||
		       cmp_work_fault(work, "B4.9", FI_NOT_AUTHORIZED,
			   "a factory certificate may only ask for a first certificate, by ir or "
			   "p10cr");
	}
}

/* "signature subject=/CN=a sha256=..", "signature ra=x ..", "factory certificate subject=.. serial=.. sha256=..". */
static const char *
signer_words(struct pool *pool, const struct signer *signer, const char *ra)
{
	size_t size = 2 * signer->serial.len + 1;
	char hash[2 * 8 + 1], *serial = pool_alloc(pool, size);
	const char *subject = NULL;

	if (!serial || name_to_text(pool, signer->subject, &subject)) {
		return NULL;
	}
	hex_encode(bytes_of(signer->sha256, 8), hash, sizeof(hash));
	if (signer->vendor) {
		return pool_printf(pool, "factory certificate subject=%s serial=%s sha256=%s",
		    subject, hex_encode(signer->serial, serial, size), hash);
	}
	return pool_printf(pool, "signature%s%s subject=%s sha256=%s", ra ? " ra=" : "",
	    ra ? ra : "", subject, hash);
}

static int
accept_signature(struct cmp_work *work, const struct signer *signer,
    const struct standing *standing)
{
	struct pool *pool = work->desk->pool;
	struct cmp_verified *v = pool_alloc(pool, sizeof(*v));
	int error;

	if (!v) {
		return CMPD_ENOMEM;
	}
	v->protection = CMP_PROTECTION_SIGNATURE;
	v->signer_issuer = pool_bytes(pool, signer->issuer);
	v->requester.signer = work->in.extra_certs[0];
	v->requester.signer_subject = pool_bytes(pool, signer->subject);
	v->requester.signer_extensions = pool_bytes(pool, signer->extensions);
	v->requester.signer_ours = standing->ours;
	v->requester.signer_revoked = standing->revoked;
	v->requester.signer_expired = !work->has_txn && standing->expired;
	error = fill_identity(pool, signer, &v->requester);
	if (error) {
		return error;
	}
	v->requester.words = signer_words(pool, signer, v->requester.ra);
	v->requester.signer_vendor = signer->vendor;
	v->requester.signer_issuer = v->signer_issuer;
	memcpy(v->requester.signer_ca, signer->ca, CA_ID_SIZE);
	v->requester.signer_serial = pool_bytes(pool, signer->serial);
	v->requester.peer = work->request->peer;
	if (!v->requester.words || !v->signer_issuer.data || !v->requester.signer_subject.data ||
	    !v->requester.signer_serial.data) {
		return CMPD_ENOMEM;
	}
	work->verified = v;
	(void)auth_same_identity(work, &v->requester.identity);
	return 0;
}

/* The signer as a certificate that can be looked at. Faults are remembered. */
static int
load_signer(struct cmp_work *work, struct signer **ret)
{
	const struct wire_message *in = &work->in;
	int error;

	if (in->n_extra_certs == 0) {
		cmp_work_fault(work, "B3.8", FI_BAD_MESSAGE_CHECK,
		    "extraCerts does not begin with the protection certificate");
		return 0;
	}
	error = signer_load(work->door, work->endpoint, in->extra_certs[0], ret);
	if (error == CMPD_EALGORITHM) {
		cmp_work_fault(work, "B3.12", FI_BAD_ALG,
		    "the signer's key is of an unknown kind or too large");
		return 0;
	}
	if (error == CMPD_EFORMAT) {
		cmp_work_fault(work, "B3.8", FI_BAD_MESSAGE_CHECK,
		    "the protection certificate does not decode");
		return 0;
	}
	return error;
}

/* May whoever signs like this speak here at all? */
static bool
signer_is_trusted(struct cmp_work *work, const struct signer *signer)
{
	if (!signer->trusted && signer->lacks_ra_usage) {
		return cmp_work_fault(work, "B3.26", FI_NOT_AUTHORIZED,
		    "the signer is no registration authority: its certificate has no extended key "
		    "usage cmcRA");
	}
	if (!signer->trusted) {
		return cmp_work_fault(work, "B3.10", FI_SIGNER_NOT_TRUSTED,
		    "the signer's chain is not trusted: %s", signer->why_not);
	}
	if (!signer->may_sign) {
		return cmp_work_fault(work, "B3.10", FI_SIGNER_NOT_TRUSTED,
		    "the signer's certificate has a keyUsage without digitalSignature");
	}
	return true;
}

/* Is the message signed by who is named in it? Otherwise remembers the fault. */
static int
check_signature(struct cmp_work *work, struct bytes part, const struct signer *signer,
    bool *ret_right)
{
	const struct wire_message *in = &work->in;
	int error = verify_signed(work->door->libctx, part, in->header.protection_alg.der,
	    in->protection, signer->key);

	*ret_right = false;
	if (error == CMPD_EAUTH) {
		cmp_work_fault(work, "B3.8", FI_BAD_MESSAGE_CHECK,
		    "the signature of the message does not verify");
		return 0;
	}
	if (!error) {
		*ret_right = signer_fits_header(work, signer);
	}
	return error;
}

int
auth_signature(struct cmp_work *work, struct bytes part)
{
	const struct wire_message *in = &work->in;
	struct signer *signer = NULL;
	struct standing standing;
	struct diag why = {""};
	bool right = false;
	int error;

	if (algorithm_check(in->header.protection_alg.der, work->endpoint->protection, &why)) {
		cmp_work_fault(work, "B3.12", FI_BAD_ALG, "%s", why.text);
		return 0;
	}
	error = load_signer(work, &signer);
	if (error || !signer || !signer_key_allowed(work, signer)) {
		return error;
	}
	error = check_signature(work, part, signer, &right);
	if (error || !right) {
		return error;
	}
	error = signer_validate(work->door, signer, in->extra_certs + 1, in->n_extra_certs - 1);
	if (error || !signer_is_trusted(work, signer)) {
		return error;
	}
	(void)vendor_may(work, signer);
	error = signer_status(work, signer, &standing);
	return error ? error : accept_signature(work, signer, &standing);
}
