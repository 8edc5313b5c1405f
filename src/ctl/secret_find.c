#include "ctl/secret_find.h"

#include <string.h>

#include "base/pool.h"
#include "conf/conf.h"
#include "enrol/desk.h"
#include "store/store.h"

#define SCAN_PAGE 500

struct search {
	const char *ref;
	const char *endpoint; /* NULL: not named */
	bool retiring;
	bool place; /* endpoint counts even if it is NULL */
	size_t found;
	uint64_t id;
};

static bool
fits(const struct search *search, const struct secret *secret)
{
	if (secret->removed || secret->retiring != search->retiring ||
	    strcmp(secret->ref, search->ref) != 0) {
		return false;
	}
	if (!search->endpoint) {
		return !search->place || !secret->endpoint;
	}
	return secret->endpoint && strcmp(secret->endpoint, search->endpoint) == 0;
}

static void
note(struct search *search, const struct secret *secret)
{
	if (fits(search, secret) && secret->id != search->id) {
		search->id = secret->id;
		search->found++;
	}
}

/* The places where secrets are looked up by reference: every endpoint, and none. */
static int
look_up(struct ctl_context *context, struct search *search)
{
	struct desk *desk = context->desk;

	for (size_t i = 0; i <= desk->conf->n_endpoints; i++) {
		const char *endpoint =
		    i < desk->conf->n_endpoints ? desk->conf->endpoints[i].path : NULL;
		struct secret secret;
		int r = search->retiring ? store_secret_find_retiring(desk->reader, desk->pool,
					       search->ref, endpoint, &secret)
					 : store_secret_find(desk->reader, desk->pool, search->ref,
					       endpoint, &secret);

		if (r == 0) {
			note(search, &secret);
		} else if (r != CMPD_ENOENT) {
			return r;
		}
	}
	return 0;
}

/* For endpoints that are not configured any more: all of them. */
static int
scan(struct ctl_context *context, struct search *search)
{
	uint64_t after = 0;
	int r;

	do {
		struct pool *pool = pool_new(16u * 1024 * 1024);
		struct secret *secrets = NULL;
		size_t n = 0;

		r = pool ? store_secret_list(context->desk->reader, pool, after, SCAN_PAGE,
			       &secrets, &n, &after)
			 : CMPD_ENOMEM;
		for (size_t i = 0; r == 0 && i < n; i++) {
			note(search, &secrets[i]);
		}
		pool_free(pool);
	} while (r == 0 && after != 0);
	return r;
}

static int
find(struct ctl_context *context, struct search *search, struct secret *ret)
{
	struct desk *desk = context->desk;
	int r = look_up(context, search);

	if (r == 0 && search->found == 0 && !search->place) {
		r = scan(context, search);
	}
	if (r < 0) {
		return r;
	}
	if (search->found > 1) {
		return diag_set(&context->diag, CMPD_EINVAL,
		    "several endpoints have a secret with this reference: name the endpoint");
	}
	return search->found == 0 ? CMPD_ENOENT
				  : store_secret_get(desk->reader, desk->pool, search->id, ret);
}

int
ctl_secret_find(struct ctl_context *context, const char *ref, const char *endpoint, bool retiring,
    struct secret *ret)
{
	struct search search = {.ref = ref, .endpoint = endpoint, .retiring = retiring};

	return find(context, &search, ret);
}

int
ctl_secret_before(struct ctl_context *context, const struct secret *secret, struct secret *ret)
{
	struct search search = {
	    .ref = secret->ref, .endpoint = secret->endpoint, .retiring = true, .place = true};

	return find(context, &search, ret);
}
