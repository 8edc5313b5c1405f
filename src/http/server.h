/*
 * What the files of this room know of a server; nobody else includes this.
 */
#pragma once

#include <stdatomic.h>
#include <sys/queue.h>

#include "http/connection.h"
#include "http/http.h"

struct evhttp;
struct evhttp_request;
struct http_listener;

#define HTTP_LISTENERS_MAX 64

struct http_server {
	struct event_base *base;
	struct http_handlers handlers;
	struct evhttp *cmp;
	struct evhttp *health;
	struct http_conns *conns; /* of both */
	struct http_conns_limits limits;
	struct http_listener *listeners[HTTP_LISTENERS_MAX]; /* of cmp */
	size_t n_listeners;
	struct http_listener *health_listeners[HTTP_LISTENERS_MAX];
	size_t n_health_listeners;
	TAILQ_HEAD(, http_exchange) exchanges;
	size_t pending;
	size_t body_size;
	char **proxies; /* NULL-ended copy of conf->proxies */
	bool draining;
	_Atomic uint64_t requests, refused, connections_max;
};

/* Opens and adopts everything there is to listen on. */
int http_server_listen(struct http_server *server, const struct conf *conf,
    struct diag *diag) CMPD_MUST_CHECK;
void http_server_unlisten(struct http_server *server);
/* CMPD_ENOMEM: the old list stays. */
int http_server_set_proxies(struct http_server *server, const struct conf *conf) CMPD_MUST_CHECK;
void http_server_free_proxies(char **proxies);
/* For http_conns_new. */
void http_server_full(void *server, bool is_full);
/* Makes it 1.0 or 1.1. NULL, or why it is neither. */
const char *http_request_version(struct evhttp_request *request, bool *ret_http11);

/* Before each answer is sent. size: of its body; close_after: nothing that follows on this connection is to be believed. */
void http_begin_answer(struct http_server *server, struct evhttp_request *request, size_t size,
    bool close_after);
/* One line of text, counted as refused. */
void http_refuse(struct http_server *server, struct evhttp_request *request, int status,
    const char *text, bool close_after);
/* file.c: answers whatever method this is, and releases the file, now or when it has been sent. */
void http_answer_file(struct http_server *server, struct evhttp_request *request,
    const struct http_file *file);
