/*
 * Messages inside of a nested one (RFC 9810 5.1.3.5), brought by a registration authority: one with
 * protection added, or a batch.
 */
#pragma once

#include "cmp/work.h"

/* Begins the work on a message that is inside of another; inner may be outer. */
void nested_begin(struct cmp_work *inner, const struct cmp_work *outer, struct desk *desk,
    struct cmp_answer *answer, struct bytes message);
/* The answer to a batch. Signed: work->verified is NULL. CMPD_ENOMEM, CMPD_ECRYPTO. */
int nested_seal(struct cmp_work *work, const struct bytes *answers, size_t n) CMPD_MUST_CHECK;
