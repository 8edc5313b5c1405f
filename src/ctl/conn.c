/*
 * A connection of the operators' socket.
 */
#include "ctl/conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define READ_SIZE 16384

static void on_readable(evutil_socket_t fd, short what, void *arg);
static void on_writable(evutil_socket_t fd, short what, void *arg);

struct ctl_conn *
ctl_conn_new(struct event_base *base, int fd, const struct ctl_peer *peer,
    const struct ctl_core *core, void (*call_done)(struct ctl_call *call))
{
	struct ctl_conn *conn = calloc(1, sizeof(*conn));

	if (!conn) {
		(void)close(fd);
		return NULL;
	}
	conn->fd = fd;
	conn->peer = *peer;
	conn->core = core;
	conn->call_done = call_done;
	conn->active = clock_mono_ms();
	ctl_decoder_init(&conn->decoder, CTL_REQUEST_MAX);
	buf_init(&conn->out, CTL_ANSWER_MAX + 4);
	conn->event_read = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, conn);
	conn->event_write = event_new(base, fd, EV_WRITE, on_writable, conn);
	if (!conn->event_read || !conn->event_write || event_add(conn->event_read, NULL) < 0) {
		ctl_conn_close(conn);
		ctl_conn_free(conn);
		return NULL;
	}
	return conn;
}

void
ctl_conn_close(struct ctl_conn *conn)
{
	if (conn->event_read) {
		event_free(conn->event_read);
	}
	if (conn->event_write) {
		event_free(conn->event_write);
	}
	conn->event_read = NULL;
	conn->event_write = NULL;
	if (conn->fd >= 0) {
		(void)close(conn->fd);
	}
	conn->fd = -1;
}

void
ctl_conn_free(struct ctl_conn *conn)
{
	ctl_decoder_fini(&conn->decoder);
	buf_fini(&conn->out);
	free(conn);
}

bool
ctl_conn_is_dead(const struct ctl_conn *conn)
{
	return conn->fd < 0 && !conn->call;
}

bool
ctl_conn_is_idle(const struct ctl_conn *conn)
{
	return !conn->call && conn->out.len == 0;
}

/* Sends what can be sent now; waits for the rest. */
static void
conn_send(struct ctl_conn *conn)
{
	while (conn->out_pos < conn->out.len) {
		ssize_t n = send(conn->fd, conn->out.data + conn->out_pos,
		    conn->out.len - conn->out_pos, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			if (event_add(conn->event_write, NULL) < 0) {
				ctl_conn_close(conn);
			}
			return;
		}
		if (n < 0) {
			ctl_conn_close(conn);
			return;
		}
		conn->out_pos += (size_t)n;
		conn->active = clock_mono_ms();
	}
	buf_fini(&conn->out);
	conn->out_pos = 0;
	if (conn->closing || conn->draining) {
		ctl_conn_close(conn);
	}
}

static void
conn_refuse(struct ctl_conn *conn, int code, const char *text)
{
	ctl_call_refuse(&conn->out, code, text);
	if (conn->out.len == 0) {
		ctl_conn_close(conn);
	}
}

static void
conn_request(struct ctl_conn *conn, const json_t *request)
{
	const struct ctl_command *command = NULL;
	const json_t *args = NULL;
	struct diag diag = {0};
	struct ctl_call *call;
	int r = ctl_command_check(request, &conn->peer, &command, &args, &diag);

	if (r < 0) {
		conn->closing = r == CMPD_EFORMAT;
		conn_refuse(conn, r, diag.text);
		return;
	}
	call = ctl_call_new(conn->core, &conn->peer, command, args, conn->call_done, conn);
	if (!call) {
		conn_refuse(conn, CMPD_ENOMEM, NULL);
		return;
	}
	conn->call = call;
	ctl_call_start(call);
}

/* A frame that cannot be understood: say so and close, for nobody knows where the next one begins. */
static void
conn_malformed(struct ctl_conn *conn, int r)
{
	struct log_line line;

	log_begin(&line, LOG_LEVEL_WARNING, "ctl.malformed");
	log_int(&line, "uid", (int64_t)conn->peer.uid);
	log_int(&line, "pid", (int64_t)conn->peer.pid);
	log_str(&line, "text", cmpd_strerror(r));
	log_end(&line);
	conn->closing = true;
	conn_refuse(conn, r,
	    r == CMPD_ELIMIT	? "the request is too long"
	    : r == CMPD_EFORMAT ? "the request is not a JSON object"
				: NULL);
}

/* Works on what was received as far as it can be answered now. */
static void
conn_advance(struct ctl_conn *conn)
{
	while (conn->fd >= 0 && !conn->call && conn->out.len == 0 && !conn->draining) {
		json_t *request = NULL;
		int r = ctl_decoder_next(&conn->decoder, &request);

		if (r == CMPD_ENOENT) {
			break;
		}
		conn->active = clock_mono_ms();
		if (r < 0) {
			conn_malformed(conn, r);
		} else {
			conn_request(conn, request);
		}
		json_decref(request);
		if (conn->fd >= 0 && conn->out.len > 0) {
			conn_send(conn);
		}
	}
	if (conn->fd < 0) {
		return;
	}
	if (ctl_conn_is_idle(conn) && !conn->draining) {
		if (event_add(conn->event_read, NULL) < 0) {
			ctl_conn_close(conn);
		}
	} else {
		(void)event_del(conn->event_read);
	}
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct ctl_conn *conn = arg;
	uint8_t data[READ_SIZE];
	ssize_t n = recv(fd, data, sizeof(data), MSG_DONTWAIT);
	int r;

	(void)what;
	if (n < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK)) {
		return;
	}
	if (n <= 0) {
		ctl_conn_close(conn);
		return;
	}
	r = ctl_decoder_feed(&conn->decoder, bytes_of(data, (size_t)n));
	explicit_bzero(data, (size_t)n);
	if (r < 0) {
		conn_malformed(conn, r);
		if (conn->fd >= 0) {
			conn_send(conn);
		}
	}
	conn_advance(conn);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct ctl_conn *conn = arg;

	(void)fd;
	(void)what;
	conn_send(conn);
	conn_advance(conn);
}

void
ctl_conn_answer(struct ctl_conn *conn, struct ctl_call *call)
{
	conn->call = NULL;
	conn->active = clock_mono_ms();
	if (conn->fd >= 0) {
		/* The frame changes hands; conn->out is empty while a call is under way. */
		buf_fini(&conn->out);
		conn->out = call->frame;
		buf_init(&call->frame, 0);
		if (conn->out.len == 0) {
			ctl_conn_close(conn);
		} else {
			conn_send(conn);
		}
		conn_advance(conn);
	}
	ctl_call_free(call);
}

void
ctl_conn_refuse(int fd, int code, const char *text)
{
	struct buf out;

	buf_init(&out, CTL_ANSWER_MAX);
	ctl_call_refuse(&out, code, text);
	if (out.len > 0) {
		(void)!send(fd, out.data, out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	}
	buf_fini(&out);
}
