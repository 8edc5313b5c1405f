/*
 * Commands on requests: list, comment; and what all commands with pages of rows share.
 */
#include "cmpd-ctl/queue.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cmpd-ctl/list.h"

/* ---- list ---- */

static const struct table_column columns[] = {
    {"ID", 6, false, false},
    {"STATE", 8, false, false},
    {"AGE", 3, false, true},
    {"TYPE", 4, false, false},
    {"TXN", 3, false, false},
    {"SUBJECT", 0.4, true, false},
    {"NAMES", 0.2, true, false},
    {"REQUESTER", 0.2, true, false},
};

#define ENTRY_ID_DIGITS 16

#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

struct table *
entry_table_new(void)
{
	return table_new(columns, COLUMNS);
}

void
entry_table_row(struct table *table, const json_t *entry)
{
	char age[AGE_SIZE], place[48] = "";
	const char *id = json_text(entry, "short");
	const char *wants = json_text(entry, "wants");
	char *names = json_join(json_object_get(entry, "sans"));
	const char *const texts[COLUMNS] = {
	    id ? id : json_text(entry, "id"),
	    json_text(entry, "state"),
	    output_age(clock_wall_ms() - json_time(entry, "received"), age),
	    json_text(entry, "type"),
	    place,
	    json_text(entry, "subject"),
	    wants ? wants : names,
	    json_text(entry, "requester"),
	};

	if (json_number(entry, "txn_requests") > 1) {
		(void)snprintf(place, sizeof(place), "%lld/%lld",
		    (long long)json_number(entry, "txn_place"),
		    (long long)json_number(entry, "txn_requests"));
	}
	table_row(table, texts);
	free(names);
}

int
tool_count(const struct args *args, int64_t *ret)
{
	const char *text = args->option[OPT_NUMBER];
	char *end = NULL;
	long long n = text ? strtoll(text, &end, 10) : 0;

	if (text && (end == text || *end || n < 1)) {
		return tool_fail(EXIT_USAGE, "-n: a number from 1 on");
	}
	*ret = n;
	return EXIT_OK;
}

int
tool_duration(const struct args *args, enum option option, int64_t *ret_ms)
{
	int64_t ms = 0;

	if (args->option[option] &&
	    (clock_parse_duration(args->option[option], &ms) < 0 || ms < 1)) {
		return tool_fail(EXIT_USAGE, "%s: a time like 90s, 30m, 2h, 7d",
		    args_option_name(option));
	}
	*ret_ms = ms;
	return EXIT_OK;
}

void
put_text(json_t *args, const char *key, const char *text)
{
	if (text) {
		(void)json_object_set_new(args, key, json_string(text));
	}
}

/* What is longer than the id of a request is a transactionID. */
int
entry_put_txn(struct tool *tool, json_t *request)
{
	const char *txn = tool->args.option[OPT_TXN];
	json_t *entry = NULL;
	int code = EXIT_OK;

	if (txn && strlen(txn) <= ENTRY_ID_DIGITS) {
		code = entry_get(tool, txn, &entry);
		txn = json_text(entry, "txn");
	}
	put_text(request, "txn", txn);
	json_decref(entry);
	return code;
}

int
run_list(struct tool *tool)
{
	static const struct list list = {"list", columns, COLUMNS, entry_table_row};
	const struct args *args = &tool->args;
	json_t *request = NULL;
	int64_t older = 0, n = 0;
	int code = tool_duration(args, OPT_OLDER_THAN, &older);

	if (code == EXIT_OK) {
		code = tool_count(args, &n);
	}
	if (code != EXIT_OK) {
		return code;
	}
	request = json_object();
	put_text(request, "state", args->option[OPT_STATE]);
	put_text(request, "subject", args->option[OPT_SUBJECT]);
	if (older > 0) {
		(void)json_object_set_new(request, "older_than", json_integer(older));
	}
	code = entry_put_txn(tool, request);
	if (code != EXIT_OK) {
		json_decref(request);
		return code;
	}
	if (!tool->json) {
		(void)json_object_set_new(request, "short", json_true());
	}
	return list_show(tool, &list, request, n);
}

int
run_comment(struct tool *tool)
{
	json_t *entry = NULL;
	int code = tool_call(tool, "comment",
	    json_pack("{s:s, s:s}", "id", tool->words[0], "text", tool->words[1]), &entry);

	if (code == EXIT_OK && tool->json) {
		code = output_object(entry);
	}
	json_decref(entry);
	return code;
}
