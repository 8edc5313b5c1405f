#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "store/store_lmdb.h"

/* Kept for changes and drops: an eighth of the map, but not more; a quarter of that for drops. */
#define RESERVE_MAX  ((size_t)16 << 20)
#define RESERVE_PART 8u
#define DROPS_PART   4u
#define SCARCE_TIMES 4u

/* Pages that were given back, as the last commit left them. */
static size_t
count_free(MDB_env *env)
{
	MDB_cursor *cursor = NULL;
	MDB_txn *txn = NULL;
	MDB_val key, value;
	size_t n, sum = 0;

	if (mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) != 0) {
		return 0;
	}
	/* LMDB keeps them in its first table: lists, the number of pages in front. */
	if (mdb_cursor_open(txn, 0, &cursor) == 0) {
		while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
			if (value.mv_size >= sizeof(n)) {
				memcpy(&n, value.mv_data, sizeof(n));
				sum += n;
			}
		}
		mdb_cursor_close(cursor);
	}
	mdb_txn_abort(txn);
	return sum;
}

enum space
lmdb_space(struct store *store)
{
	struct lmdb *lmdb = store->state;
	MDB_envinfo info = {.me_mapsize = 0};
	MDB_stat stat = {.ms_psize = 0};
	size_t total, reserve, left;

	if (lmdb->env == NULL || mdb_env_info(lmdb->env, &info) != 0 ||
	    mdb_env_stat(lmdb->env, &stat) != 0) {
		return SPACE_PLENTY;
	}
	reserve = info.me_mapsize / RESERVE_PART;
	reserve = (reserve < RESERVE_MAX ? reserve : RESERVE_MAX) / stat.ms_psize;
	total = info.me_mapsize / stat.ms_psize;
	left = total > info.me_last_pgno ? total - info.me_last_pgno - 1 : 0;
	if (left >= SCARCE_TIMES * reserve) {
		return SPACE_PLENTY;
	}
	left += count_free(lmdb->env);
	if (left >= SCARCE_TIMES * reserve) {
		return SPACE_PLENTY;
	}
	if (left >= reserve) {
		return SPACE_SCARCE;
	}
	return left >= reserve / DROPS_PART ? SPACE_CHANGES : SPACE_DROPS;
}

void
lmdb_tick(struct store *store)
{
	struct lmdb *lmdb = store->state;
	int stale;

	/* A reader that died in the middle would keep old pages for ever. */
	if (lmdb->env != NULL) {
		mdb_reader_check(lmdb->env, &stale);
	}
}

void
lmdb_usage(struct store *store, uint64_t *ret_used, uint64_t *ret_map)
{
	struct lmdb *lmdb = store->state;
	MDB_envinfo info = {.me_mapsize = 0};
	MDB_stat stat = {.ms_psize = 0};

	pthread_rwlock_rdlock(&lmdb->gate);
	if (lmdb->env != NULL) {
		mdb_env_info(lmdb->env, &info);
		mdb_env_stat(lmdb->env, &stat);
	}
	pthread_rwlock_unlock(&lmdb->gate);
	*ret_used = ((uint64_t)info.me_last_pgno + 1) * stat.ms_psize;
	*ret_map = info.me_mapsize;
}

int
lmdb_backup(struct store *store, const char *file, struct diag *diag)
{
	struct lmdb *lmdb = store->state;
	int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int rc;

	if (fd < 0 && errno == EEXIST) {
		return diag_set(diag, CMPD_EEXIST, "%s: there is a file already", file);
	}
	if (fd < 0) {
		return diag_set(diag, lmdb_error(errno), "%s: %s", file, strerror(errno));
	}
	pthread_rwlock_rdlock(&lmdb->gate);
	rc = lmdb->env == NULL ? EIO : mdb_env_copyfd2(lmdb->env, fd, 0);
	pthread_rwlock_unlock(&lmdb->gate);
	if (rc == 0 && fsync(fd) != 0) {
		rc = errno;
	}
	if (close(fd) != 0 && rc == 0) {
		rc = errno;
	}
	if (rc != 0) {
		unlink(file);
		return diag_set(diag, lmdb_error(rc), "%s: %s", file, mdb_strerror(rc));
	}
	return 0;
}
