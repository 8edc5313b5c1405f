#include "policy/call.h"

#include <stdlib.h>

#include <cmpd/plugin.h>

#include "base/log.h"
#include "model/failinfo.h"
#include "policy/threads.h"

static const char FAILED[] = "policy plugin failed";
static const char BUSY[] = "policy is busy";

/* ---- memory ---- */

struct policy_call *
policy_call_new(const struct policy_chain *chain, const struct policy_request *request)
{
	struct policy_call *call = calloc(1, sizeof(*call));

	if (call == NULL) {
		return NULL;
	}
	if (policy_request_init(&call->request, request, call) != 0) {
		free(call);
		return NULL;
	}
	atomic_init(&call->refs, 1);
	atomic_init(&call->state, CALL_RUNNING);
	pthread_mutex_init(&call->lock, NULL);
	pthread_cond_init(&call->woken, NULL);
	call->policy = policy_get1(chain->policy);
	call->chain = chain;
	return call;
}

struct policy_call *
policy_call_get1(struct policy_call *call)
{
	atomic_fetch_add(&call->refs, 1);
	return call;
}

void
policy_call_unref(struct policy_call *call)
{
	struct policy *policy = call->policy;

	if (atomic_fetch_sub(&call->refs, 1) == 1) {
		policy_request_fini(&call->request);
		pthread_cond_destroy(&call->woken);
		pthread_mutex_destroy(&call->lock);
		free(call);
		policy_unref(policy);
	}
}

/* ---- deciding ---- */

void
policy_call_log(const struct policy_call *call, const struct policy_link *link, const char *why)
{
	struct log_line line;

	log_begin(&line, LOG_LEVEL_WARNING, "policy.failed");
	log_str(&line, "txn", call->request.txn);
	log_int(&line, "req", (int64_t)call->request.copy.req);
	log_int(&line, "certReqId", call->request.copy.cert_req_id);
	log_str(&line, "plugin", link->plugin->api->name);
	log_str(&line, "why", why);
	log_end(&line);
}

/* Tells what came late, once. Called with the lock, which is gone afterwards. */
static void
tell_late_unlock(struct policy_call *call)
{
	const struct policy_verdict *verdict = NULL;
	struct policy_verdict told;

	if (call->late != NULL && !call->late_done && atomic_load(&call->state) == CALL_DECIDED) {
		if (call->verdict.answer == POLICY_GRANT || call->verdict.answer == POLICY_DENY) {
			verdict = &call->verdict;
		} else if (call->later.answer != POLICY_PASS) {
			verdict = &call->later;
		}
		call->late_done = verdict != NULL;
	}
	pthread_mutex_unlock(&call->lock);
	if (verdict != NULL && policy_enter(call->policy)) {
		told = *verdict;
		told.received = call->request.copy.received;
		call->late(call->late_arg, &call->request.copy.txn, call->request.copy.cert_req_id,
		    &told);
		policy_leave(call->policy);
	}
}

/* Called with the lock, which is gone afterwards. */
static void
wake_unlock(struct policy_call *call)
{
	void (*wake)(void *arg) = call->wake;

	if (wake == NULL) {
		tell_late_unlock(call);
		return;
	}
	call->wake = NULL;
	call->waking = true;
	call->waker = pthread_self();
	pthread_mutex_unlock(&call->lock);
	wake(call->wake_arg);

	pthread_mutex_lock(&call->lock);
	call->waking = false;
	pthread_cond_broadcast(&call->woken);
	/* The callback may have detached it, or another thread meanwhile. */
	tell_late_unlock(call);
}

/* The one place where a call is decided. holder: whose later decision counts, if verdict is HOLD. */
static void
decide(struct policy_call *call, struct policy_link *holder, const struct policy_verdict *verdict)
{
	pthread_mutex_lock(&call->lock);
	call->verdict = *verdict;
	if (holder == NULL || verdict->answer != POLICY_HOLD || call->link != holder) {
		call->link = NULL;
		call->later.answer = POLICY_PASS;
	}
	atomic_store(&call->state, CALL_DECIDED);
	wake_unlock(call);
}

static void
decide_hold(struct policy_call *call, const struct policy_link *link, const char *reason)
{
	const struct policy_verdict hold = {
	    .answer = POLICY_HOLD,
	    .plugin = link != NULL ? link->plugin->api->name : NULL,
	    .fail_info = FI_NONE,
	    .text = reason,
	};

	decide(call, NULL, &hold);
}

void
policy_call_refuse(struct policy_call *call)
{
	decide_hold(call, NULL, BUSY);
	policy_call_unref(call);
}

void
policy_call_give_up(struct policy_call *call)
{
	const struct policy_link *link;

	pthread_mutex_lock(&call->lock);
	link = call->link;
	pthread_mutex_unlock(&call->lock);
	policy_call_log(call, link, "decide does not return");
	decide_hold(call, link, FAILED);
}

/* ---- running the chain ---- */

/* False: nobody wants to know any more. */
static bool
next_link(struct policy_call *call, struct policy_link *link)
{
	bool wanted;

	pthread_mutex_lock(&call->lock);
	wanted = !call->abandoned;
	call->link = link;
	/* What an earlier plugin decided for later does not count: it has passed. */
	call->later.answer = POLICY_PASS;
	pthread_mutex_unlock(&call->lock);
	return wanted;
}

/* 0 and the verdict; CMPD_EPLUGIN; CMPD_ETIMEOUT: the call is not ours any more. */
static int
ask(struct policy_call *call, struct policy_link *link, struct policy_thread *thread,
    struct policy_verdict *ret)
{
	struct cmpd_verdict verdict = {
	    .struct_size = sizeof(verdict), .answer = CMPD_PASS, .fail_info = CMPD_FAIL_NONE};
	struct diag diag = {.text = ""};
	bool ours = true;
	int rc;

	atomic_fetch_add(&link->busy, 1);
	if (thread != NULL) {
		policy_thread_enter(thread, call, link);
	}
	rc = link->plugin->api->decide(link->instance, &call->request, &verdict);
	if (thread != NULL) {
		ours = policy_thread_leave(thread);
	}
	if (!ours) {
		atomic_fetch_sub(&link->busy, 1);
		return CMPD_ETIMEOUT;
	}
	if (rc != 0) {
		rc = diag_set(&diag, CMPD_EPLUGIN, "%s",
		    verdict.text != NULL ? verdict.text : "decide failed");
	} else {
		rc = policy_verdict_take(call->policy, link, &call->request, &verdict, ret, &diag);
	}
	/* Only now: the strings may lie in the instance. */
	atomic_fetch_sub(&link->busy, 1);
	if (rc != 0) {
		policy_call_log(call, link, diag.text);
		rc = CMPD_EPLUGIN;
	}
	return rc;
}

/*
 * Asks plugin after plugin from link number i on. 0: decided (or not wanted, or given up); CMPD_EPARKED: without a
 * thread the next one must not be asked.
 */
static int
run(struct policy_call *call, size_t i, struct policy_thread *thread, size_t *ret_next)
{
	struct policy_verdict verdict = {.answer = POLICY_PASS, .fail_info = FI_NONE};
	struct policy_link *link;
	int rc;

	for (; i < call->chain->n_links; i++) {
		link = &call->chain->links[i];
		if (!next_link(call, link)) {
			return 0;
		}
		if (policy_plugin_is_held(link->plugin)) {
			decide_hold(call, link, FAILED);
			return 0;
		}
		if (thread == NULL && !(link->plugin->api->flags & CMPD_PLUGIN_NONBLOCKING)) {
			*ret_next = i;
			return CMPD_EPARKED;
		}
		rc = ask(call, link, thread, &verdict);
		if (rc == CMPD_ETIMEOUT) {
			return 0;
		}
		if (rc != 0) {
			decide_hold(call, link, FAILED);
			return 0;
		}
		if (verdict.answer != POLICY_PASS) {
			decide(call, link, &verdict);
			return 0;
		}
	}
	decide(call, NULL, &verdict);
	return 0;
}

void
policy_call_work(struct policy_call *call, struct policy_thread *thread)
{
	size_t next;

	/* Only this thread changes link as long as the call runs; the lock is for those who look at it. */
	(void)run(call, (size_t)(call->link - call->chain->links), thread, &next);
	policy_call_unref(call);
}

int
policy_call_run(struct policy_call *call, void (*wake)(void *arg), void *arg)
{
	size_t next = 0;
	int rc = run(call, 0, NULL, &next);

	if (rc != CMPD_EPARKED) {
		return rc;
	}
	pthread_mutex_lock(&call->lock);
	call->wake = wake;
	call->wake_arg = arg;
	pthread_mutex_unlock(&call->lock);
	if (policy_threads_put(call->policy->threads, policy_call_get1(call)) == 0) {
		return CMPD_EPARKED;
	}
	pthread_mutex_lock(&call->lock);
	call->wake = NULL;
	pthread_mutex_unlock(&call->lock);
	policy_call_refuse(call);
	return CMPD_EUNAVAILABLE;
}

/* ---- the caller's side ---- */

int
policy_call_verdict(const struct policy_call *call, struct policy_verdict *ret)
{
	if (atomic_load(&call->state) != CALL_DECIDED) {
		return CMPD_EPARKED;
	}
	*ret = call->verdict;
	return 0;
}

/* No wake from now on; one that runs in another thread is waited for. The lock is held. */
static void
stop_waking(struct policy_call *call)
{
	call->wake = NULL;
	while (call->waking && !pthread_equal(call->waker, pthread_self())) {
		pthread_cond_wait(&call->woken, &call->lock);
	}
}

void
policy_call_detach(struct policy_call *call,
    void (*late)(void *arg, const struct txn_key *txn, int64_t cert_req_id,
	const struct policy_verdict *verdict),
    void *arg)
{
	pthread_mutex_lock(&call->lock);
	stop_waking(call);
	call->late = late;
	call->late_arg = arg;
	tell_late_unlock(call);
}

void
policy_call_free(struct policy_call *call)
{
	if (call == NULL) {
		return;
	}
	pthread_mutex_lock(&call->lock);
	stop_waking(call);
	call->abandoned = call->late == NULL;
	pthread_mutex_unlock(&call->lock);
	policy_call_unref(call);
}

void
policy_call_later(struct policy_call *call, struct policy_link *link,
    const struct policy_verdict *verdict)
{
	pthread_mutex_lock(&call->lock);
	if (call->link == link && call->later.answer == POLICY_PASS) {
		call->later = *verdict;
	}
	tell_late_unlock(call);
}
