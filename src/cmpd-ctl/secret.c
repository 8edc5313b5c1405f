/*
 * Commands on shared secrets.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmpd-ctl/list.h"
#include "cmpd-ctl/queue.h"

#define SECRET_MAX 128

/* The file's bytes without one newline at the end; -: standard input. */
static int
read_secret(const char *file, uint8_t out[SECRET_MAX + 2], size_t *ret_len)
{
	int fd = strcmp(file, "-") == 0 ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n = fd < 0 ? -1 : 1;

	while (n > 0 && len < SECRET_MAX + 2) {
		n = read(fd, out + len, SECRET_MAX + 2 - len);
		len += n > 0 ? (size_t)n : 0;
	}
	if (n < 0) {
		(void)tool_fail(EXIT_ERROR, "%s: %s", file, strerror(errno));
	}
	if (fd > STDIN_FILENO) {
		(void)close(fd);
	}
	if (n < 0) {
		return EXIT_ERROR;
	}
	if (len > 0 && out[len - 1] == '\n') {
		len--;
	}
	if (len == 0 || len > SECRET_MAX) {
		return tool_fail(EXIT_ERROR, "%s: a secret is 1 to %d bytes", file, SECRET_MAX);
	}
	*ret_len = len;
	return EXIT_OK;
}

static int
put_secret_file(json_t *request, const char *file)
{
	uint8_t secret[SECRET_MAX + 2];
	char hex[2 * SECRET_MAX + 1];
	size_t len = 0;
	int code;

	if (!file) {
		return EXIT_OK;
	}
	code = read_secret(file, secret, &len);
	if (code == EXIT_OK) {
		put_text(request, "secret_hex",
		    hex_encode(bytes_of(secret, len), hex, sizeof(hex)));
	}
	explicit_bzero(secret, sizeof(secret));
	explicit_bzero(hex, sizeof(hex));
	return code;
}

static int
put_uses(json_t *request, const char *text)
{
	char *end = NULL;
	long long uses = text ? strtoll(text, &end, 10) : 0;

	if (!text) {
		return EXIT_OK;
	}
	if (end == text || *end || uses < 1) {
		return tool_fail(EXIT_USAGE, "--uses: a number from 1 on");
	}
	(void)json_object_set_new(request, "uses", json_integer(uses));
	return EXIT_OK;
}

static int
put_all(struct tool *tool, json_t *request)
{
	const struct args *args = &tool->args;
	int64_t ttl = 0;
	int code = tool_duration(args, OPT_TTL, &ttl);

	put_text(request, "ref", tool->words[0]);
	put_text(request, "endpoint", args->option[OPT_ENDPOINT]);
	put_text(request, "profile", args->option[OPT_PROFILE]);
	put_text(request, "subject", args->option[OPT_SUBJECT]);
	if (ttl > 0) {
		(void)json_object_set_new(request, "ttl", json_integer(ttl));
	}
	if (code == EXIT_OK) {
		code = put_uses(request, args->option[OPT_USES]);
	}
	if (code == EXIT_OK) {
		code = put_secret_file(request, args->option[OPT_SECRET_FILE]);
	}
	return code;
}

/* 0: no overlap. */
static int
put_overlap(struct tool *tool, json_t *request)
{
	const char *text = tool->args.option[OPT_OVERLAP];
	int64_t overlap = 0;
	int code = EXIT_OK;

	if (!text) {
		return EXIT_OK;
	}
	if (strcmp(text, "0") != 0 && strcmp(text, "0s") != 0) {
		code = tool_duration(&tool->args, OPT_OVERLAP, &overlap);
	}
	(void)json_object_set_new(request, "overlap", json_integer(overlap));
	return code;
}

/* Tells the secret if cmpd made it. */
static int
make_secret(struct tool *tool, const char *command, json_t *request, int code)
{
	json_t *secret = NULL;

	if (code != EXIT_OK) {
		json_decref(request);
		return code;
	}
	code = tool_call(tool, command, request, &secret);
	if (code == EXIT_OK && tool->json) {
		code = output_object(secret);
	} else if (code == EXIT_OK && json_text(secret, "secret")) {
		/* Alone on standard output, so that it can go into a file. */
		output_text(stdout, json_text(secret, "secret"));
		(void)putchar('\n');
		code = output_flush();
	}
	json_decref(secret);
	return code;
}

int
run_secret_add(struct tool *tool)
{
	json_t *request = json_object();
	int code = put_all(tool, request);

	if (tool->args.option[OPT_UNTIL_CONFIRMED]) {
		(void)json_object_set_new(request, "until_confirmed", json_true());
	}
	return make_secret(tool, "secret add", request, code);
}

int
run_secret_rotate(struct tool *tool)
{
	json_t *request = json_object();
	int code = put_all(tool, request);

	if (code == EXIT_OK) {
		code = put_overlap(tool, request);
	}
	return make_secret(tool, "secret rotate", request, code);
}

static const struct table_column columns[] = {
    {"REF", 8, false, false},
    {"STATE", 8, false, false},
    {"USES LEFT", 4, false, true},
    {"EXPIRES", 20, false, false},
    {"OPEN", 4, false, true},
    {"ENDPOINT", 0.2, true, false},
    {"PROFILE", 0.1, true, false},
    {"SUBJECT", 0.3, true, false},
};

#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

static void
secret_row(struct table *table, const json_t *secret)
{
	bool until = json_is_true(json_object_get(secret, "until_confirmed"));
	const char *expires = json_text(secret, "expires");
	char uses[32] = "any", open_now[32];

	if (json_is_integer(json_object_get(secret, "uses_left"))) {
		(void)snprintf(uses, sizeof(uses), "%lld",
		    (long long)json_number(secret, "uses_left"));
	}
	(void)snprintf(open_now, sizeof(open_now), "%lld", (long long)json_number(secret, "open"));
	table_row(table,
	    (const char *const[COLUMNS]){json_text(secret, "ref"), json_text(secret, "state"), uses,
		expires ? expires
		: until ? "when confirmed"
			: "never",
		open_now, json_text(secret, "endpoint"), json_text(secret, "profile"),
		json_text(secret, "subject")});
}

int
run_secret_list(struct tool *tool)
{
	static const struct list list = {"secret list", columns, COLUMNS, secret_row};

	return list_show(tool, &list, json_object(), 0);
}

int
run_secret_remove(struct tool *tool)
{
	json_t *request = json_pack("{s:s}", "ref", tool->words[0]);
	json_t *secret = NULL;
	int code;

	put_text(request, "endpoint", tool->args.option[OPT_ENDPOINT]);
	if (tool->args.option[OPT_RETIRING]) {
		(void)json_object_set_new(request, "retiring", json_true());
	}
	code = tool_call(tool, "secret remove", request, &secret);
	if (code == EXIT_OK && tool->json) {
		code = output_object(secret);
	}
	json_decref(secret);
	return code;
}
