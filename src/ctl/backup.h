/*
 * Backups: a thread of its own, one at a time, because a copy takes as long as the disk needs.
 */
#pragma once

#include "base/error.h"

struct ctl_backup;
struct ctl_call;
struct store;

struct ctl_backup *ctl_backup_new(struct store *store);
/* Waits as ctl_backup_join. NULL is fine. */
void ctl_backup_free(struct ctl_backup *backup);

/* Copies the store to dir/name, in a thread that ends the call. name is one plain file name that does not exist yet. CMPD_EINVAL,
 * CMPD_EEXIST, CMPD_EUNAVAILABLE (another one runs), CMPD_EIO, CMPD_ENOMEM, with words in diag: nothing was started. Housekeeping thread. */
int ctl_backup_start(struct ctl_backup *backup, struct ctl_call *call, const char *dir,
    const char *name, struct diag *diag) CMPD_MUST_CHECK;
/* Waits for the one that runs. I/O thread. */
void ctl_backup_join(struct ctl_backup *backup);
