#include "daemon/routes.h"

#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"

struct route {
	const struct conf_endpoint *endpoint;
	size_t len;
};

struct routes {
	size_t n;
	struct route routes
	    []; /* longest path first: an endpoint may be named like an operation of another */
};

static int
compare(const void *a, const void *b)
{
	const struct route *x = a, *y = b;

	return (x->len < y->len) - (x->len > y->len);
}

struct routes *
routes_new(const struct conf *conf)
{
	struct routes *routes =
	    calloc(1, sizeof(*routes) + conf->n_endpoints * sizeof(routes->routes[0]));

	if (routes == NULL) {
		return NULL;
	}
	routes->n = conf->n_endpoints;
	for (size_t i = 0; i < conf->n_endpoints; i++) {
		routes->routes[i].endpoint = &conf->endpoints[i];
		routes->routes[i].len = strlen(conf->endpoints[i].path);
	}
	qsort(routes->routes, routes->n, sizeof(routes->routes[0]), compare);
	return routes;
}

void
routes_free(struct routes *routes)
{
	free(routes);
}

int
routes_find(const struct routes *routes, const char *path,
    const struct conf_endpoint **ret_endpoint, enum cmp_operation *ret_operation)
{
	size_t len = strlen(path);

	for (size_t i = 0; i < routes->n; i++) {
		const struct route *route = &routes->routes[i];
		enum cmp_operation operation = CMP_OP_NONE;

		if (len < route->len || memcmp(path, route->endpoint->path, route->len) != 0) {
			continue;
		}
		if (len > route->len &&
		    (path[route->len] != '/' || cmp_operation_parse(path + route->len + 1,
						    len - route->len - 1, &operation) < 0)) {
			continue;
		}
		*ret_endpoint = route->endpoint;
		*ret_operation = operation;
		return 0;
	}
	return CMPD_ENOENT;
}
