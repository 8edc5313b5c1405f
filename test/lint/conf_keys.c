/* Prints every key of the configuration's tables as "section key", for the comparison with the manual. */
#include <stdio.h>

#include "conf/schema.h"

static void
print_section(const struct conf_section *section)
{
	for (const struct conf_row *row = section->rows; row->name; row++) {
		printf("%s %s\n", section->name, row->name);
		if (row->section)
			print_section(row->section);
	}
}

int
main(void)
{
	print_section(&conf_root);
	return 0;
}
