#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <string.h>

#include "base/clock.h"
#include "cmp/auth.h"
#include "cmp/mac.h"
#include "cmp/signer.h"
#include "cmp/verify.h"
#include "model/der.h"
#include "model/name.h"

struct cmp_verified {
	enum cmp_protection protection;
	struct desk_requester requester;
	struct secret secret;
	struct wire_alg mac;
	struct bytes signer_issuer;
};

/* Everything that can be wrong with a MAC under an unknown or known reference says the same. */
static const char wrong_mac[] = "the MAC does not verify: unknown reference or wrong secret";

enum cmp_protection
auth_protection(const struct cmp_verified *verified)
{
	return verified->protection;
}

const struct desk_requester *
auth_requester(const struct cmp_verified *verified)
{
	return &verified->requester;
}

struct bytes
auth_signer_issuer(const struct cmp_verified *verified)
{
	return verified->signer_issuer;
}

struct bytes
auth_mac_secret(const struct cmp_verified *verified)
{
	return verified->secret.value;
}

const struct wire_alg *
auth_mac_alg(const struct cmp_verified *verified)
{
	return &verified->mac;
}

/* The identity that opened the transaction is the only one that may go on (design invariant 5). */
static bool
same_identity(struct cmp_work *work, const struct identity *identity)
{
	if (!work->has_txn || identity_equal(&work->txn.identity, identity)) {
		return true;
	}
	if (work->txn.identity.kind != identity->kind) {
		return cmp_work_fault(work, "B3.9", FI_WRONG_INTEGRITY,
		    "the kind of protection is not the one that opened the transaction");
	}
	return cmp_work_fault(work, "B3.11", FI_NOT_AUTHORIZED,
	    "another identity has opened the transaction");
}

/* ---- MAC ---- */

/* One algorithm for the whole transaction (B3.9); parameters may differ. The last answer has that of the request before. */
static int
same_mac(struct cmp_work *work)
{
	struct wire_message last;
	int error;

	if (!work->has_txn || !work->txn.answer.data) {
		return 0;
	}
	error = wire_message_decode(work->desk->pool, work->txn.answer, CMP_EXTRA_MAX, &last, NULL);
	if (error) {
		return error == CMPD_ENOMEM ? error : CMPD_ECORRUPT;
	}
	if (!bytes_equal(last.header.protection_alg.oid, work->in.header.protection_alg.oid)) {
		cmp_work_fault(work, "B3.9", FI_WRONG_INTEGRITY,
		    "the kind of MAC is not the one that opened the transaction");
	}
	return 0;
}

/* Where the endpoint wants it: sender is a directoryName with the reference as its CN, nothing else. */
static int
sender_fits_reference(struct cmp_work *work, const char *ref)
{
	static const uint8_t common_name[] = {0x55, 0x04, 0x03};
	struct bytes sender = wire_directory_name(work->in.header.sender);
	size_t name, set, attribute;
	struct buf buf;
	int error;

	if (!work->endpoint->conf->sender_is_reference) {
		return 0;
	}
	buf_init(&buf, 1024);
	name = der_begin(&buf, DER_SEQUENCE);
	set = der_begin(&buf, DER_SET);
	attribute = der_begin(&buf, DER_SEQUENCE);
	der_put(&buf, DER_OID, bytes_of(common_name, sizeof(common_name)));
	der_put(&buf, DER_UTF8_STRING, bytes_str(ref));
	der_end(&buf, attribute);
	der_end(&buf, set);
	der_end(&buf, name);
	error = buf_error(&buf);
	if (!error && (!sender.data || !name_equal(sender, buf_get0(&buf)))) {
		cmp_work_fault(work, "B3.8", FI_BAD_MESSAGE_CHECK,
		    "sender is not the common name that is the reference");
	}
	buf_fini(&buf);
	return error;
}

/* The secret of an open transaction whatever became of it since; else the one that the reference names now. */
static int
find_secret(struct cmp_work *work, const char *ref, struct secret *ret)
{
	struct desk *desk = work->desk;
	const char *path = work->endpoint->conf->path;
	int error;

	if (!work->has_txn || work->txn.identity.kind != IDENTITY_SECRET) {
		return store_secret_find(desk->reader, desk->pool, ref, path, ret);
	}
	error = store_secret_get(desk->reader, desk->pool, work->txn.identity.secret, ret);
	if (!error && strcmp(ret->ref, ref)) {
		return store_secret_find(desk->reader, desk->pool, ref, path, ret);
	}
	return error;
}

/* May this secret still open a transaction? Said only to somebody who has it. */
static bool
secret_opens(struct cmp_work *work, const struct secret *secret)
{
	if (work->has_txn) {
		return true;
	}
	if (secret->removed) {
		return cmp_work_fault(work, "B3.11", FI_NOT_AUTHORIZED,
		    "the secret has been removed");
	}
	if (secret->expires && secret->expires <= work->desk->now) {
		return cmp_work_fault(work, "B3.11", FI_NOT_AUTHORIZED, "the secret has expired");
	}
	if (secret->open >= (uint64_t)work->door->conf->limits.open_per_secret &&
	    cmp_body_opens(work->in.body_type)) {
		return cmp_work_fault(work, "B3.19", FI_SYSTEM_UNAVAIL,
		    "too many transactions of this secret are open: try again later");
	}
	if (secret->uses_left == 0 && cmp_body_opens(work->in.body_type) &&
	    work->in.body_type != WIRE_GENM) {
		return cmp_work_fault(work, "B3.11", FI_NOT_AUTHORIZED,
		    "the secret has been used up");
	}
	return true;
}

static int
accept_mac(struct cmp_work *work, const char *ref, const struct secret *secret)
{
	struct cmp_verified *v = pool_alloc(work->desk->pool, sizeof(*v));
	int error;

	if (!v) {
		return CMPD_ENOMEM;
	}
	v->protection = CMP_PROTECTION_MAC;
	v->secret = *secret;
	v->mac = work->in.header.protection_alg;
	v->requester.identity.kind = IDENTITY_SECRET;
	v->requester.identity.secret = secret->id;
	v->requester.reference = ref;
	v->requester.secret = &v->secret;
	v->requester.peer = work->request->peer;
	v->requester.words = pool_printf(work->desk->pool, "mac ref=%s", ref);
	if (!v->requester.words) {
		return CMPD_ENOMEM;
	}
	/* From here on answers are MACed: he has the secret, even if he may not do this. */
	work->verified = v;
	if (same_identity(work, &v->requester.identity)) {
		(void)secret_opens(work, secret);
	}
	error = sender_fits_reference(work, ref);
	return error ? error : same_mac(work);
}

/* A reference is text without control bytes; others name no secret. */
static const char *
reference_text(struct pool *pool, struct bytes kid)
{
	if (kid.len == 0 || kid.len > 255) {
		return NULL;
	}
	for (size_t i = 0; i < kid.len; i++) {
		if (kid.data[i] < 0x20 || kid.data[i] == 0x7f) {
			return NULL;
		}
	}
	return pool_strndup(pool, kid.data, kid.len);
}

static int
verify_mac(struct cmp_work *work, struct bytes part)
{
	static const uint8_t nobody[16] = "no such secret.";
	const struct wire_header *header = &work->in.header;
	const struct conf_endpoint *conf = work->endpoint->conf;
	const char *peer = work->request->peer;
	struct pool *pool = work->desk->pool;
	const char *ref = reference_text(pool, header->sender_kid);
	struct secret secret = {.value = bytes_of(nobody, sizeof(nobody))};
	struct bytes mac;
	struct diag why = {""};
	int64_t iterations = 0;
	bool known = false;
	int error;

	if (mac_check(conf, pool, &header->protection_alg, &iterations, &why)) {
		cmp_work_fault(work, "B3.12", FI_BAD_ALG, "%s", why.text);
		return 0;
	}
	if (!mac_budget_left(peer, conf->mac_iterations_per_second, clock_mono_ms())) {
		cmp_work_fault(work, "B3.19", FI_SYSTEM_UNAVAIL,
		    "too many wrong MACs from this address: try again later");
		return 0;
	}
	if (ref) {
		error = find_secret(work, ref, &secret);
		/* Some clients write the whole common name into senderKID. */
		if (error == CMPD_ENOENT && strncmp(ref, "CN=", 3) == 0) {
			ref += 3;
			error = find_secret(work, ref, &secret);
		}
		if (error && error != CMPD_ENOENT) {
			return error;
		}
		known = error == 0;
	}
	/* An unknown reference costs the same work as a wrong secret. */
	error = mac_compute(work->door, pool, &header->protection_alg, secret.value, part, &mac);
	if (error == CMPD_ENOMEM) {
		return error;
	}
	if (error || !bytes_equal_secret(mac, work->in.protection) || !known) {
		mac_budget_spend(peer, iterations, conf->mac_iterations_per_second,
		    clock_mono_ms());
		cmp_work_fault(work, "B3.8", FI_BAD_MESSAGE_CHECK, wrong_mac);
		return 0;
	}
	return accept_mac(work, ref, &secret);
}

/* ---- signature ---- */

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
	bool
	    ours; /* another CA may have the name of ours and give out our serials: ours is what is stored */
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
	bool about_itself = work->in.body_type == WIRE_RR || work->in.body_type == WIRE_KUR;
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

static int
accept_signature(struct cmp_work *work, const struct signer *signer,
    const struct standing *standing)
{
	struct pool *pool = work->desk->pool;
	struct cmp_verified *v = pool_alloc(pool, sizeof(*v));
	const char *subject = NULL;
	char hex[2 * 8 + 1];
	int error;

	if (!v) {
		return CMPD_ENOMEM;
	}
	error = name_to_text(pool, signer->subject, &subject);
	if (error) {
		return error;
	}
	v->protection = CMP_PROTECTION_SIGNATURE;
	v->signer_issuer = pool_bytes(pool, signer->issuer);
	v->requester.identity.kind = IDENTITY_CERTIFICATE;
	memcpy(v->requester.identity.certificate, signer->sha256, DIGEST_SIZE);
	v->requester.words = pool_printf(pool, "signature subject=%s sha256=%s", subject,
	    hex_encode(bytes_of(signer->sha256, 8), hex, sizeof(hex)));
	v->requester.signer = work->in.extra_certs[0];
	v->requester.signer_subject = pool_bytes(pool, signer->subject);
	v->requester.signer_extensions = pool_bytes(pool, signer->extensions);
	v->requester.signer_ours = standing->ours;
	v->requester.signer_revoked = standing->revoked;
	v->requester.signer_expired = !work->has_txn && standing->expired;
	memcpy(v->requester.signer_ca, signer->ca, CA_ID_SIZE);
	v->requester.signer_serial = pool_bytes(pool, signer->serial);
	v->requester.peer = work->request->peer;
	if (!v->requester.words || !v->signer_issuer.data || !v->requester.signer_subject.data ||
	    !v->requester.signer_serial.data) {
		return CMPD_ENOMEM;
	}
	work->verified = v;
	(void)same_identity(work, &v->requester.identity);
	return 0;
}

static int
verify_signature(struct cmp_work *work, struct bytes part)
{
	const struct wire_message *in = &work->in;
	struct signer *signer = NULL;
	struct standing standing;
	struct diag why = {""};
	int error;

	if (algorithm_check(in->header.protection_alg.der, work->endpoint->protection, &why)) {
		cmp_work_fault(work, "B3.12", FI_BAD_ALG, "%s", why.text);
		return 0;
	}
	if (in->n_extra_certs == 0) {
		cmp_work_fault(work, "B3.8", FI_BAD_MESSAGE_CHECK,
		    "extraCerts does not begin with the protection certificate");
		return 0;
	}
	error = signer_load(work->door, work->endpoint, in->extra_certs[0], &signer);
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
	if (error) {
		return error;
	}
	if (!signer_key_allowed(work, signer)) {
		return 0;
	}
	error = verify_signed(work->door->libctx, part, in->header.protection_alg.der,
	    in->protection, signer->key);
	if (error == CMPD_EAUTH) {
		cmp_work_fault(work, "B3.8", FI_BAD_MESSAGE_CHECK,
		    "the signature of the message does not verify");
		return 0;
	}
	if (error) {
		return error;
	}
	if (!signer_fits_header(work, signer)) {
		return 0;
	}
	error = signer_validate(work->door, signer, in->extra_certs + 1, in->n_extra_certs - 1);
	if (error) {
		return error;
	}
	if (!signer->trusted) {
		cmp_work_fault(work, "B3.10", FI_SIGNER_NOT_TRUSTED,
		    "the signer's chain is not trusted: %s", signer->why_not);
		return 0;
	}
	if (!signer->may_sign) {
		cmp_work_fault(work, "B3.10", FI_SIGNER_NOT_TRUSTED,
		    "the signer's certificate has a keyUsage without digitalSignature");
		return 0;
	}
	error = signer_status(work, signer, &standing);
	return error ? error : accept_signature(work, signer, &standing);
}

int
auth_verify(struct cmp_work *work)
{
	const struct wire_message *in = &work->in;
	bool has_alg = in->header.protection_alg.der.data != NULL;
	struct bytes part;
	bool mac;

	if (!in->protection.data || !has_alg) {
		cmp_work_fault(work, "B3.8", FI_BAD_MESSAGE_CHECK,
		    has_alg || in->protection.data
			? "protection and protectionAlg must both be there"
			: "the message is not protected");
		return 0;
	}
	mac = mac_is(&in->header.protection_alg);
	if (mac && !work->endpoint->conf->allow_mac) {
		cmp_work_fault(work, "B3.9", FI_WRONG_INTEGRITY,
		    "this endpoint wants signatures, not MACs");
		return 0;
	}
	if (mac && in->body_type == WIRE_KUR) {
		cmp_work_fault(work, "B3.9", FI_WRONG_INTEGRITY,
		    "a kur is signed with the certificate to be updated, not MACed");
	}
	part = wire_protected_part(work->desk->pool, in->header_raw, in->body_raw);
	if (!part.data) {
		return CMPD_ENOMEM;
	}
	return mac ? verify_mac(work, part) : verify_signature(work, part);
}
