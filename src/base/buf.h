/*
 * A growing byte buffer with a ceiling and a sticky error: append as often as
 * you like, look at buf_error once at the end.
 */
#pragma once

#include "base/bytes.h"

struct buf {
	uint8_t *data;
	size_t len;
	size_t size;
	size_t limit;
	int error;
};

/* No memory is taken before the first append. limit: highest len allowed. */
void buf_init(struct buf *buf, size_t limit);
/* Overwrites with zeros and frees; the buf may be used again. */
void buf_fini(struct buf *buf);

void buf_put(struct buf *buf, const void *data, size_t len);
void buf_put_bytes(struct buf *buf, struct bytes in);
/* Two lower-case digits for each byte. */
void buf_put_hex(struct buf *buf, struct bytes in);
void buf_put_u8(struct buf *buf, uint8_t v);
void buf_put_u16(struct buf *buf, uint16_t v); /* big-endian, all of them */
void buf_put_u32(struct buf *buf, uint32_t v);
void buf_put_u64(struct buf *buf, uint64_t v);
/* u32 length and the bytes; an absent string is told from an empty one. */
void buf_put_string(struct buf *buf, struct bytes in);

/* 0, CMPD_ENOMEM or CMPD_ELIMIT. */
int buf_error(const struct buf *buf) CMPD_MUST_CHECK;
struct bytes buf_get0(const struct buf *buf);

/*
 * The reading side: a cursor over bytes, sticky error CMPD_EFORMAT.
 * What it returns after an error is 0 or BYTES_NONE. Strings are borrowed
 * from the bytes read.
 */
struct reader {
	const uint8_t *pos;
	const uint8_t *end;
	int error;
};

void reader_init(struct reader *reader, struct bytes in);
uint8_t reader_u8(struct reader *reader);
uint16_t reader_u16(struct reader *reader);
uint32_t reader_u32(struct reader *reader);
uint64_t reader_u64(struct reader *reader);
struct bytes reader_take(struct reader *reader, size_t len);
struct bytes reader_string(struct reader *reader);
/* 0 if all was read and nothing is left over, else CMPD_EFORMAT. */
int reader_end(struct reader *reader) CMPD_MUST_CHECK;
