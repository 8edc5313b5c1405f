/*
 * The parts of the LMDB back end: the environment (store_lmdb.c), its transactions
 * (store_lmdb_txn.c), its care (store_lmdb_care.c), its healing (store_lmdb_heal.c), and the look at the
 * file before LMDB maps it (store_lmdb_file.c).
 */
#pragma once

#include <lmdb.h>

#include "store/internal.h"

#define LMDB_READERS 128 /* 126 of ours, a backup, the committer's own */

struct lmdb {
	MDB_env *env; /* NULL: could not be opened again */
	MDB_dbi tables[TABLES];
	bool
	    lacks_tables; /* those from TABLE_FIRST_LATER on: the store was made before there were such */
	int lock_fd; /* dir/lock, held as long as the store is open */
	struct store_options options;
	char *dir; /* options.dir */
	/* Held for reading by whoever uses env and is not the committer; for writing by the committer, when it opens env
	 * anew. */
	pthread_rwlock_t gate;
	pthread_mutex_t readers_lock; /* taken behind gate */
	struct view *readers[LMDB_READERS];
};

/* MDB_... or errno to CMPD_E..., STORE_MAP_FULL. */
int lmdb_error(int rc);

/* Is this a whole LMDB file of our kind? A missing or empty one is fine: *ret_exists false. A page behind
 * the end of a file is SIGBUS later, so it must be found before anything is mapped. CMPD_ECORRUPT, CMPD_EVERSION,
 * CMPD_EACCES, CMPD_EIO. */
int lmdb_file_check(const char *file, bool *ret_exists, struct diag *diag) CMPD_MUST_CHECK;

unsigned int lmdb_flags(const struct lmdb *lmdb);
/* An environment for lmdb->options; to be closed on failure too. */
int lmdb_env_open(struct lmdb *lmdb, unsigned int flags, struct diag *diag) CMPD_MUST_CHECK;
void lmdb_env_close(struct lmdb *lmdb);
int lmdb_create_tables(struct store *store, struct diag *diag) CMPD_MUST_CHECK;
/* Makes those that load_tables did not find. */
int lmdb_add_tables(struct store *store, struct diag *diag) CMPD_MUST_CHECK;
/* Opens the tables that are there and checks that they are ours. *ret_new: there are none yet. */
int lmdb_load_tables(struct store *store, bool *ret_new, struct diag *diag) CMPD_MUST_CHECK;

/* After a failed write to a meta page LMDB refuses everything until the environment is opened anew (MDB_PANIC). The
 * committer does that, here; readers get CMPD_EIO until it succeeds. 0: healthy, or healthy again. */
int lmdb_heal(struct store *store) CMPD_MUST_CHECK;

int lmdb_reader_open(struct view *view);
void lmdb_reader_close(struct view *view);
int lmdb_read_begin(struct view *view);
void lmdb_read_end(struct view *view);
int lmdb_write_begin(struct view *view);
int lmdb_write_commit(struct view *view);
void lmdb_write_abort(struct view *view);
int lmdb_get(struct view *view, enum table table, struct bytes key, struct bytes *ret);
int lmdb_put(struct view *view, enum table table, struct bytes key, struct bytes value,
    bool append);
int lmdb_del(struct view *view, enum table table, struct bytes key);
int lmdb_each(struct view *view, enum table table, struct bytes from, struct visitor *visitor);

enum space lmdb_space(struct store *store);
void lmdb_tick(struct store *store);
void lmdb_usage(struct store *store, uint64_t *ret_used, uint64_t *ret_map);
int lmdb_backup(struct store *store, const char *file, struct diag *diag);
