#include <stdlib.h>
#include <string.h>

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "base/buf.h"
#include "base/pool.h"
#include "cmp/keypackage.h"
#include "cmp/usage.h"
#include "conf/conf.h"
#include "issuer/issuer.h"
#include "model/der.h"

#define OID_KEY_PACKAGE "2.16.840.1.101.2.1.2.78.5" /* id-ct-KP-aKeyPackage (RFC 5958) */
#define CMS_DER_MAX	65536

/* ---- the authority ---- */

static int
kga_check(const struct kga *kga, const struct conf_endpoint *conf, struct diag *diag)
{
	if (X509_check_private_key(kga->certificate, kga->key) != 1) {
		return diag_set(diag, CMPD_ECONF, "%s: not the key of %s", conf->kga_key,
		    conf->kga_certificate);
	}
	if (!usage_has(kga->certificate, NID_cmKGA)) {
		return diag_set(diag, CMPD_ECONF,
		    "%s: its extended key usage has no cmKGA (1.3.6.1.5.5.7.3.32): clients would "
		    "not believe it",
		    conf->kga_certificate);
	}
	if (!usage_signs(kga->certificate)) {
		return diag_set(diag, CMPD_ECONF,
		    "%s: its keyUsage does not allow digitalSignature", conf->kga_certificate);
	}
	/* What the CMS of all versions can sign with. */
	if (!EVP_PKEY_is_a(kga->key, "RSA") && !EVP_PKEY_is_a(kga->key, "EC")) {
		return diag_set(diag, CMPD_ECONF, "%s: is neither an RSA nor an EC key",
		    conf->kga_key);
	}
	return 0;
}

int
kga_load(OSSL_LIB_CTX *libctx, const struct conf_endpoint *conf, struct kga **ret,
    struct diag *diag)
{
	struct kga *kga = calloc(1, sizeof(*kga));
	int error;

	if (!kga) {
		return CMPD_ENOMEM;
	}
	kga->bare = conf->kga_bare_key;
	error = issuer_load_certs(libctx, conf->kga_certificate, &kga->chain, diag);
	if (!error) {
		kga->certificate = sk_X509_shift(kga->chain);
		error = issuer_load_key(libctx, conf->kga_key, &kga->key, diag);
	}
	if (!error) {
		error = kga_check(kga, conf, diag);
	}
	if (!error) {
		*ret = kga;
		kga = NULL;
	}
	kga_free(kga);
	ERR_clear_error();
	return error;
}

void
kga_free(struct kga *kga)
{
	if (!kga) {
		return;
	}
	X509_free(kga->certificate);
	EVP_PKEY_free(kga->key);
	sk_X509_pop_free(kga->chain, X509_free);
	free(kga);
}

/* ---- the recipient ---- */

int
key_recipient_check(const X509 *certificate, struct diag *why)
{
	const EVP_PKEY *key = X509_get0_pubkey(certificate);
	bool rsa = key && EVP_PKEY_is_a(key, "RSA"), ec = key && EVP_PKEY_is_a(key, "EC");
	uint32_t usage = X509_get_key_usage((X509 *)(uintptr_t)certificate);

	ERR_clear_error();
	if (!rsa && !ec) {
		return diag_set(why, CMPD_EACCES,
		    "no key can be sent to who signs with a key of this kind: only RSA and EC keys "
		    "can receive one");
	}
	/* RFC 9810 5.2.2 */
	if (!(usage & (rsa ? KU_KEY_ENCIPHERMENT : KU_KEY_AGREEMENT))) {
		return diag_set(why, CMPD_EACCES,
		    "no key can be sent to the signer: the keyUsage of its certificate has no %s",
		    rsa ? "keyEncipherment" : "keyAgreement");
	}
	return 0;
}

/* ---- CMS ---- */

/* ContentInfo: its content, without the explicit tag. Lent by der. */
static int
content_of(struct bytes der, struct bytes *ret)
{
	struct bytes body, oid, content;
	struct der element;

	if (der_only(der, DER_SEQUENCE, &body) || der_take(&body, DER_OID, &oid) ||
	    der_only(body, DER_CONSTRUCTED(0), &content) ||
	    der_take_element(&content, DER_SEQUENCE, &element) || content.len) {
		return CMPD_ECRYPTO;
	}
	*ret = element.whole;
	return 0;
}

/* Writes the content and what depends on it; then the content of the ContentInfo, DER. Without CMS_final: that one leaves
 * copies of what it reads. */
static int
finish(CMS_ContentInfo *cms, struct bytes content, struct buf *ret)
{
	BIO *chain = CMS_set_detached(cms, 0) == 1 ? CMS_dataInit(cms, NULL) : NULL;
	unsigned char *der = NULL;
	struct bytes inside;
	int len = -1, error = CMPD_ECRYPTO;

	if (chain && content.len <= CMS_DER_MAX &&
	    BIO_write(chain, content.data, (int)content.len) == (int)content.len &&
	    BIO_flush(chain) == 1 && CMS_dataFinal(cms, chain) == 1) {
		len = i2d_CMS_ContentInfo(cms, &der);
	}
	if (len > 0) {
		error = content_of(bytes_of(der, (size_t)len), &inside);
	}
	if (!error) {
		buf_put_bytes(ret, inside);
		error = buf_error(ret);
	}
	OPENSSL_clear_free(der, len > 0 ? (size_t)len : 0);
	BIO_free_all(chain);
	return error;
}

/* SignedData of the authority over content. */
static int
sign(OSSL_LIB_CTX *libctx, const struct kga *kga, struct bytes content, struct buf *ret)
{
	unsigned flags = CMS_PARTIAL | CMS_BINARY | CMS_NOSMIMECAP;
	CMS_ContentInfo *cms = CMS_sign_ex(NULL, NULL, kga->chain, NULL, flags, libctx, NULL);
	ASN1_OBJECT *type = OBJ_txt2obj(kga->bare ? "1.2.840.113549.1.7.1" : OID_KEY_PACKAGE, 1);
	ASN1_OCTET_STRING **held = NULL;
	int error = CMPD_ECRYPTO;

	if (cms && type && CMS_set1_eContentType(cms, type) == 1 &&
	    CMS_add1_signer(cms, kga->certificate, kga->key, EVP_sha256(), flags)) {
		error = finish(cms, content, ret);
		held = CMS_get0_content(cms);
	}
	if (held && *held && ASN1_STRING_length(*held) > 0) {
		OPENSSL_cleanse((void *)(uintptr_t)ASN1_STRING_get0_data(*held),
		    (size_t)ASN1_STRING_length(*held));
	}
	ASN1_OBJECT_free(type);
	CMS_ContentInfo_free(cms);
	return error;
}

/* PasswordRecipientInfo. libcrypto's PBKDF2 has HMAC-SHA1 here, and no way to another one. */
static int
add_secret(CMS_ContentInfo *cms, struct bytes secret, const EVP_CIPHER *wrap)
{
	CMS_RecipientInfo *info = CMS_add0_recipient_password(cms, KEY_PACKAGE_ITERATIONS,
	    NID_id_alg_PWRI_KEK, NID_id_pbkdf2, NULL, 0, wrap);
	unsigned char *copy = info ? OPENSSL_memdup(secret.data, secret.len) : NULL;

	/* It is cms that frees and overwrites the copy. */
	return copy && CMS_RecipientInfo_set0_password(info, copy, (ossl_ssize_t)secret.len) == 1
		   ? 0
		   : CMPD_ECRYPTO;
}

/* KeyTransRecipientInfo with RSAES-OAEP, or KeyAgreeRecipientInfo with an ephemeral key; both with SHA-256. */
static int
add_certificate(CMS_ContentInfo *cms, X509 *certificate)
{
	bool rsa = EVP_PKEY_is_a(X509_get0_pubkey(certificate), "RSA");
	unsigned flags =
	    CMS_KEY_PARAM | (X509_get0_subject_key_id(certificate) ? CMS_USE_KEYID : 0);
	CMS_RecipientInfo *info = CMS_add1_recipient_cert(cms, certificate, flags);
	EVP_PKEY_CTX *ctx = info ? CMS_RecipientInfo_get0_pkey_ctx(info) : NULL;

	if (!ctx) {
		return CMPD_ECRYPTO;
	}
	if (rsa) {
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) > 0 &&
			       EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256()) > 0 &&
			       EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()) > 0
			   ? 0
			   : CMPD_ECRYPTO;
	}
	return EVP_PKEY_CTX_set_ecdh_kdf_md(ctx, EVP_sha256()) > 0 ? 0 : CMPD_ECRYPTO;
}

/* EnvelopedData around a SignedData. */
static int
envelop(OSSL_LIB_CTX *libctx, const struct key_recipient *recipient, struct bytes content,
    struct buf *ret)
{
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(libctx, "AES-256-CBC", NULL);
	CMS_ContentInfo *cms = cipher ? CMS_EnvelopedData_create_ex(cipher, libctx, NULL) : NULL;
	int error = CMPD_ECRYPTO;

	if (cms && CMS_set1_eContentType(cms, OBJ_nid2obj(NID_pkcs7_signed)) == 1) {
		error = recipient->certificate ? add_certificate(cms, recipient->certificate)
					       : add_secret(cms, recipient->secret, cipher);
	}
	if (!error) {
		error = finish(cms, content, ret);
	}
	CMS_ContentInfo_free(cms);
	EVP_CIPHER_free(cipher);
	return error;
}

/* OneAsymmetricKey, version 1: PrivateKeyInfo; the package has a SEQUENCE around it. */
static int
put_key(EVP_PKEY *key, bool bare, struct buf *out)
{
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
	unsigned char *der = NULL;
	int len = info ? i2d_PKCS8_PRIV_KEY_INFO(info, &der) : -1;
	size_t mark;

	PKCS8_PRIV_KEY_INFO_free(info);
	if (len <= 0) {
		return CMPD_ECRYPTO;
	}
	if (bare) {
		buf_put(out, der, (size_t)len);
	} else {
		mark = der_begin(out, DER_SEQUENCE);
		buf_put(out, der, (size_t)len);
		der_end(out, mark);
	}
	OPENSSL_clear_free(der, (size_t)len);
	return buf_error(out);
}

int
key_package_make(OSSL_LIB_CTX *libctx, const struct kga *kga, const struct key_recipient *recipient,
    EVP_PKEY *key, struct pool *pool, struct bytes *ret)
{
	struct buf package, signed_data, enveloped;
	int error;

	buf_init(&package, CMS_DER_MAX);
	buf_init(&signed_data, CMS_DER_MAX);
	buf_init(&enveloped, CMS_DER_MAX);
	error = put_key(key, kga->bare, &package);
	if (!error) {
		error = sign(libctx, kga, buf_get0(&package), &signed_data);
	}
	if (!error) {
		error = envelop(libctx, recipient, buf_get0(&signed_data), &enveloped);
	}
	if (!error) {
		*ret = pool_bytes(pool, buf_get0(&enveloped));
		error = ret->data ? 0 : CMPD_ENOMEM;
	}
	buf_fini(&package);
	buf_fini(&signed_data);
	buf_fini(&enveloped);
	ERR_clear_error();
	return error;
}
