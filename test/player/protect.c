/*
 * Protection of messages and proofs of possession, made with libcrypto's EVP:
 * PBM, PBMAC1 and signatures of any kind.
 */
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "player.h"

#define ITERATIONS_MAX 300000 /* more of them a hostile client does not do himself */

/* ---- algorithms ---- */

struct bytes
alg_der(struct player *p, int nid, bool null_parameters)
{
	const ASN1_OBJECT *object = OBJ_nid2obj(nid);
	struct wire_der_build build = {.pool = p->pool};
	struct bytes parts[2] = {BYTES_NONE};

	need(p, object != NULL);
	parts[0] =
	    wire_der_put1(&build, DER_OID, bytes_of(OBJ_get0_data(object), OBJ_length(object)));
	if (null_parameters) {
		parts[1] = wire_der_put(&build, DER_NULL, NULL, 0);
	}
	return wire_der_put(&build, DER_SEQUENCE, parts, 2);
}

static int
oid_nid(struct player *p, struct bytes oid)
{
	struct wire_der_build build = {.pool = p->pool};
	struct bytes der = wire_der_put1(&build, DER_OID, oid);
	const unsigned char *at = der.data;
	ASN1_OBJECT *object = der.data == NULL ? NULL : d2i_ASN1_OBJECT(NULL, &at, (long)der.len);
	int nid = object == NULL ? NID_undef : OBJ_obj2nid(object);

	ASN1_OBJECT_free(object);
	ERR_clear_error();
	return nid;
}

static int
nid_of(struct player *p, const char *name)
{
	int nid = OBJ_txt2nid(name);

	if (nid == NID_undef) {
		fail(p, "no such algorithm: %s", name);
	}
	return nid;
}

/* ---- signatures ---- */

static const EVP_MD *
digest_for(EVP_PKEY *key, const char *digest)
{
	int bits = EVP_PKEY_get_bits(key);

	if (EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448")) {
		return NULL;
	}
	if (digest != NULL) {
		return EVP_get_digestbyname(digest);
	}
	if (EVP_PKEY_is_a(key, "EC")) {
		return bits > 384 ? EVP_sha512() : bits > 256 ? EVP_sha384() : EVP_sha256();
	}
	return EVP_sha256();
}

static EVP_MD_CTX *
sign_begin(struct player *p, EVP_PKEY *key, const struct signing *how, EVP_PKEY_CTX **ret)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	need(p, EVP_DigestSignInit(ctx, ret, digest_for(key, how->digest), NULL, key) == 1);
	if (how->pss) {
		need(p, EVP_PKEY_CTX_set_rsa_padding(*ret, RSA_PKCS1_PSS_PADDING) > 0 &&
			    EVP_PKEY_CTX_set_rsa_pss_saltlen(*ret, RSA_PSS_SALTLEN_DIGEST) > 0);
	}
	return ctx;
}

/* RSASSA-PSS has its digest and salt in the parameters: libcrypto writes them. */
static struct bytes
pss_alg(struct player *p, EVP_PKEY *key, const struct signing *how)
{
	unsigned char out[256];
	OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID, out, sizeof(out)),
	    OSSL_PARAM_construct_end()};
	EVP_PKEY_CTX *key_ctx = NULL;
	EVP_MD_CTX *ctx = sign_begin(p, key, how, &key_ctx);

	need(p, EVP_PKEY_CTX_get_params(key_ctx, params) > 0);
	EVP_MD_CTX_free(ctx);
	return pool_bytes(p->pool, bytes_of(out, params[0].return_size));
}

struct bytes
sign_alg(struct player *p, EVP_PKEY *key, const struct signing *how)
{
	const EVP_MD *md = digest_for(key, how->digest);
	int nid = EVP_PKEY_get_base_id(key);

	if (how->pss) {
		return pss_alg(p, key, how);
	}
	if (md != NULL) {
		need(p,
		    OBJ_find_sigid_by_algs(&nid, EVP_MD_get_type(md), EVP_PKEY_get_base_id(key)));
	}
	return alg_der(p, nid, EVP_PKEY_is_a(key, "RSA"));
}

struct bytes
sign(struct player *p, EVP_PKEY *key, const struct signing *how, struct bytes data)
{
	EVP_PKEY_CTX *key_ctx = NULL;
	EVP_MD_CTX *ctx = sign_begin(p, key, how, &key_ctx);
	size_t len = 0;
	uint8_t *out;

	need(p, EVP_DigestSign(ctx, NULL, &len, data.data, data.len) == 1);
	out = pool_alloc(p->pool, len);
	need(p, out != NULL && EVP_DigestSign(ctx, out, &len, data.data, data.len) == 1);
	EVP_MD_CTX_free(ctx);
	return bytes_of(out, len);
}

/* ---- MACs ---- */

/* The digest of an HMAC by either of its OIDs; NULL: not known. */
static const EVP_MD *
hmac_digest(int nid)
{
	static const struct {
		int mac, digest;
	} rows[] = {{NID_hmac_sha1, NID_sha1}, {NID_hmac_md5, NID_md5}, {NID_hmacWithMD5, NID_md5},
	    {NID_hmacWithSHA1, NID_sha1}, {NID_hmacWithSHA224, NID_sha224},
	    {NID_hmacWithSHA256, NID_sha256}, {NID_hmacWithSHA384, NID_sha384},
	    {NID_hmacWithSHA512, NID_sha512}, {NID_hmac_sha3_224, NID_sha3_224},
	    {NID_hmac_sha3_256, NID_sha3_256}, {NID_hmac_sha3_384, NID_sha3_384},
	    {NID_hmac_sha3_512, NID_sha3_512}};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].mac == nid) {
			return EVP_get_digestbynid(rows[i].digest);
		}
	}
	return NULL;
}

static const char *
choose(const struct words *words, const char *fault, const char *own, const char *usual)
{
	const char *value = fault_get(words, fault);

	return value != NULL ? value : own != NULL ? own : usual;
}

static struct bytes
salt_new(struct player *p, const struct words *words)
{
	const char *len = fault_get(words, "saltlen");
	size_t n = len == NULL ? 16 : strtoul(len, NULL, 10);
	uint8_t *salt = pool_alloc(p->pool, n + 1);

	need(p, salt != NULL && RAND_bytes(salt, (int)n) == 1);
	return bytes_of(salt, n);
}

static struct bytes
pbm_alg(struct player *p, const struct mac_choice *own, const struct words *words)
{
	struct wire_pbm pbm = {.salt = salt_new(p, words)};
	const char *hmac = choose(words, "mac", own->hmac, "hmacWithSHA256");

	pbm.iterations = strtoll(choose(words, "iterations", own->iterations, "500"), NULL, 10);
	pbm.owf.der = alg_der(p, nid_of(p, choose(words, "owf", own->owf, "sha256")), false);
	pbm.mac.der = alg_der(p, nid_of(p, hmac), false);
	need(p, wire_pair_split(pbm.owf.der, &pbm.owf.oid, &pbm.owf.parameters) == 0);
	need(p, wire_pair_split(pbm.mac.der, &pbm.mac.oid, &pbm.mac.parameters) == 0);
	return wire_pbm_alg_encode(p->pool, &pbm);
}

static struct bytes
pbmac1_alg(struct player *p, const struct mac_choice *own, const struct words *words)
{
	struct wire_der_build build = {.pool = p->pool};
	const char *key_len = choose(words, "keylen", own->key_len, "32");
	const char *prf = choose(words, "prf", own->prf, "hmacWithSHA256");
	const char *hmac = choose(words, "mac", own->hmac, "hmacWithSHA256");
	const char *iterations = choose(words, "iterations", own->iterations, "1000");
	struct bytes salt = salt_new(p, words), parts[2];
	X509_ALGOR *kdf = PKCS5_pbkdf2_set(atoi(iterations), (unsigned char *)(uintptr_t)salt.data,
	    (int)salt.len, nid_of(p, prf), atoi(key_len));

	need(p, kdf != NULL);
	parts[0] = object_der(p, kdf, ASN1_ITEM_rptr(X509_ALGOR));
	parts[1] = alg_der(p, nid_of(p, hmac), false);
	X509_ALGOR_free(kdf);
	parts[1] = wire_der_put(&build, DER_SEQUENCE, parts, 2);
	parts[0] = bytes_of("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0e", 11);
	return wire_der_put(&build, DER_SEQUENCE, parts, 2);
}

struct bytes
mac_alg(struct player *p, const struct mac_choice *own, const struct words *words)
{
	const char *params = fault_get(words, "pbmparams");
	struct wire_der_build build = {.pool = p->pool};
	struct bytes parts[2];

	if (params == NULL) {
		return own->pbmac1 ? pbmac1_alg(p, own, words) : pbm_alg(p, own, words);
	}
	parts[0] = wire_der_put1(&build, DER_OID, wire_oid_pbm);
	parts[1] = strcmp(params, "none") == 0 ? BYTES_NONE : word_hex(p, params);
	return wire_der_put(&build, DER_SEQUENCE, parts, 2);
}

static struct bytes
hmac(struct player *p, const EVP_MD *md, const uint8_t *key, size_t len, struct bytes data)
{
	uint8_t mac[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	need(p, HMAC(md, key, (int)len, data.data, data.len, mac, &n) != NULL);
	return pool_bytes(p->pool, bytes_of(mac, n));
}

static struct bytes
pbm_over(struct player *p, struct bytes parameters, struct bytes secret, struct bytes data)
{
	const EVP_MD *owf, *digest;
	uint8_t key[EVP_MAX_MD_SIZE];
	struct wire_pbm pbm;
	EVP_MD_CTX *ctx;
	unsigned len = 0;
	int64_t i;

	if (wire_pbm_decode(p->pool, parameters, &pbm) != 0 || pbm.iterations > ITERATIONS_MAX) {
		return BYTES_NONE;
	}
	owf = EVP_get_digestbynid(oid_nid(p, pbm.owf.oid));
	digest = hmac_digest(oid_nid(p, pbm.mac.oid));
	if (owf == NULL || digest == NULL) {
		return BYTES_NONE;
	}
	ctx = EVP_MD_CTX_new();
	need(p, EVP_DigestInit_ex(ctx, owf, NULL) &&
		    EVP_DigestUpdate(ctx, secret.data, secret.len) &&
		    EVP_DigestUpdate(ctx, pbm.salt.data, pbm.salt.len) &&
		    EVP_DigestFinal_ex(ctx, key, &len));
	for (i = 1; i < pbm.iterations; i++) {
		need(p, EVP_DigestInit_ex(ctx, owf, NULL) && EVP_DigestUpdate(ctx, key, len) &&
			    EVP_DigestFinal_ex(ctx, key, &len));
	}
	EVP_MD_CTX_free(ctx);
	return hmac(p, digest, key, len, data);
}

/* PBMAC1-params have the shape of PBES2-params: a key derivation and what the key is for (RFC 8018 A.4, A.5). */
static struct bytes
pbmac1_over(struct player *p, struct bytes parameters, struct bytes secret, struct bytes data)
{
	const unsigned char *at = parameters.data;
	PBE2PARAM *params = d2i_PBE2PARAM(NULL, &at, (long)parameters.len);
	PBKDF2PARAM *kdf = NULL;
	const EVP_MD *prf, *digest;
	struct bytes out = BYTES_NONE;
	uint8_t key[256];
	long n, len;

	if (params != NULL && params->keyfunc->parameter != NULL) {
		kdf = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBKDF2PARAM),
		    params->keyfunc->parameter);
	}
	if (kdf != NULL && kdf->salt->type == V_ASN1_OCTET_STRING) {
		digest = hmac_digest(OBJ_obj2nid(params->encryption->algorithm));
		prf = kdf->prf == NULL ? EVP_sha1() : hmac_digest(OBJ_obj2nid(kdf->prf->algorithm));
		n = ASN1_INTEGER_get(kdf->iter);
		len = kdf->keylength != NULL ? ASN1_INTEGER_get(kdf->keylength)
		      : digest != NULL	     ? EVP_MD_get_size(digest)
					     : 0;
		if (prf != NULL && digest != NULL && n > 0 && n <= ITERATIONS_MAX && len > 0 &&
		    len <= (long)sizeof(key)) {
			need(p, PKCS5_PBKDF2_HMAC((const char *)secret.data, (int)secret.len,
				    kdf->salt->value.octet_string->data,
				    kdf->salt->value.octet_string->length, (int)n, prf, (int)len,
				    key) == 1);
			out = hmac(p, digest, key, (size_t)len, data);
		}
	}
	PBKDF2PARAM_free(kdf);
	PBE2PARAM_free(params);
	ERR_clear_error();
	return out;
}

bool
alg_is_pbmac1(const struct wire_alg *alg)
{
	return bytes_equal(alg->oid, bytes_of("\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0e", 9));
}

struct bytes
mac_over(struct player *p, const struct wire_alg *alg, struct bytes secret, struct bytes data)
{
	return alg_is_pbmac1(alg) ? pbmac1_over(p, alg->parameters, secret, data)
				  : pbm_over(p, alg->parameters, secret, data);
}
