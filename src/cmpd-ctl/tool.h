/*
 * cmpd-ctl: what its files share. One thread, one command, then the process ends.
 */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "base/bytes.h"

/* Exit codes; scripts rely on them. */
enum { EXIT_OK = 0, EXIT_ERROR = 1, EXIT_USAGE = 2, EXIT_NOT_FOUND = 3, EXIT_CONFLICT = 4 };

/* ---- the command line (args.c) ---- */

enum option {
	OPT_CONFIG,
	OPT_SOCKET,
	OPT_JSON,
	OPT_YES,
	OPT_HELP,
	OPT_VERSION,
	OPT_STATE,
	OPT_SUBJECT,
	OPT_OLDER_THAN,
	OPT_NUMBER,
	OPT_REASON,
	OPT_TEXT,
	OPT_ENDPOINT,
	OPT_PROFILE,
	OPT_SECRET_FILE,
	OPT_USES,
	OPT_TTL,
	OPT_STATUS,
	OPT_PEM,
	OPT_LISTEN,
	OPT_CA,
	OPT_OUT,
	OPT_NOW,
	OPT_ISSUER,
	OPT_TXN,
	OPT_OVERLAP,
	OPT_RETIRING,
	OPT_UNTIL_CONFIRMED,
	OPTIONS
};

#define OPT_BIT(option) (1u << (option))
/* Every command takes these. */
#define OPT_COMMON                                                                                 \
	(OPT_BIT(OPT_CONFIG) | OPT_BIT(OPT_SOCKET) | OPT_BIT(OPT_JSON) | OPT_BIT(OPT_YES) |        \
	    OPT_BIT(OPT_HELP) | OPT_BIT(OPT_VERSION))

struct args {
	const char *option[OPTIONS]; /* value, "" for those without one, NULL: not given */
	char **words; /* command and what follows, options taken out; points into argv */
	int n_words;
};

/* Rearranges argv. 0, or EXIT_USAGE after a message. */
int args_parse(int argc, char **argv, struct args *ret);
/* "--name" or "-x". */
const char *args_option_name(enum option option);

/* ---- commands (commands.c) ---- */

struct client;

struct tool {
	struct args args;
	struct client *client; /* connected when first needed */
	const char *input; /* the file that is being sent: errors name it; NULL: none */
	bool json;
	bool yes;
	int n; /* words behind the command */
	char **words;
};

struct command {
	const char *name; /* "list", "secret add" */
	const char *usage; /* what follows the name */
	const char
	    *help; /* lines for help NAME; the first sentence also stands in the list of all */
	unsigned int options; /* OPT_BIT of those it takes besides OPT_COMMON */
	int words_min, words_max;
	int (*run)(struct tool *tool); /* exit code */
};

/* By number from 0; NULL behind the last. */
const struct command *command_at(size_t i);
/* The command that these words begin with; *ret_words: how many are its name. NULL: none. */
const struct command *command_find(char **words, int n, int *ret_words);
/* Is the word the first of a command of two? */
bool command_is_half(const char *word);
void command_usage(FILE *out, const struct command *command);

/* queue.c */
int run_list(struct tool *tool);
int run_comment(struct tool *tool);
/* show.c */
int run_show(struct tool *tool);
/* decide.c */
int run_approve(struct tool *tool);
int run_deny(struct tool *tool);
/* secret.c */
int run_secret_add(struct tool *tool);
int run_secret_rotate(struct tool *tool);
int run_secret_list(struct tool *tool);
int run_secret_remove(struct tool *tool);
/* cert.c */
int run_cert_list(struct tool *tool);
int run_cert_show(struct tool *tool);
int run_cert_revoke(struct tool *tool);
/* crl.c */
int run_crl(struct tool *tool);
/* inventory.c */
int run_inventory_load(struct tool *tool);
int run_inventory_list(struct tool *tool);
int run_inventory_show(struct tool *tool);
int run_inventory_remove(struct tool *tool);
/* service.c */
int run_status(struct tool *tool);
int run_reload(struct tool *tool);
int run_backup(struct tool *tool);
int run_help(struct tool *tool);
int run_init(struct tool *tool);

/* ---- talking to cmpd (client.c) ---- */

/* One request, one answer. args is stolen. EXIT_OK and *ret_data (caller decrefs); else the exit code, after a message on
 * standard error. ret_data may be NULL. */
int tool_call(struct tool *tool, const char *command, json_t *args, json_t **ret_data);
/* Asks page after page and gives each to show(arg, items, last); stops when show returns anything but EXIT_OK.
 * args is stolen; limit: items in all, 0: no limit. */
int tool_pages(struct tool *tool, const char *command, json_t *args, int64_t limit,
    int (*show)(void *arg, const json_t *items, bool last), void *arg);
/* Closes the connection: a person is going to think. The next call connects again. */
void tool_disconnect(struct tool *tool);

/* The socket's path: -s, or from -c, or from the default configuration. NULL after a message. Caller frees. (place.c) */
char *tool_socket_path(const struct args *args);

/* ---- words (output.c) ---- */

/* "cmpd-ctl: ..." to standard error; returns code. Foreign words in it are made harmless. */
int tool_fail(int code, const char *format, ...) CMPD_PRINTF(2, 3);
/* Prepares locale and terminal; once, at the start. */
void output_setup(void);
/* Fit for this terminal; caller frees. Never NULL: out of memory ends the process with a message. */
char *output_clean(const char *text);
/* Prints text made harmless, and nothing else. NULL: "-". */
void output_text(FILE *out, const char *text);
/* A string of an object; NULL if it is not there or not a string. */
const char *json_text(const json_t *object, const char *key);
/* The same, "?" instead of NULL. */
const char *json_word(const json_t *object, const char *key);
int64_t json_number(const json_t *object, const char *key);
/* Milliseconds of an RFC 3339 time in an object, 0: none. */
int64_t json_time(const json_t *object, const char *key);
/* "42s", "3m", "5h", "12d", "3y". */
#define AGE_SIZE 24
char *output_age(int64_t ms, char out[AGE_SIZE]);
/* Strings of an array with ", " between them; caller frees. */
char *json_join(const json_t *array);
/* To standard output with all strings made harmless. indent 0: one line, without newline. */
void output_json(const json_t *json, int indent);
/* The same and a newline; returns EXIT_OK, or EXIT_ERROR when standard output cannot be written. */
int output_object(const json_t *json);
/* Flushes standard output; EXIT_OK, or EXIT_ERROR after a message. */
int output_flush(void);
/* "label:        value" lines for people; NULL values are left out. */
void output_field(const char *label, const char *value);
/* Asks on the terminal; false: no, or nobody there. */
bool output_ask(const char *question);
/* Is there a person at both ends? */
bool output_is_terminal(void);

/* ---- tables (table.c) ---- */

struct table; /* prints page by page; columns keep the widths of the first page */

struct table_column {
	const char *title;
	double width; /* as libsmartcols wants it: < 1 share of the terminal, >= 1 characters */
	bool cut; /* may be cut to fit */
	bool right;
};

struct table *table_new(const struct table_column *columns, size_t n);
void table_free(struct table *table);
/* n texts (copied, made harmless); NULL: "-". */
void table_row(struct table *table, const char *const *texts);
/* Prints what was added and forgets it. */
void table_print(struct table *table);
