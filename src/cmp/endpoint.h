/*
 * Endpoints as a worker uses them: signer, anchors and certificates to send, loaded once.
 */
#pragma once

#include "cmp/work.h"

/* Fills *ret; on failure what is there is freed by endpoint_fini all the same. */
int endpoint_init(struct cmp_door *door, const struct conf_endpoint *conf, struct cmp_endpoint *ret,
    struct diag *diag) CMPD_MUST_CHECK;
void endpoint_fini(struct cmp_endpoint *endpoint);
/* Adds all certificates of a file to a store. */
int endpoint_add_anchors(struct cmp_door *door, X509_STORE *anchors, const char *file,
    struct diag *diag) CMPD_MUST_CHECK;
