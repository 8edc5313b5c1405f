/*
 * UTF-8 as everybody here reads it: nothing overlong, no surrogates, nothing past U+10FFFF.
 */
#pragma once

#include "base/bytes.h"

/* The length of the character that in begins with, and *ret; 0: its first byte begins none, or in is empty. */
size_t utf8_decode(struct bytes in, uint32_t *ret);
bool utf8_valid(struct bytes in);
/* Characters that steer a terminal, reorder or hide text, or may look like anything; also what is none at all. */
bool utf8_is_harmful(uint32_t c);
