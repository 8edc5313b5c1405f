/*
 * The plugin threads: a few threads, a bounded queue of calls, and a watch
 * that gives up a thread whose plugin does not return.
 *
 * Who completes a call: the thread that runs it, or the watch if that has
 * given the thread up - decided under one lock, so exactly one of them.
 */
#pragma once

#include "base/bytes.h"
#include "base/error.h"

struct policy_call;
struct policy_link;
struct policy_thread;
struct policy_threads;

/* queue_limit: calls that wait. NULL: no memory or no thread. */
struct policy_threads *policy_threads_new(size_t n, size_t queue_limit);
/* Takes the caller's share of call, which runs by policy_call_work. CMPD_ELIMIT, CMPD_ECLOSED: not taken. */
int policy_threads_put(struct policy_threads *threads, struct policy_call *call) CMPD_MUST_CHECK;
/* Calls that wait are refused (policy_call_refuse), those that run are waited for, at the most until they count as stuck.
 * Frees; what is stuck frees the rest when it returns. NULL is fine. */
void policy_threads_stop(struct policy_threads *threads);

/* Around decide, by the thread that runs it. */
void policy_thread_enter(struct policy_thread *self, struct policy_call *call,
    struct policy_link *link);
/* False: it took too long, the call is completed by the watch: leave it alone. */
bool policy_thread_leave(struct policy_thread *self);
