#include <event2/event.h>
#include <signal.h>

#include "base/clock.h"
#include "base/log.h"
#include "ctl/server.h"
#include "daemon/housekeeping.h"
#include "daemon/notify.h"
#include "daemon/state.h"
#include "http/http.h"

#define DRAIN_MS      30000
#define DRAIN_LOOK_MS 20

static void
reload_task(void *arg, struct desk *desk)
{
	struct diag diag = {""};
	int r;

	if (desk != NULL) {
		/* The log has said why if it failed. */
		r = daemon_reload(arg, &diag);
		(void)r;
	}
}

static void
on_hangup(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *daemon = arg;

	(void)fd;
	(void)what;
	if (housekeeping_post(daemon->housekeeping, reload_task, daemon) < 0) {
		log_msg(LOG_LEVEL_ERROR, "daemon.reload_failed", "too busy to reload");
	}
}

static void
on_drain_look(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *daemon = arg;
	size_t left = http_server_pending(daemon->http) + http_server_writing(daemon->http) +
		      ctl_server_pending(daemon->ctl);

	(void)fd;
	(void)what;
	if (left == 0 || clock_mono_ms() >= daemon->drain_until) {
		if (left > 0) {
			log_msg(LOG_LEVEL_WARNING, "daemon.drain",
			    "%zu requests are left unanswered", left);
		}
		event_base_loopbreak(daemon->base);
	}
}

static void
on_terminate(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval look = {0, DRAIN_LOOK_MS * 1000};
	struct daemon *daemon = arg;

	(void)what;
	if (daemon->draining) {
		log_msg(LOG_LEVEL_WARNING, "daemon.drain", "asked twice: ending at once");
		event_base_loopbreak(daemon->base);
		return;
	}
	log_msg(LOG_LEVEL_INFO, "daemon.stopping", "signal %d: finishing what is under way",
	    (int)fd);
	notify_stopping();
	daemon->draining = true;
	daemon->drain_until = clock_mono_ms() + DRAIN_MS;
	http_server_drain(daemon->http);
	ctl_server_drain(daemon->ctl);
	if (event_add(daemon->drain_timer, &look) != 0) {
		event_base_loopbreak(daemon->base);
	}
}

static void
on_watchdog(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	notify_watchdog();
}

int
daemon_signals_start(struct daemon *daemon)
{
	int64_t interval = notify_watchdog_interval();
	struct timeval tv = {interval / 1000, interval % 1000 * 1000};
	struct event *timer;

	daemon->signals[0] = evsignal_new(daemon->base, SIGHUP, on_hangup, daemon);
	daemon->signals[1] = evsignal_new(daemon->base, SIGTERM, on_terminate, daemon);
	daemon->signals[2] = evsignal_new(daemon->base, SIGINT, on_terminate, daemon);
	for (int i = 0; i < SIGNALS; i++) {
		if (daemon->signals[i] == NULL || event_add(daemon->signals[i], NULL) != 0) {
			return CMPD_ENOMEM;
		}
	}
	daemon->drain_timer = event_new(daemon->base, -1, EV_PERSIST, on_drain_look, daemon);
	timer = event_new(daemon->base, -1, EV_PERSIST, on_watchdog, daemon);
	daemon->watchdog = timer;
	if (daemon->drain_timer == NULL || timer == NULL ||
	    (interval > 0 && event_add(timer, &tv) != 0)) {
		return CMPD_ENOMEM;
	}
	return 0;
}

void
daemon_signals_stop(struct daemon *daemon)
{
	sigset_t all;

	/* Without the events another SIGTERM would end us by its default before we have ended ourselves. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	for (int i = 0; i < SIGNALS; i++) {
		if (daemon->signals[i] != NULL) {
			event_free(daemon->signals[i]);
		}
	}
	if (daemon->drain_timer != NULL) {
		event_free(daemon->drain_timer);
	}
	if (daemon->watchdog != NULL) {
		event_free(daemon->watchdog);
	}
}
