/*
 * schema_doc HEAD: prints the file HEAD with a line "@keys@" replaced by what the rows say, in scdoc's
 * language. Used while building; not installed.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "conf/value.h"

static const char *const types[] = {
    [CONF_STRING] = "text",
    [CONF_FILE] = "file",
    [CONF_KEY] = "file or URI",
    [CONF_ADDRESS] = "address",
    [CONF_BOOL] = "true or false",
    [CONF_INT] = "number",
    [CONF_SIZE] = "size",
    [CONF_DURATION] = "duration",
    [CONF_ENUM] = "word",
    [CONF_BITS] = "list of words",
    [CONF_LIST] = "list",
    [CONF_GROUP] = "group",
    [CONF_GROUPS] = "list of groups",
    [CONF_POLICY] = "list of groups",
};

static const char *const lists[] = {
    [CONF_STRING] = "list of texts",
    [CONF_FILE] = "list of files",
    [CONF_ADDRESS] = "list of addresses",
};

static bool
is_number(const struct conf_row *row)
{
	return row->type == CONF_INT || row->type == CONF_SIZE || row->type == CONF_DURATION;
}

static void
print_range(const struct conf_row *row)
{
	struct buf text;

	buf_init(&text, 256);
	conf_print_number(row, row->min, &text);
	buf_put_bytes(&text, bytes_str(" to "));
	conf_print_number(row, row->max, &text);
	printf(" From %.*s.", (int)text.len, (const char *)text.data);
	buf_fini(&text);
}

static void
print_words(const struct conf_row *row)
{
	printf(" One of");
	for (const struct conf_word *w = row->words; w->name != NULL; w++) {
		printf("%s *%s*", w == row->words ? "" : ",", w->name);
	}
	printf(".");
}

static void
print_row(const struct conf_row *row)
{
	const char *initial = row->initial;

	printf("*%s* = _%s_\n\t%s", row->name,
	    row->type == CONF_LIST ? lists[row->element] : types[row->type],
	    row->help == NULL ? row->section->help : row->help);
	if (row->words != NULL && row->type != CONF_ENUM) {
		print_words(row);
	}
	if (is_number(row)) {
		print_range(row);
	}
	if ((row->flags & CONF_REQUIRED) != 0) {
		printf(" Must be given.");
	} else if (initial != NULL && initial[0] != '\0') {
		printf(" Default: *%s*.", initial + (initial[0] == '$'));
	} else if (row->type == CONF_LIST) {
		printf(" Default: empty.");
	}
	if ((row->flags & CONF_RELOADABLE) == 0 && row->type != CONF_GROUP) {
		printf(" A change needs a restart.");
	}
	printf("\n\n");
}

static void
print_section(const struct conf_section *section, const char *parent)
{
	printf("## %s%s%s\n\n%s\n\n", parent, parent[0] == '\0' ? "" : ": ", section->name,
	    section->help);
	for (const struct conf_row *row = section->rows; row->name != NULL; row++) {
		print_row(row);
	}
	for (const struct conf_row *row = section->rows; row->name != NULL; row++) {
		if (row->section != NULL) {
			print_section(row->section, section == &conf_root ? "" : section->name);
		}
	}
}

int
main(int argc, char **argv)
{
	FILE *head = argc == 2 ? fopen(argv[1], "r") : NULL;
	char line[1024];

	if (head == NULL) {
		fprintf(stderr, "usage: schema_doc HEAD: %s\n", strerror(errno));
		return 2;
	}
	while (fgets(line, sizeof(line), head) != NULL) {
		if (strcmp(line, "@keys@\n") == 0) {
			print_section(&conf_root, "");
		} else {
			fputs(line, stdout);
		}
	}
	fclose(head);
	return fflush(stdout) == 0 ? 0 : 1;
}
