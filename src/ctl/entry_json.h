/*
 * An entry as operators see it.
 */
#pragma once

#include <jansson.h>

#include "base/bytes.h"

struct ctl_context;
struct ctl_object;
struct entry;

/* What list shows. version: of the entry as it is told (a change that is to be committed counts already). */
void ctl_entry_put_summary(struct ctl_object *object, const struct entry *entry, uint64_t version);
/* Which request of its transaction it is, and of how many, if there are several and the transaction is not forgotten. */
int ctl_entry_put_txn(struct ctl_object *object, struct ctl_context *context,
    const struct entry *entry) CMPD_MUST_CHECK;
/* What show tells besides. Reads the store for the history. */
int ctl_entry_put_detail(struct ctl_object *object, struct ctl_context *context,
    const struct entry *entry) CMPD_MUST_CHECK;
