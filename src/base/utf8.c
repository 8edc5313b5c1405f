#include "base/utf8.h"

/* Sorted. */
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
    {0xfffe, 0xffff}, /* no characters */
    {0x1d173, 0x1d17a}, /* musical formatting */
    {0xe0000, 0x10ffff}, /* tags, selectors, private use */
};

bool
utf8_is_harmful(uint32_t c)
{
	for (size_t i = 0; i < sizeof(harmful) / sizeof(harmful[0]); i++) {
		if (c <= harmful[i].last) {
			return c >= harmful[i].first;
		}
	}
	return true;
}

size_t
utf8_decode(struct bytes in, uint32_t *ret)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const uint8_t *p = in.data;
	size_t n;
	uint32_t c;

	if (in.len == 0) {
		return 0;
	}
	if (p[0] < 0x80) {
		*ret = p[0];
		return 1;
	}
	n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	if (p[0] < 0xc2 || p[0] > 0xf4 || n > in.len) {
		return 0;
	}
	c = p[0] & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80) {
			return 0;
		}
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) {
		return 0;
	}
	*ret = c;
	return n;
}

bool
utf8_valid(struct bytes in)
{
	for (size_t i = 0, n; i < in.len; i += n) {
		uint32_t c;

		n = utf8_decode(bytes_of(in.data + i, in.len - i), &c);
		if (n == 0) {
			return false;
		}
	}
	return true;
}
