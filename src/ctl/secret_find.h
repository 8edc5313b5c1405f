/*
 * Finding the one secret that an operator means.
 */
#pragma once

#include "ctl/commands.h"
#include "model/record.h"

/*
 * What has this reference and is not removed. endpoint NULL: not named, then only one may have it
 * (CMPD_EINVAL, diag). retiring: what another one has taken the place of, else the others. With its
 * value, in the desk's pool. CMPD_ENOENT.
 */
int ctl_secret_find(struct ctl_context *context, const char *ref, const char *endpoint,
    bool retiring, struct secret *ret) CMPD_MUST_CHECK;
/* What retires in favour of this one. CMPD_ENOENT. */
int ctl_secret_before(struct ctl_context *context, const struct secret *secret,
    struct secret *ret) CMPD_MUST_CHECK;
