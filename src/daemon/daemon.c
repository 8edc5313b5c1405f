#include "daemon/daemon.h"

#include <event2/event.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/queue.h"
#include "conf/conf.h"
#include "ctl/server.h"
#include "daemon/housekeeping.h"
#include "daemon/mailbox.h"
#include "daemon/notify.h"
#include "daemon/shelf.h"
#include "daemon/snapshot.h"
#include "daemon/state.h"
#include "daemon/version.h"
#include "daemon/worker.h"
#include "http/http.h"
#include "policy/policy.h"
#include "store/store.h"

#define WORKERS_MAX 120 /* the store has 126 readers */

static size_t
count_workers(const struct conf *conf)
{
	cpu_set_t set;
	long n = conf->workers;

	if (n == 0 && sched_getaffinity(0, sizeof(set), &set) == 0) {
		n = CPU_COUNT(&set);
	}
	if (n < 1) {
		n = 1;
	}
	return n > WORKERS_MAX ? WORKERS_MAX : (size_t)n;
}

static void
on_batch_done(void *arg)
{
	struct daemon *daemon = arg;
	struct housekeeping *housekeeping = atomic_load(&daemon->to_wake);
	uint64_t revocations;

	mailbox_flush(daemon->flow.mailbox);
	if (housekeeping != NULL) {
		revocations = store_revocations(daemon->flow.store);
		if (revocations != daemon->revocations) {
			daemon->revocations = revocations;
			housekeeping_wake(housekeeping);
		}
	}
}

static struct store_options
store_options_of(const struct conf *conf, struct daemon *daemon)
{
	return (struct store_options){
	    .dir = conf->state_dir,
	    .key_file = conf->store.key,
	    .map_size = (uint64_t)conf->store.map_size,
	    .sync = conf->store.sync,
	    .batch_done = daemon == NULL ? NULL : on_batch_done,
	    .batch_arg = daemon,
	};
}

int
daemon_check(struct conf *conf, struct diag *diag)
{
	struct snapshot *snapshot = NULL;
	struct store_options options;
	int r = 0;

	for (size_t i = 0; r == 0 && conf->listen != NULL && conf->listen[i] != NULL; i++) {
		r = http_address_check(conf->listen[i], diag);
	}
	if (r == 0 && conf->health != NULL) {
		r = http_address_check(conf->health, diag);
	}
	if (r < 0) {
		diag_prefix(diag, "%s", conf->file);
		conf_free(conf);
		return r;
	}
	r = snapshot_new(conf, 1, &snapshot, diag);
	if (r < 0) {
		return r;
	}
	options = store_options_of(snapshot->conf, NULL);
	r = store_check(&options, diag);
	snapshot_put(snapshot);
	return r;
}

/* What a connection needs most; the hard limit is the administrator's word. */
static void
raise_descriptors(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
}

/* Keys and secrets do not belong into a file that a crash leaves behind; who needs one can raise it (prlimit). */
static void
forbid_core(void)
{
	struct rlimit core;

	if (getrlimit(RLIMIT_CORE, &core) == 0) {
		core.rlim_cur = 0;
		(void)setrlimit(RLIMIT_CORE, &core);
	}
}

static void
destroy_task(void *arg, struct desk *desk)
{
	(void)desk;
	snapshot_destroy(arg);
}

struct burial {
	struct daemon *daemon;
	struct snapshot *snapshot;
};

static void *
burial_main(void *arg)
{
	struct burial *burial = arg;
	struct daemon *daemon = burial->daemon;

	snapshot_destroy(burial->snapshot);
	free(burial);
	digest_thread_fini();
	/* Here and not at the end of the thread, which nobody waits for. */
	OPENSSL_thread_stop();
	pthread_mutex_lock(&daemon->burial_lock);
	daemon->burials--;
	pthread_cond_broadcast(&daemon->buried);
	pthread_mutex_unlock(&daemon->burial_lock);
	return NULL;
}

/* On a thread of its own, because plugins may take their time to end. */
static bool
bury(struct daemon *daemon, struct snapshot *snapshot)
{
	struct burial *burial = malloc(sizeof(*burial));
	sigset_t all, before;
	pthread_attr_t attr;
	pthread_t thread;
	bool started;

	if (burial == NULL) {
		return false;
	}
	*burial = (struct burial){daemon, snapshot};
	pthread_mutex_lock(&daemon->burial_lock);
	daemon->burials++;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	started = pthread_create(&thread, &attr, burial_main, burial) == 0;
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!started) {
		daemon->burials--;
		free(burial);
	}
	pthread_mutex_unlock(&daemon->burial_lock);
	return started;
}

static void
await_burials(struct daemon *daemon)
{
	pthread_mutex_lock(&daemon->burial_lock);
	while (daemon->burials > 0) {
		pthread_cond_wait(&daemon->buried, &daemon->burial_lock);
	}
	pthread_mutex_unlock(&daemon->burial_lock);
}

static void
on_last_reference(void *arg, struct snapshot *snapshot)
{
	struct daemon *daemon = arg;

	if (bury(daemon, snapshot)) {
		return;
	}
	if (housekeeping_post_always(daemon->housekeeping, destroy_task, snapshot) < 0) {
		snapshot_destroy(snapshot);
	}
}

/* Signals go to the I/O thread alone. */
static int
start_threads(struct daemon *daemon, struct diag *diag)
{
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = housekeeping_start(daemon->flow.store, daemon->current, daemon_publish, daemon,
	    &daemon->housekeeping, diag);
	if (r == 0) {
		atomic_store(&daemon->to_wake, daemon->housekeeping);
		daemon->flow.housekeeping = daemon->housekeeping;
		r = workers_start(&daemon->flow, daemon->n_workers, &daemon->workers, diag);
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r;
}

static int
open_store(struct daemon *daemon, struct diag *diag)
{
	struct store_options options = store_options_of(daemon->current->conf, daemon);
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = store_open(&options, &daemon->flow.store, diag);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r;
}

/* Everything behind the doors first, then the operators' door; who can connect by HTTP finds all of it there. */
static int
start(struct daemon *daemon, struct diag *diag)
{
	const struct conf *conf = daemon->current->conf;
	struct http_handlers handlers;
	struct ctl_host host;
	int r = diag_set(diag, CMPD_ENOMEM, "out of memory");

	daemon->base = event_base_new();
	if (daemon->base != NULL) {
		daemon->flow.mailbox = mailbox_new(daemon->base);
	}
	daemon->flow.base = daemon->base;
	daemon->flow.queue = queue_new((size_t)conf->limits.queue);
	if (daemon->flow.mailbox == NULL || daemon->flow.queue == NULL) {
		return r;
	}
	r = open_store(daemon, diag);
	if (r == 0) {
		r = start_threads(daemon, diag);
	}
	if (r == 0) {
		snapshot_set_last_hook(on_last_reference, daemon);
		r = daemon_signals_start(daemon);
	}
	if (r == 0) {
		daemon_ctl_host(daemon, &host);
		r = ctl_server_new(daemon->base, conf, &host, &daemon->ctl, diag);
	}
	if (r == 0) {
		mailbox_open(daemon->flow.mailbox); /* the first CRLs */
		daemon_http_handlers(daemon, &handlers);
		r = http_server_new(daemon->base, conf, &handlers, &daemon->http, diag);
	}
	return r;
}

/* In the order in which things depend on each other; also after a start that stopped half-way. */
static void
stop(struct daemon *daemon)
{
	struct flow *flow = &daemon->flow;

	atomic_store(&flow->stopping, true);
	policy_hurry();
	if (flow->queue != NULL) {
		queue_close(flow->queue);
	}
	workers_join(daemon->workers);
	housekeeping_stop(daemon->housekeeping);
	if (daemon->ctl != NULL) {
		ctl_server_join(daemon->ctl);
	}
	if (flow->store != NULL) {
		store_close(flow->store);
	}
	if (flow->mailbox != NULL) {
		mailbox_open(flow->mailbox);
	}
	flow_fini(flow);
	if (daemon->base != NULL && daemon->http != NULL) {
		event_base_loop(daemon->base, EVLOOP_NONBLOCK);
	}
	ctl_server_free(daemon->ctl);
	http_server_free(daemon->http);
	daemon_signals_stop(daemon);
	snapshot_set_last_hook(NULL, NULL);
	snapshot_put(daemon->current);
	await_burials(daemon);
	housekeeping_free(daemon->housekeeping);
	shelf_free(daemon->shelf);
	mailbox_free(flow->mailbox);
	queue_free(flow->queue);
	if (daemon->base != NULL) {
		event_base_free(daemon->base);
	}
}

/* Over a unix socket all peers look alike: what one of them does wrong, all pay for. */
static void
warn_of_unknown_peers(const struct conf *conf)
{
	for (const char **listen = conf->listen; listen != NULL && *listen != NULL; listen++) {
		if (strncmp(*listen, "unix:", 5) == 0 &&
		    (conf->proxies == NULL || conf->proxies[0] == NULL)) {
			log_msg(LOG_LEVEL_WARNING, "daemon.proxies",
			    "%s is served but proxies is empty: all its clients share one limit "
			    "for wrong MACs; add proxies = [ \"unix\" ]",
			    *listen);
			return;
		}
	}
}

int
daemon_run(struct conf *conf, struct diag *diag)
{
	struct daemon daemon = {.started = clock_wall_ms(),
	    .burial_lock = PTHREAD_MUTEX_INITIALIZER,
	    .buried = PTHREAD_COND_INITIALIZER};
	int r;

	daemon.n_workers = count_workers(conf);
	flow_init(&daemon.flow);
	daemon_set_log_level(conf);
	signal(SIGPIPE, SIG_IGN);
	raise_descriptors();
	forbid_core();
	r = snapshot_new(conf, daemon.n_workers, &daemon.current, diag);
	if (r < 0) {
		return r;
	}
	r = start(&daemon, diag);
	if (r == 0) {
		log_msg(LOG_LEVEL_INFO, "daemon.started", "cmpd %s, %zu workers, %s", CMPD_VERSION,
		    daemon.n_workers, conf->file);
		warn_of_unknown_peers(conf);
		notify_ready();
		event_base_dispatch(daemon.base);
		log_msg(LOG_LEVEL_INFO, "daemon.stopped", "all is stored");
	}
	stop(&daemon);
	return r;
}
