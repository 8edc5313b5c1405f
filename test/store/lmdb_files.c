/* The store on disk: what is in the folder, and what is refused at the start. */
#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

static char *
path_in(const struct bench *b, const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", b->dir, name);
	return path;
}

static bool
exists(const char *path)
{
	return access(path, F_OK) == 0;
}

/* What store_open says; what it says is one sentence. store_check must say the same. */
static int
try_open(struct bench *b)
{
	struct diag said = {""}, checked = {""};
	struct store *store = NULL;
	int check = store_check(&b->options, &checked);
	int error = store_open(&b->options, &store, &said);

	assert_int_equal(check, error);
	if (error == 0) {
		store_close(store);
	} else {
		assert_string_not_equal(said.text, "");
		assert_string_equal(said.text, checked.text);
		assert_null(strchr(said.text, '\n'));
	}
	return error;
}

static void
fill(struct bench *b, unsigned int n)
{
	bench_open(b);
	for (unsigned int i = 1; i <= n; i++) {
		struct entry entry = make_entry(i);
		struct unit *unit = unit_new();
		char text[32];

		snprintf(text, sizeof(text), "line number %u", i);
		unit_put_entry(unit, &entry, ENTRY_RECEIVED);
		unit_audit(unit, i, "cmpd", "test", NULL, text);
		assert_int_equal(bench_commit(b, unit), 0);
	}
}

static void
a_check_makes_nothing(void **state)
{
	struct bench *b = *state;
	struct diag diag;

	assert_int_equal(store_check(&b->options, &diag), 0);
	assert_false(exists(b->dir));
	assert_int_equal(mkdir(b->dir, 0700), 0);
	assert_int_equal(store_check(&b->options, &diag), 0);
	assert_false(exists(path_in(b, "data.mdb")));
	assert_false(exists(path_in(b, "lock.mdb")));
	assert_false(exists(path_in(b, "lock")));
	fill(b, 1);
	/* A check beside a running cmpd is fine. */
	assert_int_equal(store_check(&b->options, &diag), 0);
	bench_close(b);
	unlink(path_in(b, "lock.mdb"));
	assert_int_equal(store_check(&b->options, &diag), 0);
	assert_false(exists(path_in(b, "lock.mdb")));
}

static void
a_second_opener_is_refused(void **state)
{
	struct bench *b = *state;
	struct store *second = NULL;
	struct diag diag;

	bench_open(b);
	assert_int_equal(store_open(&b->options, &second, &diag), CMPD_EACCES);
	assert_non_null(strstr(diag.text, "another cmpd"));
	bench_reopen(b);
}

static void
the_key_must_be_the_one(void **state)
{
	struct bench *b = *state;

	fill(b, 1);
	bench_close(b);
	write_file(b->key_file, "another key, also of 32 bytes...", 32, 0600);
	assert_int_equal(try_open(b), CMPD_EAUTH);
	write_file(b->key_file, "0123456789abcdef0123456789ABCDEF", 32, 0640);
	assert_int_equal(try_open(b), CMPD_EACCES);
	write_file(b->key_file, "0123456789abcdef", 16, 0600);
	assert_int_equal(try_open(b), CMPD_EFORMAT);
	unlink(b->key_file);
	assert_int_equal(try_open(b), CMPD_ENOENT);
	b->options.key_file = NULL;
	assert_int_equal(try_open(b), CMPD_ENOENT);
	b->options.key_file = b->key_file;
	write_file(b->key_file, "0123456789abcdef0123456789ABCDEF", 32, 0600);
	assert_int_equal(try_open(b), 0);
}

static void
a_foreign_file_is_refused(void **state)
{
	struct bench *b = *state;
	char *zeros = calloc(1, 65536);
	MDB_env *env = NULL;
	MDB_txn *txn;
	MDB_dbi dbi;
	MDB_val key = {1, zeros}, value = {1, zeros};

	assert_non_null(zeros);
	assert_int_equal(mkdir(b->dir, 0700), 0);
	write_file(path_in(b, "data.mdb"), "SQLite format 3", 15, 0600);
	assert_int_equal(try_open(b), CMPD_ECORRUPT);
	write_file(path_in(b, "data.mdb"), zeros, 65536, 0600);
	assert_int_equal(try_open(b), CMPD_ECORRUPT);
	unlink(path_in(b, "data.mdb"));
	/* LMDB's, but not ours. */
	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_open(env, b->dir, 0, 0600), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, NULL, 0, &dbi), 0);
	assert_int_equal(mdb_put(txn, dbi, &key, &value, 0), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
	assert_int_equal(try_open(b), CMPD_ECORRUPT);
	/* An empty one is a new one. */
	write_file(path_in(b, "data.mdb"), "", 0, 0600);
	assert_int_equal(try_open(b), 0);
	free(zeros);
}

static void
a_truncated_file_is_refused(void **state)
{
	struct bench *b = *state;
	char path[512];
	struct stat st;

	fill(b, 200);
	bench_close(b);
	snprintf(path, sizeof(path), "%s", path_in(b, "data.mdb"));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(try_open(b), 0);
	for (off_t size = st.st_size - 1; size > 0; size = size * 2 / 3) {
		assert_int_equal(truncate(path, size), 0);
		assert_int_equal(try_open(b), CMPD_ECORRUPT);
	}
}

/* LMDB may leave the last page unwritten if the transaction that took it gave it back. */
static void
a_free_page_behind_the_end_is_fine(void **state)
{
	struct bench *b = *state;
	char path[512];
	MDB_env *env = NULL;
	MDB_envinfo info;
	MDB_txn *txn;
	MDB_cursor *cursor;
	MDB_val key, value;
	struct stat st;
	size_t last = 0;

	fill(b, 100);
	for (uint64_t i = 1; i <= 100; i++) {
		struct unit *unit = unit_new();
		struct entry entry;

		assert_int_equal(store_entry_get(b->reader, b->pool, i, &entry), 0);
		entry.state = ENTRY_DENIED;
		unit_put_entry(unit, &entry, ENTRY_PENDING);
		assert_int_equal(bench_commit(b, unit), 0);
		unit = unit_new();
		unit_drop_entry(unit, i, 2);
		assert_int_equal(bench_commit(b, unit), 0);
	}
	bench_close(b);
	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_open(env, b->dir, MDB_RDONLY, 0600), 0);
	assert_int_equal(mdb_env_info(env, &info), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn), 0);
	assert_int_equal(mdb_cursor_open(txn, 0, &cursor), 0); /* 0: the free pages */
	while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
		const size_t *list = value.mv_data;

		for (size_t i = 1; i <= list[0]; i++) {
			last = list[i] > last ? list[i] : last;
		}
	}
	mdb_cursor_close(cursor);
	mdb_txn_abort(txn);
	mdb_env_close(env);
	snprintf(path, sizeof(path), "%s", path_in(b, "data.mdb"));
	assert_int_equal(stat(path, &st), 0);
	assert_true(last > 2);
	if (last == info.me_last_pgno) {
		long page = sysconf(_SC_PAGESIZE);

		assert_int_equal(truncate(path, (off_t)last * page), 0);
		assert_int_equal(try_open(b), 0);
	} else {
		print_message("# the last page is in use: nothing to cut\n");
	}
}

/* Opens the file beside the store, as an attacker with the file could. */
static void
with_table(struct bench *b, const char *table, void (*change)(MDB_txn *txn, MDB_dbi dbi))
{
	MDB_env *env = NULL;
	MDB_txn *txn;
	MDB_dbi dbi;

	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_set_maxdbs(env, 32), 0);
	assert_int_equal(mdb_env_open(env, b->dir, 0, 0600), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, table, 0, &dbi), 0);
	change(txn, dbi);
	assert_int_equal(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
}

static void
change_line_7(MDB_txn *txn, MDB_dbi dbi)
{
	uint8_t number[8] = {0, 0, 0, 0, 0, 0, 0, 7}, line[512], *digit;
	MDB_val key = {8, number}, value;

	assert_int_equal(mdb_get(txn, dbi, &key, &value), 0);
	assert_true(value.mv_size < sizeof(line));
	memcpy(line, value.mv_data, value.mv_size);
	digit = memmem(line, value.mv_size, "number 7", 8);
	assert_non_null(digit);
	digit[7] = '8';
	value.mv_data = line;
	assert_int_equal(mdb_put(txn, dbi, &key, &value, 0), 0);
}

static void
move_last_line(MDB_txn *txn, MDB_dbi dbi)
{
	uint8_t number[8] = {0, 0, 0, 0, 0, 0, 0, 10}, line[512];
	MDB_val key = {8, number}, value;

	assert_int_equal(mdb_get(txn, dbi, &key, &value), 0);
	memcpy(line, value.mv_data, value.mv_size);
	value.mv_data = line;
	assert_int_equal(mdb_del(txn, dbi, &key, NULL), 0);
	number[7] = 11;
	assert_int_equal(mdb_put(txn, dbi, &key, &value, 0), 0);
}

static void
drop_line_9(MDB_txn *txn, MDB_dbi dbi)
{
	uint8_t number[8] = {0, 0, 0, 0, 0, 0, 0, 9};
	MDB_val key = {8, number};

	assert_int_equal(mdb_del(txn, dbi, &key, NULL), 0);
}

static void
a_changed_audit_line_is_found(void **state)
{
	struct bench *b = *state;
	uint64_t bad = 0;

	fill(b, 10);
	bench_close(b);
	with_table(b, "audit", move_last_line);
	bench_open(b);
	assert_int_equal(store_audit_verify(b->reader, &bad), CMPD_ECORRUPT);
	assert_int_equal(bad, 10);
	bench_close(b);
	with_table(b, "audit", change_line_7);
	bench_open(b);
	assert_int_equal(store_audit_verify(b->reader, &bad), CMPD_ECORRUPT);
	assert_int_equal(bad, 7);
	bench_close(b);
	with_table(b, "audit", drop_line_9);
	assert_int_equal(try_open(b), CMPD_ECORRUPT);
}

/* Cuts off the last line, and the store's record of itself with it. */
static void
cut_last_line(MDB_txn *txn, MDB_dbi dbi)
{
	uint8_t number[8] = {0, 0, 0, 0, 0, 0, 0, 10}, hmac[DIGEST_SIZE], tally[512], *last;
	char name[] = "tally";
	MDB_val key = {8, number}, value;
	MDB_dbi meta;

	assert_int_equal(mdb_del(txn, dbi, &key, NULL), 0);
	number[7] = 9;
	assert_int_equal(mdb_get(txn, dbi, &key, &value), 0);
	memcpy(hmac, (uint8_t *)value.mv_data + value.mv_size - sizeof(hmac), sizeof(hmac));
	assert_int_equal(mdb_dbi_open(txn, "meta", 0, &meta), 0);
	key = (MDB_val){5, name};
	assert_int_equal(mdb_get(txn, meta, &key, &value), 0);
	memcpy(tally, value.mv_data, value.mv_size);
	/* head, entries by state, three last numbers; then that of the audit */
	last = tally + 28 + 8 * ENTRY_STATES + 3 * 8;
	assert_int_equal(last[7], 10);
	last[7] = 9;
	memcpy(last + 8, hmac, sizeof(hmac));
	value.mv_data = tally;
	assert_int_equal(mdb_put(txn, meta, &key, &value, 0), 0);
}

static void
audit_lines_cannot_be_cut_off_at_the_end(void **state)
{
	struct bench *b = *state;

	fill(b, 10);
	bench_close(b);
	with_table(b, "audit", cut_last_line);
	assert_int_equal(try_open(b), CMPD_ECORRUPT);
}

static void
misplace_state(MDB_txn *txn, MDB_dbi dbi)
{
	uint8_t place[9] = {ENTRY_PENDING, 0, 0, 0, 0, 0, 0, 0, 2};
	MDB_val key = {9, place}, value = {0, place};

	assert_int_equal(mdb_del(txn, dbi, &key, NULL), 0);
	place[0] = ENTRY_DONE;
	assert_int_equal(mdb_put(txn, dbi, &key, &value, 0), 0);
}

/* A unit that breaks while it is written takes none of its batch with it. */
static void
a_faulty_unit_fails_alone(void **state)
{
	struct bench *b = *state;
	struct store_stats stats;
	struct unit *units[20];
	int results[20];
	uint64_t bad;

	fill(b, 20);
	bench_close(b);
	with_table(b, "entry_state", misplace_state);
	bench_open(b);
	for (unsigned int i = 0; i < 20; i++) {
		struct entry entry;

		assert_int_equal(store_entry_get(b->reader, b->pool, i + 1, &entry), 0);
		entry.state = ENTRY_DENIED;
		units[i] = unit_new();
		unit_audit(units[i], 1, "operator:root", "entry.denied", NULL, NULL);
		unit_put_entry(units[i], &entry, ENTRY_PENDING);
	}
	bench_commit_all(b, units, 20, results);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(results[i], i == 1 ? CMPD_ECORRUPT : 0);
	}
	assert_int_equal(store_stats(b->reader, &stats), 0);
	assert_int_equal(stats.entries[ENTRY_DENIED], 19);
	assert_int_equal(stats.audit, 39);
	assert_int_equal(store_audit_verify(b->reader, &bad), 0);
}

static void
raise_format(MDB_txn *txn, MDB_dbi dbi)
{
	uint8_t number[8] = {0, 0, 0, 0, 0, 0, 0, 1}, record[2048];
	MDB_val key = {8, number}, value;

	assert_int_equal(mdb_get(txn, dbi, &key, &value), 0);
	memcpy(record, value.mv_data, value.mv_size);
	record[1]++;
	value.mv_data = record;
	assert_int_equal(mdb_put(txn, dbi, &key, &value, 0), 0);
	number[7] = 2;
	record[1]--;
	record[value.mv_size - 1] = 1; /* the last field is cut */
	value.mv_size -= 3;
	assert_int_equal(mdb_put(txn, dbi, &key, &value, 0), 0);
}

static void
a_damaged_record_is_told_and_harms_no_other(void **state)
{
	struct bench *b = *state;
	struct entry entry;

	fill(b, 3);
	bench_close(b);
	with_table(b, "entry", raise_format);
	bench_open(b);
	assert_int_equal(store_entry_get(b->reader, b->pool, 1, &entry), CMPD_EVERSION);
	assert_int_equal(store_entry_get(b->reader, b->pool, 2, &entry), CMPD_ECORRUPT);
	assert_int_equal(store_entry_get(b->reader, b->pool, 3, &entry), 0);
}

static void
raise_schema(MDB_txn *txn, MDB_dbi dbi)
{
	char name[] = "schema", text[32];
	MDB_val key = {6, name}, value;

	assert_int_equal(mdb_get(txn, dbi, &key, &value), 0);
	memcpy(text, value.mv_data, value.mv_size);
	text[value.mv_size - 1]++;
	value.mv_data = text;
	assert_int_equal(mdb_put(txn, dbi, &key, &value, 0), 0);
}

static void
another_schema_is_refused(void **state)
{
	struct bench *b = *state;

	fill(b, 1);
	bench_close(b);
	with_table(b, "meta", raise_schema);
	assert_int_equal(try_open(b), CMPD_EVERSION);
}

static void
secrets_are_encrypted_in_the_file(void **state)
{
	struct bench *b = *state;
	struct secret secret = make_secret("reference-in-the-clear", "a very secret value"), out;
	struct unit *unit = unit_new();

	bench_open(b);
	unit_add_secret(unit, &secret);
	assert_int_equal(bench_commit(b, unit), 0);
	unit = unit_new();
	unit_use_secret(unit, 1, 0);
	assert_int_equal(bench_commit(b, unit), 0);
	bench_reopen(b);
	assert_int_equal(store_secret_get(b->reader, b->pool, 1, &out), 0);
	assert_true(bytes_equal(out.value, secret.value));
	bench_close(b);
	assert_true(file_holds(path_in(b, "data.mdb"), bytes_str(secret.ref)));
	assert_false(file_holds(path_in(b, "data.mdb"), secret.value));
}

/* A sealed value copied to another secret's record must not open there. */
static void
copy_value(MDB_txn *txn, MDB_dbi dbi)
{
	uint8_t one[8] = {0, 0, 0, 0, 0, 0, 0, 1}, two[8] = {0, 0, 0, 0, 0, 0, 0, 2};
	uint8_t record[512];
	MDB_val key = {8, one}, value;

	assert_int_equal(mdb_get(txn, dbi, &key, &value), 0);
	memcpy(record, value.mv_data, value.mv_size);
	value.mv_data = record;
	record[26] = 2; /* the number: id 2 */
	key.mv_data = two;
	assert_int_equal(mdb_put(txn, dbi, &key, &value, 0), 0);
}

static void
a_sealed_value_is_bound_to_its_secret(void **state)
{
	struct bench *b = *state;
	struct secret secret = make_secret("dev", "value one"), out;
	struct unit *unit = unit_new();

	bench_open(b);
	secret.endpoint = "/a";
	unit_add_secret(unit, &secret);
	secret.endpoint = "/b";
	unit_add_secret(unit, &secret);
	assert_int_equal(bench_commit(b, unit), 0);
	bench_close(b);
	with_table(b, "secret", copy_value);
	bench_open(b);
	assert_int_equal(store_secret_get(b->reader, b->pool, 1, &out), 0);
	assert_int_equal(store_secret_get(b->reader, b->pool, 2, &out), CMPD_ECORRUPT);
}

static void
files_are_for_the_owner_only(void **state)
{
	static const char *const names[] = {"data.mdb", "lock.mdb", "lock", ""};
	struct bench *b = *state;
	struct stat st;

	bench_open(b);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(stat(path_in(b, names[i]), &st), 0);
		assert_int_equal(st.st_mode & 077, 0);
	}
}

static void
a_backup_is_a_store(void **state)
{
	struct bench *b = *state;
	char copy[512], data[512];
	struct entry entry;
	struct diag diag;

	fill(b, 50);
	snprintf(copy, sizeof(copy), "%s", path_in(b, "copy"));
	snprintf(data, sizeof(data), "%s", path_in(b, "data.mdb"));
	assert_int_equal(store_backup(b->store, copy, &diag), 0);
	assert_int_equal(store_backup(b->store, copy, &diag), CMPD_EEXIST);
	assert_int_equal(store_backup(b->store, path_in(b, "no/such/folder"), &diag), CMPD_ENOENT);
	bench_close(b);
	assert_int_equal(rename(copy, data), 0);
	bench_open(b);
	assert_int_equal(store_entry_get(b->reader, b->pool, 50, &entry), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_check_makes_nothing, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_second_opener_is_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(the_key_must_be_the_one, setup, teardown),
	    {"B8.3 a foreign file is refused", a_foreign_file_is_refused, setup, teardown, NULL},
	    {"B8.3 a truncated file is refused", a_truncated_file_is_refused, setup, teardown,
		NULL},
	    cmocka_unit_test_setup_teardown(a_free_page_behind_the_end_is_fine, setup, teardown),
	    {"B7.7 a changed or missing audit line is found", a_changed_audit_line_is_found, setup,
		teardown, NULL},
	    {"B7.7 audit lines cannot be cut off at the end",
		audit_lines_cannot_be_cut_off_at_the_end, setup, teardown, NULL},
	    cmocka_unit_test_setup_teardown(a_faulty_unit_fails_alone, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_damaged_record_is_told_and_harms_no_other, setup,
		teardown),
	    cmocka_unit_test_setup_teardown(another_schema_is_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(secrets_are_encrypted_in_the_file, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_sealed_value_is_bound_to_its_secret, setup, teardown),
	    cmocka_unit_test_setup_teardown(files_are_for_the_owner_only, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_backup_is_a_store, setup, teardown),
	};

	return cmocka_run_group_tests_name("store_lmdb_files", tests, NULL, NULL);
}
