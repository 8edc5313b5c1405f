#include "store/internal.h"

static int
lmdb_open(struct store *store, const struct store_options *options, struct diag *diag)
{
	(void)store;
	(void)options;
	return diag_set(diag, CMPD_EINVAL, "stores on disk are not there yet");
}

static int
lmdb_check(const struct store_options *options, const struct seal *seal, struct diag *diag)
{
	(void)options;
	(void)seal;
	return diag_set(diag, CMPD_EINVAL, "stores on disk are not there yet");
}

const struct backend backend_lmdb = {.open = lmdb_open, .check = lmdb_check};
