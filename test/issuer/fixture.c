#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "fixture.h"
#include "model/name.h"

EVP_PKEY *
make_key(const char *kind)
{
	EVP_PKEY *key;

	if (kind[0] >= '0' && kind[0] <= '9') {
		key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)atoi(kind));
	} else if (kind[0] == 'P' || kind[0] == 'b' || kind[0] == 's') {
		key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", kind);
	} else {
		key = EVP_PKEY_Q_keygen(NULL, NULL, kind);
	}
	assert_non_null(key);
	return key;
}

static void
add_extension(X509 *x509, const char *name, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *extension;

	X509V3_set_ctx(&ctx, x509, x509, NULL, NULL, 0);
	extension = X509V3_EXT_nconf(NULL, &ctx, name, value);
	assert_non_null(extension);
	assert_int_equal(X509_add_ext(x509, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

X509 *
make_ca(EVP_PKEY *key, const char *name, int days)
{
	X509 *x509 = X509_new();
	X509_NAME *subject = X509_get_subject_name(x509);
	int id = EVP_PKEY_get_base_id(key);
	bool digests = id == EVP_PKEY_ED25519 || id == EVP_PKEY_ED448;

	X509_set_version(x509, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x509), 4711);
	X509_gmtime_adj(X509_getm_notBefore(x509), -3600);
	X509_time_adj_ex(X509_getm_notAfter(x509), days, 0, NULL);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1,
	    -1, 0);
	X509_set_issuer_name(x509, subject);
	X509_set_pubkey(x509, key);
	add_extension(x509, "basicConstraints", "critical,CA:TRUE");
	add_extension(x509, "keyUsage", "critical,keyCertSign,cRLSign");
	add_extension(x509, "subjectKeyIdentifier", "hash");
	assert_true(X509_sign(x509, key, digests ? NULL : EVP_sha256()) > 0);
	return x509;
}

void
write_pem(const char *file, X509 *x509, EVP_PKEY *key)
{
	FILE *out = fopen(file, "a");

	assert_non_null(out);
	if (x509 != NULL) {
		assert_int_equal(PEM_write_X509(out, x509), 1);
	}
	if (key != NULL) {
		assert_int_equal(PEM_write_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL), 1);
	}
	fclose(out);
}

void
fixture_init(struct fixture *f, const char *ca_kind, int ca_days)
{
	static const char *usage[] = {"digitalSignature", "keyEncipherment", "keyAgreement", NULL};
	static const char *extended[] = {"clientAuth", "1.3.6.1.5.5.7.3.1", NULL};
	static const char *keys[] = {"ec:P-256", "ec:P-384", "rsa:2048", "ed25519", NULL};
	static const char *sans[] = {"dns", "ip", "email", "uri", "dirName", "otherName", NULL};
	static const char *points[] = {"http://ca.example/main.crl", NULL};
	static const char *issuers[] = {"http://ca.example/main.cer", NULL};

	*f = (struct fixture){.dir = "/tmp/cmpd-issuer-XXXXXX"};
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->cert_file, sizeof(f->cert_file), "%s/ca.pem", f->dir);
	snprintf(f->key_file, sizeof(f->key_file), "%s/ca.key", f->dir);
	f->ca_key = make_key(ca_kind);
	f->ca_x509 = make_ca(f->ca_key, "Test CA", ca_days);
	write_pem(f->cert_file, f->ca_x509, NULL);
	write_pem(f->key_file, NULL, f->ca_key);

	f->ca = (struct conf_ca){.name = "main", .certificate = f->cert_file, .key = f->key_file};
	f->profile = (struct conf_profile){.name = "device",
	    .ca = "main",
	    .validity = 90 * DAY,
	    .key_usage = usage,
	    .extended_key_usage = extended,
	    .allowed_keys = keys,
	    .san = sans,
	    .crl_distribution_points = points,
	    .ca_issuers = issuers};
	f->conf.cas = &f->ca;
	f->conf.n_cas = 1;
	f->conf.profiles = &f->profile;
	f->conf.n_profiles = 1;
	f->pool = pool_new(8 << 20);
	assert_int_equal(fixture_issuer(f), 0);
}

int
fixture_issuer(struct fixture *f)
{
	issuer_free(f->issuer);
	f->issuer = NULL;
	f->diag.text[0] = '\0';
	return issuer_new(&f->conf, NULL, &f->issuer, &f->diag);
}

void
fixture_fini(struct fixture *f)
{
	issuer_free(f->issuer);
	pool_free(f->pool);
	X509_free(f->ca_x509);
	EVP_PKEY_free(f->ca_key);
	unlink(f->cert_file);
	unlink(f->key_file);
	rmdir(f->dir);
	assert_int_equal(ERR_peek_error(), 0);
}

struct bytes
spki_of(struct fixture *f, EVP_PKEY *key)
{
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(key, &der);
	struct bytes out = pool_bytes(f->pool, bytes_of(der, (size_t)len));

	assert_true(len > 0);
	OPENSSL_free(der);
	return out;
}

struct bytes
name_of(struct fixture *f, const char *text)
{
	struct bytes der;

	assert_int_equal(name_from_text(f->pool, text, &der), 0);
	return der;
}

struct bytes
extensions_of(struct fixture *f, const char *const *lines)
{
	X509_EXTENSIONS *list = sk_X509_EXTENSION_new_null();
	unsigned char *der = NULL;
	struct bytes out;
	X509V3_CTX ctx;
	int len;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, NULL, NULL, NULL, NULL, X509V3_CTX_TEST);
	for (; *lines != NULL; lines++) {
		X509_EXTENSION *extension;
		char name[64];
		size_t n = strcspn(*lines, "=");

		snprintf(name, sizeof(name), "%.*s", (int)n, *lines);
		extension = X509V3_EXT_nconf(NULL, &ctx, name, *lines + n + 1);
		if (extension == NULL) {
			fail_msg("libcrypto does not take %s", *lines);
		}
		sk_X509_EXTENSION_push(list, extension);
	}
	len = i2d_X509_EXTENSIONS(list, &der);
	assert_true(len > 0);
	out = pool_bytes(f->pool, bytes_of(der, (size_t)len));
	OPENSSL_free(der);
	sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
	return out;
}

struct template template_of(struct fixture *f)
{
	EVP_PKEY *key = make_key("P-256");
	struct template template = {.subject = name_of(f, "/CN=device"), .spki = spki_of(f, key)};

	EVP_PKEY_free(key);
	return template;
}
