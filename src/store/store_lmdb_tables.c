#include "store/store_lmdb.h"

/* All tables of a transaction, made if create. */
static int
open_tables(struct lmdb *lmdb, MDB_txn *txn, bool create)
{
	int rc = 0;

	lmdb->lacks_tables = false;
	for (int t = 0; t < TABLES && rc == 0; t++) {
		rc = mdb_dbi_open(txn, table_names[t], create ? MDB_CREATE : 0, &lmdb->tables[t]);
		if (rc == MDB_NOTFOUND && !create && t >= TABLE_FIRST_LATER) {
			lmdb->lacks_tables = true;
			rc = 0;
		}
	}
	return rc;
}

static int
is_empty(MDB_txn *txn, bool *ret)
{
	MDB_dbi main_table;
	MDB_stat stat;
	int rc = mdb_dbi_open(txn, NULL, 0, &main_table);

	if (rc == 0) {
		rc = mdb_stat(txn, main_table, &stat);
	}
	if (rc == 0) {
		*ret = stat.ms_entries == 0;
	}
	return rc;
}

int
lmdb_create_tables(struct store *store, struct diag *diag)
{
	struct lmdb *lmdb = store->state;
	struct view view = {.store = store};
	int error = lmdb_write_begin(&view);

	if (error == 0) {
		error = lmdb_error(open_tables(lmdb, view.handle, true));
		if (error == 0) {
			error = meta_create(&view, &store->seal);
		}
		if (error == 0) {
			error = lmdb_write_commit(&view);
		} else {
			lmdb_write_abort(&view);
		}
	}
	if (error == STORE_MAP_FULL) {
		error = CMPD_ENOSPC;
	}
	return error == 0 ? 0
			  : diag_set(diag, error, "a new store cannot be written: %s",
				cmpd_strerror(error));
}

int
lmdb_add_tables(struct store *store, struct diag *diag)
{
	struct lmdb *lmdb = store->state;
	struct view view = {.store = store};
	int error = lmdb_write_begin(&view);

	if (error == 0) {
		error = lmdb_error(open_tables(lmdb, view.handle, true));
		if (error == 0) {
			error = lmdb_write_commit(&view);
		} else {
			lmdb_write_abort(&view);
		}
	}
	if (error == STORE_MAP_FULL) {
		error = CMPD_ENOSPC;
	}
	return error == 0 ? 0
			  : diag_set(diag, error, "the store cannot be extended: %s",
				cmpd_strerror(error));
}

/* What is in the tables must be as much as the store says it has. */
static int
check_counts(struct view *view, const struct lmdb *lmdb, struct diag *diag)
{
	struct tally tally;
	uint64_t entries = 0;
	int error = tally_load(view, &tally);

	for (int i = 0; error == 0 && i < ENTRY_STATES; i++) {
		entries += tally.entries[i];
	}
	const struct {
		enum table table;
		uint64_t n;
	} counts[] = {
	    {TABLE_TXN, tally.txns},
	    {TABLE_ENTRY, entries},
	    {TABLE_ENTRY_TXN, entries},
	    {TABLE_ENTRY_ID, entries},
	    {TABLE_ENTRY_STATE, entries},
	    {TABLE_CERT, tally.certs},
	    {TABLE_CERT_SERIAL, tally.certs},
	    {TABLE_CERT_KEY, tally.certs},
	    {TABLE_SECRET, tally.secrets},
	    {TABLE_SECRET_REF, tally.secrets},
	    {TABLE_AUDIT, tally.last_audit},
	};
	for (size_t i = 0; error == 0 && i < sizeof(counts) / sizeof(counts[0]); i++) {
		MDB_stat stat;

		error = lmdb_error(mdb_stat(view->handle, lmdb->tables[counts[i].table], &stat));
		if (error == 0 && stat.ms_entries != counts[i].n) {
			error = diag_set(diag, CMPD_ECORRUPT,
			    "the store is damaged: %zu records in table %s, %llu expected",
			    stat.ms_entries, table_names[counts[i].table],
			    (unsigned long long)counts[i].n);
		}
	}
	return error;
}

/* The schema says which tables there are, so it is looked at before them. */
static int
load_tables(struct view *view, struct lmdb *lmdb, struct diag *diag)
{
	MDB_txn *txn = view->handle;
	int rc = mdb_dbi_open(txn, table_names[TABLE_META], 0, &lmdb->tables[TABLE_META]);
	int error = rc != 0 ? 0 : meta_check(view, &view->store->seal, diag);

	if (rc == 0 && error == 0) {
		rc = open_tables(lmdb, txn, false);
	}
	if (rc == MDB_NOTFOUND || rc == MDB_INCOMPATIBLE) {
		return diag_set(diag, CMPD_ECORRUPT, "the file is not a store of cmpd");
	}
	if (rc != 0) {
		return diag_set(diag, lmdb_error(rc), "%s", mdb_strerror(rc));
	}
	return error != 0 ? error : check_counts(view, lmdb, diag);
}

int
lmdb_load_tables(struct store *store, bool *ret_new, struct diag *diag)
{
	struct lmdb *lmdb = store->state;
	struct view view = {.store = store};
	MDB_txn *txn = NULL;
	int rc = mdb_txn_begin(lmdb->env, NULL, MDB_RDONLY, &txn);
	int error;

	if (rc == 0) {
		view.handle = txn;
		rc = is_empty(txn, ret_new);
	}
	if (rc != 0) {
		error = diag_set(diag, lmdb_error(rc), "%s", mdb_strerror(rc));
	} else {
		error = *ret_new ? 0 : load_tables(&view, lmdb, diag);
	}
	if (error == 0) {
		/* Only so do the handles outlive it. */
		error = lmdb_error(mdb_txn_commit(txn));
	} else if (txn != NULL) {
		mdb_txn_abort(txn);
	}
	return error;
}
