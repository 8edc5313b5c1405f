/*
 * Keys that are made here: of which kinds, and certificates for them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "fixture.h"
#include "model/extension.h"
#include "model/spki.h"

#define NOW INT64_C(1900000000000)

static struct fixture f;
static const char *keys[] = {
    "ec:P-256", "ec:P-384", "ec:P-521", "rsa:2048", "ed25519", "ed448", NULL};

static int
setup(void **state)
{
	(void)state;
	fixture_init(&f, "P-256", 36500);
	f.profile.allowed_keys = keys;
	return fixture_issuer(&f);
}

static int
teardown(void **state)
{
	(void)state;
	fixture_fini(&f);
	return 0;
}

static int
resolve(const char *kind, struct template *ret)
{
	struct template wanted = {.subject = name_of(&f, "/CN=device"), .make_key = kind};
	const char *mods = NULL;

	f.diag.text[0] = '\0';
	return issuer_resolve(f.issuer, "device", &wanted, f.pool, ret, &mods, &f.diag);
}

static X509 *
certificate_of(const struct template *made)
{
	struct cert cert;
	struct bytes hash;
	const unsigned char *p;

	assert_int_equal(issuer_sign(f.issuer, "device", made, NOW, f.pool, &cert, &hash, &f.diag),
	    0);
	p = cert.der.data;
	return d2i_X509(NULL, &p, (long)cert.der.len);
}

static void
each_kind_is_made_as_it_is_named(void **state)
{
	(void)state;
	for (const char **kind = keys; *kind; kind++) {
		struct template resolved, made;
		struct extension extension;
		EVP_PKEY *key = NULL;
		char text[ISSUER_KEY_TYPE_SIZE];
		X509 *x;

		assert_true(issuer_can_make_key(NULL, *kind));
		assert_int_equal(resolve(*kind, &resolved), 0);
		assert_string_equal(resolved.make_key, *kind);
		assert_null(resolved.spki.data);
		assert_int_equal(extension_find(resolved.extensions, EXTENSION_SUBJECT_KEY_ID,
				     &extension),
		    CMPD_ENOENT);
		assert_int_equal(issuer_make_key(f.issuer, &resolved, f.pool, &made, &key, &f.diag),
		    0);
		assert_null(made.make_key);
		assert_int_equal(issuer_key_type(made.spki, text), 0);
		assert_string_equal(text, *kind);
		x = certificate_of(&made);
		assert_int_equal(X509_check_private_key(x, key), 1);
		assert_int_equal(X509_verify(x, f.ca_key), 1);
		assert_non_null(X509_get0_subject_key_id(x));
		assert_int_equal(ERR_peek_error(), 0);
		X509_free(x);
		EVP_PKEY_free(key);
	}
}

static void
no_two_keys_are_the_same(void **state)
{
	EVP_PKEY *first = NULL, *second = NULL;
	struct template resolved, made;

	(void)state;
	assert_int_equal(resolve("ec:P-256", &resolved), 0);
	assert_int_equal(issuer_make_key(f.issuer, &resolved, f.pool, &made, &first, &f.diag), 0);
	assert_int_equal(issuer_make_key(f.issuer, &resolved, f.pool, &made, &second, &f.diag), 0);
	assert_int_equal(EVP_PKEY_eq(first, second), 0);
	EVP_PKEY_free(first);
	EVP_PKEY_free(second);
}

static void
B3_16_what_the_profile_does_not_allow_is_not_made(void **state)
{
	static const char *few[] = {"ec:P-384", "rsa:3072", NULL};
	struct template resolved;

	(void)state;
	f.profile.allowed_keys = few;
	assert_int_equal(resolve("ec:P-256", &resolved), CMPD_ETEMPLATE);
	assert_string_equal(f.diag.text, "a key of kind ec:P-256 is not allowed by the profile");
	assert_int_equal(resolve("rsa:2048", &resolved), CMPD_ETEMPLATE);
	assert_int_equal(resolve("rsa:4096", &resolved), 0);
	assert_int_equal(resolve("dsa:2048", &resolved), CMPD_EALGORITHM);
	f.profile.allowed_keys = keys;
}

static void
a_template_without_a_key_is_not_signed(void **state)
{
	struct template resolved;
	struct cert cert;
	struct bytes hash;

	(void)state;
	assert_int_equal(resolve("ec:P-256", &resolved), 0);
	assert_int_equal(issuer_sign(f.issuer, "device", &resolved, NOW, f.pool, &cert, &hash,
			     &f.diag),
	    CMPD_ETEMPLATE);
}

static void
what_cannot_be_made(void **state)
{
	static const char *const words[] = {
	    "rsa:8192", "rsa", "ec:P-1", "x25519", "rsa-pss:2048", "", "dsa:1024"};

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct template resolved = {.make_key = words[i]}, made;
		EVP_PKEY *key = NULL;

		assert_false(issuer_can_make_key(NULL, words[i]));
		assert_int_equal(issuer_make_key(f.issuer, &resolved, f.pool, &made, &key, &f.diag),
		    CMPD_EALGORITHM);
		assert_null(key);
		assert_int_equal(ERR_peek_error(), 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_kind_is_made_as_it_is_named),
	    cmocka_unit_test(no_two_keys_are_the_same),
	    cmocka_unit_test(B3_16_what_the_profile_does_not_allow_is_not_made),
	    cmocka_unit_test(a_template_without_a_key_is_not_signed),
	    cmocka_unit_test(what_cannot_be_made),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
