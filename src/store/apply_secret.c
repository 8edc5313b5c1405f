#include <string.h>

#include "store/internal.h"

/*
 * A unit may use and give back one secret: its operations see what those
 * before them did. So the checks play them on copies, and the writes store
 * what came out.
 */

static struct held_secret *
held_new(struct apply *a)
{
	struct held_secret *held;

	if (a->n_secrets == UNIT_SECRETS_MAX) {
		return NULL;
	}
	held = &a->secrets[a->n_secrets];
	*held = (struct held_secret){.is_new = false};
	return held;
}

/* The record is copied: the table's bytes are gone with the first write. */
static int
decode(struct apply *a, struct bytes record, struct secret *ret)
{
	struct bytes copy = pool_bytes(a->store->pool, record);

	return copy.data == NULL ? CMPD_ENOMEM : record_get_secret(copy, a->store->pool, ret);
}

static int
hold(struct apply *a, uint64_t id, struct held_secret **ret)
{
	struct key key = key_u64(id);
	struct held_secret *held;
	struct bytes record;
	int error;

	for (size_t i = 0; i < a->n_secrets; i++) {
		held = &a->secrets[i];
		if (!held->is_new && held->secret.id == id) {
			*ret = held;
			return held->gone ? CMPD_ENOENT : 0;
		}
	}
	held = held_new(a);
	if (held == NULL) {
		return CMPD_ELIMIT;
	}
	error = a->store->backend->get(a->view, TABLE_SECRET, key_get0(&key), &record);
	if (error == 0) {
		error = record_get_head(record, RECORD_SECRET, &held->old);
	}
	if (error == 0) {
		error = decode(a, record, &held->secret);
	}
	if (error == 0) {
		a->n_secrets++;
		*ret = held;
	}
	return error;
}

static bool
same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool
same_place(const struct secret *a, const struct secret *b)
{
	return !a->removed && !b->removed && a->retiring == b->retiring &&
	       same_text(a->ref, b->ref) && same_text(a->endpoint, b->endpoint);
}

/* Is there another one with that reference and endpoint, as good or retiring as this one? */
struct same_place_visitor {
	struct visitor visitor;
	struct apply *apply;
	const struct secret *secret;
	struct key prefix;
};

/* What this unit did to it counts. */
static int
current(struct apply *a, uint64_t id, struct secret *ret)
{
	struct key key = key_u64(id);
	struct bytes record;
	int error;

	for (size_t i = 0; i < a->n_secrets; i++) {
		if (!a->secrets[i].is_new && a->secrets[i].secret.id == id) {
			*ret = a->secrets[i].secret;
			ret->removed = ret->removed || a->secrets[i].gone;
			return 0;
		}
	}
	error = a->store->backend->get(a->view, TABLE_SECRET, key_get0(&key), &record);
	if (error != 0) {
		return error == CMPD_ENOENT ? CMPD_ECORRUPT : error;
	}
	return record_get_secret(record, a->store->pool, ret);
}

static int
visit_same_place(struct visitor *visitor, struct bytes key, struct bytes value)
{
	struct same_place_visitor *v = (struct same_place_visitor *)(void *)visitor;
	struct secret secret;
	uint64_t id;
	int error;

	(void)value;
	if (key.len != DIGEST_SIZE + 8 || memcmp(key.data, v->prefix.data, DIGEST_SIZE) != 0) {
		return 1;
	}
	error = key_to_u64(bytes_of(key.data + DIGEST_SIZE, 8), &id);
	if (error == 0 && id == v->secret->id) {
		return 0;
	}
	if (error == 0) {
		error = current(v->apply, id, &secret);
	}
	if (error == 0 && same_place(&secret, v->secret)) {
		error = CMPD_EEXIST;
	}
	return error;
}

static int
check_place(struct apply *a, const struct secret *secret)
{
	struct same_place_visitor v = {{visit_same_place}, a, secret, {0}};
	int error = key_secret_ref(secret->ref, 0, &v.prefix);

	for (size_t i = 0; i < a->n_secrets && error == 0; i++) {
		if (a->secrets[i].is_new && same_place(&a->secrets[i].secret, secret)) {
			error = CMPD_EEXIST;
		}
	}
	return error != 0 ? error
			  : a->store->backend->each(a->view, TABLE_SECRET_REF, key_get0(&v.prefix),
				&v.visitor);
}

static int
check_add(struct apply *a, const struct op *op)
{
	struct held_secret *held = held_new(a);
	int error;

	if (held == NULL) {
		return CMPD_ELIMIT;
	}
	held->is_new = true;
	error = decode(a, op_bytes(a->unit, op), &held->secret);
	if (error == 0) {
		error = check_place(a, &held->secret);
	}
	a->n_secrets += error == 0;
	return error;
}

static int
check_retire(struct apply *a, const struct op *op)
{
	struct held_secret *held;
	struct secret *secret;
	int error = hold(a, op->number, &held);

	if (error != 0) {
		return error == CMPD_ENOENT ? CMPD_ECONFLICT : error;
	}
	secret = &held->secret;
	if (secret->removed || secret->retiring) {
		return CMPD_ECONFLICT;
	}
	secret->retiring = true;
	if (secret->expires == 0 || secret->expires > op->now) {
		secret->expires = op->now;
		secret->due = op->due;
	}
	return check_place(a, secret);
}

static int
check_remove(struct apply *a, const struct op *op)
{
	struct held_secret *held;
	int error = hold(a, op->number, &held);

	if (error != 0) {
		return error == CMPD_ENOENT ? CMPD_ECONFLICT : error;
	}
	held->secret.removed = true;
	held->secret.due = 0;
	held->gone = held->secret.open == 0;
	return 0;
}

static int
check_use(struct apply *a, const struct op *op)
{
	struct held_secret *held;
	struct secret *secret;
	int error = hold(a, op->number, &held);

	if (error != 0) {
		return error == CMPD_ENOENT ? CMPD_EACCES : error;
	}
	secret = &held->secret;
	if (secret->removed || secret->uses_left == 0 ||
	    (secret->expires != 0 && op->now >= secret->expires)) {
		return CMPD_EACCES;
	}
	secret->open++;
	if (secret->uses_left > 0) {
		secret->uses_left--;
	}
	return 0;
}

/* Held open without a use: for what enrols nothing. */
static int
check_need(struct apply *a, const struct op *op)
{
	struct held_secret *held;
	int error = hold(a, op->number, &held);

	if (error != 0) {
		return error == CMPD_ENOENT ? CMPD_EACCES : error;
	}
	if (held->secret.removed) {
		return CMPD_EACCES;
	}
	held->secret.open++;
	return 0;
}

static int
check_release(struct apply *a, const struct op *op)
{
	struct held_secret *held;
	struct secret *secret;
	int error = hold(a, op->number, &held);

	if (error != 0) {
		return error == CMPD_ENOENT ? CMPD_ESTATE : error;
	}
	secret = &held->secret;
	if (secret->open == 0) {
		return CMPD_ESTATE;
	}
	secret->open--;
	if (op->give_back && secret->uses_left >= 0 && secret->uses_left < INT64_MAX) {
		secret->uses_left++;
	}
	held->gone = secret->removed && secret->open == 0;
	return 0;
}

int
apply_check_secret(struct apply *a, const struct op *op)
{
	switch (op->kind) {
	case OP_ADD_SECRET:
		return check_add(a, op);
	case OP_REMOVE_SECRET:
		return check_remove(a, op);
	case OP_RETIRE_SECRET:
		return check_retire(a, op);
	case OP_USE_SECRET:
		return check_use(a, op);
	case OP_NEED_SECRET:
		return check_need(a, op);
	case OP_RELEASE_SECRET:
		return check_release(a, op);
	default:
		return CMPD_EINVAL;
	}
}

/* ---- writes ---- */

static int
put_record(struct apply *a, struct held_secret *held, struct record_head *ret_new)
{
	struct key key = key_u64(held->secret.id);
	struct buf out;
	int error;

	buf_init(&out, UNIT_MAX);
	error = record_put_secret(&out, &held->secret, held->is_new ? 1 : held->secret.version + 1);
	if (error == 0) {
		error = buf_error(&out);
	}
	if (error == 0) {
		error = record_get_head(buf_get0(&out), RECORD_SECRET, ret_new);
	}
	if (error == 0) {
		error = a->store->backend->put(a->view, TABLE_SECRET, key_get0(&key),
		    buf_get0(&out), held->is_new);
	}
	buf_fini(&out);
	return error;
}

static int
write_new(struct apply *a, struct held_secret *held)
{
	struct record_head head;
	struct buf sealed;
	struct key ref;
	int error;

	held->secret.id = ++a->tally->last_secret;
	a->tally->secrets++;
	buf_init(&sealed, UNIT_MAX);
	error = seal_encrypt(&a->store->seal, held->secret.id, held->secret.ref, held->secret.value,
	    &sealed);
	if (error == 0) {
		error = buf_error(&sealed);
	}
	held->secret.value = buf_get0(&sealed);
	if (error == 0) {
		error = put_record(a, held, &head);
	}
	held->secret.value = BYTES_NONE;
	buf_fini(&sealed);
	if (error == 0) {
		error = key_secret_ref(held->secret.ref, held->secret.id, &ref);
	}
	if (error == 0) {
		error = a->store->backend->put(a->view, TABLE_SECRET_REF, key_get0(&ref),
		    bytes_of("", 0), false);
	}
	return error != 0 ? error : apply_due(a, DUE_SECRET, NULL, &head);
}

static int
write_gone(struct apply *a, struct held_secret *held)
{
	struct key key = key_u64(held->secret.id), ref;
	int error = key_secret_ref(held->secret.ref, held->secret.id, &ref);

	a->tally->secrets--;
	if (error == 0) {
		error = a->store->backend->del(a->view, TABLE_SECRET, key_get0(&key));
	}
	if (error == 0) {
		error = a->store->backend->del(a->view, TABLE_SECRET_REF, key_get0(&ref));
	}
	return error != 0 ? error : apply_due(a, DUE_SECRET, &held->old, NULL);
}

int
apply_write_secrets(struct apply *a)
{
	for (size_t i = 0; i < a->n_secrets; i++) {
		struct held_secret *held = &a->secrets[i];
		struct record_head head;
		int error;

		if (held->is_new) {
			error = write_new(a, held);
		} else if (held->gone) {
			error = write_gone(a, held);
		} else {
			error = put_record(a, held, &head);
			error = error != 0 ? error : apply_due(a, DUE_SECRET, &held->old, &head);
		}
		if (error != 0) {
			return error;
		}
	}
	return 0;
}
