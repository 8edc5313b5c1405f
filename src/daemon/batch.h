/*
 * A batch of nested messages on its way: the job that brought it waits while each message is a job
 * of its own, with its own redo, its own unit and its own waiting for policy. Batches are the I/O
 * thread's, but for what is said otherwise.
 */
#pragma once

#include "base/bytes.h"
#include "base/error.h"
#include "cmp/door.h"

struct job;

/* Messages of one batch that are under way at the same time. */
#define BATCH_ABREAST 64
/* Batches under way; one more is answered 503, so that a few RAs do not fill the memory. */
#define BATCHES_MAX 64

struct batch {
	struct pool *pool; /* of everything here, and of the answer that is made in the end */
	struct cmp_batch in; /* the messages themselves lie in the body of the exchange */
	size_t started, finished;
	struct bytes *answers;
	int error; /* of a message that got no answer; the batch gets none either */
};

/* The door has said that job->answer.batch is to be done. Any thread that owns the job; the job
 * goes back into the queue when everything is answered. */
void batch_begin(struct job *job);
/* A job of a batch has ended, with job->answer or job->error. */
void batch_take(struct job *message);
/* The job ends; it need not have a batch. */
void batch_end(struct job *job);
