/*
 * Keys that were made here, on their way to their owner: each kind of recipient opens what was made for him, with
 * libcrypto's CMS as a client has it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/buf.h"
#include "cmp/keypackage.h"
#include "issuer/fixture.h"
#include "model/der.h"

static struct fixture f;
static struct kga kga;

/* ---- arrange ---- */

/* A certificate of the fixture's CA with these lines of openssl's configuration. */
static X509 *
certificate(EVP_PKEY *key, const char *const *lines)
{
	X509 *x = make_ca(key, "owner", 30);
	X509V3_CTX ctx;

	while (X509_get_ext_count(x) > 0) {
		X509_EXTENSION_free(X509_delete_ext(x, 0));
	}
	assert_int_equal(X509_set_issuer_name(x, X509_get_subject_name(f.ca_x509)), 1);
	X509V3_set_ctx(&ctx, f.ca_x509, x, NULL, NULL, 0);
	for (; *lines; lines++) {
		char name[64];
		const char *value = strchr(*lines, '=');
		X509_EXTENSION *extension = NULL;

		snprintf(name, sizeof(name), "%.*s", (int)(value - *lines), *lines);
		extension = X509V3_EXT_nconf(NULL, &ctx, name, value + 1);
		assert_non_null(extension);
		assert_int_equal(X509_add_ext(x, extension, -1), 1);
		X509_EXTENSION_free(extension);
	}
	assert_true(X509_sign(x, f.ca_key, EVP_sha256()) > 0);
	return x;
}

static int
setup(void **state)
{
	static const char *const lines[] = {
	    "keyUsage=digitalSignature", "extendedKeyUsage=1.3.6.1.5.5.7.3.32", NULL};

	(void)state;
	fixture_init(&f, "P-256", 3650);
	kga.key = make_key("P-384");
	kga.certificate = certificate(kga.key, lines);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	EVP_PKEY_free(kga.key);
	X509_free(kga.certificate);
	fixture_fini(&f);
	return 0;
}

static struct bytes
made_for(const struct key_recipient *recipient, EVP_PKEY *key)
{
	struct bytes ret = BYTES_NONE;

	assert_int_equal(key_package_make(NULL, &kga, recipient, key, f.pool, &ret), 0);
	assert_int_equal(ERR_peek_error(), 0);
	return ret;
}

/* ---- what a client does ---- */

/* ContentInfo around what libcrypto has decoded only inside of one. */
static CMS_ContentInfo *
content_info(int type, struct bytes content)
{
	struct buf out;
	const unsigned char *p;
	CMS_ContentInfo *cms;
	size_t mark, inner;

	buf_init(&out, 1 << 20);
	mark = der_begin(&out, DER_SEQUENCE);
	der_put(&out, DER_OID,
	    bytes_of(OBJ_get0_data(OBJ_nid2obj(type)), OBJ_length(OBJ_nid2obj(type))));
	inner = der_begin(&out, DER_CONSTRUCTED(0));
	buf_put_bytes(&out, content);
	der_end(&out, inner);
	der_end(&out, mark);
	p = out.data;
	cms = d2i_CMS_ContentInfo(NULL, &p, (long)out.len);
	assert_non_null(cms);
	buf_fini(&out);
	return cms;
}

static struct bytes
drain(BIO *bio)
{
	char *data = NULL;
	long len = BIO_get_mem_data(bio, &data);
	struct bytes ret = len > 0 ? pool_bytes(f.pool, bytes_of(data, (size_t)len)) : BYTES_NONE;

	BIO_free(bio);
	return ret;
}

/* The only recipient is of this type, and the content is a SignedData. */
static struct bytes
decrypt(struct bytes enveloped, int type, EVP_PKEY *key, X509 *x, struct bytes secret)
{
	CMS_ContentInfo *cms = content_info(NID_pkcs7_enveloped, enveloped);
	BIO *out = BIO_new(BIO_s_mem());

	assert_int_equal(sk_CMS_RecipientInfo_num(CMS_get0_RecipientInfos(cms)), 1);
	assert_int_equal(
	    CMS_RecipientInfo_type(sk_CMS_RecipientInfo_value(CMS_get0_RecipientInfos(cms), 0)),
	    type);
	assert_int_equal(OBJ_obj2nid(CMS_get0_eContentType(cms)), NID_pkcs7_signed);
	if (secret.data) {
		char copy[64];

		assert_true(secret.len < sizeof(copy));
		memcpy(copy, secret.data, secret.len);
		assert_int_equal(CMS_decrypt_set1_password(cms, (unsigned char *)copy,
				     (ossl_ssize_t)secret.len),
		    1);
	}
	assert_int_equal(CMS_decrypt(cms, key, x, NULL, out, 0), 1);
	CMS_ContentInfo_free(cms);
	return drain(out);
}

/* Signed by the authority, whose certificate came along, under the CA. */
static struct bytes
verify(struct bytes signed_data, const char *type)
{
	CMS_ContentInfo *cms = content_info(NID_pkcs7_signed, signed_data);
	X509_STORE *store = X509_STORE_new();
	BIO *out = BIO_new(BIO_s_mem());
	STACK_OF(X509) *signers = NULL;
	char oid[80];

	X509_STORE_add_cert(store, f.ca_x509);
	X509_STORE_set_purpose(store, X509_PURPOSE_ANY);
	assert_int_equal(CMS_verify(cms, NULL, store, NULL, out, CMS_BINARY), 1);
	signers = CMS_get0_signers(cms);
	assert_int_equal(sk_X509_num(signers), 1);
	assert_int_equal(X509_cmp(sk_X509_value(signers, 0), kga.certificate), 0);
	OBJ_obj2txt(oid, sizeof(oid), CMS_get0_eContentType(cms), 1);
	assert_string_equal(oid, type);
	sk_X509_free(signers);
	X509_STORE_free(store);
	CMS_ContentInfo_free(cms);
	return drain(out);
}

static void
assert_is_key(struct bytes private_key_info, const EVP_PKEY *key)
{
	const unsigned char *p = private_key_info.data;
	PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, (long)private_key_info.len);
	EVP_PKEY *got = info ? EVP_PKCS82PKEY(info) : NULL;

	assert_ptr_equal(p, private_key_info.data + private_key_info.len);
	assert_non_null(got);
	assert_int_equal(EVP_PKEY_eq(got, key), 1);
	PKCS8_PRIV_KEY_INFO_free(info);
	EVP_PKEY_free(got);
}

static void
assert_package(struct bytes signed_data, const EVP_PKEY *key)
{
	struct bytes package = verify(signed_data, "2.16.840.1.101.2.1.2.78.5"), content;

	assert_int_equal(der_only(package, DER_SEQUENCE, &content), 0);
	assert_is_key(content, key);
}

/* ---- tests ---- */

static const char *const kinds[] = {"P-256", "P-521", "2048", "ED25519", "ED448"};

static void
a_secret_opens_it(void **state)
{
	struct key_recipient recipient = {.secret = bytes_str("a secret of the device")};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		EVP_PKEY *key = make_key(kinds[i]);

		assert_package(decrypt(made_for(&recipient, key), CMS_RECIPINFO_PASS, NULL, NULL,
				   recipient.secret),
		    key);
		EVP_PKEY_free(key);
	}
}

static void
opens_for_certificate(const char *kind, int type, const char *const *lines)
{
	EVP_PKEY *owner = make_key(kind), *key = make_key("P-256"), *other = make_key(kind);
	X509 *x = certificate(owner, lines), *another = certificate(other, lines);
	struct key_recipient recipient = {.certificate = x};
	struct bytes enveloped = made_for(&recipient, key), again = made_for(&recipient, key);
	struct bytes signed_data;
	CMS_ContentInfo *cms = content_info(NID_pkcs7_enveloped, enveloped);
	BIO *out = BIO_new(BIO_s_mem());
	struct diag why = {""};

	assert_int_equal(key_recipient_check(x, &why), 0);
	signed_data = decrypt(enveloped, type, owner, x, BYTES_NONE);
	assert_package(signed_data, key);
	assert_false(bytes_equal(enveloped, again));
	/* Nobody else: who has another RSA key may get something, but not this. */
	(void)!CMS_decrypt(cms, other, another, NULL, out, 0);
	ERR_clear_error();
	assert_false(bytes_equal(drain(out), signed_data));
	CMS_ContentInfo_free(cms);
	X509_free(x);
	X509_free(another);
	EVP_PKEY_free(owner);
	EVP_PKEY_free(other);
	EVP_PKEY_free(key);
}

static void
the_owner_of_a_certificate_opens_it(void **state)
{
	static const char *const agree[] = {
	    "keyUsage=digitalSignature,keyAgreement", "subjectKeyIdentifier=hash", NULL};
	static const char *const transport[] = {
	    "keyUsage=digitalSignature,keyEncipherment", "subjectKeyIdentifier=hash", NULL};
	static const char *const nothing[] = {NULL};

	(void)state;
	opens_for_certificate("P-256", CMS_RECIPINFO_AGREE, agree);
	opens_for_certificate("P-384", CMS_RECIPINFO_AGREE, nothing);
	opens_for_certificate("P-521", CMS_RECIPINFO_AGREE, agree);
	opens_for_certificate("2048", CMS_RECIPINFO_TRANS, transport);
	opens_for_certificate("3072", CMS_RECIPINFO_TRANS, nothing);
}

static void
key_usage_and_kind_must_allow_it(void **state)
{
	static const char *const signs[] = {"keyUsage=digitalSignature", NULL};
	static const struct {
		const char *kind, *reason;
	} rows[] = {
	    {"P-256", "no key can be sent to the signer: the keyUsage of its certificate has no "
		      "keyAgreement"},
	    {"2048", "no key can be sent to the signer: the keyUsage of its certificate has no "
		     "keyEncipherment"},
	    {"ED25519", "no key can be sent to who signs with a key of this kind: only RSA and EC "
			"keys can receive one"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		EVP_PKEY *key = make_key(rows[i].kind);
		X509 *x = certificate(key, signs);
		struct diag why = {""};

		assert_int_equal(key_recipient_check(x, &why), CMPD_EACCES);
		assert_string_equal(why.text, rows[i].reason);
		X509_free(x);
		EVP_PKEY_free(key);
	}
}

static void
a_bare_key_for_who_wants_that(void **state)
{
	struct key_recipient recipient = {.secret = bytes_str("a secret of the device")};
	EVP_PKEY *key = make_key("P-256");
	struct bytes signed_data;

	(void)state;
	kga.bare = true;
	signed_data =
	    decrypt(made_for(&recipient, key), CMS_RECIPINFO_PASS, NULL, NULL, recipient.secret);
	assert_is_key(verify(signed_data, "1.2.840.113549.1.7.1"), key);
	kga.bare = false;
	EVP_PKEY_free(key);
}

/* ---- the authority ---- */

static int
load(const char *kind, const char *const *lines, struct diag *diag)
{
	char cert[128], key_file[128];
	struct conf_endpoint conf = {.kga_certificate = cert, .kga_key = key_file};
	EVP_PKEY *key = make_key(kind);
	X509 *x = certificate(key, lines);
	struct kga *loaded = NULL;
	int error;

	snprintf(cert, sizeof(cert), "%s/kga.pem", f.dir);
	snprintf(key_file, sizeof(key_file), "%s/kga.key", f.dir);
	write_pem(cert, x, NULL);
	write_pem(key_file, NULL, key);
	error = kga_load(NULL, &conf, &loaded, diag);
	kga_free(loaded);
	remove(cert);
	remove(key_file);
	X509_free(x);
	EVP_PKEY_free(key);
	return error;
}

static void
B3_26_only_who_has_cmKGA_makes_keys(void **state)
{
	static const char *const good[] = {
	    "keyUsage=digitalSignature", "extendedKeyUsage=1.3.6.1.5.5.7.3.32", NULL};
	static const char *const ra[] = {
	    "keyUsage=digitalSignature", "extendedKeyUsage=1.3.6.1.5.5.7.3.28", NULL};
	static const char *const plain[] = {"keyUsage=digitalSignature", NULL};
	static const char *const mute[] = {
	    "keyUsage=keyAgreement", "extendedKeyUsage=1.3.6.1.5.5.7.3.32", NULL};
	struct diag diag = {""};

	(void)state;
	assert_int_equal(load("P-256", good, &diag), 0);
	assert_int_equal(load("2048", good, &diag), 0);
	assert_int_equal(load("P-256", ra, &diag), CMPD_ECONF);
	assert_non_null(strstr(diag.text, "has no cmKGA"));
	assert_int_equal(load("P-256", plain, &diag), CMPD_ECONF);
	assert_non_null(strstr(diag.text, "has no cmKGA"));
	assert_int_equal(load("P-256", mute, &diag), CMPD_ECONF);
	assert_non_null(strstr(diag.text, "does not allow digitalSignature"));
	assert_int_equal(load("ED25519", good, &diag), CMPD_ECONF);
	assert_non_null(strstr(diag.text, "neither an RSA nor an EC key"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_secret_opens_it),
	    cmocka_unit_test(the_owner_of_a_certificate_opens_it),
	    cmocka_unit_test(key_usage_and_kind_must_allow_it),
	    cmocka_unit_test(a_bare_key_for_who_wants_that),
	    cmocka_unit_test(B3_26_only_who_has_cmKGA_makes_keys),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
