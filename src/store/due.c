#include <string.h>

#include "store/internal.h"

#define LIST_MAX 1000u

struct due_visitor {
	struct visitor visitor;
	struct pool *pool;
	int64_t now;
	size_t limit, n;
	struct due *items;
};

/* The key is all there is: time, kind, and what identifies the thing. */
static int
decode(struct bytes key, struct pool *pool, struct due *ret)
{
	struct due due = {.time = 0};
	struct reader in;
	struct bytes rest;

	reader_init(&in, key);
	due.time = (int64_t)reader_u64(&in);
	due.kind = (enum due_kind)reader_u8(&in);
	rest = bytes_of(in.pos, (size_t)(in.end - in.pos));
	switch (in.error == 0 ? due.kind : 0) {
	case DUE_TXN:
		if (rest.len < 1 || rest.len > 1 + TXN_ID_MAX) {
			return CMPD_ECORRUPT;
		}
		due.txn.protocol = rest.data[0];
		due.txn.id_len = (uint8_t)(rest.len - 1);
		memcpy(due.txn.id, rest.data + 1, rest.len - 1);
		break;
	case DUE_ENTRY:
	case DUE_SECRET:
		if (key_to_u64(rest, &due.number) != 0) {
			return CMPD_ECORRUPT;
		}
		break;
	case DUE_CERT:
		if (rest.len <= CA_ID_SIZE) {
			return CMPD_ECORRUPT;
		}
		memcpy(due.ca, rest.data, CA_ID_SIZE);
		due.serial =
		    pool_bytes(pool, bytes_of(rest.data + CA_ID_SIZE, rest.len - CA_ID_SIZE));
		if (due.serial.data == NULL) {
			return CMPD_ENOMEM;
		}
		break;
	default:
		return CMPD_ECORRUPT;
	}
	*ret = due;
	return 0;
}

static int
visit(struct visitor *visitor, struct bytes key, struct bytes value)
{
	struct due_visitor *v = (struct due_visitor *)(void *)visitor;
	int error;

	(void)value;
	if (v->n == v->limit) {
		return 1;
	}
	error = decode(key, v->pool, &v->items[v->n]);
	if (error != 0) {
		return error;
	}
	if (v->items[v->n].time > v->now) {
		return 1;
	}
	v->n++;
	return 0;
}

int
store_due_list(struct store_reader *reader, struct pool *pool, int64_t now, size_t limit,
    struct due **ret, size_t *ret_n)
{
	const struct backend *backend = reader->view.store->backend;
	struct due_visitor v = {.visitor = {visit},
	    .pool = pool,
	    .now = now,
	    .limit = limit < LIST_MAX ? limit : LIST_MAX};
	int error;

	v.items = pool_alloc(pool, (v.limit + 1) * sizeof(*v.items));
	if (v.items == NULL) {
		return CMPD_ENOMEM;
	}
	error = backend->read_begin(&reader->view);
	if (error != 0) {
		return error;
	}
	error = backend->each(&reader->view, TABLE_DUE, bytes_of("", 0), &v.visitor);
	backend->read_end(&reader->view);
	if (error == 0) {
		*ret = v.items;
		*ret_n = v.n;
	}
	return error;
}
