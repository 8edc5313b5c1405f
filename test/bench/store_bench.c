/*
 * store_bench [FOLDER [SECONDS]]: what the store does on this machine and disk. A command, not a test.
 *
 * 64 threads that each wait for their unit, one thread that does, then 100 000 pending entries: how much
 * memory is the process's own, how long lists and lookups take.
 */
#include <ftw.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/pool.h"
#include "store/store.h"

#define WRITERS	   64
#define PENDING	   100000u
#define RECORD	   1500 /* bytes of request in an entry: the record is about 2 KiB */
#define SAMPLES	   200000
#define POOL_LIMIT ((size_t)64 << 20)

struct bench {
	struct store *store;
	double seconds;
	atomic_uint next;
	atomic_uint n_samples;
	float samples[SAMPLES]; /* ms a commit took */
};

static void
must(int error, const char *what)
{
	if (error != 0) {
		fprintf(stderr, "store_bench: %s: %s\n", what, cmpd_strerror(error));
		exit(1);
	}
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double
cpu(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* A line of /proc/self/status in KiB. */
static long
status_kib(const char *name)
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[256];
	long kib = -1;

	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, name, strlen(name)) == 0) {
			kib = strtol(line + strlen(name) + 1, NULL, 10);
		}
	}
	if (file != NULL) {
		fclose(file);
	}
	return kib;
}

static struct unit *
new_entry(unsigned int n)
{
	static const uint8_t request[RECORD];
	struct unit *unit = unit_new();
	struct entry entry = {.state = ENTRY_PENDING,
	    .txn = {.protocol = PROTOCOL_CMP, .id_len = 16},
	    .type = REQUEST_IR,
	    .endpoint = "/.well-known/cmp",
	    .profile = "device",
	    .requested = {.extensions = bytes_of(request, sizeof(request))},
	    .subject = "/O=Example/CN=device",
	    .requester = "mac ref=device",
	    .peer = "127.0.0.1",
	    .received = n,
	    .expires = 1000000 + n,
	    .due = 1000000 + n,
	    .fail_info = -1,
	    .approvals_needed = 1};

	if (unit == NULL) {
		exit(1);
	}
	random_bytes(entry.id, sizeof(entry.id));
	random_bytes(entry.txn.id, entry.txn.id_len);
	unit_put_entry(unit, &entry, ENTRY_RECEIVED);
	return unit;
}

static void *
write_and_wait(void *arg)
{
	struct bench *b = arg;
	double end = now() + b->seconds;

	while (now() < end) {
		double start = now();
		unsigned int i;

		must(store_commit_wait(b->store, new_entry(atomic_fetch_add(&b->next, 1))),
		    "commit");
		i = atomic_fetch_add(&b->n_samples, 1);
		if (i < SAMPLES) {
			b->samples[i] = (float)((now() - start) * 1000);
		}
	}
	digest_thread_fini();
	return NULL;
}

static int
compare(const void *a, const void *b)
{
	const float *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void
run_writers(struct bench *b, struct store_reader *reader, unsigned int n_threads)
{
	pthread_t threads[WRITERS];
	struct store_stats before, after;
	double start, start_cpu, took, units;
	unsigned int n;

	must(store_stats(reader, &before), "stats");
	atomic_store(&b->n_samples, 0);
	start = now();
	start_cpu = cpu();
	for (unsigned int i = 0; i < n_threads; i++) {
		must(pthread_create(&threads[i], NULL, write_and_wait, b) ? CMPD_ENOMEM : 0,
		    "thread");
	}
	for (unsigned int i = 0; i < n_threads; i++) {
		pthread_join(threads[i], NULL);
	}
	took = now() - start;
	must(store_stats(reader, &after), "stats");
	units = (double)(after.units - before.units);
	n = atomic_load(&b->n_samples) < SAMPLES ? atomic_load(&b->n_samples) : SAMPLES;
	qsort(b->samples, n, sizeof(b->samples[0]), compare);
	printf("| %2u writers | %.0f records/s | mean batch %.1f | p50 %.2f ms | p99 %.2f ms | "
	       "%.1f us of CPU per record |\n",
	    n_threads, units / took, units / (double)(after.commits - before.commits),
	    n > 0 ? (double)b->samples[n / 2] : 0, n > 0 ? (double)b->samples[n * 99 / 100] : 0,
	    (cpu() - start_cpu) * 1e6 / units);
}

static void
check_result(void *arg, int result)
{
	(void)arg;
	must(result, "commit");
}

static void
fill_pending(struct bench *b, struct store_reader *reader)
{
	struct store_stats stats;

	must(store_stats(reader, &stats), "stats");
	for (uint64_t i = stats.entries[ENTRY_PENDING]; i < PENDING; i++) {
		/* One in 256 is waited for, so that the queue stays short. */
		if (i % 256 == 0) {
			must(store_commit_wait(b->store, new_entry((unsigned int)i)), "commit");
		} else {
			store_commit(b->store, new_entry((unsigned int)i), check_result, NULL);
		}
	}
	must(store_commit_wait(b->store, unit_new()), "commit");
}

static void
run_pending(struct bench *b, struct store_reader *reader)
{
	const struct entry_filter filter = {.state = ENTRY_PENDING};
	struct pool *pool = pool_new(POOL_LIMIT);
	struct store_stats stats;
	struct entry *page, entry;
	uint64_t after;
	double start;
	size_t n;

	fill_pending(b, reader);
	must(store_stats(reader, &stats), "stats");
	printf("%llu pending entries: %.0f bytes of file each; memory: %ld KiB of the process's "
	       "own, %ld KiB with mapped pages of the file\n",
	    (unsigned long long)stats.entries[ENTRY_PENDING],
	    (double)stats.used_bytes / (double)stats.entries[ENTRY_PENDING], status_kib("RssAnon"),
	    status_kib("VmRSS"));
	start = now();
	must(store_entry_list(reader, pool, &filter, 0, 1000, &page, &n, &after), "list");
	printf("first %zu listed in %.2f ms\n", n, (now() - start) * 1000);
	start = now();
	for (unsigned int i = 0; i < 10000; i++) {
		pool_reset(pool);
		must(store_entry_get(reader, pool, 1 + i * 7919u % PENDING, &entry), "get");
	}
	printf("a lookup in %.2f us\n", (now() - start) * 1e6 / 10000);
	pool_free(pool);
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static bool
make_key(const char *path)
{
	FILE *file = fopen(path, "w");

	return file != NULL && fputs("0123456789abcdef0123456789ABCDEF", file) >= 0 &&
	       fclose(file) == 0 && chmod(path, 0600) == 0;
}

int
main(int argc, char **argv)
{
	static struct bench b;
	char dir[512], key[600], state[600];
	struct store_options options = {.dir = state, .key_file = key, .sync = true};
	struct store_reader *reader = NULL;
	struct diag diag = {""};

	snprintf(dir, sizeof(dir), "%s/store-bench-XXXXXX", argc > 1 ? argv[1] : "/tmp");
	if (mkdtemp(dir) == NULL) {
		perror(dir);
		return 1;
	}
	snprintf(key, sizeof(key), "%s/key", dir);
	snprintf(state, sizeof(state), "%s/state", dir);
	if (!make_key(key)) {
		perror(key);
		return 1;
	}
	b.seconds = argc > 2 ? strtod(argv[2], NULL) : 2;
	must(store_open(&options, &b.store, &diag), diag.text);
	must(store_reader_open(b.store, &reader), "reader");
	run_writers(&b, reader, WRITERS);
	run_writers(&b, reader, 1);
	run_pending(&b, reader);
	store_reader_close(reader);
	store_close(b.store);
	nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	return 0;
}
