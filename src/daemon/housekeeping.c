#include "daemon/housekeeping.h"

#include <openssl/err.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/queue.h"
#include "daemon/crls.h"
#include "daemon/snapshot.h"
#include "daemon/sweep.h"
#include "enrol/desk.h"
#include "store/store.h"

#define TASKS_MAX 1024
#define SWEEP_MS  1000

struct task {
	void (*fn)(void *arg, struct desk *desk);
	void *arg;
};

struct housekeeping {
	struct queue *tasks;
	struct store_reader *reader;
	struct sweep *sweep;
	struct crls *crls;
	int64_t crls_again; /* monotonic */
	_Atomic bool woken;
	struct snapshot *snapshot; /* the newest */
	struct snapshot *standing; /* whose slot the thread stands in */
	_Atomic bool stopping;
	bool started;
	pthread_t thread;
};

static int
post(struct housekeeping *housekeeping, void (*fn)(void *arg, struct desk *desk), void *arg,
    int (*put)(struct queue *queue, void *item))
{
	struct task *task = malloc(sizeof(*task));
	int r;

	if (task == NULL) {
		return CMPD_ENOMEM;
	}
	*task = (struct task){fn, arg};
	r = put(housekeeping->tasks, task);
	if (r < 0) {
		free(task);
	}
	return r;
}

int
housekeeping_post(struct housekeeping *housekeeping, void (*fn)(void *arg, struct desk *desk),
    void *arg)
{
	return post(housekeeping, fn, arg, queue_put);
}

int
housekeeping_post_always(struct housekeeping *housekeeping,
    void (*fn)(void *arg, struct desk *desk), void *arg)
{
	return post(housekeeping, fn, arg, queue_put_again);
}

void
housekeeping_set_snapshot(struct housekeeping *housekeeping, struct snapshot *snapshot)
{
	struct snapshot *old = housekeeping->snapshot;

	housekeeping->snapshot = snapshot_get1(snapshot);
	crls_changed(housekeeping->crls);
	housekeeping->crls_again = 0;
	snapshot_put(old);
}

struct snapshot *
housekeeping_snapshot0(struct housekeeping *housekeeping)
{
	return housekeeping->snapshot;
}

static void
stand_in(struct housekeeping *housekeeping, struct snapshot *snapshot)
{
	struct snapshot *old = housekeeping->standing;

	if (old == snapshot) {
		return;
	}
	if (old != NULL) {
		snapshot_slot_leave(&old->slots[old->n_workers]);
		snapshot_put(old);
	}
	housekeeping->standing = snapshot == NULL ? NULL : snapshot_get1(snapshot);
	if (snapshot != NULL) {
		snapshot_slot_enter(&snapshot->slots[snapshot->n_workers]);
	}
}

static struct desk
desk_of(struct housekeeping *housekeeping)
{
	struct snapshot *snapshot = housekeeping->standing;

	return (struct desk){.conf = snapshot->conf,
	    .issuer = snapshot->slots[snapshot->n_workers].issuer,
	    .policy = snapshot->policy,
	    .reader = housekeeping->reader,
	    .now = clock_wall_ms()};
}

static void
run_task(struct housekeeping *housekeeping, struct task *task)
{
	struct desk desk;

	if (atomic_load(&housekeeping->stopping)) {
		task->fn(task->arg, NULL);
	} else {
		stand_in(housekeeping, housekeeping->snapshot);
		desk = desk_of(housekeeping);
		task->fn(task->arg, &desk);
		ERR_clear_error();
	}
	free(task);
}

static void
wake_task(void *arg, struct desk *desk)
{
	struct housekeeping *housekeeping = arg;

	/* First the word, then the look: what comes in between posts again. */
	atomic_store(&housekeeping->woken, false);
	if (desk != NULL) {
		housekeeping->crls_again = crls_run(housekeeping->crls, desk);
	}
}

void
housekeeping_wake(struct housekeeping *housekeeping)
{
	if (!atomic_exchange(&housekeeping->woken, true) &&
	    housekeeping_post_always(housekeeping, wake_task, housekeeping) < 0) {
		atomic_store(&housekeeping->woken, false);
	}
}

int
housekeeping_make_crl(struct housekeeping *housekeeping, struct desk *desk, const uint8_t *ca,
    struct diag *diag)
{
	struct desk own = *desk; /* its unit is its own */

	return crls_make(housekeeping->crls, &own, ca, diag);
}

static void
look_at_crls(struct housekeeping *housekeeping)
{
	struct desk desk;

	stand_in(housekeeping, housekeeping->snapshot);
	desk = desk_of(housekeeping);
	housekeeping->crls_again = crls_run(housekeeping->crls, &desk);
	ERR_clear_error();
}

static void
sweep(struct housekeeping *housekeeping)
{
	struct desk desk;

	stand_in(housekeeping, housekeeping->snapshot);
	desk = desk_of(housekeeping);
	sweep_run(housekeeping->sweep, &desk);
	ERR_clear_error();
}

static void *
housekeeping_main(void *arg)
{
	struct housekeeping *housekeeping = arg;
	int64_t next = clock_mono_ms(), now, wait;
	uint8_t digest[DIGEST_SIZE];
	struct task *task;

	pthread_setname_np(pthread_self(), "housekeeping");
	/* As in worker.c: kept by base/, so not from a snapshot's library context. */
	if (digest_sha256(bytes_str(""), digest) < 0) {
		log_msg(LOG_LEVEL_ERROR, "housekeeping.digest", "SHA-256 is not available");
	}
	for (;;) {
		now = clock_mono_ms();
		wait =
		    next < housekeeping->crls_again ? next - now : housekeeping->crls_again - now;
		/* Tests move the monotonic clock: the wait itself is never longer than a second. */
		task = queue_take_until(housekeeping->tasks, wait > SWEEP_MS ? SWEEP_MS : wait);
		if (task != NULL) {
			run_task(housekeeping, task);
		} else if (atomic_load(&housekeeping->stopping)) {
			break;
		}
		if (!atomic_load(&housekeeping->stopping) &&
		    clock_mono_ms() >= housekeeping->crls_again) {
			look_at_crls(housekeeping);
		}
		if (!atomic_load(&housekeeping->stopping) && clock_mono_ms() >= next) {
			sweep(housekeeping);
			next = clock_mono_ms() + SWEEP_MS;
		}
	}
	stand_in(housekeeping, NULL);
	digest_thread_fini();
	return NULL;
}

void
housekeeping_stop(struct housekeeping *housekeeping)
{
	if (housekeeping == NULL || !housekeeping->started) {
		return;
	}
	atomic_store(&housekeeping->stopping, true);
	queue_close(housekeeping->tasks);
	pthread_join(housekeeping->thread, NULL);
	housekeeping->started = false;
	store_reader_close(housekeeping->reader);
	housekeeping->reader = NULL;
	sweep_free(housekeeping->sweep);
	housekeeping->sweep = NULL;
	crls_free(housekeeping->crls);
	housekeeping->crls = NULL;
}

void
housekeeping_free(struct housekeeping *housekeeping)
{
	if (housekeeping == NULL) {
		return;
	}
	housekeeping_stop(housekeeping);
	if (housekeeping->reader != NULL) {
		store_reader_close(housekeeping->reader);
	}
	sweep_free(housekeeping->sweep);
	crls_free(housekeeping->crls);
	queue_free(housekeeping->tasks);
	snapshot_put(housekeeping->snapshot);
	free(housekeeping);
}

int
housekeeping_start(struct store *store, struct snapshot *snapshot,
    void (*publish)(void *arg, struct shelf *shelf), void *arg, struct housekeeping **ret,
    struct diag *diag)
{
	struct housekeeping *housekeeping = calloc(1, sizeof(*housekeeping));
	int r = CMPD_ENOMEM;

	if (housekeeping == NULL) {
		return diag_set(diag, r, "out of memory");
	}
	housekeeping->snapshot = snapshot_get1(snapshot);
	housekeeping->tasks = queue_new(TASKS_MAX);
	housekeeping->sweep = sweep_new(store);
	housekeeping->crls = crls_new(store, publish, arg);
	if (housekeeping->tasks == NULL || housekeeping->sweep == NULL ||
	    housekeeping->crls == NULL) {
		diag_set(diag, r, "out of memory");
		goto out;
	}
	r = store_reader_open(store, &housekeeping->reader);
	if (r < 0) {
		housekeeping->reader = NULL;
		diag_set(diag, r, "no store reader for housekeeping: %s", cmpd_strerror(r));
		goto out;
	}
	look_at_crls(housekeeping);
	stand_in(housekeeping, NULL);
	housekeeping->started =
	    pthread_create(&housekeeping->thread, NULL, housekeeping_main, housekeeping) == 0;
	if (housekeeping->started) {
		*ret = housekeeping;
		return 0;
	}
	r = diag_set(diag, CMPD_ENOMEM, "the housekeeping thread cannot be started");
out:
	housekeeping_free(housekeeping);
	return r;
}
