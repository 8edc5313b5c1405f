#include "base/bytes.h"

#include <string.h>

struct bytes
bytes_str(const char *string)
{
	return string == NULL ? BYTES_NONE : bytes_of(string, strlen(string));
}

bool
bytes_equal(struct bytes a, struct bytes b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool
bytes_equal_secret(struct bytes a, struct bytes b)
{
	const volatile uint8_t *pa = a.data, *pb = b.data;
	uint8_t diff = 0;

	if (a.len != b.len) {
		return false;
	}
	for (size_t i = 0; i < a.len; i++) {
		diff |= pa[i] ^ pb[i];
	}
	return diff == 0;
}

int
bytes_compare(struct bytes a, struct bytes b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int cmp = len == 0 ? 0 : memcmp(a.data, b.data, len);

	return cmp != 0 ? cmp : (a.len > b.len) - (a.len < b.len);
}

void
bytes_put_u64(uint64_t number, uint8_t out[8])
{
	for (int i = 7; i >= 0; i--) {
		out[i] = (uint8_t)number;
		number >>= 8;
	}
}

uint64_t
bytes_get_u64(const uint8_t in[8])
{
	uint64_t number = 0;

	for (int i = 0; i < 8; i++) {
		number = number << 8 | in[i];
	}
	return number;
}

char *
hex_encode(struct bytes in, char *out, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	size_t len = in.len;

	if (size == 0) {
		return out;
	}
	if (len > (size - 1) / 2) {
		len = (size - 1) / 2;
	}
	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[in.data[i] >> 4];
		out[2 * i + 1] = digits[in.data[i] & 15];
	}
	out[2 * len] = '\0';
	return out;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	if (c >= 'a' && c <= 'f') {
		return c - 'a' + 10;
	}
	if (c >= 'A' && c <= 'F') {
		return c - 'A' + 10;
	}
	return -1;
}

int
hex_decode(const char *in, uint8_t *out, size_t size, size_t *ret_len)
{
	size_t len = strlen(in);

	if (len % 2 != 0 || strspn(in, "0123456789abcdefABCDEF") != len) {
		return CMPD_EFORMAT;
	}
	if (len / 2 > size) {
		return CMPD_ELIMIT;
	}
	for (size_t i = 0; i < len / 2; i++) {
		out[i] = (uint8_t)(hex_digit(in[2 * i]) << 4 | hex_digit(in[2 * i + 1]));
	}
	*ret_len = len / 2;
	return 0;
}
