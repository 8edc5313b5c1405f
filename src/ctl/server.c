/*
 * The operators' socket: listening, limits, and answers coming back from other threads.
 */
#include "ctl/server.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/unixsocket.h"
#include "conf/conf.h"
#include "ctl/backup.h"
#include "ctl/conn.h"

#define IDLE_MS	       60000 /* without a whole request, or without taking an answer */
#define ACCEPT_AT_ONCE 16
#define BACKLOG	       64
#define TICK_MS	       1000

struct ctl_server {
	struct event_base *base;
	struct ctl_core core;
	struct ctl_roles roles;
	char *path;
	int listen_fd;
	int wake_fd; /* eventfd: calls have come back */
	struct event *event_accept;
	struct event *event_wake;
	struct event *event_tick;
	bool draining;
	size_t conns_max;
	size_t n_conns;
	struct ctl_conn *conns;
	pthread_mutex_t mutex; /* guards finished */
	struct ctl_call *finished;
};

/* ---- answers ---- */

/* Any thread. */
static void
call_done(struct ctl_call *call)
{
	const struct ctl_conn *conn = call->arg;
	struct ctl_server *server = conn->owner;
	uint64_t one = 1;

	(void)pthread_mutex_lock(&server->mutex);
	call->next = server->finished;
	server->finished = call;
	(void)!write(server->wake_fd, &one, sizeof(one));
	(void)pthread_mutex_unlock(&server->mutex);
}

static struct ctl_call *
finished_take(struct ctl_server *server)
{
	struct ctl_call *list;

	(void)pthread_mutex_lock(&server->mutex);
	list = server->finished;
	server->finished = NULL;
	(void)pthread_mutex_unlock(&server->mutex);
	return list;
}

static void
on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct ctl_server *server = arg;
	struct ctl_call *call, *next;
	uint64_t count;

	(void)what;
	if (read(fd, &count, sizeof(count)) < 0 && errno != EAGAIN && errno != EINTR) {
		log_msg(LOG_LEVEL_ERROR, "ctl.wake", "%s", strerror(errno));
	}
	for (call = finished_take(server); call; call = next) {
		next = call->next;
		ctl_conn_answer(call->arg, call);
	}
}

/* ---- connections ---- */

/* Frees what is closed. */
static void
conns_collect(struct ctl_server *server)
{
	struct ctl_conn **link = &server->conns;

	while (*link) {
		struct ctl_conn *conn = *link;

		if (ctl_conn_is_dead(conn)) {
			*link = conn->next;
			server->n_conns--;
			ctl_conn_free(conn);
		} else {
			link = &conn->next;
		}
	}
}

/* Makes room by closing the connection that has been silent for longest; none: all are at work. */
static void
conns_evict(struct ctl_server *server)
{
	struct ctl_conn *oldest = NULL;

	for (struct ctl_conn *conn = server->conns; conn; conn = conn->next) {
		if (conn->fd >= 0 && ctl_conn_is_idle(conn) &&
		    (!oldest || conn->active <= oldest->active)) {
			oldest = conn;
		}
	}
	if (oldest) {
		ctl_conn_close(oldest);
		conns_collect(server);
	}
}

static void
log_refused(const struct ctl_peer *peer, const char *why)
{
	struct log_line line;

	log_begin(&line, LOG_LEVEL_WARNING, "ctl.refused");
	log_int(&line, "uid", (int64_t)peer->uid);
	log_int(&line, "pid", (int64_t)peer->pid);
	log_str(&line, "text", why);
	log_end(&line);
}

/* Takes fd. */
static void
server_accepted(struct ctl_server *server, int fd)
{
	struct ctl_peer peer = {0};
	struct ctl_conn *conn;

	if (ctl_peer_get(fd, &server->roles, &peer) < 0 || !peer.known) {
		log_refused(&peer, "no operator");
		ctl_conn_refuse(fd, CMPD_EACCES, "this user may not talk to cmpd");
		(void)close(fd);
		return;
	}
	conns_collect(server);
	if (server->n_conns >= server->conns_max) {
		conns_evict(server);
	}
	if (server->n_conns >= server->conns_max) {
		log_refused(&peer, "too many connections");
		ctl_conn_refuse(fd, CMPD_EUNAVAILABLE, "too many operators at once, try again");
		(void)close(fd);
		return;
	}
	conn = ctl_conn_new(server->base, fd, &peer, &server->core, call_done);
	if (conn) {
		conn->owner = server;
		conn->next = server->conns;
		server->conns = conn;
		server->n_conns++;
	}
}

static void
on_accept(evutil_socket_t fd, short what, void *arg)
{
	struct ctl_server *server = arg;

	(void)what;
	for (int i = 0; i < ACCEPT_AT_ONCE; i++) {
		int peer_fd = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (peer_fd >= 0) {
			server_accepted(server, peer_fd);
			continue;
		}
		if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR &&
		    errno != ECONNABORTED) {
			/* Out of descriptors: the next tick listens again. */
			(void)event_del(server->event_accept);
		}
		return;
	}
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct ctl_server *server = arg;
	int64_t now = clock_mono_ms();

	(void)fd;
	(void)what;
	for (struct ctl_conn *conn = server->conns; conn; conn = conn->next) {
		if (conn->fd >= 0 && !conn->call && now - conn->active > IDLE_MS) {
			ctl_conn_close(conn);
		}
	}
	conns_collect(server);
	if (!server->draining) {
		(void)event_add(server->event_accept, NULL);
	}
}

/* ---- listening ---- */

/* Others than root and our own user can connect only if the file lets them; who they are is then seen by their
 * credentials, as ever. */
static mode_t
mode_for(const struct ctl_roles *roles)
{
	return roles->n_users > 0 || roles->n_groups > 0 ? 0666 : 0660;
}

/* The mode is right before anybody can connect. */
static int
listen_on(const char *path, mode_t mode, int *ret_fd, struct diag *diag)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = -1;
	int r;

	if (strlen(path) >= sizeof(address.sun_path)) {
		return diag_set(diag, CMPD_ECONF, "control.socket: %s is longer than %zu bytes",
		    path, sizeof(address.sun_path) - 1);
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	r = unixsocket_clear(&address, diag);
	if (r < 0) {
		return r;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    chmod(path, mode) < 0 || listen(fd, BACKLOG) < 0) {
		r = diag_set(diag, CMPD_EIO, "control.socket: %s: %s", path, strerror(errno));
		if (fd >= 0) {
			(void)close(fd);
		}
		return r;
	}
	*ret_fd = fd;
	return 0;
}

static int
server_add_events(struct ctl_server *server)
{
	static const struct timeval tick = {.tv_sec = TICK_MS / 1000};

	server->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (server->wake_fd < 0) {
		return CMPD_EIO;
	}
	server->event_accept =
	    event_new(server->base, server->listen_fd, EV_READ | EV_PERSIST, on_accept, server);
	server->event_wake =
	    event_new(server->base, server->wake_fd, EV_READ | EV_PERSIST, on_wake, server);
	server->event_tick = event_new(server->base, -1, EV_PERSIST, on_tick, server);
	if (!server->event_accept || !server->event_wake || !server->event_tick ||
	    event_add(server->event_accept, NULL) < 0 || event_add(server->event_wake, NULL) < 0 ||
	    event_add(server->event_tick, &tick) < 0) {
		return CMPD_ENOMEM;
	}
	return 0;
}

int
ctl_server_new(struct event_base *base, const struct conf *conf, const struct ctl_host *host,
    struct ctl_server **ret, struct diag *diag)
{
	struct ctl_server *server = calloc(1, sizeof(*server));
	int r = CMPD_ENOMEM;

	if (!server) {
		return r;
	}
	ctl_json_setup();
	(void)pthread_mutex_init(&server->mutex, NULL);
	server->base = base;
	server->core.host = *host;
	server->listen_fd = -1;
	server->wake_fd = -1;
	server->conns_max = (size_t)conf->limits.control_connections;
	server->core.backup = ctl_backup_new(host->store);
	server->path = strdup(conf->control.socket);
	if (!server->core.backup || !server->path) {
		goto out;
	}
	r = ctl_roles_init(&server->roles, conf, diag);
	if (r < 0) {
		goto out;
	}
	r = listen_on(server->path, mode_for(&server->roles), &server->listen_fd, diag);
	if (r < 0) {
		goto out;
	}
	r = server_add_events(server);
	if (r < 0) {
		goto out;
	}
	*ret = server;
	server = NULL;
out:
	ctl_server_free(server);
	return r;
}

void
ctl_server_reconfigure(struct ctl_server *server, const struct conf *conf)
{
	struct ctl_roles roles;
	struct diag diag = {0};
	int r = ctl_roles_init(&roles, conf, &diag);

	server->conns_max = (size_t)conf->limits.control_connections;
	if (r == CMPD_ENOMEM) {
		log_msg(LOG_LEVEL_ERROR, "ctl.reload",
		    "out of memory: operators stay as they were");
		return;
	}
	if (r < 0) {
		log_msg(LOG_LEVEL_WARNING, "ctl.reload", "%s", diag.text);
	}
	ctl_roles_fini(&server->roles);
	server->roles = roles;
	if (server->listen_fd >= 0 && chmod(server->path, mode_for(&server->roles)) < 0) {
		log_msg(LOG_LEVEL_WARNING, "ctl.reload", "%s: %s", server->path, strerror(errno));
	}
}

/* ---- the end ---- */

static void
stop_listening(struct ctl_server *server)
{
	if (server->event_accept) {
		event_free(server->event_accept);
		server->event_accept = NULL;
	}
	if (server->listen_fd >= 0) {
		(void)unlink(server->path);
		(void)close(server->listen_fd);
		server->listen_fd = -1;
	}
}

void
ctl_server_drain(struct ctl_server *server)
{
	server->draining = true;
	stop_listening(server);
	for (struct ctl_conn *conn = server->conns; conn; conn = conn->next) {
		conn->draining = true;
		if (ctl_conn_is_idle(conn)) {
			ctl_conn_close(conn);
		}
	}
	conns_collect(server);
}

size_t
ctl_server_pending(const struct ctl_server *server)
{
	size_t n = 0;

	for (const struct ctl_conn *conn = server->conns; conn; conn = conn->next) {
		n += conn->call || (conn->fd >= 0 && conn->out.len > 0) ? 1 : 0;
	}
	return n;
}

void
ctl_server_join(struct ctl_server *server)
{
	ctl_backup_join(server->core.backup);
}

void
ctl_server_free(struct ctl_server *server)
{
	struct ctl_call *call, *next;

	if (!server) {
		return;
	}
	stop_listening(server);
	ctl_backup_free(server->core.backup);
	for (call = finished_take(server); call; call = next) {
		next = call->next;
		((struct ctl_conn *)call->arg)->call = NULL;
		ctl_call_free(call);
	}
	for (struct ctl_conn *conn = server->conns; conn; conn = conn->next) {
		ctl_conn_close(conn);
	}
	conns_collect(server);
	if (server->event_wake) {
		event_free(server->event_wake);
	}
	if (server->event_tick) {
		event_free(server->event_tick);
	}
	if (server->wake_fd >= 0) {
		(void)close(server->wake_fd);
	}
	ctl_roles_fini(&server->roles);
	free(server->path);
	(void)pthread_mutex_destroy(&server->mutex);
	free(server);
}
