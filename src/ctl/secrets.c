/*
 * Commands on shared secrets: add, rotate, list, remove.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/pool.h"
#include "conf/conf.h"
#include "ctl/handlers.h"
#include "ctl/object.h"
#include "ctl/protocol.h"
#include "ctl/secret_find.h"
#include "enrol/desk.h"
#include "model/name.h"
#include "store/store.h"

#define REF_MAX		128
#define GENERATED_LEN	26 /* 26 characters of 5 bits: 130 random bits */
#define TTL_MAX_MS	(100LL * 366 * 86400 * 1000)
#define EXPIRED_KEEP_MS (INT64_C(24) * 3600 * 1000)
#define OVERLAP_MS	(INT64_C(7) * 24 * 3600 * 1000)

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

/* What is not said stays as it is. */
static int
bind_lifetime(struct ctl_context *context, struct secret *secret)
{
	int64_t uses = ctl_arg_integer(context, "uses", secret->uses_left);
	int64_t ttl = ctl_arg_integer(context, "ttl", 0);

	if (uses == 0 || uses < -1) {
		return diag_set(&context->diag, CMPD_EINVAL, "uses: at least 1");
	}
	if (ttl < 0 || ttl > TTL_MAX_MS) {
		return diag_set(&context->diag, CMPD_EINVAL, "ttl: out of range");
	}
	secret->uses_left = uses;
	if (ttl > 0) {
		secret->expires = context->desk->now + ttl;
	}
	/* Kept for a while, so that whoever comes too late is told that and not that it is unknown. */
	secret->due = secret->expires > 0 ? secret->expires + EXPIRED_KEEP_MS : 0;
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
	ctl_object_boolean(object, "until_confirmed", secret->until_confirmed);
}

static bool
is_expired(const struct ctl_context *context, const struct secret *secret)
{
	return secret->expires != 0 && secret->expires <= context->desk->now;
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
		if (is_expired(context, &found)) {
			unit_remove_secret(desk->unit, found.id);
			return 0;
		}
		return diag_set(&context->diag, CMPD_EEXIST,
		    "there is a secret with this reference: secret rotate gives it a new one");
	}
	return r;
}

static int
add_secret(struct ctl_context *context, const struct secret *secret, const char *what,
    const char *told, json_t **ret_data)
{
	struct ctl_object object;

	unit_add_secret(context->desk->unit, secret);
	unit_audit(context->desk->unit, context->desk->now, context->actor, what, NULL,
	    secret->ref);
	ctl_object_init(&object);
	put_secret(&object, secret);
	if (told) {
		ctl_object_text(&object, "secret", told);
	}
	*ret_data = ctl_object_end(&object);
	return *ret_data ? 0 : CMPD_ENOMEM;
}

int
ctl_secret_add(struct ctl_context *context, json_t **ret_data)
{
	struct secret secret = {.uses_left = -1};
	const char *told = NULL;
	int r;

	secret.ref = ctl_arg_string(context, "ref");
	secret.created = context->desk->now;
	secret.until_confirmed = ctl_arg_boolean(context, "until_confirmed");
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
	return add_secret(context, &secret, "secret.added", told, ret_data);
}

/* ---- rotate ---- */

/* The old one retires, or goes at once. At most one retires at a time: who asks has two MACs computed, not any number. */
static int
make_place(struct ctl_context *context, const struct secret *old, int64_t overlap)
{
	struct desk *desk = context->desk;
	struct secret before;
	char until[CLOCK_TEXT_SIZE];
	int r;

	if (overlap == 0) {
		unit_remove_secret(desk->unit, old->id);
		return 0;
	}
	r = ctl_secret_before(context, old, &before);
	if (r == 0 && !is_expired(context, &before)) {
		return diag_set(&context->diag, CMPD_EEXIST,
		    "the one before it is good until %s: wait, or secret remove --retiring",
		    clock_format(before.expires, until));
	}
	if (r == 0) {
		unit_remove_secret(desk->unit, before.id);
	} else if (r != CMPD_ENOENT) {
		return r;
	}
	unit_retire_secret(desk->unit, old->id, desk->now + overlap,
	    desk->now + overlap + EXPIRED_KEEP_MS);
	return 0;
}

/* The new one is bound like the old one, and has what that had left. */
static int
renew(struct ctl_context *context, const struct secret *old, struct secret *ret)
{
	struct secret secret = {.ref = old->ref,
	    .endpoint = old->endpoint,
	    .profile = old->profile,
	    .subject = old->subject,
	    .uses_left = old->uses_left,
	    .expires = old->expires,
	    .created = context->desk->now,
	    .until_confirmed = old->until_confirmed};
	int r;

	if (old->uses_left == 0 && ctl_arg_integer(context, "uses", 0) == 0) {
		return diag_set(&context->diag, CMPD_EINVAL,
		    "the secret is used up: say how many uses the new one has (uses)");
	}
	if (is_expired(context, old) && ctl_arg_integer(context, "ttl", 0) == 0) {
		return diag_set(&context->diag, CMPD_EINVAL,
		    "the secret has expired: say how long the new one is good (ttl)");
	}
	r = bind_lifetime(context, &secret);
	if (r == 0) {
		*ret = secret;
	}
	return r;
}

int
ctl_secret_rotate(struct ctl_context *context, json_t **ret_data)
{
	int64_t overlap = ctl_arg_integer(context, "overlap", OVERLAP_MS);
	const char *told = NULL;
	struct secret old, secret;
	int r;

	if (overlap < 0 || overlap > TTL_MAX_MS) {
		return diag_set(&context->diag, CMPD_EINVAL, "overlap: out of range");
	}
	r = ctl_secret_find(context, ctl_arg_string(context, "ref"),
	    ctl_arg_string(context, "endpoint"), false, &old);
	if (r == CMPD_ENOENT) {
		return diag_set(&context->diag, r, "no secret has this reference");
	}
	if (r == 0) {
		r = renew(context, &old, &secret);
	}
	if (r == 0) {
		r = make_place(context, &old, overlap);
	}
	if (r == 0) {
		r = secret_value(context, &secret.value, &told);
	}
	if (r == 0 && bytes_equal_secret(secret.value, old.value)) {
		r = diag_set(&context->diag, CMPD_EINVAL, "the new secret is the old one");
	}
	return r < 0 ? r : add_secret(context, &secret, "secret.rotated", told, ret_data);
}

/* ---- list ---- */

static const char *
state_of(const struct ctl_context *context, const struct secret *secret)
{
	return secret->removed		     ? "removed"
	       : is_expired(context, secret) ? "expired"
	       : secret->uses_left == 0	     ? "used up"
	       : secret->retiring	     ? "retiring"
					     : "good";
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
		ctl_object_text(&object, "state", state_of(context, &secrets[i]));
		ctl_object_boolean(&object, "retiring", secrets[i].retiring);
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

/* The one that retires goes with the one that has taken its place: the reference is of no use any more. */
static int
remove_all(struct ctl_context *context, const char *ref, const char *endpoint, bool retiring)
{
	struct unit *unit = context->desk->unit;
	struct secret secret, before;
	int r = CMPD_ENOENT;

	if (!retiring) {
		r = ctl_secret_find(context, ref, endpoint, false, &secret);
	}
	if (r == CMPD_ENOENT) {
		r = ctl_secret_find(context, ref, endpoint, true, &secret);
	}
	if (r < 0) {
		return r == CMPD_ENOENT
			   ? diag_set(&context->diag, r, "no%s secret has this reference",
				 retiring ? " retiring" : "")
			   : r;
	}
	unit_remove_secret(unit, secret.id);
	if (secret.retiring) {
		return 0;
	}
	r = ctl_secret_before(context, &secret, &before);
	if (r == 0) {
		unit_remove_secret(unit, before.id);
	}
	return r == CMPD_ENOENT ? 0 : r;
}

int
ctl_secret_remove(struct ctl_context *context, json_t **ret_data)
{
	const char *ref = ctl_arg_string(context, "ref");
	struct ctl_object object;
	int r = remove_all(context, ref, ctl_arg_string(context, "endpoint"),
	    ctl_arg_boolean(context, "retiring"));

	if (r < 0) {
		return r;
	}
	unit_audit(context->desk->unit, context->desk->now, context->actor, "secret.removed", NULL,
	    ref);
	ctl_object_init(&object);
	ctl_object_text(&object, "ref", ref);
	*ret_data = ctl_object_end(&object);
	return *ret_data ? 0 : CMPD_ENOMEM;
}
