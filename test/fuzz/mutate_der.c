#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "model/der.h"
#include "mutate_der.h"

#define DEPTH_MAX 32
#define VALUE_MAX 4096 /* longer ones are cut before they are mutated */

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

/* An element and, in front of it, those it is nested in: each as its place in the one before. */
struct path {
	size_t depth;
	struct {
		struct bytes before, behind; /* siblings, and all that is around */
		struct der element;
		uint8_t unused; /* of a BIT STRING that holds DER: its first byte */
		bool is_bits;
	} at[DEPTH_MAX];
};

static uint64_t state;

static size_t
dice(size_t n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return n > 0 ? (size_t)(state >> 33) % n : 0;
}

/* What may hold elements: constructed ones, and strings with DER in them. */
static struct bytes
inside(const struct der *element, bool *ret_is_bits)
{
	struct bytes content = element->value;
	struct der first;
	struct bytes rest;

	*ret_is_bits = element->tag == DER_BIT_STRING;
	if (*ret_is_bits && content.len > 0) {
		content = bytes_of(content.data + 1, content.len - 1);
	} else if (!(element->tag & 0x20) && element->tag != DER_OCTET_STRING) {
		return BYTES_NONE;
	}
	rest = content;
	return der_next(&rest, &first) == 0 ? content : BYTES_NONE;
}

static size_t
count(struct bytes in)
{
	struct der element;
	size_t n = 0;

	while (in.len > 0 && der_next(&in, &element) == 0) {
		n++;
	}
	return n;
}

/* Any element, found by going down until the dice stop. False: there is none. */
static bool
choose(struct bytes in, struct path *path)
{
	bool is_bits = false;

	path->depth = 0;
	while (path->depth < DEPTH_MAX) {
		size_t n = count(in), skip = dice(n);
		struct bytes rest = in, content;
		struct der element;

		if (n == 0) {
			break;
		}
		do {
			path->at[path->depth].before =
			    bytes_of(in.data, (size_t)(rest.data - in.data));
			if (der_next(&rest, &element) != 0) {
				return false;
			}
		} while (skip-- > 0);
		path->at[path->depth].behind = rest;
		path->at[path->depth].element = element;
		content = inside(&element, &is_bits);
		path->at[path->depth].is_bits = is_bits && content.data;
		path->at[path->depth].unused = element.value.len ? element.value.data[0] : 0;
		path->depth++;
		if (!content.data || dice(5) == 0) {
			break;
		}
		in = content;
	}
	return path->depth > 0;
}

/* The changed element alone, or nothing in its place, or more. */
static void
change(const struct path *path, const struct path *other, struct buf *out)
{
	static const uint8_t tags[] = {DER_BOOLEAN, DER_INTEGER, DER_BIT_STRING, DER_OCTET_STRING,
	    DER_NULL, DER_OID, DER_UTF8_STRING, DER_BMP_STRING, DER_GENERALIZED_TIME, DER_UTC_TIME,
	    DER_SEQUENCE, DER_SET, DER_PRIMITIVE(0), DER_PRIMITIVE(1), DER_PRIMITIVE(2),
	    DER_CONSTRUCTED(0), DER_CONSTRUCTED(1), DER_CONSTRUCTED(2), DER_CONSTRUCTED(4)};
	const struct der *element = &path->at[path->depth - 1].element;
	const struct der *another = &other->at[other->depth - 1].element;
	uint8_t value[VALUE_MAX];
	size_t len = element->value.len < VALUE_MAX / 2 ? element->value.len : VALUE_MAX / 2;

	switch (dice(10)) {
	case 0:
		break;
	case 1:
		buf_put_bytes(out, element->whole);
		buf_put_bytes(out, element->whole);
		break;
	case 2:
		buf_put_bytes(out, another->whole);
		break;
	case 3:
		buf_put_bytes(out, element->whole);
		buf_put_bytes(out, another->whole);
		break;
	case 4:
		der_put(out, tags[dice(sizeof(tags))], element->value);
		break;
	case 5:
		der_put(out, element->tag, another->value);
		break;
	default:
		if (len > 0) {
			memcpy(value, element->value.data, len);
		}
		len = LLVMFuzzerMutate(value, len, sizeof(value));
		der_put(out, element->tag, bytes_of(value, len));
	}
}

/* What is in *inner in place of the element, with all that is around. */
static void
wrap(const struct path *path, struct buf *inner)
{
	struct buf outer;

	for (size_t i = path->depth; i-- > 0;) {
		const struct der *parent = i > 0 ? &path->at[i - 1].element : NULL;
		size_t mark = 0;

		buf_init(&outer, 1 << 22);
		if (parent) {
			mark = der_begin(&outer, parent->tag);
		}
		if (parent && path->at[i - 1].is_bits) {
			buf_put_u8(&outer, path->at[i - 1].unused);
		}
		buf_put_bytes(&outer, path->at[i].before);
		buf_put_bytes(&outer, buf_get0(inner));
		buf_put_bytes(&outer, path->at[i].behind);
		if (parent) {
			der_end(&outer, mark);
		}
		buf_fini(inner);
		*inner = outer;
	}
}

size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	struct bytes in =
	    size > fuzz_der_at ? bytes_of(data + fuzz_der_at, size - fuzz_der_at) : BYTES_NONE;
	struct path path, other;
	struct buf out;

	state = seed;
	if (dice(6) == 0 || !choose(in, &path) || !choose(in, &other)) {
		return LLVMFuzzerMutate(data, size, max_size);
	}
	buf_init(&out, 1 << 22);
	change(&path, &other, &out);
	wrap(&path, &out);
	if (buf_error(&out) == 0 && out.len <= max_size - fuzz_der_at) {
		if (out.len > 0) {
			memcpy(data + fuzz_der_at, out.data, out.len);
		}
		size = fuzz_der_at + out.len;
	}
	buf_fini(&out);
	return size;
}
