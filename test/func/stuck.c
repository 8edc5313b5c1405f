/*
 * A policy plugin for tests that never comes to an end of its thinking: what then becomes of the request, of others
 * and of the daemon. With { fail = "yes" } it fails instead.
 */
#include <stddef.h>
#include <unistd.h>

#include <cmpd/request.h>

static int
open_instance(const struct cmpd_config *config, void **ret_instance, char *error, size_t error_size)
{
	static char fail;

	(void)error;
	(void)error_size;
	*ret_instance = cmpd_config_get(config, "fail", 0) != NULL ? &fail : NULL;
	return 0;
}

static int
decide(void *instance, struct cmpd_request *request, struct cmpd_verdict *verdict)
{
	(void)request;
	if (instance != NULL) {
		verdict->text = "out of order";
		return -1;
	}
	for (;;) {
		pause();
	}
}

CMPD_PLUGIN_EXPORT const struct cmpd_plugin cmpd_plugin = {
    .abi_major = CMPD_PLUGIN_ABI_MAJOR,
    .abi_minor = CMPD_PLUGIN_ABI_MINOR,
    .struct_size = sizeof(struct cmpd_plugin),
    .name = "stuck",
    .open = open_instance,
    .decide = decide,
};
