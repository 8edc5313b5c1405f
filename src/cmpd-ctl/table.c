/*
 * Tables of libsmartcols, printed page by page so that a million rows need no memory.
 */
#include <libsmartcols.h>
#include <stdlib.h>

#include "cmpd-ctl/tool.h"

struct table {
	struct libscols_table *scols;
	size_t n;
	bool printed; /* once: titles are not repeated, widths stay */
};

static void
out_of_memory(void)
{
	(void)tool_fail(EXIT_ERROR, "out of memory");
	exit(EXIT_ERROR);
}

struct table *
table_new(const struct table_column *columns, size_t n)
{
	struct table *table = calloc(1, sizeof(*table));

	scols_init_debug(0);
	if (!table || !(table->scols = scols_new_table())) {
		out_of_memory();
		return NULL;
	}
	table->n = n;
	for (size_t i = 0; i < n; i++) {
		int flags =
		    (columns[i].cut ? SCOLS_FL_TRUNC : 0) | (columns[i].right ? SCOLS_FL_RIGHT : 0);

		if (!scols_table_new_column(table->scols, columns[i].title, columns[i].width,
			flags)) {
			out_of_memory();
		}
	}
	return table;
}

void
table_free(struct table *table)
{
	if (table) {
		scols_unref_table(table->scols);
		free(table);
	}
}

void
table_row(struct table *table, const char *const *texts)
{
	struct libscols_line *line = scols_table_new_line(table->scols, NULL);

	for (size_t i = 0; i < table->n; i++) {
		char *clean = output_clean(texts[i] && *texts[i] ? texts[i] : "-");

		if (!line || scols_line_set_data(line, i, clean) < 0) {
			out_of_memory();
		}
		free(clean);
	}
}

void
table_print(struct table *table)
{
	if (scols_table_get_nlines(table->scols) == 0) {
		return;
	}
	if (scols_print_table(table->scols) < 0) {
		out_of_memory();
	}
	scols_table_remove_lines(table->scols);
	for (size_t i = 0; i < table->n && !table->printed; i++) {
		struct libscols_column *column = scols_table_get_column(table->scols, i);

		/* Later pages line up with the first. */
		(void)scols_column_set_whint(column, (double)scols_column_get_width(column));
	}
	(void)scols_table_enable_noheadings(table->scols, 1);
	table->printed = true;
}
