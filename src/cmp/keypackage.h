/*
 * A private key that was made here, as its owner gets it (RFC 9810 5.2.2): an AsymmetricKeyPackage
 * (RFC 5958), signed by the key generation authority, encrypted to one recipient. All of it is
 * libcrypto's CMS; what had the key in the clear is overwritten before it is given back.
 * libcrypto's error queue is left empty.
 */
#pragma once

#include <openssl/x509.h>

#include "base/bytes.h"
#include "base/error.h"

struct conf_endpoint;
struct pool;

/* PBKDF2 for a shared secret. It is no less work for who guesses the secret than the MAC of the
 * same message: the secret must be a strong one for both. */
#define KEY_PACKAGE_ITERATIONS 10000

/* The key generation authority of an endpoint; read-only. */
struct kga {
	X509 *certificate;
	EVP_PKEY *key;
	STACK_OF(X509) * chain; /* sent along */
	bool bare; /* the key itself instead of a package of one */
};

/* Loads and checks what the endpoint names. CMPD_ECONF with a sentence, CMPD_ENOMEM. */
int kga_load(OSSL_LIB_CTX *libctx, const struct conf_endpoint *conf, struct kga **ret,
    struct diag *diag) CMPD_MUST_CHECK;
/* NULL is fine. */
void kga_free(struct kga *kga);

/* Who shall be able to open it: one of the two. */
struct key_recipient {
	X509 *certificate; /* RSA: key transport, EC: key agreement */
	struct bytes secret; /* shared with him: password-based */
};

/* Can a key be sent to this certificate: the kind of its key, and what keyUsage says (if it is
 * there)? CMPD_EACCES with the reason. */
int key_recipient_check(const X509 *certificate, struct diag *why) CMPD_MUST_CHECK;

/* *ret: EnvelopedData, DER, in pool. CMPD_ECRYPTO, CMPD_ENOMEM. */
int key_package_make(OSSL_LIB_CTX *libctx, const struct kga *kga,
    const struct key_recipient *recipient, EVP_PKEY *key, struct pool *pool,
    struct bytes *ret) CMPD_MUST_CHECK;
