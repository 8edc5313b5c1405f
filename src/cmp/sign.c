#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <string.h>

#include "base/pool.h"
#include "cmp/sign.h"

#define ALGORITHM_MAX 256

/* The digest that goes with a key; NULL for those that have their own. */
static const char *
digest_name(const EVP_PKEY *key)
{
	int bits = EVP_PKEY_get_bits(key);

	if (EVP_PKEY_is_a(key, "EC")) {
		return bits > 384 ? "SHA512" : bits > 256 ? "SHA384" : "SHA256";
	}
	if (EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_is_a(key, "RSA-PSS")) {
		return "SHA256";
	}
	return NULL;
}

static bool
set_pss(EVP_PKEY_CTX *ctx)
{
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
	       EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) > 0;
}

int
signing_key_init(struct signing_key *signing, OSSL_LIB_CTX *libctx, EVP_PKEY *key, bool pss,
    struct pool *pool)
{
	unsigned char identifier[ALGORITHM_MAX];
	OSSL_PARAM params[] = {OSSL_PARAM_construct_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID,
				   identifier, sizeof(identifier)),
	    OSSL_PARAM_construct_end()};
	EVP_PKEY_CTX *ctx = NULL;
	int error = CMPD_ECRYPTO;

	memset(signing, 0, sizeof(*signing));
	signing->ready = EVP_MD_CTX_new();
	signing->scratch = EVP_MD_CTX_new();
	if (!signing->ready || !signing->scratch) {
		error = CMPD_ENOMEM;
		goto out;
	}
	if (EVP_DigestSignInit_ex(signing->ready, &ctx, digest_name(key), libctx, NULL, key,
		NULL) <= 0) {
		goto out;
	}
	if (pss && EVP_PKEY_is_a(key, "RSA") && !set_pss(ctx)) {
		goto out;
	}
	if (EVP_PKEY_CTX_get_params(ctx, params) <= 0 || params[0].return_size == 0) {
		goto out;
	}
	signing->algorithm = pool_bytes(pool, bytes_of(identifier, params[0].return_size));
	error = signing->algorithm.data ? 0 : CMPD_ENOMEM;
out:
	ERR_clear_error();
	return error;
}

void
signing_key_fini(struct signing_key *signing)
{
	EVP_MD_CTX_free(signing->ready);
	EVP_MD_CTX_free(signing->scratch);
	memset(signing, 0, sizeof(*signing));
}

int
signing_key_sign(struct signing_key *signing, struct pool *pool, struct bytes data,
    struct bytes *ret)
{
	size_t len = 0;
	uint8_t *out = NULL;
	int error = CMPD_ECRYPTO;

	/* OpenSSL 3.5 copies into a used context of the same digest by a short cut that a context for
	 * signing has nothing for, and crashes; an empty one goes the long way. */
	if (EVP_MD_CTX_reset(signing->scratch) > 0 &&
	    EVP_MD_CTX_copy_ex(signing->scratch, signing->ready) > 0 &&
	    EVP_DigestSign(signing->scratch, NULL, &len, data.data, data.len) > 0) {
		out = pool_alloc(pool, len);
		error = out ? CMPD_ECRYPTO : CMPD_ENOMEM;
	}
	if (out && EVP_DigestSign(signing->scratch, out, &len, data.data, data.len) > 0) {
		*ret = bytes_of(out, len);
		error = 0;
	}
	ERR_clear_error();
	return error;
}
