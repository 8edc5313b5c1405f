/*
 * A pool: memory of one request, freed all at once.
 *
 * Whatever a function returns "in pool" lives until pool_free or pool_reset
 * and is freed by nobody else. All memory is overwritten with zeros before it
 * is given back, so secrets may lie in it. Not thread-safe: one owner at a time.
 */
#pragma once

#include "base/bytes.h"

struct pool;

/* limit: bytes in all, each allocation rounded up to 16; one past it fails. NULL when out of memory. */
struct pool *pool_new(size_t limit);
void pool_free(struct pool *pool);
/* Forgets all allocations but keeps one chunk for the next request. */
void pool_reset(struct pool *pool);

/* Aligned for any type, zeroed. NULL: out of memory or over the limit. */
void *pool_alloc(struct pool *pool, size_t size);
/* Copies; the NUL behind the bytes is not counted. NULL as above. */
char *pool_strdup(struct pool *pool, const char *string);
char *pool_strndup(struct pool *pool, const void *data, size_t len);
char *pool_printf(struct pool *pool, const char *format, ...) CMPD_PRINTF(2, 3);
/* A copy; BYTES_NONE when out of memory (or when in is BYTES_NONE). */
struct bytes pool_bytes(struct pool *pool, struct bytes in);
