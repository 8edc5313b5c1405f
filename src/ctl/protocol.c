/*
 * Frames of the control protocol.
 */
#include "ctl/protocol.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_SIZE 4

/* jansson does not tell the size of what it frees; the allocator knows it. */
static void
json_free_cleansed(void *ptr)
{
	if (ptr) {
		explicit_bzero(ptr, malloc_usable_size(ptr));
		free(ptr);
	}
}

void
ctl_json_setup(void)
{
	json_malloc_t json_malloc;
	json_free_t json_free;

	json_get_alloc_funcs(&json_malloc, &json_free);
	if (json_free != json_free_cleansed) {
		json_set_alloc_funcs(malloc, json_free_cleansed);
	}
}

void
ctl_decoder_init(struct ctl_decoder *decoder, size_t max)
{
	/* One frame that is almost complete, and one full feed more. */
	buf_init(&decoder->buf, 2 * (max + HEADER_SIZE));
	decoder->pos = 0;
	decoder->max = max;
}

void
ctl_decoder_fini(struct ctl_decoder *decoder)
{
	buf_fini(&decoder->buf);
	decoder->pos = 0;
}

/* Forgets the frames that were taken out. */
static void
decoder_compact(struct ctl_decoder *decoder)
{
	struct buf *buf = &decoder->buf;
	size_t left = buf->len - decoder->pos;

	if (decoder->pos == 0) {
		return;
	}
	memmove(buf->data, buf->data + decoder->pos, left);
	explicit_bzero(buf->data + left, buf->len - left);
	buf->len = left;
	decoder->pos = 0;
}

/* Is a frame complete? *ret: its length. */
static int
decoder_frame(const struct ctl_decoder *decoder, size_t *ret)
{
	struct reader reader;
	size_t left = decoder->buf.len - decoder->pos;
	uint32_t len;

	if (buf_error(&decoder->buf) < 0) {
		return buf_error(&decoder->buf);
	}
	if (left < HEADER_SIZE) {
		return CMPD_ENOENT;
	}
	reader_init(&reader, bytes_of(decoder->buf.data + decoder->pos, left));
	len = reader_u32(&reader);
	if (len > decoder->max) {
		return CMPD_ELIMIT;
	}
	if (left - HEADER_SIZE < len) {
		return CMPD_ENOENT;
	}
	*ret = len;
	return 0;
}

int
ctl_decoder_feed(struct ctl_decoder *decoder, struct bytes in)
{
	size_t len;
	int r;

	decoder_compact(decoder);
	buf_put_bytes(&decoder->buf, in);
	r = decoder_frame(decoder, &len);
	return r == CMPD_ENOENT ? 0 : r;
}

int
ctl_decoder_next(struct ctl_decoder *decoder, json_t **ret)
{
	json_t *json;
	const char *text;
	size_t len;
	int r = decoder_frame(decoder, &len);

	if (r < 0) {
		return r;
	}
	text = (const char *)decoder->buf.data + decoder->pos + HEADER_SIZE;
	decoder->pos += HEADER_SIZE + len;
	json = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(json)) {
		json_decref(json);
		return CMPD_EFORMAT;
	}
	*ret = json;
	return 0;
}

static int
put_text(const char *text, size_t len, void *arg)
{
	struct buf *out = arg;

	buf_put(out, text, len);
	return buf_error(out) < 0 ? -1 : 0;
}

int
ctl_frame_put(struct buf *out, const json_t *object)
{
	size_t start = out->len;
	size_t len;
	int r = 0;

	buf_put_u32(out, 0);
	if (json_dump_callback(object, put_text, out, JSON_COMPACT) != 0) {
		r = CMPD_ENOMEM;
	}
	if (buf_error(out) < 0) {
		r = buf_error(out);
	}
	if (r < 0) {
		if (out->len > start) {
			explicit_bzero(out->data + start, out->len - start);
		}
		out->len = start;
		return r;
	}
	len = out->len - start - HEADER_SIZE;
	for (int i = 0; i < HEADER_SIZE; i++) {
		out->data[start + (size_t)i] = (uint8_t)(len >> (8 * (HEADER_SIZE - 1 - i)));
	}
	return 0;
}

json_t *
ctl_request_new(const char *command, json_t *args)
{
	return json_pack("{s:s, s:o}", "command", command, "args", args);
}

json_t *
ctl_answer_ok(json_t *data)
{
	return json_pack("{s:b, s:o}", "ok", 1, "data", data);
}

json_t *
ctl_answer_error(int code, const char *text)
{
	const char *error = cmpd_strerror(code);

	return json_pack("{s:b, s:i, s:s, s:s}", "ok", 0, "code", code, "error", error, "text",
	    text && *text ? text : error);
}
