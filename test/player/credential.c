/*
 * Keys and certificates of the clients, and both kinds of protection, made
 * and verified with libcrypto's EVP alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/cmp.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "player.h"

EVP_PKEY *
key_new(struct player *p, const char *spec)
{
	EVP_PKEY *key = NULL;

	if (strncmp(spec, "ec:", 3) == 0) {
		key = EVP_EC_gen(spec + 3);
	} else if (strncmp(spec, "rsa:", 4) == 0) {
		key = EVP_RSA_gen((unsigned)atoi(spec + 4));
	} else if (strcmp(spec, "ed25519") == 0) {
		key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	}
	if (key == NULL) {
		fail(p, "cannot make a key %s", spec);
	}
	return key;
}

X509_NAME *
name_new(struct player *p, const char *text)
{
	X509_NAME *name = X509_NAME_new();
	char *copy = pool_strdup(p->pool, text), *part, *save = NULL, *value;

	need(p, name != NULL && copy != NULL);
	for (part = strtok_r(copy, "/", &save); part != NULL; part = strtok_r(NULL, "/", &save)) {
		value = strchr(part, '=');
		need(p, value != NULL);
		*value++ = '\0';
		need(p, X509_NAME_add_entry_by_txt(name, part, MBSTRING_UTF8,
			    (const unsigned char *)value, -1, -1, 0));
	}
	return name;
}

struct bytes
object_der(struct player *p, const void *value, const ASN1_ITEM *item)
{
	unsigned char *der = NULL;
	int len = ASN1_item_i2d(value, &der, item);
	struct bytes out;

	need(p, len > 0);
	out = pool_bytes(p->pool, bytes_of(der, (size_t)len));
	OPENSSL_free(der);
	return out;
}

struct bytes
name_der(struct player *p, const char *text)
{
	X509_NAME *name = name_new(p, text);
	struct bytes out = object_der(p, name, ASN1_ITEM_rptr(X509_NAME));

	X509_NAME_free(name);
	return out;
}

static void
add_extension(struct player *p, X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;

	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	need(p, ext != NULL && X509_add_ext(x, ext, -1));
	X509_EXTENSION_free(ext);
}

static X509 *
certificate_new(struct player *p, const struct words *words, EVP_PKEY *key,
    const struct credential *ca)
{
	const char *subject = word_get(words, "subject"), *ku = word_get(words, "ku");
	const char *fallback = pool_printf(p->pool, "/CN=%s", words->word[1]);
	long shift = word_has(words, "expired") ? -10 * 86400 : -3600;
	X509_NAME *name = name_new(p, subject != NULL ? subject : fallback);
	X509 *x = X509_new(), *issuer;
	uint8_t serial[16];

	need(p, x != NULL && RAND_bytes(serial, sizeof(serial)) == 1);
	serial[0] = (serial[0] & 0x7f) | 0x40;
	issuer = ca == NULL ? x : ca->certificate;
	X509_set_version(x, X509_VERSION_3);
	need(p, ASN1_STRING_set(X509_get_serialNumber(x), serial, sizeof(serial)));
	X509_gmtime_adj(X509_getm_notBefore(x), shift);
	X509_gmtime_adj(X509_getm_notAfter(x), shift + 8 * 86400);
	need(p, X509_set_subject_name(x, name) && X509_set_pubkey(x, key));
	need(p, X509_set_issuer_name(x, X509_get_subject_name(issuer)));
	add_extension(p, x, issuer, NID_subject_key_identifier, "hash");
	add_extension(p, x, issuer, NID_authority_key_identifier, "keyid");
	add_extension(p, x, issuer, NID_basic_constraints,
	    ca == NULL ? "critical,CA:TRUE" : "CA:FALSE");
	add_extension(p, x, issuer, NID_key_usage,
	    ku != NULL	 ? ku
	    : ca == NULL ? "critical,keyCertSign,cRLSign,digitalSignature"
			 : "digitalSignature");
	need(p, X509_sign(x, ca == NULL ? key : ca->key, EVP_sha256()) > 0);
	X509_NAME_free(name);
	return x;
}

void
credential_make(struct player *p, const struct words *words, bool ca)
{
	struct credential *out = &p->named[p->n_named];
	const char *key = word_get(words, "key"), *issuer = word_get(words, "ca");
	char *data;
	BIO *bio;
	long len;

	need(p, p->n_named < NAMED_MAX && words->n >= 2 && ca == (issuer == NULL));
	snprintf(out->name, sizeof(out->name), "%s", words->word[1]);
	out->key = key_new(p, key == NULL ? "ec:P-256" : key);
	out->certificate =
	    certificate_new(p, words, out->key, ca ? NULL : credential_find(p, issuer));
	bio = BIO_new(BIO_s_mem());
	need(p, bio != NULL && PEM_write_bio_X509(bio, out->certificate));
	len = BIO_get_mem_data(bio, &data);
	place_write(p, pool_printf(p->pool, "d/%s.pem", out->name), data, (size_t)len);
	BIO_free(bio);
	p->n_named++;
}

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
alg_nid(struct player *p, const struct wire_alg *alg)
{
	struct wire_der_build build = {.pool = p->pool};
	struct bytes der = wire_der_put1(&build, DER_OID, alg->oid);
	const unsigned char *at = der.data;
	ASN1_OBJECT *object = der.data == NULL ? NULL : d2i_ASN1_OBJECT(NULL, &at, (long)der.len);
	int nid = object == NULL ? NID_undef : OBJ_obj2nid(object);

	ASN1_OBJECT_free(object);
	return nid;
}

static const EVP_MD *
digest_for(EVP_PKEY *key, const char *digest)
{
	if (EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448")) {
		return NULL;
	}
	if (digest != NULL) {
		return EVP_get_digestbyname(digest);
	}
	return EVP_PKEY_get_bits(key) > 300 && EVP_PKEY_is_a(key, "EC") ? EVP_sha384()
									: EVP_sha256();
}

struct bytes
sign_alg(struct player *p, EVP_PKEY *key, const char *digest)
{
	const EVP_MD *md = digest_for(key, digest);
	int nid = EVP_PKEY_get_base_id(key);

	if (md != NULL) {
		need(p,
		    OBJ_find_sigid_by_algs(&nid, EVP_MD_get_type(md), EVP_PKEY_get_base_id(key)));
	}
	return alg_der(p, nid, EVP_PKEY_is_a(key, "RSA"));
}

struct bytes
sign(struct player *p, EVP_PKEY *key, const char *digest, struct bytes data)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	const EVP_MD *md = digest_for(key, digest);
	size_t len = 0;
	uint8_t *out;

	need(p, EVP_DigestSignInit(ctx, NULL, md, NULL, key) == 1);
	need(p, EVP_DigestSign(ctx, NULL, &len, data.data, data.len) == 1);
	out = pool_alloc(p->pool, len);
	need(p, out != NULL && EVP_DigestSign(ctx, out, &len, data.data, data.len) == 1);
	EVP_MD_CTX_free(ctx);
	return bytes_of(out, len);
}

static const EVP_MD *
mac_digest(int nid)
{
	static const struct {
		int mac, digest;
	} rows[] = {{NID_hmac_sha1, NID_sha1}, {NID_hmac_md5, NID_md5}};
	size_t i;
	int digest;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].mac == nid) {
			return EVP_get_digestbynid(rows[i].digest);
		}
	}
	if (OBJ_find_sigid_algs(nid, &digest, NULL) && digest != NID_undef) {
		return EVP_get_digestbynid(digest);
	}
	switch (nid) {
	case NID_hmacWithSHA1:
		return EVP_sha1();
	case NID_hmacWithSHA256:
		return EVP_sha256();
	case NID_hmacWithSHA384:
		return EVP_sha384();
	case NID_hmacWithSHA512:
		return EVP_sha512();
	default:
		return NULL;
	}
}

struct bytes
pbm_mac(struct player *p, const struct wire_pbm *pbm, struct bytes secret, struct bytes data)
{
	const EVP_MD *owf = EVP_get_digestbynid(alg_nid(p, &pbm->owf));
	const EVP_MD *digest = mac_digest(alg_nid(p, &pbm->mac));
	uint8_t key[EVP_MAX_MD_SIZE], mac[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned len = 0;
	int64_t i;

	if (owf == NULL || digest == NULL) {
		EVP_MD_CTX_free(ctx);
		return BYTES_NONE;
	}
	need(p, EVP_DigestInit_ex(ctx, owf, NULL) &&
		    EVP_DigestUpdate(ctx, secret.data, secret.len) &&
		    EVP_DigestUpdate(ctx, pbm->salt.data, pbm->salt.len) &&
		    EVP_DigestFinal_ex(ctx, key, &len));
	for (i = 1; i < pbm->iterations; i++) {
		need(p, EVP_DigestInit_ex(ctx, owf, NULL) && EVP_DigestUpdate(ctx, key, len) &&
			    EVP_DigestFinal_ex(ctx, key, &len));
	}
	EVP_MD_CTX_free(ctx);
	need(p, HMAC(digest, key, (int)len, data.data, data.len, mac, &len) != NULL);
	return pool_bytes(p->pool, bytes_of(mac, len));
}

/* ---- verifying answers ---- */

void
verify_mac(struct player *p, const struct wire_message *message, struct bytes secret)
{
	struct wire_pbm pbm;
	struct bytes mac;

	if (wire_pbm_decode(p->pool, message->header.protection_alg.parameters, &pbm) != 0) {
		fail(p, "the PBM parameters of the answer do not decode");
	}
	mac = pbm_mac(p, &pbm, secret,
	    wire_protected_part(p->pool, message->header_raw, message->body_raw));
	if (mac.data == NULL || !bytes_equal(mac, message->protection)) {
		fail(p, "the MAC of the answer does not verify");
	}
}

static X509 *
read_certificate(struct player *p, struct bytes der)
{
	const unsigned char *at = der.data;
	X509 *x = d2i_X509(NULL, &at, (long)der.len);

	if (x == NULL || at != der.data + der.len) {
		fail(p, "a certificate of the answer does not decode");
	}
	return x;
}

/* At the time that cmpd has. */
static void
verify_chain(struct player *p, X509 *x, STACK_OF(X509) * others)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();

	need(p, X509_STORE_add_cert(store, p->ca) && X509_STORE_CTX_init(ctx, store, x, others));
	X509_STORE_CTX_set_time(ctx, 0, time(NULL) + (time_t)(p->wall_ms / 1000));
	if (X509_verify_cert(ctx) != 1) {
		fail(p, "the signer of the answer is not trusted: %s",
		    X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
	}
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
}

void
verify_signature(struct player *p, const struct wire_message *message)
{
	struct bytes part = wire_protected_part(p->pool, message->header_raw, message->body_raw);
	STACK_OF(X509) *others = sk_X509_new_null();
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int digest = NID_undef;
	struct bytes name;
	X509 *x;
	size_t i;

	if (message->n_extra_certs == 0) {
		fail(p, "a signed answer without extraCerts");
	}
	for (i = 0; i < message->n_extra_certs; i++) {
		need(p, sk_X509_push(others, read_certificate(p, message->extra_certs[i])));
	}
	x = sk_X509_value(others, 0);
	verify_chain(p, x, others);
	need(p, OBJ_find_sigid_algs(alg_nid(p, &message->header.protection_alg), &digest, NULL));
	if (EVP_DigestVerifyInit(ctx, NULL, EVP_get_digestbynid(digest), NULL,
		X509_get0_pubkey(x)) != 1 ||
	    EVP_DigestVerify(ctx, message->protection.data, message->protection.len, part.data,
		part.len) != 1) {
		fail(p, "the signature of the answer does not verify");
	}
	name = wire_directory_name(message->header.sender);
	if (!bytes_equal(name,
		object_der(p, X509_get_subject_name(x), ASN1_ITEM_rptr(X509_NAME)))) {
		fail(p, "the answer's sender is not the subject of its signer");
	}
	EVP_MD_CTX_free(ctx);
	sk_X509_pop_free(others, X509_free);
}

void
verify_by_openssl(struct player *p, const struct client *client)
{
	const unsigned char *at = client->answer.data;
	OSSL_CMP_MSG *msg = d2i_OSSL_CMP_MSG(NULL, &at, (long)client->answer.len);
	OSSL_CMP_CTX *ctx = OSSL_CMP_CTX_new(NULL, NULL);
	X509_STORE *store = X509_STORE_new();

	if (msg == NULL) {
		fail(p, "OpenSSL does not decode the answer");
	}
	need(p, ctx != NULL && X509_STORE_add_cert(store, p->ca));
	X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store),
	    time(NULL) + (time_t)(p->wall_ms / 1000));
	need(p, OSSL_CMP_CTX_set0_trustedStore(ctx, store));
	if (client->ref != NULL) {
		need(p, OSSL_CMP_CTX_set1_secretValue(ctx, client->secret.data,
			    (int)client->secret.len));
	}
	OSSL_CMP_CTX_set_log_verbosity(ctx, OSSL_CMP_LOG_CRIT);
	if (OSSL_CMP_validate_msg(ctx, msg) != 1) {
		char text[256];

		ERR_error_string_n(ERR_peek_last_error(), text, sizeof(text));
		fail(p, "OSSL_CMP_validate_msg does not take the answer: %s", text);
	}
	OSSL_CMP_CTX_free(ctx);
	OSSL_CMP_MSG_free(msg);
	ERR_clear_error();
}
