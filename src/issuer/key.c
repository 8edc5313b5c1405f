/* Keys that are made here for those who ask for that. */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/pool.h"
#include "issuer/internal.h"
#include "model/extension.h"

/* What libcrypto calls the algorithm; NULL: keys of this kind are not made. */
static const char *
key_algorithm(enum spki_kind kind)
{
	switch (kind) {
	case SPKI_RSA:
		return "RSA";
	case SPKI_EC:
		return "EC";
	case SPKI_ED25519:
		return "ED25519";
	case SPKI_ED448:
		return "ED448";
	default:
		return NULL;
	}
}

/* Ready to make a key; NULL: there is no such kind. */
static EVP_PKEY_CTX *
generator_new(OSSL_LIB_CTX *libctx, const char *word)
{
	struct spki spki;
	const char *name = spki_of_word(word, &spki) == 0 ? key_algorithm(spki.kind) : NULL;
	EVP_PKEY_CTX *ctx = name != NULL ? EVP_PKEY_CTX_new_from_name(libctx, name, NULL) : NULL;

	if (ctx == NULL || EVP_PKEY_keygen_init(ctx) <= 0 ||
	    (spki.kind == SPKI_RSA &&
		(spki.bits > CONF_MADE_RSA_MAX ||
		    EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, (int)spki.bits) <= 0)) ||
	    (spki.kind == SPKI_EC && EVP_PKEY_CTX_set_group_name(ctx, spki.curve) <= 0)) {
		EVP_PKEY_CTX_free(ctx);
		return NULL;
	}
	return ctx;
}

bool
issuer_can_make_key(OSSL_LIB_CTX *libctx, const char *kind)
{
	EVP_PKEY_CTX *ctx = generator_new(libctx, kind);

	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return ctx != NULL;
}

static int
public_key(EVP_PKEY *key, struct pool *pool, struct bytes *ret)
{
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(key, &der);

	if (len <= 0) {
		return CMPD_ECRYPTO;
	}
	*ret = pool_bytes(pool, bytes_of(der, (size_t)len));
	OPENSSL_free(der);
	return ret->data != NULL ? 0 : CMPD_ENOMEM;
}

/* The extensions that were promised, and the key's identifier behind them. */
static int
add_key_id(struct issuer *issuer, struct bytes extensions, const struct spki *spki,
    struct pool *pool, struct bytes *ret, struct diag *diag)
{
	struct buf *out = &issuer->scratch;
	struct bytes list;
	size_t mark;
	int result = extensions_open(extensions, &list);

	if (result < 0) {
		return result;
	}
	out->len = 0;
	out->error = 0;
	mark = der_begin(out, DER_SEQUENCE);
	buf_put_bytes(out, list);
	result = issuer_put_key_id(issuer, spki->key, out, diag);
	der_end(out, mark);
	if (result < 0 || buf_error(out) < 0) {
		return result < 0 ? result : buf_error(out);
	}
	*ret = pool_bytes(pool, buf_get0(out));
	return ret->data != NULL ? 0 : CMPD_ENOMEM;
}

int
issuer_make_key(struct issuer *issuer, const struct template *resolved, struct pool *pool,
    struct template *ret, EVP_PKEY **ret_key, struct diag *diag)
{
	struct template made = *resolved;
	EVP_PKEY_CTX *ctx = generator_new(issuer->libctx, resolved->make_key);
	EVP_PKEY *key = NULL;
	struct spki spki;
	int result;

	if (ctx == NULL) {
		result = issuer_error(diag, CMPD_EALGORITHM, "keys of kind %s cannot be made",
		    resolved->make_key);
		goto out;
	}
	if (EVP_PKEY_generate(ctx, &key) <= 0) {
		result = issuer_error(diag, CMPD_ECRYPTO, "no key of kind %s could be made",
		    resolved->make_key);
		goto out;
	}
	made.make_key = NULL;
	result = public_key(key, pool, &made.spki);
	if (result == 0) {
		result = spki_parse(made.spki, &spki, diag);
	}
	if (result == 0) {
		result =
		    add_key_id(issuer, resolved->extensions, &spki, pool, &made.extensions, diag);
	}
	if (result == 0) {
		*ret = made;
		*ret_key = key;
		key = NULL;
	}
out:
	EVP_PKEY_free(key);
	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return result;
}
