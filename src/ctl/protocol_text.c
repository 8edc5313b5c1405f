/*
 * Foreign text made harmless (see protocol.h).
 */
#include "ctl/protocol.h"

#include <stdlib.h>
#include <string.h>

#define CUT_ROOM 40 /* for the words that say how much was cut */

/* Sorted. What a terminal or a reader's eye could be deceived with. */
static const struct {
	uint32_t first, last;
} harmful[] = {
    {0x0000, 0x001f}, /* C0 */
    {0x007f, 0x009f}, /* DEL, C1 */
    {0x00ad, 0x00ad}, /* soft hyphen */
    {0x034f, 0x034f}, /* combining grapheme joiner */
    {0x061c, 0x061c}, /* Arabic letter mark */
    {0x115f, 0x1160}, /* Hangul fillers */
    {0x17b4, 0x17b5}, /* invisible Khmer vowels */
    {0x180b, 0x180f}, /* Mongolian selectors and separator */
    {0x200b, 0x200f}, /* zero width, direction marks */
    {0x2028, 0x202e}, /* line separators, direction embedding and override */
    {0x2060, 0x206f}, /* invisible operators, direction isolates */
    {0x3164, 0x3164}, /* Hangul filler */
    {0xd800, 0xdfff}, /* surrogates */
    {0xe000, 0xf8ff}, /* private use: looks like anything */
    {0xfdd0, 0xfdef}, /* no characters */
    {0xfe00, 0xfe0f}, /* variation selectors */
    {0xfeff, 0xfeff}, /* byte order mark */
    {0xffa0, 0xffa0}, /* half-width Hangul filler */
    {0xfff0, 0xfffb}, /* specials, annotations */
    {0xfffe, 0xffff}, {0x1d173, 0x1d17a}, /* musical formatting */
    {0xe0000, 0x10ffff}, /* tags, selectors, private use */
};

bool
ctl_text_is_harmful(uint32_t code_point)
{
	for (size_t i = 0; i < sizeof(harmful) / sizeof(harmful[0]); i++) {
		if (code_point <= harmful[i].last) {
			return code_point >= harmful[i].first;
		}
	}
	return true;
}

/* Length of the well-formed UTF-8 sequence at p (Unicode, table 3-7), 0: none. *ret: what it says. */
static size_t
utf8_decode(const uint8_t *p, size_t left, uint32_t *ret)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t code;
	size_t len;

	if (p[0] < 0x80) {
		*ret = p[0];
		return 1;
	}
	len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	if (p[0] < 0xc2 || p[0] > 0xf4 || left < len) {
		return 0;
	}
	code = p[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80) {
			return 0;
		}
		code = code << 6 | (p[i] & 0x3fu);
	}
	if (code < smallest[len] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
		return 0;
	}
	*ret = code;
	return len;
}

/* Writes one character (or one bad byte) and returns how many bytes of p it was. */
static size_t
clean_one(const uint8_t *p, size_t left, bool ascii, char out[16], size_t *ret_len)
{
	static const char digits[] = "0123456789ABCDEF";
	uint32_t code = 0;
	size_t len = utf8_decode(p, left, &code);

	if (len > 0 && !ctl_text_is_harmful(code) && !(ascii && code > 0x7e)) {
		memcpy(out, p, len);
		*ret_len = len;
		return len;
	}
	len = len > 0 ? len : 1;
	for (size_t i = 0; i < len; i++) {
		out[3 * i] = '\\';
		out[3 * i + 1] = digits[p[i] >> 4];
		out[3 * i + 2] = digits[p[i] & 15];
	}
	*ret_len = 3 * len;
	return len;
}

/* Length of the result; out may be NULL. Stops before limit bytes are passed; *ret_used: bytes of text that went in. */
static size_t
clean(const char *text, size_t size, bool ascii, size_t limit, char *out, size_t *ret_used)
{
	const uint8_t *p = (const uint8_t *)text;
	size_t used = 0;
	size_t len = 0;

	while (used < size) {
		char piece[16];
		size_t piece_len;
		size_t n = clean_one(p + used, size - used, ascii, piece, &piece_len);

		if (piece_len > limit - len) {
			break;
		}
		if (out) {
			memcpy(out + len, piece, piece_len);
		}
		len += piece_len;
		used += n;
	}
	*ret_used = used;
	return len;
}

char *
ctl_text_clean(const char *text, bool ascii, size_t max)
{
	char *out = NULL;
	size_t size, len, used;

	if (!text) {
		return NULL;
	}
	size = strlen(text);
	len = clean(text, size, ascii, max, NULL, &used);
	if (used < size) {
		len = clean(text, size, ascii, max - CUT_ROOM, NULL, &used);
	}
	out = malloc(len + CUT_ROOM + 1);
	if (!out) {
		return NULL;
	}
	(void)clean(text, size, ascii, len, out, &used);
	out[len] = '\0';
	if (used < size) {
		(void)snprintf(out + len, CUT_ROOM + 1, "...(%zu bytes more)", size - used);
	}
	return out;
}
