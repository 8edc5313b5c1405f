/*
 * Foreign text made harmless: what comes out is valid UTF-8 on one line and
 * disturbs no terminal. Characters that base/utf8.h calls harmful and
 * bytes that do not decode become \XX per byte, a backslash becomes "\\", and
 * each character of specials (ASCII) gets a backslash before it. Errors stick to the buf.
 */
#pragma once

#include "base/buf.h"

void escape_utf8(struct buf *out, struct bytes in, const char *specials);
/* Bytes from 0x80 on are escaped. */
void escape_ascii(struct buf *out, struct bytes in, const char *specials);
void escape_latin1(struct buf *out, struct bytes in, const char *specials);
/* Big-endian characters of 2 bytes (BMPString, surrogate pairs understood) or 4 (UniversalString). */
void escape_wide(struct buf *out, struct bytes in, size_t width, const char *specials);

/* Takes the escapes away: \XX is a byte, a backslash before anything but a letter, digit or the end is
 * that character. CMPD_EFORMAT. */
int unescape(struct buf *out, struct bytes in) CMPD_MUST_CHECK;
