/*
 * Answers that are not a matter of the body: faults, and what has been answered before.
 */
#pragma once

#include "cmp/work.h"

/* An error message (an rp to an rr) with this failInfo; changes of the unit stay. CMPD_ENOMEM, CMPD_ECRYPTO. */
int answer_error(struct cmp_work *work, int fail_info, const char *text) CMPD_MUST_CHECK;
/* The first fault as an answer, with its log line; the unit is dropped. */
int answer_fault(struct cmp_work *work) CMPD_MUST_CHECK;
/* The stored answer of a message that came again; the unit is dropped. */
int answer_replay(struct cmp_work *work) CMPD_MUST_CHECK;
