#include "cmpd-ctl/list.h"

#include <stdio.h>

struct shown {
	const struct list *list;
	struct table *table;
	bool first; /* nothing is printed yet */
};

static int
show_table_page(void *arg, const json_t *items, bool last)
{
	struct shown *shown = arg;

	(void)last;
	for (size_t i = 0; i < json_array_size(items); i++) {
		shown->list->row(shown->table, json_array_get(items, i));
	}
	table_print(shown->table);
	return output_flush();
}

/* One object per line. */
static int
show_json_page(void *arg, const json_t *items, bool last)
{
	struct shown *shown = arg;

	for (size_t i = 0; i < json_array_size(items); i++) {
		(void)fputs(shown->first ? "[\n" : ",\n", stdout);
		shown->first = false;
		output_json(json_array_get(items, i), 0);
	}
	if (last) {
		(void)fputs(shown->first ? "[]\n" : "\n]\n", stdout);
	}
	return output_flush();
}

int
list_show(struct tool *tool, const struct list *list, json_t *args, int64_t limit)
{
	struct shown shown = {.list = list, .first = true};
	int code;

	if (tool->json) {
		return tool_pages(tool, list->command, args, limit, show_json_page, &shown);
	}
	shown.table = table_new(list->columns, list->n_columns);
	code = tool_pages(tool, list->command, args, limit, show_table_page, &shown);
	table_free(shown.table);
	return code;
}
