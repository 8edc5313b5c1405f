/*
 * Foreign text made harmless (see protocol.h).
 */
#include "ctl/protocol.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

#define CUT_ROOM 40 /* for the words that say how much was cut */

/* Writes one character (or one bad byte) and returns how many bytes of p it was. */
static size_t
clean_one(const uint8_t *p, size_t left, bool ascii, char out[16], size_t *ret_len)
{
	static const char digits[] = "0123456789ABCDEF";
	uint32_t code = 0;
	size_t len = utf8_decode(bytes_of(p, left), &code);

	if (len > 0 && !utf8_is_harmful(code) && !(ascii && code > 0x7e)) {
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
