#include "base/digest.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include <openssl/err.h>
#include <openssl/evp.h>

/* Fetching costs more than hashing a short string: each thread does it once. */
static _Thread_local EVP_MD_CTX *context;
static _Thread_local EVP_MD *sha256;

static bool
prepare(void)
{
	if (sha256 == NULL) {
		sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	}
	if (context == NULL) {
		context = EVP_MD_CTX_new();
	}
	return sha256 != NULL && context != NULL;
}

int
digest_sha256(struct bytes in, uint8_t ret[DIGEST_SIZE])
{
	uint8_t out[DIGEST_SIZE];

	if (!prepare() || EVP_DigestInit_ex2(context, sha256, NULL) != 1 ||
	    EVP_DigestUpdate(context, in.data, in.len) != 1 ||
	    EVP_DigestFinal_ex(context, out, NULL) != 1) {
		ERR_clear_error();
		return CMPD_ECRYPTO;
	}
	for (size_t i = 0; i < DIGEST_SIZE; i++) {
		ret[i] = out[i];
	}
	return 0;
}

void
digest_thread_fini(void)
{
	EVP_MD_CTX_free(context);
	EVP_MD_free(sha256);
	context = NULL;
	sha256 = NULL;
}

void
random_bytes(void *out, size_t len)
{
	uint8_t *pos = out;

	while (len > 0) {
		ssize_t n = getrandom(pos, len, 0);

		if (n > 0) {
			pos += n;
			len -= (size_t)n;
		} else if (n == 0 || errno != EINTR) {
			/* A kernel without getrandom: nothing we make would be safe. */
			abort();
		}
	}
}
