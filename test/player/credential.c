/*
 * Keys and certificates, and the DER of what they hold.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "player.h"

EVP_PKEY *
key_new(struct player *p, const char *spec)
{
	EVP_PKEY *key = NULL;

	if (strncmp(spec, "ec:", 3) == 0) {
		key = EVP_EC_gen(spec + 3);
	} else if (strncmp(spec, "rsa:", 4) == 0) {
		key = EVP_RSA_gen((unsigned)atoi(spec + 4));
	} else if (strcmp(spec, "ed25519") == 0) {
		key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	} else if (strcmp(spec, "ed448") == 0) {
		key = EVP_PKEY_Q_keygen(NULL, NULL, "ED448");
	}
	if (key == NULL) {
		fail(p, "cannot make a key %s", spec);
	}
	return key;
}

X509_NAME *
name_new(struct player *p, const char *text)
{
	X509_NAME *name = X509_NAME_new();
	char *copy = pool_strdup(p->pool, text), *part, *save = NULL, *value;

	need(p, name != NULL && copy != NULL);
	for (part = strtok_r(copy, "/", &save); part != NULL; part = strtok_r(NULL, "/", &save)) {
		value = strchr(part, '=');
		need(p, value != NULL);
		*value++ = '\0';
		need(p, X509_NAME_add_entry_by_txt(name, part, MBSTRING_UTF8,
			    (const unsigned char *)value, -1, -1, 0));
	}
	return name;
}

struct bytes
object_der(struct player *p, const void *value, const ASN1_ITEM *item)
{
	unsigned char *der = NULL;
	int len = ASN1_item_i2d(value, &der, item);
	struct bytes out;

	need(p, len > 0);
	out = pool_bytes(p->pool, bytes_of(der, (size_t)len));
	OPENSSL_free(der);
	return out;
}

struct bytes
name_der(struct player *p, const char *text)
{
	X509_NAME *name = name_new(p, text);
	struct bytes out = object_der(p, name, ASN1_ITEM_rptr(X509_NAME));

	X509_NAME_free(name);
	return out;
}

static void
add_extension(struct player *p, X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;

	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	need(p, ext != NULL && X509_add_ext(x, ext, -1));
	X509_EXTENSION_free(ext);
}

static X509 *
certificate_new(struct player *p, const struct words *words, EVP_PKEY *key,
    const struct credential *ca)
{
	const char *subject = word_get(words, "subject"), *ku = word_get(words, "ku");
	const char *eku = word_get(words, "eku");
	const char *fallback = pool_printf(p->pool, "/CN=%s", words->word[1]);
	long shift = word_has(words, "expired") ? -10 * 86400 : -3600;
	X509_NAME *name = name_new(p, subject != NULL ? subject : fallback);
	X509 *x = X509_new(), *issuer;
	EVP_PKEY *signer;
	uint8_t serial[16];

	need(p, x != NULL && RAND_bytes(serial, sizeof(serial)) == 1);
	serial[0] = (serial[0] & 0x7f) | 0x40;
	issuer = ca == NULL ? x : ca->certificate;
	X509_set_version(x, X509_VERSION_3);
	need(p, ASN1_STRING_set(X509_get_serialNumber(x), serial, sizeof(serial)));
	X509_gmtime_adj(X509_getm_notBefore(x), shift);
	X509_gmtime_adj(X509_getm_notAfter(x), shift + 8 * 86400);
	need(p, X509_set_subject_name(x, name) && X509_set_pubkey(x, key));
	need(p, X509_set_issuer_name(x, X509_get_subject_name(issuer)));
	add_extension(p, x, issuer, NID_subject_key_identifier, "hash");
	add_extension(p, x, issuer, NID_authority_key_identifier, "keyid");
	add_extension(p, x, issuer, NID_basic_constraints,
	    ca == NULL ? "critical,CA:TRUE" : "CA:FALSE");
	add_extension(p, x, issuer, NID_key_usage,
	    ku != NULL	 ? ku
	    : ca == NULL ? "critical,keyCertSign,cRLSign,digitalSignature"
			 : "digitalSignature");
	if (eku != NULL) {
		add_extension(p, x, issuer, NID_ext_key_usage, eku);
	}
	signer = ca == NULL ? key : ca->key;
	need(p, X509_sign(x, signer,
		    EVP_PKEY_is_a(signer, "ED25519") || EVP_PKEY_is_a(signer, "ED448")
			? NULL
			: EVP_sha256()) > 0);
	X509_NAME_free(name);
	return x;
}

void
credential_write(struct player *p, const struct credential *credential, const char *path)
{
	BIO *bio = BIO_new(BIO_s_mem()), *key = BIO_new(BIO_s_mem());
	char *data;
	long len;

	need(p, bio != NULL && PEM_write_bio_X509(bio, credential->certificate));
	len = BIO_get_mem_data(bio, &data);
	place_write(p, pool_printf(p->pool, "%s.pem", path), data, (size_t)len);
	need(p, PEM_write_bio_PrivateKey(key, credential->key, NULL, NULL, 0, NULL, NULL));
	len = BIO_get_mem_data(key, &data);
	place_write(p, pool_printf(p->pool, "%s.key", path), data, (size_t)len);
	BIO_free(bio);
	BIO_free(key);
}

void
credential_make(struct player *p, const struct words *words, bool ca)
{
	struct credential *out = &p->named[p->n_named];
	const char *key = word_get(words, "key"), *issuer = word_get(words, "ca");

	need(p, p->n_named < NAMED_MAX && words->n >= 2 && ca == (issuer == NULL));
	snprintf(out->name, sizeof(out->name), "%s", words->word[1]);
	out->key = key_new(p, key == NULL ? "ec:P-256" : key);
	out->certificate =
	    certificate_new(p, words, out->key, ca ? NULL : credential_find(p, issuer));
	credential_write(p, out, pool_printf(p->pool, "%s/d/%s", p->dir, out->name));
	p->n_named++;
}

void
credential_load(struct player *p, const struct words *words)
{
	const char *cert = word_get(words, "cert"), *key = word_get(words, "key");
	struct credential *out = &p->named[p->n_named];
	BIO *cert_file, *key_file;

	need(p, p->n_named < NAMED_MAX && cert != NULL && key != NULL);
	snprintf(out->name, sizeof(out->name), "%s", word_at(p, words, 1));
	cert_file = BIO_new_file(cert, "r");
	key_file = BIO_new_file(key, "r");
	out->certificate =
	    cert_file == NULL ? NULL : PEM_read_bio_X509(cert_file, NULL, NULL, NULL);
	out->key = key_file == NULL ? NULL : PEM_read_bio_PrivateKey(key_file, NULL, NULL, NULL);
	if (out->certificate == NULL || out->key == NULL) {
		fail(p, "no certificate in %s, or no key in %s", cert, key);
	}
	BIO_free(cert_file);
	BIO_free(key_file);
	p->n_named++;
}
