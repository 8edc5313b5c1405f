/*
 * The key that signs answers: any kind, again and again.
 */
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/pool.h"
#include "cmp/sign.h"
#include "cmp/verify.h"

/* Signs three times with one context; each signature verifies under the AlgorithmIdentifier that was announced. */
static void
sign_thrice(EVP_PKEY *key, bool pss)
{
	static const uint8_t element[] = {0x30, 0x03, 0x02, 0x01, 0x07};
	struct bytes data = bytes_of(element, sizeof(element)), signature;
	struct pool *pool = pool_new(1 << 20);
	struct signing_key signing;

	assert_non_null(key);
	assert_int_equal(signing_key_init(&signing, NULL, key, pss, pool), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(signing_key_sign(&signing, pool, data, &signature), 0);
		assert_int_equal(verify_signed(NULL, data, signing.algorithm, signature, key), 0);
	}
	signing_key_fini(&signing);
	pool_free(pool);
	EVP_PKEY_free(key);
}

static void
B4_11_each_kind_signs_again_and_again(void **state)
{
	(void)state;
	sign_thrice(EVP_EC_gen("P-256"), false);
	sign_thrice(EVP_EC_gen("P-384"), false);
	sign_thrice(EVP_EC_gen("P-521"), false);
	sign_thrice(EVP_RSA_gen(2048), false);
	sign_thrice(EVP_RSA_gen(2048), true);
	sign_thrice(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), false);
	sign_thrice(EVP_PKEY_Q_keygen(NULL, NULL, "ED448"), false);
}

static void
a_key_that_cannot_sign_is_refused(void **state)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
	struct pool *pool = pool_new(1 << 16);
	struct signing_key signing;

	(void)state;
	assert_int_equal(signing_key_init(&signing, NULL, key, false, pool), CMPD_ECRYPTO);
	signing_key_fini(&signing);
	pool_free(pool);
	EVP_PKEY_free(key);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(B4_11_each_kind_signs_again_and_again),
	    cmocka_unit_test(a_key_that_cannot_sign_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
