/*
 * What the tests of the store share: a store of either kind in a scratch
 * folder, and records to put into it.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/pool.h"
#include "store/store.h"

/* The store a test works on. dir NULL: in memory. */
struct bench {
	struct store_options options;
	struct store *store;
	struct store_reader *reader;
	struct pool *pool;
	char dir[256];
	char key_file[256];
	int late; /* what a unit was told that came too late */
};

/* A new scratch folder with a key file; the store is not opened. */
void bench_init(struct bench *bench, bool on_disk);
void bench_open(struct bench *bench);
void bench_close(struct bench *bench);
void bench_reopen(struct bench *bench);
/* Closes and removes all. */
void bench_fini(struct bench *bench);

/* Commits and waits. */
int bench_commit(struct bench *bench, struct unit *unit);
/* Hands all over at once and waits for all. */
void bench_commit_all(struct bench *bench, struct unit **units, size_t n, int *ret_results);
void write_file(const char *path, const void *data, size_t len, unsigned int mode);
/* Does the file hold these bytes anywhere? */
bool file_holds(const char *path, struct bytes needle);

struct txn_key make_txn_key(unsigned int n);
struct txn make_txn(unsigned int n);
/* New, pending, id made of n. */
struct entry make_entry(unsigned int n);
struct cert make_cert(unsigned int n);
struct secret make_secret(const char *ref, const char *value);
