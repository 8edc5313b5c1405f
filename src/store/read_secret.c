#include <string.h>

#include "store/reading.h"

static int
decrypt(struct store_reader *reader, struct pool *pool, struct secret *secret)
{
	return seal_decrypt(&reader->view.store->seal, secret->id, secret->ref, secret->value, pool,
	    &secret->value);
}

int
store_secret_get(struct store_reader *reader, struct pool *pool, uint64_t id, struct secret *ret)
{
	struct secret secret;
	struct bytes record;
	int error = read_begin(reader);

	if (error != 0) {
		return error;
	}
	error = read_end(reader, read_record(reader, pool, TABLE_SECRET, key_u64(id), &record));
	if (error == 0) {
		error = record_get_secret(record, pool, &secret);
	}
	if (error == 0) {
		error = decrypt(reader, pool, &secret);
	}
	if (error == 0) {
		*ret = secret;
	}
	return error;
}

struct ref_visitor {
	struct visitor visitor;
	struct store_reader *reader;
	struct pool *pool;
	const char *endpoint;
	bool retiring; /* those, or the others */
	struct key prefix;
	struct secret found; /* id 0: none so far */
};

static bool
ref_fits(const struct ref_visitor *v, const struct secret *secret)
{
	if (secret->removed || secret->retiring != v->retiring) {
		return false;
	}
	if (secret->endpoint == NULL) {
		return v->found.endpoint == NULL;
	}
	return v->endpoint != NULL && strcmp(secret->endpoint, v->endpoint) == 0;
}

/* Ids grow: the last that fits is the newest. */
static int
ref_visit(struct visitor *visitor, struct bytes key, struct bytes value)
{
	struct ref_visitor *v = (struct ref_visitor *)(void *)visitor;
	struct secret secret;
	struct bytes record;
	uint64_t id;
	int error;

	(void)value;
	if (key.len != DIGEST_SIZE + 8 || memcmp(key.data, v->prefix.data, DIGEST_SIZE) != 0) {
		return 1;
	}
	error = key_to_u64(bytes_of(key.data + DIGEST_SIZE, 8), &id);
	if (error == 0) {
		error =
		    must_be(read_record(v->reader, v->pool, TABLE_SECRET, key_u64(id), &record));
	}
	if (error == 0) {
		error = record_get_secret(record, v->pool, &secret);
	}
	if (error == 0 && ref_fits(v, &secret)) {
		v->found = secret;
	}
	return error;
}

static int
find_secret(struct store_reader *reader, struct pool *pool, const char *ref, const char *endpoint,
    bool retiring, struct secret *ret)
{
	struct ref_visitor v = {.visitor = {ref_visit},
	    .reader = reader,
	    .pool = pool,
	    .endpoint = endpoint,
	    .retiring = retiring};
	int error = key_secret_ref(ref, 0, &v.prefix);

	if (error == 0) {
		error = read_begin(reader);
	}
	if (error != 0) {
		return error;
	}
	error = read_end(reader, reader->view.store->backend->each(&reader->view, TABLE_SECRET_REF,
				     key_get0(&v.prefix), &v.visitor));
	if (error == 0 && v.found.id == 0) {
		error = CMPD_ENOENT;
	}
	if (error == 0) {
		error = decrypt(reader, pool, &v.found);
	}
	if (error == 0) {
		*ret = v.found;
	}
	return error;
}

int
store_secret_find(struct store_reader *reader, struct pool *pool, const char *ref,
    const char *endpoint, struct secret *ret)
{
	return find_secret(reader, pool, ref, endpoint, false, ret);
}

int
store_secret_find_retiring(struct store_reader *reader, struct pool *pool, const char *ref,
    const char *endpoint, struct secret *ret)
{
	return find_secret(reader, pool, ref, endpoint, true, ret);
}
