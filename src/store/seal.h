/*
 * What the store key is for: secrets are encrypted at rest, audit lines are chained, and another key is
 * noticed at once. The key itself is never used: each purpose has one of its own, made from it by HKDF.
 * Any thread; libcrypto's error queue is left empty.
 */
#pragma once

#include "base/buf.h"
#include "base/digest.h"
#include "base/pool.h"

#define SEAL_KEY_SIZE	32
#define SEAL_CHECK_SIZE 16

struct seal {
	uint8_t secrets[SEAL_KEY_SIZE]; /* AES-256-GCM */
	uint8_t audit[SEAL_KEY_SIZE]; /* HMAC-SHA-256 */
	uint8_t check[SEAL_CHECK_SIZE]; /* may be known; its first bytes are the key's id */
};

/* CMPD_ENOENT: no such file; CMPD_EACCES: others may read it, or we may not; CMPD_EFORMAT: not 32 bytes; CMPD_EIO. */
int seal_read_key(const char *file, uint8_t ret_key[SEAL_KEY_SIZE],
    struct diag *diag) CMPD_MUST_CHECK;

/* CMPD_ECRYPTO. */
int seal_init(struct seal *seal, const uint8_t key[SEAL_KEY_SIZE]) CMPD_MUST_CHECK;
void seal_fini(struct seal *seal);

/* Appends the encrypted value, bound to id and reference. CMPD_ECRYPTO, CMPD_EINVAL: too long; out's own error
 * is left for buf_error. */
int seal_encrypt(const struct seal *seal, uint64_t id, const char *ref, struct bytes value,
    struct buf *out) CMPD_MUST_CHECK;
/* CMPD_ECORRUPT: not made by seal_encrypt for this id and reference; CMPD_EAUTH: with another key. */
int seal_decrypt(const struct seal *seal, uint64_t id, const char *ref, struct bytes in,
    struct pool *pool, struct bytes *ret_value) CMPD_MUST_CHECK;

/* The chain: HMAC over a line and the HMAC of the line before it (the first: zeros). One thread at a time. */
struct seal_chain;
struct seal_chain *seal_chain_new(const struct seal *seal); /* NULL: memory or libcrypto */
void seal_chain_free(struct seal_chain *chain);
int seal_chain_line(struct seal_chain *chain, struct bytes line,
    const uint8_t previous[DIGEST_SIZE], uint8_t ret[DIGEST_SIZE]) CMPD_MUST_CHECK;
/* The same for its end: the number and the HMAC of the last line. */
int seal_chain_head(struct seal_chain *chain, uint64_t number, const uint8_t last[DIGEST_SIZE],
    uint8_t ret[DIGEST_SIZE]) CMPD_MUST_CHECK;
