/*
 * The way of a request: housekeeping thread, committer, and back as a frame.
 */
#include "ctl/call.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/pool.h"
#include "ctl/protocol.h"
#include "enrol/desk.h"
#include "store/store.h"

#define ATTEMPTS_MAX 10
#define POOL_LIMIT   (128u * 1024 * 1024)

struct ctl_call *
ctl_call_new(const struct ctl_core *core, const struct ctl_peer *peer,
    const struct ctl_command *command, const json_t *args, void (*done)(struct ctl_call *call),
    void *arg)
{
	struct ctl_call *call = calloc(1, sizeof(*call));

	if (!call) {
		return NULL;
	}
	call->core = core;
	call->peer = *peer;
	call->command = command;
	call->args = json_incref((json_t *)(uintptr_t)args);
	call->done = done;
	call->arg = arg;
	buf_init(&call->frame, CTL_ANSWER_MAX + 4);
	return call;
}

void
ctl_call_free(struct ctl_call *call)
{
	if (!call) {
		return;
	}
	json_decref(call->args);
	buf_fini(&call->frame);
	free(call);
}

static int
frame_error(struct buf *frame, int code, const char *text, json_t *detail)
{
	json_t *answer = ctl_answer_error(code, text);
	int r = answer ? 0 : CMPD_ENOMEM;

	if (r == 0 && detail && json_object_set(answer, "data", detail) < 0) {
		r = CMPD_ENOMEM;
	}
	if (r == 0) {
		r = ctl_frame_put(frame, answer);
	}
	json_decref(answer);
	return r;
}

void
ctl_call_refuse(struct buf *frame, int code, const char *text)
{
	size_t len = frame->len;

	if (frame_error(frame, code, text, NULL) < 0) {
		frame->len = len;
	}
}

/* data is stolen. Whatever happens, a frame is there afterwards, unless there is no memory for the words of an error. */
static int
call_answer(struct ctl_call *call, json_t *data)
{
	json_t *answer = ctl_answer_ok(data);
	int r = answer ? ctl_frame_put(&call->frame, answer) : CMPD_ENOMEM;

	json_decref(answer);
	return r;
}

/* One line per command that could change something, when its fate is known. */
static void
call_log(const struct ctl_call *call, int result, const char *text)
{
	static const char *const objects[] = {"id", "txn", "ref", "serial", "key", "file"};
	struct log_line line;

	if (call->command->privilege < CTL_DECIDE) {
		return;
	}
	log_begin(&line, result < 0 ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO, "ctl.command");
	log_str(&line, "command", call->command->name);
	log_str(&line, "actor", call->actor);
	for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
		log_str(&line, objects[i],
		    json_string_value(json_object_get(call->args, objects[i])));
	}
	if (json_is_integer(json_object_get(call->args, "rows"))) {
		log_int(&line, "rows", json_integer_value(json_object_get(call->args, "rows")));
	}
	log_str(&line, "result", result < 0 ? cmpd_strerror(result) : "ok");
	log_str(&line, "text", result < 0 && text && *text ? text : NULL);
	log_end(&line);
}

static void
call_succeed(struct ctl_call *call)
{
	call_log(call, 0, NULL);
	call->done(call);
}

static void
call_fail(struct ctl_call *call, int result, const char *text, json_t *detail)
{
	call_log(call, result, text);
	buf_fini(&call->frame);
	if (frame_error(&call->frame, result, text, detail) < 0) {
		buf_fini(&call->frame);
	}
	call->done(call);
}

void
ctl_call_end(struct ctl_call *call, int result, json_t *data, const char *text)
{
	if (result == 0) {
		result = call_answer(call, data);
	} else {
		json_decref(data);
	}
	if (result < 0) {
		call_fail(call, result, text, NULL);
	} else {
		call_succeed(call);
	}
}

static void call_run(void *arg, struct desk *desk);

/* Called by the committer. */
static void
call_committed(void *arg, int result)
{
	struct ctl_call *call = arg;

	if (result == CMPD_ECONFLICT && ++call->attempts < ATTEMPTS_MAX) {
		/* Read again. A version that was named is compared again by the handler. */
		buf_fini(&call->frame);
		ctl_call_start(call);
		return;
	}
	if (result < 0) {
		call_fail(call, result, NULL, NULL);
	} else {
		call_succeed(call);
	}
}

static void
call_finish(struct ctl_call *call, struct ctl_context *context, int result, json_t *data)
{
	struct unit *unit = context->desk->unit;

	context->desk->unit = NULL;
	if (result == CMPD_EPARKED) {
		unit_free(unit);
		return;
	}
	if (result == 0) {
		result = call_answer(call, data);
	}
	if (result < 0) {
		unit_free(unit);
		call_fail(call, result, context->diag.text, context->detail);
	} else if (unit_is_empty(unit)) {
		unit_free(unit);
		call_succeed(call);
	} else {
		store_commit(call->core->host.store, unit, call_committed, call);
	}
}

static void
call_run(void *arg, struct desk *desk)
{
	struct ctl_call *call = arg;
	struct ctl_context context = {.desk = desk, .core = call->core, .args = call->args};
	struct pool *pool_before;
	json_t *data = NULL;
	int r;

	if (!desk) {
		call_fail(call, CMPD_ECLOSED, "cmpd is going down", NULL);
		return;
	}
	ctl_peer_actor(&call->peer, call->actor);
	context.actor = call->actor;
	context.call = call;
	pool_before = desk->pool;
	desk->pool = pool_new(POOL_LIMIT);
	desk->unit = unit_new();
	desk->now = clock_wall_ms();
	if (desk->pool && desk->unit) {
		r = call->command->run(&context, &data);
		call_finish(call, &context, r, data);
	} else {
		unit_free(desk->unit);
		call_fail(call, CMPD_ENOMEM, NULL, NULL);
	}
	json_decref(context.detail);
	pool_free(desk->pool);
	desk->pool = pool_before;
	desk->unit = NULL;
}

void
ctl_call_start(struct ctl_call *call)
{
	int r = call->core->host.post(call->core->host.arg, call_run, call);

	if (r < 0) {
		call_fail(call, r == CMPD_ECLOSED ? r : CMPD_EUNAVAILABLE, "cmpd is too busy",
		    NULL);
	}
}
