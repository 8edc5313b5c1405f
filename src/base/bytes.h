/*
 * Byte strings by reference, hex, and constant-time comparison.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct pool;

/* Borrowed: whoever made it says how long data lives. Absent: data == NULL. */
struct bytes {
	const uint8_t *data;
	size_t len;
};

#define BYTES_NONE ((struct bytes){NULL, 0})

static inline struct bytes
bytes_of(const void *data, size_t len)
{
	return (struct bytes){(const uint8_t *)data, len};
}

/* The characters of a string without its NUL; NULL gives BYTES_NONE. */
struct bytes bytes_str(const char *string);

bool bytes_equal(struct bytes a, struct bytes b);
/* Takes the same time whatever the contents are (lengths are not secret). */
bool bytes_equal_secret(struct bytes a, struct bytes b);
/* memcmp order, a shorter prefix first. */
int bytes_compare(struct bytes a, struct bytes b);

/* Big-endian, so that bytes sort as numbers do. */
void bytes_put_u64(uint64_t number, uint8_t out[8]);
uint64_t bytes_get_u64(const uint8_t in[8]);

/* Lower-case hex, NUL-terminated, cut so that it fits into size bytes; returns out. */
char *hex_encode(struct bytes in, char *out, size_t size);
/* Even number of hex digits of either case, else CMPD_EFORMAT; more than size bytes: CMPD_ELIMIT. */
int hex_decode(const char *in, uint8_t *out, size_t size, size_t *ret_len) CMPD_MUST_CHECK;
