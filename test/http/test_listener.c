#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "http/fixture.h"

#define POST "POST /cmp HTTP/1.1\r\nContent-Type: application/pkixcmp\r\n"

static char out[16384];

static const char *
socket_path(const struct fixture *f)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/http.sock", fixture_dir(f));
	return path;
}

static void
test_unix_socket_has_its_mode_and_goes(void **state)
{
	struct fixture *f = fixture_new();
	struct stat st;
	mode_t mask = umask(0);
	int fd;

	(void)state;
	fixture_start(f);
	umask(mask);
	assert_int_equal(stat(socket_path(f), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	fd = client_connect_unix(socket_path(f), NULL);
	client_send(fd, POST "Content-Length: 1\r\n\r\nz");
	assert_int_equal(client_answer(fd, out, sizeof(out), 5000), 200);
	close(fd);
	fixture_drain(f);
	assert_int_not_equal(stat(socket_path(f), &st), 0);
	fixture_free(f);
}

/* A peer that bound its own socket to a long path must not end the server (see src/http/peer.c). */
static void
test_named_unix_peer_is_harmless(void **state)
{
	struct fixture *f = fixture_new();
	char own[100];
	int fd;

	(void)state;
	fixture_start(f);
	snprintf(own, sizeof(own), "%s/%060d", fixture_dir(f), 0);
	for (int i = 0; i < 3; i++) {
		unlink(own);
		fd = client_connect_unix(socket_path(f), own);
		client_send(fd, POST "Content-Length: 1\r\n\r\nz");
		assert_int_equal(client_answer(fd, out, sizeof(out), 5000), 200);
		close(fd);
	}
	unlink(own);
	fixture_free(f);
}

static struct sockaddr_un
unix_address(const char *path)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	strcpy(un.sun_path, path);
	return un;
}

static void
test_stale_unix_socket_is_replaced(void **state)
{
	struct fixture *f = fixture_new();
	struct sockaddr_un un = unix_address(socket_path(f));
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	close(fd);
	fixture_start(f);
	fd = client_connect_unix(socket_path(f), NULL);
	assert_true(fd >= 0);
	close(fd);
	fixture_free(f);
}

static int
try_server(struct fixture *f, struct diag *diag)
{
	struct event_base *base = event_base_new();
	struct http_handlers handlers = {NULL};
	struct http_server *server = NULL;
	int r = http_server_new(base, fixture_conf(f), &handlers, &server, diag);

	http_server_free(server);
	event_base_free(base);
	return r;
}

static void
test_socket_in_use_is_left_alone(void **state)
{
	struct fixture *f = fixture_new();
	struct sockaddr_un un = unix_address(socket_path(f));
	struct diag diag = {""};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(try_server(f, &diag), CMPD_EIO);
	assert_non_null(strstr(diag.text, "http.sock"));
	assert_int_equal(access(socket_path(f), F_OK), 0);
	close(fd);
	unlink(socket_path(f));
	fixture_free(f);
}

static void
test_file_in_the_way_is_left_alone(void **state)
{
	struct fixture *f = fixture_new();
	struct diag diag = {""};
	FILE *file = fopen(socket_path(f), "w");

	(void)state;
	assert_non_null(file);
	fclose(file);
	assert_int_equal(try_server(f, &diag), CMPD_EIO);
	assert_int_equal(access(socket_path(f), F_OK), 0);
	unlink(socket_path(f));
	fixture_free(f);
}

static void
test_port_in_use_is_told(void **state)
{
	struct fixture *f = fixture_new(), *other = fixture_new();
	struct diag diag = {""};

	(void)state;
	fixture_start(f);
	fixture_conf(other)->listen[0] = fixture_conf(f)->listen[0];
	assert_int_equal(try_server(other, &diag), CMPD_EIO);
	assert_non_null(strstr(diag.text, fixture_conf(f)->listen[0]));
	fixture_free(other);
	fixture_free(f);
}

#ifdef HAVE_SYSTEMD
/* Descriptor 3 is one of conf->listen, so that is not opened twice; 4 has the name of the health listener. */
static void
test_sockets_of_systemd_are_taken(void **state)
{
	struct fixture *f = fixture_new();
	struct sockaddr_in in = {
	    .sin_family = AF_INET, .sin_port = htons((uint16_t)fixture_port(f))};
	char pid[16];
	int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)state;
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(dup2(fd, 3), 3);
	in.sin_port = htons((uint16_t)fixture_health_port(f));
	fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(dup2(fd, 4), 4);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "2", 1);
	setenv("LISTEN_FDNAMES", "cmpd:health", 1);
	fixture_start(f);
	assert_int_equal(
	    client_ask(fixture_port(f), POST "Content-Length: 1\r\n\r\nz", out, sizeof(out)), 200);
	assert_int_equal(client_ask(fixture_health_port(f), "GET /livez HTTP/1.1\r\n\r\n", out,
			     sizeof(out)),
	    200);
	fixture_free(f);
}
#endif

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_unix_socket_has_its_mode_and_goes),
	    cmocka_unit_test(test_named_unix_peer_is_harmless),
	    cmocka_unit_test(test_stale_unix_socket_is_replaced),
	    cmocka_unit_test(test_socket_in_use_is_left_alone),
	    cmocka_unit_test(test_file_in_the_way_is_left_alone),
	    cmocka_unit_test(test_port_in_use_is_told),
#ifdef HAVE_SYSTEMD
	    cmocka_unit_test(test_sockets_of_systemd_are_taken),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
