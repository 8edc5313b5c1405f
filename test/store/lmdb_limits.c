/* The store on disk when there is no room, and readers beside the writer. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/internal.h"
#include "store_test.h"

#define MIB ((uint64_t)1 << 20)

static struct unit *
unit_of(unsigned int n)
{
	static const char text[1500] = "";
	struct unit *unit = unit_new();
	struct entry entry = make_entry(n);

	entry.state = ENTRY_DENIED;
	entry.requested.extensions = bytes_of(text, sizeof(text));
	unit_put_entry(unit, &entry, ENTRY_RECEIVED);
	return unit;
}

/* Puts entries from first on until there is no room; returns the first that did not fit. */
static unsigned int
put_until_full(struct bench *b, unsigned int first, int *ret_error)
{
	for (unsigned int n = first; n < first + 100000; n++) {
		*ret_error = bench_commit(b, unit_of(n));
		if (*ret_error != 0) {
			return n;
		}
	}
	fail_msg("never full");
	return 0;
}

static void
a_full_map_is_told_and_drops_help(void **state)
{
	struct bench b;
	unsigned int n;
	int error;

	(void)state;
	bench_init(&b, true);
	b.options.map_size = 8 * MIB;
	bench_open(&b);
	for (int round = 0; round < 3; round++) {
		struct entry_filter filter = {.state = ENTRY_DENIED};
		struct entry *page;
		uint64_t after = 0;
		size_t n_page;

		n = put_until_full(&b, 100000 * ((unsigned int)round + 1), &error);
		assert_int_equal(error, CMPD_ENOSPC);
		assert_true(n > 100000 * ((unsigned int)round + 1) + 50);
		assert_int_equal(bench_commit(&b, unit_of(n)), CMPD_ENOSPC);
		/* Reading goes on, and what is final can be dropped. */
		do {
			assert_int_equal(store_entry_list(b.reader, b.pool, &filter, after, 50,
					     &page, &n_page, &after),
			    0);
			for (size_t i = 0; i < n_page; i++) {
				struct unit *unit = unit_new();

				unit_drop_entry(unit, page[i].number, page[i].version);
				assert_int_equal(bench_commit(&b, unit), 0);
			}
			pool_reset(b.pool);
		} while (after != 0);
		assert_int_equal(bench_commit(&b, unit_of(n)), 0);
	}
	bench_fini(&b);
}

/* Of a batch only those fail that do not fit. */
static void
a_full_map_fails_single_units(void **state)
{
	enum { N = 2000 };
	struct bench b;
	struct unit *units[N];
	int results[N];
	size_t done = 0;

	(void)state;
	bench_init(&b, true);
	b.options.map_size = MIB;
	bench_open(&b);
	for (unsigned int i = 0; i < N; i++) {
		units[i] = i % 2 == 0 ? unit_of(i + 1) : unit_new();
	}
	bench_commit_all(&b, units, N, results);
	for (unsigned int i = 0; i < N; i++) {
		assert_true(results[i] == 0 || (i % 2 == 0 && results[i] == CMPD_ENOSPC));
		done += i % 2 == 0 && results[i] == 0;
	}
	assert_true(done > 10 && done < N / 2);
	bench_fini(&b);
}

/* From now on what is mounted is seen by this process only. */
static bool
mounts_alone(void)
{
	return geteuid() == 0 && unshare(CLONE_NEWNS) == 0 &&
	       mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static void
fill_disk(const char *path)
{
	static const char block[4096] = "x";
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	while (write(fd, block, sizeof(block)) > 0) {
	}
	close(fd);
}

static void
a_full_disk_is_told_and_room_helps(void **state)
{
	struct bench b;
	struct entry entry;
	char ballast[512];
	unsigned int n;
	int error = 0;

	(void)state;
	bench_init(&b, true);
	assert_int_equal(mkdir(b.dir, 0700), 0);
	assert_int_equal(mount("none", b.dir, "tmpfs", 0, "size=2m,mode=700"), 0);
	b.options.sync = true;
	bench_open(&b);
	for (n = 1; n < 20; n++) {
		assert_int_equal(bench_commit(&b, unit_of(n)), 0);
	}
	snprintf(ballast, sizeof(ballast), "%.400s/ballast", b.dir);
	for (int round = 0; round < 3; round++) {
		fill_disk(ballast);
		n = put_until_full(&b, n, &error);
		assert_true(error == CMPD_ENOSPC || error == CMPD_EIO);
		assert_int_equal(store_entry_get(b.reader, b.pool, n - 1, &entry), 0);
		assert_int_equal(unlink(ballast), 0);
		for (unsigned int end = n + 20; n < end; n++) {
			assert_int_equal(bench_commit(&b, unit_of(n)), 0);
		}
	}
	bench_reopen(&b);
	assert_int_equal(store_entry_get(b.reader, b.pool, n - 1, &entry), 0);
	bench_close(&b);
	umount2(b.dir, MNT_DETACH);
	bench_fini(&b);
}

/* ---- readers ---- */

struct counting {
	struct store *store;
	atomic_bool stop;
	atomic_uint reads;
	atomic_int error; /* the last one */
};

static void *
read_all_the_time(void *arg)
{
	struct counting *c = arg;
	struct pool *pool = pool_new(MIB);
	struct store_reader *reader = NULL;
	struct entry entry;
	int error = pool == NULL ? CMPD_ENOMEM : store_reader_open(c->store, &reader);

	while (error == 0 && !atomic_load(&c->stop)) {
		error = store_entry_get(reader, pool, 1, &entry);
		pool_reset(pool);
		atomic_fetch_add(&c->reads, 1);
	}
	if (error != 0) {
		atomic_store(&c->error, error);
	}
	store_reader_close(reader);
	pool_free(pool);
	digest_thread_fini();
	return NULL;
}

static void
wait_for_reads(struct counting *c, unsigned int more)
{
	unsigned int before = atomic_load(&c->reads);

	while (atomic_load(&c->reads) - before < more && atomic_load(&c->error) == 0) {
		usleep(100);
	}
}

/* As long as the writer's transaction is open, and it cannot end before the reads are done. */
static void
readers_do_not_wait_for_the_writer(void **state)
{
	struct bench b;
	struct counting c = {.store = NULL};
	struct key key = key_u64(1);
	struct view view;
	pthread_t thread;

	(void)state;
	bench_init(&b, true);
	bench_open(&b);
	assert_int_equal(bench_commit(&b, unit_of(1)), 0);
	c.store = b.store;
	view = (struct view){.store = b.store};
	assert_int_equal(backend_lmdb.write_begin(&view), 0);
	assert_int_equal(backend_lmdb.del(&view, TABLE_ENTRY, key_get0(&key)), 0);
	assert_int_equal(pthread_create(&thread, NULL, read_all_the_time, &c), 0);
	wait_for_reads(&c, 1000);
	atomic_store(&c.stop, true);
	pthread_join(thread, NULL);
	backend_lmdb.write_abort(&view);
	assert_int_equal(atomic_load(&c.error), 0);
	bench_fini(&b);
}

static void
readers_go_on_while_commits_run(void **state)
{
	enum { N = 200 };
	struct bench b;
	struct counting c = {.store = NULL};
	struct store_stats stats;
	struct unit *units[N];
	int results[N];
	unsigned int next = 2, rounds = 0;
	pthread_t threads[2];

	(void)state;
	bench_init(&b, true);
	b.options.sync = true;
	bench_open(&b);
	assert_int_equal(bench_commit(&b, unit_of(1)), 0);
	c.store = b.store;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, read_all_the_time, &c), 0);
	}
	for (; rounds < 10; rounds++) {
		for (int i = 0; i < N; i++) {
			units[i] = unit_of(next++);
		}
		bench_commit_all(&b, units, N, results);
	}
	wait_for_reads(&c, 100);
	atomic_store(&c.stop, true);
	for (int i = 0; i < 2; i++) {
		pthread_join(threads[i], NULL);
	}
	assert_int_equal(atomic_load(&c.error), 0);
	assert_int_equal(store_stats(b.reader, &stats), 0);
	assert_int_equal(stats.units, 1 + rounds * N);
	assert_true(stats.commits < stats.units / 2); /* they went together */
	print_message("# %u reads beside %u commits of %u units\n", atomic_load(&c.reads),
	    (unsigned int)stats.commits, (unsigned int)stats.units);
	bench_fini(&b);
}

/* ---- the committer ---- */

struct order {
	atomic_uint done, batches, done_at_batch;
};

static void
count_done(void *arg, int result)
{
	struct order *order = arg;

	assert_int_equal(result, 0);
	atomic_fetch_add(&order->done, 1);
}

static void
count_batch(void *arg)
{
	struct order *order = arg;

	atomic_fetch_add(&order->batches, 1);
	atomic_store(&order->done_at_batch, atomic_load(&order->done));
}

static void
closing_finishes_what_waits(void **state)
{
	struct order order = {0};
	struct bench b;

	(void)state;
	bench_init(&b, true);
	b.options.batch_done = count_batch;
	b.options.batch_arg = &order;
	bench_open(&b);
	for (unsigned int n = 1; n <= 700; n++) {
		store_commit(b.store, unit_of(n), count_done, &order);
	}
	bench_close(&b);
	assert_int_equal(atomic_load(&order.done), 700);
	assert_int_equal(atomic_load(&order.done_at_batch), 700);
	assert_true(atomic_load(&order.batches) >= 2); /* 512 at the most in one */
	bench_fini(&b);
}

static void
keep_result(void *arg, int result)
{
	*(int *)arg = result;
}

static void
hand_in_another(void *arg, int result)
{
	struct bench *b = arg;

	(void)result;
	usleep(50000); /* the closing thread comes first */
	store_commit(b->store, unit_of(2), keep_result, &b->late);
}

static void
nothing_is_taken_while_closing(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b, true);
	bench_open(&b);
	store_commit(b.store, unit_of(1), hand_in_another, &b);
	bench_close(&b);
	assert_int_equal(b.late, CMPD_ECLOSED);
	bench_fini(&b);
}

/* Without an argument: what everybody may test. "disk": what needs a file system of its own. */
int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    {"B8.2 a full map is told and drops help", a_full_map_is_told_and_drops_help, NULL,
		NULL, NULL},
	    cmocka_unit_test(a_full_map_fails_single_units),
	    cmocka_unit_test(readers_do_not_wait_for_the_writer),
	    cmocka_unit_test(readers_go_on_while_commits_run),
	    cmocka_unit_test(closing_finishes_what_waits),
	    cmocka_unit_test(nothing_is_taken_while_closing),
	};
	const struct CMUnitTest disk[] = {
	    {"B8.2 a full disk is told and room helps", a_full_disk_is_told_and_room_helps, NULL,
		NULL, NULL},
	};

	if (argc > 1 && strcmp(argv[1], "disk") == 0) {
		/* Not skip(): older versions of cmocka make a failure of it. */
		if (!mounts_alone()) {
			printf("1..0 # SKIP needs root and mount(2)\n");
			return 0;
		}
		return cmocka_run_group_tests_name("store_lmdb_full", disk, NULL, NULL);
	}
	return cmocka_run_group_tests_name("store_lmdb_limits", tests, NULL, NULL);
}
