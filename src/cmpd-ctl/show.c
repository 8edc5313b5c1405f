/*
 * One request, as a person who has to decide looks at it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cmpd-ctl/queue.h"

/* "1a2b 3c4d ...": eyes compare groups, not 64 digits. */
static void
field_groups(const char *label, const char *hex)
{
	char text[128];
	size_t len = 0;

	for (; hex && *hex && len + 3 < sizeof(text); hex++) {
		text[len++] = *hex;
		if (((size_t)len + 1) % 5 == 0 && hex[1]) {
			text[len++] = ' ';
		}
	}
	text[len] = '\0';
	output_field(label, len > 0 ? text : NULL);
}

static void
field_list(const char *label, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		output_field(i == 0 ? label : "", json_string_value(json_array_get(list, i)));
	}
}

/* One line for short words. */
static void
field_joined(const char *label, const json_t *list)
{
	char *text = json_join(list);

	output_field(label, *text ? text : NULL);
	free(text);
}

static void
field_time(const char *label, const json_t *entry, const char *key)
{
	int64_t time = json_time(entry, key);
	int64_t now = clock_wall_ms();
	char age[AGE_SIZE];
	char text[96];

	if (time != 0) {
		(void)snprintf(text, sizeof(text), "%s (%s%s%s)", json_word(entry, key),
		    time > now ? "in " : "", output_age(time > now ? time - now : now - time, age),
		    time > now ? "" : " ago");
		output_field(label, text);
	}
}

/* What the client asked for, where it is not what it will get. */
static void
fields_requested(const json_t *entry)
{
	const json_t *requested = json_object_get(entry, "requested");
	const json_t *issue = json_object_get(entry, "issue");
	const json_t *sans = json_object_get(requested, "sans");
	const char *subject = json_text(requested, "subject");

	if (!subject ||
	    !json_equal(json_object_get(requested, "subject"), json_object_get(issue, "subject"))) {
		output_field("asked for", subject ? subject : "(no subject)");
	}
	if (!json_equal(sans, json_object_get(issue, "sans"))) {
		if (json_array_size(sans) == 0) {
			output_field("asked names", "(none)");
		}
		field_list("asked names", sans);
	}
	field_joined("asked ext.", json_object_get(requested, "extensions"));
	output_field("asked from", json_text(requested, "not_before"));
	output_field("asked until", json_text(requested, "not_after"));
}

static void
fields_issue(const json_t *entry)
{
	const json_t *issue = json_object_get(entry, "issue");
	int64_t validity = json_number(issue, "validity");
	char text[CLOCK_TEXT_SIZE], key[128];

	output_field("subject", json_text(issue, "subject"));
	field_list("names", json_object_get(issue, "sans"));
	if (json_is_false(json_object_get(entry, "names_bound"))) {
		output_field("", "(not the requester's own names)");
	}
	(void)snprintf(key, sizeof(key), "%s (made here)", json_word(entry, "key_type"));
	output_field("key", json_is_true(json_object_get(entry, "key_made_here"))
				? key
				: json_text(entry, "key_type"));
	field_groups("key SHA-256", json_text(entry, "spki_sha256"));
	field_joined("extensions", json_object_get(issue, "extensions"));
	if (validity > 0) {
		output_field("valid for", clock_format_duration(validity * 1000, text));
	}
	output_field("changed", json_text(entry, "mods"));
}

/* While something can still happen. */
static void
fields_waiting(const json_t *entry)
{
	const char *state = json_word(entry, "state");
	char text[64];

	if (strcmp(state, "pending") == 0 || strcmp(state, "approved") == 0) {
		(void)snprintf(text, sizeof(text), "every %llds",
		    (long long)json_number(entry, "check_after"));
		output_field("client polls", text);
		field_time("expires", entry, "expires");
	}
	if (strcmp(state, "pending") == 0) {
		output_field("why it waits", json_text(entry, "reason"));
	}
	if (strcmp(state, "issued") == 0) {
		field_time("confirm until", entry, "confirm_until");
	}
}

static void
fields_decision(const json_t *entry)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "%zu of %lld",
	    json_array_size(json_object_get(entry, "approvals")),
	    (long long)json_number(entry, "approvals_needed"));
	output_field("approvals", json_number(entry, "approvals_needed") > 1 ? text : NULL);
	field_list("approved by", json_object_get(entry, "approvals"));
	field_time("decided", entry, "decided");
	output_field("decided by", json_text(entry, "decided_by"));
	output_field("failInfo", json_text(entry, "fail_info"));
	output_field("text", json_text(entry, "text"));
	field_groups("serial", json_text(entry, "serial"));
	field_list("comments", json_object_get(entry, "comments"));
}

static void
fields_history(const json_t *entry)
{
	const json_t *lines = json_object_get(entry, "history");

	for (size_t i = 0; i < json_array_size(lines); i++) {
		const json_t *line = json_array_get(lines, i);
		const char *const parts[] = {json_text(line, "time"), json_text(line, "what"),
		    json_text(line, "actor"), json_text(line, "text")};

		(void)printf("%-14s ", i == 0 ? "history" : "");
		for (size_t k = 0; k < sizeof(parts) / sizeof(parts[0]) && parts[k]; k++) {
			(void)fputs(k > 0 ? "  " : "", stdout);
			output_text(stdout, parts[k]);
		}
		(void)putchar('\n');
	}
	if (json_is_false(json_object_get(entry, "history_complete"))) {
		output_field("", "(there may be more in the audit log)");
	}
}

/* Of several in one transaction. */
static void
field_place(const json_t *entry)
{
	char text[128];

	if (json_number(entry, "txn_requests") > 1) {
		(void)snprintf(text, sizeof(text), "%lld of %lld; list --txn %.12s shows all",
		    (long long)json_number(entry, "txn_place"),
		    (long long)json_number(entry, "txn_requests"), json_word(entry, "id"));
		output_field("number", text);
	}
}

void
entry_print(const json_t *entry)
{
	char text[128];

	(void)snprintf(text, sizeof(text), "%s@%lld", json_word(entry, "id"),
	    (long long)json_number(entry, "version"));
	output_field("request", text);
	output_field("state", json_text(entry, "state"));
	(void)snprintf(text, sizeof(text), "%s, certReqId %lld", json_word(entry, "type"),
	    (long long)json_number(entry, "cert_req_id"));
	output_field("type", text);
	field_place(entry);
	output_field("endpoint", json_text(entry, "endpoint"));
	output_field("profile", json_text(entry, "profile"));
	field_time("received", entry, "received");
	output_field("requester", json_text(entry, "requester"));
	output_field("peer", json_text(entry, "peer"));
	output_field("transaction", json_text(entry, "txn"));
	output_field("possession", json_text(entry, "pop"));
	(void)putchar('\n');
	if (json_text(entry, "wants")) {
		/* rr, genm: no certificate comes of it. */
		output_field("asks for", json_text(entry, "wants"));
		output_field("subject", json_text(entry, "subject"));
	} else {
		fields_issue(entry);
		fields_requested(entry);
	}
	(void)putchar('\n');
	fields_waiting(entry);
	fields_decision(entry);
	fields_history(entry);
}

int
entry_get(struct tool *tool, const char *id, json_t **ret)
{
	return tool_call(tool, "show", json_pack("{s:s}", "id", id), ret);
}

int
run_show(struct tool *tool)
{
	json_t *entry = NULL;
	int code = entry_get(tool, tool->words[0], &entry);

	if (code == EXIT_OK) {
		if (tool->json) {
			code = output_object(entry);
		} else {
			entry_print(entry);
			code = output_flush();
		}
	}
	json_decref(entry);
	return code;
}
