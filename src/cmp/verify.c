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
	error = ASN1_item_verify_ex(ASN1_ITEM_rptr(ASN1_SEQUENCE), alg, bits, item, NULL, key,
		    libctx, NULL) == 1
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
