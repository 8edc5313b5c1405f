#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cmp/work.h"

/* Lines that one message may log. */
#define LOG_LINES_MAX (CMP_REQUESTS_MAX + 2)

void
cmp_work_init(struct cmp_work *work, struct cmp_door *door, struct desk *desk,
    struct cmp_request *request, struct cmp_answer *answer)
{
	memset(work, 0, sizeof(*work));
	work->door = door;
	work->desk = desk;
	work->request = request;
	work->answer = answer;
	work->endpoint = cmp_endpoint_find(door, request->endpoint->path);
	work->body = request->body;
	work->operation = request->operation;
	work->ra = request->ra;
}

bool
cmp_work_fault(struct cmp_work *work, const char *id, int fail_info, const char *format, ...)
{
	va_list args;

	if (work->fault.id) {
		return false;
	}
	work->fault.id = id;
	work->fault.fail_info = fail_info;
	va_start(args, format);
	vsnprintf(work->fault.why.text, sizeof(work->fault.why.text), format, args);
	va_end(args);
	return false;
}

struct log_line *
cmp_work_log(struct cmp_work *work, enum log_level level, const char *event)
{
	struct cmp_answer *answer = work->answer;
	struct log_line *line = NULL;

	if (!answer->log) {
		answer->log = pool_alloc(work->desk->pool, LOG_LINES_MAX * sizeof(*answer->log));
	}
	if (!answer->log || answer->n_log == LOG_LINES_MAX) {
		return NULL;
	}
	/* One by one: a line is big, and most messages log a single one. */
	line = pool_alloc(work->desk->pool, sizeof(*line));
	if (!line) {
		return NULL;
	}
	answer->log[answer->n_log++] = line;
	log_begin(line, level, event);
	log_int(line, "req", (int64_t)work->request->req);
	if (work->in.header.transaction_id.data) {
		log_hex(line, "txn", work->in.header.transaction_id);
	}
	if (work->ra) {
		log_str(line, "ra", work->ra);
	}
	return line;
}
