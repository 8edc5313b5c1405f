#include "http/connection.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "http/peer.h"
#include "http/translate.h"

#define BUCKETS	     4096
#define EVICT_MIN_MS 1000 /* who has waited less than this is not thrown out for a newcomer */
#define BYTES_PER_MS 16 /* a client that takes less is too slow */

struct http_conn {
	TAILQ_ENTRY(http_conn) all;
	TAILQ_ENTRY(http_conn) waiting; /* in conns->idle, longest first */
	TAILQ_ENTRY(http_conn) foreign; /* in conns->foreign if is_foreign */
	LIST_ENTRY(http_conn) bucket;
	struct http_conns *conns;
	struct bufferevent *bev; /* one reference is ours */
	enum http_conn_state state;
	bool is_foreign;
	bool is_shut;
	int64_t since;
	int64_t extra; /* ms more for a long answer */
};

TAILQ_HEAD(conn_list, http_conn);
LIST_HEAD(conn_bucket, http_conn);

struct http_conns {
	struct event_base *base;
	struct http_conns_limits limits;
	struct event *sweep;
	struct event *translate;
	struct conn_list all, idle, foreign;
	struct conn_bucket buckets[BUCKETS];
	size_t count, writing;
	bool is_full;
	void (*full)(void *arg, bool is_full);
	void *arg;
	_Atomic uint64_t n, dropped;
};

static void on_input(struct evbuffer *input, const struct evbuffer_cb_info *info, void *arg);
static void on_output(struct evbuffer *output, const struct evbuffer_cb_info *info, void *arg);

static size_t
bucket_of(const struct bufferevent *bev)
{
	uintptr_t v = (uintptr_t)bev;

	return (v >> 6 ^ v >> 18) % BUCKETS;
}

static void
set_state(struct http_conn *conn, enum http_conn_state state)
{
	struct http_conns *conns = conn->conns;

	if (conn->state == HTTP_CONN_IDLE) {
		TAILQ_REMOVE(&conns->idle, conn, waiting);
	}
	conns->writing -= conn->state == HTTP_CONN_WRITING;
	conn->state = state;
	conn->since = clock_mono_ms();
	conn->extra = 0;
	conns->writing += state == HTTP_CONN_WRITING;
	if (state == HTTP_CONN_IDLE) {
		TAILQ_INSERT_TAIL(&conns->idle, conn, waiting);
	}
}

static void
conn_free(struct http_conn *conn)
{
	struct http_conns *conns = conn->conns;

	set_state(conn, HTTP_CONN_WORKING);
	if (conn->is_foreign) {
		TAILQ_REMOVE(&conns->foreign, conn, foreign);
	}
	TAILQ_REMOVE(&conns->all, conn, all);
	LIST_REMOVE(conn, bucket);
	conns->count--;
	atomic_store_explicit(&conns->n, conns->count, memory_order_relaxed);
	evbuffer_remove_cb(bufferevent_get_input(conn->bev), on_input, conn);
	evbuffer_remove_cb(bufferevent_get_output(conn->bev), on_output, conn);
	bufferevent_decref(conn->bev);
	free(conn);
}

/* evhttp frees its side without telling us; what is left then has no callbacks. Its descriptor is closed and may be somebody
 * else's by now. */
static bool
is_dead(struct http_conn *conn)
{
	bufferevent_data_cb read_cb = NULL, write_cb = NULL;
	bufferevent_event_cb event_cb = NULL;

	bufferevent_getcb(conn->bev, &read_cb, &write_cb, &event_cb, NULL);
	return event_cb == NULL;
}

/* evhttp sees the end of the stream and closes. */
static void
conn_shutdown(struct http_conn *conn)
{
	if (!conn->is_shut) {
		conn->is_shut = true;
		shutdown(bufferevent_getfd(conn->bev), SHUT_RDWR);
	}
}

static void
bury(struct http_conns *conns)
{
	for (struct http_conn *conn = TAILQ_FIRST(&conns->all), *next; conn != NULL; conn = next) {
		next = TAILQ_NEXT(conn, all);
		if (is_dead(conn)) {
			conn_free(conn);
		}
	}
}

static void
set_full(struct http_conns *conns)
{
	bool is_full = conns->count >= conns->limits.connections;

	if (is_full != conns->is_full) {
		conns->is_full = is_full;
		conns->full(conns->arg, is_full);
	}
}

/* Room for newcomers at the cost of those that wait longest for nothing: a proxy opens another connection, a crowd has to
 * come again. */
static void
evict(struct http_conns *conns)
{
	int64_t now = clock_mono_ms();
	size_t n = 0, most = conns->limits.connections / 2;
	struct http_conn *conn;

	TAILQ_FOREACH (conn, &conns->idle, waiting) {
		if (n == most || now - conn->since < EVICT_MIN_MS) {
			break;
		}
		if (!is_dead(conn)) {
			conn_shutdown(conn);
			n++;
		}
	}
}

static void
on_sweep(evutil_socket_t fd, short what, void *arg)
{
	struct http_conns *conns = arg;
	int64_t now = clock_mono_ms();

	(void)fd;
	(void)what;
	for (struct http_conn *conn = TAILQ_FIRST(&conns->all), *next; conn != NULL; conn = next) {
		next = TAILQ_NEXT(conn, all);
		if (is_dead(conn)) {
			conn_free(conn);
		} else if (
		    (conn->state == HTTP_CONN_RECEIVING || conn->state == HTTP_CONN_WRITING) &&
		    now - conn->since > conns->limits.deadline + conn->extra && !conn->is_shut) {
			atomic_fetch_add_explicit(&conns->dropped, 1, memory_order_relaxed);
			conn_shutdown(conn);
		}
	}
	if (conns->is_full) {
		evict(conns);
	}
	set_full(conns);
}

static void
on_input(struct evbuffer *input, const struct evbuffer_cb_info *info, void *arg)
{
	struct http_conn *conn = arg;

	(void)input;
	if (info->n_added > 0 && conn->state == HTTP_CONN_IDLE) {
		set_state(conn, HTTP_CONN_RECEIVING);
	}
}

/* Output that we did not announce is evhttp's own: an error page in HTML, or "100 Continue". */
static void
on_output(struct evbuffer *output, const struct evbuffer_cb_info *info, void *arg)
{
	struct http_conn *conn = arg;

	(void)output;
	if (info->n_added == 0 || conn->state == HTTP_CONN_WRITING || conn->is_foreign) {
		return;
	}
	conn->is_foreign = true;
	TAILQ_INSERT_TAIL(&conn->conns->foreign, conn, foreign);
	event_active(conn->conns->translate, EV_TIMEOUT, 0);
}

static void
on_translate(evutil_socket_t fd, short what, void *arg)
{
	struct http_conns *conns = arg;
	struct http_conn *conn;

	(void)fd;
	(void)what;
	while ((conn = TAILQ_FIRST(&conns->foreign)) != NULL) {
		TAILQ_REMOVE(&conns->foreign, conn, foreign);
		conn->is_foreign = false;
		if (!is_dead(conn) && conn->state != HTTP_CONN_WRITING &&
		    http_translate(bufferevent_get_output(conn->bev))) {
			set_state(conn, HTTP_CONN_WRITING);
		}
	}
}

static bool
watch(struct http_conn *conn)
{
	bufferevent_setwatermark(conn->bev, EV_READ, 0, conn->conns->limits.buffered);
	return evbuffer_add_cb(bufferevent_get_input(conn->bev), on_input, conn) != NULL &&
	       evbuffer_add_cb(bufferevent_get_output(conn->bev), on_output, conn) != NULL;
}

struct bufferevent *
http_conns_bevcb(struct event_base *base, void *arg)
{
	struct http_conns *conns = arg;
	struct http_conn *conn = NULL;
	struct bufferevent *bev = NULL;

	(void)base;
	bev = bufferevent_socket_new(conns->base, -1, 0);
	conn = calloc(1, sizeof(*conn));
	if (bev == NULL || conn == NULL) {
		free(conn);
		return bev;
	}
	conn->conns = conns;
	conn->bev = bev;
	conn->state = HTTP_CONN_WORKING;
	bufferevent_incref(bev);
	TAILQ_INSERT_TAIL(&conns->all, conn, all);
	LIST_INSERT_HEAD(&conns->buckets[bucket_of(bev)], conn, bucket);
	conns->count++;
	atomic_store_explicit(&conns->n, conns->count, memory_order_relaxed);
	set_state(conn, HTTP_CONN_IDLE);
	if (!watch(conn)) {
		/* Out of memory: without its watchers it counts as receiving from now on and meets the deadline. */
		set_state(conn, HTTP_CONN_RECEIVING);
	}
	if (conns->count >= conns->limits.connections) {
		/* The one just made has no callbacks yet and would look dead. */
		TAILQ_REMOVE(&conns->all, conn, all);
		bury(conns);
		TAILQ_INSERT_TAIL(&conns->all, conn, all);
		set_full(conns);
	}
	return bev;
}

static void
on_close(struct evhttp_connection *evcon, void *arg)
{
	struct http_conn *conn = arg;
	struct http_conns *conns = conn->conns;

	(void)evcon;
	conn_free(conn);
	set_full(conns);
}

struct http_conn *
http_conns_find(struct http_conns *conns, struct evhttp_connection *evcon)
{
	struct bufferevent *bev = evhttp_connection_get_bufferevent(evcon);
	struct http_conn *conn;

	LIST_FOREACH (conn, &conns->buckets[bucket_of(bev)], bucket) {
		if (conn->bev == bev) {
			evhttp_connection_set_closecb(evcon, on_close, conn);
			return conn;
		}
	}
	return NULL;
}

void
http_conn_working(struct http_conn *conn)
{
	set_state(conn, HTTP_CONN_WORKING);
	/* Input in this state would be a fault that evhttp does not survive. */
	bufferevent_disable(conn->bev, EV_READ);
}

void
http_conn_writing(struct http_conn *conn, size_t size)
{
	set_state(conn, HTTP_CONN_WRITING);
	conn->extra = (int64_t)(size / BYTES_PER_MS);
}

void
http_conn_idle(struct http_conn *conn)
{
	bool more = evbuffer_get_length(bufferevent_get_input(conn->bev)) > 0;

	set_state(conn, more ? HTTP_CONN_RECEIVING : HTTP_CONN_IDLE);
}

struct http_conns *
http_conns_new(struct event_base *base, const struct http_conns_limits *limits,
    void (*full)(void *arg, bool is_full), void *arg)
{
	static const struct timeval second = {1, 0};
	struct http_conns *conns = calloc(1, sizeof(*conns));

	if (conns == NULL) {
		return NULL;
	}
	http_peer_linked = 1;
	conns->base = base;
	conns->limits = *limits;
	conns->full = full;
	conns->arg = arg;
	TAILQ_INIT(&conns->all);
	TAILQ_INIT(&conns->idle);
	TAILQ_INIT(&conns->foreign);
	conns->sweep = event_new(base, -1, EV_PERSIST, on_sweep, conns);
	conns->translate = event_new(base, -1, 0, on_translate, conns);
	if (conns->sweep == NULL || conns->translate == NULL ||
	    event_add(conns->sweep, &second) != 0) {
		http_conns_free(conns);
		return NULL;
	}
	return conns;
}

void
http_conns_set_limits(struct http_conns *conns, const struct http_conns_limits *limits)
{
	conns->limits = *limits;
	set_full(conns);
}

void
http_conns_free(struct http_conns *conns)
{
	struct http_conn *conn;

	if (conns == NULL) {
		return;
	}
	while ((conn = TAILQ_FIRST(&conns->all)) != NULL) {
		conn_free(conn);
	}
	if (conns->sweep != NULL) {
		event_free(conns->sweep);
	}
	if (conns->translate != NULL) {
		event_free(conns->translate);
	}
	free(conns);
}

void
http_conns_close_idle(struct http_conns *conns)
{
	struct http_conn *conn;

	TAILQ_FOREACH (conn, &conns->idle, waiting) {
		if (!is_dead(conn)) {
			conn_shutdown(conn);
		}
	}
}

size_t
http_conns_count(const struct http_conns *conns)
{
	return atomic_load_explicit(&conns->n, memory_order_relaxed);
}

size_t
http_conns_writing(const struct http_conns *conns)
{
	return conns->writing;
}

uint64_t
http_conns_dropped(const struct http_conns *conns)
{
	return atomic_load_explicit(&conns->dropped, memory_order_relaxed);
}
