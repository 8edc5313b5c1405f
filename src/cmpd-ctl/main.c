/*
 * cmpd-ctl: the operator's tool. It says what is asked, shows what is answered; what may be done is decided by cmpd.
 */
#include <signal.h>
#include <string.h>

#include "cmpd-ctl/tool.h"
#include "ctl/protocol.h"

/* Options that are given but mean nothing here are mistakes. */
static int
check_options(const struct args *args, const struct command *command)
{
	for (int i = 0; i < OPTIONS; i++) {
		if (args->option[i] && !((command->options | OPT_COMMON) & OPT_BIT(i))) {
			return tool_fail(EXIT_USAGE, "%s takes no %s", command->name,
			    args_option_name(i));
		}
	}
	if (args->option[OPT_CONFIG] && args->option[OPT_SOCKET]) {
		return tool_fail(EXIT_USAGE, "give -c or -s, not both");
	}
	return 0;
}

static int
run(struct tool *tool)
{
	const struct command *command;
	int name_words = 0;
	int r;

	command = command_find(tool->args.words, tool->args.n_words, &name_words);
	if (!command && tool->args.option[OPT_HELP]) {
		tool->n = 1;
		tool->words = tool->args.words;
		return run_help(tool);
	}
	if (!command && command_is_half(tool->args.words[0])) {
		return tool_fail(EXIT_USAGE, "%s needs one more word; see cmpd-ctl help %s",
		    tool->args.words[0], tool->args.words[0]);
	}
	if (!command) {
		return tool_fail(EXIT_USAGE, "no such command: %s; cmpd-ctl help shows all",
		    tool->args.words[0]);
	}
	if (tool->args.option[OPT_HELP]) {
		tool->n = name_words;
		tool->words = tool->args.words;
		return run_help(tool);
	}
	r = check_options(&tool->args, command);
	if (r != 0) {
		return r;
	}
	tool->words = tool->args.words + name_words;
	tool->n = tool->args.n_words - name_words;
	if (tool->n < command->words_min || tool->n > command->words_max) {
		command_usage(stderr, command);
		return EXIT_USAGE;
	}
	return command->run(tool);
}

int
main(int argc, char **argv)
{
	struct tool tool = {0};
	int code;

	output_setup();
	ctl_json_setup();
	(void)signal(SIGPIPE, SIG_IGN);
	code = args_parse(argc, argv, &tool.args);
	if (code != 0) {
		return code;
	}
	tool.json = tool.args.option[OPT_JSON] != NULL;
	tool.yes = tool.args.option[OPT_YES] != NULL;
	if (tool.args.option[OPT_VERSION]) {
		(void)printf("cmpd-ctl %s\n", CMPD_VERSION);
		return output_flush();
	}
	if (tool.args.n_words == 0) {
		code = run_help(&tool);
		return tool.args.option[OPT_HELP] ? code : EXIT_USAGE;
	}
	code = run(&tool);
	tool_disconnect(&tool);
	return code;
}
