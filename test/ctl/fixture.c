#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <event2/event.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/queue.h"
#include "ctl/protocol.h"
#include "enrol/desk.h"
#include "store/store.h"

static _Atomic int64_t advanced;

static int64_t
wall_ms(void)
{
	return 1700000000000 + atomic_load(&advanced);
}

static int64_t
mono_ms(void)
{
	return 1000000 + atomic_load(&advanced);
}

void
fixture_advance(int64_t ms)
{
	atomic_fetch_add(&advanced, ms);
}

/* ---- the housekeeping thread ---- */

struct hk {
	struct queue *queue;
	struct store_reader *reader;
};

struct task {
	void (*fn)(void *arg, struct desk *desk);
	void *arg;
};

static void *
housekeeping_main(void *arg)
{
	struct fixture *fixture = arg;
	struct task *task;

	while ((task = queue_take(fixture->hk->queue)) != NULL) {
		struct desk desk = {.conf = &fixture->conf, .reader = fixture->hk->reader};

		while (atomic_load(&fixture->paused)) {
			(void)usleep(1000);
		}
		task->fn(task->arg, &desk);
		free(task);
	}
	digest_thread_fini();
	return NULL;
}

static int
on_post(void *arg, void (*fn)(void *fn_arg, struct desk *desk), void *fn_arg)
{
	struct fixture *fixture = arg;
	struct task *task = malloc(sizeof(*task));
	int r;

	if (!task) {
		return CMPD_ELIMIT;
	}
	*task = (struct task){fn, fn_arg};
	r = queue_put(fixture->hk->queue, task);
	if (r < 0) {
		free(task);
	}
	return r;
}

static int
on_reload(void *arg, struct diag *diag)
{
	struct fixture *fixture = arg;

	return atomic_fetch_add(&fixture->reloads, 1) == 0
		   ? 0
		   : diag_set(diag, CMPD_ECONF, "cmpd.conf:7: not this time");
}

static void
on_status(void *arg, struct ctl_status *ret)
{
	(void)arg;
	*ret = (struct ctl_status){.version = "0.test", .started = wall_ms() - 5000, .workers = 2};
}

/* ---- the I/O thread ---- */

static void
on_order(evutil_socket_t fd, short what, void *arg)
{
	struct fixture *fixture = arg;
	char order = 0;

	(void)what;
	assert_int_equal(read(fd, &order, 1), 1);
	if (order == 'd') {
		ctl_server_drain(fixture->server);
	} else if (order == 'r') {
		ctl_server_reconfigure(fixture->server, &fixture->conf);
	} else if (order == 'p') {
		fixture->pending = ctl_server_pending(fixture->server);
	} else if (order == 'q') {
		(void)event_base_loopbreak(fixture->base);
	}
	assert_int_equal(write(fd, "", 1), 1);
}

void
fixture_order(struct fixture *fixture, char what)
{
	char answer;

	assert_int_equal(write(fixture->order[0], &what, 1), 1);
	assert_int_equal(read(fixture->order[0], &answer, 1), 1);
}

static void *
io_main(void *arg)
{
	struct fixture *fixture = arg;
	struct event *event =
	    event_new(fixture->base, fixture->order[1], EV_READ | EV_PERSIST, on_order, fixture);

	assert_non_null(event);
	assert_int_equal(event_add(event, NULL), 0);
	(void)event_base_dispatch(fixture->base);
	event_free(event);
	return NULL;
}

/* ---- all of it ---- */

void
fixture_init(struct fixture *fixture)
{
	struct store_options options = {0};
	struct diag diag = {0};

	memset(fixture, 0, sizeof(*fixture));
	log_set_level(LOG_LEVEL_ERROR);
	ctl_json_setup();
	atomic_store(&advanced, 0);
	clock_set_source(wall_ms, mono_ms);
	(void)strcpy(fixture->dir, "/tmp/ctl-test-XXXXXX");
	assert_non_null(mkdtemp(fixture->dir));
	(void)snprintf(fixture->socket, sizeof(fixture->socket), "%s/ctl.sock", fixture->dir);
	fixture->conf.file = "test.conf";
	fixture->conf.control.socket = fixture->socket;
	fixture->conf.limits.control_connections = 4;
	fixture->endpoints[0].path = "/one";
	fixture->endpoints[1].path = "/two";
	fixture->conf.endpoints = fixture->endpoints;
	fixture->conf.n_endpoints = 2;
	assert_int_equal(store_open(&options, &fixture->store, &diag), 0);
}

void
fixture_fini(struct fixture *fixture)
{
	store_close(fixture->store);
	(void)rmdir(fixture->dir);
	clock_set_source(NULL, NULL);
}

int
fixture_start(struct fixture *fixture, struct diag *diag)
{
	struct ctl_host host = {.post = on_post,
	    .reload = on_reload,
	    .status = on_status,
	    .store = fixture->store,
	    .arg = fixture};
	int r;

	fixture->base = event_base_new();
	assert_non_null(fixture->base);
	r = ctl_server_new(fixture->base, &fixture->conf, &host, &fixture->server, diag);
	if (r < 0) {
		event_base_free(fixture->base);
		return r;
	}
	fixture->hk = calloc(1, sizeof(*fixture->hk));
	assert_non_null(fixture->hk);
	fixture->hk->queue = queue_new(64);
	assert_int_equal(store_reader_open(fixture->store, &fixture->hk->reader), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fixture->order), 0);
	assert_int_equal(pthread_create(&fixture->io, NULL, io_main, fixture), 0);
	assert_int_equal(pthread_create(&fixture->housekeeper, NULL, housekeeping_main, fixture),
	    0);
	return 0;
}

void
fixture_stop(struct fixture *fixture)
{
	fixture_order(fixture, 'q');
	(void)pthread_join(fixture->io, NULL);
	atomic_store(&fixture->paused, false);
	queue_close(fixture->hk->queue);
	(void)pthread_join(fixture->housekeeper, NULL);
	ctl_server_join(fixture->server);
	store_reader_close(fixture->hk->reader);
	/* What is still with the committer comes back before the server goes. */
	assert_int_equal(store_commit_wait(fixture->store, unit_new()), 0);
	ctl_server_free(fixture->server);
	event_base_free(fixture->base);
	queue_free(fixture->hk->queue);
	free(fixture->hk);
	(void)close(fixture->order[0]);
	(void)close(fixture->order[1]);
}

/* ---- the client ---- */

int
client_open(const struct fixture *fixture)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval patience = {.tv_sec = 20};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	(void)strcpy(address.sun_path, fixture->socket);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)), 0);
	return fd;
}

void
client_send_raw(int fd, const void *data, size_t len)
{
	assert_int_equal(send(fd, data, len, MSG_NOSIGNAL), len);
}

void
client_send(int fd, const char *command, json_t *args)
{
	json_t *request = ctl_request_new(command, args ? args : json_object());
	struct buf out;

	buf_init(&out, CTL_REQUEST_MAX * 2);
	assert_non_null(request);
	assert_int_equal(ctl_frame_put(&out, request), 0);
	client_send_raw(fd, out.data, out.len);
	buf_fini(&out);
	json_decref(request);
}

static bool
read_all(int fd, uint8_t *out, size_t len)
{
	return recv(fd, out, len, MSG_WAITALL) == (ssize_t)len;
}

json_t *
client_receive(int fd)
{
	uint8_t head[4];
	uint8_t *text;
	size_t len;
	json_t *json;

	if (!read_all(fd, head, sizeof(head))) {
		return NULL;
	}
	len = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
	assert_true(len <= CTL_ANSWER_MAX);
	text = malloc(len);
	assert_non_null(text);
	assert_true(read_all(fd, text, len));
	json = json_loadb((const char *)text, len, 0, NULL);
	assert_non_null(json);
	free(text);
	return json;
}

bool
client_is_closed(int fd)
{
	char byte;

	return recv(fd, &byte, 1, 0) <= 0;
}

json_t *
client_ask(const struct fixture *fixture, const char *command, json_t *args)
{
	int fd = client_open(fixture);
	json_t *answer;

	client_send(fd, command, args);
	answer = client_receive(fd);
	(void)close(fd);
	assert_non_null(answer);
	return answer;
}

json_t *
client_data(const struct fixture *fixture, const char *command, json_t *args)
{
	json_t *answer = client_ask(fixture, command, args);
	json_t *data = json_incref(json_object_get(answer, "data"));

	if (!json_is_true(json_object_get(answer, "ok"))) {
		fail_msg("%s: %s", command, json_string_value(json_object_get(answer, "text")));
	}
	json_decref(answer);
	return data;
}

const char *
client_error(const struct fixture *fixture, const char *command, json_t *args, int code)
{
	static char text[512];
	json_t *answer = client_ask(fixture, command, args);

	assert_true(json_is_false(json_object_get(answer, "ok")));
	assert_int_equal(json_integer_value(json_object_get(answer, "code")), code);
	(void)snprintf(text, sizeof(text), "%s",
	    json_string_value(json_object_get(answer, "text")));
	json_decref(answer);
	return text;
}
