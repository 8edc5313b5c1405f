/*
 * A mutator for libFuzzer that knows DER: it changes one element, wherever it is nested, and makes the lengths around it right, so that
 * most of what it makes still decodes. A target that is linked with it says where in its input DER begins.
 */
#pragma once

#include <stddef.h>

extern const size_t fuzz_der_at;
