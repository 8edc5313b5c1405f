/*
 * How often somebody may guess a secret: wrong MACs are charged to the address, by what they cost,
 * and to the reference value together with the address. Only who sends wrong MACs is held up, never
 * the device elsewhere; unknown references are charged as known ones are.
 */
#pragma once

#include "cmp/work.h"

/* Before a MAC is computed. ref: the reference value as text, NULL: none. of_opener: the reference
 * is that of the transaction that the message belongs to: it is not held up for wrong MACs of its
 * reference. False: remembers the fault. */
bool guess_allowed(struct cmp_work *work, const char *ref, bool of_opener);
/* It was wrong; iterations: what was computed in vain. */
void guess_failed(struct cmp_work *work, const char *ref, int64_t iterations);
