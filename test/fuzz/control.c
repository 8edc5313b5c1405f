/*
 * Control frames as they come from a socket: cut into pieces whose sizes the input chooses, decoded on both sides' limits,
 * and whatever is an object goes out and in again.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/protocol.h"

static void
round_trip(const json_t *object)
{
	struct ctl_decoder decoder;
	struct buf out;
	json_t *again = NULL;

	buf_init(&out, CTL_ANSWER_MAX);
	ctl_decoder_init(&decoder, CTL_ANSWER_MAX);
	if (ctl_frame_put(&out, object) == 0) {
		int r = ctl_decoder_feed(&decoder, buf_get0(&out));

		assert(r == 0);
		r = ctl_decoder_next(&decoder, &again);
		assert(r == 0 && json_equal(object, again));
	}
	json_decref(again);
	ctl_decoder_fini(&decoder);
	buf_fini(&out);
}

static void
clean_twice(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	char *once, *twice;

	assert(text);
	memcpy(text, data, size);
	text[size] = '\0';
	once = ctl_text_clean(text, data[0] & 1, SIZE_MAX / 4);
	twice = ctl_text_clean(once, data[0] & 1, SIZE_MAX / 4);
	assert(once && twice && strcmp(once, twice) == 0);
	free(twice);
	free(once);
	once = ctl_text_clean(text, false, 64);
	assert(once && strlen(once) <= 64);
	free(once);
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ctl_decoder decoder;
	size_t step, pos = 1;
	int r = 0;

	if (size < 1) {
		return 0;
	}
	ctl_json_setup();
	step = data[0] ? data[0] : 256;
	ctl_decoder_init(&decoder, 1024);
	while (pos < size && r == 0) {
		size_t n = size - pos < step ? size - pos : step;

		r = ctl_decoder_feed(&decoder, bytes_of(data + pos, n));
		pos += n;
		while (r == 0) {
			json_t *object = NULL;

			r = ctl_decoder_next(&decoder, &object);
			if (r == 0) {
				round_trip(object);
			}
			json_decref(object);
			r = r == CMPD_EFORMAT ? 0 : r;
		}
		r = r == CMPD_ENOENT ? 0 : r;
	}
	ctl_decoder_fini(&decoder);
	clean_twice(data, size);
	return 0;
}
