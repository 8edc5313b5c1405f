/* Arbitrary bytes as a Name, as Extensions and as a key: nothing but an error or harmless text. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "base/utf8.h"
#include "model/name.h"
#include "model/spki.h"

static void
must_be_harmless(const char *text)
{
	for (const char *p = text; *p != '\0'; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f) {
			abort();
		}
	}
	if (!utf8_valid(bytes_str(text))) {
		abort();
	}
}

/* Text cannot say everything (which kind of string #1e... was, bytes that are no UTF-8), so the first way round may change the
 * DER or be refused; what came back once stays the same from then on. */
static void
name_round_trip(struct pool *pool, const char *text)
{
	struct bytes given, first, second;

	if (name_from_text(pool, text, &given) < 0) {
		return;
	}
	if (name_to_text(pool, given, &text) < 0) {
		abort();
	}
	if (name_from_text(pool, text, &first) < 0) {
		return;
	}
	if (name_to_text(pool, first, &text) < 0 || name_from_text(pool, text, &second) < 0 ||
	    !bytes_equal(first, second)) {
		abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pool *pool = pool_new(1 << 20);
	struct bytes in = bytes_of(data, size), out;
	struct spki spki;
	const char *text, **sans;

	if (pool == NULL || size == 0) {
		pool_free(pool);
		return 0;
	}
	if (name_to_text(pool, in, &text) == 0) {
		must_be_harmless(text);
		name_round_trip(pool, text);
		(void)name_equal(in, in);
	}
	if (name_sans_to_text(pool, in, &sans) == 0) {
		for (size_t i = 0; sans[i] != NULL; i++) {
			must_be_harmless(sans[i]);
		}
		if (name_sans_replace(pool, in, (const char *const *)sans, true, &out) == 0 &&
		    out.data != NULL && name_sans_to_text(pool, out, &sans) != 0) {
			abort();
		}
	}
	if (spki_parse(in, &spki, NULL) == 0 && spki.key.len == 0) {
		abort();
	}
	text = pool_strndup(pool, data, size);
	if (text != NULL) {
		name_round_trip(pool, text);
	}
	pool_free(pool);
	return 0;
}
