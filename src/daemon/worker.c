#include "daemon/worker.h"

#include <openssl/err.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/pool.h"
#include "base/queue.h"
#include "cmp/door.h"
#include "daemon/batch.h"
#include "daemon/job.h"
#include "daemon/snapshot.h"
#include "store/store.h"

/* How often an idle worker looks whether it holds on to a configuration that is gone. */
#define IDLE_MS 5000

struct worker {
	struct flow *flow;
	size_t index;
	struct store_reader *reader;
	struct snapshot *snapshot; /* it stands in its slot; NULL: in none */
	bool started;
	pthread_t thread;
};

struct workers {
	size_t n;
	struct worker workers[];
};

/* Inside store_commit: done is called by this thread, and no batch ends after it. */
static _Thread_local bool committing;

static void
stand_in(struct worker *worker, struct snapshot *snapshot)
{
	if (worker->snapshot == snapshot) {
		return;
	}
	if (worker->snapshot != NULL) {
		snapshot_slot_leave(&worker->snapshot->slots[worker->index]);
		snapshot_put(worker->snapshot);
	}
	worker->snapshot = snapshot == NULL ? NULL : snapshot_get1(snapshot);
	if (snapshot != NULL) {
		snapshot_slot_enter(&snapshot->slots[worker->index]);
	}
}

static const char *
words_for(int error)
{
	switch (error) {
	case CMPD_ENOSPC:
		return "no space left to store the request, try again later";
	case CMPD_ECLOSED:
		return "the server is going down, try again";
	default:
		return "the request could not be stored, try again later";
	}
}

static bool
may_succeed_again(int error)
{
	/* Somebody was first: what the unit relied on reads differently now. */
	return error == CMPD_ECONFLICT || error == CMPD_EEXIST || error == CMPD_EACCES ||
	       error == CMPD_ESTATE;
}

static void
on_committed(void *arg, int result)
{
	struct job *job = arg;

	job->answer.unit = NULL;
	if (result == 0) {
		job_done(job, 0, !committing);
		return;
	}
	if (!may_succeed_again(result)) {
		job->unavailable = words_for(result);
	} else if (++job->attempts >= JOB_ATTEMPTS) {
		job->unavailable = "too many changes at once, try again";
	}
	job_again(job);
}

static void
commit(struct job *job)
{
	struct unit *unit = job->answer.unit;

	if (unit == NULL || unit_is_empty(unit)) {
		unit_free(unit);
		job->answer.unit = NULL;
		job_done(job, 0, false);
		return;
	}
	atomic_store(&job->state, JOB_BUSY);
	committing = true;
	store_commit(job->flow->store, unit, on_committed, job);
	committing = false;
}

static int
handle(struct worker *worker, struct job *job)
{
	const struct snapshot_slot *slot = &worker->snapshot->slots[worker->index];
	struct desk desk = {.conf = job->snapshot->conf,
	    .issuer = slot->issuer,
	    .policy = job->snapshot->policy,
	    .reader = worker->reader,
	    .pool = job->pool,
	    .now = clock_wall_ms()};

	pool_reset(job->pool);
	job->answer = (struct cmp_answer){.unit = NULL};
	if (job->unavailable != NULL) {
		return cmp_door_unavailable(slot->door, &desk, &job->request, job->unavailable,
		    &job->answer);
	}
	if (job->batch != NULL) {
		/* All its messages are answered. */
		desk.pool = job->batch->pool;
		return cmp_door_batch(slot->door, &desk, &job->request, &job->batch->in,
		    job->batch->answers, &job->answer);
	}
	return cmp_door_handle(slot->door, &desk, &job->request, &job->answer);
}

static void
run(struct worker *worker, struct job *job)
{
	int r;

	if (atomic_load(&job->flow->stopping)) {
		job_done(job, CMPD_ECLOSED, false);
		return;
	}
	stand_in(worker, job->snapshot);
	atomic_store(&job->state, JOB_RUNNING);
	r = handle(worker, job);
	ERR_clear_error();
	if (r == 0 && job->answer.batch != NULL) {
		batch_begin(job);
	} else if (r == 0) {
		commit(job);
	} else if (r == CMPD_EPARKED) {
		job_park(job);
	} else if (r == CMPD_ECONFLICT && ++job->attempts < JOB_ATTEMPTS) {
		job_again(job);
	} else {
		job_done(job, r, false);
	}
}

static void *
worker_main(void *arg)
{
	struct worker *worker = arg;
	uint8_t digest[DIGEST_SIZE];
	struct job *job;
	char name[16];

	snprintf(name, sizeof(name), "worker %zu", worker->index);
	pthread_setname_np(pthread_self(), name);
	/* What base/ keeps per thread must come from a library context that outlives every snapshot. */
	if (digest_sha256(bytes_str(""), digest) < 0) {
		log_msg(LOG_LEVEL_ERROR, "worker.digest", "SHA-256 is not available");
	}
	for (;;) {
		job = queue_take_until(worker->flow->queue, IDLE_MS);
		if (job != NULL) {
			run(worker, job);
		} else if (atomic_load(&worker->flow->stopping)) {
			break;
		} else {
			stand_in(worker, NULL);
		}
	}
	stand_in(worker, NULL);
	digest_thread_fini();
	return NULL;
}

static void
worker_join(struct worker *worker)
{
	if (worker->started) {
		pthread_join(worker->thread, NULL);
	}
	if (worker->reader != NULL) {
		store_reader_close(worker->reader);
	}
}

void
workers_join(struct workers *workers)
{
	for (size_t i = 0; workers != NULL && i < workers->n; i++) {
		worker_join(&workers->workers[i]);
	}
	free(workers);
}

int
workers_start(struct flow *flow, size_t n, struct workers **ret, struct diag *diag)
{
	struct workers *workers = calloc(1, sizeof(*workers) + n * sizeof(workers->workers[0]));
	int r = CMPD_ENOMEM;

	if (workers == NULL) {
		return diag_set(diag, r, "out of memory");
	}
	workers->n = n;
	for (size_t i = 0; i < n; i++) {
		struct worker *worker = &workers->workers[i];

		worker->flow = flow;
		worker->index = i;
		r = store_reader_open(flow->store, &worker->reader);
		if (r < 0) {
			worker->reader = NULL;
			diag_set(diag, r, "no store reader for worker %zu: %s", i,
			    cmpd_strerror(r));
			break;
		}
		worker->started = pthread_create(&worker->thread, NULL, worker_main, worker) == 0;
		if (!worker->started) {
			r = diag_set(diag, CMPD_ENOMEM, "worker %zu cannot be started", i);
			break;
		}
	}
	if (r < 0) {
		atomic_store(&flow->stopping, true);
		queue_close(flow->queue);
		workers_join(workers);
		return r;
	}
	*ret = workers;
	return 0;
}
