#include "base/pool.h"

#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_SIZE 16384
#define ALIGNMENT  alignof(max_align_t)

struct chunk {
	struct chunk *next;
	size_t size;
	size_t used;
	alignas(max_align_t) uint8_t data[];
};

/* All memory behind used is zero, always. */
struct pool {
	struct chunk *chunks; /* the head is the one being filled */
	size_t limit;
	size_t total; /* never more than limit */
};

static size_t
round_up(size_t size)
{
	return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static struct chunk *
chunk_new(size_t size)
{
	struct chunk *chunk = calloc(1, sizeof(*chunk) + size);

	if (chunk != NULL) {
		chunk->size = size;
	}
	return chunk;
}

static void
chunk_free(struct chunk *chunk)
{
	explicit_bzero(chunk->data, chunk->used);
	free(chunk);
}

struct pool *
pool_new(size_t limit)
{
	struct pool *pool = calloc(1, sizeof(*pool));

	if (pool != NULL) {
		pool->limit = limit > SIZE_MAX / 2 ? SIZE_MAX / 2 : round_up(limit);
	}
	return pool;
}

void
pool_free(struct pool *pool)
{
	if (pool == NULL) {
		return;
	}
	while (pool->chunks != NULL) {
		struct chunk *chunk = pool->chunks;

		pool->chunks = chunk->next;
		chunk_free(chunk);
	}
	free(pool);
}

void
pool_reset(struct pool *pool)
{
	struct chunk *kept = NULL;

	while (pool->chunks != NULL) {
		struct chunk *chunk = pool->chunks;

		pool->chunks = chunk->next;
		if (kept == NULL && chunk->size == CHUNK_SIZE) {
			explicit_bzero(chunk->data, chunk->used);
			chunk->used = 0;
			chunk->next = NULL;
			kept = chunk;
		} else {
			chunk_free(chunk);
		}
	}
	pool->chunks = kept;
	pool->total = 0;
}

/* A big thing gets a chunk of its own behind the head, which goes on being filled. */
static struct chunk *
add_chunk(struct pool *pool, size_t size)
{
	struct chunk *chunk = chunk_new(size > CHUNK_SIZE ? size : CHUNK_SIZE);

	if (chunk == NULL) {
		return NULL;
	}
	if (size > CHUNK_SIZE / 2 && pool->chunks != NULL) {
		chunk->next = pool->chunks->next;
		pool->chunks->next = chunk;
	} else {
		chunk->next = pool->chunks;
		pool->chunks = chunk;
	}
	return chunk;
}

void *
pool_alloc(struct pool *pool, size_t size)
{
	struct chunk *chunk = pool->chunks;
	void *out;

	if (size > pool->limit) {
		return NULL;
	}
	size = round_up(size == 0 ? 1 : size);
	if (size > pool->limit - pool->total) {
		return NULL;
	}
	if (chunk == NULL || size > chunk->size - chunk->used) {
		chunk = add_chunk(pool, size);
	}
	if (chunk == NULL) {
		return NULL;
	}
	out = chunk->data + chunk->used;
	chunk->used += size;
	pool->total += size;
	return out;
}

char *
pool_strdup(struct pool *pool, const char *string)
{
	return pool_strndup(pool, string, strlen(string));
}

char *
pool_strndup(struct pool *pool, const void *data, size_t len)
{
	char *out = len == SIZE_MAX ? NULL : pool_alloc(pool, len + 1);

	if (out != NULL && len > 0) {
		memcpy(out, data, len);
	}
	return out;
}

char *
pool_printf(struct pool *pool, const char *format, ...)
{
	va_list args;
	char *out;
	int n;

	va_start(args, format);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (n < 0) {
		return NULL;
	}
	out = pool_alloc(pool, (size_t)n + 1);
	if (out != NULL) {
		va_start(args, format);
		vsnprintf(out, (size_t)n + 1, format, args);
		va_end(args);
	}
	return out;
}

struct bytes
pool_bytes(struct pool *pool, struct bytes in)
{
	char *out = in.data == NULL ? NULL : pool_strndup(pool, in.data, in.len);

	return out == NULL ? BYTES_NONE : bytes_of(out, in.len);
}
