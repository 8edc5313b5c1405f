/*
 * The table of commands and the check of requests against it.
 */
#include "ctl/commands.h"

#include <stdlib.h>
#include <string.h>

#include "ctl/handlers.h"
#include "ctl/object.h"
#include "ctl/protocol.h"

#define WORD_MAX 64 /* of what is repeated in a message */

static const struct ctl_command commands[] = {
    {"version", CTL_PUBLIC, ctl_service_version, {{NULL}}},
    {"list", CTL_VIEW, ctl_entry_list,
	{{"state", CTL_STRING, false}, {"subject", CTL_STRING, false},
	    {"older_than", CTL_INTEGER, false}, {"txn", CTL_STRING, false},
	    {"after", CTL_INTEGER, false}, {"limit", CTL_INTEGER, false},
	    {"short", CTL_BOOLEAN, false}, {NULL}}},
    {"show", CTL_VIEW, ctl_entry_show, {{"id", CTL_STRING, true}, {NULL}}},
    {"approve", CTL_DECIDE, ctl_entry_approve,
	{{"id", CTL_STRING, true}, {"version", CTL_INTEGER, false}, {NULL}}},
    {"deny", CTL_DECIDE, ctl_entry_deny,
	{{"id", CTL_STRING, true}, {"version", CTL_INTEGER, false}, {"reason", CTL_STRING, false},
	    {"text", CTL_STRING, false}, {NULL}}},
    {"comment", CTL_DECIDE, ctl_entry_comment,
	{{"id", CTL_STRING, true}, {"version", CTL_INTEGER, false}, {"text", CTL_STRING, true},
	    {NULL}}},
    {"secret add", CTL_ADMIN, ctl_secret_add,
	{{"ref", CTL_STRING, true}, {"secret_hex", CTL_STRING, false},
	    {"endpoint", CTL_STRING, false}, {"profile", CTL_STRING, false},
	    {"subject", CTL_STRING, false}, {"uses", CTL_INTEGER, false},
	    {"ttl", CTL_INTEGER, false}, {"until_confirmed", CTL_BOOLEAN, false}, {NULL}}},
    {"secret rotate", CTL_ADMIN, ctl_secret_rotate,
	{{"ref", CTL_STRING, true}, {"secret_hex", CTL_STRING, false},
	    {"endpoint", CTL_STRING, false}, {"overlap", CTL_INTEGER, false},
	    {"uses", CTL_INTEGER, false}, {"ttl", CTL_INTEGER, false}, {NULL}}},
    {"secret list", CTL_VIEW, ctl_secret_list,
	{{"after", CTL_INTEGER, false}, {"limit", CTL_INTEGER, false}, {NULL}}},
    {"secret remove", CTL_ADMIN, ctl_secret_remove,
	{{"ref", CTL_STRING, true}, {"endpoint", CTL_STRING, false},
	    {"retiring", CTL_BOOLEAN, false}, {NULL}}},
    {"cert list", CTL_VIEW, ctl_cert_list,
	{{"status", CTL_STRING, false}, {"after", CTL_INTEGER, false},
	    {"limit", CTL_INTEGER, false}, {NULL}}},
    {"cert show", CTL_VIEW, ctl_cert_show, {{"serial", CTL_STRING, true}, {NULL}}},
    {"cert revoke", CTL_ADMIN, ctl_cert_revoke,
	{{"serial", CTL_STRING, true}, {"reason", CTL_STRING, false}, {NULL}}},
    {"crl", CTL_VIEW, ctl_crl_get,
	{{"ca", CTL_STRING, false}, {"number", CTL_INTEGER, false}, {"after", CTL_INTEGER, false},
	    {NULL}}},
    {"crl make", CTL_ADMIN, ctl_crl_make, {{"ca", CTL_STRING, false}, {NULL}}},
    {"inventory begin", CTL_ADMIN, ctl_inventory_begin, {{NULL}}},
    {"inventory add", CTL_ADMIN, ctl_inventory_add,
	{{"generation", CTL_INTEGER, true}, {"rows", CTL_ARRAY, true}, {NULL}}},
    {"inventory end", CTL_ADMIN, ctl_inventory_end,
	{{"generation", CTL_INTEGER, true}, {"rows", CTL_INTEGER, true}, {NULL}}},
    {"inventory list", CTL_VIEW, ctl_inventory_list,
	{{"after", CTL_INTEGER, false}, {"limit", CTL_INTEGER, false}, {NULL}}},
    {"inventory show", CTL_VIEW, ctl_inventory_show,
	{{"key", CTL_STRING, true}, {"issuer", CTL_STRING, false}, {NULL}}},
    {"inventory remove", CTL_ADMIN, ctl_inventory_remove,
	{{"key", CTL_STRING, true}, {"issuer", CTL_STRING, false}, {NULL}}},
    {"status", CTL_VIEW, ctl_service_status, {{NULL}}},
    {"reload", CTL_ADMIN, ctl_service_reload, {{NULL}}},
    {"backup", CTL_ADMIN, ctl_service_backup, {{"file", CTL_STRING, true}, {NULL}}},
};

const struct ctl_command *
ctl_command_at(size_t i)
{
	return i < sizeof(commands) / sizeof(commands[0]) ? &commands[i] : NULL;
}

const struct ctl_command *
ctl_command_find(const char *name)
{
	const struct ctl_command *command;

	for (size_t i = 0; (command = ctl_command_at(i)) != NULL; i++) {
		if (strcmp(command->name, name) == 0) {
			return command;
		}
	}
	return NULL;
}

/* diag_set with a word of the peer's, made harmless. */
static int
refuse_word(struct diag *diag, int error, const char *what, const char *word)
{
	char *clean = ctl_text_clean(word, true, WORD_MAX);

	(void)diag_set(diag, error, "%s: %s", what, clean ? clean : "?");
	free(clean);
	return error;
}

static const struct ctl_arg *
arg_find(const struct ctl_command *command, const char *name)
{
	for (const struct ctl_arg *arg = command->args; arg->name; arg++) {
		if (strcmp(arg->name, name) == 0) {
			return arg;
		}
	}
	return NULL;
}

static bool
has_type(const json_t *value, enum ctl_arg_type type)
{
	switch (type) {
	case CTL_STRING:
		return json_is_string(value);
	case CTL_INTEGER:
		return json_is_integer(value);
	case CTL_BOOLEAN:
		return json_is_boolean(value);
	case CTL_ARRAY:
		return json_is_array(value);
	}
	return false;
}

static int
check_args(const struct ctl_command *command, const json_t *args, struct diag *diag)
{
	/* jansson's iterator wants the object writable, but only its values could be written. */
	json_t *object = (json_t *)(uintptr_t)args;
	void *iter;

	for (iter = json_object_iter(object); iter; iter = json_object_iter_next(object, iter)) {
		const struct ctl_arg *arg = arg_find(command, json_object_iter_key(iter));

		if (!arg) {
			return refuse_word(diag, CMPD_EINVAL, "unknown argument",
			    json_object_iter_key(iter));
		}
		if (!has_type(json_object_iter_value(iter), arg->type)) {
			return diag_set(diag, CMPD_EINVAL, "argument %s has the wrong type",
			    arg->name);
		}
	}
	for (const struct ctl_arg *arg = command->args; arg->name; arg++) {
		if (arg->required && !json_object_get(args, arg->name)) {
			return diag_set(diag, CMPD_EINVAL, "argument %s is missing", arg->name);
		}
	}
	return 0;
}

int
ctl_command_check(const json_t *request, const struct ctl_peer *peer,
    const struct ctl_command **ret_command, const json_t **ret_args, struct diag *diag)
{
	const char *name = json_string_value(json_object_get(request, "command"));
	const json_t *args = json_object_get(request, "args");
	const struct ctl_command *command;
	int r;

	if (!name || (args && !json_is_object(args))) {
		return diag_set(diag, CMPD_EFORMAT, "a request is { command, args }");
	}
	if (!peer->known) {
		return diag_set(diag, CMPD_EACCES, "this user may not talk to cmpd");
	}
	command = ctl_command_find(name);
	if (!command) {
		return refuse_word(diag, CMPD_EINVAL, "unknown command", name);
	}
	if (peer->privilege < command->privilege) {
		return diag_set(diag, CMPD_EACCES, "this user may not use %s", command->name);
	}
	r = check_args(command, args, diag);
	if (r < 0) {
		return r;
	}
	*ret_command = command;
	*ret_args = args;
	return 0;
}

const char *
ctl_arg_string(const struct ctl_context *context, const char *name)
{
	return json_string_value(json_object_get(context->args, name));
}

int64_t
ctl_arg_integer(const struct ctl_context *context, const char *name, int64_t otherwise)
{
	const json_t *value = json_object_get(context->args, name);

	return value ? json_integer_value(value) : otherwise;
}

const json_t *
ctl_arg_array(const struct ctl_context *context, const char *name)
{
	return json_object_get(context->args, name);
}

bool
ctl_arg_boolean(const struct ctl_context *context, const char *name)
{
	return json_is_true(json_object_get(context->args, name));
}

size_t
ctl_arg_limit(const struct ctl_context *context)
{
	int64_t limit = ctl_arg_integer(context, "limit", CTL_PAGE_ITEMS);

	return limit < 1 ? 1 : limit > CTL_PAGE_ITEMS ? CTL_PAGE_ITEMS : (size_t)limit;
}

int
ctl_explain_find(struct ctl_context *context, const char *noun, const char *key, int max_digits,
    int error)
{
	switch (error) {
	case CMPD_ENOENT:
		return diag_set(&context->diag, error, "no %s begins with this %s", noun, key);
	case CMPD_EEXIST:
		return diag_set(&context->diag, CMPD_EINVAL,
		    "more than one %s begins with this %s: give more digits", noun, key);
	case CMPD_EINVAL:
		return diag_set(&context->diag, error, "%s: up to %d hex digits are wanted", key,
		    max_digits);
	default:
		return error;
	}
}
