/*
 * bound SECONDS KIND: the CPU time in microseconds of what no CMP server can do without: the
 * cryptography of one transaction, all keys loaded, contexts kept, nothing decoded, nothing stored.
 *
 * KIND: pbm-implicit pbm-explicit sig-implicit sig-explicit rsa-implicit rsa-explicit. An ir: its protection and its proof of
 * possession are verified, certificate and answer signed or MACed; explicit adds certConf (verified, with the hash of the
 * certificate) and pkiConf.
 */
#include <openssl/core_names.h>
#include <openssl/hmac.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "message.h"

/* Lengths of what is signed, as the load generator and cmpd make it. */
#define REQUEST_LEN 420
#define POPO_LEN    130
#define TBS_LEN	    420
#define ANSWER_LEN  780
#define CONFIRM_LEN 260
#define PKICONF_LEN 220
#define ITERATIONS  500

/* A key with one signature made by it, ready to sign and to verify. */
struct signer {
	EVP_PKEY *key;
	EVP_PKEY_CTX *sign, *verify;
	uint8_t signature[512], hash[32];
	size_t len;
};

struct bound {
	struct signer sender, subject, ca, server;
	EVP_MD *sha256;
	EVP_MD_CTX *digest;
	EVP_MAC_CTX *hmac;
	uint8_t data[1024];
};

static void
hash(struct bound *b, size_t len, uint8_t out[32])
{
	MUST(EVP_DigestInit_ex(b->digest, b->sha256, NULL) == 1 &&
	     EVP_DigestUpdate(b->digest, b->data, len) == 1 &&
	     EVP_DigestFinal_ex(b->digest, out, NULL) == 1);
}

static void
sign(struct bound *b, struct signer *signer, size_t len)
{
	uint8_t digest[32];

	hash(b, len, digest);
	signer->len = sizeof(signer->signature);
	MUST(EVP_PKEY_sign(signer->sign, signer->signature, &signer->len, digest, sizeof(digest)) ==
	     1);
}

static void
verify(struct bound *b, struct signer *signer, size_t len)
{
	uint8_t digest[32];

	hash(b, len, digest);
	/* What verifies is the signature made at the start; the bytes cost the same. */
	MUST(EVP_PKEY_verify(signer->verify, signer->signature, signer->len, signer->hash,
		 sizeof(signer->hash)) == 1);
}

static void
mac(struct bound *b, size_t len)
{
	uint8_t key[32];
	size_t out;

	hash(b, 32, key);
	for (int i = 1; i < ITERATIONS; i++) {
		MUST(EVP_DigestInit_ex(b->digest, b->sha256, NULL) == 1 &&
		     EVP_DigestUpdate(b->digest, key, sizeof(key)) == 1 &&
		     EVP_DigestFinal_ex(b->digest, key, NULL) == 1);
	}
	MUST(EVP_MAC_init(b->hmac, key, sizeof(key), NULL) == 1 &&
	     EVP_MAC_update(b->hmac, b->data, len) == 1 &&
	     EVP_MAC_final(b->hmac, key, &out, sizeof(key)) == 1);
}

static void
signer_init(struct bound *b, struct signer *signer, bool rsa)
{
	signer->key = rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
	MUST(signer->key != NULL);
	signer->sign = EVP_PKEY_CTX_new(signer->key, NULL);
	signer->verify = EVP_PKEY_CTX_new(signer->key, NULL);
	MUST(EVP_PKEY_sign_init(signer->sign) == 1 && EVP_PKEY_verify_init(signer->verify) == 1);
	MUST(EVP_PKEY_CTX_set_signature_md(signer->sign, b->sha256) == 1 &&
	     EVP_PKEY_CTX_set_signature_md(signer->verify, b->sha256) == 1);
	hash(b, TBS_LEN, signer->hash);
	sign(b, signer, TBS_LEN);
}

static void
bound_init(struct bound *b, bool rsa)
{
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	char name[] = "SHA256";
	OSSL_PARAM params[2] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
	    OSSL_PARAM_construct_end()};

	memset(b, 0x5a, sizeof(*b));
	b->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	b->digest = EVP_MD_CTX_new();
	b->hmac = EVP_MAC_CTX_new(hmac);
	MUST(b->sha256 != NULL && b->digest != NULL && b->hmac != NULL);
	MUST(EVP_MAC_CTX_set_params(b->hmac, params) == 1);
	EVP_MAC_free(hmac);
	signer_init(b, &b->sender, rsa);
	signer_init(b, &b->subject, rsa);
	signer_init(b, &b->ca, rsa);
	signer_init(b, &b->server, rsa);
}

static void
signer_fini(struct signer *signer)
{
	EVP_PKEY_CTX_free(signer->sign);
	EVP_PKEY_CTX_free(signer->verify);
	EVP_PKEY_free(signer->key);
}

static void
bound_fini(struct bound *b)
{
	signer_fini(&b->sender);
	signer_fini(&b->subject);
	signer_fini(&b->ca);
	signer_fini(&b->server);
	EVP_MAC_CTX_free(b->hmac);
	EVP_MD_CTX_free(b->digest);
	EVP_MD_free(b->sha256);
}

static void
transact(struct bound *b, bool pbm, bool confirm)
{
	uint8_t fingerprint[32];

	if (pbm) {
		mac(b, REQUEST_LEN);
	} else {
		verify(b, &b->sender, REQUEST_LEN);
	}
	verify(b, &b->subject, POPO_LEN);
	sign(b, &b->ca, TBS_LEN);
	if (pbm) {
		mac(b, ANSWER_LEN);
	} else {
		sign(b, &b->server, ANSWER_LEN);
	}
	if (!confirm) {
		return;
	}
	hash(b, TBS_LEN, fingerprint);
	if (pbm) {
		mac(b, CONFIRM_LEN);
		mac(b, PKICONF_LEN);
	} else {
		verify(b, &b->sender, CONFIRM_LEN);
		sign(b, &b->server, PKICONF_LEN);
	}
}

static double
cpu_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

int
main(int argc, char **argv)
{
	const char *kind = argc == 3 ? argv[2] : "";
	bool pbm = strncmp(kind, "pbm-", 4) == 0, rsa = strncmp(kind, "rsa-", 4) == 0;
	bool confirm = strcmp(kind + strcspn(kind, "-"), "-explicit") == 0;
	struct bound bound;
	double limit, start, end;
	long n = 0;

	if (argc != 3 || kind[0] == '\0') {
		bench_fail("usage: bound SECONDS KIND");
	}
	limit = strtod(argv[1], NULL) * 1e6;
	bound_init(&bound, rsa);
	for (int i = 0; i < 20; i++) {
		transact(&bound, pbm, confirm);
	}
	start = cpu_us();
	do {
		transact(&bound, pbm, confirm);
		n++;
		end = cpu_us();
	} while (end - start < limit);
	bound_fini(&bound);
	printf("{\"transactions\": %ld, \"cpu_us\": %.2f}\n", n, (end - start) / (double)n);
	return 0;
}
