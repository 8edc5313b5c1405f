/*
 * The operators' socket. The I/O thread accepts, reads frames and writes answers here; what a command
 * does runs on the housekeeping thread, changes are made durable by the store's committer, and only then the answer leaves.
 *
 * All functions belong to the I/O thread (the one that runs the event base).
 */
#pragma once

#include "base/bytes.h"
#include "base/error.h"

struct conf;
struct ctl_server;
struct desk;
struct event_base;
struct store;

/* What only the daemon knows. */
struct ctl_status {
	const char *version;
	int64_t started; /* clock_wall_ms at the start */
	int64_t workers;
	int64_t queue; /* requests waiting for a worker */
	int64_t queue_max; /* where 503 begins */
	int64_t parked; /* requests waiting for a plugin */
	uint64_t requests; /* HTTP requests since the start */
	uint64_t refused; /* of these answered with 503 */
	int64_t http_connections;
};

/* What the daemon does for operators. */
struct ctl_host {
	/* Lets fn(fn_arg, desk) run once on the housekeeping thread, soon. desk: conf, issuer, policy and reader are set; pool, unit and
	 * now are fn's business. desk NULL: the daemon is going down (then from any thread). 0, or CMPD_ELIMIT, CMPD_ECLOSED: fn will not be called.
	 * Called from any thread; must not block. */
	int (*post)(void *arg, void (*fn)(void *fn_arg, struct desk *desk), void *fn_arg);
	/* Load, check, swap the configuration, as SIGHUP does. Housekeeping thread. */
	int (*reload)(void *arg, struct diag *diag);
	/* Fills all of *ret; version must stay valid. Housekeeping thread. */
	void (*status)(void *arg, struct ctl_status *ret);
	/* Makes a CRL of this generation of a CA now, and it is durable then. CMPD_ENOENT: it makes none. Housekeeping thread, from within a
	 * posted fn, whose desk is given. */
	int (*make_crl)(void *arg, struct desk *desk, const uint8_t *ca, struct diag *diag);
	struct store *store;
	void *arg;
};

/*
 * Listens on conf->control.socket (mode 0660, or 0666 if it names operators; a socket nobody listens on any more is replaced) and takes what it needs from conf.
 * host is copied. CMPD_EEXIST: somebody listens there, or it is not a socket; CMPD_EIO; CMPD_ECONF: no such user or group; the
 * words are in diag.
 */
int ctl_server_new(struct event_base *base, const struct conf *conf, const struct ctl_host *host,
    struct ctl_server **ret, struct diag *diag) CMPD_MUST_CHECK;
/* Users, groups and the number of connections of a new configuration; those that are open stay. A user or group that does not exist (any more) is
 * logged and left out. */
void ctl_server_reconfigure(struct ctl_server *server, const struct conf *conf);
/* Going down: accepts and reads no more, removes the socket; answers under way still leave. */
void ctl_server_drain(struct ctl_server *server);
/* Commands that are not answered yet. A backup counts: it takes as long as the disk needs. */
size_t ctl_server_pending(const struct ctl_server *server);
/* Only when every posted function has run, the store has called its last done and no backup runs (pending commands whose answers
 * could not leave are dropped). NULL is fine. */
void ctl_server_free(struct ctl_server *server);
/* Waits for a backup that runs: to be called before store_close. */
void ctl_server_join(struct ctl_server *server);
