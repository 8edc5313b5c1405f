/*
 * The command line: options may stand anywhere, every option is one row.
 */
#include <string.h>

#include "cmpd-ctl/tool.h"

static const struct {
	const char *name;
	char letter;
	bool value;
} options[OPTIONS] = {
    [OPT_CONFIG] = {"--config", 'c', true},
    [OPT_SOCKET] = {"--socket", 's', true},
    [OPT_JSON] = {"--json", 0, false},
    [OPT_YES] = {"--yes", 'y', false},
    [OPT_HELP] = {"--help", 'h', false},
    [OPT_VERSION] = {"--version", 'V', false},
    [OPT_STATE] = {"--state", 0, true},
    [OPT_SUBJECT] = {"--subject", 0, true},
    [OPT_OLDER_THAN] = {"--older-than", 0, true},
    [OPT_NUMBER] = {"--number", 'n', true},
    [OPT_REASON] = {"--reason", 0, true},
    [OPT_TEXT] = {"--text", 0, true},
    [OPT_ENDPOINT] = {"--endpoint", 0, true},
    [OPT_PROFILE] = {"--profile", 0, true},
    [OPT_SECRET_FILE] = {"--secret-file", 0, true},
    [OPT_USES] = {"--uses", 0, true},
    [OPT_TTL] = {"--ttl", 0, true},
    [OPT_STATUS] = {"--status", 0, true},
    [OPT_PEM] = {"--pem", 0, false},
    [OPT_LISTEN] = {"--listen", 0, true},
    [OPT_CA] = {"--ca", 0, true},
    [OPT_OUT] = {"--out", 0, true},
    [OPT_NOW] = {"--now", 0, false},
    [OPT_ISSUER] = {"--issuer", 0, true},
    [OPT_TXN] = {"--txn", 0, true},
    [OPT_OVERLAP] = {"--overlap", 0, true},
    [OPT_RETIRING] = {"--retiring", 0, false},
    [OPT_UNTIL_CONFIRMED] = {"--until-confirmed", 0, false},
};

const char *
args_option_name(enum option option)
{
	return options[option].name;
}

/* The row of "--name", "--name=value" or "-x"; *ret_value: behind the '=', or NULL. */
static int
option_find(const char *arg, const char **ret_value)
{
	*ret_value = NULL;
	for (int i = 0; i < OPTIONS; i++) {
		size_t len = strlen(options[i].name);

		if (strncmp(arg, options[i].name, len) == 0 &&
		    (arg[len] == '\0' || arg[len] == '=')) {
			*ret_value = arg[len] ? arg + len + 1 : NULL;
			return i;
		}
		if (options[i].letter && arg[1] == options[i].letter && arg[2] == '\0') {
			return i;
		}
	}
	return -1;
}

/* One option; *i is moved over its value. */
static int
take_option(int argc, char **argv, int *i, struct args *ret)
{
	const char *value = NULL;
	int option = option_find(argv[*i], &value);

	if (option < 0) {
		return tool_fail(EXIT_USAGE, "unknown option: %s", argv[*i]);
	}
	if (ret->option[option]) {
		return tool_fail(EXIT_USAGE, "%s stands there twice", options[option].name);
	}
	if (!options[option].value && value) {
		return tool_fail(EXIT_USAGE, "%s takes no value", options[option].name);
	}
	if (options[option].value && !value) {
		if (*i + 1 >= argc) {
			return tool_fail(EXIT_USAGE, "%s needs a value", options[option].name);
		}
		value = argv[++*i];
	}
	ret->option[option] = value ? value : "";
	return 0;
}

int
args_parse(int argc, char **argv, struct args *ret)
{
	bool only_words = false;

	*ret = (struct args){.words = argv + 1};
	for (int i = 1; i < argc; i++) {
		int r;

		if (only_words || argv[i][0] != '-' || argv[i][1] == '\0') {
			ret->words[ret->n_words++] = argv[i];
			continue;
		}
		if (strcmp(argv[i], "--") == 0) {
			only_words = true;
			continue;
		}
		r = take_option(argc, argv, &i, ret);
		if (r != 0) {
			return r;
		}
	}
	return 0;
}
