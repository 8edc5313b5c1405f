/* A disk that fails: this program has its own pwrite and writev, which LMDB calls. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "store_test.h"

#define META_END 8192 /* the two meta pages are the first */

static atomic_bool meta_fails, data_fails;

static bool
fails(off_t at)
{
	return atomic_load(at < META_END ? &meta_fails : &data_fails);
}

/* By these names for the linker: a header may have given pwrite another. */
__attribute__((visibility("default"))) ssize_t failing_pwrite(int fd, const void *data, size_t len,
    off_t at) __asm__("pwrite");
__attribute__((visibility("default"))) ssize_t failing_writev(int fd, const struct iovec *parts,
    int n) __asm__("writev");

ssize_t
failing_pwrite(int fd, const void *data, size_t len, off_t at)
{
	if (fails(at)) {
		errno = EIO;
		return -1;
	}
	return syscall(SYS_pwrite64, fd, data, len, at);
}

ssize_t
failing_writev(int fd, const struct iovec *parts, int n)
{
	if (fails(META_END)) {
		errno = EIO;
		return -1;
	}
	return syscall(SYS_writev, fd, parts, n);
}

static int
put(struct bench *b, unsigned int n)
{
	struct entry entry = make_entry(n);
	struct unit *unit = unit_new();

	unit_put_entry(unit, &entry, ENTRY_RECEIVED);
	return bench_commit(b, unit);
}

static void
expect_entries(struct bench *b, uint64_t n)
{
	struct store_stats stats;
	struct entry entry;

	assert_int_equal(store_entry_get(b->reader, b->pool, n, &entry), 0);
	assert_int_equal(store_entry_get(b->reader, b->pool, n + 1, &entry), CMPD_ENOENT);
	assert_int_equal(store_stats(b->reader, &stats), 0);
	assert_int_equal(stats.entries[ENTRY_PENDING], n);
}

static void
try_failure(atomic_bool *what)
{
	struct bench b;
	struct diag diag;

	bench_init(&b, true);
	b.options.sync = true;
	bench_open(&b);
	for (unsigned int round = 0; round < 3; round++) {
		assert_int_equal(put(&b, 2 * round + 1), 0);
		atomic_store(what, true);
		for (int i = 0; i < 3; i++) {
			assert_int_equal(put(&b, 2 * round + 2), CMPD_EIO);
			expect_entries(&b, 2 * round + 1);
		}
		atomic_store(what, false);
		assert_int_equal(put(&b, 2 * round + 2), 0);
		expect_entries(&b, 2 * round + 2);
	}
	assert_int_equal(store_check(&b.options, &diag), 0);
	bench_reopen(&b);
	expect_entries(&b, 6);
	bench_fini(&b);
}

static void
a_failed_write_of_data_loses_nothing(void **state)
{
	(void)state;
	try_failure(&data_fails);
}

/* LMDB gives up an environment after this: readers and writer must get another. */
static void
a_failed_write_of_a_meta_page_is_healed(void **state)
{
	(void)state;
	try_failure(&meta_fails);
}

struct reading {
	struct store *store;
	atomic_bool stop;
	atomic_uint reads;
	atomic_int error; /* the last one */
};

static void *
read_all_the_time(void *arg)
{
	struct reading *r = arg;
	struct pool *pool = pool_new((size_t)1 << 20);
	struct store_reader *reader = NULL;
	struct entry entry;
	int error = pool == NULL ? CMPD_ENOMEM : store_reader_open(r->store, &reader);

	while (error == 0 && !atomic_load(&r->stop)) {
		/* Between failure and healing a read may fail, but never see anything wrong. */
		int got = store_entry_get(reader, pool, 1, &entry);

		if (got != 0 && got != CMPD_EIO) {
			error = got;
		}
		pool_reset(pool);
		atomic_fetch_add(&r->reads, 1);
	}
	if (error != 0) {
		atomic_store(&r->error, error);
	}
	store_reader_close(reader);
	pool_free(pool);
	digest_thread_fini();
	return NULL;
}

static void
healing_is_safe_beside_readers(void **state)
{
	struct reading r = {.reads = 0};
	pthread_t threads[3];
	struct bench b;

	(void)state;
	bench_init(&b, true);
	bench_open(&b);
	assert_int_equal(put(&b, 1), 0);
	r.store = b.store;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, read_all_the_time, &r), 0);
	}
	for (unsigned int n = 2; n < 40; n++) {
		unsigned int before = atomic_load(&r.reads);

		atomic_store(&meta_fails, true);
		assert_int_equal(put(&b, n), CMPD_EIO);
		atomic_store(&meta_fails, false);
		assert_int_equal(put(&b, n), 0);
		while (atomic_load(&r.reads) - before < 50 && atomic_load(&r.error) == 0) {
			usleep(100);
		}
	}
	atomic_store(&r.stop, true);
	for (int i = 0; i < 3; i++) {
		pthread_join(threads[i], NULL);
	}
	assert_int_equal(atomic_load(&r.error), 0);
	bench_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    {"B8.2 a failed write of data loses nothing", a_failed_write_of_data_loses_nothing,
		NULL, NULL, NULL},
	    {"B8.2 a failed write of a meta page is healed",
		a_failed_write_of_a_meta_page_is_healed, NULL, NULL, NULL},
	    cmocka_unit_test(healing_is_safe_beside_readers),
	};

	return cmocka_run_group_tests_name("store_lmdb_disk", tests, NULL, NULL);
}
