/*
 * A configuration with everything that was loaded for it: plugins, and for each thread that works with certificates a
 * library context of its own with its own keys. Built and checked whole before it takes the place of another one; whoever works with it
 * holds a reference, so a request ends under the configuration it began with.
 */
#pragma once

#include <openssl/types.h>

#include "base/error.h"

struct cmp_door;
struct conf;
struct issuer;
struct policy;
struct routes;

/* What one thread needs, in its own library context. */
struct snapshot_slot {
	OSSL_LIB_CTX *libctx;
	struct issuer *issuer;
	struct cmp_door *door; /* NULL in the last slot, which is housekeeping's */
};

struct snapshot {
	const struct conf *conf;
	struct policy *policy;
	struct routes *routes;
	size_t n_workers;
	struct snapshot_slot *slots; /* n_workers + 1 */
};

/* Takes conf over, also on failure. CMPD_ECONF with the reason in diag, CMPD_ENOMEM. One reference is the caller's. Any thread; the
 * thread's default library context is the same afterwards. */
int snapshot_new(struct conf *conf, size_t n_workers, struct snapshot **ret,
    struct diag *diag) CMPD_MUST_CHECK;
struct snapshot *snapshot_get1(struct snapshot *snapshot);
/* Any thread. Freeing takes time (plugins are waited for): the hook, if there is one, gets the last reference instead. NULL is fine. */
void snapshot_put(struct snapshot *snapshot);
void snapshot_set_last_hook(void (*hook)(void *arg, struct snapshot *snapshot), void *arg);
/* For the hook. */
void snapshot_destroy(struct snapshot *snapshot);

/* The calling thread works in this slot from now on / no longer does. Per-thread state of libcrypto in the context is given back. */
void snapshot_slot_enter(const struct snapshot_slot *slot);
void snapshot_slot_leave(const struct snapshot_slot *slot);
