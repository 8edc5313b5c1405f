/*
 * GET and HEAD of what lies in memory (RFC 9110, RFC 9111): no copy is made, however slowly it is fetched.
 */
#include <event2/buffer.h>
#include <event2/http.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "http/check.h"
#include "http/server.h"

static void
on_done(const void *data, size_t len, void *arg)
{
	struct http_file *file = arg;

	(void)data;
	(void)len;
	file->release(file->holder);
	free(file);
}

static bool
is_known(struct evhttp_request *request, const struct http_file *file)
{
	struct evkeyvalq *headers = evhttp_request_get_input_headers(request);
	const char *etags = evhttp_find_header(headers, "If-None-Match");
	const char *since = evhttp_find_header(headers, "If-Modified-Since");
	int64_t known;

	if (etags != NULL) {
		return http_check_etag(etags, file->etag);
	}
	return since != NULL && http_date_parse(since, &known) == 0 &&
	       file->modified / 1000 <= known / 1000;
}

/* Those of a 200, and of a 304 too (RFC 9110 15.4.5). */
static void
add_headers(struct evhttp_request *request, const struct http_file *file)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
	int64_t fresh = (file->fresh_until - clock_wall_ms()) / 1000;
	char date[HTTP_DATE_SIZE], control[48];

	snprintf(control, sizeof(control), "public, max-age=%lld",
	    fresh > 0 ? (long long)fresh : 0LL);
	evhttp_add_header(headers, "Cache-Control", control);
	evhttp_add_header(headers, "ETag", file->etag);
	evhttp_add_header(headers, "Last-Modified", http_date_format(file->modified, date));
}

static void
send_file(struct http_server *server, struct evhttp_request *request, const struct http_file *file,
    bool with_body)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
	struct http_file *held = malloc(sizeof(*held));
	char length[24];

	if (held != NULL) {
		*held = *file;
	}
	if (held == NULL ||
	    (with_body && evbuffer_add_reference(evhttp_request_get_output_buffer(request),
			      file->body.data, file->body.len, on_done, held) != 0)) {
		free(held);
		http_refuse(server, request, 503, "out of memory", false);
		file->release(file->holder);
		return;
	}
	snprintf(length, sizeof(length), "%zu", file->body.len);
	evhttp_add_header(headers, "Content-Type", file->type);
	evhttp_add_header(headers, "Content-Length", length);
	add_headers(request, file);
	http_begin_answer(server, request, with_body ? file->body.len : 0, false);
	evhttp_send_reply(request, 200, "OK", NULL);
	if (!with_body) {
		on_done(NULL, 0, held);
	}
}

void
http_answer_file(struct http_server *server, struct evhttp_request *request,
    const struct http_file *file)
{
	enum evhttp_cmd_type method = evhttp_request_get_command(request);
	const struct evkeyvalq *asked = evhttp_request_get_input_headers(request);

	if (method != EVHTTP_REQ_GET && method != EVHTTP_REQ_HEAD) {
		evhttp_add_header(evhttp_request_get_output_headers(request), "Allow", "GET, HEAD");
		http_refuse(server, request, 405, "only GET is served here", true);
	} else if (!http_check_no_length(asked)) {
		http_refuse(server, request, 400, "no body is expected here", true);
	} else if (is_known(request, file)) {
		add_headers(request, file);
		http_begin_answer(server, request, 0, false);
		evhttp_send_reply(request, 304, "Not Modified", NULL);
	} else {
		send_file(server, request, file, method == EVHTTP_REQ_GET);
		return;
	}
	file->release(file->holder);
}
