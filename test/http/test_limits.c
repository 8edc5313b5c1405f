#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "http/fixture.h"

#define CMP  "Content-Type: application/pkixcmp\r\n"
#define POST "POST /cmp HTTP/1.1\r\n" CMP

static char out[16384];

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void
test_oversized_headers_B5_5(void **state)
{
	struct fixture *f = fixture_new();
	int fd;

	(void)state;
	fixture_start(f);
	fd = client_connect(fixture_port(f));
	client_send(fd, POST);
	for (int i = 0; i < 200; i++) {
		client_send(fd, "X-Filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n");
	}
	/* Closing with unread bytes may destroy the answer on its way. */
	assert_true(client_answer(fd, out, sizeof(out), 5000) != 200);
	close(fd);
	fd = client_connect(fixture_port(f));
	memset(out, 'a', 6000);
	out[6000] = '\0';
	client_send(fd, "POST /");
	client_send(fd, out);
	assert_int_equal(client_answer(fd, out, sizeof(out), 5000), 400);
	close(fd);
	assert_int_equal(
	    client_ask(fixture_port(f), POST "Content-Length: 1\r\n\r\nz", out, sizeof(out)), 200);
	fixture_free(f);
}

static void
test_oversized_body_B5_5(void **state)
{
	struct fixture *f = fixture_new();
	char *body = calloc(1, 100001), head[160];
	int fd;

	(void)state;
	assert_non_null(body);
	memset(body, 'a', 100000);
	fixture_start(f);
	/* A little too long: read, refused, and the connection lives. */
	fd = client_connect(fixture_port(f));
	snprintf(head, sizeof(head), POST "Content-Length: 65537\r\n\r\n");
	client_send(fd, head);
	client_send_bytes(fd, body, 65537);
	assert_int_equal(client_answer(fd, out, sizeof(out), 5000), 413);
	client_send(fd, POST "Content-Length: 1\r\n\r\nz");
	assert_int_equal(client_answer(fd, out, sizeof(out), 5000), 200);
	close(fd);
	/* The most that is allowed. */
	fd = client_connect(fixture_port(f));
	client_send(fd, POST "Content-Length: 65536\r\n\r\n");
	client_send_bytes(fd, body, 65536);
	assert_int_equal(client_answer(fd, out, sizeof(out), 5000), 200);
	close(fd);
	/* Far too long: refused by its announcement, also when chunked, also when it waits for permission. */
	assert_int_equal(client_ask(fixture_port(f), POST "Content-Length: 99999999999\r\n\r\n",
			     out, sizeof(out)),
	    413);
	assert_int_equal(client_ask(fixture_port(f),
			     POST "Transfer-Encoding: chunked\r\n\r\nfffffff\r\n", out,
			     sizeof(out)),
	    413);
	assert_int_equal(client_ask(fixture_port(f),
			     POST "Expect: 100-continue\r\nContent-Length: 9999999\r\n\r\n", out,
			     sizeof(out)),
	    413);
	free(body);
	fixture_free(f);
}

static void
test_slow_senders_are_dropped_at_the_deadline_B5_5(void **state)
{
	struct fixture *f = fixture_new();
	int fds[3];
	double start, ends[3] = {0, 0, 0};

	(void)state;
	fixture_conf(f)->limits.request_deadline = 2000;
	fixture_start(f);
	for (int i = 0; i < 3; i++) {
		fds[i] = client_connect(fixture_port(f));
	}
	start = now();
	client_send(fds[0], POST); /* headers that never end */
	client_send(fds[1], POST "Content-Length: 1000\r\n\r\n");
	client_send(fds[2], POST "Transfer-Encoding: chunked\r\n\r\n");
	while (now() - start < 5 && (ends[0] == 0 || ends[1] == 0 || ends[2] == 0)) {
		client_send(fds[0], "X: y\r\n");
		client_send(fds[1], "a");
		client_send(fds[2], "1\r\na\r\n");
		for (int i = 0; i < 3; i++) {
			if (ends[i] == 0 && client_sees_end(fds[i], 20)) {
				ends[i] = now() - start;
			}
		}
	}
	for (int i = 0; i < 3; i++) {
		assert_true(ends[i] >= 1.9 && ends[i] < 3.6);
		close(fds[i]);
	}
	assert_int_equal(fixture_stats(f).dropped_slow, 3);
	fixture_free(f);
}

static void
test_idle_connections_are_closed_B5_5(void **state)
{
	struct fixture *f = fixture_new();
	double start;
	int fresh, kept;

	(void)state;
	fixture_conf(f)->limits.idle_timeout = 1000;
	fixture_start(f);
	start = now();
	fresh = client_connect(fixture_port(f));
	kept = client_connect(fixture_port(f));
	client_send(kept, POST "Content-Length: 1\r\n\r\nz");
	assert_int_equal(client_answer(kept, out, sizeof(out), 5000), 200);
	assert_true(client_sees_end(fresh, 3000));
	assert_true(client_sees_end(kept, 3000));
	assert_true(now() - start > 0.9 && now() - start < 2.5);
	close(fresh);
	close(kept);
	fixture_free(f);
}

static void
test_connection_limit_leaves_others_waiting_and_evicts_idle_ones(void **state)
{
	struct fixture *f = fixture_new();
	int fds[40];
	struct http_stats stats;

	(void)state;
	fixture_conf(f)->limits.connections = 16;
	fixture_start(f);
	for (int i = 0; i < 40; i++) {
		fds[i] = client_connect(fixture_port(f));
		assert_true(fds[i] >= 0);
	}
	usleep(200000);
	stats = fixture_stats(f);
	assert_int_equal(stats.connections_max, 16);
	assert_true(stats.connections <= 16);
	/* The last one waits in the backlog; idle ones make room within seconds. */
	client_send(fds[39], POST "Content-Length: 1\r\n\r\nz");
	assert_int_equal(client_answer(fds[39], out, sizeof(out), 8000), 200);
	stats = fixture_stats(f);
	assert_true(stats.connections <= 16);
	for (int i = 0; i < 40; i++) {
		close(fds[i]);
	}
	assert_int_equal(
	    client_ask(fixture_port(f), POST "Content-Length: 1\r\n\r\nz", out, sizeof(out)), 200);
	fixture_free(f);
}

static void
test_short_connections_do_not_count_for_long(void **state)
{
	struct fixture *f = fixture_new();
	double start = now();

	(void)state;
	fixture_conf(f)->limits.connections = 16;
	fixture_start(f);
	for (int i = 0; i < 300; i++) {
		int fd = client_connect(fixture_port(f));

		assert_true(fd >= 0);
		close(fd);
		assert_int_equal(client_ask(fixture_port(f),
				     POST "Connection: close\r\nContent-Length: 1\r\n\r\nz", out,
				     sizeof(out)),
		    200);
	}
	assert_true(now() - start < 5);
	fixture_free(f);
}

static void
test_no_spinning_when_descriptors_run_out(void **state)
{
	struct fixture *f = fixture_new();
	struct rlimit before, less;
	struct timespec a, b;
	int fds[200], n = 0, spare[400], n_spare = 0;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	fixture_start(f);
	less = before;
	less.rlim_cur = 80;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &less), 0);
	while (n_spare < 400 && (spare[n_spare] = dup(0)) >= 0) {
		n_spare++;
	}
	/* Room for the clients' ends only. */
	for (int i = 0; i < 4; i++) {
		close(spare[--n_spare]);
	}
	while (n < 4) {
		fds[n++] = client_socket();
	}
	for (int i = 0; i < n; i++) {
		fds[i] = client_connect_with(fds[i], fixture_port(f));
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	usleep(500000);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	assert_true((double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9 < 0.1);
	while (n_spare > 0) {
		close(spare[--n_spare]);
	}
	client_send(fds[0], POST "Content-Length: 1\r\n\r\nz");
	assert_int_equal(client_answer(fds[0], out, sizeof(out), 3000), 200);
	while (n > 0) {
		close(fds[--n]);
	}
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	fixture_free(f);
}

static void
test_who_takes_no_answers_cannot_fill_memory(void **state)
{
	struct fixture *f = fixture_new();
	char *body = calloc(1, 60001);
	int fd, rounds = 0;

	(void)state;
	assert_non_null(body);
	memset(body, 'a', 60000);
	fixture_conf(f)->limits.request_deadline = 1000;
	fixture_start(f);
	fd = client_connect(fixture_port(f));
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &(struct timeval){0, 300000},
			     sizeof(struct timeval)),
	    0);
	/* Sends and never reads: it must be stopped, by flow control or by the deadline. */
	for (; rounds < 2000; rounds++) {
		char head[160];

		snprintf(head, sizeof(head), POST "Content-Length: 60000\r\n\r\n");
		if (send(fd, head, strlen(head), MSG_NOSIGNAL) != (ssize_t)strlen(head) ||
		    send(fd, body, 60000, MSG_NOSIGNAL) != 60000) {
			break;
		}
	}
	assert_true(rounds < 2000);
	close(fd);
	free(body);
	fixture_free(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_oversized_headers_B5_5),
	    cmocka_unit_test(test_oversized_body_B5_5),
	    cmocka_unit_test(test_slow_senders_are_dropped_at_the_deadline_B5_5),
	    cmocka_unit_test(test_idle_connections_are_closed_B5_5),
	    cmocka_unit_test(test_connection_limit_leaves_others_waiting_and_evicts_idle_ones),
	    cmocka_unit_test(test_short_connections_do_not_count_for_long),
	    cmocka_unit_test(test_no_spinning_when_descriptors_run_out),
	    cmocka_unit_test(test_who_takes_no_answers_cannot_fill_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
