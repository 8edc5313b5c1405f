/*
 * What HTTP serves from memory: paths and the files under them. A shelf is made by the housekeeping thread, never changed afterwards and handed
 * to the I/O thread; files outlive it while they are being sent.
 */
#pragma once

#include "base/bytes.h"

struct http_file;
struct shelf;
struct shelf_file;

/* Copies body; type must live for ever. modified, fresh_until: ms. One reference is the caller's. NULL: out of memory. */
struct shelf_file *shelf_file_new(struct bytes body, const char *type, int64_t modified,
    int64_t fresh_until);
/* Any thread; NULL is fine. */
void shelf_file_put(struct shelf_file *file);

/* NULL: out of memory. */
struct shelf *shelf_new(void);
/* NULL is fine. */
void shelf_free(struct shelf *shelf);
/* prefix, name and suffix are the path; the shelf takes a reference of its own. A path that is there already stays. CMPD_ENOMEM. */
int shelf_add(struct shelf *shelf, struct shelf_file *file, const char *prefix, const char *name,
    const char *suffix) CMPD_MUST_CHECK;
/* *ret holds a reference, which its release gives back. shelf NULL: CMPD_ENOENT as for a path that is not there. */
int shelf_find(const struct shelf *shelf, const char *path, struct http_file *ret) CMPD_MUST_CHECK;
