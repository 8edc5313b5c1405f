/*
 * Commands on the inventory.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmpd-ctl/csv.h"
#include "cmpd-ctl/list.h"
#include "cmpd-ctl/queue.h"

#define PAGE_BYTES (48u * 1024) /* of rows in one request: CTL_REQUEST_MAX and room for the rest */
#define PAGE_ROWS  500

/* The columns of a file, in the order of a row on the wire; before them stands the line. */
static const char *const columns[] = {
    "serial", "subject", "issuer", "new_subject", "new_san", "profile"};

#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

struct load {
	struct tool *tool;
	struct csv csv;
	struct diag diag;
	int places[COLUMNS]; /* of a column in the file; -1: it is not there */
	size_t n_columns; /* of the file */
	int64_t generation;
	json_t *page;
	size_t page_bytes;
	int64_t rows;
};

static int
next_byte(void *arg)
{
	return getc((FILE *)arg);
}

static int
bad(const struct load *load, const char *what, const char *word)
{
	return tool_fail(EXIT_ERROR, "%s: line %lld: %s%s", load->tool->input,
	    (long long)load->csv.line, what, word);
}

/* The first record names the columns. */
static int
read_header(struct load *load)
{
	int r = csv_read(&load->csv, &load->diag);

	if (r < 0) {
		return tool_fail(EXIT_ERROR, "%s: %s", load->tool->input,
		    r == CMPD_ENOENT ? "the file is empty: the first line names the columns"
				     : load->diag.text);
	}
	for (size_t i = 0; i < COLUMNS; i++) {
		load->places[i] = -1;
	}
	load->n_columns = load->csv.n;
	for (size_t k = 0; k < load->csv.n; k++) {
		size_t i = 0;

		while (i < COLUMNS && strcmp(columns[i], load->csv.fields[k]) != 0) {
			i++;
		}
		if (i == COLUMNS) {
			return bad(load, "no such column: ", load->csv.fields[k]);
		}
		if (load->places[i] >= 0) {
			return bad(load, "a column twice: ", columns[i]);
		}
		load->places[i] = (int)k;
	}
	return load->places[0] < 0 && load->places[1] < 0
		   ? bad(load, "neither a column serial nor a column subject", "")
		   : EXIT_OK;
}

static int
send_page(struct load *load)
{
	json_t *request;

	if (json_array_size(load->page) == 0) {
		return EXIT_OK;
	}
	request = json_object();
	(void)json_object_set_new(request, "generation", json_integer(load->generation));
	(void)json_object_set_new(request, "rows", load->page);
	load->page = json_array();
	load->page_bytes = 0;
	return tool_call(load->tool, "inventory add", request, NULL);
}

static int
add_row(struct load *load)
{
	json_t *row = json_array();
	size_t size;

	(void)json_array_append_new(row, json_integer(load->csv.line));
	for (size_t i = 0; i < COLUMNS; i++) {
		const char *text = load->places[i] < 0 ? "" : load->csv.fields[load->places[i]];

		(void)json_array_append_new(row, json_string(text));
	}
	size = json_dumpb(row, NULL, 0, JSON_COMPACT) + 1;
	if (json_array_size(row) != COLUMNS + 1 || size > PAGE_BYTES) {
		json_decref(row);
		return bad(load, "too long", "");
	}
	if (load->page_bytes + size > PAGE_BYTES || json_array_size(load->page) == PAGE_ROWS) {
		int code = send_page(load);

		if (code != EXIT_OK) {
			json_decref(row);
			return code;
		}
	}
	(void)json_array_append_new(load->page, row);
	load->page_bytes += size;
	load->rows++;
	return EXIT_OK;
}

static int
read_rows(struct load *load)
{
	for (;;) {
		int r = csv_read(&load->csv, &load->diag), code;

		if (r == CMPD_ENOENT) {
			return send_page(load);
		}
		if (r < 0) {
			return tool_fail(EXIT_ERROR, "%s: %s", load->tool->input,
			    load->diag.text[0] ? load->diag.text : cmpd_strerror(r));
		}
		if (load->csv.n != load->n_columns) {
			return bad(load, "not as many fields as the first line has", "");
		}
		code = add_row(load);
		if (code != EXIT_OK) {
			return code;
		}
	}
}

static int
begin_load(struct load *load)
{
	json_t *data = NULL;
	int code = tool_call(load->tool, "inventory begin", json_object(), &data);

	load->generation = json_number(data, "generation");
	json_decref(data);
	return code;
}

static int
end_load(struct load *load)
{
	json_t *request = json_object(), *data = NULL;
	int code;

	(void)json_object_set_new(request, "generation", json_integer(load->generation));
	(void)json_object_set_new(request, "rows", json_integer(load->rows));
	code = tool_call(load->tool, "inventory end", request, &data);
	if (code == EXIT_OK && load->tool->json) {
		code = output_object(data);
	} else if (code == EXIT_OK) {
		(void)printf("%lld %s, %lld before\n", (long long)load->rows,
		    load->rows == 1 ? "row" : "rows", (long long)json_number(data, "rows_before"));
		code = output_flush();
	}
	json_decref(data);
	return code;
}

int
run_inventory_load(struct tool *tool)
{
	const char *name = tool->words[0];
	FILE *in = strcmp(name, "-") == 0 ? stdin : fopen(name, "re");
	struct load load = {.tool = tool};
	int code;

	if (!in) {
		return tool_fail(EXIT_ERROR, "%s: %s", name, strerror(errno));
	}
	tool->input = in == stdin ? "standard input" : name;
	csv_init(&load.csv, next_byte, in);
	load.page = json_array();
	code = read_header(&load);
	if (code == EXIT_OK) {
		code = begin_load(&load);
	}
	if (code == EXIT_OK) {
		code = read_rows(&load);
	}
	if (code == EXIT_OK && ferror(in)) {
		code = tool_fail(EXIT_ERROR, "%s: cannot be read", tool->input);
	}
	if (code == EXIT_OK) {
		code = end_load(&load);
	}
	json_decref(load.page);
	csv_fini(&load.csv);
	if (in != stdin) {
		(void)fclose(in);
	}
	return code;
}

/* ---- what is there ---- */

static const struct table_column table_columns[] = {
    {"DEVICE", 0.3, true, false},
    {"ISSUER", 0.2, true, false},
    {"NEW SUBJECT", 0.3, true, false},
    {"NEW NAMES", 0.2, true, false},
    {"PROFILE", 0.1, true, false},
};

#define TABLE_COLUMNS (sizeof(table_columns) / sizeof(table_columns[0]))

static void
inventory_row(struct table *table, const json_t *row)
{
	const char *serial = json_text(row, "serial");
	char *sans = json_join(json_object_get(row, "new_sans"));

	table_row(table, (const char *const[TABLE_COLUMNS]){
			     serial ? serial : json_text(row, "subject"), json_text(row, "issuer"),
			     json_text(row, "new_subject"), sans, json_text(row, "profile")});
	free(sans);
}

int
run_inventory_list(struct tool *tool)
{
	static const struct list list = {
	    "inventory list", table_columns, TABLE_COLUMNS, inventory_row};
	int64_t n = 0;
	int code = tool_count(&tool->args, &n);

	return code == EXIT_OK ? list_show(tool, &list, json_object(), n) : code;
}

static json_t *
key_request(struct tool *tool)
{
	json_t *request = json_object();

	put_text(request, "key", tool->words[0]);
	put_text(request, "issuer", tool->args.option[OPT_ISSUER]);
	return request;
}

static void
row_print(const json_t *row)
{
	char *sans = json_join(json_object_get(row, "new_sans"));
	char line[24];

	output_field("serial", json_text(row, "serial"));
	output_field("subject", json_text(row, "subject"));
	output_field("issuer", json_text(row, "issuer"));
	output_field("new subject", json_text(row, "new_subject"));
	output_field("new names", *sans ? sans : NULL);
	output_field("profile", json_text(row, "profile"));
	(void)snprintf(line, sizeof(line), "%lld", (long long)json_number(row, "line"));
	output_field("line", line);
	free(sans);
}

int
run_inventory_show(struct tool *tool)
{
	json_t *data = NULL;
	const json_t *items;
	int code = tool_call(tool, "inventory show", key_request(tool), &data);

	items = json_object_get(data, "items");
	if (code == EXIT_OK && tool->json) {
		code = output_object(items);
	} else if (code == EXIT_OK) {
		for (size_t i = 0; i < json_array_size(items); i++) {
			(void)fputs(i ? "\n" : "", stdout);
			row_print(json_array_get(items, i));
		}
		code = output_flush();
	}
	json_decref(data);
	return code;
}

int
run_inventory_remove(struct tool *tool)
{
	json_t *row = NULL;
	int code = tool_call(tool, "inventory remove", key_request(tool), &row);

	if (code == EXIT_OK && tool->json) {
		code = output_object(row);
	}
	json_decref(row);
	return code;
}
