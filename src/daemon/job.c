#include "daemon/job.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/pool.h"
#include "base/queue.h"
#include "conf/conf.h"
#include "daemon/batch.h"
#include "daemon/late.h"
#include "daemon/snapshot.h"
#include "http/http.h"

#define POOL_LIMIT (8u * 1024 * 1024)
#define SPARE_MAX  256

void
flow_init(struct flow *flow)
{
	TAILQ_INIT(&flow->live);
	TAILQ_INIT(&flow->spare);
}

static struct job *
job_get(struct flow *flow)
{
	struct job *job = TAILQ_FIRST(&flow->spare);
	struct pool *pool = NULL;

	if (job != NULL) {
		TAILQ_REMOVE(&flow->spare, job, entry);
		flow->n_spare--;
		pool = job->pool;
		memset(job, 0, sizeof(*job));
	} else {
		job = calloc(1, sizeof(*job));
		pool = pool_new(POOL_LIMIT);
	}
	if (job == NULL || pool == NULL) {
		free(job);
		pool_free(pool);
		return NULL;
	}
	job->flow = flow;
	job->pool = pool;
	TAILQ_INSERT_TAIL(&flow->live, job, entry);
	return job;
}

static void
job_release(struct job *job)
{
	struct flow *flow = job->flow;

	if (job->timer != NULL) {
		event_free(job->timer);
	}
	cmp_request_fini(&job->request);
	batch_end(job);
	snapshot_put(job->snapshot);
	TAILQ_REMOVE(&flow->live, job, entry);
	if (flow->n_spare < SPARE_MAX) {
		pool_reset(job->pool);
		TAILQ_INSERT_HEAD(&flow->spare, job, entry);
		flow->n_spare++;
	} else {
		pool_free(job->pool);
		free(job);
	}
}

static void
log_failure(const struct job *job)
{
	struct log_line line;

	log_begin(&line, LOG_LEVEL_WARNING, "request.unavailable");
	log_int(&line, "req", (int64_t)job->request.req);
	log_str(&line, "peer", job->peer);
	log_str(&line, "msg", cmpd_strerror(job->error));
	log_end(&line);
}

static void
job_reply(struct job *job)
{
	if (job->batch_of != NULL) {
		batch_take(job);
	} else if (job->error == 0) {
		http_reply_cmp(job->exchange, job->answer.body, job->answer.waits);
	} else {
		http_reply_text(job->exchange, 503, "not available now, try again", 1);
	}
}

static void
job_finish(void *arg)
{
	struct job *job = arg;

	for (size_t i = 0; job->error == 0 && i < job->answer.n_log; i++) {
		log_end(job->answer.log[i]);
	}
	if (job->error == 0) {
		cmp_request_detach(&job->request, late_verdict, job->flow);
	} else {
		log_failure(job);
	}
	job_reply(job);
	job_release(job);
}

void
job_done(struct job *job, int error, bool quiet)
{
	atomic_store(&job->state, JOB_BUSY);
	job->error = error;
	job->done_letter = (struct letter){.fn = job_finish, .arg = job};
	if (quiet) {
		mailbox_put(job->flow->mailbox, &job->done_letter);
	} else {
		mailbox_post(job->flow->mailbox, &job->done_letter);
	}
}

void
job_again(struct job *job)
{
	int error;

	atomic_store(&job->state, JOB_QUEUED);
	error = queue_put_again(job->flow->queue, job);
	if (error < 0) {
		job_done(job, error, false);
	}
}

/* Takes a parked job; only one of all who try succeeds and owns it then. */
static bool
unpark(struct job *job)
{
	enum job_state parked = JOB_PARKED;

	if (!atomic_compare_exchange_strong(&job->state, &parked, JOB_QUEUED)) {
		return false;
	}
	atomic_fetch_sub(&job->flow->parked, 1);
	return true;
}

void
job_wake(void *arg)
{
	struct job *job = arg;
	enum job_state running = JOB_RUNNING;

	if (!atomic_compare_exchange_strong(&job->state, &running, JOB_WOKEN) && unpark(job)) {
		job_again(job);
	}
}

static void
expire(struct job *job)
{
	job->expired = true;
	cmp_request_expire(&job->request);
	job_again(job);
}

/* decide_wait is over. If a worker has the job just now it may still park it: then the timer comes once more. */
static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval soon = {0, 50000};
	struct job *job = arg;

	(void)fd;
	(void)what;
	atomic_store(&job->late, true);
	if (unpark(job)) {
		expire(job);
	} else if (job->timer != NULL) {
		event_add(job->timer, &soon);
	}
}

/* Comes before the letter that ends the job: both are in one mailbox. */
static void
job_set_timer(void *arg)
{
	struct job *job = arg;
	int64_t wait = job->request.endpoint->decide_wait;
	struct timeval tv = {wait / 1000, wait % 1000 * 1000};

	job->timer = event_new(job->flow->base, -1, 0, on_timer, job);
	if (job->timer == NULL || event_add(job->timer, &tv) != 0) {
		on_timer(-1, EV_TIMEOUT, job);
	}
}

void
job_park(struct job *job)
{
	enum job_state running = JOB_RUNNING;
	struct flow *flow = job->flow;
	bool full;

	if (job->expired) {
		/* It was to be held and still waits: nobody would wake it. */
		job_done(job, CMPD_ETIMEOUT, false);
		return;
	}
	if (!job->timed) {
		job->timed = true;
		job->park_letter = (struct letter){.fn = job_set_timer, .arg = job};
		mailbox_post(flow->mailbox, &job->park_letter);
	}
	full = atomic_fetch_add(&flow->parked, 1) >= job->snapshot->conf->limits.parked;
	if (full || atomic_load(&job->late)) {
		atomic_fetch_sub(&flow->parked, 1);
		expire(job);
	} else if (!atomic_compare_exchange_strong(&job->state, &running, JOB_PARKED)) {
		atomic_fetch_sub(&flow->parked, 1);
		job_again(job); /* woken meanwhile */
	}
	/* Parked: it is no longer ours. */
}

/* A job with its request, but for what is asked. */
static struct job *
job_new(struct flow *flow, struct snapshot *snapshot, const struct conf_endpoint *endpoint,
    const char *peer)
{
	struct job *job = job_get(flow);

	if (job == NULL) {
		return NULL;
	}
	job->snapshot = snapshot_get1(snapshot);
	snprintf(job->peer, sizeof(job->peer), "%s", peer);
	cmp_request_init(&job->request);
	job->request.endpoint = endpoint;
	job->request.peer = job->peer;
	job->request.wake = job_wake;
	job->request.arg = job;
	return job;
}

int
job_start_nested(struct job *job, size_t index)
{
	struct job *message = job_new(job->flow, job->snapshot, job->request.endpoint, job->peer);
	int r;

	if (message == NULL) {
		return CMPD_ENOMEM;
	}
	message->batch_of = job;
	message->index = index;
	message->request.operation = CMP_OP_NONE;
	message->request.body = job->batch->in.messages[index];
	message->request.ra = job->batch->in.ra;
	message->request.req = job->request.req;
	r = queue_put_again(job->flow->queue, message);
	if (r < 0) {
		job_release(message);
	}
	return r;
}

int
job_start(struct flow *flow, struct snapshot *snapshot, const struct conf_endpoint *endpoint,
    enum cmp_operation operation, const struct http_request_info *info)
{
	struct job *job = job_new(flow, snapshot, endpoint, info->peer);
	int r;

	if (job == NULL) {
		return CMPD_ENOMEM;
	}
	job->exchange = info->exchange;
	job->request.operation = operation;
	job->request.body = info->body;
	job->request.req = ++flow->last_req;
	r = queue_put(flow->queue, job);
	if (r < 0) {
		job_release(job);
	}
	return r;
}

void
flow_fini(struct flow *flow)
{
	struct job *job;

	/* Plugins may still wake parked jobs. After this nobody does. */
	TAILQ_FOREACH (job, &flow->live, entry) {
		cmp_request_fini(&job->request);
		cmp_request_init(&job->request);
	}
	mailbox_open(flow->mailbox);
	mailbox_open(flow->mailbox); /* batches that ended with their last message */
	while ((job = TAILQ_FIRST(&flow->live)) != NULL) {
		job->error = CMPD_ECLOSED;
		if (job->batch_of != NULL) {
			job_release(job); /* its batch is answered as a whole */
		} else {
			job_finish(job);
		}
	}
	while ((job = TAILQ_FIRST(&flow->spare)) != NULL) {
		TAILQ_REMOVE(&flow->spare, job, entry);
		pool_free(job->pool);
		free(job);
	}
}
