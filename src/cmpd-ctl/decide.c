/*
 * approve and deny: what was looked at is what is decided. An id without @VERSION is shown first, and a person is asked, once for all of
 * them; what changed meanwhile is not decided.
 */
#include <stdlib.h>
#include <string.h>

#include "cmpd-ctl/queue.h"

struct target {
	char *id; /* as typed, without version; after looking: the whole id */
	int64_t version; /* 0: none */
};

struct decision {
	struct tool *tool;
	const char *command; /* "approve", "deny" */
	struct target *targets;
	int n;
	json_t *done; /* entries as they are now */
};

/* ID or ID@VERSION. */
static int
target_parse(const char *word, struct target *ret)
{
	const char *at = strchr(word, '@');
	char *end = NULL;

	if (at) {
		ret->version = strtoll(at + 1, &end, 10);
		if (end == at + 1 || *end || ret->version < 1) {
			return tool_fail(EXIT_USAGE, "%s: behind @ stands a version number", word);
		}
	}
	ret->id = strndup(word, at ? (size_t)(at - word) : strlen(word));
	if (!ret->id) {
		return tool_fail(EXIT_ERROR, "out of memory");
	}
	return EXIT_OK;
}

static bool
needs_look(const struct decision *decision)
{
	for (int i = 0; i < decision->n; i++) {
		if (decision->targets[i].version == 0) {
			return true;
		}
	}
	return false;
}

/* Fetches all; with what is in them the targets become exact. *ret: the entries. */
static int
look(struct decision *decision, json_t **ret)
{
	json_t *entries = json_array();

	for (int i = 0; i < decision->n; i++) {
		struct target *target = &decision->targets[i];
		json_t *entry = NULL;
		int code = entry_get(decision->tool, target->id, &entry);

		if (code != EXIT_OK) {
			json_decref(entries);
			return code;
		}
		free(target->id);
		target->id = strdup(json_word(entry, "id"));
		if (target->version == 0) {
			target->version = json_number(entry, "version");
		}
		(void)json_array_append_new(entries, entry);
		if (!target->id) {
			json_decref(entries);
			return tool_fail(EXIT_ERROR, "out of memory");
		}
	}
	*ret = entries;
	return EXIT_OK;
}

static void
show_set(const json_t *entries)
{
	struct table *table;

	if (json_array_size(entries) == 1) {
		entry_print(json_array_get(entries, 0));
		return;
	}
	table = entry_table_new();
	for (size_t i = 0; i < json_array_size(entries); i++) {
		entry_table_row(table, json_array_get(entries, i));
	}
	table_print(table);
	table_free(table);
}

/* Before anything is decided: is all of it still what was shown? */
static int
check_set(struct decision *decision)
{
	for (int i = 0; i < decision->n; i++) {
		const struct target *target = &decision->targets[i];
		json_t *entry = NULL;
		int code = entry_get(decision->tool, target->id, &entry);

		if (code == EXIT_OK && json_number(entry, "version") != target->version) {
			code = tool_fail(EXIT_CONFLICT,
			    "%.12s changed since you looked: it is %s now, version %lld; nothing "
			    "was decided",
			    target->id, json_word(entry, "state"),
			    (long long)json_number(entry, "version"));
		}
		json_decref(entry);
		if (code != EXIT_OK) {
			return code;
		}
	}
	return EXIT_OK;
}

/* Shows the set and asks once. */
static int
ask(struct decision *decision)
{
	json_t *entries = NULL;
	char question[80];
	bool yes;
	int code;

	if (!output_is_terminal()) {
		return tool_fail(EXIT_USAGE,
		    "%s without @VERSION asks on a terminal; without one give --yes",
		    decision->command);
	}
	code = look(decision, &entries);
	if (code != EXIT_OK) {
		return code;
	}
	show_set(entries);
	json_decref(entries);
	tool_disconnect(decision->tool);
	if (decision->n == 1) {
		(void)snprintf(question, sizeof(question), "\n%s this request?", decision->command);
	} else {
		(void)snprintf(question, sizeof(question), "\n%s these %d requests?",
		    decision->command, decision->n);
	}
	question[1] = (char)(question[1] - 'a' + 'A');
	yes = output_ask(question);
	if (!yes) {
		return tool_fail(EXIT_ERROR, "nothing was decided");
	}
	return decision->n > 1 ? check_set(decision) : EXIT_OK;
}

static int
decide_one(struct decision *decision, const struct target *target)
{
	const struct args *args = &decision->tool->args;
	json_t *request = json_pack("{s:s}", "id", target->id);
	json_t *entry = NULL;
	char text[128];
	int code;

	if (target->version > 0) {
		(void)json_object_set_new(request, "version", json_integer(target->version));
	}
	put_text(request, "reason", args->option[OPT_REASON]);
	put_text(request, "text", args->option[OPT_TEXT]);
	code = tool_call(decision->tool, decision->command, request, &entry);
	if (code != EXIT_OK) {
		return code;
	}
	if (!decision->tool->json) {
		const char *state = json_word(entry, "state");

		(void)snprintf(text, sizeof(text), "%.12s %s%s ", json_word(entry, "id"), state,
		    strcmp(state, "pending") == 0 ? " (more approvals are needed)" : "");
		output_text(stdout, text);
		output_text(stdout, json_text(entry, "subject"));
		(void)putchar('\n');
	}
	(void)json_array_append_new(decision->done, entry);
	return EXIT_OK;
}

static int
decide_all(struct decision *decision)
{
	int code = EXIT_OK;
	int i = 0;

	for (; i < decision->n && code == EXIT_OK; i++) {
		code = decide_one(decision, &decision->targets[i]);
	}
	if (code != EXIT_OK && decision->n > 1) {
		(void)tool_fail(code, "%d of %d decided; stopped at %s", i - 1, decision->n,
		    decision->targets[i - 1].id);
	}
	if (decision->tool->json) {
		int written = output_object(decision->done);

		code = code == EXIT_OK ? written : code;
	}
	return code;
}

/* The requests that are named one by one. */
static int
take_words(struct decision *decision)
{
	struct tool *tool = decision->tool;
	int code = EXIT_OK;

	decision->targets = calloc((size_t)tool->n, sizeof(*decision->targets));
	if (!decision->targets) {
		return tool_fail(EXIT_ERROR, "out of memory");
	}
	decision->n = tool->n;
	for (int i = 0; i < tool->n && code == EXIT_OK; i++) {
		code = target_parse(tool->words[i], &decision->targets[i]);
	}
	return code;
}

/* A page of the requests of a transaction. */
static int
take_page(void *arg, const json_t *items, bool last)
{
	struct decision *decision = arg;
	size_t n = json_array_size(items);
	struct target *targets =
	    realloc(decision->targets, ((size_t)decision->n + n + 1) * sizeof(*decision->targets));

	(void)last;
	if (!targets) {
		return tool_fail(EXIT_ERROR, "out of memory");
	}
	decision->targets = targets;
	for (size_t i = 0; i < n; i++) {
		const json_t *entry = json_array_get(items, i);
		struct target *target = &targets[decision->n];

		/* Who is asked is shown it as it is then. */
		target->version = decision->tool->yes ? json_number(entry, "version") : 0;
		target->id = strdup(json_word(entry, "id"));
		if (!target->id) {
			return tool_fail(EXIT_ERROR, "out of memory");
		}
		decision->n++;
	}
	return EXIT_OK;
}

/* All that wait of the transaction that --txn means. */
static int
take_txn(struct decision *decision)
{
	json_t *request = json_pack("{s:s}", "state", "pending");
	int code = entry_put_txn(decision->tool, request);

	if (code != EXIT_OK) {
		json_decref(request);
		return code;
	}
	code = tool_pages(decision->tool, "list", request, 0, take_page, decision);
	if (code == EXIT_OK && decision->n == 0) {
		code = tool_fail(EXIT_CONFLICT, "nothing of this transaction waits");
	}
	return code;
}

static int
run_decision(struct tool *tool, const char *command)
{
	struct decision decision = {.tool = tool, .command = command};
	bool txn = tool->args.option[OPT_TXN] != NULL;
	int code;

	if (txn == (tool->n > 0)) {
		return tool_fail(EXIT_USAGE, "%s takes ids of requests, or --txn", command);
	}
	decision.done = json_array();
	if (!decision.done) {
		return tool_fail(EXIT_ERROR, "out of memory");
	}
	code = txn ? take_txn(&decision) : take_words(&decision);
	if (code == EXIT_OK && !tool->yes && needs_look(&decision)) {
		code = ask(&decision);
	}
	if (code == EXIT_OK) {
		code = decide_all(&decision);
	}
	for (int i = 0; decision.targets && i < decision.n; i++) {
		free(decision.targets[i].id);
	}
	free(decision.targets);
	json_decref(decision.done);
	return code;
}

int
run_approve(struct tool *tool)
{
	return run_decision(tool, "approve");
}

int
run_deny(struct tool *tool)
{
	return run_decision(tool, "deny");
}
