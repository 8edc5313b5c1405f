/* Stores that an older cmpd has made. */
#include <lmdb.h>

#include "store_test.h"

static int
setup(void **state)
{
	static struct bench bench;

	bench_init(&bench, true);
	*state = &bench;
	return 0;
}

static int
teardown(void **state)
{
	bench_fini(*state);
	return 0;
}

/* As it was before there were these tables. */
static void
drop_tables(struct bench *b)
{
	static const char *const names[] = {"inventory", "inventory_id"};
	MDB_env *env = NULL;
	MDB_txn *txn;
	MDB_dbi dbi;

	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_set_maxdbs(env, 32), 0);
	assert_int_equal(mdb_env_open(env, b->dir, 0, 0600), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(mdb_dbi_open(txn, names[i], 0, &dbi), 0);
		assert_int_equal(mdb_drop(txn, dbi, 1), 0);
	}
	assert_int_equal(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
}

/* One that was made before there was an inventory. */
static void
b4_9_a_store_without_inventory_gets_one(void **state)
{
	struct bench *b = *state;
	struct inventory_state inventory;
	struct unit *unit = unit_new();
	struct txn txn = make_txn(1);
	struct diag diag = {""};

	bench_open(b);
	unit_put_txn(unit, &txn);
	assert_int_equal(bench_commit(b, unit), 0);
	bench_close(b);
	drop_tables(b);
	assert_int_equal(store_check(&b->options, &diag), 0);
	bench_open(b);
	assert_int_equal(store_txn_get(b->reader, b->pool, &txn.key, &txn), 0);
	assert_int_equal(store_inventory_state(b->reader, &inventory), 0);
	assert_int_equal(inventory.last, 0);
	unit = unit_new();
	unit_begin_inventory(unit, 1, 1);
	assert_int_equal(bench_commit(b, unit), 0);
	bench_reopen(b);
	assert_int_equal(store_inventory_state(b->reader, &inventory), 0);
	assert_int_equal(inventory.staging, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(b4_9_a_store_without_inventory_gets_one, setup,
		teardown),
	};

	return cmocka_run_group_tests_name("store_lmdb_older", tests, NULL, NULL);
}
