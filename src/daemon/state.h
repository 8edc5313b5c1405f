/*
 * What the files of the daemon share; nobody else includes this.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "base/error.h"
#include "daemon/job.h"

struct ctl_host;
struct ctl_status;
struct ctl_server;
struct event;
struct event_base;
struct housekeeping;
struct http_handlers;
struct http_server;
struct shelf;
struct snapshot;
struct workers;

enum { SIGNALS = 3 };

struct daemon {
	struct event_base *base;
	struct snapshot *current; /* the I/O thread's: for requests that come from now on */
	struct flow flow;
	struct workers *workers;
	struct housekeeping *housekeeping;
	struct housekeeping *_Atomic to_wake; /* when something was revoked: for the committer */
	uint64_t revocations; /* of the store, as the committer saw them last */
	struct shelf *shelf; /* I/O thread */
	struct http_server *http;
	struct ctl_server *ctl;
	size_t n_workers;
	int64_t started;
	bool draining; /* I/O thread */
	int64_t drain_until; /* monotonic */
	struct event *signals[SIGNALS];
	struct event *drain_timer;
	struct event *watchdog;
	pthread_mutex_t burial_lock;
	pthread_cond_t buried;
	unsigned burials; /* old configurations that are being destroyed */
};

/* service.c: takes another shelf over, for the I/O thread. */
void daemon_publish(void *daemon, struct shelf *shelf);
/* service.c: what HTTP and operators ask the daemon for; arg is the daemon. */
void daemon_http_handlers(struct daemon *daemon, struct http_handlers *ret);
void daemon_ctl_host(struct daemon *daemon, struct ctl_host *ret);
/* Load, check, swap. Housekeeping thread. On failure the old configuration stays, and the log says why. */
int daemon_reload(void *daemon, struct diag *diag) CMPD_MUST_CHECK;

/* signals.c. CMPD_ENOMEM. */
int daemon_signals_start(struct daemon *daemon) CMPD_MUST_CHECK;
void daemon_signals_stop(struct daemon *daemon);

/* log_level of the configuration. */
void daemon_set_log_level(const struct conf *conf);
