/*
 * A job: one request on its way from the HTTP side through a worker and the committer and back. The
 * I/O thread makes and ends jobs; in between each has one owner at a time: the queue, a worker, the
 * committer, or, parked, whoever moves it on first.
 */
#pragma once

#include <stdatomic.h>
#include <sys/queue.h>

#include "cmp/door.h"
#include "daemon/mailbox.h"

struct batch;
struct event;
struct event_base;
struct housekeeping;
struct http_exchange;
struct http_request_info;
struct pool;
struct queue;
struct snapshot;
struct store;

#define JOB_PEER_SIZE 64
#define JOB_ATTEMPTS  8 /* after conflicts */

enum job_state {
	JOB_QUEUED,
	JOB_RUNNING, /* a worker has it */
	JOB_WOKEN, /* a worker has it, and it may go on at once if it parks */
	JOB_PARKED, /* waits for a plugin */
	JOB_BUSY /* committing, or being answered */
};

/* What all jobs share. */
struct flow {
	struct event_base *base;
	struct mailbox *mailbox;
	struct queue *queue;
	struct store *store;
	struct housekeeping *housekeeping;
	_Atomic int64_t parked;
	_Atomic bool stopping; /* workers answer 503 to what is left */
	/* The I/O thread's: */
	TAILQ_HEAD(, job) live;
	TAILQ_HEAD(, job) spare; /* with their pools, for the next requests */
	size_t n_spare;
	size_t n_batches; /* under way */
	uint64_t last_req;
};

struct job {
	TAILQ_ENTRY(job) entry;
	struct flow *flow;
	struct snapshot *snapshot;
	struct http_exchange *exchange; /* NULL: a message of a batch */
	struct cmp_request request;
	struct pool *pool;
	char peer[JOB_PEER_SIZE];
	struct cmp_answer answer; /* in pool; body absent: nothing to be said in CMP */
	int error; /* why body is absent */
	const char *unavailable; /* the next run only makes this answer */
	int attempts;
	_Atomic enum job_state state;
	_Atomic bool late; /* decide_wait is over */
	bool timed; /* the timer has been asked for */
	bool expired; /* what is undecided is held */
	struct event *timer; /* I/O thread */
	struct batch *batch; /* of the messages it has brought; NULL: not split */
	struct job *batch_of; /* it is one of the messages of this job; NULL: it came by itself */
	size_t index; /* in the batch */
	struct letter park_letter;
	struct letter batch_letter;
	struct letter done_letter;
};

void flow_init(struct flow *flow);
/* Ends jobs that are left (503) and frees the spare ones. No other thread may work. */
void flow_fini(struct flow *flow);

/* I/O thread. CMPD_ENOMEM, CMPD_ELIMIT (queue full), CMPD_ECLOSED: the exchange is still the
 * caller's. */
int job_start(struct flow *flow, struct snapshot *snapshot, const struct conf_endpoint *endpoint,
    enum cmp_operation operation, const struct http_request_info *info) CMPD_MUST_CHECK;

/* One message of a batch, as a job of its own; batch_take follows. It was let in with its batch, so
 * it finds room in the queue. CMPD_ENOMEM, CMPD_ECLOSED. */
int job_start_nested(struct job *job, size_t index) CMPD_MUST_CHECK;

/* ---- from any thread that owns the job ---- */

/* Answers it (on the I/O thread): job->answer, or 503 if error is not 0. quiet: mailbox_flush
 * follows. */
void job_done(struct job *job, int error, bool quiet);
/* Back into the queue; if that cannot be, 503. */
void job_again(struct job *job);
/* EPARKED was the result. */
void job_park(struct job *job);
/* For cmp_request.wake. */
void job_wake(void *job);
