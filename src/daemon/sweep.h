/*
 * The expiry sweep: entries, transactions, certificates and secrets whose time has come. Housekeeping thread.
 */
#pragma once

struct desk;
struct store;
struct sweep;

/* NULL: out of memory. */
struct sweep *sweep_new(struct store *store);
void sweep_free(struct sweep *sweep);

/*
 * One pass over what is due, in slices, each committed together; it ends early when much is due, so that tasks are not kept waiting. After the start and after a
 * jump of the wall clock against the monotonic clock nothing is revoked for lack of confirmation for one confirmWaitTime.
 * desk: conf, issuer, policy, reader are set.
 */
void sweep_run(struct sweep *sweep, struct desk *desk);
