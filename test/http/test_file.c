/* Files that are served from memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "http/fixture.h"

static char out[16384];

static int
setup(void **state)
{
	struct fixture *f = fixture_new();

	fixture_start(f);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	fixture_free(*state);
	return 0;
}

static int
ask(void **state, const char *request)
{
	return client_ask(fixture_port(*state), request, out, sizeof(out));
}

static bool
has(const char *text)
{
	return strstr(out, text) != NULL;
}

static void
assert_all_released(void **state)
{
	for (int i = 0; fixture_held(*state) > 0 && i < 500; i++) {
		usleep(10000);
	}
	assert_int_equal(fixture_held(*state), 0);
}

static void
test_get_and_head(void **state)
{
	assert_int_equal(ask(state, "GET /file HTTP/1.1\r\nHost: x\r\n\r\n"), 200);
	assert_true(has("Content-Type: application/x-file\r\n"));
	assert_true(has("Content-Length: 8\r\n"));
	assert_true(has("ETag: \"tag\"\r\n"));
	assert_true(has("Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
	assert_true(has("Cache-Control: public, max-age=0\r\n"));
	assert_true(has("\r\n\r\nthe file"));
	assert_int_equal(ask(state, "GET /file HTTP/1.0\r\n\r\n"), 200);
	assert_true(has("\r\n\r\nthe file"));
	assert_all_released(state);
}

/* One connection, one request after the other: each answer ends where it should. */
static void
test_a_kept_connection_goes_on(void **state)
{
	static const struct {
		const char *request;
		int status;
	} steps[] = {
	    {"GET /file HTTP/1.1\r\nHost: x\r\nIf-None-Match: \"tag\"\r\n\r\n", 304},
	    {"GET /file HTTP/1.1\r\nHost: x\r\nIf-None-Match: \"no\"\r\n\r\n", 200},
	    {"GET /file HTTP/1.1\r\nHost: x\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 "
	     "GMT\r\n\r\n",
		304},
	    {"GET /file HTTP/1.1\r\nHost: x\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:36 "
	     "GMT\r\n\r\n",
		200},
	    {"GET /file HTTP/1.1\r\nHost: x\r\nIf-Modified-Since: yesterday\r\n\r\n", 200},
	    {"POST /cmp HTTP/1.1\r\nHost: x\r\nContent-Type: application/pkixcmp\r\n"
	     "Content-Length: 3\r\n\r\nabc",
		200},
	};
	int fd = client_connect(fixture_port(*state));

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		client_send(fd, steps[i].request);
		assert_int_equal(client_answer(fd, out, sizeof(out), 5000), steps[i].status);
		assert_true(steps[i].status != 304 || !has("Content-Type"));
	}
	assert_true(has("cba"));
	close(fd);
	assert_all_released(state);
}

static void
test_head_has_no_body(void **state)
{
	int fd = client_connect(fixture_port(*state));
	char *end;

	client_send(fd, "HEAD /big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	assert_int_equal(client_answer(fd, out, sizeof(out), 5000), 200);
	end = strstr(out, "\r\n\r\n");
	assert_non_null(end);
	assert_int_equal(end[4], '\0');
	assert_true(has("Content-Length: 8388608\r\n"));
	close(fd);
	assert_all_released(state);
}

static void
test_other_methods(void **state)
{
	assert_int_equal(ask(state, "POST /file HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx"),
	    405);
	assert_true(has("Allow: GET, HEAD\r\n"));
	assert_int_equal(ask(state, "DELETE /file HTTP/1.1\r\nHost: x\r\n\r\n"), 405);
	assert_int_equal(ask(state, "GET /file HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx"),
	    400);
	assert_int_equal(ask(state, "GET /file?x HTTP/1.1\r\nHost: x\r\n\r\n"), 404);
	assert_int_equal(ask(state, "GET /files HTTP/1.1\r\nHost: x\r\n\r\n"), 404);
	assert_int_equal(ask(state, "GET /cmp HTTP/1.1\r\nHost: x\r\n\r\n"), 405);
	assert_true(has("Allow: POST\r\n"));
	assert_all_released(state);
}

/* All of it, one that goes away in the middle, and ones that never read. */
static void
test_large_files_are_sent_and_let_go(void **state)
{
	static char piece[65536];
	size_t total = 0;
	ssize_t n;
	int fd = client_connect(fixture_port(*state)), fds[16];

	client_send(fd, "GET /big HTTP/1.0\r\n\r\n");
	while ((n = read(fd, piece, sizeof(piece))) > 0) {
		total += (size_t)n;
	}
	close(fd);
	assert_in_range(total, (8 << 20) + 1, (8 << 20) + 1000);
	for (int i = 0; i < 16; i++) {
		fds[i] = client_connect(fixture_port(*state));
		client_send(fds[i], "GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
	}
	assert_true(read(fds[0], piece, sizeof(piece)) > 0);
	for (int i = 0; i < 8; i++) {
		close(fds[i]);
	}
	for (int i = 0; fixture_held(*state) != 8 && i < 500; i++) {
		usleep(10000);
	}
	assert_int_equal(fixture_held(*state), 8);
	/* Those that are left go with the server. */
	fixture_free(*state);
	for (int i = 8; i < 16; i++) {
		close(fds[i]);
	}
	setup(state);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(test_get_and_head),
	    T(test_a_kept_connection_goes_on),
	    T(test_head_has_no_body),
	    T(test_other_methods),
	    T(test_large_files_are_sent_and_let_go),
	};

	signal(SIGPIPE, SIG_IGN); /* as the daemon does */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
