#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/store_lmdb.h"

#define READERS_MAX 128 /* 126 of ours, a backup, one to spare */
#define PATH_SIZE   4096
/* A check of the configuration holds the lock for a moment: wait for it, not for another cmpd. */
#define LOCK_TRIES   10
#define LOCK_WAIT_MS 50

static int
path_in(const char *dir, const char *name, char out[PATH_SIZE], struct diag *diag)
{
	int n = snprintf(out, PATH_SIZE, "%s/%s", dir, name);

	return n > 0 && n < PATH_SIZE ? 0 : diag_set(diag, CMPD_EINVAL, "the path is too long");
}

static int
errno_error(struct diag *diag, const char *path)
{
	int error = lmdb_error(errno);

	return diag_set(diag, error, "%s: %s", path, strerror(errno));
}

/* ---- one cmpd at a time ---- */

static int
lock_take(const char *dir, struct lmdb *lmdb, struct diag *diag)
{
	const struct timespec pause = {.tv_nsec = LOCK_WAIT_MS * 1000000L};
	char path[PATH_SIZE];
	int error = path_in(dir, "lock", path, diag);

	if (error != 0) {
		return error;
	}
	lmdb->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (lmdb->lock_fd < 0) {
		return errno_error(diag, path);
	}
	for (int i = 0; i < LOCK_TRIES; i++) {
		if (flock(lmdb->lock_fd, LOCK_EX | LOCK_NB) == 0) {
			return 0;
		}
		nanosleep(&pause, NULL);
	}
	close(lmdb->lock_fd);
	lmdb->lock_fd = -1;
	return diag_set(diag, CMPD_EACCES, "%s: another cmpd has this store", path);
}

static void
lock_release(struct lmdb *lmdb)
{
	if (lmdb->lock_fd >= 0) {
		close(lmdb->lock_fd);
	}
	lmdb->lock_fd = -1;
}

/* ---- the environment ---- */

static uint64_t
default_map(void)
{
	/* Address space costs nothing, but a map cannot grow while it is read. */
	return sizeof(size_t) > 4 ? (uint64_t)1 << 40 : (uint64_t)1 << 30;
}

static int
env_open(
    struct lmdb *lmdb, const struct store_options *options, unsigned int flags, struct diag *diag)
{
	uint64_t size = options->map_size == 0 ? default_map() : options->map_size;
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	int rc = mdb_env_create(&lmdb->env);

	size = size / page * page;
	if (size > SIZE_MAX) {
		rc = ENOMEM;
	}
	if (rc == 0) {
		rc = mdb_env_set_maxdbs(lmdb->env, TABLES);
	}
	if (rc == 0) {
		rc = mdb_env_set_maxreaders(lmdb->env, READERS_MAX);
	}
	if (rc == 0) {
		rc = mdb_env_set_mapsize(lmdb->env, (size_t)size);
	}
	if (rc == 0) {
		rc = mdb_env_open(lmdb->env, options->dir, MDB_NORDAHEAD | MDB_NOTLS | flags, 0600);
	}
	if (rc == ENOMEM) {
		return diag_set(diag, CMPD_ENOMEM, "%s: no address space for a map of %llu bytes",
		    options->dir, (unsigned long long)size);
	}
	return rc == 0 ? 0
		       : diag_set(diag, lmdb_error(rc), "%s: %s", options->dir, mdb_strerror(rc));
}

/* All tables of a transaction, made if create. */
static int
open_tables(struct lmdb *lmdb, MDB_txn *txn, bool create)
{
	int rc = 0;

	for (int t = 0; t < TABLES && rc == 0; t++) {
		rc = mdb_dbi_open(txn, table_names[t], create ? MDB_CREATE : 0, &lmdb->tables[t]);
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

static int
create_tables(struct store *store, struct diag *diag)
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

/* Opens the tables that are there. *ret_new: there are none yet. */
static int
load_tables(struct store *store, bool *ret_new, struct diag *diag)
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
	if (rc == 0 && !*ret_new) {
		rc = open_tables(lmdb, txn, false);
	}
	if (rc == MDB_NOTFOUND || rc == MDB_INCOMPATIBLE) {
		error = diag_set(diag, CMPD_ECORRUPT, "the file is not a store of cmpd");
	} else if (rc != 0) {
		error = diag_set(diag, lmdb_error(rc), "%s", mdb_strerror(rc));
	} else {
		error = *ret_new ? 0 : meta_check(&view, &store->seal, diag);
		if (error == 0 && !*ret_new) {
			error = check_counts(&view, lmdb, diag);
		}
	}
	if (error == 0) {
		/* Only so do the handles outlive it. */
		error = lmdb_error(mdb_txn_commit(txn));
	} else if (txn != NULL) {
		mdb_txn_abort(txn);
	}
	return error;
}

/* ---- open, check, close ---- */

static void
lmdb_close(struct store *store)
{
	struct lmdb *lmdb = store->state;

	if (lmdb->env != NULL) {
		mdb_env_close(lmdb->env);
	}
	lock_release(lmdb);
	free(lmdb);
	store->state = NULL;
}

/* The name of a file that was made is as durable as what is in it. */
static int
sync_dir(const char *dir, struct diag *diag)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int error = fd < 0 || fsync(fd) != 0 ? errno_error(diag, dir) : 0;

	if (fd >= 0) {
		close(fd);
	}
	return error;
}

static int
lmdb_open(struct store *store, const struct store_options *options, struct diag *diag)
{
	struct lmdb *lmdb = calloc(1, sizeof(*lmdb));
	char path[PATH_SIZE];
	bool is_new = false, exists;
	int stale, error;

	if (lmdb == NULL) {
		return diag_set(diag, CMPD_ENOMEM, "%s", cmpd_strerror(CMPD_ENOMEM));
	}
	lmdb->lock_fd = -1;
	store->state = lmdb;
	error = path_in(options->dir, "data.mdb", path, diag);
	if (error == 0 && mkdir(options->dir, 0700) != 0 && errno != EEXIST) {
		error = errno_error(diag, options->dir);
	}
	if (error == 0) {
		error = lock_take(options->dir, lmdb, diag);
	}
	if (error == 0) {
		error = lmdb_file_check(path, &exists, diag);
	}
	if (error == 0) {
		error = env_open(lmdb, options, options->sync ? 0 : MDB_NOSYNC, diag);
	}
	if (error == 0) {
		mdb_reader_check(lmdb->env, &stale);
		error = load_tables(store, &is_new, diag);
		if (error != 0) {
			diag_prefix(diag, "%s", path);
		}
	}
	if (error == 0 && is_new) {
		error = create_tables(store, diag);
		if (error == 0) {
			error = sync_dir(options->dir, diag);
		}
	}
	if (error != 0) {
		lmdb_close(store);
	}
	return error;
}

/* 1: somebody has it open, so it was in order when that cmpd started. */
static int
check_lock(const char *dir, struct lmdb *lmdb, struct diag *diag)
{
	char path[PATH_SIZE];
	int error = path_in(dir, "lock", path, diag);

	if (error != 0) {
		return error;
	}
	lmdb->lock_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (lmdb->lock_fd < 0) {
		return errno == ENOENT ? 0 : errno_error(diag, path);
	}
	return flock(lmdb->lock_fd, LOCK_SH | LOCK_NB) == 0 ? 0 : 1;
}

static int
lmdb_check(const struct store_options *options, const struct seal *seal, struct diag *diag)
{
	struct lmdb lmdb = {.lock_fd = -1};
	struct store store = {.backend = &backend_lmdb, .state = &lmdb};
	char path[PATH_SIZE];
	bool is_new, exists = false;
	int error = path_in(options->dir, "data.mdb", path, diag);

	if (error == 0) {
		error = check_lock(options->dir, &lmdb, diag);
	}
	if (error == 0) {
		error = lmdb_file_check(path, &exists, diag);
	}
	if (error == 0 && exists) {
		store.seal = *seal;
		/* Without a lock file, which would be made: dir/lock keeps others away. */
		error = env_open(&lmdb, options, MDB_RDONLY | MDB_NOLOCK, diag);
		if (error == 0) {
			error = load_tables(&store, &is_new, diag);
			if (error != 0) {
				diag_prefix(diag, "%s", path);
			}
		}
	}
	if (lmdb.env != NULL) {
		mdb_env_close(lmdb.env);
	}
	lock_release(&lmdb);
	seal_fini(&store.seal);
	return error > 0 ? 0 : error;
}

const struct backend backend_lmdb = {
    .open = lmdb_open,
    .check = lmdb_check,
    .close = lmdb_close,
    .reader_open = lmdb_reader_open,
    .reader_close = lmdb_reader_close,
    .read_begin = lmdb_read_begin,
    .read_end = lmdb_read_end,
    .write_begin = lmdb_write_begin,
    .write_commit = lmdb_write_commit,
    .write_abort = lmdb_write_abort,
    .get = lmdb_get,
    .put = lmdb_put,
    .del = lmdb_del,
    .each = lmdb_each,
    .space = lmdb_space,
    .tick = lmdb_tick,
    .usage = lmdb_usage,
    .backup = lmdb_backup,
};
