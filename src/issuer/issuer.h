/*
 * Certificates: profiles, CA keys and the making of certificates. One struct issuer
 * per worker, with everything loaded into that worker's OSSL_LIB_CTX;
 * used by one thread at a time. libcrypto's error queue is left empty.
 */
#pragma once

#include <openssl/x509.h>

#include "base/bytes.h"
#include "base/error.h"
#include "model/record.h"

struct conf;
struct conf_profile;
struct pool;
struct issuer;

/* Loads the keys (OSSL_STORE, never prompting) and certificates of all CAs, checks that they belong
 * together and that every profile makes sense. CMPD_ECONF, CMPD_EIO, with file names in diag. conf
 * must live longer. */
int issuer_new(const struct conf *conf, OSSL_LIB_CTX *libctx, struct issuer **ret,
    struct diag *diag) CMPD_MUST_CHECK;
void issuer_free(struct issuer *issuer);

/*
 * What the profile makes of a request: subject, SANs, allowed extensions, key and validity checked
 * and fixed. *ret and *ret_mods in pool; *ret_mods: NULL, or what was changed, in words.
 * ret->extensions is the complete list that the certificate will carry and ret->ca the generation
 * that shall sign it, so what is approved is what is made. A resolved template may be resolved
 * again. Of the requested extensions only subjectAltName is taken (and CA:TRUE, if the profile says
 * allow_ca); keyUsage and extendedKeyUsage may be asked for as far as the profile gives them;
 * others are left out, or refused if critical. Key usages that a kind of key cannot have are left
 * out. With make_key set a key of that kind is to be made: the resolved template has no spki and no
 * subjectKeyIdentifier yet. CMPD_ETEMPLATE (no subject and no SAN, no key, key kind or size,
 * validity), CMPD_EEXTENSION, CMPD_EALGORITHM (unknown kind of key), each with the reason in diag;
 * CMPD_ENOENT: no such profile.
 */
int issuer_resolve(struct issuer *issuer, const char *profile, const struct template *requested,
    struct pool *pool, struct template *ret, const char **ret_mods,
    struct diag *diag) CMPD_MUST_CHECK;

/*
 * Makes the key pair that a resolved template wants (make_key) and completes the template with its
 * spki and subjectKeyIdentifier; *ret in pool, *ret_key the caller's. Every call makes another key.
 * RSA takes its time: up to seconds. CMPD_ECRYPTO, CMPD_EALGORITHM: the library cannot make such
 * keys.
 */
int issuer_make_key(struct issuer *issuer, const struct template *resolved, struct pool *pool,
    struct template *ret, EVP_PKEY **ret_key, struct diag *diag) CMPD_MUST_CHECK;
/* Can keys of this kind be made? For checking a configuration; makes none. */
bool issuer_can_make_key(OSSL_LIB_CTX *libctx, const char *kind);

/*
 * Signs a certificate for a resolved template: valid from now less one second (or its not_before if
 * later), 159 random serial bits. The key is copied raw, never decoded. Everything in *ret but
 * entry, number, version and due is filled; memory in pool. *ret_cert_hash: the digest that a
 * certConf must carry (RFC 9810 5.3.18: digest of the signature algorithm; Ed25519 SHA-512, Ed448
 * SHAKE256 with 64 bytes). CMPD_ECRYPTO, CMPD_ENOENT, CMPD_ETEMPLATE (no longer possible: notAfter
 * has passed, the CA has expired or has changed).
 */
int issuer_sign(struct issuer *issuer, const char *profile, const struct template *resolved,
    int64_t now, struct pool *pool, struct cert *ret, struct bytes *ret_cert_hash,
    struct diag *diag) CMPD_MUST_CHECK;

/* Appends what a profile says of keyUsage and extKeyUsage, as DER Extensions one after the other.
 * CMPD_ENOENT: no such profile. */
struct buf;
int issuer_profile_usage(struct issuer *issuer, const char *profile,
    struct buf *out) CMPD_MUST_CHECK;
/* The CA certificate of a profile, and the certificates above it without the root (none if it is
 * the root); DER, borrowed from the issuer. */
struct bytes issuer_ca0_certificate(struct issuer *issuer, const char *profile);
const struct bytes *issuer_ca0_chain(struct issuer *issuer, const char *profile, size_t *ret_n);
/* The same as an X509 of the issuer's library context (for trust stores). NULL: no such profile. */
X509 *issuer_ca0_x509(struct issuer *issuer, const char *profile);
/* The generation that signs for a profile. CMPD_ENOENT: no such profile. */
int issuer_ca_id(struct issuer *issuer, const char *profile,
    uint8_t ret_ca[CA_ID_SIZE]) CMPD_MUST_CHECK;
/*
 * All generations of all CAs, by number from 0: the current one of a CA, then those before it. What
 * is in *ret is borrowed from the issuer. A generation is a name with a key; its id stays when the
 * certificate is renewed for the same key. CMPD_ENOENT: no more.
 */
struct issuer_generation {
	uint8_t id[CA_ID_SIZE];
	const struct conf_ca *conf;
	bool current; /* it signs certificates */
	bool makes_crls; /* its key is here, and its certificate allows it */
	struct bytes certificate; /* DER */
	X509 *x509;
	const struct bytes *chain; /* above it, without the root */
	size_t n_chain;
	int64_t not_before, not_after;
};
int issuer_generation0(struct issuer *issuer, size_t n,
    struct issuer_generation *ret) CMPD_MUST_CHECK;

/* Which generation of ours issued this certificate? By issuer name and authority key
 * identifier (if there); CMPD_ENOENT: none. The signature is not looked at. */
int issuer_ca_of(struct issuer *issuer, const X509 *certificate,
    uint8_t ret_ca[CA_ID_SIZE]) CMPD_MUST_CHECK;

/* The nth generation of ours with this subject (DER Name): several may share it. CMPD_ENOENT: no
 * more. */
int issuer_ca_named(struct issuer *issuer, struct bytes name, size_t nth,
    uint8_t ret_ca[CA_ID_SIZE]) CMPD_MUST_CHECK;
/* Does a certificate (DER) agree with everything that a template names: subject, key, validity,
 * each extension? CMPD_ECERTID: not, diag says where. CMPD_EFORMAT: the certificate does not
 * decode. */
int issuer_agrees(struct bytes certificate, const struct template *named,
    struct diag *diag) CMPD_MUST_CHECK;

/* Loads a private key from a file or URI through OSSL_STORE; CMPD_ECONF with the name in diag.
 * Caller frees. Also for CMP signers. */
int issuer_load_key(OSSL_LIB_CTX *libctx, const char *uri, EVP_PKEY **ret,
    struct diag *diag) CMPD_MUST_CHECK;
/* All certificates of a PEM or DER file, at least one. Caller frees with sk_X509_pop_free /
 * OSSL_STACK_OF_X509_free. */
int issuer_load_certs(OSSL_LIB_CTX *libctx, const char *file, STACK_OF(X509) * *ret,
    struct diag *diag) CMPD_MUST_CHECK;

/* The kind of a public key from its SubjectPublicKeyInfo, without decoding the key: "ec:P-256",
 * "rsa:2048", "ed25519", "other:<oid>". CMPD_EFORMAT. */
#define ISSUER_KEY_TYPE_SIZE 80
int issuer_key_type(struct bytes spki, char ret[ISSUER_KEY_TYPE_SIZE]) CMPD_MUST_CHECK;
