#include "store/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#define KEY_ID_SIZE 4
#define NONCE_SIZE  12
#define TAG_SIZE    16
#define VALUE_MAX   1024

/* ---- the key ---- */

static int
key_file_ok(int fd, const char *file, struct diag *diag)
{
	struct stat st;

	if (fstat(fd, &st) != 0) {
		return diag_set(diag, CMPD_EIO, "%s: %s", file, strerror(errno));
	}
	if (!S_ISREG(st.st_mode) || st.st_size != SEAL_KEY_SIZE) {
		return diag_set(diag, CMPD_EFORMAT, "%s: a store key is a file of %d bytes", file,
		    SEAL_KEY_SIZE);
	}
	if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
		return diag_set(diag, CMPD_EACCES,
		    "%s: mode %04o lets others at the store key; it must be 0600", file,
		    (unsigned int)st.st_mode & 07777u);
	}
	return 0;
}

int
seal_read_key(const char *file, uint8_t ret_key[SEAL_KEY_SIZE], struct diag *diag)
{
	uint8_t key[SEAL_KEY_SIZE];
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int error;

	if (fd < 0) {
		error = errno == ENOENT ? CMPD_ENOENT : errno == EACCES ? CMPD_EACCES : CMPD_EIO;
		return diag_set(diag, error, "store key %s: %s", file, strerror(errno));
	}
	error = key_file_ok(fd, file, diag);
	if (error == 0 && read(fd, key, sizeof(key)) != (ssize_t)sizeof(key)) {
		error = diag_set(diag, CMPD_EIO, "store key %s cannot be read", file);
	}
	if (error == 0) {
		memcpy(ret_key, key, sizeof(key));
	}
	explicit_bzero(key, sizeof(key));
	close(fd);
	return error;
}

static int
derive(const uint8_t *key, const char *purpose, uint8_t *out, size_t len)
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = kdf == NULL ? NULL : EVP_KDF_CTX_new(kdf);
	char digest[] = "SHA256", info[64], secret[SEAL_KEY_SIZE];
	OSSL_PARAM params[4];
	int ok = 0;

	if (ctx != NULL) {
		memcpy(secret, key, sizeof(secret));
		strncpy(info, purpose, sizeof(info) - 1);
		info[sizeof(info) - 1] = '\0';
		params[0] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0);
		params[1] =
		    OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, secret, sizeof(secret));
		params[2] =
		    OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, strlen(info));
		params[3] = OSSL_PARAM_construct_end();
		ok = EVP_KDF_derive(ctx, out, len, params) == 1;
		explicit_bzero(secret, sizeof(secret));
	}
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	if (!ok) {
		ERR_clear_error();
	}
	return ok ? 0 : CMPD_ECRYPTO;
}

int
seal_init(struct seal *seal, const uint8_t key[SEAL_KEY_SIZE])
{
	int error = derive(key, "cmpd store: secrets", seal->secrets, sizeof(seal->secrets));

	if (error == 0) {
		error = derive(key, "cmpd store: audit", seal->audit, sizeof(seal->audit));
	}
	if (error == 0) {
		error = derive(key, "cmpd store: check", seal->check, sizeof(seal->check));
	}
	if (error != 0) {
		seal_fini(seal);
	}
	return error;
}

void
seal_fini(struct seal *seal)
{
	explicit_bzero(seal, sizeof(*seal));
}

/* ---- secrets: key id, nonce, ciphertext, tag ---- */

/* A sealed value moved to another secret's record must not open there. */
static int
bind(EVP_CIPHER_CTX *ctx, uint64_t id, const char *ref)
{
	uint8_t number[8];
	int n;

	bytes_put_u64(id, number);
	return EVP_CipherUpdate(ctx, NULL, &n, number, sizeof(number)) == 1 &&
	       EVP_CipherUpdate(ctx, NULL, &n, (const uint8_t *)ref, (int)strlen(ref)) == 1;
}

static EVP_CIPHER_CTX *
cipher_new(const struct seal *seal, const uint8_t *nonce, int encrypt)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

	if (ctx != NULL &&
	    EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, seal->secrets, nonce, encrypt) != 1) {
		EVP_CIPHER_CTX_free(ctx);
		ctx = NULL;
	}
	return ctx;
}

int
seal_encrypt(const struct seal *seal, uint64_t id, const char *ref, struct bytes value,
    struct buf *out)
{
	uint8_t nonce[NONCE_SIZE], data[VALUE_MAX], tag[TAG_SIZE];
	EVP_CIPHER_CTX *ctx;
	int n = 0, rest = 0, ok;

	if (value.len > sizeof(data)) {
		return CMPD_EINVAL;
	}
	random_bytes(nonce, sizeof(nonce));
	ctx = cipher_new(seal, nonce, 1);
	ok = ctx != NULL && bind(ctx, id, ref) &&
	     EVP_CipherUpdate(ctx, data, &n, value.data, (int)value.len) == 1 &&
	     EVP_CipherFinal_ex(ctx, data + n, &rest) == 1 &&
	     EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, sizeof(tag), tag) == 1;
	if (ok) {
		buf_put(out, seal->check, KEY_ID_SIZE);
		buf_put(out, nonce, sizeof(nonce));
		buf_put(out, data, (size_t)(n + rest));
		buf_put(out, tag, sizeof(tag));
	} else {
		ERR_clear_error();
	}
	EVP_CIPHER_CTX_free(ctx);
	return ok ? 0 : CMPD_ECRYPTO;
}

int
seal_decrypt(const struct seal *seal, uint64_t id, const char *ref, struct bytes in,
    struct pool *pool, struct bytes *ret_value)
{
	size_t len = in.len - (KEY_ID_SIZE + NONCE_SIZE + TAG_SIZE);
	uint8_t tag[TAG_SIZE], *value;
	const uint8_t *data;
	EVP_CIPHER_CTX *ctx;
	int n = 0, rest = 0, ok;

	if (in.len < KEY_ID_SIZE + NONCE_SIZE + TAG_SIZE || len > VALUE_MAX) {
		return CMPD_ECORRUPT;
	}
	if (memcmp(in.data, seal->check, KEY_ID_SIZE) != 0) {
		return CMPD_EAUTH;
	}
	value = pool_alloc(pool, len + 1);
	if (value == NULL) {
		return CMPD_ENOMEM;
	}
	data = in.data + KEY_ID_SIZE + NONCE_SIZE;
	memcpy(tag, data + len, sizeof(tag));
	ctx = cipher_new(seal, in.data + KEY_ID_SIZE, 0);
	ok = ctx != NULL && bind(ctx, id, ref) &&
	     EVP_CipherUpdate(ctx, value, &n, data, (int)len) == 1 &&
	     EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, sizeof(tag), tag) == 1 &&
	     EVP_CipherFinal_ex(ctx, value + n, &rest) == 1;
	EVP_CIPHER_CTX_free(ctx);
	if (!ok) {
		ERR_clear_error();
		explicit_bzero(value, len);
		return CMPD_ECORRUPT;
	}
	*ret_value = bytes_of(value, len);
	return 0;
}

/* ---- the audit chain ---- */

struct seal_chain {
	const struct seal *seal;
	EVP_MAC_CTX *ctx;
};

struct seal_chain *
seal_chain_new(const struct seal *seal)
{
	struct seal_chain *chain = calloc(1, sizeof(*chain));
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);

	if (chain != NULL && mac != NULL) {
		chain->seal = seal;
		chain->ctx = EVP_MAC_CTX_new(mac);
	}
	if (chain != NULL && chain->ctx == NULL) {
		free(chain);
		chain = NULL;
		ERR_clear_error();
	}
	EVP_MAC_free(mac);
	return chain;
}

void
seal_chain_free(struct seal_chain *chain)
{
	if (chain != NULL) {
		EVP_MAC_CTX_free(chain->ctx);
		free(chain);
	}
}

int
seal_chain_line(struct seal_chain *chain, struct bytes line, const uint8_t previous[DIGEST_SIZE],
    uint8_t ret[DIGEST_SIZE])
{
	char digest[] = "SHA256";
	const OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
	    OSSL_PARAM_construct_end(),
	};
	uint8_t out[DIGEST_SIZE];
	size_t len = 0;

	/* The key is given again each time: without it older versions do not start anew. */
	if (EVP_MAC_init(chain->ctx, chain->seal->audit, SEAL_KEY_SIZE, params) != 1 ||
	    EVP_MAC_update(chain->ctx, line.data, line.len) != 1 ||
	    EVP_MAC_update(chain->ctx, previous, DIGEST_SIZE) != 1 ||
	    EVP_MAC_final(chain->ctx, out, &len, sizeof(out)) != 1 || len != sizeof(out)) {
		ERR_clear_error();
		return CMPD_ECRYPTO;
	}
	memcpy(ret, out, sizeof(out));
	return 0;
}

int
seal_chain_head(struct seal_chain *chain, uint64_t number, const uint8_t last[DIGEST_SIZE],
    uint8_t ret[DIGEST_SIZE])
{
	/* No line begins like this: its first byte is the kind of a record. */
	uint8_t head[] = "head of the chain        ";

	bytes_put_u64(number, head + sizeof(head) - 8);
	return seal_chain_line(chain, bytes_of(head, sizeof(head)), last, ret);
}
