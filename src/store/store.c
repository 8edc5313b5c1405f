#include <stdlib.h>
#include <string.h>

#include "store/internal.h"

#define READERS_MAX 126

static const struct backend *
backend_for(const struct store_options *options)
{
	return options->dir == NULL ? &backend_mem : &backend_lmdb;
}

/* In memory any key will do: it dies with what it protects. */
static int
load_seal(const struct store_options *options, struct seal *ret, struct diag *diag)
{
	uint8_t key[SEAL_KEY_SIZE];
	int error = 0;

	if (options->dir == NULL) {
		random_bytes(key, sizeof(key));
	} else if (options->key_file == NULL) {
		error = diag_set(diag, CMPD_ENOENT, "no store key is configured");
	} else {
		error = seal_read_key(options->key_file, key, diag);
	}
	if (error == 0) {
		error = seal_init(ret, key);
	}
	explicit_bzero(key, sizeof(key));
	return error;
}

int
store_open(const struct store_options *options, struct store **ret, struct diag *diag)
{
	struct store *store = calloc(1, sizeof(*store));
	int error;

	if (store == NULL) {
		return diag_set(diag, CMPD_ENOMEM, "%s", cmpd_strerror(CMPD_ENOMEM));
	}
	store->backend = backend_for(options);
	store->batch_done = options->batch_done;
	store->batch_arg = options->batch_arg;
	error = load_seal(options, &store->seal, diag);
	if (error != 0) {
		goto out;
	}
	error = store->backend->open(store, options, diag);
	if (error != 0) {
		goto out;
	}
	error = committer_start(store);
	if (error != 0) {
		diag_set(diag, error, "the store's thread cannot be started");
		store->backend->close(store);
		goto out;
	}
	*ret = store;
	store = NULL;
out:
	if (store != NULL) {
		seal_fini(&store->seal);
		free(store);
	}
	return error;
}

int
store_check(const struct store_options *options, struct diag *diag)
{
	struct seal seal = {{0}, {0}, {0}};
	int error = load_seal(options, &seal, diag);

	if (error == 0) {
		error = backend_for(options)->check(options, &seal, diag);
	}
	seal_fini(&seal);
	return error;
}

void
store_close(struct store *store)
{
	if (store == NULL) {
		return;
	}
	committer_stop(store);
	store->backend->close(store);
	seal_fini(&store->seal);
	free(store);
}

int
store_reader_open(struct store *store, struct store_reader **ret)
{
	struct store_reader *reader;
	int error = CMPD_ENOMEM;

	if (atomic_fetch_add(&store->readers, 1) >= READERS_MAX) {
		atomic_fetch_sub(&store->readers, 1);
		return CMPD_ELIMIT;
	}
	reader = calloc(1, sizeof(*reader));
	if (reader != NULL) {
		reader->view.store = store;
		error = store->backend->reader_open(&reader->view);
	}
	if (error != 0) {
		free(reader);
		atomic_fetch_sub(&store->readers, 1);
		return error;
	}
	*ret = reader;
	return 0;
}

void
store_reader_close(struct store_reader *reader)
{
	struct store *store;

	if (reader == NULL) {
		return;
	}
	store = reader->view.store;
	store->backend->reader_close(&reader->view);
	free(reader);
	atomic_fetch_sub(&store->readers, 1);
}

int
store_stats(struct store_reader *reader, struct store_stats *ret)
{
	struct store *store = reader->view.store;
	struct store_stats stats = {.txns = 0};
	struct tally tally;
	int error = store->backend->read_begin(&reader->view);

	if (error != 0) {
		return error;
	}
	error = tally_load(&reader->view, &tally);
	store->backend->read_end(&reader->view);
	if (error != 0) {
		return error;
	}
	memcpy(stats.entries, tally.entries, sizeof(stats.entries));
	stats.txns = tally.txns;
	stats.certs = tally.certs;
	stats.secrets = tally.secrets;
	stats.audit = tally.last_audit;
	stats.commits = atomic_load(&store->commits);
	stats.units = atomic_load(&store->units);
	stats.conflicts = atomic_load(&store->conflicts);
	store->backend->usage(store, &stats.used_bytes, &stats.map_bytes);
	*ret = stats;
	return 0;
}

int
store_backup(struct store *store, const char *file, struct diag *diag)
{
	return store->backend->backup(store, file, diag);
}
