/* B8.1 Killed in the middle of writing, again and again: nothing that was acknowledged is lost. */
#include <errno.h>
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "store_test.h"

#define ROUNDS	  12
#define IN_FLIGHT 24

/* ---- the child: writes as fast as it can and tells its parent what is durable ---- */

static sem_t room;

static void
acknowledge(void *arg, int result)
{
	uint32_t n = (uint32_t)(uintptr_t)arg;

	if (result != 0 || write(STDOUT_FILENO, &n, sizeof(n)) != (ssize_t)sizeof(n)) {
		_exit(3);
	}
	sem_post(&room);
}

static int
write_for_ever(const char *dir, const char *key_file, uint32_t n)
{
	const struct store_options options = {
	    .dir = dir, .key_file = key_file, .map_size = (uint64_t)1 << 30, .sync = true};
	struct store *store = NULL;
	struct diag diag;

	if (store_open(&options, &store, &diag) != 0) {
		return 2;
	}
	sem_init(&room, 0, IN_FLIGHT);
	for (;; n++) {
		struct unit *unit = unit_new();
		struct entry entry = make_entry(n);
		struct txn txn = make_txn(n);

		unit_put_entry(unit, &entry, ENTRY_RECEIVED);
		unit_put_txn(unit, &txn);
		unit_audit(unit, n, "cmpd", "test", NULL, NULL);
		sem_wait(&room);
		store_commit(store, unit, acknowledge, (void *)(uintptr_t)n);
	}
}

/* ---- the parent ---- */

static pid_t
start_writer(const struct bench *b, uint32_t first, int *ret_fd)
{
	char text[16];
	int fds[2];
	pid_t pid;

	snprintf(text, sizeof(text), "%u", first);
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(fds[1], STDOUT_FILENO);
		close(fds[0]);
		close(fds[1]);
		execl("/proc/self/exe", "writer", b->dir, b->key_file, text, (char *)NULL);
		_exit(1);
	}
	close(fds[1]);
	*ret_fd = fds[0];
	return pid;
}

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Reads acknowledgements until some have come and the time is over; then kills and reads what is left. */
static uint32_t
run_writer(const struct bench *b, uint32_t first, int64_t ms)
{
	uint32_t n, last = first - 1;
	int fd = -1, status;
	pid_t pid = start_writer(b, first, &fd);
	int64_t start = now_ms();
	bool killed = false;

	for (;;) {
		struct pollfd ready = {.fd = fd, .events = POLLIN};

		poll(&ready, 1, 1);
		if (!killed &&
		    ((last >= first && now_ms() - start >= ms) || now_ms() - start > 20000)) {
			kill(pid, SIGKILL);
			killed = true;
		}
		if (ready.revents == 0) {
			continue;
		}
		if (read(fd, &n, sizeof(n)) != (ssize_t)sizeof(n)) {
			break;
		}
		assert_int_equal(n, last + 1);
		last = n;
	}
	close(fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	return last;
}

static void
nothing_acknowledged_is_lost(void **state)
{
	struct bench b;
	uint32_t next = 1;

	(void)state;
	bench_init(&b, true);
	for (int round = 0; round < ROUNDS; round++) {
		uint32_t last = run_writer(&b, next, 5 + 7 * round % 40);
		struct store_stats stats;
		struct entry entry;
		struct txn txn;
		uint64_t bad;

		assert_true(last >= next);
		bench_open(&b);
		for (uint32_t n = next; n <= last; n++) {
			struct txn_key key = make_txn_key(n);

			assert_int_equal(store_entry_find(b.reader, b.pool, &key, 0, &entry), 0);
			assert_int_equal(entry.number, n);
			assert_int_equal(store_txn_get(b.reader, b.pool, &key, &txn), 0);
			pool_reset(b.pool);
		}
		/* What is there beyond is whole as well, and the next number follows. */
		assert_int_equal(store_stats(b.reader, &stats), 0);
		assert_true(stats.entries[ENTRY_PENDING] >= last);
		assert_int_equal(stats.entries[ENTRY_PENDING], stats.txns);
		assert_int_equal(stats.entries[ENTRY_PENDING], stats.audit);
		assert_int_equal(store_audit_verify(b.reader, &bad), 0);
		next = (uint32_t)stats.audit + 1;
		bench_close(&b);
	}
	bench_fini(&b);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    {"B8.1 kill -9: nothing acknowledged is lost", nothing_acknowledged_is_lost, NULL, NULL,
		NULL},
	};

	if (argc == 4) {
		return write_for_ever(argv[1], argv[2], (uint32_t)strtoul(argv[3], NULL, 10));
	}
	return cmocka_run_group_tests_name("store_lmdb_crash", tests, NULL, NULL);
}
