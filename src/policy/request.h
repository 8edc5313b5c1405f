/*
 * What plugins see of a request: the copy behind struct cmpd_request. The
 * accessors of include/cmpd/request.h are in request.c.
 */
#pragma once

#include <pthread.h>

#include "policy/policy.h"

struct pool;
struct policy_call;

struct cmpd_request {
	struct policy_call *call; /* whose request it is; NULL in tests */
	struct policy_request copy;
	char txn[2 * TXN_ID_MAX + 1];
	size_t n_sans;
	pthread_mutex_t lock; /* of pool: plugins with threads of their own allocate too */
	struct pool *pool;
};

/* Copies. CMPD_ENOMEM. */
int policy_request_init(struct cmpd_request *request, const struct policy_request *from,
    struct policy_call *call) CMPD_MUST_CHECK;
void policy_request_fini(struct cmpd_request *request);

/* A copy that lives as long as the request; NULL: out of memory, or string is NULL. */
char *policy_request_strdup(struct cmpd_request *request, const char *string);
