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

/* Collects bytes until a frame is complete. */
struct ctl_decoder {
	struct buf buf;
	size_t max;
};
void ctl_decoder_init(struct ctl_decoder *decoder, size_t max);
void ctl_decoder_fini(struct ctl_decoder *decoder);
/* CMPD_ELIMIT: a frame longer than max is announced; CMPD_ENOMEM. The connection is to be closed then. */
int ctl_decoder_feed(struct ctl_decoder *decoder, struct bytes in) CMPD_MUST_CHECK;
/* 0 and the next object (caller decrefs), CMPD_ENOENT: not complete yet, CMPD_EFORMAT: not a JSON object (the frame is consumed). */
int ctl_decoder_next(struct ctl_decoder *decoder, json_t **ret) CMPD_MUST_CHECK;

/* Appends a frame. */
int ctl_frame_put(struct buf *out, const json_t *object) CMPD_MUST_CHECK;

json_t *ctl_request_new(const char *command, json_t *args /* stolen */);
json_t *ctl_answer_ok(json_t *data /* stolen */);
json_t *ctl_answer_error(int code, const char *text);
