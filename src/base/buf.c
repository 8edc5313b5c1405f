#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

/* The length that stands for an absent string. */
#define ABSENT UINT32_MAX

void
buf_init(struct buf *buf, size_t limit)
{
	*buf = (struct buf){.limit = limit};
}

void
buf_fini(struct buf *buf)
{
	if (buf->data != NULL) {
		explicit_bzero(buf->data, buf->len);
		free(buf->data);
	}
	buf_init(buf, buf->limit);
}

/* Not realloc: it would leave a copy of what may be secret. */
static int
grow(struct buf *buf, size_t need)
{
	size_t size = buf->size < 256 ? 256 : buf->size;
	uint8_t *data;

	while (size < need) {
		size = size > SIZE_MAX / 2 ? need : size * 2;
	}
	if (size > buf->limit) {
		size = buf->limit;
	}
	data = malloc(size);
	if (data == NULL) {
		return CMPD_ENOMEM;
	}
	if (buf->data != NULL) {
		memcpy(data, buf->data, buf->len);
		explicit_bzero(buf->data, buf->len);
		free(buf->data);
	}
	buf->data = data;
	buf->size = size;
	return 0;
}

void
buf_put(struct buf *buf, const void *data, size_t len)
{
	if (buf->error != 0 || len == 0) {
		return;
	}
	if (len > buf->limit - buf->len) {
		buf->error = CMPD_ELIMIT;
		return;
	}
	if (len > buf->size - buf->len) {
		buf->error = grow(buf, buf->len + len);
	}
	if (buf->error == 0) {
		memcpy(buf->data + buf->len, data, len);
		buf->len += len;
	}
}

void
buf_put_bytes(struct buf *buf, struct bytes in)
{
	buf_put(buf, in.data, in.len);
}

void
buf_put_hex(struct buf *buf, struct bytes in)
{
	char digits[3];

	for (size_t i = 0; i < in.len; i++) {
		buf_put(buf, hex_encode(bytes_of(in.data + i, 1), digits, sizeof(digits)), 2);
	}
}

static void
put_number(struct buf *buf, uint64_t v, size_t size)
{
	uint8_t out[8];

	for (size_t i = size; i > 0; i--) {
		out[i - 1] = (uint8_t)v;
		v >>= 8;
	}
	buf_put(buf, out, size);
}

void
buf_put_u8(struct buf *buf, uint8_t v)
{
	put_number(buf, v, 1);
}

void
buf_put_u16(struct buf *buf, uint16_t v)
{
	put_number(buf, v, 2);
}

void
buf_put_u32(struct buf *buf, uint32_t v)
{
	put_number(buf, v, 4);
}

void
buf_put_u64(struct buf *buf, uint64_t v)
{
	put_number(buf, v, 8);
}

void
buf_put_string(struct buf *buf, struct bytes in)
{
	if (in.data == NULL) {
		buf_put_u32(buf, ABSENT);
		return;
	}
	if (in.len >= ABSENT) {
		if (buf->error == 0) {
			buf->error = CMPD_ELIMIT;
		}
		return;
	}
	buf_put_u32(buf, (uint32_t)in.len);
	buf_put_bytes(buf, in);
}

int
buf_error(const struct buf *buf)
{
	return buf->error;
}

struct bytes
buf_get0(const struct buf *buf)
{
	return bytes_of(buf->data, buf->len);
}

void
reader_init(struct reader *reader, struct bytes in)
{
	static const uint8_t nothing[1];

	reader->pos = in.data == NULL ? nothing : in.data;
	reader->end = reader->pos + (in.data == NULL ? 0 : in.len);
	reader->error = 0;
}

struct bytes
reader_take(struct reader *reader, size_t len)
{
	struct bytes out;

	if (reader->error != 0 || len > (size_t)(reader->end - reader->pos)) {
		reader->error = CMPD_EFORMAT;
		return BYTES_NONE;
	}
	out = bytes_of(reader->pos, len);
	reader->pos += len;
	return out;
}

static uint64_t
take_number(struct reader *reader, size_t size)
{
	struct bytes in = reader_take(reader, size);
	uint64_t v = 0;

	for (size_t i = 0; i < in.len; i++) {
		v = v << 8 | in.data[i];
	}
	return v;
}

uint8_t
reader_u8(struct reader *reader)
{
	return (uint8_t)take_number(reader, 1);
}

uint16_t
reader_u16(struct reader *reader)
{
	return (uint16_t)take_number(reader, 2);
}

uint32_t
reader_u32(struct reader *reader)
{
	return (uint32_t)take_number(reader, 4);
}

uint64_t
reader_u64(struct reader *reader)
{
	return take_number(reader, 8);
}

struct bytes
reader_string(struct reader *reader)
{
	uint32_t len = reader_u32(reader);

	if (reader->error != 0 || len == ABSENT) {
		return BYTES_NONE;
	}
	return reader_take(reader, len);
}

int
reader_end(struct reader *reader)
{
	if (reader->pos != reader->end) {
		reader->error = CMPD_EFORMAT;
	}
	return reader->error;
}
