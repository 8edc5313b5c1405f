#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "fixture.h"

static struct fixture f;
static char file[96];

static int
setup(void **state)
{
	(void)state;
	fixture_init(&f, "P-256", 3650);
	snprintf(file, sizeof(file), "%s/other", f.dir);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	unlink(file);
	fixture_fini(&f);
	return 0;
}

static void
assert_refused(int error, const char *reason)
{
	assert_int_equal(fixture_issuer(&f), error);
	if (strstr(f.diag.text, reason) == NULL) {
		fail_msg("\"%s\" is not in \"%s\"", reason, f.diag.text);
	}
	assert_null(f.issuer);
}

static void
write_text(const char *text)
{
	FILE *out = fopen(file, "w");

	fputs(text, out);
	fclose(out);
}

static void
keys_come_from_files_and_uris(void **state)
{
	char uri[128];
	EVP_PKEY *key = NULL;

	(void)state;
	assert_int_equal(issuer_load_key(NULL, f.key_file, &key, &f.diag), 0);
	assert_int_equal(EVP_PKEY_eq(key, f.ca_key), 1);
	EVP_PKEY_free(key);
	key = NULL;
	snprintf(uri, sizeof(uri), "file:%s", f.key_file);
	assert_int_equal(issuer_load_key(NULL, uri, &key, &f.diag), 0);
	assert_int_equal(EVP_PKEY_eq(key, f.ca_key), 1);
	EVP_PKEY_free(key);
}

static void
keys_that_cannot_be_had_are_named(void **state)
{
	EVP_PKEY *key = NULL;
	FILE *out;

	(void)state;
	assert_int_equal(issuer_load_key(NULL, "/nonexistent/key", &key, &f.diag), CMPD_ECONF);
	assert_non_null(strstr(f.diag.text, "/nonexistent/key"));
	assert_int_equal(issuer_load_key(NULL, f.cert_file, &key, &f.diag), CMPD_ECONF);
	assert_non_null(strstr(f.diag.text, "no private key"));
	assert_int_equal(issuer_load_key(NULL, f.dir, &key, &f.diag), CMPD_ECONF);
	assert_int_equal(issuer_load_key(NULL, "nosuch:key", &key, &f.diag), CMPD_ECONF);
	write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
	assert_int_equal(issuer_load_key(NULL, file, &key, &f.diag), CMPD_ECONF);

	/* Standard input is a terminal's in life: nothing may be read from it. */
	out = fopen(file, "w");
	assert_int_equal(PEM_write_PKCS8PrivateKey(out, f.ca_key, EVP_aes_128_cbc(), "secret", 6,
			     NULL, NULL),
	    1);
	fclose(out);
	assert_int_equal(issuer_load_key(NULL, file, &key, &f.diag), CMPD_ECONF);
	assert_non_null(strstr(f.diag.text, "never asks for a passphrase"));
	assert_null(key);
}

static void
certificates_come_in_pem_and_der(void **state)
{
	STACK_OF(X509) *certs = NULL;
	BIO *bio;

	(void)state;
	write_text("some words first\n");
	write_pem(file, f.ca_x509, f.ca_key);
	write_pem(file, f.ca_x509, NULL);
	assert_int_equal(issuer_load_certs(NULL, file, &certs, &f.diag), 0);
	assert_int_equal(sk_X509_num(certs), 2);
	sk_X509_pop_free(certs, X509_free);
	certs = NULL;

	bio = BIO_new_file(file, "wb");
	assert_int_equal(i2d_X509_bio(bio, f.ca_x509), 1);
	BIO_free(bio);
	assert_int_equal(issuer_load_certs(NULL, file, &certs, &f.diag), 0);
	assert_int_equal(sk_X509_num(certs), 1);
	assert_int_equal(X509_cmp(sk_X509_value(certs, 0), f.ca_x509), 0);
	sk_X509_pop_free(certs, X509_free);
	certs = NULL;

	write_text("nothing of the kind");
	assert_int_equal(issuer_load_certs(NULL, file, &certs, &f.diag), CMPD_ECONF);
	write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
	assert_int_equal(issuer_load_certs(NULL, file, &certs, &f.diag), CMPD_ECONF);
	assert_int_equal(issuer_load_certs(NULL, f.dir, &certs, &f.diag), CMPD_ECONF);
	unlink(file);
	assert_int_equal(mkfifo(file, 0600), 0);
	assert_int_equal(issuer_load_certs(NULL, file, &certs, &f.diag), CMPD_ECONF);
	assert_int_equal(issuer_load_certs(NULL, "/nonexistent", &certs, &f.diag), CMPD_EIO);
	assert_null(certs);
}

static void
key_and_certificate_must_fit(void **state)
{
	EVP_PKEY *other = make_key("P-256");

	(void)state;
	write_pem(file, NULL, other);
	f.ca.key = file;
	assert_refused(CMPD_ECONF, "does not belong to the certificate");
	EVP_PKEY_free(other);
}

static void
a_ca_is_needed(void **state)
{
	EVP_PKEY *weak = make_key("1024");
	X509 *leaf = X509_dup(f.ca_x509), *small;

	(void)state;
	X509_EXTENSION_free(X509_delete_ext(leaf,
	    X509_get_ext_by_NID(leaf, NID_basic_constraints, -1)));
	X509_sign(leaf, f.ca_key, EVP_sha256());
	write_pem(file, leaf, NULL);
	f.ca.certificate = file;
	assert_refused(CMPD_ECONF, "not the certificate of a CA");
	unlink(file);

	small = make_ca(weak, "Weak", 10);
	write_pem(file, small, weak);
	f.ca.key = file;
	assert_refused(CMPD_ECONF, "rsa:1024");
	X509_free(small);
	X509_free(leaf);
	EVP_PKEY_free(weak);
}

/* A certificate for key under a CA, itself one of a CA. */
static X509 *
make_below(X509 *ca, EVP_PKEY *ca_key, EVP_PKEY *key, const char *name)
{
	X509 *x509 = make_ca(key, name, 3650);

	X509_set_issuer_name(x509, X509_get_subject_name(ca));
	assert_true(X509_sign(x509, ca_key, EVP_sha256()) > 0);
	return x509;
}

static void
the_chain_leaves_out_the_root(void **state)
{
	EVP_PKEY *root_key = make_key("P-256"), *middle_key = make_key("P-256");
	X509 *root = make_ca(root_key, "Root", 3650);
	X509 *middle = make_below(root, root_key, middle_key, "Middle");
	X509 *ca = make_below(middle, middle_key, f.ca_key, "Test CA");
	const struct bytes *chain;
	unsigned char *der = NULL;
	size_t n;
	int len = i2d_X509(middle, &der);

	(void)state;
	/* all in one file */
	write_pem(file, ca, NULL);
	write_pem(file, middle, NULL);
	write_pem(file, root, NULL);
	f.ca.certificate = file;
	assert_int_equal(fixture_issuer(&f), 0);
	chain = issuer_ca0_chain(f.issuer, "device", &n);
	assert_int_equal(n, 1);
	assert_true(bytes_equal(chain[0], bytes_of(der, (size_t)len)));

	/* the same file as chain: it begins with the certificate itself */
	f.ca.chain = file;
	assert_int_equal(fixture_issuer(&f), 0);
	(void)issuer_ca0_chain(f.issuer, "device", &n);
	assert_int_equal(n, 1);
	assert_null(issuer_ca0_chain(f.issuer, "nobody", &n));
	assert_int_equal(n, 0);
	assert_null(issuer_ca0_certificate(f.issuer, "nobody").data);
	assert_null(issuer_ca0_x509(f.issuer, "nobody"));
	assert_int_equal(X509_cmp(issuer_ca0_x509(f.issuer, "device"), ca), 0);

	unlink(file);
	write_pem(file, ca, NULL);
	write_pem(file, root, NULL);
	assert_refused(CMPD_ECONF, "did not issue the one before it");
	OPENSSL_free(der);
	X509_free(ca);
	X509_free(middle);
	X509_free(root);
	EVP_PKEY_free(middle_key);
	EVP_PKEY_free(root_key);
}

static void
profiles_that_make_no_sense_are_refused(void **state)
{
	static const char *odd[] = {"odd", NULL}, *sign[] = {"keyCertSign", NULL};
	static const char *eku[] = {"clientAuth", "nobody", NULL}, *url[] = {"no url", NULL};
	struct conf_profile good = f.profile;

	(void)state;
#define REFUSED(key, value, reason)                                                                \
	do {                                                                                       \
		f.profile = good;                                                                  \
		f.profile.key = value;                                                             \
		assert_refused(CMPD_ECONF, reason);                                                \
	} while (0)
	REFUSED(ca, "nobody", "no CA is named");
	REFUSED(key_usage, odd, "key_usage: unknown word \"odd\"");
	REFUSED(key_usage, sign, "need allow_ca");
	REFUSED(allow_ca, true, "needs keyCertSign");
	REFUSED(extended_key_usage, eku, "extended_key_usage: unknown word \"nobody\"");
	REFUSED(allowed_keys, odd, "allowed_keys");
	REFUSED(san, odd, "san: unknown word");
	REFUSED(crl_distribution_points, url, "is no URL");
	REFUSED(ca_issuers, url, "is no URL");
	REFUSED(validity, 0, "validity");
#undef REFUSED
	f.profile = good;
	assert_int_equal(fixture_issuer(&f), 0);
}

static void
key_kinds_are_told(void **state)
{
	struct template template = template_of(&f);
	char kind[ISSUER_KEY_TYPE_SIZE];

	(void)state;
	assert_int_equal(issuer_key_type(template.spki, kind), 0);
	assert_string_equal(kind, "ec:P-256");
	assert_int_equal(
	    issuer_key_type(bytes_of("\x30\x0a\x30\x04\x06\x02\x2a\x03\x03\x02\x00\x01", 12), kind),
	    0);
	assert_string_equal(kind, "other:1.2.3");
	assert_int_equal(issuer_key_type(bytes_of("\x30\x00", 2), kind), CMPD_EFORMAT);
	assert_int_equal(issuer_key_type(BYTES_NONE, kind), CMPD_EFORMAT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(keys_come_from_files_and_uris),
	    TEST(keys_that_cannot_be_had_are_named),
	    TEST(certificates_come_in_pem_and_der),
	    TEST(key_and_certificate_must_fit),
	    TEST(a_ca_is_needed),
	    TEST(the_chain_leaves_out_the_root),
	    TEST(profiles_that_make_no_sense_are_refused),
	    TEST(key_kinds_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
