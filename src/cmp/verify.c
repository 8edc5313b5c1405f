#include <openssl/asn1t.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

#include <stdio.h>
#include <string.h>

#include "cmp/verify.h"
#include "model/spki.h"

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

/* By the names that profiles and libcrypto have for them. */
static const char *const curves[VERIFY_CURVES] = {"P-256", "P-384", "P-521"};

static EVP_PKEY *
parameters_of(OSSL_LIB_CTX *libctx, const char *curve)
{
	char group[16];
	OSSL_PARAM params[2] = {OSSL_PARAM_END, OSSL_PARAM_END};
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(libctx, "EC", NULL);
	EVP_PKEY *key = NULL;

	snprintf(group, sizeof(group), "%s", curve);
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
	if (!ctx || EVP_PKEY_fromdata_init(ctx) <= 0 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEY_PARAMETERS, params) <= 0) {
		key = NULL;
	}
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static EVP_PKEY *
curve_key(struct key_maker *maker, const char *name)
{
	for (size_t i = 0; i < VERIFY_CURVES; i++) {
		if (!name || strcmp(curves[i], name) != 0) {
			continue;
		}
		if (!maker->curves[i]) {
			maker->curves[i] = parameters_of(maker->libctx, curves[i]);
		}
		return maker->curves[i];
	}
	return NULL;
}

void
key_maker_fini(struct key_maker *maker)
{
	for (size_t i = 0; i < VERIFY_CURVES; i++) {
		EVP_PKEY_free(maker->curves[i]);
	}
}

static EVP_PKEY *
key_on_curve(struct key_maker *maker, const struct spki *spki)
{
	EVP_PKEY *curve = spki->kind == SPKI_EC ? curve_key(maker, spki->curve) : NULL;
	EVP_PKEY *key = curve ? EVP_PKEY_dup(curve) : NULL;

	/* Refuses a point that is not on the curve. */
	if (key && EVP_PKEY_set1_encoded_public_key(key, spki->key.data, spki->key.len) <= 0) {
		EVP_PKEY_free(key);
		key = NULL;
	}
	return key;
}

int
key_maker_make(struct key_maker *maker, struct bytes der, EVP_PKEY **ret)
{
	const unsigned char *p = der.data;
	EVP_PKEY *key = NULL;
	struct spki spki;

	if (spki_parse(der, &spki, NULL) == 0) {
		key = key_on_curve(maker, &spki);
	}
	if (!key) {
		key = d2i_PUBKEY_ex(NULL, &p, (long)der.len, maker->libctx, NULL);
		if (key && p != der.data + der.len) {
			EVP_PKEY_free(key);
			key = NULL;
		}
	}
	ERR_clear_error();
	if (!key) {
		return CMPD_EALGORITHM;
	}
	*ret = key;
	return 0;
}

int
verify_signed_by_spki(struct key_maker *maker, struct bytes data, struct bytes alg,
    struct bytes signature, struct bytes spki)
{
	EVP_PKEY *key = NULL;
	int error = key_maker_make(maker, spki, &key);

	if (!error) {
		error = verify_signed(maker->libctx, data, alg, signature, key);
	}
	EVP_PKEY_free(key);
	return error;
}
