/*
 * What the commands on requests share.
 */
#pragma once

#include "cmpd-ctl/tool.h"

/* Everything about one entry (its show); EXIT_... */
int entry_get(struct tool *tool, const char *id, json_t **ret);
void entry_print(const json_t *entry);

struct table *entry_table_new(void);
void entry_table_row(struct table *table, const json_t *entry);

/* Puts the transactionID that --txn means into the arguments of list, if it is given. EXIT_... */
int entry_put_txn(struct tool *tool, json_t *request);

/* -n; 0: not given. EXIT_USAGE after a message. */
int tool_count(const struct args *args, int64_t *ret);
/* A duration; 0: not given. EXIT_USAGE after a message. */
int tool_duration(const struct args *args, enum option option, int64_t *ret_ms);
/* Into the arguments of a request, if it is there. */
void put_text(json_t *args, const char *key, const char *text);
