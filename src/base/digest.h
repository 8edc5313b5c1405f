/*
 * SHA-256 and random bytes. Any thread (each keeps its own context).
 */
#pragma once

#include "base/bytes.h"

#define DIGEST_SIZE 32

/* Fails only when libcrypto does (CMPD_ECRYPTO). */
int digest_sha256(struct bytes in, uint8_t ret[DIGEST_SIZE]) CMPD_MUST_CHECK;
/* Frees what the calling thread kept; to be called before it ends, and before
 * a library context that was its default is freed. */
void digest_thread_fini(void);

/* From the kernel (getrandom); cannot fail after start-up. */
void random_bytes(void *out, size_t len);
