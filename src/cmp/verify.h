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
/* The same with the key still encoded (SubjectPublicKeyInfo). CMPD_EALGORITHM: a key that cannot be decoded. */
int verify_signed_by_spki(OSSL_LIB_CTX *libctx, struct bytes data, struct bytes alg,
    struct bytes signature, struct bytes spki) CMPD_MUST_CHECK;
