/*
 * The housekeeping thread: the expiry sweep each second, and a queue of tasks: commands of operators, late verdicts, reload, the end of
 * old configurations. It has its own reader and its own slot of the newest snapshot.
 */
#pragma once

#include <stdint.h>

#include "base/error.h"

struct desk;
struct housekeeping;
struct snapshot;
struct shelf;
struct store;

/* Takes a reference of its own. CRLs are made and given to publish(arg, shelf), which takes the shelf over, for the first time before this
 * returns: nobody gets a certificate before there is a CRL. */
int housekeeping_start(struct store *store, struct snapshot *snapshot,
    void (*publish)(void *arg, struct shelf *shelf), void *arg, struct housekeeping **ret,
    struct diag *diag) CMPD_MUST_CHECK;

/* Something was revoked: CRLs are looked at soon. Any thread, must not block; many calls are one. */
void housekeeping_wake(struct housekeeping *housekeeping);
/* From within a task: makes a CRL of that generation now. As crls_make. */
int housekeeping_make_crl(struct housekeeping *housekeeping, struct desk *desk, const uint8_t *ca,
    struct diag *diag) CMPD_MUST_CHECK;

/*
 * Lets fn(arg, desk) run once on the thread, soon. In desk conf, issuer, policy and reader are set; pool, unit and now are fn's business.
 * desk NULL: the daemon is going down. CMPD_ELIMIT, CMPD_ECLOSED, CMPD_ENOMEM: fn will not be called. Any thread; never waits.
 */
int housekeeping_post(struct housekeeping *housekeeping, void (*fn)(void *arg, struct desk *desk),
    void *arg) CMPD_MUST_CHECK;
/* The same without a limit, for what is bounded elsewhere. */
int housekeeping_post_always(struct housekeeping *housekeeping,
    void (*fn)(void *arg, struct desk *desk), void *arg) CMPD_MUST_CHECK;

/* From within a task: the snapshot that tasks and sweeps use from the next one on (a reference is taken); the one in use. */
void housekeeping_set_snapshot(struct housekeeping *housekeeping, struct snapshot *snapshot);
struct snapshot *housekeeping_snapshot0(struct housekeeping *housekeeping);

/* Tasks that wait get desk NULL. Waits for the thread. NULL is fine. */
void housekeeping_stop(struct housekeeping *housekeeping);
/* After stop: posting says CMPD_ECLOSED until here. */
void housekeeping_free(struct housekeeping *housekeeping);
