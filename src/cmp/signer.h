/*
 * Signers' certificates, decoded and validated once and kept for a while: on OpenSSL 3.0 decoding
 * one key costs more than checking a signature. Revocation is never kept: that is asked of the
 * store for every message.
 */
#pragma once

#include "cmp/work.h"
#include "model/spki.h"

#define SIGNER_TTL_MS  (10 * 60 * 1000)
#define SIGNER_RSA_MAX 8192 /* bits: anybody may make us verify with his key */

struct signer {
	uint8_t sha256[DIGEST_SIZE];
	const struct cmp_endpoint *endpoint; /* whose anchors it was validated under */
	int64_t validated; /* monotonic ms */
	X509 *certificate;
	EVP_PKEY *key; /* borrowed from certificate */
	struct pool *pool; /* of what follows */
	struct bytes subject; /* DER Name */
	struct bytes issuer; /* DER Name */
	struct bytes extensions; /* DER Extensions; absent: none */
	struct bytes kid; /* SubjectKeyIdentifier; absent: none */
	struct spki spki; /* kind and size of its key; nothing in it is borrowed for long */
	struct bytes serial; /* big-endian, no leading zero */
	bool ours; /* issued by one of our CAs: ca */
	uint8_t ca[CA_ID_SIZE];
	bool may_sign; /* no keyUsage, or one with digitalSignature */
	bool has_ra_usage; /* the extended key usage cmcRA */
	bool trusted; /* chain to an anchor of the endpoint, time not looked at */
	/* trusted as a registration authority of the endpoint, by this name; NULL: none */
	const char *ra;
	bool vendor; /* trusted as a factory certificate only */
	bool lacks_ra_usage; /* untrusted, but would be an RA if it had that usage */
	const char *why_not; /* of an untrusted one */
	int64_t not_before, not_after; /* of the whole chain, wall ms */
};

struct signer_cache *signer_cache_new(void);
void signer_cache_free(struct signer_cache *cache);

/* A decoded certificate, from the cache or not; *ret lives until the next call of signer_load on
 * this door. Its chain is not looked at unless it was before. CMPD_EFORMAT: not a certificate;
 * CMPD_EALGORITHM: its key is not decoded, being of an unknown kind or too large. */
int signer_load(struct cmp_door *door, const struct cmp_endpoint *endpoint, struct bytes der,
    struct signer **ret) CMPD_MUST_CHECK;
/* Builds and validates the chain with the certificates that came along; sets trusted or why_not. A
 * trusted one stays in the cache. */
int signer_validate(struct cmp_door *door, struct signer *signer, const struct bytes *others,
    size_t n_others) CMPD_MUST_CHECK;
