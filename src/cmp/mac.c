#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <string.h>

#include "cmp/mac.h"
#include "model/der.h"

#define SALT_MIN  8
#define SALT_MAX  128
#define SALT_SIZE 16
#define KEY_MAX	  64

/* Contents of the OIDs. */
static const uint8_t oid_pbmac1[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0e};
static const uint8_t oid_pbkdf2[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0c};

static const struct hmac {
	const char *word; /* of cmpd.conf */
	int nids[2]; /* HMAC-SHA1 has two OIDs */
	const char *digest;
} hmacs[] = {
    {"hmac-sha1", {NID_hmac_sha1, NID_hmacWithSHA1}, "SHA1"},
    {"hmac-sha224", {NID_hmacWithSHA224, NID_undef}, "SHA224"},
    {"hmac-sha256", {NID_hmacWithSHA256, NID_undef}, "SHA256"},
    {"hmac-sha384", {NID_hmacWithSHA384, NID_undef}, "SHA384"},
    {"hmac-sha512", {NID_hmacWithSHA512, NID_undef}, "SHA512"},
    {"hmac-sha3-224", {NID_hmac_sha3_224, NID_undef}, "SHA3-224"},
    {"hmac-sha3-256", {NID_hmac_sha3_256, NID_undef}, "SHA3-256"},
    {"hmac-sha3-384", {NID_hmac_sha3_384, NID_undef}, "SHA3-384"},
    {"hmac-sha3-512", {NID_hmac_sha3_512, NID_undef}, "SHA3-512"},
};

/* PBMAC1 taken apart. */
struct pbmac1 {
	struct bytes salt;
	int64_t iterations;
	size_t key_len; /* 0: the HMAC's own */
	const struct hmac *prf;
	const struct hmac *mac;
	struct bytes prf_alg; /* DER as it came; absent: the default */
	struct bytes mac_alg;
};

static bool
is_pbmac1(const struct wire_alg *alg)
{
	return bytes_equal(alg->oid, bytes_of(oid_pbmac1, sizeof(oid_pbmac1)));
}

bool
mac_is(const struct wire_alg *alg)
{
	return bytes_equal(alg->oid, wire_oid_pbm) || is_pbmac1(alg);
}

static int
nid_of(struct bytes oid)
{
	uint8_t der[2 + DER_OID_MAX];
	const unsigned char *p = der;
	ASN1_OBJECT *object = NULL;
	int nid;

	if (!oid.data || oid.len > DER_OID_MAX) {
		return NID_undef;
	}
	der[0] = DER_OID;
	der[1] = (uint8_t)oid.len;
	memcpy(der + 2, oid.data, oid.len);
	object = d2i_ASN1_OBJECT(NULL, &p, (long)oid.len + 2);
	nid = object ? OBJ_obj2nid(object) : NID_undef;
	ASN1_OBJECT_free(object);
	ERR_clear_error();
	return nid;
}

static const struct hmac *
hmac_find(struct bytes oid)
{
	int nid = nid_of(oid);

	for (size_t i = 0; i < sizeof(hmacs) / sizeof(hmacs[0]) && nid != NID_undef; i++) {
		if (hmacs[i].nids[0] == nid || hmacs[i].nids[1] == nid) {
			return &hmacs[i];
		}
	}
	return NULL;
}

static bool
listed(const char **list, const char *word)
{
	for (; list && *list; list++) {
		if (!strcmp(*list, word)) {
			return true;
		}
	}
	return false;
}

static bool
hmac_allowed(const struct conf_endpoint *endpoint, const struct hmac *hmac)
{
	return hmac && listed(endpoint->mac_hmacs, hmac->word);
}

static bool
owf_allowed(int nid)
{
	return nid == NID_sha224 || nid == NID_sha256 || nid == NID_sha384 || nid == NID_sha512 ||
	       nid == NID_sha3_224 || nid == NID_sha3_256 || nid == NID_sha3_384 ||
	       nid == NID_sha3_512;
}

static int
check_amounts(struct bytes salt, int64_t iterations, int64_t min, int64_t max, struct diag *why)
{
	if (iterations < min || iterations > max) {
		return diag_set(why, CMPD_EALGORITHM,
		    "iterationCount %lld of the MAC is not within %lld..%lld",
		    (long long)iterations, (long long)min, (long long)max);
	}
	if (salt.len < SALT_MIN || salt.len > SALT_MAX) {
		return diag_set(why, CMPD_EALGORITHM,
		    "the salt of the MAC has %zu bytes, not %d..%d", salt.len, SALT_MIN, SALT_MAX);
	}
	return 0;
}

static int
check_pbm(const struct conf_endpoint *endpoint, struct pool *pool, const struct wire_alg *alg,
    int64_t *ret_iterations, struct diag *why)
{
	struct wire_pbm pbm;

	if (!listed(endpoint->mac_algorithms, "pbm")) {
		return diag_set(why, CMPD_EALGORITHM, "PasswordBasedMac is not allowed");
	}
	if (wire_pbm_decode(pool, alg->parameters, &pbm)) {
		return diag_set(why, CMPD_EALGORITHM, "the parameters of the MAC do not decode");
	}
	if (!owf_allowed(nid_of(pbm.owf.oid))) {
		return diag_set(why, CMPD_EALGORITHM,
		    "the one-way function of the MAC is not allowed");
	}
	if (!hmac_allowed(endpoint, hmac_find(pbm.mac.oid))) {
		return diag_set(why, CMPD_EALGORITHM, "the HMAC of the MAC is not allowed");
	}
	*ret_iterations = pbm.iterations;
	return check_amounts(pbm.salt, pbm.iterations, endpoint->pbm_iterations_min,
	    endpoint->pbm_iterations_max, why);
}

/* An AlgorithmIdentifier off the front of *in. */
static int
take_alg(struct bytes *in, struct bytes *ret_oid, struct bytes *ret_parameters,
    struct bytes *ret_der)
{
	struct der whole;

	if (der_next(in, &whole) < 0 || whole.tag != DER_SEQUENCE ||
	    der_take(&whole.value, DER_OID, ret_oid) < 0) {
		return CMPD_EFORMAT;
	}
	*ret_parameters = whole.value;
	*ret_der = whole.whole;
	return 0;
}

static int
take_number(struct bytes *in, int64_t *ret)
{
	struct bytes value;
	int64_t n = 0;

	if (der_take(in, DER_INTEGER, &value) < 0 || value.len == 0 || value.len > 4 ||
	    value.data[0] & 0x80) {
		return CMPD_EFORMAT;
	}
	for (size_t i = 0; i < value.len; i++) {
		n = n << 8 | value.data[i];
	}
	*ret = n;
	return 0;
}

/* PBKDF2-params (RFC 8018 A.2): salt as OCTET STRING, iterationCount, keyLength OPTIONAL, prf DEFAULT HMAC-SHA1. */
static int
decode_pbkdf2(struct bytes in, struct pbmac1 *ret)
{
	struct bytes body, oid, parameters;
	int64_t key_len = 0;

	if (der_only(in, DER_SEQUENCE, &body) < 0 ||
	    der_take(&body, DER_OCTET_STRING, &ret->salt) < 0 ||
	    take_number(&body, &ret->iterations) < 0) {
		return CMPD_EFORMAT;
	}
	if (der_peek(body, DER_INTEGER) &&
	    (take_number(&body, &key_len) < 0 || key_len < 16 || key_len > KEY_MAX)) {
		return CMPD_EFORMAT;
	}
	ret->key_len = (size_t)key_len;
	ret->prf = &hmacs[0];
	if (body.len > 0) {
		if (take_alg(&body, &oid, &parameters, &ret->prf_alg) < 0 || body.len > 0) {
			return CMPD_EFORMAT;
		}
		ret->prf = hmac_find(oid);
	}
	return 0;
}

static int
decode_pbmac1(struct bytes in, struct pbmac1 *ret)
{
	struct bytes body, oid, parameters, der;

	memset(ret, 0, sizeof(*ret));
	if (der_only(in, DER_SEQUENCE, &body) < 0 || take_alg(&body, &oid, &parameters, &der) < 0 ||
	    !bytes_equal(oid, bytes_of(oid_pbkdf2, sizeof(oid_pbkdf2))) ||
	    decode_pbkdf2(parameters, ret) < 0 ||
	    take_alg(&body, &oid, &parameters, &ret->mac_alg) < 0 || body.len > 0) {
		return CMPD_EFORMAT;
	}
	ret->mac = hmac_find(oid);
	return 0;
}

static int
check_pbmac1(const struct conf_endpoint *endpoint, const struct wire_alg *alg,
    int64_t *ret_iterations, struct diag *why)
{
	struct pbmac1 p;

	if (!listed(endpoint->mac_algorithms, "pbmac1")) {
		return diag_set(why, CMPD_EALGORITHM, "PBMAC1 is not allowed");
	}
	if (decode_pbmac1(alg->parameters, &p) < 0) {
		return diag_set(why, CMPD_EALGORITHM, "the parameters of the MAC do not decode");
	}
	if (!hmac_allowed(endpoint, p.prf) || !hmac_allowed(endpoint, p.mac)) {
		return diag_set(why, CMPD_EALGORITHM, "the HMAC of the MAC is not allowed");
	}
	*ret_iterations = p.iterations;
	return check_amounts(p.salt, p.iterations, endpoint->pbkdf2_iterations_min,
	    endpoint->pbkdf2_iterations_max, why);
}

int
mac_check(const struct conf_endpoint *endpoint, struct pool *pool, const struct wire_alg *alg,
    int64_t *ret_iterations, struct diag *why)
{
	return is_pbmac1(alg) ? check_pbmac1(endpoint, alg, ret_iterations, why)
			      : check_pbm(endpoint, pool, alg, ret_iterations, why);
}

/* BASEKEY of RFC 9810 5.1.3.1: the one-way function over secret and salt, then over itself. */
static int
pbm_key(struct cmp_door *door, const struct wire_pbm *pbm, struct bytes secret,
    unsigned char key[EVP_MAX_MD_SIZE], unsigned int *ret_len)
{
	EVP_MD *owf = EVP_MD_fetch(door->libctx, OBJ_nid2sn(nid_of(pbm->owf.oid)), NULL);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool done = owf && ctx && EVP_DigestInit_ex(ctx, owf, NULL) &&
		    EVP_DigestUpdate(ctx, secret.data, secret.len) &&
		    EVP_DigestUpdate(ctx, pbm->salt.data, pbm->salt.len) &&
		    EVP_DigestFinal_ex(ctx, key, ret_len);

	for (int64_t i = 1; done && i < pbm->iterations; i++) {
		done = EVP_DigestInit_ex(ctx, NULL, NULL) && EVP_DigestUpdate(ctx, key, *ret_len) &&
		       EVP_DigestFinal_ex(ctx, key, ret_len);
	}
	EVP_MD_CTX_free(ctx);
	EVP_MD_free(owf);
	return done ? 0 : CMPD_ECRYPTO;
}

/* Not by OSSL_CRMF_pbm_new: it has no HMAC with SHA-3. */
static int
compute_pbm(struct cmp_door *door, struct pool *pool, struct bytes parameters, struct bytes secret,
    struct bytes data, struct bytes *ret)
{
	unsigned char key[EVP_MAX_MD_SIZE], out[EVP_MAX_MD_SIZE];
	const struct hmac *hmac = NULL;
	struct wire_pbm pbm;
	unsigned int key_len = 0;
	size_t len = 0;
	int error = wire_pbm_decode(pool, parameters, &pbm);

	hmac = error ? NULL : hmac_find(pbm.mac.oid);
	if (!hmac) {
		return error == CMPD_ENOMEM ? error : CMPD_ECRYPTO;
	}
	error = pbm_key(door, &pbm, secret, key, &key_len);
	if (!error && !EVP_Q_mac(door->libctx, "HMAC", NULL, hmac->digest, NULL, key, key_len,
			  data.data, data.len, out, sizeof(out), &len)) {
		error = CMPD_ECRYPTO;
	}
	if (!error) {
		*ret = pool_bytes(pool, bytes_of(out, len));
		error = ret->data ? 0 : CMPD_ENOMEM;
	}
	OPENSSL_cleanse(key, sizeof(key));
	ERR_clear_error();
	return error;
}

static int
compute_pbmac1(struct cmp_door *door, struct pool *pool, struct bytes parameters,
    struct bytes secret, struct bytes data, struct bytes *ret)
{
	unsigned char key[EVP_MAX_MD_SIZE], out[EVP_MAX_MD_SIZE];
	EVP_MD *prf = NULL;
	size_t len = 0, key_len;
	struct pbmac1 p;
	int error = CMPD_ECRYPTO;

	if (decode_pbmac1(parameters, &p) < 0 || !p.prf || !p.mac) {
		return CMPD_ECRYPTO;
	}
	prf = EVP_MD_fetch(door->libctx, p.prf->digest, NULL);
	key_len = p.key_len;
	if (prf && key_len == 0) {
		EVP_MD *own = EVP_MD_fetch(door->libctx, p.mac->digest, NULL);

		key_len = own ? (size_t)EVP_MD_get_size(own) : 0;
		EVP_MD_free(own);
	}
	if (prf && key_len > 0 &&
	    PKCS5_PBKDF2_HMAC((const char *)secret.data, (int)secret.len, p.salt.data,
		(int)p.salt.len, (int)p.iterations, prf, (int)key_len, key) &&
	    EVP_Q_mac(door->libctx, "HMAC", NULL, p.mac->digest, NULL, key, key_len, data.data,
		data.len, out, sizeof(out), &len)) {
		*ret = pool_bytes(pool, bytes_of(out, len));
		error = ret->data ? 0 : CMPD_ENOMEM;
	}
	OPENSSL_cleanse(key, sizeof(key));
	EVP_MD_free(prf);
	ERR_clear_error();
	return error;
}

int
mac_compute(struct cmp_door *door, struct pool *pool, const struct wire_alg *alg,
    struct bytes secret, struct bytes data, struct bytes *ret)
{
	return is_pbmac1(alg) ? compute_pbmac1(door, pool, alg->parameters, secret, data, ret)
			      : compute_pbm(door, pool, alg->parameters, secret, data, ret);
}

/* ---- the answer's ---- */

/* Takes an AlgorithmIdentifier that we have made apart again. */
static int
alg_of(struct pool *pool, struct bytes der, struct wire_alg *ret)
{
	struct bytes rest = der;

	ret->der = pool_bytes(pool, der);
	rest = ret->der;
	if (!ret->der.data) {
		return CMPD_ENOMEM;
	}
	return take_alg(&rest, &ret->oid, &ret->parameters, &ret->der);
}

static int
answer_pbmac1(struct pool *pool, const struct wire_alg *asked, struct bytes salt,
    struct wire_alg *ret)
{
	struct pbmac1 p;
	struct buf buf;
	size_t outer, params, kdf, kdf_params;
	uint8_t number[5];
	int error;

	if (decode_pbmac1(asked->parameters, &p) < 0) {
		return CMPD_ECRYPTO;
	}
	buf_init(&buf, 4096);
	outer = der_begin(&buf, DER_SEQUENCE);
	der_put(&buf, DER_OID, bytes_of(oid_pbmac1, sizeof(oid_pbmac1)));
	params = der_begin(&buf, DER_SEQUENCE);
	kdf = der_begin(&buf, DER_SEQUENCE);
	der_put(&buf, DER_OID, bytes_of(oid_pbkdf2, sizeof(oid_pbkdf2)));
	kdf_params = der_begin(&buf, DER_SEQUENCE);
	der_put(&buf, DER_OCTET_STRING, salt);
	for (int i = 0; i < 5; i++) {
		number[i] = (uint8_t)(p.iterations >> (8 * (4 - i)));
	}
	for (int i = 0; i < 5; i++) {
		/* The shortest form of a positive INTEGER. */
		if (i == 4 || number[i] || number[i + 1] & 0x80) {
			der_put(&buf, DER_INTEGER, bytes_of(number + i, 5 - (size_t)i));
			break;
		}
	}
	if (p.key_len > 0) {
		number[0] = (uint8_t)p.key_len;
		der_put(&buf, DER_INTEGER, bytes_of(number, 1));
	}
	buf_put_bytes(&buf, p.prf_alg);
	der_end(&buf, kdf_params);
	der_end(&buf, kdf);
	buf_put_bytes(&buf, p.mac_alg);
	der_end(&buf, params);
	der_end(&buf, outer);
	error = buf_error(&buf);
	if (!error) {
		error = alg_of(pool, buf_get0(&buf), ret);
	}
	buf_fini(&buf);
	return error;
}

int
mac_answer(struct pool *pool, const struct wire_alg *asked, struct wire_alg *ret)
{
	struct wire_pbm pbm;
	struct bytes der;
	uint8_t salt[SALT_SIZE];

	random_bytes(salt, sizeof(salt));
	if (is_pbmac1(asked)) {
		return answer_pbmac1(pool, asked, bytes_of(salt, sizeof(salt)), ret);
	}
	if (wire_pbm_decode(pool, asked->parameters, &pbm)) {
		return CMPD_ECRYPTO;
	}
	pbm.salt = bytes_of(salt, sizeof(salt));
	der = wire_pbm_alg_encode(pool, &pbm);
	return der.data ? alg_of(pool, der, ret) : CMPD_ENOMEM;
}
