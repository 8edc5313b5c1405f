#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "http/fixture.h"

#define CMP "Content-Type: application/pkixcmp\r\n"

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

static char out[16384];

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

/* The answer is plain text of one line. */
static void
assert_one_line(void)
{
	const char *body = strstr(out, "\r\n\r\n");

	assert_non_null(body);
	assert_true(has("Content-Type: text/plain\r\n"));
	assert_true(strlen(body) > 5);
	assert_ptr_equal(strchr(body + 4, '\n'), body + strlen(body) - 1);
}

static void
test_post_is_answered_B5_1(void **state)
{
	assert_int_equal(ask(state, "POST /cmp HTTP/1.1\r\nHost: x\r\n" CMP
				    "Content-Length: 4\r\n\r\nabcd"),
	    200);
	assert_true(has("HTTP/1.1 200 OK\r\n"));
	assert_true(has("Content-Type: application/pkixcmp\r\n"));
	assert_true(has("Content-Length: 4\r\n"));
	assert_true(has("Cache-Control: no-store\r\n"));
	assert_true(has("\r\n\r\ndcba"));
}

static void
test_statuses_B5_1(void **state)
{
	static const struct {
		const char *request;
		int status;
	} cases[] = {
	    {"POST /other HTTP/1.1\r\n" CMP "Content-Length: 1\r\n\r\na", 404},
	    {"POST /cmp/ HTTP/1.1\r\n" CMP "Content-Length: 1\r\n\r\na", 404},
	    {"POST //cmp HTTP/1.1\r\n" CMP "Content-Length: 1\r\n\r\na", 404},
	    {"POST /x/../cmp HTTP/1.1\r\n" CMP "Content-Length: 1\r\n\r\na", 404},
	    {"POST /cm%70 HTTP/1.1\r\n" CMP "Content-Length: 1\r\n\r\na", 404},
	    {"POST /cmp?a HTTP/1.1\r\n" CMP "Content-Length: 1\r\n\r\na", 404},
	    {"POST /cmp HTTP/0.1\r\n" CMP "Content-Length: 1\r\n\r\na", 400},
	    {"POST /cmp HTTP/1.-1\r\n" CMP "Content-Length: 1\r\n\r\na", 400},
	    {"GET /other HTTP/1.1\r\n\r\n", 404},
	    {"GET /cmp HTTP/1.1\r\n\r\n", 405},
	    {"PUT /cmp HTTP/1.1\r\nContent-Length: 1\r\n\r\na", 405},
	    {"DELETE /cmp HTTP/1.1\r\n\r\n", 405},
	    {"OPTIONS /cmp HTTP/1.1\r\n\r\n", 405},
	    {"BREW /cmp HTTP/1.1\r\n\r\n", 405},
	    {"POST /cmp HTTP/1.1\r\n" CMP "\r\n", 411},
	    {"POST /cmp HTTP/1.0\r\n" CMP "\r\n", 411},
	    {"POST /cmp HTTP/1.1\r\n" CMP "Content-Length: 1000000\r\n\r\na", 413},
	    {"POST /cmp HTTP/1.1\r\nContent-Length: 1\r\n\r\na", 415},
	    {"POST /cmp HTTP/1.1\r\nContent-Type: text/plain\r\nContent-Length: 1\r\n\r\na", 415},
	    {"POST /cmp HTTP/1.1\r\n" CMP "Content-Length: 0\r\n\r\n", 400},
	    {"POST /cmp HTTP/1.1\r\n" CMP "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
	    {"POST /cmp HTTP/1.1\r\n" CMP "Expect: x\r\nContent-Length: 1\r\n\r\na", 417},
	    {"POST /cmp/full HTTP/1.1\r\n" CMP "Content-Length: 1\r\n\r\na", 503},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int status = ask(state, cases[i].request);

		if (status != cases[i].status) {
			print_message("# %s-> %s\n", cases[i].request, out);
		}
		assert_int_equal(status, cases[i].status);
		assert_one_line();
		assert_true(has("HTTP/1.0 ") || has("HTTP/1.1 "));
		assert_true(status != 405 || has("Allow: POST\r\n"));
		assert_true(status != 503 || has("Retry-After: 1\r\n"));
	}
	assert_int_equal(ask(state, "HEAD /cmp HTTP/1.1\r\n\r\n"), 405);
}

static void
test_ambiguous_requests_are_refused_and_nothing_after_them_is_read(void **state)
{
	static const char *const cases[] = {
	    "Content-Length: 1\r\nContent-Length: 2\r\n\r\na",
	    "Content-Length: 1\r\nContent-Length: 1\r\n\r\na",
	    "Content-Length: 1, 1\r\n\r\na",
	    "Content-Length: +1\r\n\r\na",
	    "Content-Length : 1\r\nContent-Length: 1\r\n\r\na",
	    "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
	    "Transfer-Encoding: gzip, chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
	    "Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
	    "Transfer-Encoding: chunked\r\n\r\n-1\r\n",
	};
	char request[1024];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int fd = client_connect(fixture_port(*state)), status;

		snprintf(request, sizeof(request), "POST /cmp HTTP/1.1\r\n" CMP "%s", cases[i]);
		client_send(fd, request);
		client_send(fd, "POST /cmp HTTP/1.1\r\n" CMP "Content-Length: 1\r\n\r\nz");
		status = client_answer(fd, out, sizeof(out), 5000);
		if (status != 400 && status != 413) {
			print_message("# %s-> %d %s\n", request, status, out);
		}
		assert_true(status == 400 || status == 413);
		assert_true(has("Connection: close\r\n"));
		assert_one_line();
		assert_true(client_sees_end(fd, 5000));
		close(fd);
	}
	assert_int_equal(ask(state, "POST /cmp HTTP/1.0\r\n" CMP
				    "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"),
	    400);
}

static void
test_body_of_a_get_is_no_request(void **state)
{
	int fd = client_connect(fixture_port(*state));

	client_send(fd, "GET /cmp HTTP/1.1\r\nContent-Length: 60\r\n\r\n");
	client_send(fd, "POST /cmp HTTP/1.1\r\n" CMP "Content-Length: 1\r\n\r\nz");
	assert_int_equal(client_answer(fd, out, sizeof(out), 5000), 405);
	assert_true(client_sees_end(fd, 5000));
	close(fd);
}

static void
test_garbage(void **state)
{
	static const char *const cases[] = {
	    "\r\n\r\n",
	    "\x16\x03\x01\x02\x07\x01\x01\x01\xfc\x03\x03\r\n\r\n",
	    "POST\r\n\r\n",
	    "POST /cmp\r\n\r\n",
	    "POST /cmp HTTP/9.9\r\n\r\n",
	    "POST /cmp HTTP/1.1 x\r\n\r\n",
	    "POST /cmp HTTP/1.1\r\nno colon\r\n\r\n",
	    " : \r\n\r\n",
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(ask(state, cases[i]), 400);
		assert_one_line();
	}
	assert_int_equal(ask(state, "POST /cmp HTTP/1.1\r\n" CMP "Content-Length: 1\r\n\r\nz"),
	    200);
}

static void
test_versions_and_keep_alive_B5_3(void **state)
{
	static const struct {
		const char *head;
		bool kept;
	} cases[] = {
	    {"POST /cmp HTTP/1.0\r\n", false},
	    {"POST /cmp HTTP/1.0\r\nConnection: keep-alive\r\n", true},
	    {"POST /cmp HTTP/1.1\r\n", true},
	    {"POST /cmp HTTP/1.1\r\nConnection: keep-alive\r\n", true},
	    {"POST /cmp HTTP/1.1\r\nConnection: close\r\n", false},
	};
	char request[256];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int fd = client_connect(fixture_port(*state));

		snprintf(request, sizeof(request), "%s" CMP "Content-Length: 3\r\n\r\nabc",
		    cases[i].head);
		client_send(fd, request);
		assert_int_equal(client_answer(fd, out, sizeof(out), 5000), 200);
		assert_false(has("chunked"));
		assert_true(has("Content-Length: 3\r\n"));
		assert_true(has("\r\n\r\ncba"));
		if (cases[i].kept) {
			client_send(fd, request);
			assert_int_equal(client_answer(fd, out, sizeof(out), 5000), 200);
		} else {
			assert_true(client_sees_end(fd, 5000));
		}
		close(fd);
	}
}

static void
test_chunked_and_expect_B5_3(void **state)
{
	int fd = client_connect(fixture_port(*state));

	client_send(fd, "POST /cmp HTTP/1.1\r\n" CMP
			"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n");
	assert_int_equal(client_answer(fd, out, sizeof(out), 5000), 200);
	assert_true(has("\r\n\r\nedcba"));
	client_send(fd,
	    "POST /cmp HTTP/1.1\r\n" CMP "Expect: 100-continue\r\nContent-Length: 4\r\n\r\n");
	assert_int_equal(client_answer(fd, out, sizeof(out), 5000), 100);
	client_send(fd, "wxyz");
	assert_int_equal(client_answer(fd, out, sizeof(out), 5000), 200);
	assert_true(has("\r\n\r\nzyxw"));
	close(fd);
}

static void
test_pipelined_answers_come_in_order(void **state)
{
	int fd = client_connect(fixture_port(*state));

	client_send(fd, "POST /cmp/slow HTTP/1.1\r\n" CMP "Content-Length: 2\r\n\r\nab"
			"POST /cmp HTTP/1.1\r\n" CMP "Content-Length: 2\r\n\r\ncd"
			"POST /cmp/slow HTTP/1.1\r\n" CMP "Content-Length: 2\r\n\r\nef");
	assert_int_equal(client_answer(fd, out, sizeof(out), 5000), 200);
	assert_true(has("\r\n\r\nba"));
	assert_int_equal(client_answer(fd, out, sizeof(out), 5000), 200);
	assert_true(has("\r\n\r\ndc"));
	assert_int_equal(client_answer(fd, out, sizeof(out), 5000), 200);
	assert_true(has("\r\n\r\nfe"));
	close(fd);
}

static void
test_the_client_may_go_before_the_answer(void **state)
{
	int fd = client_connect(fixture_port(*state));

	client_send(fd, "POST /cmp/slow HTTP/1.1\r\n" CMP "Content-Length: 2\r\n\r\nab");
	usleep(50000);
	close(fd);
	usleep(400000);
	assert_int_equal(ask(state, "POST /cmp HTTP/1.1\r\n" CMP "Content-Length: 1\r\n\r\nz"),
	    200);
}

static void
test_an_answer_after_the_server_is_gone(void **state)
{
	int fd = client_connect(fixture_port(*state));

	/* fixture_free answers it when there is no server any more. */
	client_send(fd, "POST /cmp/never HTTP/1.1\r\n" CMP "Content-Length: 2\r\n\r\nab");
	assert_int_equal(client_answer(fd, out, sizeof(out), 200), -1);
	close(fd);
}

static void
test_health_listener(void **state)
{
	int port = fixture_health_port(*state);

	assert_int_equal(client_ask(port, "GET /livez HTTP/1.1\r\n\r\n", out, sizeof(out)), 200);
	assert_one_line();
	assert_int_equal(client_ask(port, "GET /readyz HTTP/1.0\r\n\r\n", out, sizeof(out)), 200);
	fixture_set_ready(*state, false);
	assert_int_equal(client_ask(port, "GET /readyz HTTP/1.1\r\n\r\n", out, sizeof(out)), 503);
	assert_one_line();
	assert_int_equal(client_ask(port, "GET /livez HTTP/1.1\r\n\r\n", out, sizeof(out)), 200);
	assert_int_equal(client_ask(port, "GET /cmp HTTP/1.1\r\n\r\n", out, sizeof(out)), 404);
	assert_int_equal(client_ask(port, "HEAD /livez HTTP/1.1\r\n\r\n", out, sizeof(out)), 200);
	assert_int_equal(client_ask(port, "POST /livez HTTP/1.1\r\nContent-Length: 1\r\n\r\na", out,
			     sizeof(out)),
	    405);
	assert_int_equal(ask(state, "GET /livez HTTP/1.1\r\n\r\n"), 404);
}

static void
test_drain_finishes_what_is_under_way(void **state)
{
	int busy = client_connect(fixture_port(*state)),
	    idle = client_connect(fixture_port(*state));

	client_send(busy, "POST /cmp/slow HTTP/1.1\r\n" CMP "Content-Length: 2\r\n\r\nab");
	usleep(50000);
	fixture_drain(*state);
	assert_int_equal(client_connect(fixture_port(*state)), -1);
	assert_true(client_sees_end(idle, 2000));
	assert_int_equal(client_answer(busy, out, sizeof(out), 5000), 200);
	assert_true(has("Connection: close\r\n"));
	assert_true(client_sees_end(busy, 2000));
	assert_int_equal(client_ask(fixture_health_port(*state), "GET /readyz HTTP/1.1\r\n\r\n",
			     out, sizeof(out)),
	    503);
	close(busy);
	close(idle);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(test_post_is_answered_B5_1),
	    T(test_statuses_B5_1),
	    T(test_ambiguous_requests_are_refused_and_nothing_after_them_is_read),
	    T(test_body_of_a_get_is_no_request),
	    T(test_garbage),
	    T(test_versions_and_keep_alive_B5_3),
	    T(test_chunked_and_expect_B5_3),
	    T(test_pipelined_answers_come_in_order),
	    T(test_the_client_may_go_before_the_answer),
	    T(test_an_answer_after_the_server_is_gone),
	    T(test_health_listener),
	    T(test_drain_finishes_what_is_under_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
