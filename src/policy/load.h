/*
 * One plugin file: found, tried in a child process, loaded, checked.
 * Nothing here calls the plugin.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "base/error.h"
#include "policy/limits.h"

struct cmpd_plugin;
struct pool;

struct policy_plugin {
	struct policy_plugin *next;
	const char *file;
	const struct cmpd_plugin *api;
	void *handle;
	atomic_uint stuck; /* threads it has cost so far */
};

/* "allow" -> plugin_dir/allow.so; an absolute path stays. In pool. CMPD_ECONF, CMPD_ENOMEM. */
int policy_plugin_path(struct pool *pool, const char *plugin_dir, const char *plugin,
    const char **ret, struct diag *diag) CMPD_MUST_CHECK;

/* Loads file in a child process and looks what becomes of it. CMPD_ECONF with a sentence; CMPD_EIO: no child. */
int policy_plugin_try(const char *file, struct diag *diag) CMPD_MUST_CHECK;

/* Loads it here; in pool. To be closed by policy_plugin_close. CMPD_ECONF, CMPD_ENOMEM. */
int policy_plugin_open(struct pool *pool, const char *file, struct policy_plugin **ret,
    struct diag *diag) CMPD_MUST_CHECK;
/* The code stays in memory (a plugin's libraries may have left handlers behind); so a plugin file that
 * was replaced takes effect when the daemon starts again. */
void policy_plugin_close(struct policy_plugin *plugin);

/* It has cost so many threads that it is not asked any more. */
bool policy_plugin_is_held(const struct policy_plugin *plugin);
