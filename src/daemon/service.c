#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/queue.h"
#include "conf/conf.h"
#include "ctl/server.h"
#include "daemon/housekeeping.h"
#include "daemon/notify.h"
#include "daemon/routes.h"
#include "daemon/shelf.h"
#include "daemon/snapshot.h"
#include "daemon/state.h"
#include "daemon/version.h"
#include "http/http.h"

static int
on_route(void *arg, const char *path, const void **ret_route, int *ret_operation)
{
	struct daemon *daemon = arg;
	const struct conf_endpoint *endpoint = NULL;
	enum cmp_operation operation = CMP_OP_NONE;
	int r = routes_find(daemon->current->routes, path, &endpoint, &operation);

	if (r == 0) {
		*ret_route = endpoint;
		*ret_operation = (int)operation;
	}
	return r;
}

static int
on_request(void *arg, const struct http_request_info *info, const void *route, int operation)
{
	struct daemon *daemon = arg;

	return job_start(&daemon->flow, daemon->current, route, (enum cmp_operation)operation,
	    info);
}

static bool
on_ready(void *arg)
{
	struct daemon *daemon = arg;

	return !daemon->draining;
}

static int
on_file(void *arg, const char *path, struct http_file *ret)
{
	struct daemon *daemon = arg;

	return shelf_find(daemon->shelf, path, ret);
}

struct new_shelf {
	struct letter letter;
	struct daemon *daemon;
	struct shelf *shelf;
};

static void
set_shelf(void *arg)
{
	struct new_shelf *s = arg;

	shelf_free(s->daemon->shelf);
	s->daemon->shelf = s->shelf;
	free(s);
}

void
daemon_publish(void *arg, struct shelf *shelf)
{
	struct daemon *daemon = arg;
	struct new_shelf *s = malloc(sizeof(*s));

	if (s == NULL) {
		log_msg(LOG_LEVEL_ERROR, "crl.failed", "out of memory: nothing new is published");
		shelf_free(shelf);
		return;
	}
	*s = (struct new_shelf){{NULL, set_shelf, s}, daemon, shelf};
	mailbox_post(daemon->flow.mailbox, &s->letter);
}

void
daemon_http_handlers(struct daemon *daemon, struct http_handlers *ret)
{
	*ret = (struct http_handlers){.route = on_route,
	    .on_request = on_request,
	    .ready = on_ready,
	    .file = on_file,
	    .arg = daemon};
}

static int
on_post(void *arg, void (*fn)(void *fn_arg, struct desk *desk), void *fn_arg)
{
	struct daemon *daemon = arg;

	return housekeeping_post(daemon->housekeeping, fn, fn_arg);
}

static void
on_status(void *arg, struct ctl_status *ret)
{
	struct daemon *daemon = arg;
	struct http_stats stats;

	http_server_stats(daemon->http, &stats);
	*ret = (struct ctl_status){
	    .version = CMPD_VERSION,
	    .started = daemon->started,
	    .workers = (int64_t)daemon->n_workers,
	    .queue = (int64_t)queue_len(daemon->flow.queue),
	    .queue_max = housekeeping_snapshot0(daemon->housekeeping)->conf->limits.queue,
	    .parked = atomic_load(&daemon->flow.parked),
	    .requests = stats.requests,
	    .refused = stats.refused,
	    .http_connections = (int64_t)stats.connections,
	};
}

static int
on_make_crl(void *arg, struct desk *desk, const uint8_t *ca, struct diag *diag)
{
	struct daemon *daemon = arg;

	return housekeeping_make_crl(daemon->housekeeping, desk, ca, diag);
}

void
daemon_ctl_host(struct daemon *daemon, struct ctl_host *ret)
{
	*ret = (struct ctl_host){
	    .post = on_post,
	    .reload = daemon_reload,
	    .status = on_status,
	    .make_crl = on_make_crl,
	    .store = daemon->flow.store,
	    .arg = daemon,
	};
}

void
daemon_set_log_level(const struct conf *conf)
{
	static const struct {
		const char *name;
		enum log_level level;
	} levels[] = {
	    {"error", LOG_LEVEL_ERROR},
	    {"warning", LOG_LEVEL_WARNING},
	    {"info", LOG_LEVEL_INFO},
	    {"debug", LOG_LEVEL_DEBUG},
	};

	for (size_t i = 0; conf->log_level != NULL && i < sizeof(levels) / sizeof(levels[0]); i++) {
		if (strcmp(levels[i].name, conf->log_level) == 0) {
			log_set_level(levels[i].level);
		}
	}
}

struct swap {
	struct letter letter;
	struct daemon *daemon;
	struct snapshot *snapshot;
};

/* I/O thread: what comes from now on is answered under the new configuration. */
static void
swap(void *arg)
{
	struct swap *s = arg;
	struct daemon *daemon = s->daemon;
	struct snapshot *old = daemon->current;

	daemon->current = s->snapshot;
	daemon_set_log_level(s->snapshot->conf);
	http_server_reconfigure(daemon->http, s->snapshot->conf);
	ctl_server_reconfigure(daemon->ctl, s->snapshot->conf);
	snapshot_put(old);
	free(s);
}

static int
load(struct daemon *daemon, struct snapshot **ret, struct diag *diag)
{
	const struct conf *old = housekeeping_snapshot0(daemon->housekeeping)->conf;
	struct conf *conf = NULL;
	int r;

	r = conf_load(old->file, &conf, diag);
	if (r < 0) {
		return r;
	}
	r = conf_check_reload(old, conf, diag);
	if (r < 0) {
		conf_free(conf);
		return r;
	}
	return snapshot_new(conf, daemon->n_workers, ret, diag);
}

int
daemon_reload(void *arg, struct diag *diag)
{
	struct daemon *daemon = arg;
	struct snapshot *snapshot = NULL;
	struct swap *s = malloc(sizeof(*s));
	int r = diag_set(diag, CMPD_ENOMEM, "out of memory");

	notify_reloading();
	if (s != NULL) {
		r = load(daemon, &snapshot, diag);
	}
	if (r < 0) {
		log_msg(LOG_LEVEL_ERROR, "daemon.reload_failed", "%s; the old configuration stays",
		    diag->text);
		free(s);
	} else {
		housekeeping_set_snapshot(daemon->housekeeping, snapshot);
		*s = (struct swap){{NULL, swap, s}, daemon, snapshot};
		mailbox_post(daemon->flow.mailbox, &s->letter);
		log_msg(LOG_LEVEL_INFO, "daemon.reloaded", "%s", snapshot->conf->file);
	}
	notify_ready();
	return r;
}
