/*
 * When the sweep spares what was not confirmed: after the start, and after the wall clock has jumped (B8.7).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/pool.h"
#include "conf/conf.h"
#include "daemon/fakes.h"
#include "daemon/sweep.h"
#include "enrol/desk.h"
#include "store/store.h"

#define START 1700000000000
#define WAIT  300000 /* confirm_wait of the fake configuration */

static int64_t wall = START, mono = 1000;

static int64_t
read_wall(void)
{
	return wall;
}

static int64_t
read_mono(void)
{
	return mono;
}

static void
pass(int64_t ms)
{
	wall += ms;
	mono += ms;
}

struct stage {
	struct store *store;
	struct store_reader *reader;
	struct sweep *sweep;
	struct desk desk;
};

static void
put_due(struct stage *s, unsigned n)
{
	struct txn txn = {.endpoint = "/cmp", .due = 1, .deadline = 1};
	struct unit *unit = unit_new();

	txn.key = (struct txn_key){.protocol = PROTOCOL_CMP, .id_len = sizeof(n)};
	memcpy(txn.key.id, &n, sizeof(n));
	txn.ended = true;
	unit_put_txn(unit, &txn);
	assert_int_equal(store_commit_wait(s->store, unit), 0);
}

static int
setup(void **state)
{
	static struct stage s;
	struct store_options options = {.dir = NULL};
	struct diag diag;

	wall = START;
	mono = 1000;
	clock_set_source(read_wall, read_mono);
	log_set_level(LOG_LEVEL_ERROR);
	assert_int_equal(store_open(&options, &s.store, &diag), 0);
	assert_int_equal(store_reader_open(s.store, &s.reader), 0);
	s.sweep = sweep_new(s.store);
	assert_non_null(s.sweep);
	s.desk = (struct desk){.conf = fake_conf(), .reader = s.reader};
	fake_sweeps = fake_sweeps_in_grace = 0;
	*state = &s;
	return 0;
}

static int
teardown(void **state)
{
	struct stage *s = *state;

	sweep_free(s->sweep);
	store_reader_close(s->reader);
	store_close(s->store);
	conf_free((struct conf *)(uintptr_t)s->desk.conf);
	clock_set_source(NULL, NULL);
	return 0;
}

/* What the sweep did with one thing that is due: 1 spared, 0 done. */
static int
spared(struct stage *s)
{
	fake_sweeps = fake_sweeps_in_grace = 0;
	sweep_run(s->sweep, &s->desk);
	assert_true(fake_sweeps > 0);
	return fake_sweeps_in_grace > 0;
}

static void
test_grace_after_the_start_B8_7(void **state)
{
	put_due(*state, 1);
	assert_int_equal(spared(*state), 1);
	pass(WAIT - 1);
	assert_int_equal(spared(*state), 1);
	pass(1);
	assert_int_equal(spared(*state), 0);
}

static void
jump(struct stage *s, int64_t ms)
{
	put_due(s, 1);
	assert_int_equal(spared(s), 1);
	pass(WAIT);
	wall += ms;
	pass(1000);
	assert_int_equal(spared(s), 1);
	pass(WAIT);
	assert_int_equal(spared(s), 0);
}

static void
test_grace_after_a_jump_forwards_B8_7(void **state)
{
	jump(*state, 86400000);
}

static void
test_grace_after_a_jump_backwards_B8_7(void **state)
{
	jump(*state, -3600000);
}

static void
test_a_small_step_is_no_jump(void **state)
{
	put_due(*state, 1);
	assert_int_equal(spared(*state), 1);
	pass(WAIT);
	wall += 30000;
	assert_int_equal(spared(*state), 0);
}

static void
test_more_than_one_slice(void **state)
{
	struct stage *s = *state;
	struct due *due = NULL;
	struct pool *pool = pool_new(1 << 20);
	size_t n = 99;

	for (unsigned i = 0; i < 600; i++) {
		put_due(s, i);
	}
	assert_int_equal(spared(s), 1);
	pass(WAIT);
	sweep_run(s->sweep, &s->desk);
	assert_int_equal(store_due_list(s->reader, pool, wall, 10, &due, &n), 0);
	assert_int_equal(n, 0);
	pool_free(pool);
}

/* A load of the inventory that nobody goes on with, and rows of one before. */
static void
test_B4_9_what_loads_leave_behind_goes(void **state)
{
	static const char *sans[] = {NULL};
	struct stage *s = *state;
	struct inventory_state inventory;
	bool garbage = true;

	for (uint64_t generation = 1; generation <= 3; generation++) {
		struct inventory row = {
		    .generation = generation, .number = 1, .subject = "/CN=a", .new_sans = sans};
		struct unit *unit = unit_new();

		unit_begin_inventory(unit, generation, wall);
		assert_int_equal(store_commit_wait(s->store, unit), 0);
		unit = unit_new();
		unit_add_inventory(unit, &row, wall);
		assert_int_equal(store_commit_wait(s->store, unit), 0);
		if (generation == 2) {
			unit = unit_new();
			unit_finish_inventory(unit, generation, 1, wall);
			assert_int_equal(store_commit_wait(s->store, unit), 0);
		}
	}
	assert_int_equal(store_inventory_garbage(s->reader, 0, &garbage), 0);
	assert_true(garbage);
	sweep_run(s->sweep, &s->desk);
	assert_int_equal(store_inventory_garbage(s->reader, 0, &garbage), 0);
	assert_false(garbage);
	assert_int_equal(store_inventory_state(s->reader, &inventory), 0);
	assert_int_equal(inventory.staging, 3);
	pass(16 * 60000);
	sweep_run(s->sweep, &s->desk);
	assert_int_equal(store_inventory_state(s->reader, &inventory), 0);
	assert_int_equal(inventory.staging, 0);
	assert_int_equal(inventory.rows, 1);
	assert_int_equal(store_inventory_garbage(s->reader, wall, &garbage), 0);
	assert_false(garbage);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(test_grace_after_the_start_B8_7),
	    T(test_grace_after_a_jump_forwards_B8_7),
	    T(test_grace_after_a_jump_backwards_B8_7),
	    T(test_a_small_step_is_no_jump),
	    T(test_more_than_one_slice),
	    T(test_B4_9_what_loads_leave_behind_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
