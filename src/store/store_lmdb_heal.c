#include "store/store_lmdb.h"

/*
 * Readers, and what happens to them when the environment has to be opened anew. A reader's transaction is kept and only
 * renewed, so that a read allocates nothing; it belongs to one environment and ends with it.
 */

static struct lmdb *
lmdb_of(const struct view *view)
{
	return view->store->state;
}

static int
begin(struct lmdb *lmdb, struct view *view)
{
	MDB_txn *txn = NULL;
	int rc = lmdb->env == NULL ? MDB_PANIC : mdb_txn_begin(lmdb->env, NULL, MDB_RDONLY, &txn);

	if (rc == 0) {
		mdb_txn_reset(txn);
		view->handle = txn;
	}
	return lmdb_error(rc);
}

static void
end(struct view *view)
{
	if (view->handle != NULL) {
		mdb_txn_abort(view->handle);
	}
	view->handle = NULL;
}

/* The place of a view (NULL: a free one) among the readers; LMDB_READERS: there is none. */
static size_t
find(const struct lmdb *lmdb, const struct view *view)
{
	size_t i = 0;

	while (i < LMDB_READERS && lmdb->readers[i] != view) {
		i++;
	}
	return i;
}

int
lmdb_reader_open(struct view *view)
{
	struct lmdb *lmdb = lmdb_of(view);
	int error = 0;
	size_t i;

	pthread_rwlock_rdlock(&lmdb->gate);
	pthread_mutex_lock(&lmdb->readers_lock);
	i = find(lmdb, NULL);
	if (i == LMDB_READERS) {
		error = CMPD_ELIMIT;
	} else {
		error = begin(lmdb, view);
	}
	if (error == CMPD_EIO) {
		error = 0; /* it begins when the environment is healed */
	}
	if (error == 0) {
		lmdb->readers[i] = view;
	}
	pthread_mutex_unlock(&lmdb->readers_lock);
	pthread_rwlock_unlock(&lmdb->gate);
	return error;
}

void
lmdb_reader_close(struct view *view)
{
	struct lmdb *lmdb = lmdb_of(view);

	pthread_rwlock_rdlock(&lmdb->gate);
	pthread_mutex_lock(&lmdb->readers_lock);
	lmdb->readers[find(lmdb, view)] = NULL;
	end(view);
	pthread_mutex_unlock(&lmdb->readers_lock);
	pthread_rwlock_unlock(&lmdb->gate);
}

int
lmdb_read_begin(struct view *view)
{
	struct lmdb *lmdb = lmdb_of(view);
	int error;

	pthread_rwlock_rdlock(&lmdb->gate);
	error = view->handle == NULL ? begin(lmdb, view) : 0;
	if (error == 0) {
		error = lmdb_error(mdb_txn_renew(view->handle));
	}
	if (error != 0) {
		pthread_rwlock_unlock(&lmdb->gate);
	}
	return error;
}

void
lmdb_read_end(struct view *view)
{
	mdb_txn_reset(view->handle);
	pthread_rwlock_unlock(&lmdb_of(view)->gate);
}

/* ---- healing ---- */

static bool
is_healthy(const struct lmdb *lmdb)
{
	MDB_txn *txn = NULL;
	int rc = lmdb->env == NULL ? MDB_PANIC : mdb_txn_begin(lmdb->env, NULL, MDB_RDONLY, &txn);

	if (rc == 0) {
		mdb_txn_abort(txn);
	}
	return rc != MDB_PANIC;
}

static int
open_anew(struct store *store)
{
	struct lmdb *lmdb = store->state;
	bool is_new = false;
	int error;

	lmdb_env_close(lmdb);
	error = lmdb_env_open(lmdb, lmdb_flags(lmdb), NULL);
	if (error == 0) {
		error = lmdb_load_tables(store, &is_new, NULL);
	}
	if (error == 0 && is_new) {
		error = CMPD_ECORRUPT; /* it had tables */
	}
	for (size_t i = 0; i < LMDB_READERS && error == 0; i++) {
		if (lmdb->readers[i] != NULL) {
			error = begin(lmdb, lmdb->readers[i]);
		}
	}
	return error;
}

static void
end_readers(struct lmdb *lmdb)
{
	for (size_t i = 0; i < LMDB_READERS; i++) {
		if (lmdb->readers[i] != NULL) {
			end(lmdb->readers[i]);
		}
	}
}

int
lmdb_heal(struct store *store)
{
	struct lmdb *lmdb = store->state;
	int error;

	if (is_healthy(lmdb)) {
		return 0;
	}
	/* No read is under way from here on. */
	pthread_rwlock_wrlock(&lmdb->gate);
	end_readers(lmdb);
	error = open_anew(store);
	if (error != 0) {
		end_readers(lmdb);
		lmdb_env_close(lmdb);
	}
	pthread_rwlock_unlock(&lmdb->gate);
	return error == 0 ? 0 : CMPD_EIO;
}
