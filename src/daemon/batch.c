#include "daemon/batch.h"

#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "base/queue.h"
#include "conf/conf.h"
#include "daemon/job.h"

/* More than the answers to the largest batch need. */
#define POOL_LIMIT (64u * 1024 * 1024)

static int
batch_new(const struct cmp_batch *in, struct batch **ret)
{
	struct batch *batch = calloc(1, sizeof(*batch));
	struct pool *pool = pool_new(POOL_LIMIT);
	struct bytes *messages;
	int r = CMPD_ENOMEM;

	if (batch == NULL || pool == NULL) {
		goto out;
	}
	messages = pool_alloc(pool, in->n * sizeof(*messages));
	batch->answers = pool_alloc(pool, in->n * sizeof(*batch->answers));
	batch->in.ra = pool_strdup(pool, in->ra);
	if (messages == NULL || batch->answers == NULL || batch->in.ra == NULL) {
		goto out;
	}
	memcpy(messages, in->messages, in->n * sizeof(*messages));
	batch->in.messages = messages;
	batch->in.n = in->n;
	batch->pool = pool;
	*ret = batch;
	batch = NULL;
	pool = NULL;
	r = 0;
out:
	pool_free(pool);
	free(batch);
	return r;
}

void
batch_end(struct job *job)
{
	if (job->batch != NULL) {
		job->flow->n_batches--;
		pool_free(job->batch->pool);
		free(job->batch);
		job->batch = NULL;
	}
}

/* As many as may be under way; after a failure no more of them. */
static void
start_some(struct job *job)
{
	struct batch *batch = job->batch;

	while (batch->error == 0 && batch->started < batch->in.n &&
	       batch->started - batch->finished < BATCH_ABREAST) {
		batch->error = job_start_nested(job, batch->started);
		batch->started += batch->error == 0;
	}
	if (batch->finished < batch->started) {
		return;
	}
	if (batch->error < 0) {
		job_done(job, batch->error, false);
	} else {
		job_again(job);
	}
}

static void
split(void *arg)
{
	struct job *job = arg;
	int r = job->flow->n_batches < BATCHES_MAX ? batch_new(job->answer.batch, &job->batch)
						   : CMPD_ELIMIT;

	if (r < 0) {
		job_done(job, r, false);
		return;
	}
	job->flow->n_batches++;
	start_some(job);
}

void
batch_begin(struct job *job)
{
	atomic_store(&job->state, JOB_BUSY);
	job->batch_letter = (struct letter){.fn = split, .arg = job};
	mailbox_post(job->flow->mailbox, &job->batch_letter);
}

void
batch_take(struct job *message)
{
	struct job *job = message->batch_of;
	struct batch *batch = job->batch;
	struct bytes *answer = &batch->answers[message->index];
	int error = message->error;

	if (error == 0) {
		*answer = pool_bytes(batch->pool, message->answer.body);
		error = answer->data == NULL ? CMPD_ENOMEM : 0;
	}
	if (error < 0 && batch->error == 0) {
		batch->error = error;
	}
	batch->finished++;
	start_some(job);
}
