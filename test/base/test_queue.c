#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "base/clock.h"
#include "base/queue.h"

static int things[100];

static void
first_in_is_first_out(void **state)
{
	struct queue *queue = queue_new(100);

	(void)state;
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 30; i++) {
			assert_int_equal(queue_put(queue, &things[i]), 0);
		}
		for (int i = 0; i < 30 - round; i++) {
			/* What is left of the rounds before comes first. */
			assert_non_null(queue_take(queue));
		}
	}
	assert_int_equal(queue_len(queue), 3);
	assert_ptr_equal(queue_take(queue), &things[27]);
	assert_ptr_equal(queue_take(queue), &things[28]);
	assert_ptr_equal(queue_take(queue), &things[29]);
	queue_free(queue);
	queue_free(NULL);
}

static void
a_full_queue_refuses_but_takes_a_redo(void **state)
{
	struct queue *queue = queue_new(2);

	(void)state;
	assert_int_equal(queue_put(queue, &things[0]), 0);
	assert_int_equal(queue_put(queue, &things[1]), 0);
	assert_int_equal(queue_put(queue, &things[2]), CMPD_ELIMIT);
	for (int i = 2; i < 60; i++) {
		assert_int_equal(queue_put_again(queue, &things[i]), 0);
	}
	for (int i = 0; i < 60; i++) {
		assert_ptr_equal(queue_take(queue), &things[i]);
	}
	queue_free(queue);
}

static void
a_closed_queue_is_emptied_and_then_ends(void **state)
{
	struct queue *queue = queue_new(2);

	(void)state;
	assert_int_equal(queue_put(queue, &things[0]), 0);
	queue_close(queue);
	assert_int_equal(queue_put(queue, &things[1]), CMPD_ECLOSED);
	assert_int_equal(queue_put_again(queue, &things[1]), CMPD_ECLOSED);
	assert_ptr_equal(queue_take(queue), &things[0]);
	assert_null(queue_take(queue));
	assert_null(queue_take_until(queue, 10000));
	queue_free(queue);
}

static void
waiting_ends_with_the_time(void **state)
{
	struct queue *queue = queue_new(2);
	int64_t start = clock_mono_ms();

	(void)state;
	assert_null(queue_take_until(queue, -5));
	assert_null(queue_take_until(queue, 30));
	assert_true(clock_mono_ms() - start >= 29);
	queue_free(queue);
}

struct taker {
	pthread_t thread;
	struct queue *queue;
	size_t taken;
};

static void *
take_all(void *arg)
{
	struct taker *taker = arg;

	while (queue_take(taker->queue) != NULL) {
		taker->taken++;
	}
	return NULL;
}

static void
each_item_is_taken_once(void **state)
{
	struct queue *queue = queue_new(1000000);
	struct taker takers[3] = {{.queue = queue}, {.queue = queue}, {.queue = queue}};
	size_t taken = 0;

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(pthread_create(&takers[i].thread, NULL, take_all, &takers[i]), 0);
	}
	for (int i = 0; i < 10000; i++) {
		assert_int_equal(queue_put(queue, &things[i % 100]), 0);
	}
	queue_close(queue);
	for (int i = 0; i < 3; i++) {
		pthread_join(takers[i].thread, NULL);
		taken += takers[i].taken;
	}
	assert_int_equal(taken, 10000);
	queue_free(queue);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(first_in_is_first_out),
	    cmocka_unit_test(a_full_queue_refuses_but_takes_a_redo),
	    cmocka_unit_test(a_closed_queue_is_emptied_and_then_ends),
	    cmocka_unit_test(waiting_ends_with_the_time),
	    cmocka_unit_test(each_item_is_taken_once),
	};

	return cmocka_run_group_tests_name("base_queue", tests, NULL, NULL);
}
