#include "daemon/snapshot.h"

#include <openssl/crypto.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "cmp/door.h"
#include "conf/conf.h"
#include "daemon/routes.h"
#include "issuer/issuer.h"
#include "policy/policy.h"

struct counted {
	struct snapshot snapshot; /* first: the two are cast into each other */
	struct conf *conf;
	_Atomic unsigned references;
};

/* Set once at the start, taken away at the end, when no other thread is left. */
static void (*last_hook)(void *arg, struct snapshot *snapshot);
static void *last_hook_arg;

void
snapshot_set_last_hook(void (*hook)(void *arg, struct snapshot *snapshot), void *arg)
{
	last_hook = hook;
	last_hook_arg = arg;
}

void
snapshot_slot_enter(const struct snapshot_slot *slot)
{
	OSSL_LIB_CTX_set0_default(slot->libctx);
}

void
snapshot_slot_leave(const struct snapshot_slot *slot)
{
	OSSL_LIB_CTX_set0_default(OSSL_LIB_CTX_get0_global_default());
	OPENSSL_thread_stop_ex(slot->libctx);
}

static int
slot_init(struct snapshot_slot *slot, const struct conf *conf, bool with_door, struct diag *diag)
{
	int r;

	slot->libctx = OSSL_LIB_CTX_new();
	if (slot->libctx == NULL) {
		return diag_set(diag, CMPD_ENOMEM, "no memory for a library context");
	}
	snapshot_slot_enter(slot);
	r = issuer_new(conf, slot->libctx, &slot->issuer, diag);
	if (r == 0 && with_door) {
		r = cmp_door_new(conf, slot->libctx, slot->issuer, &slot->door, diag);
	}
	snapshot_slot_leave(slot);
	return r;
}

static void
slot_fini(struct snapshot_slot *slot)
{
	cmp_door_free(slot->door);
	issuer_free(slot->issuer);
	OSSL_LIB_CTX_free(slot->libctx);
}

int
snapshot_new(struct conf *conf, size_t n_workers, struct snapshot **ret, struct diag *diag)
{
	struct counted *counted = calloc(1, sizeof(*counted));
	struct snapshot *snapshot = &counted->snapshot;
	int r = CMPD_ENOMEM;

	if (counted == NULL) {
		conf_free(conf);
		return diag_set(diag, r, "out of memory");
	}
	counted->references = 1;
	counted->conf = conf;
	snapshot->conf = conf;
	snapshot->n_workers = n_workers;
	snapshot->routes = routes_new(conf);
	snapshot->slots = calloc(n_workers + 1, sizeof(*snapshot->slots));
	if (snapshot->routes == NULL || snapshot->slots == NULL) {
		diag_set(diag, r, "out of memory");
		goto out;
	}
	r = policy_new(conf, &snapshot->policy, diag);
	for (size_t i = 0; r == 0 && i <= n_workers; i++) {
		r = slot_init(&snapshot->slots[i], conf, i < n_workers, diag);
	}
	if (r == 0) {
		*ret = snapshot;
		return 0;
	}
out:
	snapshot_destroy(snapshot);
	return r;
}

struct snapshot *
snapshot_get1(struct snapshot *snapshot)
{
	struct counted *counted = (struct counted *)snapshot;

	atomic_fetch_add_explicit(&counted->references, 1, memory_order_relaxed);
	return snapshot;
}

void
snapshot_put(struct snapshot *snapshot)
{
	struct counted *counted = (struct counted *)snapshot;

	if (snapshot == NULL ||
	    atomic_fetch_sub_explicit(&counted->references, 1, memory_order_acq_rel) > 1) {
		return;
	}
	if (last_hook != NULL) {
		last_hook(last_hook_arg, snapshot);
	} else {
		snapshot_destroy(snapshot);
	}
}

void
snapshot_destroy(struct snapshot *snapshot)
{
	struct counted *counted = (struct counted *)snapshot;

	for (size_t i = 0; snapshot->slots != NULL && i <= snapshot->n_workers; i++) {
		slot_fini(&snapshot->slots[i]);
	}
	free(snapshot->slots);
	policy_free(snapshot->policy);
	routes_free(snapshot->routes);
	conf_free(counted->conf);
	free(counted);
}
