/* Prints the table of commands as doc/control-protocol does: name, privilege, arguments. */
#include <stdio.h>

#include "ctl/commands.h"

int
main(void)
{
	static const char *const privileges[] = {"public", "view", "decide", "admin"};
	static const char types[] = {
	    [CTL_STRING] = 's', [CTL_INTEGER] = 'i', [CTL_BOOLEAN] = 'b', [CTL_ARRAY] = 'a'};
	const struct ctl_command *command;

	for (size_t i = 0; (command = ctl_command_at(i)) != NULL; i++) {
		printf("%s %s", command->name, privileges[command->privilege]);
		for (const struct ctl_arg *arg = command->args; arg->name; arg++) {
			printf(arg->required ? " %s %c" : " [%s %c]", arg->name, types[arg->type]);
		}
		printf("\n");
	}
	return 0;
}
