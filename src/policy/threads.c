#include "policy/threads.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include <cmpd/plugin.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/queue.h"
#include "policy/call.h"
#include "policy/chain.h"

/* How long to wait for plugins when the process ends, and how often a pool that closes looks for that. */
#define HURRY_MS 2000
#define LOOK_MS	 200

static _Atomic bool hurry;

struct policy_thread {
	struct policy_threads *threads;
	struct policy_thread *next;
	pthread_t id;
	/* Guarded by threads->lock. */
	struct policy_call *call; /* inside decide; NULL: none */
	struct policy_link *link;
	int64_t since;
	bool given_up; /* the watch completes the call */
	bool replaced; /* another thread does its work now: ends when decide returns */
	bool left_behind; /* the pool has gone without it */
};

struct policy_threads {
	pthread_mutex_t lock;
	pthread_cond_t watch_cond; /* for the watch */
	pthread_cond_t ended; /* for stop */
	struct queue *queue;
	struct policy_thread *list;
	pthread_t watch;
	unsigned alive; /* threads neither ended nor given up */
	unsigned refs; /* of this struct: the owner's and one of each thread */
	bool watch_idle; /* the watch waits without a time */
	bool watch_ends;
	bool closing;
};

/* ---- memory ---- */

/* The lock is held, and gone afterwards. */
static void
unref_unlock(struct policy_threads *threads)
{
	bool last = --threads->refs == 0;

	pthread_mutex_unlock(&threads->lock);
	if (last) {
		pthread_cond_destroy(&threads->ended);
		pthread_cond_destroy(&threads->watch_cond);
		pthread_mutex_destroy(&threads->lock);
		queue_free(threads->queue);
		free(threads);
	}
}

static void
unlink_thread(struct policy_thread *thread)
{
	struct policy_thread **link = &thread->threads->list;

	while (*link != thread) {
		link = &(*link)->next;
	}
	*link = thread->next;
}

/* ---- a thread ---- */

static bool
is_closing(struct policy_threads *threads)
{
	bool closing;

	pthread_mutex_lock(&threads->lock);
	closing = threads->closing;
	pthread_mutex_unlock(&threads->lock);
	return closing;
}

/* A thread given up but not replaced goes back to work: the pool is not smaller than it must be. */
static bool
goes_on(struct policy_thread *self)
{
	struct policy_threads *threads = self->threads;
	bool on = true;

	pthread_mutex_lock(&threads->lock);
	if (self->given_up) {
		on = !self->replaced && !self->left_behind;
		if (on) {
			self->given_up = false;
			threads->alive++;
		}
	}
	pthread_mutex_unlock(&threads->lock);
	return on;
}

static void *
thread_main(void *arg)
{
	struct policy_thread *self = arg;
	struct policy_threads *threads = self->threads;
	struct policy_call *call;
	bool own;

	do {
		call = queue_take(threads->queue);
		if (call != NULL && is_closing(threads)) {
			policy_call_refuse(call);
		} else if (call != NULL) {
			policy_call_work(call, self);
		}
	} while (call != NULL && goes_on(self));

	digest_thread_fini();
	pthread_mutex_lock(&threads->lock);
	own = self->given_up;
	if (!own) {
		/* stop joins it and frees self. */
		threads->alive--;
		pthread_cond_broadcast(&threads->ended);
	} else if (!self->left_behind) {
		unlink_thread(self);
		pthread_detach(self->id);
	}
	unref_unlock(threads);
	if (own) {
		free(self);
	}
	return NULL;
}

/* All signals belong to the daemon's own threads. */
static int
start(pthread_t *ret_id, void *(*main)(void *), void *arg)
{
	sigset_t all, old;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(ret_id, NULL, main, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc == 0 ? 0 : CMPD_EUNAVAILABLE;
}

/* The lock is held: the new thread sees its own id. */
static int
add_thread(struct policy_threads *threads)
{
	struct policy_thread *thread = calloc(1, sizeof(*thread));

	if (thread == NULL) {
		return CMPD_ENOMEM;
	}
	thread->threads = threads;
	if (start(&thread->id, thread_main, thread) != 0) {
		free(thread);
		return CMPD_EUNAVAILABLE;
	}
	thread->next = threads->list;
	threads->list = thread;
	threads->alive++;
	threads->refs++;
	return 0;
}

void
policy_thread_enter(struct policy_thread *self, struct policy_call *call, struct policy_link *link)
{
	struct policy_threads *threads = self->threads;

	pthread_mutex_lock(&threads->lock);
	self->call = call;
	self->link = link;
	self->since = clock_mono_ms();
	if (threads->watch_idle) {
		pthread_cond_signal(&threads->watch_cond);
	}
	pthread_mutex_unlock(&threads->lock);
}

bool
policy_thread_leave(struct policy_thread *self)
{
	bool ours;

	pthread_mutex_lock(&self->threads->lock);
	self->call = NULL;
	ours = !self->given_up;
	pthread_mutex_unlock(&self->threads->lock);
	return ours;
}

/* ---- the watch ---- */

/* The thread that is longest inside decide; NULL: none is. */
static struct policy_thread *
find_oldest(struct policy_threads *threads)
{
	struct policy_thread *oldest = NULL;

	for (struct policy_thread *t = threads->list; t != NULL; t = t->next) {
		if (t->call != NULL && !t->given_up &&
		    (oldest == NULL || t->since < oldest->since)) {
			oldest = t;
		}
	}
	return oldest;
}

static void
wait_ms(struct policy_threads *threads, int64_t ms)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_sec += ms / 1000;
	ts.tv_nsec += ms % 1000 * 1000000;
	if (ts.tv_nsec >= 1000000000) {
		ts.tv_sec++;
		ts.tv_nsec -= 1000000000;
	}
	pthread_cond_timedwait(&threads->watch_cond, &threads->lock, &ts);
}

/* Called and returns with the lock held; without it in between. */
static void
give_up(struct policy_threads *threads, struct policy_thread *thread)
{
	struct policy_call *call = policy_call_get1(thread->call);
	struct policy_plugin *plugin = thread->link->plugin;
	unsigned cost = atomic_load(&plugin->stuck);

	thread->given_up = true;
	threads->alive--;
	if (cost < policy_limits.replacements) {
		atomic_store(&plugin->stuck, cost + 1);
		thread->replaced = !threads->closing && add_thread(threads) == 0;
	}
	pthread_cond_broadcast(&threads->ended);
	pthread_mutex_unlock(&threads->lock);

	log_msg(LOG_LEVEL_ERROR, "policy.stuck", "plugin %s does not return from decide%s",
	    plugin->api->name, policy_plugin_is_held(plugin) ? "; it is not asked any more" : "");
	policy_call_give_up(call);
	policy_call_unref(call);
	pthread_mutex_lock(&threads->lock);
}

void
policy_hurry(void)
{
	atomic_store(&hurry, true);
}

/* How much longer that thread may take. The lock is held. */
static int64_t
patience(const struct policy_threads *threads, const struct policy_thread *thread)
{
	int64_t limit = policy_limits.stuck;

	if (threads->closing && atomic_load(&hurry) && limit > HURRY_MS) {
		limit = HURRY_MS;
	}
	return thread->since + limit - clock_mono_ms();
}

static void *
watch_main(void *arg)
{
	struct policy_threads *threads = arg;
	struct policy_thread *oldest;
	int64_t left;

	pthread_mutex_lock(&threads->lock);
	while (!threads->watch_ends) {
		oldest = find_oldest(threads);
		if (oldest == NULL) {
			threads->watch_idle = true;
			pthread_cond_wait(&threads->watch_cond, &threads->lock);
			threads->watch_idle = false;
			continue;
		}
		/* Whoever enters later is due later: no need to be woken before. */
		left = patience(threads, oldest);
		if (left > 0) {
			wait_ms(threads, threads->closing && left > LOOK_MS ? LOOK_MS : left);
		} else {
			give_up(threads, oldest);
		}
	}
	pthread_mutex_unlock(&threads->lock);
	digest_thread_fini();
	return NULL;
}

/* ---- the pool ---- */

static struct policy_threads *
alloc(size_t queue_limit)
{
	struct policy_threads *threads = calloc(1, sizeof(*threads));
	pthread_condattr_t attr;

	if (threads == NULL) {
		return NULL;
	}
	threads->queue = queue_new(queue_limit);
	if (threads->queue == NULL) {
		free(threads);
		return NULL;
	}
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&threads->lock, NULL);
	pthread_cond_init(&threads->watch_cond, &attr);
	pthread_cond_init(&threads->ended, NULL);
	pthread_condattr_destroy(&attr);
	threads->refs = 1;
	return threads;
}

struct policy_threads *
policy_threads_new(size_t n, size_t queue_limit)
{
	struct policy_threads *threads = alloc(queue_limit);
	int rc = 0;

	if (threads == NULL) {
		return NULL;
	}
	if (start(&threads->watch, watch_main, threads) != 0) {
		pthread_mutex_lock(&threads->lock);
		unref_unlock(threads);
		return NULL;
	}
	pthread_mutex_lock(&threads->lock);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		rc = add_thread(threads);
	}
	pthread_mutex_unlock(&threads->lock);
	if (rc != 0) {
		policy_threads_stop(threads);
		return NULL;
	}
	return threads;
}

int
policy_threads_put(struct policy_threads *threads, struct policy_call *call)
{
	return queue_put(threads->queue, call);
}

/* Those that ended, to be joined; those that are stuck are left to themselves. */
static struct policy_thread *
sort_out(struct policy_threads *threads)
{
	struct policy_thread *ended = NULL, *thread;

	while ((thread = threads->list) != NULL) {
		threads->list = thread->next;
		if (thread->given_up) {
			thread->left_behind = true;
			pthread_detach(thread->id);
		} else {
			thread->next = ended;
			ended = thread;
		}
	}
	return ended;
}

void
policy_threads_stop(struct policy_threads *threads)
{
	struct policy_thread *ended, *thread;
	struct policy_call *call;

	if (threads == NULL) {
		return;
	}
	pthread_mutex_lock(&threads->lock);
	threads->closing = true;
	pthread_cond_signal(&threads->watch_cond);
	pthread_mutex_unlock(&threads->lock);
	queue_close(threads->queue);
	/* Also when no thread is left to take them. */
	while ((call = queue_take_until(threads->queue, 0)) != NULL) {
		policy_call_refuse(call);
	}

	pthread_mutex_lock(&threads->lock);
	while (threads->alive > 0) {
		pthread_cond_wait(&threads->ended, &threads->lock);
	}
	threads->watch_ends = true;
	pthread_cond_signal(&threads->watch_cond);
	ended = sort_out(threads);
	pthread_mutex_unlock(&threads->lock);

	pthread_join(threads->watch, NULL);
	while ((thread = ended) != NULL) {
		ended = thread->next;
		pthread_join(thread->id, NULL);
		free(thread);
	}
	pthread_mutex_lock(&threads->lock);
	unref_unlock(threads);
}
