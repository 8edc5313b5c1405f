/*
 * The HTTP side of CMP (RFC 9811): evhttp with the guards it lacks. All functions belong to the I/O
 * thread (the one that runs the event base), but for what is said otherwise.
 *
 * A request goes: bounds, path -> endpoint and operation, method, content type; then on_request. What is wrong before that is answered here
 * with one line of text (404, 405, 411, 413, 415, 503).
 */
#pragma once

#include "base/bytes.h"
#include "base/error.h"

struct conf;
struct conf_endpoint;
struct event_base;
struct http_server;
struct http_exchange; /* one request that waits for its answer */

struct http_request_info {
	struct http_exchange *exchange;
	const char *path; /* raw */
	struct bytes body; /* borrowed until the exchange is answered */
	const char *peer; /* address, or what a listed proxy says later; "unix" for unix sockets */
};

struct http_handlers {
	/* Is there an endpoint for this path? 0 and an opaque route, or CMPD_ENOENT. Called before on_request; raw path: paths with '%', "//"
	 * or ".." never get here. */
	int (*route)(void *arg, const char *path, const void **ret_route, int *ret_operation);
	/* Takes the exchange: exactly one http_reply follows, sooner or later. CMPD_ELIMIT or CMPD_ECLOSED: 503 with Retry-After is sent by http. */
	int (*on_request)(
	    void *arg, const struct http_request_info *info, const void *route, int operation);
	bool (*ready)(void *arg); /* for /readyz */
	void *arg;
};

/* Opens all listeners (conf->listen, those passed by systemd, conf->health). CMPD_EIO with the address and the system's words in diag. */
int http_server_new(struct event_base *base, const struct conf *conf,
    const struct http_handlers *handlers, struct http_server **ret,
    struct diag *diag) CMPD_MUST_CHECK;
/* New limits and listeners from a reloaded configuration are taken over as far as they are reloadable. */
void http_server_reconfigure(struct http_server *server, const struct conf *conf);
/* Stops accepting; exchanges under way may still be answered. */
void http_server_drain(struct http_server *server);
size_t http_server_pending(const struct http_server *server);
/* Closes everything. */
void http_server_free(struct http_server *server);

/* Answers: 200 with application/pkixcmp. Copies body. The client may have gone: then nothing happens. */
void http_reply_cmp(struct http_exchange *exchange, struct bytes body);
/* Any other status with one line of text. retry_after: seconds, 0: no such header. */
void http_reply_text(struct http_exchange *exchange, int status, const char *text, int retry_after);

struct http_stats {
	uint64_t requests, refused, dropped_slow;
	uint64_t connections, connections_max;
};
void http_server_stats(const struct http_server *server, struct http_stats *ret);
