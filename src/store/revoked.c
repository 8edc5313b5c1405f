/*
 * What CRLs are made of, kept at hand: one short row for each certificate that is revoked or on
 * hold, by generation and number, and two counters for each generation. The rows follow the certificates within the same unit.
 */
#include <string.h>

#include "store/internal.h"

#define LIST_MAX 1000u

struct count {
	uint64_t changes;
	uint64_t rows;
};

/* ---- bytes ---- */

static struct key
count_key(const uint8_t ca[CA_ID_SIZE])
{
	struct key key = key_bytes(META_REVOKED, strlen(META_REVOKED));

	key_add(&key, ca, CA_ID_SIZE);
	return key;
}

static int
count_get(struct view *view, const uint8_t ca[CA_ID_SIZE], struct count *ret)
{
	struct key key = count_key(ca);
	struct reader in;
	struct bytes value;
	int error = view->store->backend->get(view, TABLE_META, key_get0(&key), &value);

	if (error == CMPD_ENOENT) {
		*ret = (struct count){.changes = 0};
		return 0;
	}
	if (error != 0) {
		return error;
	}
	reader_init(&in, value);
	ret->changes = reader_u64(&in);
	ret->rows = reader_u64(&in);
	return reader_end(&in) != 0 ? CMPD_ECORRUPT : 0;
}

static int
count_put(struct view *view, const uint8_t ca[CA_ID_SIZE], const struct count *count)
{
	struct key key = count_key(ca), value = key_u64(count->changes);

	key_add_u64(&value, count->rows);
	return view->store->backend->put(view, TABLE_META, key_get0(&key), key_get0(&value), false);
}

static struct key
row_encode(const struct revoked *row)
{
	struct key out = {.len = 0};
	const uint8_t status = (uint8_t)row->status;

	key_add(&out, &status, 1);
	key_add_u64(&out, (uint64_t)(int64_t)row->reason);
	key_add_u64(&out, (uint64_t)row->revoked);
	key_add_u64(&out, (uint64_t)row->not_after);
	key_add_u64(&out, row->change);
	key_add(&out, row->serial.data, row->serial.len);
	return out;
}

/* The serial is borrowed from the value. */
static int
row_decode(struct bytes value, struct revoked *ret)
{
	struct revoked row = {.number = 0};
	int64_t reason;
	struct reader in;

	reader_init(&in, value);
	row.status = (enum cert_status)reader_u8(&in);
	reason = (int64_t)reader_u64(&in);
	row.revoked = (int64_t)reader_u64(&in);
	row.not_after = (int64_t)reader_u64(&in);
	row.change = reader_u64(&in);
	row.serial = bytes_of(in.pos, (size_t)(in.end - in.pos));
	if (in.error != 0 || row.serial.len == 0 || row.serial.len > SERIAL_MAX || reason < -1 ||
	    reason > INT32_MAX || (row.status != CERT_REVOKED && row.status != CERT_HELD)) {
		return CMPD_ECORRUPT;
	}
	row.reason = (int)reason;
	*ret = row;
	return 0;
}

/* ---- writes ---- */

static bool
same(const struct revoked *a, const struct revoked *b)
{
	return a->status == b->status && a->reason == b->reason && a->revoked == b->revoked &&
	       a->not_after == b->not_after;
}

static int
put_row(struct apply *a, struct count *count, const uint8_t *ca, struct revoked *row, bool is_new)
{
	struct key key = key_revoked(ca, row->number), value;

	row->change = ++count->changes;
	count->rows += is_new;
	value = row_encode(row);
	return a->store->backend->put(a->view, TABLE_REVOKED, key_get0(&key), key_get0(&value),
	    false);
}

/* A certificate that is purged is no change to those that are left: no new CRL for it. */
static int
del_row(struct apply *a, struct count *count, const struct record_head *old, bool revived)
{
	struct key key = key_revoked(old->ident, old->number);

	count->changes += revived;
	count->rows--;
	return a->store->backend->del(a->view, TABLE_REVOKED, key_get0(&key));
}

/* Is there a row already that says the same? */
static int
stands(struct apply *a, const uint8_t *ca, const struct revoked *row, bool *ret)
{
	struct key key = key_revoked(ca, row->number);
	struct revoked old;
	struct bytes value;
	int error = a->store->backend->get(a->view, TABLE_REVOKED, key_get0(&key), &value);

	if (error == 0) {
		error = row_decode(value, &old);
	}
	*ret = error == 0 && same(&old, row);
	return error == CMPD_ENOENT ? CMPD_ECORRUPT : error;
}

static int
read_row(struct apply *a, const struct record_head *head, struct bytes record, struct revoked *ret)
{
	struct cert cert;
	int error = record_get_cert(record, a->store->pool, &cert);

	if (error == 0) {
		*ret = (struct revoked){.number = head->number,
		    .serial = cert.serial,
		    .status = cert.status,
		    .reason = cert.reason,
		    .revoked = cert.revoked,
		    .not_after = cert.not_after};
	}
	return error;
}

int
apply_revoked(struct apply *a, const struct record_head *old, const struct record_head *new,
    struct bytes record)
{
	bool was = old != NULL && old->state != CERT_VALID;
	bool is = new == NULL ? false : new->state != CERT_VALID, stays = false;
	const uint8_t *ca = old != NULL ? old->ident : new->ident; /* it begins with the CA */
	struct revoked row;
	struct count count;
	int error;

	if (!was && !is) {
		return 0;
	}
	error = is ? read_row(a, new, record, &row) : 0;
	if (error == 0 && was && is) {
		error = stands(a, ca, &row, &stays);
	}
	if (error != 0 || stays) {
		return error;
	}
	error = count_get(a->view, ca, &count);
	if (error == 0) {
		error =
		    is ? put_row(a, &count, ca, &row, !was) : del_row(a, &count, old, new != NULL);
	}
	if (error == 0) {
		error = count_put(a->view, ca, &count);
	}
	a->store->revoking = true;
	return error;
}

/* ---- reads ---- */

struct revoked_visitor {
	struct visitor visitor;
	struct pool *pool;
	const uint8_t *ca;
	size_t limit, n;
	struct revoked *items;
	bool more;
};

static int
visit(struct visitor *visitor, struct bytes key, struct bytes value)
{
	struct revoked_visitor *v = (struct revoked_visitor *)(void *)visitor;
	struct revoked *row = &v->items[v->n];
	int error;

	if (key.len != CA_ID_SIZE + 8) {
		return CMPD_ECORRUPT;
	}
	if (memcmp(key.data, v->ca, CA_ID_SIZE) != 0) {
		return 1;
	}
	if (v->n == v->limit) {
		v->more = true;
		return 1;
	}
	error = row_decode(value, row);
	if (error == 0) {
		error = key_to_u64(bytes_of(key.data + CA_ID_SIZE, 8), &row->number);
	}
	if (error != 0) {
		return error;
	}
	row->serial = pool_bytes(v->pool, row->serial);
	if (row->serial.data == NULL) {
		return CMPD_ENOMEM;
	}
	v->n++;
	return 0;
}

int
store_revoked_list(struct store_reader *reader, struct pool *pool, const uint8_t ca[CA_ID_SIZE],
    uint64_t after, size_t limit, struct revoked **ret, size_t *ret_n, uint64_t *ret_after)
{
	const struct backend *backend = reader->view.store->backend;
	struct key from = key_revoked(ca, after + 1);
	struct revoked_visitor v = {.visitor = {visit},
	    .pool = pool,
	    .ca = ca,
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
	if (after != UINT64_MAX) {
		error = backend->each(&reader->view, TABLE_REVOKED, key_get0(&from), &v.visitor);
	}
	backend->read_end(&reader->view);
	if (error == 0) {
		*ret = v.items;
		*ret_n = v.n;
		*ret_after = v.more && v.n > 0 ? v.items[v.n - 1].number : 0;
	}
	return error;
}

int
store_revoked_count(struct store_reader *reader, const uint8_t ca[CA_ID_SIZE],
    uint64_t *ret_changes, uint64_t *ret_n)
{
	const struct backend *backend = reader->view.store->backend;
	struct count count;
	int error = backend->read_begin(&reader->view);

	if (error != 0) {
		return error;
	}
	error = count_get(&reader->view, ca, &count);
	backend->read_end(&reader->view);
	if (error == 0) {
		*ret_changes = count.changes;
		*ret_n = count.rows;
	}
	return error;
}

uint64_t
store_revocations(const struct store *store)
{
	return atomic_load(&store->revocations);
}
