/*
 * Requests on their way through queue, workers, committer and back, with everything that may come in between.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/queue.h"
#include "conf/conf.h"
#include "daemon/batch.h"
#include "daemon/fakes.h"
#include "daemon/housekeeping.h"
#include "daemon/shelf.h"
#include "daemon/snapshot.h"
#include "daemon/worker.h"
#include "http/http.h"
#include "store/store.h"

#define WORKERS 4

struct stage {
	struct flow flow;
	struct snapshot *snapshot;
	struct workers *workers;
	struct store_reader *reader;
};

static void
flush(void *mailbox)
{
	mailbox_flush(mailbox);
}

static void
drop_shelf(void *arg, struct shelf *shelf)
{
	(void)arg;
	shelf_free(shelf);
}

static void
start_workers(struct stage *s)
{
	struct diag diag;

	assert_int_equal(workers_start(&s->flow, WORKERS, &s->workers, &diag), 0);
}

static void
stage_start(struct stage *s, bool with_workers)
{
	struct store_options options = {.batch_done = flush};
	struct diag diag;

	log_set_level(LOG_LEVEL_ERROR);
	fake_runs = fake_unavailable = fake_destroyed = 0;
	*s = (struct stage){.workers = NULL};
	flow_init(&s->flow);
	s->flow.base = event_base_new();
	s->flow.mailbox = mailbox_new(s->flow.base);
	s->flow.queue = queue_new(64);
	options.batch_arg = s->flow.mailbox;
	assert_int_equal(snapshot_new(fake_conf(), WORKERS, &s->snapshot, &diag), 0);
	assert_int_equal(store_open(&options, &s->flow.store, &diag), 0);
	assert_int_equal(housekeeping_start(s->flow.store, s->snapshot, drop_shelf, NULL,
			     &s->flow.housekeeping, &diag),
	    0);
	if (with_workers) {
		start_workers(s);
	}
}

static void
stage_stop(struct stage *s)
{
	atomic_store(&s->flow.stopping, true);
	queue_close(s->flow.queue);
	workers_join(s->workers);
	housekeeping_stop(s->flow.housekeeping);
	store_close(s->flow.store);
	mailbox_open(s->flow.mailbox);
	flow_fini(&s->flow);
	snapshot_put(s->snapshot);
	housekeeping_free(s->flow.housekeeping);
	mailbox_free(s->flow.mailbox);
	queue_free(s->flow.queue);
	event_base_free(s->flow.base);
	assert_int_equal(fake_destroyed, 1);
}

static int
give(struct stage *s, struct http_exchange *exchange, const char *message)
{
	struct http_request_info info = {.exchange = exchange,
	    .path = "/cmp",
	    .body = bytes_of(message, strlen(message) + 1),
	    .peer = "unix"};

	*exchange = (struct http_exchange){.status = 0};
	return job_start(&s->flow, s->snapshot, &s->snapshot->conf->endpoints[0], CMP_OP_NONE,
	    &info);
}

/* The I/O thread's loop until all are answered, at most that long. */
static void
serve(struct stage *s, struct http_exchange *exchanges, size_t n, int64_t ms)
{
	int64_t until = clock_mono_ms() + ms;
	const struct timeval tick = {0, 2000};
	size_t open = n;

	while (open > 0 && clock_mono_ms() < until) {
		event_base_loopexit(s->flow.base, &tick);
		event_base_dispatch(s->flow.base);
		open = 0;
		for (size_t i = 0; i < n; i++) {
			open += exchanges[i].status == 0;
		}
	}
}

static void
expect(struct stage *s, const char *message, int status, const char *body)
{
	struct http_exchange exchange;

	assert_int_equal(give(s, &exchange, message), 0);
	serve(s, &exchange, 1, 5000);
	assert_int_equal(exchange.status, status);
	assert_int_equal(exchange.answers, 1);
	if (body != NULL) {
		assert_string_equal(exchange.body, body);
	}
}

static void
test_answers_leave_after_the_commit(void **state)
{
	struct stage s;
	struct store_reader *reader = NULL;
	struct store_stats stats;

	(void)state;
	stage_start(&s, true);
	expect(&s, "plain 0", 200, "plain");
	expect(&s, "grant 0", 200, "granted");
	assert_int_equal(store_reader_open(s.flow.store, &reader), 0);
	assert_int_equal(store_stats(reader, &stats), 0);
	assert_int_equal(stats.audit, 1);
	store_reader_close(reader);
	stage_stop(&s);
}

static void
test_lost_commits_are_redone_and_end_some_time(void **state)
{
	struct stage s;

	(void)state;
	stage_start(&s, true);
	expect(&s, "lose 3", 200, "granted");
	assert_int_equal(fake_runs, 4);
	expect(&s, "lose 1000", 200, "too many changes at once, try again");
	assert_int_equal(fake_runs, 4 + JOB_ATTEMPTS);
	assert_int_equal(fake_unavailable, 1);
	stage_stop(&s);
}

static void
test_what_the_door_cannot_say_is_503(void **state)
{
	struct stage s;

	(void)state;
	stage_start(&s, true);
	expect(&s, "fault 1", 503, NULL);
	expect(&s, "nonsense", 503, NULL);
	stage_stop(&s);
}

static void
test_parked_requests_go_on_when_woken(void **state)
{
	struct stage s;

	(void)state;
	stage_start(&s, true);
	expect(&s, "ask 0", 200, "granted");
	expect(&s, "think 50", 200, "granted");
	assert_int_equal(s.flow.parked, 0);
	stage_stop(&s);
}

static void
test_parked_requests_are_held_after_decide_wait(void **state)
{
	struct stage s;
	int64_t start;

	(void)state;
	stage_start(&s, true);
	start = clock_mono_ms();
	expect(&s, "hang 0", 200, "held");
	assert_true(clock_mono_ms() - start >= 190);
	expect(&s, "think 600", 200, "held");
	expect(&s, "deaf 0", 503, NULL);
	assert_int_equal(s.flow.parked, 0);
	stage_stop(&s);
}

static void
test_too_many_parked_requests_are_held_at_once(void **state)
{
	struct http_exchange exchanges[3];
	struct stage s;
	struct conf *conf;
	int64_t start;

	(void)state;
	stage_start(&s, true);
	conf = (struct conf *)(uintptr_t)s.snapshot->conf;
	conf->limits.parked = 2;
	conf->endpoints[0].decide_wait = 1000;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(give(&s, &exchanges[i], "hang 0"), 0);
	}
	serve(&s, exchanges, 2, 200);
	start = clock_mono_ms();
	assert_int_equal(give(&s, &exchanges[2], "hang 0"), 0);
	serve(&s, &exchanges[2], 1, 900);
	assert_int_equal(exchanges[2].status, 200);
	assert_true(clock_mono_ms() - start < 500);
	serve(&s, exchanges, 2, 3000);
	assert_string_equal(exchanges[0].body, "held");
	stage_stop(&s);
}

static void
test_full_queue_is_told_at_once(void **state)
{
	struct http_exchange exchanges[65];
	struct stage s;

	(void)state;
	stage_start(&s, false);
	for (int i = 0; i < 64; i++) {
		assert_int_equal(give(&s, &exchanges[i], "plain 0"), 0);
	}
	assert_int_equal(give(&s, &exchanges[64], "plain 0"), CMPD_ELIMIT);
	assert_int_equal(exchanges[64].answers, 0);
	start_workers(&s);
	serve(&s, exchanges, 64, 5000);
	for (int i = 0; i < 64; i++) {
		assert_int_equal(exchanges[i].status, 200);
	}
	stage_stop(&s);
}

/* Everything at once, many times over: each is answered exactly once. */
static void
test_everything_at_once(void **state)
{
	static const char *const messages[] = {
	    "grant 0", "plain 0", "lose 2", "ask 0", "think 1", "think 3", "fault 8", "grant 1"};
	struct http_exchange exchanges[48];
	struct stage s;

	(void)state;
	stage_start(&s, true);
	for (int round = 0; round < 25; round++) {
		for (int i = 0; i < 48; i++) {
			assert_int_equal(give(&s, &exchanges[i], messages[i % 8]), 0);
		}
		serve(&s, exchanges, 48, 20000);
		for (int i = 0; i < 48; i++) {
			assert_int_equal(exchanges[i].answers, 1);
			assert_int_equal(exchanges[i].status, i % 8 == 6 ? 503 : 200);
		}
	}
	stage_stop(&s);
}

static void
B4_7_messages_of_a_batch_have_their_own_ways(void **state)
{
	struct stage s;

	(void)state;
	stage_start(&s, true);
	expect(&s, "batch 1", 200, "g");
	fake_runs = 0;
	/* Each fifth is done three times, two of five a second time; the batch itself once. */
	expect(&s, "batch 25", 200, "gpggggpggggpggggpggggpggg");
	assert_int_equal(fake_runs, 1 + 25 + 5 * 2 + 5 * 2);
	assert_int_equal(s.flow.n_batches, 0);
	assert_int_equal(s.flow.parked, 0);
	stage_stop(&s);
}

static void
B4_7_a_batch_without_one_answer_has_none(void **state)
{
	struct stage s;

	(void)state;
	stage_start(&s, true);
	expect(&s, "spoilt 1", 503, NULL);
	expect(&s, "spoilt 300", 503, NULL);
	assert_int_equal(s.flow.n_batches, 0);
	expect(&s, "batch 5", 200, "gpggg");
	stage_stop(&s);
}

static void
B4_7_a_batch_finds_room_in_a_full_queue(void **state)
{
	struct http_exchange exchanges[64];
	struct stage s;

	(void)state;
	stage_start(&s, false);
	for (int i = 0; i < 64; i++) {
		assert_int_equal(give(&s, &exchanges[i], i % 2 == 0 ? "batch 50" : "plain 0"), 0);
	}
	start_workers(&s);
	serve(&s, exchanges, 64, 20000);
	for (int i = 0; i < 64; i++) {
		assert_int_equal(exchanges[i].status, 200);
		assert_int_equal(exchanges[i].answers, 1);
	}
	stage_stop(&s);
}

static void
B4_7_there_are_only_so_many_batches(void **state)
{
	struct http_exchange exchanges[BATCHES_MAX];
	struct http_exchange more;
	struct stage s;
	struct conf *conf;

	(void)state;
	stage_start(&s, true);
	conf = (struct conf *)(uintptr_t)s.snapshot->conf;
	conf->endpoints[0].decide_wait = 60000;
	conf->limits.parked = 10000;
	for (int i = 0; i < BATCHES_MAX; i++) {
		assert_int_equal(give(&s, &exchanges[i], "wait 3"), 0);
		serve(&s, &exchanges[i], 1, 10);
	}
	assert_int_equal(s.flow.n_batches, BATCHES_MAX);
	assert_int_equal(give(&s, &more, "batch 3"), 0);
	serve(&s, &more, 1, 5000);
	assert_int_equal(more.status, 503);
	/* Going down in the midst of them: each is answered, once. */
	stage_stop(&s);
	for (int i = 0; i < BATCHES_MAX; i++) {
		assert_int_equal(exchanges[i].answers, 1);
		assert_int_equal(exchanges[i].status, 503);
	}
}

static void
B4_7_going_down_in_a_batch(void **state)
{
	struct http_exchange exchanges[10];
	struct stage s;

	(void)state;
	for (int wait = 0; wait < 12; wait++) {
		stage_start(&s, true);
		for (int i = 0; i < 10; i++) {
			assert_int_equal(
			    give(&s, &exchanges[i], i % 2 == 0 ? "batch 60" : "spoilt 200"), 0);
		}
		serve(&s, exchanges, 10, wait);
		stage_stop(&s);
		for (int i = 0; i < 10; i++) {
			assert_int_equal(exchanges[i].answers, 1);
			assert_true(exchanges[i].status == 200 || exchanges[i].status == 503);
		}
	}
}

/* A plugin answers just when decide_wait ends. */
static void
test_wake_and_timer_at_the_same_moment(void **state)
{
	struct http_exchange exchanges[20];
	struct stage s;
	char message[20][16];

	(void)state;
	stage_start(&s, true);
	for (int i = 0; i < 20; i++) {
		snprintf(message[i], sizeof(message[i]), "think %d", 195 + i / 2);
		assert_int_equal(give(&s, &exchanges[i], message[i]), 0);
	}
	serve(&s, exchanges, 20, 10000);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(exchanges[i].status, 200);
		assert_int_equal(exchanges[i].answers, 1);
	}
	stage_stop(&s);
}

static void
test_going_down_answers_everybody_once(void **state)
{
	struct http_exchange exchanges[30];
	struct stage s;

	(void)state;
	stage_start(&s, true);
	((struct conf *)(uintptr_t)s.snapshot->conf)->endpoints[0].decide_wait = 60000;
	for (int i = 0; i < 30; i++) {
		assert_int_equal(give(&s, &exchanges[i],
				     i % 3 == 0	  ? "hang 0"
				     : i % 3 == 1 ? "think 20"
						  : "grant 0"),
		    0);
	}
	serve(&s, exchanges, 30, 10);
	stage_stop(&s);
	for (int i = 0; i < 30; i++) {
		assert_int_equal(exchanges[i].answers, 1);
		assert_true(exchanges[i].status == 200 || exchanges[i].status == 503);
	}
}

static void
test_old_snapshot_lives_as_long_as_its_requests(void **state)
{
	struct http_exchange old, new;
	struct snapshot *next = NULL;
	struct stage s;
	struct diag diag;

	(void)state;
	stage_start(&s, true);
	assert_int_equal(give(&s, &old, "think 150"), 0);
	serve(&s, &old, 1, 20);
	assert_int_equal(snapshot_new(fake_conf(), WORKERS, &next, &diag), 0);
	snapshot_put(s.snapshot);
	s.snapshot = next;
	assert_int_equal(give(&s, &new, "grant 0"), 0);
	serve(&s, &new, 1, 2000);
	assert_int_equal(new.status, 200);
	serve(&s, &old, 1, 2000);
	assert_string_equal(old.body, "granted");
	/* housekeeping still stands in the first one. */
	fake_destroyed = 0;
	atomic_store(&s.flow.stopping, true);
	queue_close(s.flow.queue);
	workers_join(s.workers);
	housekeeping_stop(s.flow.housekeeping);
	store_close(s.flow.store);
	flow_fini(&s.flow);
	housekeeping_free(s.flow.housekeeping);
	assert_int_equal(fake_destroyed, 1);
	snapshot_put(s.snapshot);
	assert_int_equal(fake_destroyed, 2);
	mailbox_free(s.flow.mailbox);
	queue_free(s.flow.queue);
	event_base_free(s.flow.base);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_answers_leave_after_the_commit),
	    cmocka_unit_test(test_lost_commits_are_redone_and_end_some_time),
	    cmocka_unit_test(test_what_the_door_cannot_say_is_503),
	    cmocka_unit_test(test_parked_requests_go_on_when_woken),
	    cmocka_unit_test(test_parked_requests_are_held_after_decide_wait),
	    cmocka_unit_test(test_too_many_parked_requests_are_held_at_once),
	    cmocka_unit_test(test_full_queue_is_told_at_once),
	    cmocka_unit_test(test_everything_at_once),
	    cmocka_unit_test(B4_7_messages_of_a_batch_have_their_own_ways),
	    cmocka_unit_test(B4_7_a_batch_without_one_answer_has_none),
	    cmocka_unit_test(B4_7_a_batch_finds_room_in_a_full_queue),
	    cmocka_unit_test(B4_7_there_are_only_so_many_batches),
	    cmocka_unit_test(B4_7_going_down_in_a_batch),
	    cmocka_unit_test(test_wake_and_timer_at_the_same_moment),
	    cmocka_unit_test(test_going_down_answers_everybody_once),
	    cmocka_unit_test(test_old_snapshot_lives_as_long_as_its_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
