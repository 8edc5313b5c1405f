/*
 * Listening sockets for an evhttp: own sockets with a long backlog, unix sockets, sockets passed by systemd, and a pause
 * instead of a spin when descriptors run out. I/O thread only.
 */
#pragma once

#include <event2/util.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "base/error.h"

struct event_base;
struct evhttp;
struct http_listener;

struct http_address {
	struct sockaddr_storage sa;
	socklen_t len;
};

/* "addr:port", "[v6]:port" (numbers, no names) or "unix:/path". CMPD_ECONF. */
int http_address_parse(const char *text, struct http_address *ret,
    struct diag *diag) CMPD_MUST_CHECK;
bool http_address_equal(const struct http_address *a, const struct http_address *b);

/*
 * Opens a socket and binds it to evhttp, which frees the listening itself. A unix socket that nobody listens on any more is replaced; it
 * gets mode 0660. CMPD_EIO with the address and the system's words.
 */
int http_listener_open(struct event_base *base, struct evhttp *evhttp, const char *text,
    struct http_listener **ret, struct diag *diag) CMPD_MUST_CHECK;
/* For a socket that listens already (systemd); taken over, closed on failure. */
int http_listener_adopt(struct event_base *base, struct evhttp *evhttp, evutil_socket_t fd,
    struct http_listener **ret, struct diag *diag) CMPD_MUST_CHECK;

/* While stopped, clients wait in the backlog. */
void http_listener_stop(struct http_listener *listener, bool stop);
/* Closes the socket and removes the path of a unix socket it has made; the struct stays. */
void http_listener_close(struct http_listener *listener);
/* Closes if that was not done. Before evhttp_free. */
void http_listener_free(struct http_listener *listener);
