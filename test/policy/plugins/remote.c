/*
 * A plugin whose instance is a name, and whose decide asks the test program.
 */
#include <stdio.h>
#include <string.h>

#include <cmpd/request.h>

#include "remote.h"

static int
check_config(const struct cmpd_config *config, char *error, size_t error_size)
{
	const char *key;

	for (size_t i = 0; (key = cmpd_config_key(config, i)) != NULL; i++) {
		if (strcmp(key, "id") != 0) {
			snprintf(error, error_size, "unknown key %s", key);
			return -1;
		}
	}
	return 0;
}

/* Instances are here and not on the heap: one test leaves its instance open. */
static char names[64][16];

static int
open_instance(const struct cmpd_config *config, void **ret_instance, char *error, size_t error_size)
{
	static size_t next;
	const char *id = cmpd_config_get(config, "id", 0);

	if (id == NULL) {
		snprintf(error, error_size, "id is missing");
		return -1;
	}
	*ret_instance = names[next];
	snprintf(names[next], sizeof(names[next]), "%s", id);
	next = (next + 1) % (sizeof(names) / sizeof(names[0]));
	return 0;
}

static int
decide(void *instance, struct cmpd_request *request, struct cmpd_verdict *verdict)
{
	return remote_decide(instance, request, verdict);
}

static void
close_instance(void *instance)
{
	remote_close(instance);
}

CMPD_PLUGIN_EXPORT const struct cmpd_plugin cmpd_plugin = {
    .abi_major = CMPD_PLUGIN_ABI_MAJOR,
    .abi_minor = CMPD_PLUGIN_ABI_MINOR,
    .struct_size = sizeof(cmpd_plugin),
    .name = NAME,
    .flags = FLAGS,
    .check_config = check_config,
    .open = open_instance,
    .decide = decide,
    .close = close_instance,
};
