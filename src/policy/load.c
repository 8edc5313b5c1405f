#include "policy/load.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmpd/plugin.h>

#include "base/pool.h"
#include "policy/policy.h"

#define NAME_MAX_LEN 32
#define NAME_CHARS   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

static bool
is_name(const char *name)
{
	size_t len = strnlen(name, NAME_MAX_LEN + 1);

	return len > 0 && len <= NAME_MAX_LEN && strspn(name, NAME_CHARS) == len;
}

int
policy_plugin_path(struct pool *pool, const char *plugin_dir, const char *plugin, const char **ret,
    struct diag *diag)
{
	const char *path;

	if (plugin[0] == '/') {
		path = pool_strdup(pool, plugin);
	} else if (!is_name(plugin)) {
		return diag_set(diag, CMPD_ECONF,
		    "\"%s\" is neither a plugin's name nor an absolute path", plugin);
	} else if (plugin_dir == NULL) {
		return diag_set(diag, CMPD_ECONF, "plugin_dir is not set");
	} else {
		path = pool_printf(pool, "%s/%s.so", plugin_dir, plugin);
	}
	if (path == NULL) {
		return diag_set(diag, CMPD_ENOMEM, "out of memory");
	}
	*ret = path;
	return 0;
}

/* What is loaded runs with the rights of the daemon. */
static int
check_file(const char *file, struct diag *diag)
{
	struct stat st;

	if (stat(file, &st) != 0) {
		return diag_set(diag, CMPD_ECONF, "%s: %s%s", file, strerror(errno),
		    errno == ENOENT ? " (plugins given by name are in plugin_dir)" : "");
	}
	if (!S_ISREG(st.st_mode)) {
		return diag_set(diag, CMPD_ECONF, "%s is not a regular file", file);
	}
	if (st.st_mode & S_IWOTH) {
		return diag_set(diag, CMPD_ECONF, "%s can be written by everybody", file);
	}
	return 0;
}

/* The fields are read in an order that is right for every version of the struct. */
static int
check_api(const struct cmpd_plugin *api, const char *file, struct diag *diag)
{
	if (api->abi_major != CMPD_PLUGIN_ABI_MAJOR) {
		return diag_set(diag, CMPD_ECONF,
		    "%s is made for version %u of the plugin interface, not for %u", file,
		    api->abi_major, CMPD_PLUGIN_ABI_MAJOR);
	}
	if (api->struct_size < sizeof(struct cmpd_plugin)) {
		return diag_set(diag, CMPD_ECONF, "%s: struct_size %u is less than %zu", file,
		    api->struct_size, sizeof(struct cmpd_plugin));
	}
	if (api->name == NULL || !is_name(api->name)) {
		return diag_set(diag, CMPD_ECONF, "%s: name is missing or not made of %s", file,
		    "letters, digits, - and _");
	}
	if (api->decide == NULL) {
		return diag_set(diag, CMPD_ECONF, "%s: decide is missing", file);
	}
	if (api->flags & ~CMPD_PLUGIN_NONBLOCKING) {
		return diag_set(diag, CMPD_ECONF, "%s: flags 0x%x are not known", file, api->flags);
	}
	return 0;
}

static int
load(const char *file, void **ret_handle, const struct cmpd_plugin **ret_api, struct diag *diag)
{
	const struct cmpd_plugin *api;
	const char *why;
	void *handle;
	int rc = check_file(file, diag);

	if (rc != 0) {
		return rc;
	}
	handle = dlopen(file, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (handle == NULL) {
		why = dlerror();
		return diag_set(diag, CMPD_ECONF, "%s", why != NULL ? why : "cannot be loaded");
	}
	api = dlsym(handle, "cmpd_plugin");
	rc = api != NULL ? check_api(api, file, diag)
			 : diag_set(diag, CMPD_ECONF, "%s does not export cmpd_plugin", file);
	if (rc != 0) {
		dlclose(handle);
		return rc;
	}
	*ret_handle = handle;
	*ret_api = api;
	return 0;
}

int
policy_plugin_open(struct pool *pool, const char *file, struct policy_plugin **ret,
    struct diag *diag)
{
	struct policy_plugin *plugin = pool_alloc(pool, sizeof(*plugin));
	int rc;

	if (plugin == NULL || (plugin->file = pool_strdup(pool, file)) == NULL) {
		return diag_set(diag, CMPD_ENOMEM, "out of memory");
	}
	rc = load(file, &plugin->handle, &plugin->api, diag);
	if (rc == 0) {
		*ret = plugin;
	}
	return rc;
}

void
policy_plugin_close(struct policy_plugin *plugin)
{
	if (plugin != NULL) {
		dlclose(plugin->handle);
	}
}

bool
policy_plugin_is_held(const struct policy_plugin *plugin)
{
	return atomic_load(&plugin->stuck) >= policy_limits.replacements;
}

/* The child of policy_plugin_try: "ok" or a sentence into the pipe that was its standard output. */
int
policy_try_main(const char *file)
{
	const struct cmpd_plugin *api;
	struct diag diag = {.text = ""};
	const char *text = "ok";
	void *handle;
	int out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	/* What the plugin prints must not be taken for the answer. */
	if (out < 0 || null < 0 || dup2(null, STDOUT_FILENO) < 0) {
		return 1;
	}
	if (load(file, &handle, &api, &diag) != 0) {
		text = diag.text;
	}
	if (write(out, text, strlen(text)) != (ssize_t)strlen(text)) {
		return 1;
	}
	/* Loading was the question: what a plugin does at exit does not count. */
	_exit(0);
}
