#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "player.h"

#define ANSWER_MAX     (1 << 20)
#define ANSWER_WAIT_MS 20000
#define COPIES_MAX     64

static int
open_connection(struct player *p)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)p->port),
	    .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0) {
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
	    "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n"
	    "Content-Type: %s\r\nContent-Length: %zu\r\n\r\n",
	    request->method, request->path, p->port, request->content_type, request->body.len);

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

static void
read_answer(struct player *p, int fd, struct http_answer *ret)
{
	struct bytes in = read_all(p, fd);
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

void
http_send(struct player *p, const struct http_request *request, struct http_answer *ret)
{
	int fds[COPIES_MAX], i;

	if (p->pid == 0) {
		fail(p, "cmpd does not run");
	}
	need(p, request->copies >= 1 && request->copies <= COPIES_MAX);
	for (i = 0; i < request->copies; i++) {
		fds[i] = open_connection(p);
	}
	for (i = 0; i < request->copies; i++) {
		write_request(p, fds[i], request);
	}
	for (i = 0; i < request->copies; i++) {
		read_answer(p, fds[i], &ret[i]);
		close(fds[i]);
	}
}
