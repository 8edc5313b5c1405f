/*
 * A call: one request on its way from the I/O thread to the housekeeping thread, perhaps the committer, and back.
 */
#pragma once

#include <jansson.h>

#include "base/buf.h"
#include "ctl/commands.h"
#include "ctl/server.h"

struct ctl_backup;

/* What all calls share; outlives them. */
struct ctl_core {
	struct ctl_host host;
	struct ctl_backup *backup;
};

struct ctl_call {
	/* Set by who makes it. */
	const struct ctl_core *core;
	struct ctl_peer peer;
	const struct ctl_command *command;
	json_t *args; /* owned; NULL: none */
	/* Called once, from any thread, when frame is filled. Must not block. */
	void (*done)(struct ctl_call *call);
	void *arg;
	struct ctl_call *next; /* for who is done */

	/* The answer, a whole frame. */
	struct buf frame;

	int attempts;
	char actor[CTL_ACTOR_SIZE];
};

/* args is borrowed, NULL: none. NULL: out of memory. */
struct ctl_call *ctl_call_new(const struct ctl_core *core, const struct ctl_peer *peer,
    const struct ctl_command *command, const json_t *args, void (*done)(struct ctl_call *call),
    void *arg);
void ctl_call_free(struct ctl_call *call);

/* Sends it off. When the host does not take it, done is called at once with an answer that says so. */
void ctl_call_start(struct ctl_call *call);

/* For handlers that parked: the answer is here. data is stolen; on failure text says what. */
void ctl_call_end(struct ctl_call *call, int result, json_t *data, const char *text);

/* Appends an answer that says no. Out of memory: nothing is appended. */
void ctl_call_refuse(struct buf *frame, int code, const char *text);
