/*
 * Where cmpd listens for operators: from the command line or from its configuration.
 */
#include <errno.h>
#include <libconfig.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmpd-ctl/tool.h"

/* The folder of a file name; caller frees. */
static char *
folder_of(const char *file)
{
	const char *slash = strrchr(file, '/');

	if (!slash) {
		return strdup(".");
	}
	return slash == file ? strdup("/") : strndup(file, (size_t)(slash - file));
}

/* Relative names in a configuration start at its folder. */
static char *
join(const char *folder, const char *name)
{
	char *path = NULL;

	if (name[0] == '/') {
		return strdup(name);
	}
	return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

/* The same defaults as cmpd's: control.socket, else ctl.sock in state_dir. */
static char *
socket_of(const config_t *config, const char *folder)
{
	const char *value = NULL;
	char *state_dir = NULL;
	char *path = NULL;

	if (config_lookup_string(config, "control.socket", &value) == CONFIG_TRUE) {
		return join(folder, value);
	}
	if (config_lookup_string(config, "state_dir", &value) == CONFIG_TRUE) {
		state_dir = join(folder, value);
		path = state_dir ? join(state_dir, "ctl.sock") : NULL;
		free(state_dir);
	}
	return path;
}

static char *
path_from_config(const char *file)
{
	char *folder = folder_of(file);
	char *path = NULL;
	config_t config;

	config_init(&config);
	if (!folder) {
		(void)tool_fail(EXIT_ERROR, "out of memory");
	} else if (access(file, R_OK) < 0) {
		(void)tool_fail(EXIT_ERROR, "%s: %s (-c names another file, -s a socket)", file,
		    strerror(errno));
	} else {
		config_set_include_dir(&config, folder);
		if (config_read_file(&config, file) == CONFIG_TRUE) {
			path = socket_of(&config, folder);
			if (!path) {
				(void)tool_fail(EXIT_ERROR,
				    "%s names neither control.socket nor state_dir", file);
			}
		} else {
			(void)tool_fail(EXIT_ERROR, "%s:%d: %s", file, config_error_line(&config),
			    config_error_text(&config));
		}
	}
	config_destroy(&config);
	free(folder);
	return path;
}

char *
tool_socket_path(const struct args *args)
{
	if (args->option[OPT_SOCKET]) {
		return strdup(args->option[OPT_SOCKET]);
	}
	return path_from_config(args->option[OPT_CONFIG] ? args->option[OPT_CONFIG]
							 : CMPD_DEFAULT_CONFIG);
}
