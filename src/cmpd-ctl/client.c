/*
 * Requests to cmpd over its control socket.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cmpd-ctl/tool.h"
#include "ctl/protocol.h"

#define READ_SIZE  65536
#define PAGE_ITEMS 100

struct client {
	int fd;
	struct ctl_decoder decoder;
	bool used; /* an answer came over this connection already */
};

void
tool_disconnect(struct tool *tool)
{
	if (tool->client) {
		(void)close(tool->client->fd);
		ctl_decoder_fini(&tool->client->decoder);
		free(tool->client);
		tool->client = NULL;
	}
}

static int
connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof(address.sun_path)) {
		(void)tool_fail(EXIT_ERROR, "%s: too long for a socket", path);
		return -1;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		(void)tool_fail(EXIT_ERROR, "%s: %s%s", path, strerror(errno),
		    errno == ECONNREFUSED || errno == ENOENT ? "; is cmpd running?" : "");
		if (fd >= 0) {
			(void)close(fd);
		}
		return -1;
	}
	return fd;
}

static int
client_connect(struct tool *tool)
{
	struct client *client;
	char *path;

	if (tool->client) {
		return EXIT_OK;
	}
	path = tool_socket_path(&tool->args);
	if (!path) {
		return EXIT_ERROR;
	}
	client = calloc(1, sizeof(*client));
	if (!client) {
		free(path);
		return tool_fail(EXIT_ERROR, "out of memory");
	}
	client->fd = connect_to(path);
	free(path);
	if (client->fd < 0) {
		free(client);
		return EXIT_ERROR;
	}
	ctl_decoder_init(&client->decoder, CTL_ANSWER_MAX);
	tool->client = client;
	return EXIT_OK;
}

/* False: the other side has closed. An answer may still be there. */
static bool
client_send(const struct client *client, struct bytes frame)
{
	size_t sent = 0;

	while (sent < frame.len) {
		ssize_t n = send(client->fd, frame.data + sent, frame.len - sent, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return false;
		}
		sent += (size_t)n;
	}
	return true;
}

/* 0 and an answer, CMPD_ECLOSED: the other side has closed without one, or an error of the decoder. */
static int
client_receive(struct client *client, json_t **ret)
{
	uint8_t *data = malloc(READ_SIZE);
	int r = data ? ctl_decoder_next(&client->decoder, ret) : CMPD_ENOMEM;

	while (r == CMPD_ENOENT) {
		ssize_t n = recv(client->fd, data, READ_SIZE, 0);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			r = CMPD_ECLOSED;
			break;
		}
		r = ctl_decoder_feed(&client->decoder, bytes_of(data, (size_t)n));
		explicit_bzero(data, (size_t)n);
		if (r == 0) {
			r = ctl_decoder_next(&client->decoder, ret);
		}
	}
	free(data);
	return r;
}

static int
exit_code(int64_t error)
{
	static const struct {
		int error, code;
	} codes[] = {
	    {CMPD_EINVAL, EXIT_USAGE}, /* what was written makes no sense */
	    {CMPD_ENOENT, EXIT_NOT_FOUND},
	    {CMPD_ECONFLICT, EXIT_CONFLICT},
	    {CMPD_ESTATE, EXIT_CONFLICT},
	    {CMPD_EEXIST, EXIT_CONFLICT},
	    {CMPD_EREVOKED, EXIT_CONFLICT},
	};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (codes[i].error == error) {
			return codes[i].code;
		}
	}
	return EXIT_ERROR;
}

/* What an answer means; takes it. */
static int
take_answer(const struct tool *tool, json_t *answer, json_t **ret_data)
{
	const char *text = json_text(answer, "text");
	int code = EXIT_OK;

	if (json_is_true(json_object_get(answer, "ok"))) {
		if (ret_data) {
			*ret_data = json_incref(json_object_get(answer, "data"));
		}
	} else {
		code = tool_fail(exit_code(json_number(answer, "code")), "%s%s%s",
		    tool->input ? tool->input : "", tool->input ? ": " : "",
		    text ? text : "no reason given");
	}
	json_decref(answer);
	return code;
}

/* Sends and receives; a connection that was closed while nobody used it is made anew. */
static int
exchange(struct tool *tool, struct bytes frame, json_t **ret_answer)
{
	for (;;) {
		bool used;
		int r = client_connect(tool);

		if (r != EXIT_OK) {
			return r;
		}
		used = tool->client->used;
		(void)client_send(tool->client, frame);
		r = client_receive(tool->client, ret_answer);
		if (r == 0) {
			tool->client->used = true;
			return EXIT_OK;
		}
		tool_disconnect(tool);
		if (r != CMPD_ECLOSED || !used) {
			return tool_fail(EXIT_ERROR, "%s",
			    r == CMPD_ECLOSED ? "cmpd closed the connection without an answer"
					      : cmpd_strerror(r));
		}
	}
}

int
tool_call(struct tool *tool, const char *command, json_t *args, json_t **ret_data)
{
	json_t *request = ctl_request_new(command, args);
	json_t *answer = NULL;
	struct buf frame;
	int r;

	buf_init(&frame, CTL_REQUEST_MAX + 4);
	r = request ? ctl_frame_put(&frame, request) : CMPD_ENOMEM;
	json_decref(request);
	if (r < 0) {
		buf_fini(&frame);
		return tool_fail(EXIT_ERROR, "%s",
		    r == CMPD_ELIMIT ? "the arguments are too long" : cmpd_strerror(r));
	}
	r = exchange(tool, buf_get0(&frame), &answer);
	buf_fini(&frame);
	return r == EXIT_OK ? take_answer(tool, answer, ret_data) : r;
}

int
tool_pages(struct tool *tool, const char *command, json_t *args, int64_t limit,
    int (*show)(void *arg, const json_t *items, bool last), void *arg)
{
	int64_t left = limit;
	int64_t after = 0;
	int code = EXIT_OK;

	do {
		int64_t items = limit > 0 && left < PAGE_ITEMS ? left : PAGE_ITEMS;
		json_t *data = NULL;

		(void)json_object_set_new(args, "after", json_integer(after));
		(void)json_object_set_new(args, "limit", json_integer(items));
		code = tool_call(tool, command, json_incref(args), &data);
		if (code == EXIT_OK) {
			const json_t *list = json_object_get(data, "items");

			after = json_number(data, "after");
			left -= (int64_t)json_array_size(list);
			code = show(arg, list, after == 0 || (limit > 0 && left <= 0));
		}
		json_decref(data);
	} while (code == EXIT_OK && after != 0 && (limit == 0 || left > 0));
	json_decref(args);
	return code;
}
