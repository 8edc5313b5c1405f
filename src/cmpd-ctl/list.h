/*
 * Lists: a table page by page, or with --json one array over all pages.
 */
#pragma once

#include "cmpd-ctl/tool.h"

struct list {
	const char *command; /* "cert list" */
	const struct table_column *columns;
	size_t n_columns;
	void (*row)(struct table *table, const json_t *item);
};

/* args is stolen; limit: items in all, 0: no limit. EXIT_... */
int list_show(struct tool *tool, const struct list *list, json_t *args, int64_t limit);
