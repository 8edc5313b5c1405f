/*
 * The table of connections: evhttp restarts its timeouts with every byte and counts nobody, so here each connection is known from
 * the moment it is accepted, with what it is doing and since when. I/O thread only.
 */
#pragma once

#include <stdint.h>

#include "base/bytes.h"

struct bufferevent;
struct event_base;
struct evhttp_connection;
struct http_conn;
struct http_conns;

enum http_conn_state {
	HTTP_CONN_IDLE, /* nothing of a request is there */
	HTTP_CONN_RECEIVING, /* the first byte is */
	HTTP_CONN_WORKING, /* an exchange is open */
	HTTP_CONN_WRITING /* our answer is on its way */
};

struct http_conns_limits {
	size_t connections;
	size_t buffered; /* bytes kept unread per connection */
	int64_t deadline; /* ms for receiving a request, ms for taking an answer */
};

/* full(arg, true): the limit is reached, accept no more; full(arg, false): there is room again. NULL: out of memory. */
struct http_conns *http_conns_new(struct event_base *base, const struct http_conns_limits *limits,
    void (*full)(void *arg, bool is_full), void *arg);
void http_conns_set_limits(struct http_conns *conns, const struct http_conns_limits *limits);
/* After the evhttps have been freed. */
void http_conns_free(struct http_conns *conns);

/* For evhttp_set_bevcb; arg is the table. */
struct bufferevent *http_conns_bevcb(struct event_base *base, void *conns);

/* The connection of a request that evhttp hands over; NULL if it is not known. */
struct http_conn *http_conns_find(struct http_conns *conns, struct evhttp_connection *evcon);
void http_conn_working(struct http_conn *conn);
/* size: of the answer; a long one may take longer than the deadline. */
void http_conn_writing(struct http_conn *conn, size_t size);
/* The answer is gone: another request may come, or has come already. */
void http_conn_idle(struct http_conn *conn);

/* Closes those that wait for a request (drain). */
void http_conns_close_idle(struct http_conns *conns);
size_t http_conns_count(const struct http_conns *conns);
size_t http_conns_writing(const struct http_conns *conns);
uint64_t http_conns_dropped(const struct http_conns *conns);
