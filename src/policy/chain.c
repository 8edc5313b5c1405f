#include "policy/chain.h"

#include <string.h>

#include <cmpd/plugin.h>

#include "base/log.h"
#include "base/pool.h"

#define ERROR_SIZE 256

/* ---- what plugins call ---- */

const char *
cmpd_config_get(const struct cmpd_config *config, const char *key, size_t n)
{
	for (size_t i = 0; i < config->n_args; i++) {
		if (strcmp(config->args[i].key, key) == 0 && n-- == 0) {
			return config->args[i].value;
		}
	}
	return NULL;
}

/* The first value of a key, not a further one of a list. */
static bool
is_first(const struct cmpd_config *config, size_t i)
{
	for (size_t j = 0; j < i; j++) {
		if (strcmp(config->args[j].key, config->args[i].key) == 0) {
			return false;
		}
	}
	return true;
}

const char *
cmpd_config_key(const struct cmpd_config *config, size_t n)
{
	for (size_t i = 0; i < config->n_args; i++) {
		if (is_first(config, i) && n-- == 0) {
			return config->args[i].key;
		}
	}
	return NULL;
}

/* ---- links ---- */

static int
copy_config(struct pool *pool, const struct conf_policy *from, struct cmpd_config *to)
{
	to->args = pool_alloc(pool, (from->n_args + 1) * sizeof(*to->args));
	if (to->args == NULL) {
		return CMPD_ENOMEM;
	}
	for (size_t i = 0; i < from->n_args; i++) {
		to->args[i].key = pool_strdup(pool, from->args[i].key);
		to->args[i].value = pool_strdup(pool, from->args[i].value);
		if (to->args[i].key == NULL || to->args[i].value == NULL) {
			return CMPD_ENOMEM;
		}
	}
	to->n_args = from->n_args;
	return 0;
}

/* A file that several places use is tried and opened once. */
static int
get_plugin(struct policy *policy, const char *file, struct policy_plugin **ret, struct diag *diag)
{
	struct policy_plugin *plugin;
	int rc;

	for (plugin = policy->plugins; plugin != NULL; plugin = plugin->next) {
		if (strcmp(plugin->file, file) == 0) {
			*ret = plugin;
			return 0;
		}
	}
	rc = policy_plugin_try(file, diag);
	if (rc == 0) {
		rc = policy_plugin_open(policy->pool, file, &plugin, diag);
	}
	if (rc == 0) {
		plugin->next = policy->plugins;
		policy->plugins = plugin;
		*ret = plugin;
	}
	return rc;
}

static int
open_instance(struct policy_link *link, struct diag *diag)
{
	const struct cmpd_plugin *api = link->plugin->api;
	char error[ERROR_SIZE] = "";
	int rc = 0;

	if (api->check_config != NULL) {
		rc = api->check_config(&link->config, error, sizeof(error));
	}
	if (rc == 0 && api->open != NULL) {
		rc = api->open(&link->config, &link->instance, error, sizeof(error));
	}
	if (rc != 0) {
		error[sizeof(error) - 1] = '\0';
		return diag_set(diag, CMPD_ECONF, "%s",
		    error[0] != '\0' ? error : "refuses its configuration without a reason");
	}
	link->open = true;
	return 0;
}

static int
open_link(struct policy *policy, const char *plugin_dir, const struct conf_policy *from,
    struct policy_link *link, struct diag *diag)
{
	const char *file;
	int rc = policy_plugin_path(policy->pool, plugin_dir, from->plugin, &file, diag);

	if (rc == 0) {
		rc = get_plugin(policy, file, &link->plugin, diag);
	}
	if (rc == 0 && copy_config(policy->pool, from, &link->config) != 0) {
		rc = diag_set(diag, CMPD_ENOMEM, "out of memory");
	}
	if (rc == 0) {
		rc = open_instance(link, diag);
	}
	if (rc != 0) {
		diag_prefix(diag, "%s: plugin %s", from->where != NULL ? from->where : "-",
		    from->plugin);
	}
	return rc;
}

int
policy_chain_open(struct policy *policy, const struct conf *conf,
    const struct conf_endpoint *endpoint, struct policy_chain *chain, struct diag *diag)
{
	int rc = 0;

	chain->policy = policy;
	chain->path = pool_strdup(policy->pool, endpoint->path);
	chain->links = pool_alloc(policy->pool, (endpoint->n_policy + 1) * sizeof(*chain->links));
	if (chain->path == NULL || chain->links == NULL) {
		return diag_set(diag, CMPD_ENOMEM, "out of memory");
	}
	for (size_t i = 0; rc == 0 && i < endpoint->n_policy; i++) {
		/* Counted before it is open: close looks at link->open. */
		chain->n_links++;
		rc = open_link(policy, conf->plugin_dir, &endpoint->policy[i], &chain->links[i],
		    diag);
	}
	return rc;
}

static void
close_link(struct policy_link *link)
{
	const struct cmpd_plugin *api = link->plugin->api;

	if (atomic_load(&link->busy) > 0) {
		log_msg(LOG_LEVEL_ERROR, "policy.stuck",
		    "plugin %s does not return from decide; its instance is left open", api->name);
		return;
	}
	if (api->close != NULL) {
		api->close(link->instance);
	}
	if (atomic_load(&link->kept) > 0) {
		log_msg(LOG_LEVEL_ERROR, "policy.kept",
		    "plugin %s has not given back all requests it kept", api->name);
	}
}

void
policy_chain_close(struct policy_chain *chain)
{
	for (size_t i = chain->n_links; i-- > 0;) {
		if (chain->links[i].open) {
			close_link(&chain->links[i]);
		}
	}
}
