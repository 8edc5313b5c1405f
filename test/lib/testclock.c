/*
 * The clock of cmpd-test: the system's, plus what a test has written into a shared file. The environment
 * variable CMPD_TEST_CLOCK names it: 16 bytes, two int64 in the machine's order, milliseconds added to the wall clock and to the
 * monotonic clock. Read at every call, so a test moves the time of a running daemon.
 */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

struct offsets {
	_Atomic int64_t wall;
	_Atomic int64_t mono;
};

static struct offsets *offsets;

static int64_t
now(clockid_t id)
{
	struct timespec ts = {0};

	(void)clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int64_t
wall(void)
{
	return now(CLOCK_REALTIME) + atomic_load_explicit(&offsets->wall, memory_order_relaxed);
}

static int64_t
mono(void)
{
	return now(CLOCK_MONOTONIC) + atomic_load_explicit(&offsets->mono, memory_order_relaxed);
}

__attribute__((constructor)) static void
start(void)
{
	const char *file = getenv("CMPD_TEST_CLOCK");
	void *map = MAP_FAILED;
	int fd;

	if (file == NULL) {
		return;
	}
	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && lseek(fd, 0, SEEK_END) >= (off_t)sizeof(*offsets)) {
		map = mmap(NULL, sizeof(*offsets), PROT_READ, MAP_SHARED, fd, 0);
	}
	if (fd >= 0) {
		close(fd);
	}
	if (map == MAP_FAILED) {
		fprintf(stderr, "CMPD_TEST_CLOCK: %s cannot be mapped\n", file);
		_exit(1);
	}
	offsets = map;
	clock_set_source(wall, mono);
}
