/*
 * Signatures over bytes as they came (messages, POPO, PKCS #10), by libcrypto's ASN1_item_verify_ex.
 */
#pragma once

#include <openssl/types.h>

#include "base/bytes.h"
#include "base/error.h"

/* data: one DER element. CMPD_EAUTH: does not verify, whatever the reason. */
int verify_signed(OSSL_LIB_CTX *libctx, struct bytes data, struct bytes alg, struct bytes signature,
    EVP_PKEY *key) CMPD_MUST_CHECK;
/*
 * Public keys from SubjectPublicKeyInfo: those on the usual curves are made from a key kept per curve, because decoding one
 * costs OpenSSL 3.0 twenty times as much. One thread at a time.
 */
#define VERIFY_CURVES 3
struct key_maker {
	OSSL_LIB_CTX *libctx;
	EVP_PKEY *curves[VERIFY_CURVES]; /* parameters only; made when first needed */
};
void key_maker_fini(struct key_maker *maker);
/* Caller frees. CMPD_EALGORITHM: cannot be decoded, or the point is not on its curve. CMPD_ENOMEM. */
int key_maker_make(struct key_maker *maker, struct bytes spki, EVP_PKEY **ret) CMPD_MUST_CHECK;

/* verify_signed with the key still encoded. CMPD_EALGORITHM: a key that cannot be decoded. */
int verify_signed_by_spki(struct key_maker *maker, struct bytes data, struct bytes alg,
    struct bytes signature, struct bytes spki) CMPD_MUST_CHECK;
