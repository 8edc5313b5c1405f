/*
 * Bytes on a connection: whatever comes, the server answers in our words or closes, hands over nothing that is ambiguous, and goes on.
 */
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "conf/conf.h"
#include "http/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct event_base *base;
static struct http_server *server;
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static const char *listens[2];
static struct http_exchange *waiting;

static int
on_route(void *arg, const char *path, const void **ret_route, int *ret_operation)
{
	(void)arg;
	if (path[0] != '/' || strstr(path, "..") != NULL || strpbrk(path, "%?#") != NULL) {
		abort();
	}
	*ret_route = path;
	*ret_operation = 0;
	return strncmp(path, "/cmp", 4) == 0 ? 0 : CMPD_ENOENT;
}

static int
on_request(void *arg, const struct http_request_info *info, const void *route, int operation)
{
	(void)arg;
	(void)route;
	(void)operation;
	if (info->body.len == 0 || info->body.len > 1024 || strcmp(info->peer, "unix") != 0) {
		abort();
	}
	switch (info->path[4]) {
	case 'l': /* later */
		if (waiting == NULL) {
			waiting = info->exchange;
			return 0;
		}
		return CMPD_ELIMIT;
	case 'n':
		return CMPD_ECLOSED;
	default:
		http_reply_cmp(info->exchange, info->body, info->path[4] == 'c');
		return 0;
	}
}

static bool
on_ready(void *arg)
{
	(void)arg;
	return true;
}

static void
remove_folder(void)
{
	char *slash = strrchr(address.sun_path, '/');

	http_server_free(server);
	event_base_free(base);
	*slash = '\0';
	rmdir(address.sun_path);
}

static void
start(void)
{
	static char dir[] = "/tmp/cmpd-fuzz-XXXXXX", listen[64];
	const struct http_handlers handlers = {on_route, on_request, on_ready, NULL, NULL};
	struct conf conf = {.listen = listens};
	struct diag diag;

	log_set_level(LOG_LEVEL_ERROR);
	conf.limits = (struct conf_limits){.body_size = 1024,
	    .header_size = 2048,
	    .connections = 64,
	    .request_deadline = 10000,
	    .idle_timeout = 10000};
	base = event_base_new();
	if (base == NULL || mkdtemp(dir) == NULL) {
		abort();
	}
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/s", dir);
	snprintf(listen, sizeof(listen), "unix:%s/s", dir);
	listens[0] = listen;
	if (http_server_new(base, &conf, &handlers, &server, &diag) < 0) {
		fprintf(stderr, "%s\n", diag.text);
		abort();
	}
	atexit(remove_folder);
}

/* Our words, or a part of them when the buffer ends. */
static void
check_answer(const char *text)
{
	int status = 0;

	if (text[0] != '\0' &&
	    (sscanf(text, "HTTP/1.%*d %3d ", &status) != 1 || status < 100 || status > 503)) {
		fprintf(stderr, "%s\n", text);
		abort();
	}
	if (strstr(text, "<HTML>") != NULL) {
		fprintf(stderr, "%s\n", text);
		abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char answer[65536];
	size_t len = 0;
	ssize_t n = 1;
	int fd;

	if (server == NULL) {
		start();
	}
	if (size > 16384) {
		return 0;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
	    (size > 0 && send(fd, data, size, MSG_NOSIGNAL) != (ssize_t)size)) {
		abort();
	}
	shutdown(fd, SHUT_WR);
	for (int i = 0; i < 100 && n != 0; i++) {
		event_base_loop(base, EVLOOP_NONBLOCK);
		if (waiting != NULL) {
			http_reply_text(waiting, 503, "later", 7);
			waiting = NULL;
		}
		n = recv(fd, answer + len, sizeof(answer) - 1 - len, 0);
		len += n > 0 ? (size_t)n : 0;
	}
	answer[len] = '\0';
	check_answer(answer);
	close(fd);
	event_base_loop(base, EVLOOP_NONBLOCK);
	return 0;
}
