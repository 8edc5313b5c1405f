/*
 * Delayed delivery of what is no enrolment (RFC 9810 5.3.21, 5.3.22): an rr or genm that has to
 * wait is answered with an error message of status waiting; a pollReq with certReqId -1 gets
 * pollRep, and once it is decided the stored request is carried out as if it came now. The whole
 * message is one entry.
 */
#pragma once

#include "cmp/work.h"

/* Asks policy, and the endpoint's hold. n_all: things asked for in the message, matters or not; it
 * is the same whenever the message is done again. *ret_begun: it waits or was denied, and the
 * answer says so; else go on. CMPD_EPARKED. */
int delayed_ask(struct cmp_work *work, const struct desk_matter *matters, size_t n, size_t n_all,
    bool *ret_begun) CMPD_MUST_CHECK;
/* The final answer to a pollReq; outcome: of desk_collect, not waiting. */
int delayed_end(struct cmp_work *work, struct desk_outcome *outcome) CMPD_MUST_CHECK;
