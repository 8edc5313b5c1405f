/*
 * A bounded queue of pointers between threads, first in first out.
 * The queue never owns what it carries.
 */
#pragma once

#include "base/bytes.h"

struct queue;

struct queue *queue_new(size_t limit);
/* Must be empty, and no thread may wait in it. */
void queue_free(struct queue *queue);

/* CMPD_ELIMIT: full. CMPD_ECLOSED: closed. CMPD_ENOMEM. Never waits. */
int queue_put(struct queue *queue, void *item) CMPD_MUST_CHECK;
/* Ignores the limit: for work that was already accepted once (a redo). CMPD_ECLOSED, CMPD_ENOMEM. */
int queue_put_again(struct queue *queue, void *item) CMPD_MUST_CHECK;
/* Waits for an item; NULL once the queue is closed and empty. */
void *queue_take(struct queue *queue);
/* As take, but at the most timeout_ms; NULL also when the time is over. */
void *queue_take_until(struct queue *queue, int64_t timeout_ms);
/* No put succeeds any more; takers get what is left, then NULL. */
void queue_close(struct queue *queue);
size_t queue_len(struct queue *queue);
