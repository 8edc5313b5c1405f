/*
 * What operators can ask for: one table. Privilege and arguments are columns, checked before a handler runs.
 */
#pragma once

#include <jansson.h>

#include "base/error.h"
#include "ctl/peer.h"

struct ctl_call;
struct ctl_core;
struct desk;

enum ctl_arg_type { CTL_STRING = 1, CTL_INTEGER, CTL_BOOLEAN, CTL_ARRAY };

struct ctl_arg {
	const char *name;
	enum ctl_arg_type type;
	bool required;
};

#define CTL_ARGS_MAX 9

/* What a handler works with. desk has its own pool and an empty unit: what the handler puts into it is committed, and only then
 * the answer leaves; on a conflict the handler runs again. */
struct ctl_context {
	struct desk *desk;
	const struct ctl_core *core;
	const char *actor; /* "operator:root" */
	const json_t *args; /* as the table says */
	struct ctl_call *call; /* for those that park */
	struct diag diag; /* failed: what the operator reads */
	json_t *detail; /* failed: more for programs, or NULL; freed by the caller */
};

struct ctl_command {
	const char *name;
	enum ctl_privilege privilege;
	/* 0 and *ret_data, an error, or CMPD_EPARKED: ctl_call_end will be called from another thread. */
	int (*run)(struct ctl_context *context, json_t **ret_data);
	struct ctl_arg args[CTL_ARGS_MAX + 1]; /* ends with a NULL name */
};

/* NULL: no such command. */
const struct ctl_command *ctl_command_find(const char *name);
/* By number from 0, NULL behind the last. */
const struct ctl_command *ctl_command_at(size_t i);

/*
 * Is this request one of the table, may the peer ask it, and are its arguments right? 0, *ret_command and *ret_args (borrowed from
 * request, NULL: none given). CMPD_EFORMAT: not the shape of a request; CMPD_ENOENT is never said: an unknown command is
 * CMPD_EINVAL like a wrong argument; CMPD_EACCES.
 */
int ctl_command_check(const json_t *request, const struct ctl_peer *peer,
    const struct ctl_command **ret_command, const json_t **ret_args,
    struct diag *diag) CMPD_MUST_CHECK;

/* Arguments by name, of the type the table says. Not given: NULL, otherwise. */
const char *ctl_arg_string(const struct ctl_context *context, const char *name);
int64_t ctl_arg_integer(const struct ctl_context *context, const char *name, int64_t otherwise);
/* Borrowed. */
const json_t *ctl_arg_array(const struct ctl_context *context, const char *name);
bool ctl_arg_boolean(const struct ctl_context *context, const char *name);
/* "limit" of a page, within 1 to CTL_PAGE_ITEMS. */
size_t ctl_arg_limit(const struct ctl_context *context);

/* What the store said about the first digits that a person typed, in words for him: noun is what was looked for, key what he gave of it. */
int ctl_explain_find(struct ctl_context *context, const char *noun, const char *key, int max_digits,
    int error) CMPD_MUST_CHECK;
