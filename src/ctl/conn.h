/*
 * One connection of an operator: frames in, one call at a time, frames out. While an answer is due or not yet taken by the
 * peer nothing is read, so a connection never holds more than one frame in and one frame out. I/O thread.
 */
#pragma once

#include <event2/event.h>

#include "ctl/call.h"
#include "ctl/protocol.h"

struct ctl_conn {
	struct ctl_conn *next; /* for its owner, as is this */
	struct ctl_server *owner;
	int fd; /* -1: closed; the conn waits for its call to come back */
	struct ctl_peer peer;
	const struct ctl_core *core;
	struct event *event_read;
	struct event *event_write;
	struct ctl_decoder decoder;
	struct buf out;
	size_t out_pos; /* up to here it was sent */
	struct ctl_call *call; /* under way */
	bool closing; /* close when out is sent */
	bool draining; /* take no more requests */
	int64_t active; /* clock_mono_ms of the last progress: a whole request or bytes sent */
	void (*call_done)(struct ctl_call *call); /* given to calls; call->arg is the conn */
};

/* Takes fd (closed in any case). call_done: see ctl_call; it brings the call to ctl_conn_answer on the I/O thread. NULL: out of memory. */
struct ctl_conn *ctl_conn_new(struct event_base *base, int fd, const struct ctl_peer *peer,
    const struct ctl_core *core, void (*call_done)(struct ctl_call *call));
/* May be freed: closed, and no call is under way. */
bool ctl_conn_is_dead(const struct ctl_conn *conn);
/* Nothing is under way: may be closed without harm. */
bool ctl_conn_is_idle(const struct ctl_conn *conn);
/* The call has come back; takes it. */
void ctl_conn_answer(struct ctl_conn *conn, struct ctl_call *call);
void ctl_conn_close(struct ctl_conn *conn);
/* Closed before; the call that may still be under way is given up by the owner. */
void ctl_conn_free(struct ctl_conn *conn);
/* Says one thing to a peer that is not served; best effort, never waits. Does not close fd. */
void ctl_conn_refuse(int fd, int code, const char *text);
