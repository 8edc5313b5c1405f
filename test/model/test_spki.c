#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "model/spki.h"

struct key {
	unsigned char *der;
	size_t len;
};

static struct key
encode(EVP_PKEY *pkey)
{
	struct key key = {NULL, 0};
	int len = i2d_PUBKEY(pkey, &key.der);

	assert_true(len > 0);
	key.len = (size_t)len;
	EVP_PKEY_free(pkey);
	return key;
}

static void
kinds_are_told_without_decoding(void **state)
{
	static const struct {
		const char *type, *curve, *text;
		size_t bits;
	} rows[] = {
	    {"EC", "P-256", "ec:P-256", 0},
	    {"EC", "P-384", "ec:P-384", 0},
	    {"EC", "P-521", "ec:P-521", 0},
	    {"EC", "brainpoolP384r1", "ec:brainpoolP384r1", 0},
	    {"RSA", NULL, "rsa:2048", 2048},
	    {"RSA", NULL, "rsa:1111", 1111},
	    {"ED25519", NULL, "ed25519", 0},
	    {"ED448", NULL, "ed448", 0},
	    {"X25519", NULL, "x25519", 0},
	    {"X448", NULL, "x448", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		EVP_PKEY *pkey = rows[i].bits != 0
				     ? EVP_PKEY_Q_keygen(NULL, NULL, rows[i].type, rows[i].bits)
				     : EVP_PKEY_Q_keygen(NULL, NULL, rows[i].type, rows[i].curve);
		struct key key = encode(pkey);
		char text[SPKI_TEXT_SIZE];
		struct spki spki;
		struct diag diag;

		assert_int_equal(spki_parse(bytes_of(key.der, key.len), &spki, &diag), 0);
		assert_string_equal(spki_to_text(&spki, text), rows[i].text);
		assert_true(spki_word_known(text));
		assert_true(spki_fits(&spki, text));
		for (size_t len = 0; len < key.len; len++) {
			/* at its own end, so that reading past it is noticed */
			unsigned char *cut = malloc(len + 1);

			memcpy(cut, key.der, len);
			assert_int_equal(spki_parse(bytes_of(cut, len), &spki, NULL), CMPD_EFORMAT);
			free(cut);
		}
		OPENSSL_free(key.der);
	}
}

static void
words_name_keys_that_are_not_there(void **state)
{
	static const char *const words[] = {"ec:P-256", "ec:P-521", "ec:brainpoolP384r1",
	    "rsa:2048", "rsa:4096", "ed25519", "ed448", "x25519", "ml-dsa-65"};
	static const char *const others[] = {"", "ec", "ec:", "ec:P-1", "rsa", "rsa:", "rsa:12",
	    "rsa:99999", "ed25519:1", "dsa:2048", "ml-dsa"};

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		char text[SPKI_TEXT_SIZE];
		struct spki spki;

		assert_int_equal(spki_of_word(words[i], &spki), 0);
		assert_string_equal(spki_to_text(&spki, text), words[i]);
		assert_null(spki.key.data);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct spki spki;

		assert_int_equal(spki_of_word(others[i], &spki), CMPD_EALGORITHM);
	}
}

static void
an_empty_key_is_a_wish(void **state)
{
	/* As the client of OpenSSL 3.5 sends it, for P-256; RSA; Ed25519. */
	static const uint8_t p256[] = {0x30, 0x18, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce,
	    0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03,
	    0x01, 0x00};
	static const uint8_t rsa[] = {0x30, 0x12, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
	    0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00, 0x03, 0x01, 0x00};
	static const uint8_t ed[] = {
	    0x30, 0x0a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x01, 0x00};
	struct bytes wish = bytes_of(p256, sizeof(p256));
	struct key key = encode(EVP_EC_gen("P-256"));
	struct spki spki;

	(void)state;
	assert_true(spki_is_wish(wish));
	assert_true(spki_wish_fits(wish, "ec:P-256"));
	assert_false(spki_wish_fits(wish, "ec:P-384"));
	assert_false(spki_wish_fits(wish, "rsa:2048"));
	assert_int_equal(spki_parse(wish, &spki, NULL), CMPD_EFORMAT);
	assert_true(spki_wish_fits(bytes_of(rsa, sizeof(rsa)), "rsa:3072"));
	assert_false(spki_wish_fits(bytes_of(rsa, sizeof(rsa)), "ec:P-256"));
	assert_true(spki_wish_fits(bytes_of(ed, sizeof(ed)), "ed25519"));
	assert_false(spki_wish_fits(bytes_of(ed, sizeof(ed)), "ed448"));
	assert_false(spki_is_wish(bytes_of(key.der, key.len)));
	for (size_t len = 0; len < sizeof(p256); len++) {
		assert_false(spki_is_wish(bytes_of(p256, len)));
	}
	assert_false(spki_is_wish(BYTES_NONE));
	OPENSSL_free(key.der);
}

static void
explicit_curves_are_refused(void **state)
{
	EVP_PKEY *pkey = EVP_EC_gen("P-256");
	struct key key;
	struct spki spki;
	struct diag diag;

	(void)state;
	assert_int_equal(EVP_PKEY_set_utf8_string_param(pkey, OSSL_PKEY_PARAM_EC_ENCODING,
			     OSSL_PKEY_EC_ENCODING_EXPLICIT),
	    1);
	key = encode(pkey);
	assert_int_equal(spki_parse(bytes_of(key.der, key.len), &spki, &diag), CMPD_EALGORITHM);
	assert_string_equal(diag.text, "EC parameters must be a named curve");
	OPENSSL_free(key.der);
}

static void
unknown_curves_and_algorithms_are_refused(void **state)
{
	struct key key = encode(EVP_EC_gen("secp224r1"));
	struct spki spki;

	(void)state;
	assert_int_equal(spki_parse(bytes_of(key.der, key.len), &spki, NULL), CMPD_EALGORITHM);
	OPENSSL_free(key.der);
	assert_int_equal(
	    spki_parse(bytes_of("\x30\x0a\x30\x04\x06\x02\x2a\x03\x03\x02\x00\x01", 12), &spki,
		NULL),
	    CMPD_EALGORITHM);
}

static void
points_and_numbers_must_fit(void **state)
{
	struct key key = encode(EVP_EC_gen("P-256"));
	struct spki spki;
	size_t point = key.len - 65;

	(void)state;
	key.der[point] = 6; /* the hybrid form */
	assert_int_equal(spki_parse(bytes_of(key.der, key.len), &spki, NULL), CMPD_EFORMAT);
	key.der[point] = 0;
	assert_int_equal(spki_parse(bytes_of(key.der, key.len), &spki, NULL), CMPD_EFORMAT);
	key.der[point] = 4;
	key.der[point - 1] = 1; /* unused bits */
	assert_int_equal(spki_parse(bytes_of(key.der, key.len), &spki, NULL), CMPD_EFORMAT);
	OPENSSL_free(key.der);

	key = encode(EVP_RSA_gen(2048));
	key.der[key.len - 1] = 1; /* exponent 65537 + even modulus */
	key.der[key.len - 6] ^= 1;
	assert_int_equal(spki_parse(bytes_of(key.der, key.len), &spki, NULL), CMPD_EALGORITHM);
	key.der[key.len - 6] ^= 1;
	key.der[key.len - 1] = 2;
	assert_int_equal(spki_parse(bytes_of(key.der, key.len), &spki, NULL), CMPD_EALGORITHM);
	OPENSSL_free(key.der);

	key = encode(EVP_RSA_gen(512));
	assert_int_equal(spki_parse(bytes_of(key.der, key.len), &spki, NULL), CMPD_EALGORITHM);
	OPENSSL_free(key.der);
}

static void
words_of_profiles(void **state)
{
	static const char *const known[] = {
	    "ec:P-256", "EC:p-256", "rsa:2048", "RSA:4096", "rsa-pss:2048", "ed25519", "x448"};
	static const char *const unknown[] = {"", "ec", "ec:", "ec:P-255", "rsa", "rsa:", "rsa:2",
	    "rsa:2048x", "rsa: 2048", "rsa:99999999999999999999", "ed25519:1", "dsa:2048",
	    "rsa-p:2048"};
	struct spki rsa = {.kind = SPKI_RSA, .bits = 3072};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		assert_true(spki_word_known(known[i]));
	}
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		assert_false(spki_word_known(unknown[i]));
	}
	assert_true(spki_fits(&rsa, "rsa:2048"));
	assert_true(spki_fits(&rsa, "rsa:3072"));
	assert_false(spki_fits(&rsa, "rsa:3073"));
	assert_false(spki_fits(&rsa, "rsa-pss:2048"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(kinds_are_told_without_decoding),
	    cmocka_unit_test(words_name_keys_that_are_not_there),
	    cmocka_unit_test(an_empty_key_is_a_wish),
	    cmocka_unit_test(explicit_curves_are_refused),
	    cmocka_unit_test(unknown_curves_and_algorithms_are_refused),
	    cmocka_unit_test(points_and_numbers_must_fit),
	    cmocka_unit_test(words_of_profiles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
