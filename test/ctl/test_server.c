/* The operators' socket as hostile, slow and vanishing clients see it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctl/protocol.h"
#include "fixture.h"

static struct fixture fixture;

static int
setup(void **state)
{
	(void)state;
	fixture_init(&fixture);
	assert_int_equal(fixture_start(&fixture, NULL), 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	fixture_stop(&fixture);
	fixture_fini(&fixture);
	return 0;
}

static void
assert_version(json_t *answer)
{
	assert_non_null(answer);
	assert_string_equal(
	    json_string_value(json_object_get(json_object_get(answer, "data"), "version")),
	    "0.test");
	json_decref(answer);
}

static void
assert_alive(void)
{
	assert_version(client_ask(&fixture, "version", NULL));
}

static void
assert_error(json_t *answer, int code)
{
	assert_non_null(answer);
	assert_int_equal(json_integer_value(json_object_get(answer, "code")), code);
	json_decref(answer);
}

static void
test_a_socket_of_mode_0660_answers(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(stat(fixture.socket, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	assert_alive();
}

static void
test_requests_in_a_row_are_answered_in_order(void **state)
{
	int fd = client_open(&fixture);

	(void)state;
	for (int i = 0; i < 20; i++) {
		client_send(fd, i % 2 ? "version" : "nothing", NULL);
	}
	for (int i = 0; i < 20; i++) {
		if (i % 2) {
			assert_version(client_receive(fd));
		} else {
			assert_error(client_receive(fd), CMPD_EINVAL);
		}
	}
	(void)close(fd);
}

static void
test_a_request_in_single_bytes_is_answered(void **state)
{
	static const char frame[] = "\0\0\0\x15{\"command\":\"version\"}";
	int fd = client_open(&fixture);

	(void)state;
	for (size_t i = 0; i < sizeof(frame) - 1; i++) {
		client_send_raw(fd, frame + i, 1);
	}
	assert_version(client_receive(fd));
	(void)close(fd);
}

static void
test_malformed_frames_get_an_answer_and_the_end(void **state)
{
	static const struct {
		const char *frame;
		size_t len;
		int code;
	} bad[] = {
	    {"\0\0\0\0", 4, CMPD_EFORMAT},
	    {"\0\0\0\2[]", 6, CMPD_EFORMAT},
	    {"\0\0\0\2{x", 6, CMPD_EFORMAT},
	    {"\0\0\0\2{}", 6, CMPD_EFORMAT},
	    {"\0\0\0\x0d{\"command\":1}", 17, CMPD_EFORMAT},
	    {"\0\0\0\x1b{\"command\":\"x\",\"args\":[1]}", 31, CMPD_EFORMAT},
	    {"\0\1\0\1", 4, CMPD_ELIMIT},
	    {"\xff\xff\xff\xff", 4, CMPD_ELIMIT},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int fd = client_open(&fixture);

		client_send_raw(fd, bad[i].frame, bad[i].len);
		assert_error(client_receive(fd), bad[i].code);
		assert_true(client_is_closed(fd));
		(void)close(fd);
		assert_alive();
	}
}

static void
test_arguments_are_checked_by_the_table(void **state)
{
	(void)state;
	assert_string_equal(client_error(&fixture, "show", NULL, CMPD_EINVAL),
	    "argument id is missing");
	assert_string_equal(client_error(&fixture, "show", json_pack("{s:i}", "id", 1),
				CMPD_EINVAL),
	    "argument id has the wrong type");
	assert_string_equal(client_error(&fixture, "show",
				json_pack("{s:s, s:b}", "id", "1", "\x1b[2J", 1), CMPD_EINVAL),
	    "unknown argument: \\1B[2J");
	assert_string_equal(client_error(&fixture, "do\x07 it", NULL, CMPD_EINVAL),
	    "unknown command: do\\07 it");
	assert_string_equal(client_error(&fixture, "list", json_pack("{s:s}", "after", "1"),
				CMPD_EINVAL),
	    "argument after has the wrong type");
}

static void
test_a_client_that_leaves_during_its_command_harms_nobody(void **state)
{
	(void)state;
	atomic_store(&fixture.paused, true);
	for (int i = 0; i < 3; i++) {
		int fd = client_open(&fixture);

		client_send(fd, "status", NULL);
		(void)close(fd);
	}
	atomic_store(&fixture.paused, false);
	assert_alive();
}

static void
test_the_oldest_silent_connection_makes_room(void **state)
{
	int fds[6];

	(void)state;
	/* Four fit; each new one shows that it works, so the first ones are the oldest. */
	for (int i = 0; i < 6; i++) {
		fds[i] = client_open(&fixture);
		client_send(fds[i], "version", NULL);
		assert_version(client_receive(fds[i]));
		fixture_advance(10);
	}
	assert_true(client_is_closed(fds[0]));
	assert_true(client_is_closed(fds[1]));
	for (int i = 2; i < 6; i++) {
		client_send(fds[i], "version", NULL);
		assert_version(client_receive(fds[i]));
	}
	for (int i = 0; i < 6; i++) {
		(void)close(fds[i]);
	}
}

static void
test_when_all_are_at_work_the_next_is_told_so(void **state)
{
	int fds[5];

	(void)state;
	atomic_store(&fixture.paused, true);
	for (int i = 0; i < 4; i++) {
		fds[i] = client_open(&fixture);
		client_send(fds[i], "status", NULL);
	}
	/* The I/O thread must have read all four requests before the fifth comes. */
	(void)usleep(200000);
	fds[4] = client_open(&fixture);
	assert_error(client_receive(fds[4]), CMPD_EUNAVAILABLE);
	assert_true(client_is_closed(fds[4]));
	atomic_store(&fixture.paused, false);
	for (int i = 0; i < 4; i++) {
		assert_version(client_receive(fds[i]));
	}
	for (int i = 0; i < 5; i++) {
		(void)close(fds[i]);
	}
}

static void
test_silence_and_slow_requests_end_after_a_minute(void **state)
{
	int silent = client_open(&fixture);
	int slow = client_open(&fixture);

	(void)state;
	client_send_raw(slow, "\0\0", 2);
	assert_alive();
	fixture_advance(50000);
	client_send_raw(slow, "\0", 1);
	assert_alive();
	fixture_advance(11000);
	assert_true(client_is_closed(silent));
	assert_true(client_is_closed(slow));
	(void)close(silent);
	(void)close(slow);
	assert_alive();
}

static void
test_who_does_not_read_is_not_read_from(void **state)
{
	static const char frame[] = "\0\0\0\x14{\"command\":\"status\"}";
	int fd = client_open(&fixture);
	int buffer = 4096;
	size_t sent = 0;

	(void)state;
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer)), 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	for (int waits = 0; waits < 20 && sent < (64u << 20);) {
		ssize_t n = send(fd, frame, sizeof(frame) - 1, MSG_NOSIGNAL);

		if (n > 0) {
			sent += (size_t)n;
			waits = 0;
		} else {
			assert_int_equal(errno, EAGAIN);
			waits++;
			(void)usleep(10000);
		}
	}
	/* Far less than 64 MiB: what socket buffers of both sides hold. */
	assert_true(sent < (8u << 20));
	assert_alive();
	(void)close(fd);
}

static void
test_going_down_answers_what_is_under_way(void **state)
{
	int fd = client_open(&fixture);
	int silent = client_open(&fixture);
	struct stat st;

	(void)state;
	assert_alive();
	atomic_store(&fixture.paused, true);
	client_send(fd, "status", NULL);
	(void)usleep(100000);
	fixture_order(&fixture, 'd');
	assert_int_equal(stat(fixture.socket, &st), -1);
	assert_true(client_is_closed(silent));
	fixture_order(&fixture, 'p');
	assert_int_equal(fixture.pending, 1);
	atomic_store(&fixture.paused, false);
	assert_version(client_receive(fd));
	assert_true(client_is_closed(fd));
	(void)close(fd);
	(void)close(silent);
}

static void
test_reload_says_what_is_wrong(void **state)
{
	(void)state;
	json_decref(client_data(&fixture, "reload", NULL));
	assert_string_equal(client_error(&fixture, "reload", NULL, CMPD_ECONF),
	    "cmpd.conf:7: not this time");
}

static void
test_backup_goes_only_where_it_is_configured(void **state)
{
	static const char *const bad[] = {
	    "", ".", "..", "../x", "a/b", "/x", ".x", "-x", "a b", "a\n"};

	(void)state;
	assert_non_null(
	    strstr(client_error(&fixture, "backup", json_pack("{s:s}", "file", "x"), CMPD_ECONF),
		"backup_dir"));
	fixture.conf.control.backup_dir = fixture.dir;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		(void)client_error(&fixture, "backup", json_pack("{s:s}", "file", bad[i]),
		    CMPD_EINVAL);
	}
	/* A file that is there stays. */
	(void)client_error(&fixture, "backup", json_pack("{s:s}", "file", "ctl.sock"), CMPD_EEXIST);
	/* The store in memory has no copies; its words come through from the thread, twice. */
	for (int i = 0; i < 2; i++) {
		(void)client_error(&fixture, "backup", json_pack("{s:s}", "file", "copy.mdb"),
		    CMPD_EINVAL);
	}
}

/* ---- listening: without threads ---- */

static int
setup_quiet(void **state)
{
	(void)state;
	fixture_init(&fixture);
	return 0;
}

static int
teardown_quiet(void **state)
{
	(void)state;
	fixture_fini(&fixture);
	return 0;
}

static int
socket_at(const char *path, bool listening)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)strcpy(address.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	if (listening) {
		assert_int_equal(listen(fd, 1), 0);
	}
	return fd;
}

static void
test_a_stale_socket_is_replaced(void **state)
{
	struct diag diag = {0};
	int fd = socket_at(fixture.socket, true);

	(void)state;
	assert_int_equal(fixture_start(&fixture, &diag), CMPD_EEXIST);
	assert_non_null(strstr(diag.text, "somebody listens"));
	(void)close(fd);
	assert_int_equal(fixture_start(&fixture, &diag), 0);
	assert_alive();
	fixture_stop(&fixture);
	assert_int_equal(access(fixture.socket, F_OK), -1);
}

static void
test_what_is_no_socket_is_left_alone(void **state)
{
	struct diag diag = {0};
	int fd = open(fixture.socket, O_CREAT | O_WRONLY, 0600);

	(void)state;
	(void)close(fd);
	assert_int_equal(fixture_start(&fixture, &diag), CMPD_EEXIST);
	assert_int_equal(access(fixture.socket, F_OK), 0);
	assert_int_equal(unlink(fixture.socket), 0);
}

static void
test_bad_places_and_unknown_users_are_told(void **state)
{
	static const char *nobody[] = {"no such user here", NULL};
	char longer[200];
	struct diag diag = {0};

	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	fixture.conf.control.socket = longer;
	assert_int_equal(fixture_start(&fixture, &diag), CMPD_ECONF);
	fixture.conf.control.socket = "/nonexistent/folder/ctl.sock";
	assert_int_equal(fixture_start(&fixture, &diag), CMPD_EIO);
	assert_non_null(strstr(diag.text, "/nonexistent/folder/ctl.sock"));
	fixture.conf.control.socket = fixture.socket;
	fixture.conf.control.admin_users = nobody;
	assert_int_equal(fixture_start(&fixture, &diag), CMPD_ECONF);
	assert_non_null(strstr(diag.text, "no such user here"));
	fixture.conf.control.admin_users = NULL;
	fixture.conf.control.admin_groups = nobody;
	assert_int_equal(fixture_start(&fixture, &diag), CMPD_ECONF);
	assert_int_equal(access(fixture.socket, F_OK), -1);
}

static mode_t
socket_mode(void)
{
	struct stat st;

	assert_int_equal(stat(fixture.socket, &st), 0);
	return st.st_mode & 07777;
}

static void
test_named_operators_can_connect(void **state)
{
	static const char *root[] = {"root", NULL};
	struct diag diag = {0};

	(void)state;
	fixture.conf.control.admin_users = root;
	assert_int_equal(fixture_start(&fixture, &diag), 0);
	assert_int_equal(socket_mode(), 0666);
	fixture_order(&fixture, 'r');
	assert_int_equal(socket_mode(), 0666);
	fixture.conf.control.admin_users = NULL;
	fixture_order(&fixture, 'r');
	assert_int_equal(socket_mode(), 0660);
	fixture_stop(&fixture);
}

int
main(void)
{
#define STORY(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define QUIET(name) cmocka_unit_test_setup_teardown(name, setup_quiet, teardown_quiet)
	const struct CMUnitTest tests[] = {
	    STORY(test_a_socket_of_mode_0660_answers),
	    STORY(test_requests_in_a_row_are_answered_in_order),
	    STORY(test_a_request_in_single_bytes_is_answered),
	    STORY(test_malformed_frames_get_an_answer_and_the_end),
	    STORY(test_arguments_are_checked_by_the_table),
	    STORY(test_a_client_that_leaves_during_its_command_harms_nobody),
	    STORY(test_the_oldest_silent_connection_makes_room),
	    STORY(test_when_all_are_at_work_the_next_is_told_so),
	    STORY(test_silence_and_slow_requests_end_after_a_minute),
	    STORY(test_who_does_not_read_is_not_read_from),
	    STORY(test_going_down_answers_what_is_under_way),
	    STORY(test_reload_says_what_is_wrong),
	    STORY(test_backup_goes_only_where_it_is_configured),
	    QUIET(test_a_stale_socket_is_replaced),
	    QUIET(test_what_is_no_socket_is_left_alone),
	    QUIET(test_bad_places_and_unknown_users_are_told),
	    QUIET(test_named_operators_can_connect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
