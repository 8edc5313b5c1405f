/*
 * Commands on shared secrets: add, list, remove.
 */
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/pool.h"
#include "conf/conf.h"
#include "ctl/handlers.h"
#include "ctl/object.h"
#include "ctl/protocol.h"
#include "enrol/desk.h"
#include "model/name.h"
#include "store/store.h"

#define REF_MAX		128
#define GENERATED_LEN	26 /* 26 characters of 5 bits: 130 random bits */
#define TTL_MAX_MS	(100LL * 366 * 86400 * 1000)
#define EXPIRED_KEEP_MS (INT64_C(24) * 3600 * 1000)
#define SCAN_PAGE	500

/* Without i, l, o and u: nobody mistakes one for another when reading aloud. */
static const char alphabet[33] = "0123456789abcdefghjkmnpqrstvwxyz";

static int
secret_generate(struct pool *pool, const char **ret)
{
	char *text = pool_alloc(pool, GENERATED_LEN + 1);

	if (!text) {
		return CMPD_ENOMEM;
	}
	random_bytes(text, GENERATED_LEN);
	for (size_t i = 0; i < GENERATED_LEN; i++) {
		text[i] = alphabet[(uint8_t)text[i] & 31];
	}
	*ret = text;
	return 0;
}

/* The secret given in hex, or a new one; *ret_text: the new one, to be told once. */
static int
secret_value(struct ctl_context *context, struct bytes *ret, const char **ret_text)
{
	const char *hex = ctl_arg_string(context, "secret_hex");
	uint8_t *value;
	size_t len = 0;
	int r;

	if (!hex) {
		r = secret_generate(context->desk->pool, ret_text);
		*ret = bytes_str(*ret_text);
		return r;
	}
	value = pool_alloc(context->desk->pool, SECRET_SIZE_MAX);
	if (!value) {
		return CMPD_ENOMEM;
	}
	r = hex_decode(hex, value, SECRET_SIZE_MAX, &len);
	if (r < 0 || len == 0) {
		return diag_set(&context->diag, CMPD_EINVAL, "a secret is 1 to %d bytes",
		    SECRET_SIZE_MAX);
	}
	*ret = bytes_of(value, len);
	return 0;
}

/* A reference value is told on telephones and in logs: printable, one line. */
static int
check_ref(struct ctl_context *context, const char *ref)
{
	char *clean;
	bool same;

	if (*ref == '\0' || strlen(ref) > REF_MAX) {
		return diag_set(&context->diag, CMPD_EINVAL, "a reference is 1 to %d bytes",
		    REF_MAX);
	}
	clean = ctl_text_clean(ref, false, 3 * REF_MAX + 64);
	same = clean && strcmp(clean, ref) == 0;
	free(clean);
	return same ? 0
		    : diag_set(&context->diag, CMPD_EINVAL,
			  "a reference has no control or invisible characters");
}

/* The bound subject in the form the desk compares. */
static int
bind_subject(struct ctl_context *context, const char **ret)
{
	const char *text = ctl_arg_string(context, "subject");
	struct bytes der;
	int r;

	if (!text) {
		return 0;
	}
	r = name_from_text(context->desk->pool, text, &der);
	if (r == 0) {
		r = name_to_text(context->desk->pool, der, ret);
	}
	return r == CMPD_EFORMAT ? diag_set(&context->diag, CMPD_EINVAL,
				       "subject: write it as /C=DE/O=example/CN=name")
				 : r;
}

static int
bind_places(struct ctl_context *context, struct secret *secret)
{
	const struct conf *conf = context->desk->conf;

	secret->endpoint = ctl_arg_string(context, "endpoint");
	secret->profile = ctl_arg_string(context, "profile");
	if (secret->endpoint && !conf_endpoint_find(conf, secret->endpoint)) {
		return diag_set(&context->diag, CMPD_EINVAL, "no such endpoint is configured");
	}
	if (secret->profile && !conf_profile_find(conf, secret->profile)) {
		return diag_set(&context->diag, CMPD_EINVAL, "no such profile is configured");
	}
	return bind_subject(context, &secret->subject);
}

static int
bind_lifetime(struct ctl_context *context, struct secret *secret)
{
	int64_t uses = ctl_arg_integer(context, "uses", -1);
	int64_t ttl = ctl_arg_integer(context, "ttl", 0);

	if (uses == 0 || uses < -1) {
		return diag_set(&context->diag, CMPD_EINVAL, "uses: at least 1");
	}
	if (ttl < 0 || ttl > TTL_MAX_MS) {
		return diag_set(&context->diag, CMPD_EINVAL, "ttl: out of range");
	}
	secret->uses_left = uses;
	secret->expires = ttl > 0 ? context->desk->now + ttl : 0;
	/* Kept for a while, so that whoever comes too late is told that and not that it is unknown. */
	secret->due = ttl > 0 ? secret->expires + EXPIRED_KEEP_MS : 0;
	return 0;
}

static void
put_secret(struct ctl_object *object, const struct secret *secret)
{
	ctl_object_text(object, "ref", secret->ref);
	ctl_object_text(object, "endpoint", secret->endpoint);
	ctl_object_text(object, "profile", secret->profile);
	ctl_object_text(object, "subject", secret->subject);
	ctl_object_json(object, "uses_left",
	    secret->uses_left < 0 ? json_null() : json_integer(secret->uses_left));
	ctl_object_time(object, "created", secret->created);
	ctl_object_time(object, "expires", secret->expires);
}

/* Is there one already that the new one would hide or be hidden by? An expired one makes room. */
static int
check_new(struct ctl_context *context, const struct secret *secret)
{
	struct desk *desk = context->desk;
	struct secret found;
	int r = store_secret_find(desk->reader, desk->pool, secret->ref, secret->endpoint, &found);

	if (r == CMPD_ENOENT) {
		return 0;
	}
	if (r == 0 && (!secret->endpoint) == (!found.endpoint)) {
		if (found.expires != 0 && found.expires <= desk->now) {
			unit_remove_secret(desk->unit, found.id);
			return 0;
		}
		return diag_set(&context->diag, CMPD_EEXIST,
		    "there is a secret with this reference");
	}
	return r;
}

int
ctl_secret_add(struct ctl_context *context, json_t **ret_data)
{
	struct secret secret = {0};
	struct ctl_object object;
	const char *told = NULL;
	int r;

	secret.ref = ctl_arg_string(context, "ref");
	secret.created = context->desk->now;
	r = check_ref(context, secret.ref);
	if (r == 0) {
		r = bind_places(context, &secret);
	}
	if (r == 0) {
		r = bind_lifetime(context, &secret);
	}
	if (r == 0) {
		r = check_new(context, &secret);
	}
	if (r == 0) {
		r = secret_value(context, &secret.value, &told);
	}
	if (r < 0) {
		return r;
	}
	unit_add_secret(context->desk->unit, &secret);
	unit_audit(context->desk->unit, context->desk->now, context->actor, "secret.added", NULL,
	    secret.ref);
	ctl_object_init(&object);
	put_secret(&object, &secret);
	if (told) {
		ctl_object_text(&object, "secret", told);
	}
	*ret_data = ctl_object_end(&object);
	return *ret_data ? 0 : CMPD_ENOMEM;
}

int
ctl_secret_list(struct ctl_context *context, json_t **ret_data)
{
	struct desk *desk = context->desk;
	struct secret *secrets = NULL;
	uint64_t next = 0;
	size_t n = 0;
	json_t *items;
	int r;

	r = store_secret_list(desk->reader, desk->pool,
	    (uint64_t)ctl_arg_integer(context, "after", 0), ctl_arg_limit(context), &secrets, &n,
	    &next);
	if (r < 0) {
		return r;
	}
	items = json_array();
	for (size_t i = 0; r == 0 && i < n; i++) {
		struct ctl_object object;

		ctl_object_init(&object);
		put_secret(&object, &secrets[i]);
		ctl_object_integer(&object, "open", (int64_t)secrets[i].open);
		ctl_object_boolean(&object, "removed", secrets[i].removed);
		r = ctl_object_append(&object, items);
		ctl_object_fini(&object);
	}
	if (r < 0) {
		json_decref(items);
		return r;
	}
	*ret_data = ctl_page_new(items, next);
	return *ret_data ? 0 : CMPD_ENOMEM;
}

/* ---- remove ---- */

struct removal {
	const char *ref;
	const char *endpoint; /* NULL: not named */
	size_t found;
	uint64_t id;
};

static bool
removal_fits(const struct removal *removal, const struct secret *secret)
{
	if (secret->removed || strcmp(secret->ref, removal->ref) != 0) {
		return false;
	}
	return !removal->endpoint ||
	       (secret->endpoint && strcmp(secret->endpoint, removal->endpoint) == 0);
}

static void
removal_note(struct removal *removal, const struct secret *secret)
{
	if (removal_fits(removal, secret) && secret->id != removal->id) {
		removal->id = secret->id;
		removal->found++;
	}
}

/* The places where secrets are looked up by reference: every endpoint, and none. */
static int
removal_find(struct ctl_context *context, struct removal *removal)
{
	struct desk *desk = context->desk;

	for (size_t i = 0; i <= desk->conf->n_endpoints; i++) {
		const char *endpoint =
		    i < desk->conf->n_endpoints ? desk->conf->endpoints[i].path : NULL;
		struct secret secret;
		int r =
		    store_secret_find(desk->reader, desk->pool, removal->ref, endpoint, &secret);

		if (r == 0) {
			removal_note(removal, &secret);
		} else if (r != CMPD_ENOENT) {
			return r;
		}
	}
	return 0;
}

/* For endpoints that are not configured any more: all of them. */
static int
removal_scan(struct ctl_context *context, struct removal *removal)
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
			removal_note(removal, &secrets[i]);
		}
		pool_free(pool);
	} while (r == 0 && after != 0);
	return r;
}

int
ctl_secret_remove(struct ctl_context *context, json_t **ret_data)
{
	struct removal removal = {
	    .ref = ctl_arg_string(context, "ref"),
	    .endpoint = ctl_arg_string(context, "endpoint"),
	};
	struct ctl_object object;
	int r = removal_find(context, &removal);

	if (r == 0 && removal.found == 0) {
		r = removal_scan(context, &removal);
	}
	if (r < 0) {
		return r;
	}
	if (removal.found == 0) {
		return diag_set(&context->diag, CMPD_ENOENT, "no secret has this reference");
	}
	if (removal.found > 1) {
		return diag_set(&context->diag, CMPD_EINVAL,
		    "several endpoints have a secret with this reference: name the endpoint");
	}
	unit_remove_secret(context->desk->unit, removal.id);
	unit_audit(context->desk->unit, context->desk->now, context->actor, "secret.removed", NULL,
	    removal.ref);
	ctl_object_init(&object);
	ctl_object_text(&object, "ref", removal.ref);
	*ret_data = ctl_object_end(&object);
	return *ret_data ? 0 : CMPD_ENOMEM;
}
