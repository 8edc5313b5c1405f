#include "http/http.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/resource.h>

#include "base/log.h"
#include "conf/conf.h"
#include "http/check.h"
#include "http/connection.h"
#include "http/forwarded.h"
#include "http/listener.h"
#include "http/server.h"

#define DESCRIPTORS_KEPT 128 /* for files, the store, plugins, operators */
#define HEALTH_BODY_SIZE 1024

struct http_exchange {
	TAILQ_ENTRY(http_exchange) entry;
	struct http_server *server; /* NULL: freed */
	struct evhttp_request *request; /* evhttp takes the connection from it if that goes first */
};

static void
on_sent(struct evhttp_request *request, void *arg)
{
	struct http_server *server = arg;
	struct evhttp_connection *evcon = evhttp_request_get_connection(request);
	struct http_conn *conn = evcon == NULL ? NULL : http_conns_find(server->conns, evcon);

	if (conn != NULL) {
		http_conn_idle(conn);
	}
}

void
http_begin_answer(struct http_server *server, struct evhttp_request *request, size_t size,
    bool close_after)
{
	struct evkeyvalq *asked = evhttp_request_get_input_headers(request);
	struct evhttp_connection *evcon = evhttp_request_get_connection(request);
	struct http_conn *conn = evcon == NULL ? NULL : http_conns_find(server->conns, evcon);

	if (close_after || server->draining) {
		/* As if the client had asked for it: evhttp then says and does the same. */
		evhttp_remove_header(asked, "Connection");
		evhttp_add_header(asked, "Connection", "close");
	}
	if (conn != NULL) {
		http_conn_writing(conn, size);
		evhttp_request_set_on_complete_cb(request, on_sent, server);
	}
}

/* close: nothing that follows on this connection is to be believed. */
static void
send_answer(struct http_server *server, struct evhttp_request *request, int status,
    const char *reason, const char *type, struct bytes body, bool close_after)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
	char length[24];

	snprintf(length, sizeof(length), "%zu", body.len);
	evhttp_add_header(headers, "Content-Type", type);
	evhttp_add_header(headers, "Content-Length", length);
	evhttp_add_header(headers, "Cache-Control", "no-store");
	http_begin_answer(server, request, body.len, close_after);
	/* Out of memory here leaves a short body under a longer Content-Length: the client sees that it is cut. */
	evbuffer_add(evhttp_request_get_output_buffer(request), body.data, body.len);
	evhttp_send_reply(request, status, reason, NULL);
}

static const char *
reason_of(int status)
{
	static const struct {
		int status;
		const char *reason;
	} reasons[] = {
	    {200, "OK"},
	    {400, "Bad Request"},
	    {404, "Not Found"},
	    {405, "Method Not Allowed"},
	    {411, "Length Required"},
	    {413, "Content Too Large"},
	    {415, "Unsupported Media Type"},
	    {500, "Internal Server Error"},
	    {503, "Service Unavailable"},
	};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (reasons[i].status == status) {
			return reasons[i].reason;
		}
	}
	return "Error";
}

static void
send_text(struct http_server *server, struct evhttp_request *request, int status, const char *text,
    bool close_after)
{
	char line[256];

	snprintf(line, sizeof(line), "%.200s\n", text);
	send_answer(server, request, status, reason_of(status), "text/plain", bytes_str(line),
	    close_after);
}

void
http_refuse(struct http_server *server, struct evhttp_request *request, int status,
    const char *text, bool close_after)
{
	atomic_fetch_add_explicit(&server->refused, 1, memory_order_relaxed);
	send_text(server, request, status, text, close_after);
}

static struct http_exchange *
exchange_new(struct http_server *server, struct evhttp_request *request)
{
	struct http_exchange *exchange = calloc(1, sizeof(*exchange));
	struct http_conn *conn =
	    http_conns_find(server->conns, evhttp_request_get_connection(request));

	/* An unknown connection was accepted without memory for its entry: serve it no further. */
	if (exchange == NULL || conn == NULL) {
		free(exchange);
		return NULL;
	}
	exchange->server = server;
	exchange->request = request;
	http_conn_working(conn);
	TAILQ_INSERT_TAIL(&server->exchanges, exchange, entry);
	server->pending++;
	return exchange;
}

static void
exchange_free(struct http_exchange *exchange)
{
	if (exchange->server != NULL) {
		TAILQ_REMOVE(&exchange->server->exchanges, exchange, entry);
		exchange->server->pending--;
	}
	free(exchange);
}

static void
hand_over(struct http_server *server, struct evhttp_request *request, const void *route,
    int operation)
{
	struct evbuffer *input = evhttp_request_get_input_buffer(request);
	struct http_request_info info = {.path = evhttp_request_get_uri(request)};
	char *address = NULL, peer[HTTP_PEER_SIZE];
	ev_uint16_t port = 0;

	info.body = bytes_of(evbuffer_pullup(input, -1), evbuffer_get_length(input));
	info.exchange = exchange_new(server, request);
	if (info.exchange == NULL || info.body.data == NULL) {
		if (info.exchange != NULL) {
			exchange_free(info.exchange);
		}
		http_refuse(server, request, 503, "out of memory", true);
		return;
	}
	evhttp_connection_get_peer(evhttp_request_get_connection(request), &address, &port);
	http_forwarded_peer(evhttp_request_get_input_headers(request), address,
	    (const char *const *)server->proxies, peer);
	info.peer = peer;
	atomic_fetch_add_explicit(&server->requests, 1, memory_order_relaxed);
	if (server->handlers.on_request(server->handlers.arg, &info, route, operation) < 0) {
		atomic_fetch_add_explicit(&server->refused, 1, memory_order_relaxed);
		http_reply_text(info.exchange, 503, "too busy, try again", 1);
	}
}

static void
on_cmp(struct evhttp_request *request, void *arg)
{
	struct http_server *server = arg;
	struct evkeyvalq *headers = evhttp_request_get_input_headers(request);
	struct evkeyvalq *answer = evhttp_request_get_output_headers(request);
	const char *uri = evhttp_request_get_uri(request), *fault = NULL;
	bool is_post = evhttp_request_get_command(request) == EVHTTP_REQ_POST, http11 = false;
	size_t len = evbuffer_get_length(evhttp_request_get_input_buffer(request));
	const void *route = NULL;
	struct http_file file;
	int operation = 0;

	fault = http_request_version(request, &http11);
	if (fault == NULL) {
		fault = http_check_framing(headers, http11);
	}
	if (fault != NULL) {
		http_refuse(server, request, 400, fault, true);
	} else if (http_check_path(uri) && server->handlers.file != NULL &&
		   server->handlers.file(server->handlers.arg, uri, &file) == 0) {
		http_answer_file(server, request, &file);
	} else if (!http_check_path(uri) ||
		   server->handlers.route(server->handlers.arg, uri, &route, &operation) < 0) {
		/* evhttp leaves the body of a method that should have none on the connection. */
		http_refuse(server, request, 404, "no such endpoint", !is_post);
	} else if (!is_post) {
		evhttp_add_header(answer, "Allow", "POST");
		http_refuse(server, request, 405, "only POST is served here", true);
	} else if (http_check_no_length(headers)) {
		http_refuse(server, request, 411, "a Content-Length is required", true);
	} else if (len > server->body_size) {
		http_refuse(server, request, 413, "the message is too long", false);
	} else if (!http_check_content_type(evhttp_find_header(headers, "Content-Type"))) {
		http_refuse(server, request, 415, "the content type must be application/pkixcmp",
		    false);
	} else if (len == 0) {
		http_refuse(server, request, 400, "there is no message", false);
	} else {
		hand_over(server, request, route, operation);
	}
}

static void
on_health(struct evhttp_request *request, void *arg)
{
	struct http_server *server = arg;
	const struct evkeyvalq *headers = evhttp_request_get_input_headers(request);
	enum evhttp_cmd_type method = evhttp_request_get_command(request);
	const char *uri = evhttp_request_get_uri(request);
	bool with_body = !http_check_no_length(headers), http11 = false;
	const char *fault = http_request_version(request, &http11);

	if (fault != NULL) {
		send_text(server, request, 400, fault, true);
	} else if (method != EVHTTP_REQ_GET && method != EVHTTP_REQ_HEAD) {
		evhttp_add_header(evhttp_request_get_output_headers(request), "Allow", "GET, HEAD");
		send_text(server, request, 405, "only GET is served here", true);
	} else if (with_body) {
		send_text(server, request, 400, "no body is expected here", true);
	} else if (strcmp(uri, "/livez") == 0) {
		send_text(server, request, 200, "alive", false);
	} else if (strcmp(uri, "/readyz") != 0) {
		send_text(server, request, 404, "no such page", false);
	} else if (!server->draining && server->handlers.ready(server->handlers.arg)) {
		send_text(server, request, 200, "ready", false);
	} else {
		send_text(server, request, 503, "not ready", false);
	}
}

void
http_reply_cmp(struct http_exchange *exchange, struct bytes body, bool close_after)
{
	if (exchange->server != NULL) {
		send_answer(exchange->server, exchange->request, 200, "OK", "application/pkixcmp",
		    body, close_after);
	}
	exchange_free(exchange);
}

void
http_reply_text(struct http_exchange *exchange, int status, const char *text, int retry_after)
{
	char seconds[16];

	if (exchange->server != NULL) {
		if (retry_after > 0) {
			snprintf(seconds, sizeof(seconds), "%d", retry_after);
			evhttp_add_header(evhttp_request_get_output_headers(exchange->request),
			    "Retry-After", seconds);
		}
		send_text(exchange->server, exchange->request, status, text, false);
	}
	exchange_free(exchange);
}

static void
set_limits(struct http_server *server, const struct conf *conf)
{
	struct timeval idle = {
	    conf->limits.idle_timeout / 1000, conf->limits.idle_timeout % 1000 * 1000};
	struct http_conns_limits limits = {.deadline = conf->limits.request_deadline};
	struct rlimit files;
	rlim_t most = RLIM_INFINITY;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur != RLIM_INFINITY) {
		most = files.rlim_cur > 2 * DESCRIPTORS_KEPT ? files.rlim_cur - DESCRIPTORS_KEPT
							     : files.rlim_cur / 2;
	}
	limits.connections = (size_t)conf->limits.connections;
	if (limits.connections > most) {
		limits.connections = most;
	}
	server->body_size = (size_t)conf->limits.body_size;
	/* What is a little too long is read, so that the client is there for the 413. */
	limits.buffered = 2 * server->body_size + (size_t)conf->limits.header_size + 4096;
	atomic_store_explicit(&server->connections_max, limits.connections, memory_order_relaxed);
	evhttp_set_max_body_size(server->cmp, (ev_ssize_t)(2 * server->body_size));
	evhttp_set_max_headers_size(server->cmp, (ev_ssize_t)conf->limits.header_size);
	evhttp_set_timeout_tv(server->cmp, &idle);
	evhttp_set_max_body_size(server->health, HEALTH_BODY_SIZE);
	evhttp_set_max_headers_size(server->health, (ev_ssize_t)conf->limits.header_size);
	evhttp_set_timeout_tv(server->health, &idle);
	if (server->conns != NULL) {
		http_conns_set_limits(server->conns, &limits);
	}
	server->limits = limits;
}

static struct evhttp *
evhttp_make(struct event_base *base, void (*cb)(struct evhttp_request *, void *), void *arg)
{
	struct evhttp *evhttp = evhttp_new(base);

	if (evhttp != NULL) {
		evhttp_set_gencb(evhttp, cb, arg);
		evhttp_set_allowed_methods(evhttp,
		    EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD | EVHTTP_REQ_PUT |
			EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS | EVHTTP_REQ_TRACE |
			EVHTTP_REQ_CONNECT | EVHTTP_REQ_PATCH);
	}
	return evhttp;
}

int
http_server_new(struct event_base *base, const struct conf *conf,
    const struct http_handlers *handlers, struct http_server **ret, struct diag *diag)
{
	struct http_server *server = calloc(1, sizeof(*server));
	int r = diag_set(diag, CMPD_ENOMEM, "http: out of memory");

	if (server == NULL) {
		return r;
	}
	TAILQ_INIT(&server->exchanges);
	server->base = base;
	server->handlers = *handlers;
	server->cmp = evhttp_make(base, on_cmp, server);
	server->health = evhttp_make(base, on_health, server);
	if (server->cmp == NULL || server->health == NULL) {
		goto out;
	}
	set_limits(server, conf);
	server->conns = http_conns_new(base, &server->limits, http_server_full, server);
	if (server->conns == NULL) {
		goto out;
	}
	evhttp_set_bevcb(server->cmp, http_conns_bevcb, server->conns);
	evhttp_set_bevcb(server->health, http_conns_bevcb, server->conns);
	r = http_server_set_proxies(server, conf);
	if (r == 0) {
		r = http_server_listen(server, conf, diag);
	}
	if (r == 0) {
		*ret = server;
		server = NULL;
	}
out:
	http_server_free(server);
	return r;
}

void
http_server_reconfigure(struct http_server *server, const struct conf *conf)
{
	set_limits(server, conf);
	if (http_server_set_proxies(server, conf) < 0) {
		log_msg(LOG_LEVEL_ERROR, "http.proxies", "out of memory: the old list stays");
	}
}

size_t
http_server_pending(const struct http_server *server)
{
	return server->pending;
}

size_t
http_server_writing(const struct http_server *server)
{
	return http_conns_writing(server->conns);
}

void
http_server_free(struct http_server *server)
{
	struct http_exchange *exchange;

	if (server == NULL) {
		return;
	}
	while ((exchange = TAILQ_FIRST(&server->exchanges)) != NULL) {
		TAILQ_REMOVE(&server->exchanges, exchange, entry);
		exchange->server = NULL;
		exchange->request = NULL;
	}
	http_server_unlisten(server);
	if (server->cmp != NULL) {
		evhttp_free(server->cmp);
	}
	if (server->health != NULL) {
		evhttp_free(server->health);
	}
	http_conns_free(server->conns);
	http_server_free_proxies(server->proxies);
	free(server);
}

void
http_server_stats(const struct http_server *server, struct http_stats *ret)
{
	ret->requests = atomic_load_explicit(&server->requests, memory_order_relaxed);
	ret->refused = atomic_load_explicit(&server->refused, memory_order_relaxed);
	ret->dropped_slow = http_conns_dropped(server->conns);
	ret->connections = http_conns_count(server->conns);
	ret->connections_max = atomic_load_explicit(&server->connections_max, memory_order_relaxed);
}
