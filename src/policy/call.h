/*
 * The inside of a call, for the threads that run it.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "policy/chain.h"
#include "policy/request.h"

struct policy_thread;

enum policy_call_state { CALL_RUNNING, CALL_DECIDED };

struct policy_call {
	atomic_uint refs;
	struct policy *policy; /* a share of it */
	const struct policy_chain *chain;
	struct cmpd_request request;
	/* Written once, before state becomes CALL_DECIDED; only read then. */
	struct policy_verdict verdict;
	_Atomic enum policy_call_state state;

	/* Guarded by lock. */
	pthread_mutex_t lock;
	pthread_cond_t woken; /* wake has returned */
	/* asked now, or who said HOLD; NULL: nobody whose later decision counts */
	struct policy_link *link;
	struct policy_verdict later; /* of cmpd_decide_later; PASS: none */
	void (*wake)(void *arg); /* NULL: not parked, or not wanted any more */
	void *wake_arg;
	pthread_t waker; /* while waking */
	bool waking;
	bool abandoned; /* freed without detach: nobody wants to know */
	bool late_done;
	void (*late)(void *arg, const struct txn_key *txn, int64_t cert_req_id,
	    const struct policy_verdict *verdict);
	void *late_arg;
};

struct policy_call *policy_call_get1(struct policy_call *call);
void policy_call_unref(struct policy_call *call);

/* Runs the rest of the chain. Takes the share of call. */
void policy_call_work(struct policy_call *call, struct policy_thread *thread);
/* Decides HOLD because the pool ends. Takes the share of call. */
void policy_call_refuse(struct policy_call *call);
/* Decides HOLD because decide does not return. */
void policy_call_give_up(struct policy_call *call);

/* One line about a plugin that failed; never for the client. */
void policy_call_log(const struct policy_call *call, const struct policy_link *link,
    const char *why);
/* A verdict that came after HOLD was said, or before. Strings live as long as the call. */
void policy_call_later(struct policy_call *call, struct policy_link *link,
    const struct policy_verdict *verdict);
