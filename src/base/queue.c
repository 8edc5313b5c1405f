#include "base/queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A ring that doubles when full; put_again may grow it past the limit. */
struct queue {
	pthread_mutex_t lock;
	pthread_cond_t filled;
	void **items;
	size_t size;
	size_t head;
	size_t len;
	size_t limit;
	bool closed;
};

struct queue *
queue_new(size_t limit)
{
	struct queue *queue = calloc(1, sizeof(*queue));
	pthread_condattr_t attr;

	if (queue == NULL) {
		return NULL;
	}
	queue->limit = limit;
	pthread_mutex_init(&queue->lock, NULL);
	pthread_condattr_init(&attr);
	/* A step of the wall clock must not stretch a timeout. */
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&queue->filled, &attr);
	pthread_condattr_destroy(&attr);
	return queue;
}

void
queue_free(struct queue *queue)
{
	if (queue == NULL) {
		return;
	}
	pthread_cond_destroy(&queue->filled);
	pthread_mutex_destroy(&queue->lock);
	free(queue->items);
	free(queue);
}

static int
grow(struct queue *queue)
{
	size_t size = queue->size == 0 ? 16 : queue->size * 2;
	void **items = reallocarray(NULL, size, sizeof(*items));

	if (items == NULL) {
		return CMPD_ENOMEM;
	}
	for (size_t i = 0; i < queue->len; i++) {
		items[i] = queue->items[(queue->head + i) % queue->size];
	}
	free(queue->items);
	queue->items = items;
	queue->size = size;
	queue->head = 0;
	return 0;
}

static int
put(struct queue *queue, void *item, bool bounded)
{
	int error = 0;

	pthread_mutex_lock(&queue->lock);
	if (queue->closed) {
		error = CMPD_ECLOSED;
	} else if (bounded && queue->len >= queue->limit) {
		error = CMPD_ELIMIT;
	} else if (queue->len == queue->size) {
		error = grow(queue);
	}
	if (error == 0) {
		queue->items[(queue->head + queue->len) % queue->size] = item;
		queue->len++;
		pthread_cond_signal(&queue->filled);
	}
	pthread_mutex_unlock(&queue->lock);
	return error;
}

int
queue_put(struct queue *queue, void *item)
{
	return put(queue, item, true);
}

int
queue_put_again(struct queue *queue, void *item)
{
	return put(queue, item, false);
}

/* With the lock held. */
static void *
take_first(struct queue *queue)
{
	void *item;

	if (queue->len == 0) {
		return NULL;
	}
	item = queue->items[queue->head];
	queue->head = (queue->head + 1) % queue->size;
	queue->len--;
	return item;
}

void *
queue_take(struct queue *queue)
{
	void *item;

	pthread_mutex_lock(&queue->lock);
	while (queue->len == 0 && !queue->closed) {
		pthread_cond_wait(&queue->filled, &queue->lock);
	}
	item = take_first(queue);
	pthread_mutex_unlock(&queue->lock);
	return item;
}

void *
queue_take_until(struct queue *queue, int64_t timeout_ms)
{
	struct timespec until;
	void *item;
	int error = 0;

	if (timeout_ms < 0) {
		timeout_ms = 0;
	}
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(timeout_ms / 1000);
	until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&queue->lock);
	while (queue->len == 0 && !queue->closed && error == 0) {
		error = pthread_cond_timedwait(&queue->filled, &queue->lock, &until);
	}
	item = take_first(queue);
	pthread_mutex_unlock(&queue->lock);
	return item;
}

void
queue_close(struct queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	queue->closed = true;
	pthread_cond_broadcast(&queue->filled);
	pthread_mutex_unlock(&queue->lock);
}

size_t
queue_len(struct queue *queue)
{
	size_t len;

	pthread_mutex_lock(&queue->lock);
	len = queue->len;
	pthread_mutex_unlock(&queue->lock);
	return len;
}
