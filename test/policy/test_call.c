/*
 * Calls that wait: parking, detaching, later decisions, threads that do not come back.
 */
#include "fixture.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>

#include "plugins/remote.h"
#include "policy/limits.h"

static sem_t entered; /* posted by each decide */
static sem_t go; /* taken by each decide of "slow" and "stuck" */
static sem_t woken, told;
static atomic_int decides;
static _Atomic(struct cmpd_kept *) kept;
static atomic_int late_answer;

static void
take(sem_t *sem)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_sec += 20;
	assert_int_equal(sem_timedwait(sem, &ts), 0);
}

static bool
is_posted(sem_t *sem)
{
	return sem_trywait(sem) == 0;
}

static void
decide_later(struct cmpd_kept *handle, enum cmpd_answer answer)
{
	struct cmpd_verdict verdict = CMPD_VERDICT_INIT;

	verdict.answer = answer;
	cmpd_decide_later(handle, &verdict);
}

int
remote_decide(const char *id, struct cmpd_request *request, struct cmpd_verdict *verdict)
{
	verdict->answer = CMPD_GRANT;
	atomic_fetch_add(&decides, 1);
	sem_post(&entered);
	if (strcmp(id, "slow") == 0) {
		sem_wait(&go);
		verdict->subject = cmpd_request_printf(request, "/CN=%d", 42);
	} else if (strcmp(id, "keep") == 0) {
		atomic_store(&kept, cmpd_request_keep(request));
		verdict->answer = CMPD_HOLD;
	} else if (strcmp(id, "hasty") == 0) {
		decide_later(cmpd_request_keep(request), CMPD_DENY);
		verdict->answer = CMPD_HOLD;
	} else if (strcmp(id, "turncoat") == 0) {
		decide_later(cmpd_request_keep(request), CMPD_GRANT);
		verdict->answer = CMPD_PASS;
	} else if (strcmp(id, "pass") == 0) {
		verdict->answer = CMPD_PASS;
	} else if (strcmp(id, "hold") == 0) {
		verdict->answer = CMPD_HOLD;
	}
	return 0;
}

void
remote_close(const char *id)
{
	if (strcmp(id, "keep") == 0) {
		cmpd_kept_free(atomic_exchange(&kept, NULL));
	}
}

static void
wake(void *arg)
{
	(void)arg;
	sem_post(&woken);
}

static void
late(void *arg, const struct txn_key *txn, int64_t cert_req_id,
    const struct policy_verdict *verdict)
{
	assert_ptr_equal(arg, &told);
	assert_int_equal(txn->id_len, 2);
	assert_int_equal(cert_req_id, 7);
	assert_int_equal(verdict->received, fixture_request().received);
	atomic_store(&late_answer, (int)verdict->answer);
	sem_post(&told);
}

static int
setup(void **state)
{
	static struct fixture f;

	sem_init(&entered, 0, 0);
	sem_init(&go, 0, 0);
	sem_init(&woken, 0, 0);
	sem_init(&told, 0, 0);
	atomic_store(&decides, 0);
	atomic_store(&late_answer, -1);
	policy_limits.stuck = 30000;
	fixture_init(&f);
	*state = &f;
	return 0;
}

static struct policy_call *
park(struct fixture *f)
{
	int rc;
	struct policy_call *call = fixture_ask(f, wake, NULL, &rc);

	assert_int_equal(rc, CMPD_EPARKED);
	return call;
}

static void
assert_answer(struct policy_call *call, enum policy_answer answer)
{
	struct policy_verdict verdict;

	assert_int_equal(policy_call_verdict(call, &verdict), 0);
	assert_int_equal(verdict.answer, answer);
}

static void
test_slow_plugin_parks_and_wakes_once(void **state)
{
	struct fixture *f = *state;
	struct policy_verdict verdict;
	struct policy_call *call;

	fixture_add(f, "remote-now", "id", "pass", NULL);
	fixture_add(f, "remote", "id", "slow", NULL);
	fixture_open(f);
	call = park(f);
	take(&entered);
	take(&entered);
	assert_int_equal(policy_call_verdict(call, &verdict), CMPD_EPARKED);
	assert_false(is_posted(&woken));
	sem_post(&go);
	take(&woken);
	assert_int_equal(policy_call_verdict(call, &verdict), 0);
	assert_int_equal(verdict.answer, POLICY_GRANT);
	assert_string_equal(verdict.subject, "/CN=42");
	policy_call_free(call);
	fixture_close(f);
	assert_false(is_posted(&woken));
}

static void
test_chain_goes_on_behind_a_slow_plugin(void **state)
{
	struct fixture *f = *state;
	struct policy_call *call;

	fixture_add(f, "remote", "id", "pass", NULL);
	fixture_add(f, "remote-now", "id", "pass", NULL);
	fixture_add(f, "remote", "id", "hold", NULL);
	fixture_add(f, "remote-now", "id", "grant", NULL);
	fixture_open(f);
	call = park(f);
	take(&woken);
	assert_answer(call, POLICY_HOLD);
	assert_int_equal(atomic_load(&decides), 3);
	policy_call_free(call);
	fixture_close(f);
}

static void
test_detached_call_tells_late(void **state)
{
	struct fixture *f = *state;
	struct policy_call *call;

	fixture_add(f, "remote", "id", "slow", NULL);
	fixture_open(f);
	call = park(f);
	take(&entered);
	policy_call_detach(call, late, &told);
	policy_call_free(call);
	sem_post(&go);
	take(&told);
	assert_int_equal(atomic_load(&late_answer), POLICY_GRANT);
	fixture_close(f);
	assert_false(is_posted(&woken));
	assert_false(is_posted(&told));
}

static void
test_verdict_before_detach_is_told_at_detach(void **state)
{
	struct fixture *f = *state;
	struct policy_call *call;

	fixture_add(f, "remote", "id", "grant", NULL);
	fixture_open(f);
	call = park(f);
	take(&woken);
	policy_call_detach(call, late, &told);
	take(&told);
	policy_call_free(call);
	fixture_close(f);
	assert_false(is_posted(&told));
}

static void
test_hold_and_pass_are_not_told_late(void **state)
{
	struct fixture *f = *state;
	struct policy_call *call;

	fixture_add(f, "remote", "id", "hold", NULL);
	fixture_open(f);
	call = park(f);
	take(&woken);
	policy_call_detach(call, late, &told);
	policy_call_free(call);
	fixture_close(f);
	assert_false(is_posted(&told));
}

static void *
later_thread(void *arg)
{
	(void)arg;
	decide_later(atomic_exchange(&kept, NULL), CMPD_GRANT);
	return NULL;
}

static void
test_plugin_decides_later_from_a_thread_of_its_own(void **state)
{
	struct fixture *f = *state;
	struct policy_verdict verdict;
	struct policy_call *call;
	pthread_t thread;

	fixture_add(f, "remote-now", "id", "keep", NULL);
	fixture_open(f);
	call = fixture_ask_now(f, &verdict);
	assert_int_equal(verdict.answer, POLICY_HOLD);
	policy_call_detach(call, late, &told);
	policy_call_free(call);
	assert_string_equal(cmpd_request_subject(cmpd_kept_request(atomic_load(&kept))),
	    "/C=DE/CN=lab-1");
	assert_int_equal(pthread_create(&thread, NULL, later_thread, NULL), 0);
	take(&told);
	assert_int_equal(atomic_load(&late_answer), POLICY_GRANT);
	pthread_join(thread, NULL);
	fixture_close(f);
}

static void
test_later_decision_before_decide_returns_is_told_at_detach(void **state)
{
	struct fixture *f = *state;
	struct policy_verdict verdict;
	struct policy_call *call;

	fixture_add(f, "remote-now", "id", "hasty", NULL);
	fixture_open(f);
	call = fixture_ask_now(f, &verdict);
	assert_int_equal(verdict.answer, POLICY_HOLD);
	policy_call_detach(call, late, &told);
	take(&told);
	assert_int_equal(atomic_load(&late_answer), POLICY_DENY);
	policy_call_free(call);
	fixture_close(f);
}

static void
test_later_decision_of_a_plugin_that_passed_does_not_count(void **state)
{
	struct fixture *f = *state;
	struct policy_verdict verdict;
	struct policy_call *call;

	fixture_add(f, "remote-now", "id", "turncoat", NULL);
	fixture_add(f, "remote-now", "id", "hold", NULL);
	fixture_open(f);
	call = fixture_ask_now(f, &verdict);
	policy_call_detach(call, late, &told);
	policy_call_free(call);
	fixture_close(f);
	assert_false(is_posted(&told));
}

static void
test_what_is_kept_when_the_policy_ends_tells_nothing(void **state)
{
	struct fixture *f = *state;
	struct policy_verdict verdict;
	struct policy_call *call;

	fixture_add(f, "remote-now", "id", "keep", NULL);
	fixture_open(f);
	call = fixture_ask_now(f, &verdict);
	policy_call_detach(call, late, &told);
	fixture_close(f);
	assert_null(atomic_load(&kept));
	assert_answer(call, POLICY_HOLD);
	policy_call_free(call);
	assert_false(is_posted(&told));
}

static void
test_freed_call_stops_before_the_next_plugin(void **state)
{
	struct fixture *f = *state;
	struct policy_call *call;

	fixture_add(f, "remote", "id", "slow", NULL);
	fixture_add(f, "remote", "id", "grant", NULL);
	fixture_open(f);
	call = park(f);
	take(&entered);
	policy_call_free(call);
	sem_post(&go);
	fixture_close(f);
	assert_int_equal(atomic_load(&decides), 1);
	assert_false(is_posted(&woken));
	assert_false(is_posted(&told));
}

static void
test_full_queue_holds(void **state)
{
	struct policy_call *calls[8];
	struct policy_verdict verdict;
	struct fixture *f = *state;
	struct policy_call *call;
	int rc;

	f->conf.plugin_threads = 1;
	f->conf.limits.parked = 7;
	fixture_add(f, "remote", "id", "slow", NULL);
	fixture_open(f);
	calls[0] = park(f);
	take(&entered);
	for (size_t i = 1; i < 8; i++) {
		calls[i] = park(f);
	}
	call = fixture_ask(f, wake, NULL, &rc);
	assert_int_equal(rc, CMPD_EUNAVAILABLE);
	assert_int_equal(policy_call_verdict(call, &verdict), 0);
	assert_int_equal(verdict.answer, POLICY_HOLD);
	assert_null(verdict.plugin);
	policy_call_free(call);
	for (size_t i = 0; i < 8; i++) {
		sem_post(&go);
	}
	for (size_t i = 0; i < 8; i++) {
		take(&woken);
	}
	for (size_t i = 0; i < 8; i++) {
		assert_answer(calls[i], POLICY_GRANT);
		policy_call_free(calls[i]);
	}
	fixture_close(f);
}

static void *
close_main(void *arg)
{
	fixture_close(arg);
	return NULL;
}

static void
test_end_refuses_what_waits_and_finishes_what_runs(void **state)
{
	struct fixture *f = *state;
	struct policy_call *running, *waiting;
	pthread_t closer;

	f->conf.plugin_threads = 1;
	fixture_add(f, "remote", "id", "slow", NULL);
	fixture_open(f);
	running = park(f);
	take(&entered);
	waiting = park(f);
	assert_int_equal(pthread_create(&closer, NULL, close_main, f), 0);
	take(&woken);
	assert_answer(waiting, POLICY_HOLD);
	sem_post(&go);
	pthread_join(closer, NULL);
	take(&woken);
	assert_answer(running, POLICY_GRANT);
	policy_call_free(running);
	policy_call_free(waiting);
}

/* B8.4 */
static void
test_B8_4_hanging_plugin_costs_four_threads_and_is_held(void **state)
{
	struct policy_call *calls[4], *call;
	struct policy_verdict verdict;
	struct fixture *f = *state;

	policy_limits.stuck = 50;
	f->conf.plugin_threads = 1;
	fixture_add(f, "remote", "id", "slow", NULL);
	fixture_open(f);
	for (size_t i = 0; i < 4; i++) {
		calls[i] = park(f);
		take(&woken);
		assert_int_equal(policy_call_verdict(calls[i], &verdict), 0);
		assert_int_equal(verdict.answer, POLICY_HOLD);
		assert_string_equal(verdict.text, "policy plugin failed");
		policy_call_detach(calls[i], late, &told);
	}
	assert_int_equal(atomic_load(&decides), 4);
	/* Not asked any more, and not waited for. */
	call = fixture_ask_now(f, &verdict);
	assert_int_equal(verdict.answer, POLICY_HOLD);
	assert_int_equal(atomic_load(&decides), 4);
	policy_call_free(call);
	/* What it says too late does not count. */
	sem_post(&go);
	fixture_sleep(50);
	assert_false(is_posted(&told));
	for (size_t i = 0; i < 4; i++) {
		policy_call_free(calls[i]);
	}
	fixture_close(f);
	/* The others come back after the policy has gone. */
	for (size_t i = 0; i < 3; i++) {
		sem_post(&go);
	}
	fixture_sleep(50);
	assert_false(is_posted(&told));
}

static void
test_B8_4_other_plugins_go_on_while_one_hangs(void **state)
{
	struct policy_call *call, *other;
	struct fixture *f = *state;
	struct conf_endpoint both[2];

	policy_limits.stuck = 50;
	f->conf.plugin_threads = 1;
	fixture_add(f, "remote", "id", "slow", NULL);
	fixture_add(f, "remote", "id", "grant", NULL);
	both[0] = f->endpoint;
	both[0].n_policy = 1;
	both[1] = f->endpoint;
	both[1].path = "/other";
	both[1].policy = f->links + 1;
	both[1].n_policy = 1;
	f->conf.endpoints = both;
	f->conf.n_endpoints = 2;
	fixture_open(f);
	call = park(f);
	take(&entered);
	f->chain = policy_chain_get0(f->policy, &both[1]);
	other = park(f);
	take(&woken);
	take(&woken);
	assert_answer(call, POLICY_HOLD);
	assert_answer(other, POLICY_GRANT);
	policy_call_free(call);
	policy_call_free(other);
	sem_post(&go);
	fixture_close(f);
}

/* ---- many at once ---- */

static atomic_int wakes, parks;

static void
count_wake(void *arg)
{
	(void)arg;
	atomic_fetch_add(&wakes, 1);
}

static void
count_late(void *arg, const struct txn_key *txn, int64_t cert_req_id,
    const struct policy_verdict *verdict)
{
	(void)txn, (void)cert_req_id, (void)verdict;
	atomic_fetch_add((atomic_int *)arg, 1);
}

static void *
crowd_main(void *arg)
{
	static atomic_int lates;
	struct fixture *f = arg;

	for (int i = 0; i < 300; i++) {
		int rc;
		struct policy_call *call = fixture_ask(f, count_wake, NULL, &rc);

		atomic_fetch_add(&parks, rc == CMPD_EPARKED);
		if (i % 3 == 0) {
			policy_call_detach(call, count_late, &lates);
		} else if (i % 3 == 1) {
			struct policy_verdict verdict;

			while (policy_call_verdict(call, &verdict) != 0) {
				fixture_sleep(1);
			}
		}
		policy_call_free(call);
	}
	return NULL;
}

static void
test_many_calls_at_once(void **state)
{
	struct fixture *f = *state;
	pthread_t threads[4];

	f->conf.limits.parked = 64;
	fixture_add(f, "remote-now", "id", "pass", NULL);
	fixture_add(f, "remote", "id", "hasty", NULL);
	fixture_open(f);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, crowd_main, f), 0);
	}
	for (size_t i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
	}
	fixture_close(f);
	assert_true(atomic_load(&wakes) <= atomic_load(&parks));
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_slow_plugin_parks_and_wakes_once, setup),
	    cmocka_unit_test_setup(test_chain_goes_on_behind_a_slow_plugin, setup),
	    cmocka_unit_test_setup(test_detached_call_tells_late, setup),
	    cmocka_unit_test_setup(test_verdict_before_detach_is_told_at_detach, setup),
	    cmocka_unit_test_setup(test_hold_and_pass_are_not_told_late, setup),
	    cmocka_unit_test_setup(test_plugin_decides_later_from_a_thread_of_its_own, setup),
	    cmocka_unit_test_setup(test_later_decision_before_decide_returns_is_told_at_detach,
		setup),
	    cmocka_unit_test_setup(test_later_decision_of_a_plugin_that_passed_does_not_count,
		setup),
	    cmocka_unit_test_setup(test_what_is_kept_when_the_policy_ends_tells_nothing, setup),
	    cmocka_unit_test_setup(test_freed_call_stops_before_the_next_plugin, setup),
	    cmocka_unit_test_setup(test_full_queue_holds, setup),
	    cmocka_unit_test_setup(test_end_refuses_what_waits_and_finishes_what_runs, setup),
	    cmocka_unit_test_setup(test_B8_4_hanging_plugin_costs_four_threads_and_is_held, setup),
	    cmocka_unit_test_setup(test_B8_4_other_plugins_go_on_while_one_hangs, setup),
	    cmocka_unit_test_setup(test_many_calls_at_once, setup),
	};

	if (argc == 3 && strcmp(argv[1], "--plugin-try") == 0) {
		return policy_try_main(argv[2]);
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
