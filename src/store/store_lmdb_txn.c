#include <errno.h>

#include "store/store_lmdb.h"

int
lmdb_error(int rc)
{
	switch (rc) {
	case 0:
		return 0;
	case MDB_NOTFOUND:
	case ENOENT:
		return CMPD_ENOENT;
	case MDB_MAP_FULL:
		return STORE_MAP_FULL;
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return CMPD_ENOSPC;
	case ENOMEM:
		return CMPD_ENOMEM;
	case EACCES:
	case EPERM:
	case EROFS:
		return CMPD_EACCES;
	case MDB_READERS_FULL:
	case MDB_TXN_FULL:
	case MDB_DBS_FULL:
		return CMPD_ELIMIT;
	case MDB_VERSION_MISMATCH:
		return CMPD_EVERSION;
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_INVALID:
	case MDB_INCOMPATIBLE:
	case MDB_KEYEXIST: /* a number was given twice */
		return CMPD_ECORRUPT;
	default:
		return CMPD_EIO;
	}
}

static struct lmdb *
lmdb_of(const struct view *view)
{
	return view->store->state;
}

static MDB_val
val_of(struct bytes in)
{
	/* LMDB only reads it, but says so nowhere. */
	union {
		const uint8_t *in;
		void *out;
	} data = {in.data};

	return (MDB_val){in.len, data.out};
}

/* ---- the writer ---- */

/* What a disk that has become read-only says is no matter of rights. */
static int
write_error(int rc)
{
	return rc == EACCES || rc == EPERM || rc == EROFS ? CMPD_EIO : lmdb_error(rc);
}

int
lmdb_write_begin(struct view *view)
{
	MDB_txn *txn = NULL;
	int error = lmdb_heal(view->store);

	if (error == 0) {
		error = write_error(mdb_txn_begin(lmdb_of(view)->env, NULL, 0, &txn));
	}
	view->handle = txn;
	return error;
}

int
lmdb_write_commit(struct view *view)
{
	int error = write_error(mdb_txn_commit(view->handle));

	view->handle = NULL;
	/* If that fails it is tried again when the next batch begins. */
	return error != 0 && lmdb_heal(view->store) != 0 ? CMPD_EIO : error;
}

void
lmdb_write_abort(struct view *view)
{
	mdb_txn_abort(view->handle);
	view->handle = NULL;
}

/* ---- tables ---- */

int
lmdb_get(struct view *view, enum table table, struct bytes key, struct bytes *ret)
{
	MDB_val k = val_of(key), v;
	int rc = mdb_get(view->handle, lmdb_of(view)->tables[table], &k, &v);

	if (rc == 0) {
		*ret = bytes_of(v.mv_data, v.mv_size);
	}
	return lmdb_error(rc);
}

int
lmdb_put(struct view *view, enum table table, struct bytes key, struct bytes value, bool append)
{
	MDB_val k = val_of(key), v = val_of(value);

	return lmdb_error(mdb_put(view->handle, lmdb_of(view)->tables[table], &k, &v,
	    append ? MDB_APPEND : 0));
}

int
lmdb_del(struct view *view, enum table table, struct bytes key)
{
	MDB_val k = val_of(key);
	int rc = mdb_del(view->handle, lmdb_of(view)->tables[table], &k, NULL);

	return rc == MDB_NOTFOUND ? CMPD_ECORRUPT : lmdb_error(rc);
}

int
lmdb_each(struct view *view, enum table table, struct bytes from, struct visitor *visitor)
{
	MDB_val k = val_of(from), v;
	MDB_cursor *cursor = NULL;
	int rc = mdb_cursor_open(view->handle, lmdb_of(view)->tables[table], &cursor);
	int error = 0;

	if (rc != 0) {
		return lmdb_error(rc);
	}
	rc = mdb_cursor_get(cursor, &k, &v, from.len == 0 ? MDB_FIRST : MDB_SET_RANGE);
	while (rc == 0 && error == 0) {
		error = visitor->visit(visitor, bytes_of(k.mv_data, k.mv_size),
		    bytes_of(v.mv_data, v.mv_size));
		if (error == 0) {
			rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
		}
	}
	mdb_cursor_close(cursor);
	if (error != 0) {
		return error > 0 ? 0 : error;
	}
	return rc == MDB_NOTFOUND ? 0 : lmdb_error(rc);
}
