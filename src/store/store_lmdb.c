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

#define PATH_SIZE 4096
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

unsigned int
lmdb_flags(const struct lmdb *lmdb)
{
	return lmdb->options.sync ? 0 : MDB_NOSYNC;
}

int
lmdb_env_open(struct lmdb *lmdb, unsigned int flags, struct diag *diag)
{
	const struct store_options *options = &lmdb->options;
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
		rc = mdb_env_set_maxreaders(lmdb->env, LMDB_READERS);
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

/* ---- open, check, close ---- */

void
lmdb_env_close(struct lmdb *lmdb)
{
	if (lmdb->env != NULL) {
		mdb_env_close(lmdb->env);
	}
	lmdb->env = NULL;
}

static void
lmdb_close(struct store *store)
{
	struct lmdb *lmdb = store->state;

	lmdb_env_close(lmdb);
	lock_release(lmdb);
	pthread_mutex_destroy(&lmdb->readers_lock);
	pthread_rwlock_destroy(&lmdb->gate);
	free(lmdb->dir);
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
lmdb_new(const struct store_options *options, struct lmdb **ret)
{
	struct lmdb *lmdb = calloc(1, sizeof(*lmdb));
	pthread_rwlockattr_t attr;

	if (lmdb == NULL) {
		return CMPD_ENOMEM;
	}
	lmdb->lock_fd = -1;
	lmdb->options = *options;
	lmdb->dir = strdup(options->dir);
	lmdb->options.dir = lmdb->dir;
	if (lmdb->dir == NULL) {
		free(lmdb);
		return CMPD_ENOMEM;
	}
	pthread_rwlockattr_init(&attr);
	/* Healing must not wait for ever for readers that overlap. */
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&lmdb->gate, &attr);
	pthread_rwlockattr_destroy(&attr);
	pthread_mutex_init(&lmdb->readers_lock, NULL);
	*ret = lmdb;
	return 0;
}

static int
open_env(struct store *store, const char *path, struct diag *diag)
{
	struct lmdb *lmdb = store->state;
	bool is_new = false;
	int stale, error;

	error = lmdb_env_open(lmdb, lmdb_flags(lmdb), diag);
	if (error != 0) {
		return error;
	}
	mdb_reader_check(lmdb->env, &stale);
	error = lmdb_load_tables(store, &is_new, diag);
	if (error != 0) {
		diag_prefix(diag, "%s", path);
	}
	if (error == 0 && is_new) {
		error = lmdb_create_tables(store, diag);
		if (error == 0) {
			error = sync_dir(lmdb->dir, diag);
		}
	} else if (error == 0 && lmdb->lacks_tables) {
		error = lmdb_add_tables(store, diag);
	}
	return error;
}

static int
lmdb_open(struct store *store, const struct store_options *options, struct diag *diag)
{
	struct lmdb *lmdb = NULL;
	char path[PATH_SIZE];
	bool exists;
	int error = lmdb_new(options, &lmdb);

	if (error != 0) {
		return diag_set(diag, error, "%s", cmpd_strerror(error));
	}
	store->state = lmdb;
	error = path_in(lmdb->dir, "data.mdb", path, diag);
	if (error == 0 && mkdir(lmdb->dir, 0700) != 0 && errno != EEXIST) {
		error = errno_error(diag, lmdb->dir);
	}
	if (error == 0) {
		error = lock_take(lmdb->dir, lmdb, diag);
	}
	if (error == 0) {
		error = lmdb_file_check(path, &exists, diag);
	}
	if (error == 0) {
		error = open_env(store, path, diag);
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
	struct lmdb lmdb = {.lock_fd = -1, .options = *options};
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
		error = lmdb_env_open(&lmdb, MDB_RDONLY | MDB_NOLOCK, diag);
		if (error == 0) {
			error = lmdb_load_tables(&store, &is_new, diag);
			if (error != 0) {
				diag_prefix(diag, "%s", path);
			}
		}
	}
	lmdb_env_close(&lmdb);
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
