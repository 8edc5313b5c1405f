/*
 * Public keys made from SubjectPublicKeyInfo the cheap way: the same keys as libcrypto decodes, nothing else.
 */
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "cmp/verify.h"

static EVP_PKEY *
any_key(const char *kind)
{
	if (!strcmp(kind, "RSA")) {
		return EVP_RSA_gen(2048);
	}
	return kind[0] == 'E' ? EVP_PKEY_Q_keygen(NULL, NULL, kind) : EVP_EC_gen(kind);
}

static void
each_kind_is_the_same_key(void **state)
{
	static const char *const kinds[] = {
	    "P-256", "P-384", "P-521", "brainpoolP256r1", "RSA", "ED25519", "P-256"};
	struct key_maker maker = {.libctx = NULL};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		EVP_PKEY *key = any_key(kinds[i]), *made = NULL;
		unsigned char *der = NULL;
		int len = i2d_PUBKEY(key, &der);

		assert_true(len > 0);
		assert_int_equal(key_maker_make(&maker, bytes_of(der, (size_t)len), &made), 0);
		assert_int_equal(EVP_PKEY_eq(key, made), 1);
		EVP_PKEY_free(made);
		EVP_PKEY_free(key);
		OPENSSL_free(der);
	}
	key_maker_fini(&maker);
}

static void
B3_15_a_point_beside_the_curve_is_no_key(void **state)
{
	struct key_maker maker = {.libctx = NULL};
	EVP_PKEY *key = EVP_EC_gen("P-256"), *made = NULL;
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(key, &der);

	(void)state;
	assert_true(len > 0);
	der[len - 1] ^= 1;
	assert_int_equal(key_maker_make(&maker, bytes_of(der, (size_t)len), &made),
	    CMPD_EALGORITHM);
	assert_int_equal(key_maker_make(&maker, bytes_of(der, 3), &made), CMPD_EALGORITHM);
	assert_null(made);
	key_maker_fini(&maker);
	EVP_PKEY_free(key);
	OPENSSL_free(der);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_kind_is_the_same_key),
	    cmocka_unit_test(B3_15_a_point_beside_the_curve_is_no_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
