/*
 * The worker threads: each takes jobs from the flow's queue and does one at a time, in its slot of the job's snapshot.
 */
#pragma once

#include <stddef.h>

#include "base/error.h"

struct flow;
struct workers;

/* CMPD_ELIMIT: not so many readers; CMPD_ENOMEM. */
int workers_start(struct flow *flow, size_t n, struct workers **ret,
    struct diag *diag) CMPD_MUST_CHECK;
/* The queue must be closed; waits until it is empty and each has finished its job. NULL is fine. */
void workers_join(struct workers *workers);
