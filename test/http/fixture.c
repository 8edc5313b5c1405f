#include "http/fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/thread.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"

#define REQUIRE(x)                                                                                 \
	do {                                                                                       \
		if (!(x)) {                                                                        \
			fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #x,                 \
			    strerror(errno));                                                      \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

struct fixture {
	struct conf conf;
	const char *listen[3];
	char tcp[64], unix_path[128], health[64], dir[64];
	int port, health_port;
	struct event_base *base;
	struct event *on_wake;
	struct http_server *server;
	struct http_exchange *kept[64];
	size_t n_kept;
	pthread_t thread;
	int wake;
	_Atomic int command; /* 1: drain, 2: stop */
	_Atomic bool ready, done;
	_Atomic int held; /* files that are not released yet */
};

static uint8_t big_file[8 << 20];

static int
free_port(void)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	REQUIRE(fd >= 0 && bind(fd, (struct sockaddr *)&in, sizeof(in)) == 0 &&
		getsockname(fd, (struct sockaddr *)&in, &len) == 0);
	close(fd);
	return ntohs(in.sin_port);
}

static void
choose_ports(struct fixture *f)
{
	f->port = free_port();
	f->health_port = free_port();
	snprintf(f->tcp, sizeof(f->tcp), "127.0.0.1:%d", f->port);
	snprintf(f->health, sizeof(f->health), "127.0.0.1:%d", f->health_port);
}

struct fixture *
fixture_new(void)
{
	struct fixture *f = calloc(1, sizeof(*f));

	REQUIRE(f != NULL);
	log_set_level(LOG_LEVEL_ERROR);
	strcpy(f->dir, "/tmp/cmpd-http-XXXXXX");
	REQUIRE(mkdtemp(f->dir) != NULL);
	choose_ports(f);
	snprintf(f->unix_path, sizeof(f->unix_path), "unix:%s/http.sock", f->dir);
	f->listen[0] = f->tcp;
	f->listen[1] = f->unix_path;
	f->conf.listen = f->listen;
	f->conf.health = f->health;
	f->conf.limits = (struct conf_limits){.body_size = 65536,
	    .header_size = 4096,
	    .connections = 1000,
	    .request_deadline = 10000,
	    .idle_timeout = 30000};
	f->ready = true;
	return f;
}

struct conf *
fixture_conf(struct fixture *f)
{
	return &f->conf;
}

int
fixture_held(const struct fixture *f)
{
	return f->held;
}

const char *
fixture_dir(const struct fixture *f)
{
	return f->dir;
}

int
fixture_port(const struct fixture *f)
{
	return f->port;
}

int
fixture_health_port(const struct fixture *f)
{
	return f->health_port;
}

static const char *const paths[] = {"/cmp", "/cmp/slow", "/cmp/never", "/cmp/full"};

static int
on_route(void *arg, const char *path, const void **ret_route, int *ret_operation)
{
	(void)arg;
	for (int i = 0; i < 4; i++) {
		if (strcmp(path, paths[i]) == 0) {
			*ret_route = paths[i];
			*ret_operation = i;
			return 0;
		}
	}
	return CMPD_ENOENT;
}

struct late {
	struct http_exchange *exchange;
	struct bytes body;
};

static void
answer(struct http_exchange *exchange, struct bytes body)
{
	uint8_t *out = malloc(body.len);

	REQUIRE(out != NULL);
	for (size_t i = 0; i < body.len; i++) {
		out[i] = body.data[body.len - 1 - i];
	}
	http_reply_cmp(exchange, bytes_of(out, body.len), false);
	free(out);
}

static void
on_late(evutil_socket_t fd, short what, void *arg)
{
	struct late *late = arg;

	(void)fd;
	(void)what;
	answer(late->exchange, late->body);
	free(late);
}

static int
on_request(void *arg, const struct http_request_info *info, const void *route, int operation)
{
	static const struct timeval later = {0, 200000};
	struct fixture *f = arg;
	struct late *late = NULL;

	(void)route;
	switch (operation) {
	case 0:
		answer(info->exchange, info->body);
		return 0;
	case 1:
		late = malloc(sizeof(*late));
		REQUIRE(late != NULL);
		*late = (struct late){info->exchange, info->body};
		event_base_once(f->base, -1, EV_TIMEOUT, on_late, late, &later);
		return 0;
	case 2:
		REQUIRE(f->n_kept < 64);
		f->kept[f->n_kept++] = info->exchange;
		return 0;
	default:
		return CMPD_ELIMIT;
	}
}

static bool
on_ready(void *arg)
{
	return ((struct fixture *)arg)->ready;
}

static void
release(void *holder)
{
	struct fixture *f = holder;

	f->held--;
}

static int
on_file(void *arg, const char *path, struct http_file *ret)
{
	struct fixture *f = arg;
	bool big = strcmp(path, "/big") == 0;

	if (!big && strcmp(path, "/file") != 0) {
		return CMPD_ENOENT;
	}
	f->held++;
	*ret = (struct http_file){
	    .body = big ? bytes_of(big_file, sizeof(big_file)) : bytes_str("the file"),
	    .type = "application/x-file",
	    .etag = "\"tag\"",
	    .modified = INT64_C(784111777000),
	    .fresh_until = INT64_C(784111777000),
	    .release = release,
	    .holder = f};
	return 0;
}

static void
on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct fixture *f = arg;
	uint64_t n;

	(void)what;
	REQUIRE(read(fd, &n, sizeof(n)) == sizeof(n));
	if (f->command == 1) {
		http_server_drain(f->server);
	} else if (f->command == 2) {
		event_base_loopbreak(f->base);
	}
	f->done = true;
}

static void *
run(void *arg)
{
	struct fixture *f = arg;

	event_base_dispatch(f->base);
	return NULL;
}

void
fixture_start(struct fixture *f)
{
	struct http_handlers handlers = {on_route, on_request, on_ready, on_file, f};
	struct diag diag = {""};

	f->base = event_base_new();
	f->wake = eventfd(0, EFD_CLOEXEC);
	REQUIRE(f->base != NULL && f->wake >= 0);
	f->on_wake = event_new(f->base, f->wake, EV_READ | EV_PERSIST, on_wake, f);
	REQUIRE(f->on_wake != NULL && event_add(f->on_wake, NULL) == 0);
	/* Somebody else may have taken a port since it was free. */
	for (int i = 0; http_server_new(f->base, &f->conf, &handlers, &f->server, &diag) < 0; i++) {
		fprintf(stderr, "%s\n", diag.text);
		REQUIRE(i < 20);
		choose_ports(f);
	}
	REQUIRE(pthread_create(&f->thread, NULL, run, f) == 0);
}

static void
command(struct fixture *f, int what)
{
	uint64_t one = 1;

	f->done = false;
	f->command = what;
	REQUIRE(write(f->wake, &one, sizeof(one)) == sizeof(one));
	while (!f->done) {
		usleep(1000);
	}
}

void
fixture_set_ready(struct fixture *f, bool ready)
{
	f->ready = ready;
}

void
fixture_drain(struct fixture *f)
{
	command(f, 1);
}

struct http_stats
fixture_stats(struct fixture *f)
{
	struct http_stats stats;

	http_server_stats(f->server, &stats);
	return stats;
}

void
fixture_free(struct fixture *f)
{
	char path[160];

	if (f->base != NULL) {
		command(f, 2);
		pthread_join(f->thread, NULL);
		http_server_free(f->server);
		for (size_t i = 0; i < f->n_kept; i++) {
			http_reply_cmp(f->kept[i], bytes_str("too late"), false);
		}
		event_free(f->on_wake);
		event_base_free(f->base);
		close(f->wake);
	}
	snprintf(path, sizeof(path), "%s/client.sock", f->dir);
	unlink(path);
	rmdir(f->dir);
	free(f);
}

int
client_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	REQUIRE(fd >= 0);
	return fd;
}

int
client_connect(int port)
{
	return client_connect_with(client_socket(), port);
}

int
client_connect_with(int fd, int port)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (connect(fd, (struct sockaddr *)&in, sizeof(in)) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

int
client_connect_unix(const char *path, const char *own_path)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	REQUIRE(fd >= 0);
	if (own_path != NULL) {
		REQUIRE(strlen(own_path) < sizeof(un.sun_path));
		strcpy(un.sun_path, own_path);
		REQUIRE(bind(fd, (struct sockaddr *)&un, sizeof(un)) == 0);
	}
	memset(un.sun_path, 0, sizeof(un.sun_path));
	strcpy(un.sun_path, path);
	if (connect(fd, (struct sockaddr *)&un, sizeof(un)) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

void
client_send_bytes(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

		if (n <= 0) {
			return; /* the answer says why */
		}
		p += n;
		len -= (size_t)n;
	}
}

void
client_send(int fd, const char *text)
{
	client_send_bytes(fd, text, strlen(text));
}

/* One byte at a time, so that nothing of a next answer is taken. 1, 0: end, -1: timeout. */
static int
take(int fd, char *out, int timeout_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	if (poll(&p, 1, timeout_ms) <= 0) {
		return -1;
	}
	return recv(fd, out, 1, 0) == 1 ? 1 : 0;
}

int
client_answer(int fd, char *out, size_t size, int timeout_ms)
{
	size_t len = 0, left = SIZE_MAX;
	const char *header;
	int status = 0, r;

	out[0] = '\0';
	while (left > 0 && len + 1 < size) {
		r = take(fd, out + len, timeout_ms);
		if (r <= 0) {
			return r == 0 ? status : -1;
		}
		out[++len] = '\0';
		if (left != SIZE_MAX) {
			left--;
		} else if (len >= 4 && strcmp(out + len - 4, "\r\n\r\n") == 0) {
			REQUIRE(sscanf(out, "HTTP/1.%*d %d ", &status) == 1);
			header = strcasestr(out, "\r\nContent-Length: ");
			left = header == NULL ? 0 : strtoul(header + 18, NULL, 10);
		}
	}
	return status;
}

int
client_ask(int port, const char *request, char *out, size_t size)
{
	int fd = client_connect(port), status;

	REQUIRE(fd >= 0);
	client_send(fd, request);
	status = client_answer(fd, out, size, 5000);
	close(fd);
	return status;
}

bool
client_sees_end(int fd, int timeout_ms)
{
	char c;

	return take(fd, &c, timeout_ms) == 0;
}
