/*
 * The HTTP side of CMP (RFC 9811): evhttp with the guards it lacks. All functions belong to the I/O
 * thread (the one that runs the event base), but for what is said otherwise.
 *
 * A request goes: framing, path -> endpoint and operation, method, size, content type; then
 * on_request. GET and HEAD of a file are answered from memory. What is wrong before that is answered here with one line of text (400, 404, 405, 411,
 * 413, 415, 503). A listener for the health of the daemon answers /livez and /readyz and nothing else.
 */
#pragma once

#include "base/bytes.h"
#include "base/error.h"

struct conf;
struct event_base;
struct http_server;
struct http_exchange; /* one request that waits for its answer */

struct http_request_info {
	struct http_exchange *exchange;
	const char *path; /* raw; borrowed as the body */
	/* never empty; borrowed until the exchange is answered or the server freed */
	struct bytes body;
	/* address; "unix" for unix sockets; the client's if that is a listed proxy and says so;
	 * borrowed during the call only */
	const char *peer;
};

/* Something to be fetched. All of it lives until release. */
struct http_file {
	struct bytes body;
	const char *type; /* content type */
	const char *etag; /* with its quotes */
	int64_t modified; /* ms */
	int64_t fresh_until; /* ms: caches may keep it until then */
	void (*release)(void *holder); /* called once, by the I/O thread */
	void *holder;
};

struct http_handlers {
	/* Is there an endpoint for this path? 0 with an opaque route and an operation, or CMPD_ENOENT. Called
	 * right before on_request; paths with '%', '?', '#', "//" or ".." never get here. */
	int (*route)(void *arg, const char *path, const void **ret_route, int *ret_operation);
	/* 0: takes the exchange: exactly one http_reply follows, at once or later. CMPD_ELIMIT, CMPD_ECLOSED or
	 * any other error: http answers 503 with Retry-After and the exchange is no longer the caller's. */
	int (*on_request)(void *arg, const struct http_request_info *info, const void *route,
	    int operation);
	bool (*ready)(void *arg); /* for /readyz */
	/* Is there a file under this path? CMPD_ENOENT. Paths as for route. NULL: there are no files. */
	int (*file)(void *arg, const char *path, struct http_file *ret);
	void *arg;
};

/*
 * Opens all listeners and begins to accept: conf->listen, what systemd passed (unless it is one of
 * conf->listen already; a descriptor named "health" serves /livez and /readyz) and conf->health. conf is not kept.
 * CMPD_EIO with the address and the system's words in diag, CMPD_ECONF for an address that is none.
 */
int http_server_new(struct event_base *base, const struct conf *conf,
    const struct http_handlers *handlers, struct http_server **ret,
    struct diag *diag) CMPD_MUST_CHECK;
/* Limits of a reloaded configuration hold for what comes from now on. Listeners stay as they are. */
void http_server_reconfigure(struct http_server *server, const struct conf *conf);
/* Stops accepting on all listeners but the health one, removes unix sockets and closes idle connections;
 * exchanges under way may still be answered, then their connections are closed. */
void http_server_drain(struct http_server *server);
/* Exchanges not answered yet. */
size_t http_server_pending(const struct http_server *server);
/* Answers given but not yet taken by the client's side of the connection. */
size_t http_server_writing(const struct http_server *server);
/* Closes everything. Exchanges that are still open may be answered later: nothing happens then. */
void http_server_free(struct http_server *server);

/* 200 with application/pkixcmp. Copies body. The client may have gone: then nothing happens.
 * close_after: the client will be away for a while, so the connection is not kept. */
void http_reply_cmp(struct http_exchange *exchange, struct bytes body, bool close_after);
/* Any other status with one line of text. retry_after: seconds, 0: no such header. */
void http_reply_text(struct http_exchange *exchange, int status, const char *text, int retry_after);

struct http_stats {
	uint64_t requests; /* handed to on_request */
	uint64_t refused; /* answered here: faults of HTTP, 503 */
	uint64_t dropped_slow; /* connections past their deadline */
	uint64_t connections, connections_max; /* now; the limit */
};
/* Any thread. */
void http_server_stats(const struct http_server *server, struct http_stats *ret);

/* "addr:port", "[v6]:port" or "unix:/path" as in conf->listen: is it well-formed? For tests and cmpd -t. CMPD_ECONF. */
int http_address_check(const char *address, struct diag *diag) CMPD_MUST_CHECK;
