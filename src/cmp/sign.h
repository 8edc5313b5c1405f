/*
 * The key that signs answers, made ready once: its AlgorithmIdentifier stands in the header, which is signed, so it must
 * be known before the first signature.
 */
#pragma once

#include <openssl/types.h>

#include "base/bytes.h"
#include "base/error.h"

struct pool;

struct signing_key {
	EVP_MD_CTX *ready; /* copied for each signature */
	EVP_MD_CTX *scratch;
	struct bytes algorithm; /* AlgorithmIdentifier, DER, in the pool given */
};

/* key stays the caller's and must live as long. pss: an RSA key signs with RSASSA-PSS. CMPD_ECRYPTO: this key cannot sign. */
int signing_key_init(struct signing_key *signing, OSSL_LIB_CTX *libctx, EVP_PKEY *key, bool pss,
    struct pool *pool) CMPD_MUST_CHECK;
void signing_key_fini(struct signing_key *signing);
/* The signature over data, in pool. CMPD_ECRYPTO, CMPD_ENOMEM. */
int signing_key_sign(struct signing_key *signing, struct pool *pool, struct bytes data,
    struct bytes *ret) CMPD_MUST_CHECK;
