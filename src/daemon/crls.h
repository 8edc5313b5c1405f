/*
 * Keeps the CRL of every generation of every CA fresh and on the shelf. Housekeeping thread.
 */
#pragma once

#include "model/record.h"

struct crls;
struct desk;
struct shelf;
struct store;

/* publish(arg, shelf) takes the shelf over; called whenever there is another one. NULL: out of memory. */
struct crls *crls_new(struct store *store, void (*publish)(void *arg, struct shelf *shelf),
    void *arg);
void crls_free(struct crls *crls);

/* The configuration or its keys are others: all is put on the shelf anew the next time. */
void crls_changed(struct crls *crls);
/*
 * Makes what is due, at the most one per second and generation. After a failure it tries again some seconds later. Returns when to look again at
 * the latest (monotonic ms). desk: conf, issuer, reader are set; pool, unit and now are used.
 */
int64_t crls_run(struct crls *crls, struct desk *desk);
/* Makes one of this generation now, due or not. CMPD_ENOENT: it makes none; errors with words in diag. */
int crls_make(struct crls *crls, struct desk *desk, const uint8_t ca[CA_ID_SIZE],
    struct diag *diag) CMPD_MUST_CHECK;
