#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

#include "cmp/verify.h"

static X509_ALGOR *
alg_decode(struct bytes der)
{
	const unsigned char *p = der.data;
	X509_ALGOR *alg = d2i_X509_ALGOR(NULL, &p, (long)der.len);

	ERR_clear_error();
	return alg;
}

static bool
nid_allowed(int nid)
{
	switch (nid) {
	case NID_sha256WithRSAEncryption:
	case NID_sha384WithRSAEncryption:
	case NID_sha512WithRSAEncryption:
	case NID_ecdsa_with_SHA256:
	case NID_ecdsa_with_SHA384:
	case NID_ecdsa_with_SHA512:
	case NID_ED25519:
	case NID_ED448:
		return true;
	default:
		return false;
	}
}

int
verify_algorithm_check(struct bytes der, struct diag *why)
{
	X509_ALGOR *alg = alg_decode(der);
	const ASN1_OBJECT *oid = NULL;
	char text[80] = "?";
	bool allowed;

	if (!alg) {
		return diag_set(why, CMPD_EALGORITHM, "the signature algorithm does not decode");
	}
	X509_ALGOR_get0(&oid, NULL, NULL, alg);
	allowed = nid_allowed(OBJ_obj2nid(oid));
	OBJ_obj2txt(text, sizeof(text), oid, 0);
	X509_ALGOR_free(alg);
	return allowed
		   ? 0
		   : diag_set(why, CMPD_EALGORITHM, "signature algorithm %s is not allowed", text);
}

int
verify_signed(OSSL_LIB_CTX *libctx, struct bytes data, struct bytes alg_der, struct bytes signature,
    EVP_PKEY *key)
{
	X509_ALGOR *alg = alg_decode(alg_der);
	ASN1_STRING *item = ASN1_STRING_type_new(V_ASN1_SEQUENCE);
	ASN1_BIT_STRING *bits = ASN1_BIT_STRING_new();
	int error = CMPD_ENOMEM;

	if (!alg || !item || !bits || !ASN1_STRING_set(item, data.data, (int)data.len) ||
	    !ASN1_STRING_set(bits, signature.data, (int)signature.len)) {
		goto out;
	}
	/* Eight whole bits in every byte; otherwise trailing zero bits would be cut. */
	bits->flags = (bits->flags & ~7) | ASN1_STRING_FLAG_BITS_LEFT;
	/* ASN1_SEQUENCE takes an element as it is: what is verified are the bytes that came. */
	error = ASN1_item_verify_ex(
		    ASN1_ITEM_rptr(ASN1_SEQUENCE), alg, bits, item, NULL, key, libctx, NULL) == 1
		    ? 0
		    : CMPD_EAUTH;
out:
	ASN1_BIT_STRING_free(bits);
	ASN1_STRING_free(item);
	X509_ALGOR_free(alg);
	ERR_clear_error();
	return error;
}

int
verify_signed_by_spki(OSSL_LIB_CTX *libctx, struct bytes data, struct bytes alg,
    struct bytes signature, struct bytes spki)
{
	const unsigned char *p = spki.data;
	EVP_PKEY *key = d2i_PUBKEY_ex(NULL, &p, (long)spki.len, libctx, NULL);
	int error;

	if (!key || p != spki.data + spki.len) {
		EVP_PKEY_free(key);
		ERR_clear_error();
		return CMPD_EALGORITHM;
	}
	error = verify_signed(libctx, data, alg, signature, key);
	EVP_PKEY_free(key);
	return error;
}
