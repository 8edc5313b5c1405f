#include "http/listener.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/unixsocket.h"

#define BACKLOG	 4096
#define PAUSE_MS 100 /* without accepting, when descriptors ran out */

struct http_listener {
	LIST_ENTRY(http_listener) entry;
	struct evhttp *evhttp;
	struct evhttp_bound_socket *bound; /* NULL: closed */
	struct evconnlistener *listener; /* owned by bound */
	struct event *pause;
	bool stopped;
	bool pausing;
	char *path; /* of a unix socket that we made */
};

/* evconnlistener hands its error callback the argument of evhttp's accept callback, so listeners are found by address. */
static LIST_HEAD(, http_listener) listeners = LIST_HEAD_INITIALIZER(listeners);
static pthread_mutex_t listeners_lock = PTHREAD_MUTEX_INITIALIZER;

static int
parse_unix(const char *text, struct http_address *ret, struct diag *diag)
{
	struct sockaddr_un *un = (void *)&ret->sa;
	const char *path = text + strlen("unix:");

	if (path[0] != '/' || strlen(path) >= sizeof(un->sun_path)) {
		return diag_set(diag, CMPD_ECONF, "%s: not an absolute path of at most %zu bytes",
		    text, sizeof(un->sun_path) - 1);
	}
	*ret = (struct http_address){.len = sizeof(*un)};
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, path, strlen(path));
	return 0;
}

int
http_address_parse(const char *text, struct http_address *ret, struct diag *diag)
{
	struct http_address address = {.len = 0};
	int len = sizeof(address.sa);
	const char *colon = strrchr(text, ':');

	if (strncmp(text, "unix:", 5) == 0) {
		return parse_unix(text, ret, diag);
	}
	/* One colon, or a version 6 address in brackets: its last group must not pass for a port. */
	if (colon == NULL || (text[0] != '[' && strchr(text, ':') != colon) || colon[1] == '\0' ||
	    strspn(colon + 1, "0123456789") != strlen(colon + 1) ||
	    evutil_parse_sockaddr_port(text, (struct sockaddr *)&address.sa, &len) != 0) {
		return diag_set(diag, CMPD_ECONF,
		    "%s: not an address (ADDR:PORT, [V6]:PORT or unix:/PATH)", text);
	}
	address.len = (socklen_t)len;
	*ret = address;
	return 0;
}

bool
http_address_equal(const struct http_address *a, const struct http_address *b)
{
	const struct sockaddr_in *in_a = (const void *)&a->sa, *in_b = (const void *)&b->sa;
	const struct sockaddr_in6 *in6_a = (const void *)&a->sa, *in6_b = (const void *)&b->sa;
	const struct sockaddr_un *un_a = (const void *)&a->sa, *un_b = (const void *)&b->sa;

	if (a->sa.ss_family != b->sa.ss_family) {
		return false;
	}
	switch (a->sa.ss_family) {
	case AF_INET:
		return in_a->sin_port == in_b->sin_port &&
		       in_a->sin_addr.s_addr == in_b->sin_addr.s_addr;
	case AF_INET6:
		return in6_a->sin6_port == in6_b->sin6_port &&
		       memcmp(&in6_a->sin6_addr, &in6_b->sin6_addr, sizeof(in6_a->sin6_addr)) == 0;
	case AF_UNIX:
		return strncmp(un_a->sun_path, un_b->sun_path, sizeof(un_a->sun_path)) == 0;
	default:
		return false;
	}
}

static int
bind_unix(int fd, const struct sockaddr_un *un)
{
	/* A socket's own mode, less the umask, becomes that of its path: it is never wider than 0660. */
	if (fchmod(fd, 0660) != 0 || bind(fd, (const struct sockaddr *)un, sizeof(*un)) != 0) {
		return -1;
	}
	return chmod(un->sun_path, 0660);
}

static int
bind_inet(int fd, const struct http_address *address)
{
	int on = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0) {
		return -1;
	}
	if (address->sa.ss_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) != 0) {
		return -1;
	}
	return bind(fd, (const struct sockaddr *)&address->sa, address->len);
}

static int
open_socket(const struct http_address *address)
{
	int saved, fd;

	fd = socket(address->sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		return -1;
	}
	if ((address->sa.ss_family == AF_UNIX ? bind_unix(fd, (const void *)&address->sa)
					      : bind_inet(fd, address)) != 0 ||
	    listen(fd, BACKLOG) != 0) {
		saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

static void
update(struct http_listener *listener)
{
	if (listener->listener == NULL) {
		return;
	}
	if (listener->stopped || listener->pausing) {
		evconnlistener_disable(listener->listener);
	} else {
		evconnlistener_enable(listener->listener);
	}
}

static void
on_pause_over(evutil_socket_t fd, short what, void *arg)
{
	struct http_listener *listener = arg;

	(void)fd;
	(void)what;
	listener->pausing = false;
	update(listener);
}

/* EMFILE and its kin: the event would be ready again at once, and again. */
static void
on_accept_error(struct evconnlistener *evlistener, void *arg)
{
	static const struct timeval pause = {0, PAUSE_MS * 1000};
	struct http_listener *listener;

	(void)arg;
	pthread_mutex_lock(&listeners_lock);
	LIST_FOREACH (listener, &listeners, entry) {
		if (listener->listener == evlistener) {
			break;
		}
	}
	pthread_mutex_unlock(&listeners_lock);
	if (listener != NULL && event_add(listener->pause, &pause) == 0) {
		listener->pausing = true;
		update(listener);
	}
}

/* Port 0 in the configuration is a number by now. */
static void
log_listening(evutil_socket_t fd)
{
	struct sockaddr_storage sa = {.ss_family = AF_UNSPEC};
	socklen_t len = sizeof(sa);
	char host[INET6_ADDRSTRLEN] = "", port[8] = "";
	struct log_line line;

	if (getsockname(fd, (struct sockaddr *)&sa, &len) != 0) {
		return;
	}
	log_begin(&line, LOG_LEVEL_INFO, "http.listening");
	if (sa.ss_family == AF_UNIX) {
		log_str(&line, "path", ((struct sockaddr_un *)&sa)->sun_path);
	} else if (getnameinfo((struct sockaddr *)&sa, len, host, sizeof(host), port, sizeof(port),
		       NI_NUMERICHOST | NI_NUMERICSERV) == 0) {
		log_str(&line, "address", host);
		log_str(&line, "port", port);
	}
	log_end(&line);
}

int
http_listener_adopt(struct event_base *base, struct evhttp *evhttp, evutil_socket_t fd,
    struct http_listener **ret, struct diag *diag)
{
	struct http_listener *listener = calloc(1, sizeof(*listener));

	if (listener == NULL) {
		goto out;
	}
	listener->evhttp = evhttp;
	listener->pause = event_new(base, -1, 0, on_pause_over, listener);
	if (listener->pause == NULL) {
		goto out;
	}
	listener->listener = evconnlistener_new(base, NULL, NULL,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (listener->listener == NULL) {
		goto out;
	}
	fd = -1;
	listener->bound = evhttp_bind_listener(evhttp, listener->listener);
	if (listener->bound == NULL) {
		evconnlistener_free(listener->listener);
		goto out;
	}
	evconnlistener_set_error_cb(listener->listener, on_accept_error);
	log_listening(evconnlistener_get_fd(listener->listener));
	pthread_mutex_lock(&listeners_lock);
	LIST_INSERT_HEAD(&listeners, listener, entry);
	pthread_mutex_unlock(&listeners_lock);
	*ret = listener;
	return 0;
out:
	if (fd >= 0) {
		close(fd);
	}
	if (listener != NULL && listener->pause != NULL) {
		event_free(listener->pause);
	}
	free(listener);
	return diag_set(diag, CMPD_ENOMEM, "listener: out of memory");
}

int
http_listener_open(struct event_base *base, struct evhttp *evhttp, const char *text,
    struct http_listener **ret, struct diag *diag)
{
	struct http_address address;
	struct http_listener *listener = NULL;
	int fd, r;

	r = http_address_parse(text, &address, diag);
	if (r < 0) {
		return r;
	}
	if (address.sa.ss_family == AF_UNIX) {
		r = unixsocket_clear((const struct sockaddr_un *)&address.sa, diag);
		if (r < 0) {
			return CMPD_EIO;
		}
	}
	fd = open_socket(&address);
	if (fd < 0) {
		return diag_set(diag, CMPD_EIO, "%s: %s", text, strerror(errno));
	}
	r = http_listener_adopt(base, evhttp, fd, &listener, diag);
	if (r < 0) {
		return r;
	}
	if (address.sa.ss_family == AF_UNIX) {
		listener->path = strdup(text + strlen("unix:")); /* NULL: it stays behind, stale */
	}
	*ret = listener;
	return 0;
}

void
http_listener_stop(struct http_listener *listener, bool stop)
{
	listener->stopped = stop;
	update(listener);
}

void
http_listener_close(struct http_listener *listener)
{
	if (listener->bound == NULL) {
		return;
	}
	pthread_mutex_lock(&listeners_lock);
	LIST_REMOVE(listener, entry);
	pthread_mutex_unlock(&listeners_lock);
	event_del(listener->pause);
	if (listener->path != NULL) {
		unlink(listener->path);
	}
	evhttp_del_accept_socket(listener->evhttp, listener->bound);
	listener->bound = NULL;
	listener->listener = NULL;
}

void
http_listener_free(struct http_listener *listener)
{
	if (listener == NULL) {
		return;
	}
	http_listener_close(listener);
	event_free(listener->pause);
	free(listener->path);
	free(listener);
}
