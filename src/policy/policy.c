#include "policy/policy.h"

#include <stdlib.h>
#include <string.h>

#include <cmpd/plugin.h>

#include "base/pool.h"
#include "policy/chain.h"
#include "policy/threads.h"

#define POOL_LIMIT     (64 * 1024 * 1024)
#define THREADS_LOWEST 1

/* ---- the struct ---- */

static struct policy *
alloc(void)
{
	struct policy *policy = calloc(1, sizeof(*policy));

	if (policy == NULL) {
		return NULL;
	}
	policy->pool = pool_new(POOL_LIMIT);
	if (policy->pool == NULL) {
		free(policy);
		return NULL;
	}
	atomic_init(&policy->refs, 1);
	pthread_mutex_init(&policy->lock, NULL);
	pthread_cond_init(&policy->left, NULL);
	return policy;
}

struct policy *
policy_get1(struct policy *policy)
{
	atomic_fetch_add(&policy->refs, 1);
	return policy;
}

void
policy_unref(struct policy *policy)
{
	if (atomic_fetch_sub(&policy->refs, 1) == 1) {
		pthread_cond_destroy(&policy->left);
		pthread_mutex_destroy(&policy->lock);
		pool_free(policy->pool);
		free(policy);
	}
}

bool
policy_enter(struct policy *policy)
{
	bool open;

	pthread_mutex_lock(&policy->lock);
	open = !policy->closed;
	policy->inside += open ? 1 : 0;
	pthread_mutex_unlock(&policy->lock);
	return open;
}

void
policy_leave(struct policy *policy)
{
	pthread_mutex_lock(&policy->lock);
	policy->inside--;
	pthread_cond_broadcast(&policy->left);
	pthread_mutex_unlock(&policy->lock);
}

/* ---- building ---- */

static int
copy_profiles(struct policy *policy, const struct conf *conf)
{
	policy->profiles = pool_alloc(policy->pool, (conf->n_profiles + 1) * sizeof(char *));
	for (size_t i = 0; policy->profiles != NULL && i < conf->n_profiles; i++) {
		policy->profiles[i] = pool_strdup(policy->pool, conf->profiles[i].name);
		if (policy->profiles[i] == NULL) {
			return CMPD_ENOMEM;
		}
	}
	return policy->profiles != NULL ? 0 : CMPD_ENOMEM;
}

static int
open_chains(struct policy *policy, const struct conf *conf, struct diag *diag)
{
	int rc = 0;

	policy->chains =
	    pool_alloc(policy->pool, (conf->n_endpoints + 1) * sizeof(*policy->chains));
	if (policy->chains == NULL) {
		return diag_set(diag, CMPD_ENOMEM, "out of memory");
	}
	for (size_t i = 0; rc == 0 && i < conf->n_endpoints; i++) {
		policy->n_chains++;
		rc = policy_chain_open(policy, conf, &conf->endpoints[i], &policy->chains[i], diag);
	}
	return rc;
}

static int
start_threads(struct policy *policy, const struct conf *conf, struct diag *diag)
{
	int64_t n = conf->plugin_threads, queue = conf->limits.parked;
	bool needed = false;

	for (struct policy_plugin *p = policy->plugins; p != NULL; p = p->next) {
		needed = needed || !(p->api->flags & CMPD_PLUGIN_NONBLOCKING);
	}
	if (!needed) {
		return 0;
	}
	policy->threads = policy_threads_new((size_t)(n > 0 ? n : THREADS_LOWEST),
	    (size_t)(queue > 0 ? queue : POLICY_QUEUE_DEFAULT));
	if (policy->threads == NULL) {
		return diag_set(diag, CMPD_EUNAVAILABLE, "no plugin threads");
	}
	return 0;
}

int
policy_new(const struct conf *conf, struct policy **ret, struct diag *diag)
{
	struct policy *policy = alloc();
	int rc;

	if (policy == NULL || copy_profiles(policy, conf) != 0) {
		rc = diag_set(diag, CMPD_ENOMEM, "out of memory");
		goto out;
	}
	rc = open_chains(policy, conf, diag);
	if (rc != 0) {
		goto out;
	}
	rc = start_threads(policy, conf, diag);
	if (rc != 0) {
		goto out;
	}
	*ret = policy;
	policy = NULL;
out:
	policy_free(policy);
	return rc;
}

void
policy_free(struct policy *policy)
{
	if (policy == NULL) {
		return;
	}
	policy_threads_stop(policy->threads);
	for (size_t i = policy->n_chains; i-- > 0;) {
		policy_chain_close(&policy->chains[i]);
	}
	pthread_mutex_lock(&policy->lock);
	policy->closed = true;
	while (policy->inside > 0) {
		pthread_cond_wait(&policy->left, &policy->lock);
	}
	pthread_mutex_unlock(&policy->lock);
	for (struct policy_plugin *p = policy->plugins; p != NULL; p = p->next) {
		policy_plugin_close(p);
	}
	policy_unref(policy);
}

const struct policy_chain *
policy_chain_get0(const struct policy *policy, const struct conf_endpoint *endpoint)
{
	for (size_t i = 0; i < policy->n_chains; i++) {
		if (strcmp(policy->chains[i].path, endpoint->path) == 0) {
			return &policy->chains[i];
		}
	}
	return NULL;
}
