/*
 * What policy_new builds: plugins, chains of instances, one thread pool.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "conf/conf.h"
#include "policy/load.h"
#include "policy/policy.h"

struct policy_threads;

/* The plugin's group of the configuration, copied. */
struct cmpd_config {
	struct conf_arg *args;
	size_t n_args;
};

/* One place in a chain. */
struct policy_link {
	struct policy_plugin *plugin;
	struct cmpd_config config;
	void *instance;
	bool open;
	atomic_uint busy; /* threads in decide */
	atomic_uint kept; /* requests the plugin keeps */
};

struct policy_chain {
	struct policy *policy;
	const char *path; /* of the endpoint */
	struct policy_link *links;
	size_t n_links;
};

struct policy {
	atomic_uint refs; /* the owner's and one of each call */
	struct pool *pool; /* all memory of this struct's */
	struct policy_plugin *plugins;
	struct policy_chain *chains;
	size_t n_chains;
	const char **profiles; /* NULL-ended: names a verdict may use */
	struct policy_threads *threads; /* NULL: no plugin needs them */

	/* The gate every late callback goes through; closed by policy_free. */
	pthread_mutex_t lock;
	pthread_cond_t left;
	unsigned inside;
	bool closed;
};

/* Builds one chain, in policy's pool. CMPD_ECONF, CMPD_ENOMEM. */
int policy_chain_open(struct policy *policy, const struct conf *conf,
    const struct conf_endpoint *endpoint, struct policy_chain *chain,
    struct diag *diag) CMPD_MUST_CHECK;
void policy_chain_close(struct policy_chain *chain);

struct policy *policy_get1(struct policy *policy);
void policy_unref(struct policy *policy);

/* False: policy_free has begun its end, the callback must not be called. Otherwise leave it afterwards. */
bool policy_enter(struct policy *policy);
void policy_leave(struct policy *policy);

/* Rejects what makes no sense and copies the rest so that it lives as long as the request. CMPD_EPLUGIN with a sentence. */
struct cmpd_request;
struct cmpd_verdict;
int policy_verdict_take(const struct policy *policy, const struct policy_link *link,
    struct cmpd_request *request, const struct cmpd_verdict *from, struct policy_verdict *ret,
    struct diag *diag) CMPD_MUST_CHECK;
