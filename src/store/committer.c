#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "store/internal.h"

#define BATCH_MAX  512
#define TICK_MS	   60000
#define POOL_LIMIT ((size_t)16 << 20)

/* ---- a batch ---- */

static enum space
needs(const struct op *op)
{
	switch (op->kind) {
	case OP_DROP_TXN:
	case OP_DROP_ENTRY:
	case OP_DROP_CERT:
	case OP_REMOVE_SECRET:
	case OP_RELEASE_SECRET:
	case OP_DROP_INVENTORY:
	case OP_PURGE_INVENTORY:
		return SPACE_DROPS;
	case OP_ADD_INVENTORY:
	case OP_PUT_BLOB:
	case OP_ADD_SECRET:
		return SPACE_SCARCE;
	case OP_PUT_TXN:
	case OP_PUT_ENTRY:
	case OP_PUT_CERT:
	case OP_PUT_CRL:
		return op->version == 0 ? SPACE_SCARCE : SPACE_CHANGES;
	case OP_BEGIN_INVENTORY:
	case OP_FINISH_INVENTORY:
	case OP_AUDIT:
	case OP_RETIRE_SECRET:
	case OP_USE_SECRET:
	case OP_NEED_SECRET:
		break;
	}
	return SPACE_CHANGES;
}

static bool
fits(const struct unit *unit, enum space space)
{
	for (size_t i = 0; i < unit->n; i++) {
		if (needs(&unit->ops[i]) < space) {
			return false;
		}
	}
	return true;
}

/* A unit that is refused changes nothing. *ret_fault: it broke while it was written. */
static int
apply_unit(struct store *store, struct view *view, struct tally *tally, struct unit *unit,
    int *ret_fault)
{
	struct apply apply = {.store = store, .view = view, .tally = tally, .unit = unit};
	int error = apply_check(&apply);

	if (error == 0) {
		error = *ret_fault = apply_write(&apply);
	}
	pool_reset(store->pool);
	return error;
}

/* One transaction for all. Each unit has its result, or the whole has failed and nothing happened. */
static int
commit_together(struct store *store, struct unit *const *units, size_t n, enum space space)
{
	struct view view = {.store = store};
	struct tally tally;
	size_t changed = 0;
	int fault = store->backend->write_begin(&view);

	store->revoking = false;
	if (fault != 0) {
		return fault;
	}
	fault = tally_load(&view, &tally);
	for (size_t i = 0; i < n && fault == 0; i++) {
		units[i]->result = fits(units[i], space)
				       ? apply_unit(store, &view, &tally, units[i], &fault)
				       : CMPD_ENOSPC;
		changed += units[i]->result == 0 && units[i]->n > 0;
	}
	if (fault == 0 && changed > 0) {
		fault = tally_save(&view, &tally, store->chain);
	}
	if (fault != 0 || changed == 0) {
		store->backend->write_abort(&view);
		return fault;
	}
	fault = store->backend->write_commit(&view);
	/* Once too often is fine, too seldom is not. */
	atomic_fetch_add(&store->revocations, store->revoking);
	if (fault == 0) {
		atomic_fetch_add(&store->commits, 1);
		atomic_fetch_add(&store->units, changed);
	}
	return fault;
}

static int
outer_error(int error)
{
	return error == STORE_MAP_FULL ? CMPD_ENOSPC : error;
}

static void
commit_batch(struct store *store, struct unit *const *units, size_t n)
{
	enum space space = store->backend->space(store);
	bool alone = space != SPACE_PLENTY;
	int fault = 0;

	if (!alone) {
		fault = commit_together(store, units, n, space);
		/* A sick disk is sick for all; otherwise one unit spoilt it for the others: each goes alone, once. */
		alone = fault != 0 && fault != CMPD_EIO && fault != CMPD_ENOSPC && n > 1;
	}
	for (size_t i = 0; i < n; i++) {
		if (alone) {
			fault = commit_together(store, units + i, 1, store->backend->space(store));
		}
		if (fault != 0) {
			units[i]->result = outer_error(fault);
		}
	}
}

static void
tell(struct store *store, struct unit *const *units, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct unit *unit = units[i];

		if (unit->result == CMPD_ECONFLICT) {
			atomic_fetch_add(&store->conflicts, 1);
		}
		unit->done(unit->arg, unit->result);
		unit_free(unit);
	}
	if (store->batch_done != NULL) {
		store->batch_done(store->batch_arg);
	}
}

/* ---- the thread ---- */

static void
next_tick(struct timespec *ret)
{
	clock_gettime(CLOCK_MONOTONIC, ret);
	ret->tv_sec += TICK_MS / 1000;
}

/* Waits for work. 0: the store is closing and nothing is left. */
static size_t
take(struct store *store, struct timespec *tick, struct unit *units[BATCH_MAX])
{
	size_t n = 0;

	pthread_mutex_lock(&store->lock);
	while (store->first == NULL && !store->closing) {
		if (pthread_cond_timedwait(&store->wake, &store->lock, tick) == ETIMEDOUT) {
			pthread_mutex_unlock(&store->lock);
			store->backend->tick(store);
			next_tick(tick);
			pthread_mutex_lock(&store->lock);
		}
	}
	while (store->first != NULL && n < BATCH_MAX) {
		units[n] = store->first;
		store->first = units[n++]->next;
	}
	if (store->first == NULL) {
		store->last = NULL;
	}
	pthread_mutex_unlock(&store->lock);
	return n;
}

static bool
is_past(const struct timespec *when)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec > when->tv_sec ||
	       (now.tv_sec == when->tv_sec && now.tv_nsec >= when->tv_nsec);
}

static void *
run(void *arg)
{
	struct store *store = arg;
	struct unit *units[BATCH_MAX];
	struct timespec tick;
	size_t n;

	next_tick(&tick);
	while ((n = take(store, &tick, units)) > 0) {
		commit_batch(store, units, n);
		tell(store, units, n);
		if (is_past(&tick)) { /* never idle, but the minute is over */
			store->backend->tick(store);
			next_tick(&tick);
		}
	}
	digest_thread_fini();
	return NULL;
}

static int
start_thread(struct store *store)
{
	sigset_t all, before;
	int error;

	/* Signals are for the event loop. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&store->thread, NULL, run, store);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error == 0) {
		pthread_setname_np(store->thread, "cmpd-store");
	}
	return error == 0 ? 0 : CMPD_ENOMEM;
}

int
committer_start(struct store *store)
{
	pthread_condattr_t attr;
	int error;

	store->chain = seal_chain_new(&store->seal);
	store->pool = pool_new(POOL_LIMIT);
	if (store->chain == NULL || store->pool == NULL) {
		error = CMPD_ENOMEM;
		goto out;
	}
	pthread_mutex_init(&store->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&store->wake, &attr);
	pthread_condattr_destroy(&attr);
	error = start_thread(store);
	if (error != 0) {
		pthread_cond_destroy(&store->wake);
		pthread_mutex_destroy(&store->lock);
	}
out:
	if (error != 0) {
		seal_chain_free(store->chain);
		pool_free(store->pool);
	}
	return error;
}

void
committer_stop(struct store *store)
{
	pthread_mutex_lock(&store->lock);
	store->closing = true;
	pthread_cond_signal(&store->wake);
	pthread_mutex_unlock(&store->lock);
	pthread_join(store->thread, NULL);
	pthread_cond_destroy(&store->wake);
	pthread_mutex_destroy(&store->lock);
	seal_chain_free(store->chain);
	pool_free(store->pool);
}

/* ---- handing over ---- */

void
store_commit(struct store *store, struct unit *unit, void (*done)(void *arg, int result), void *arg)
{
	int error = unit->error;

	unit->done = done;
	unit->arg = arg;
	unit->next = NULL;
	if (error == 0) {
		pthread_mutex_lock(&store->lock);
		if (store->closing) {
			error = CMPD_ECLOSED;
		} else if (store->last == NULL) {
			store->first = store->last = unit;
			pthread_cond_signal(&store->wake);
		} else {
			store->last->next = unit;
			store->last = unit;
		}
		pthread_mutex_unlock(&store->lock);
	}
	if (error != 0) {
		done(arg, error);
		unit_free(unit);
	}
}

struct waiter {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool over;
	int result;
};

static void
waiter_done(void *arg, int result)
{
	struct waiter *waiter = arg;

	pthread_mutex_lock(&waiter->lock);
	waiter->over = true;
	waiter->result = result;
	pthread_cond_signal(&waiter->wake);
	pthread_mutex_unlock(&waiter->lock);
}

int
store_commit_wait(struct store *store, struct unit *unit)
{
	struct waiter waiter = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, 0};

	store_commit(store, unit, waiter_done, &waiter);
	pthread_mutex_lock(&waiter.lock);
	while (!waiter.over) {
		pthread_cond_wait(&waiter.wake, &waiter.lock);
	}
	pthread_mutex_unlock(&waiter.lock);
	pthread_cond_destroy(&waiter.wake);
	pthread_mutex_destroy(&waiter.lock);
	return waiter.result;
}
