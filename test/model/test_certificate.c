#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/x509v3.h>

#include "model/certificate.h"
#include "model/extension.h"

static int
make_der(bool extensions, unsigned char **ret)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	int len;

	X509_set_version(x, extensions ? X509_VERSION_3 : X509_VERSION_1);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8,
	    (const unsigned char *)"subject", -1, -1, 0);
	X509_NAME *issuer = X509_NAME_dup(X509_get_subject_name(x));
	X509_NAME_add_entry_by_txt(issuer, "O", MBSTRING_UTF8, (const unsigned char *)"issuer", -1,
	    -1, 0);
	X509_set_issuer_name(x, issuer);
	X509_NAME_free(issuer);
	X509_gmtime_adj(X509_getm_notBefore(x), 0);
	X509_gmtime_adj(X509_getm_notAfter(x), 1000);
	X509_set_pubkey(x, key);
	if (extensions) {
		X509_EXTENSION *e =
		    X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:a.example");

		X509_add_ext(x, e, -1);
		X509_EXTENSION_free(e);
	}
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	*ret = NULL;
	len = i2d_X509(x, ret);
	assert_true(len > 0);
	X509_free(x);
	EVP_PKEY_free(key);
	return len;
}

/* As libcrypto reads them. */
static void
assert_parts(const unsigned char *der, int len, const struct certificate_parts *parts)
{
	const unsigned char *p = der, *name = NULL;
	X509 *x = d2i_X509(NULL, &p, len);
	unsigned char *spki = NULL;
	size_t name_len = 0;
	int spki_len;

	assert_true(X509_NAME_get0_der(X509_get_subject_name(x), &name, &name_len));
	assert_true(bytes_equal(parts->subject, bytes_of(name, name_len)));
	assert_true(X509_NAME_get0_der(X509_get_issuer_name(x), &name, &name_len));
	assert_true(bytes_equal(parts->issuer, bytes_of(name, name_len)));
	spki_len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &spki);
	assert_true(bytes_equal(parts->spki, bytes_of(spki, (size_t)spki_len)));
	OPENSSL_free(spki);
	X509_free(x);
}

static void
parts_are_found_without_decoding(void **state)
{
	struct certificate_parts parts;
	struct extension san;
	unsigned char *der;

	(void)state;
	for (int extensions = 0; extensions < 2; extensions++) {
		int len = make_der(extensions, &der);

		assert_int_equal(certificate_read(bytes_of(der, (size_t)len), &parts), 0);
		assert_parts(der, len, &parts);
		assert_int_equal(extension_find(parts.extensions, EXTENSION_SUBJECT_ALT_NAME, &san),
		    extensions ? 0 : CMPD_ENOENT);
		OPENSSL_free(der);
	}
}

/* Cut anywhere in the part that is read, it is none; and no byte of it ends the process. */
static void
what_is_none_is_refused(void **state)
{
	struct certificate_parts parts;
	unsigned char *der;
	int len = make_der(true, &der);

	(void)state;
	for (int i = 0; i < len; i++) {
		assert_int_equal(certificate_read(bytes_of(der, (size_t)i), &parts), CMPD_EFORMAT);
	}
	for (int i = 0; i < len; i++) {
		der[i] ^= 0x55;
		if (certificate_read(bytes_of(der, (size_t)len), &parts) == 0) {
			assert_non_null(parts.subject.data);
			assert_non_null(parts.spki.data);
		}
		der[i] ^= 0x55;
	}
	OPENSSL_free(der);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(parts_are_found_without_decoding),
	    cmocka_unit_test(what_is_none_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
