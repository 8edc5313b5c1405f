/*
 * How many transactions of each identity are open, kept at hand. The counters follow the records of the transactions within
 * the same unit, so they cannot drift from them. A record of format 1 was written before there were counters: it
 * is counted from its next change on.
 */
#include <string.h>

#include "store/reading.h"

/* The first format of records that are counted. */
#define COUNTED 2

static int
open_key(const struct identity *identity, struct key *ret)
{
	const uint8_t kind = (uint8_t)identity->kind;
	struct key key = key_bytes(META_OPEN, strlen(META_OPEN));
	uint8_t hash[DIGEST_SIZE];
	int error = 0;

	key_add(&key, &kind, 1);
	switch (identity->kind) {
	case IDENTITY_SECRET:
		key_add_u64(&key, identity->secret);
		break;
	case IDENTITY_CERTIFICATE:
		key_add(&key, identity->certificate, sizeof(identity->certificate));
		break;
	case IDENTITY_RA:
		error = digest_sha256(identity->name, hash);
		key_add(&key, hash, sizeof(hash));
		break;
	case IDENTITY_NONE:
		error = CMPD_ENOENT;
		break;
	}
	if (error == 0) {
		*ret = key;
	}
	return error;
}

static int
open_get(struct view *view, const struct key *key, uint64_t *ret)
{
	struct bytes value;
	int error = view->store->backend->get(view, TABLE_META, key_get0(key), &value);

	if (error == CMPD_ENOENT) {
		*ret = 0;
		return 0;
	}
	return error != 0 ? error : key_to_u64(value, ret);
}

static bool
is_counted(const struct record_head *head)
{
	return head != NULL && head->state == 0 && head->format >= COUNTED;
}

int
apply_open(struct apply *a, const struct record_head *old, const struct record_head *new,
    struct bytes record)
{
	const struct backend *backend = a->store->backend;
	bool before = is_counted(old), after = is_counted(new);
	struct key key, value;
	struct txn txn;
	uint64_t n = 0;
	int error;

	if (before == after) {
		return 0;
	}
	error = record_get_txn(record, a->store->pool, &txn);
	if (error == 0) {
		error = open_key(&txn.identity, &key);
	}
	if (error == 0) {
		error = open_get(a->view, &key, &n);
	}
	if (error != 0 || (n == 0 && before)) {
		return error == CMPD_ENOENT ? 0 : error;
	}
	n = before ? n - 1 : n + 1;
	if (n == 0) {
		return backend->del(a->view, TABLE_META, key_get0(&key));
	}
	value = key_u64(n);
	return backend->put(a->view, TABLE_META, key_get0(&key), key_get0(&value), false);
}

int
store_open_count(struct store_reader *reader, const struct identity *identity, uint64_t *ret)
{
	struct key key;
	int error = open_key(identity, &key);

	if (error == CMPD_ENOENT) {
		*ret = 0;
		return 0;
	}
	if (error == 0) {
		error = read_begin(reader);
	}
	return error != 0 ? error : read_end(reader, open_get(&reader->view, &key, ret));
}
