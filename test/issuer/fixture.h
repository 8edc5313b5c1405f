/*
 * A CA of any kind in a scratch folder, an issuer on it, and templates to ask for.
 */
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/pool.h"
#include "conf/conf.h"
#include "issuer/issuer.h"

#define DAY INT64_C(86400000)

struct fixture {
	char dir[64];
	char cert_file[96], key_file[96];
	EVP_PKEY *ca_key;
	X509 *ca_x509;
	struct conf conf;
	struct conf_ca ca;
	struct conf_profile profile;
	struct pool *pool;
	struct issuer *issuer;
	struct diag diag;
};

/* "P-256", "P-384", "P-521", "ED25519", "ED448", "2048" (RSA) ... */
EVP_PKEY *make_key(const char *kind);
/* Self-signed CA, valid for that many days. */
X509 *make_ca(EVP_PKEY *key, const char *name, int days);
void write_pem(const char *file, X509 *x509, EVP_PKEY *key);

/* Ends the test on failure. The profile allows much and may be changed before fixture_issuer. */
void fixture_init(struct fixture *f, const char *ca_kind, int ca_days);
/* Makes the issuer anew from conf. */
int fixture_issuer(struct fixture *f);
void fixture_fini(struct fixture *f);

/* SubjectPublicKeyInfo in the fixture's pool. */
struct bytes spki_of(struct fixture *f, EVP_PKEY *key);
struct bytes name_of(struct fixture *f, const char *text);
/* Extensions from lines of openssl's configuration: "subjectAltName=DNS:a", ..., NULL. */
struct bytes extensions_of(struct fixture *f, const char *const *lines);
/* Subject /CN=device and a fresh P-256 key. */
struct template template_of(struct fixture *f);
