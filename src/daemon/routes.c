#include "daemon/routes.h"

#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"

struct route {
	const struct conf_endpoint *endpoint;
	const char *path; /* its own or an alias */
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

static size_t
count_paths(const struct conf *conf)
{
	size_t n = conf->n_endpoints;

	for (size_t i = 0; i < conf->n_endpoints; i++) {
		const char **alias = conf->endpoints[i].aliases;

		for (; alias != NULL && *alias != NULL; alias++) {
			n++;
		}
	}
	return n;
}

static void
add_path(struct routes *routes, const struct conf_endpoint *endpoint, const char *path)
{
	struct route *route = &routes->routes[routes->n++];
	size_t len = strlen(path);

	route->endpoint = endpoint;
	route->path = path;
	route->len = len;
}

struct routes *
routes_new(const struct conf *conf)
{
	struct routes *routes =
	    calloc(1, sizeof(*routes) + count_paths(conf) * sizeof(routes->routes[0]));

	if (routes == NULL) {
		return NULL;
	}
	for (size_t i = 0; i < conf->n_endpoints; i++) {
		const struct conf_endpoint *endpoint = &conf->endpoints[i];

		add_path(routes, endpoint, endpoint->path);
		for (const char **alias = endpoint->aliases; alias != NULL && *alias != NULL;
		     alias++) {
			add_path(routes, endpoint, *alias);
		}
	}
	qsort(routes->routes, routes->n, sizeof(routes->routes[0]), compare);
	return routes;
}

void
routes_free(struct routes *routes)
{
	free(routes);
}

/* What follows the path of a route: nothing, or an operation behind one slash (which an alias may end with). */
static bool
fits(const struct route *route, const char *rest, enum cmp_operation *ret)
{
	bool slash = route->path[route->len - 1] == '/';

	*ret = CMP_OP_NONE;
	if (*rest == '\0') {
		return true;
	}
	if (!slash && *rest++ != '/') {
		return false;
	}
	return cmp_operation_parse(rest, strlen(rest), route->endpoint->short_labels, ret) == 0;
}

int
routes_find(const struct routes *routes, const char *path,
    const struct conf_endpoint **ret_endpoint, enum cmp_operation *ret_operation)
{
	size_t len = strlen(path);

	for (size_t i = 0; i < routes->n; i++) {
		const struct route *route = &routes->routes[i];
		enum cmp_operation operation;

		if (len >= route->len && memcmp(path, route->path, route->len) == 0 &&
		    fits(route, path + route->len, &operation)) {
			*ret_endpoint = route->endpoint;
			*ret_operation = operation;
			return 0;
		}
	}
	return CMPD_ENOENT;
}
