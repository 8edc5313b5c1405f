/*
 * The control protocol between cmpd and cmpd-ctl: over a unix stream socket, one JSON object per
 * frame, each frame a 4-byte big-endian length and that many bytes of UTF-8 JSON. Requests are at most
 * CTL_REQUEST_MAX bytes, answers at most CTL_ANSWER_MAX; lists come in pages.
 *
 *	request: { "command": "approve", "args": { ... } }
 *	answer:  { "ok": true, "data": ... } or { "ok": false, "code": -4, "error": "not found", "text": "..." }
 *
 * Several requests may follow each other on one connection; the answers come in order.
 * Shared by both programs; knows nothing of sockets' peers and of the store.
 */
#pragma once

#include <jansson.h>

#include "base/buf.h"

#define CTL_REQUEST_MAX (64u * 1024)
#define CTL_ANSWER_MAX	(4u * 1024 * 1024)

/*
 * Requests and answers may carry secrets: from this call on jansson overwrites what it frees.
 * Any number of times, but the first one before other threads use jansson.
 */
void ctl_json_setup(void);

/* Collects bytes until a frame is complete. */
struct ctl_decoder {
	struct buf buf;
	size_t pos; /* up to here frames were taken out */
	size_t max;
};
void ctl_decoder_init(struct ctl_decoder *decoder, size_t max);
void ctl_decoder_fini(struct ctl_decoder *decoder);
/* To be fed only when next has said CMPD_ENOENT, and with at most max bytes. CMPD_ELIMIT: a frame longer than
 * max is announced; CMPD_ENOMEM. The connection is to be closed then. */
int ctl_decoder_feed(struct ctl_decoder *decoder, struct bytes in) CMPD_MUST_CHECK;
/* 0 and the next object (caller decrefs), CMPD_ENOENT: not complete yet, CMPD_EFORMAT: not a JSON object (the
 * frame is consumed), CMPD_ELIMIT and CMPD_ENOMEM as above. */
int ctl_decoder_next(struct ctl_decoder *decoder, json_t **ret) CMPD_MUST_CHECK;

/* Appends a frame. CMPD_ENOMEM, CMPD_ELIMIT: longer than the buf allows; out is as it was then, but for its error. */
int ctl_frame_put(struct buf *out, const json_t *object) CMPD_MUST_CHECK;

/* NULL: out of memory, or (data) NULL was given. args and data are stolen in any case. */
json_t *ctl_request_new(const char *command, json_t *args);
json_t *ctl_answer_ok(json_t *data);
/* text: what went wrong, for people; NULL: the error's own words. */
json_t *ctl_answer_error(int code, const char *text);

/*
 * Foreign text made harmless for terminals, tables and JSON: one line of valid UTF-8. Characters that base/utf8.h calls
 * harmful and bytes that are no UTF-8 become \XX per byte (hex);
 * everything else stays, so cleaning twice is the same as once. ascii: all that is not printable ASCII becomes \XX.
 * More than max bytes (max >= 64): cut, and the end says so. Caller frees; NULL: out of memory (or text is NULL).
 */
char *ctl_text_clean(const char *text, bool ascii, size_t max) CMPD_MUST_CHECK;
