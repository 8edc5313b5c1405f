/*
 * Which endpoint a path belongs to (RFC 9811 3.4): its own path, or its path and the name of an operation behind it.
 */
#pragma once

#include "base/error.h"
#include "cmp/door.h"

struct conf;
struct conf_endpoint;
struct routes;

/* NULL: out of memory. conf must live longer. */
struct routes *routes_new(const struct conf *conf);
void routes_free(struct routes *routes);

/* path as it stands in the request. CMPD_ENOENT. */
int routes_find(const struct routes *routes, const char *path,
    const struct conf_endpoint **ret_endpoint, enum cmp_operation *ret_operation) CMPD_MUST_CHECK;
