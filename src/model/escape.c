#include "model/escape.h"

#include <string.h>

#include "base/utf8.h"

#define NOT_A_CHARACTER 0xffffffffu

static void
escape_byte(struct buf *out, uint8_t byte)
{
	static const char digits[] = "0123456789ABCDEF";
	const char text[3] = {'\\', digits[byte >> 4], digits[byte & 15]};

	buf_put(out, text, sizeof(text));
}

static size_t
utf8_encode(uint32_t c, uint8_t out[4])
{
	if (c < 0x80) {
		out[0] = (uint8_t)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (uint8_t)(0xc0 | c >> 6);
		out[1] = (uint8_t)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (uint8_t)(0xe0 | c >> 12);
		out[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
		out[2] = (uint8_t)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (uint8_t)(0xf0 | c >> 18);
	out[1] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
	out[2] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
	out[3] = (uint8_t)(0x80 | (c & 0x3f));
	return 4;
}

static void
escape_character(struct buf *out, uint32_t c, const char *specials)
{
	uint8_t utf8[4];
	size_t n = utf8_encode(c, utf8);

	if (utf8_is_harmful(c)) {
		for (size_t i = 0; i < n; i++) {
			escape_byte(out, utf8[i]);
		}
		return;
	}
	if (c < 0x80 && (c == '\\' || strchr(specials, (int)c) != NULL)) {
		buf_put_u8(out, '\\');
	}
	buf_put(out, utf8, n);
}

void
escape_utf8(struct buf *out, struct bytes in, const char *specials)
{
	for (size_t i = 0, n; i < in.len; i += n) {
		uint32_t c;

		n = utf8_decode(bytes_of(in.data + i, in.len - i), &c);
		if (n == 0) {
			escape_byte(out, in.data[i]);
			n = 1;
		} else {
			escape_character(out, c, specials);
		}
	}
}

void
escape_ascii(struct buf *out, struct bytes in, const char *specials)
{
	for (size_t i = 0; i < in.len; i++) {
		if (in.data[i] >= 0x80) {
			escape_byte(out, in.data[i]);
		} else {
			escape_character(out, in.data[i], specials);
		}
	}
}

void
escape_latin1(struct buf *out, struct bytes in, const char *specials)
{
	for (size_t i = 0; i < in.len; i++) {
		escape_character(out, in.data[i], specials);
	}
}

static uint32_t
wide_unit(const uint8_t *p, size_t width)
{
	uint32_t c = 0;

	for (size_t i = 0; i < width; i++) {
		c = c << 8 | p[i];
	}
	return c;
}

/* A surrogate pair in a BMPString is no BMP character, but it is what some systems write. */
static uint32_t
wide_pair(const uint8_t *p, size_t len)
{
	uint32_t high, low;

	if (len < 4) {
		return NOT_A_CHARACTER;
	}
	high = wide_unit(p, 2);
	low = wide_unit(p + 2, 2);
	if (high < 0xd800 || high > 0xdbff || low < 0xdc00 || low > 0xdfff) {
		return NOT_A_CHARACTER;
	}
	return 0x10000 + ((high - 0xd800) << 10 | (low - 0xdc00));
}

void
escape_wide(struct buf *out, struct bytes in, size_t width, const char *specials)
{
	size_t i = 0;

	while (in.len - i >= width) {
		uint32_t c = wide_unit(in.data + i, width);
		uint32_t pair = width == 2 ? wide_pair(in.data + i, in.len - i) : NOT_A_CHARACTER;

		if (pair != NOT_A_CHARACTER) {
			escape_character(out, pair, specials);
			i += 4;
			continue;
		}
		if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) {
			for (size_t k = 0; k < width; k++) {
				escape_byte(out, in.data[i + k]);
			}
		} else {
			escape_character(out, c, specials);
		}
		i += width;
	}
	for (; i < in.len; i++) {
		escape_byte(out, in.data[i]);
	}
}

static int
hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
is_alphanumeric(uint8_t c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

int
unescape(struct buf *out, struct bytes in)
{
	for (size_t i = 0; i < in.len; i++) {
		int high, low;

		if (in.data[i] != '\\') {
			buf_put_u8(out, in.data[i]);
			continue;
		}
		if (++i == in.len) {
			return CMPD_EFORMAT;
		}
		if (!is_alphanumeric(in.data[i])) {
			buf_put_u8(out, in.data[i]);
			continue;
		}
		high = hex_value(in.data[i]);
		low = i + 1 < in.len ? hex_value(in.data[i + 1]) : -1;
		if (high < 0 || low < 0) {
			return CMPD_EFORMAT;
		}
		buf_put_u8(out, (uint8_t)(high << 4 | low));
		i++;
	}
	return buf_error(out);
}
