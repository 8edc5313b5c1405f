/*
 * The store as its own files see it.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "store/table.h"
#include "store/unit.h"

struct store {
	const struct backend *backend;
	void *state; /* the back end's */
	struct seal seal;
	struct seal_chain *chain; /* the committer's */
	struct pool *pool; /* the committer's, for one unit */
	void (*batch_done)(void *arg);
	void *batch_arg;
	atomic_uint readers;

	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct unit *first, *last; /* those that wait, under lock */
	bool closing; /* under lock */
	bool revoking; /* the committer's: this batch has changed what is revoked */
	atomic_ullong commits, units, conflicts, revocations;
};

struct store_reader {
	struct view view;
};

/* TABLE_META */
#define META_SCHEMA  "schema"
#define META_CHECK   "check"
#define META_TALLY   "tally"
#define META_REVOKED "revoked " /* and the CA: how many changes, how many rows */
#define META_OPEN    "open " /* and the identity: transactions that have not ended */
#define SCHEMA_TEXT  "cmpd store "
#define SCHEMA	     2u

/* Writes what a new store begins with; or checks it. CMPD_EVERSION, CMPD_EAUTH, CMPD_ECORRUPT. */
int meta_create(struct view *view, const struct seal *seal) CMPD_MUST_CHECK;
int meta_check(struct view *view, const struct seal *seal, struct diag *diag) CMPD_MUST_CHECK;
int tally_load(struct view *view, struct tally *ret) CMPD_MUST_CHECK;
/* Seals the head of the audit chain first. */
int tally_save(struct view *view, struct tally *tally, struct seal_chain *chain) CMPD_MUST_CHECK;
/* Is the head of the audit chain ours? CMPD_ECORRUPT. */
int tally_check(const struct tally *tally, const struct seal *seal) CMPD_MUST_CHECK;

int committer_start(struct store *store) CMPD_MUST_CHECK;
/* Lets it finish what waits. */
void committer_stop(struct store *store);
