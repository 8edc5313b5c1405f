#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "player.h"

#define ANSWER_MAX     (1 << 20)
#define ANSWER_WAIT_MS 20000
#define COPIES_MAX     64
#define RETRY_PAUSE_US 30000

/* -1: nobody listens. */
static int
try_connection(struct player *p)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)p->port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	need(p, fd >= 0);
	if (inet_pton(AF_INET, p->host, &to.sin_addr) != 1) {
		fail(p, "no IPv4 address: %s", p->host);
	}
	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static int
open_connection(struct player *p)
{
	int fd = try_connection(p);

	if (fd < 0) {
		fail(p, "cannot connect to port %d: %s", p->port, strerror(errno));
	}
	return fd;
}

/* False when cmpd closed early: it may have refused a body that is too long. */
static bool
write_all(int fd, const void *data, size_t len)
{
	const char *at = data;

	while (len > 0) {
		ssize_t n = send(fd, at, len, MSG_NOSIGNAL);

		if (n <= 0) {
			return false;
		}
		at += n;
		len -= (size_t)n;
	}
	return true;
}

static void
write_request(struct player *p, int fd, const struct http_request *request)
{
	char *head = pool_printf(p->pool,
	    "%s %s HTTP/1.1\r\nHost: %s:%d\r\nConnection: close\r\n"
	    "Content-Type: %s\r\nContent-Length: %zu\r\n\r\n",
	    request->method, request->path, p->host, p->port, request->content_type,
	    request->body.len);

	need(p, head != NULL);
	if (write_all(fd, head, strlen(head))) {
		(void)write_all(fd, request->body.data, request->body.len);
	}
}

/* Up to the end of the connection; it was asked to be closed. */
static struct bytes
read_all(struct player *p, int fd)
{
	static char buffer[ANSWER_MAX];
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	size_t len = 0;
	ssize_t n;

	for (;;) {
		if (poll(&ready, 1, ANSWER_WAIT_MS) != 1) {
			fail(p, "no answer in time");
		}
		n = recv(fd, buffer + len, sizeof(buffer) - len, 0);
		if (n <= 0) {
			return pool_bytes(p->pool, bytes_of(buffer, len));
		}
		len += (size_t)n;
	}
}

static const char *
find_header(const char *head, const char *name)
{
	size_t len = strlen(name);
	const char *at;

	for (at = strstr(head, "\r\n"); at != NULL; at = strstr(at, "\r\n")) {
		at += 2;
		if (strncasecmp(at, name, len) == 0 && at[len] == ':') {
			at += len + 1;
			return at + strspn(at, " ");
		}
	}
	return NULL;
}

/* cmpd may be killed in the middle of an answer. */
static bool
is_complete(struct bytes in)
{
	const char *head = (const char *)in.data, *end, *length;

	end = in.len == 0 ? NULL : strstr(head, "\r\n\r\n");
	length = end == NULL ? NULL : find_header(head, "Content-Length");
	return length != NULL && strtoul(length, NULL, 10) == in.len - (size_t)(end + 4 - head);
}

static void
read_answer(struct player *p, struct bytes in, struct http_answer *ret)
{
	const char *head = (const char *)in.data, *end = strstr(head, "\r\n\r\n"), *type, *length;
	size_t skip;

	if (end == NULL || sscanf(head, "HTTP/1.1 %d", &ret->status) != 1) {
		fail(p, "no HTTP answer but %zu bytes", in.len);
	}
	skip = (size_t)(end - head) + 4;
	ret->body = bytes_of(in.data + skip, in.len - skip);
	length = find_header(head, "Content-Length");
	if (length == NULL || strtoul(length, NULL, 10) != ret->body.len) {
		fail(p, "Content-Length of the answer does not fit");
	}
	type = find_header(head, "Content-Type");
	if (ret->status == 200 &&
	    (type == NULL || strncmp(type, "application/pkixcmp\r\n", 21) != 0)) {
		fail(p, "the answer is not application/pkixcmp");
	}
}

/* A cmpd that is being killed and started: the same bytes again until there is an answer, which is not that it is busy. */
static void
send_until_answered(struct player *p, const struct http_request *request, struct http_answer *ret)
{
	int64_t end = clock_mono_ms() + p->retry_ms;

	for (; clock_mono_ms() < end; usleep(RETRY_PAUSE_US)) {
		int fd = try_connection(p);
		struct bytes in = BYTES_NONE;

		if (fd >= 0) {
			write_request(p, fd, request);
			in = read_all(p, fd);
			close(fd);
		}
		if (is_complete(in)) {
			read_answer(p, in, ret);
			if (ret->status != 503) {
				return;
			}
		}
	}
	fail(p, "no answer from port %d", p->port);
}

void
http_send(struct player *p, const struct http_request *request, struct http_answer *ret)
{
	struct timespec start, end;
	int fds[COPIES_MAX], i;

	if (p->pid == 0 && !p->connected) {
		fail(p, "cmpd does not run");
	}
	if (p->retry_ms > 0) {
		send_until_answered(p, request, ret);
		return;
	}
	need(p, request->copies >= 1 && request->copies <= COPIES_MAX);
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (i = 0; i < request->copies; i++) {
		fds[i] = open_connection(p);
	}
	for (i = 0; i < request->copies; i++) {
		write_request(p, fds[i], request);
	}
	for (i = 0; i < request->copies; i++) {
		read_answer(p, read_all(p, fds[i]), &ret[i]);
		close(fds[i]);
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	p->waited_us +=
	    (end.tv_sec - start.tv_sec) * INT64_C(1000000) + (end.tv_nsec - start.tv_nsec) / 1000;
	p->posts++;
}

/* Processor time of cmpd so far. */
static long
spent_ms(struct player *p)
{
	FILE *f = fopen(pool_printf(p->pool, "/proc/%d/stat", (int)p->pid), "r");
	long user = 0, system = 0;

	if (f != NULL) {
		/* The name, second of all, has no blank in it. */
		if (fscanf(f, "%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %ld %ld", &user,
			&system) != 2) {
			user = system = 0;
		}
		fclose(f);
	}
	return (user + system) * 1000 / sysconf(_SC_CLK_TCK);
}

void
http_lap(struct player *p, const struct words *words)
{
	long spent = spent_ms(p);

	/* Started anew, it has spent nothing before. */
	printf("# %s: %.1f ms for %d POSTs, %ld ms of processor time\n", words->rest,
	    (double)p->waited_us / 1000, p->posts,
	    spent >= p->spent_ms ? spent - p->spent_ms : spent);
	fflush(stdout);
	p->spent_ms = spent;
	p->waited_us = 0;
	p->posts = 0;
}
