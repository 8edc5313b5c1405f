/*
 * What the files of this room share: a loaded CA, a profile made ready, and
 * the issuer that holds them. Everything is read-only after issuer_new but the contexts and the scratch
 * buffer, which one thread uses at a time.
 */
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/buf.h"
#include "conf/conf.h"
#include "issuer/issuer.h"
#include "model/spki.h"

/* Ceilings of what a requester can make us write. */
#define ISSUER_SUBJECT_MAX    4096 /* bytes of DER */
#define ISSUER_SPKI_MAX	      4096
#define ISSUER_EXTENSIONS_MAX 16384
#define ISSUER_EXTENSIONS     32 /* number of requested extensions */
#define ISSUER_SANS	      128 /* number of alternative names */
#define ISSUER_CERT_MAX	      32768

#define KEY_ID_MAX 64

/* How a kind of CA key signs. */
struct ca_algorithm {
	const char *digest; /* of the signature; NULL: it digests by itself */
	const char *hash; /* of certHash */
	size_t hash_size; /* of certHash */
	struct bytes identifier; /* DER AlgorithmIdentifier */
};

/* One generation of a CA. */
struct ca {
	const struct conf_ca *conf;
	struct conf_previous files; /* of this generation */
	bool current; /* it signs certificates */
	uint8_t id[CA_ID_SIZE];
	X509 *x509;
	EVP_PKEY *key; /* NULL: one that was, and makes no CRLs */
	const struct ca_algorithm *algorithm;
	EVP_MD_CTX *sign;
	EVP_MD *hash;
	struct bytes der; /* of the certificate; libcrypto's memory */
	struct bytes subject; /* DER Name, inside x509 */
	uint8_t key_id[KEY_ID_MAX];
	size_t key_id_len;
	int64_t not_before, not_after; /* ms */
	bool may_issue_ca; /* its path length leaves room */
	struct bytes *chain;
	size_t n_chain;
};

struct profile {
	const struct conf_profile *conf;
	struct ca *ca;
	unsigned key_usage; /* KeyUsage bit n is 1 << n */
	unsigned sans; /* kinds allowed, by number of the GeneralName choice: 1 << n */
	struct buf eku; /* DER ExtKeyUsageSyntax; empty: none */
	struct buf fixed; /* extensions that are the same in every certificate */
};

struct issuer {
	const struct conf *conf;
	OSSL_LIB_CTX *libctx;
	struct ca *cas; /* all generations: the current one of a CA, then those before it */
	size_t n_cas;
	struct profile *profiles;
	size_t n_profiles;
	EVP_MD *sha1;
	EVP_MD_CTX *digest;
	struct buf scratch;
};

/* ---- ca.c ---- */

/* previous: that one of the CA; NULL: the current one. */
int ca_load(struct issuer *issuer, const struct conf_ca *conf, const struct conf_previous *previous,
    struct ca *ca, struct diag *diag) CMPD_MUST_CHECK;
void ca_fini(struct ca *ca);

/* ---- profile.c ---- */

int profile_prepare(struct issuer *issuer, const struct conf_profile *conf, struct profile *profile,
    struct diag *diag) CMPD_MUST_CHECK;
void profile_fini(struct profile *profile);
/* KeyUsage bits that make sense for a key of this kind. */
unsigned profile_usable(enum spki_kind kind);
/* Writes the contents of a KeyUsage extension. */
void profile_put_key_usage(struct buf *out, unsigned bits);
/* Reads them. CMPD_EFORMAT. */
int profile_parse_key_usage(struct bytes der, unsigned *ret_bits) CMPD_MUST_CHECK;

#define KEY_USAGE_CERT_SIGN (1u << 5)
#define KEY_USAGE_CRL_SIGN  (1u << 6)

/* ---- sign.c ---- */

#define CA_SIGNATURE_MAX 5120 /* bytes: ML-DSA-87 has 4627, RSA keys of 16384 bits 2048 */

/* Time (RFC 5280 4.1.2.5). A year behind 9999 is CMPD_ELIMIT of the buf. */
void issuer_put_time(struct buf *out, int64_t ms);
/* Appends SIGNED { tbs } of X.509: a certificate or a CRL. CMPD_ECRYPTO with words in diag; out's own error is left for buf_error. */
int issuer_put_signed(struct issuer *issuer, struct ca *ca, struct bytes tbs, struct buf *out,
    struct diag *diag) CMPD_MUST_CHECK;

/* ---- issuer.c ---- */

/* NULL: none of ours. */
struct ca *issuer_find_ca(struct issuer *issuer, const uint8_t id[CA_ID_SIZE]);

struct profile *issuer_find(struct issuer *issuer, const char *name);
/* RFC 5280 4.2.1.2, method 1. */
int issuer_key_id(struct issuer *issuer, struct bytes key, uint8_t ret[20]) CMPD_MUST_CHECK;
/* Appends subjectKeyIdentifier. key: contents of the BIT STRING. */
int issuer_put_key_id(struct issuer *issuer, struct bytes key, struct buf *out,
    struct diag *diag) CMPD_MUST_CHECK;
/* Empties libcrypto's queue after a failure; its first reason goes into diag behind the text. */
int issuer_error(struct diag *diag, int error, const char *format, ...) CMPD_PRINTF(3, 4);
