/*
 * Central key generation (RFC 9810 5.3.4): who sends no public key gets one, with its private key in the answer. Off unless the
 * endpoint has `central_key`.
 */
#pragma once

#include "cmp/work.h"

/* No public key in the template, or an algorithm with an empty one, and no proof of possession? One that comes with a proof
 * wants none made: it is faulty. */
bool central_asked(const struct wire_cert_req *request);
/* May it be? Nothing else is proved then. CMPD_ETEMPLATE: keys are not made here; CMPD_EACCES: the requester cannot receive
 * one. The reason is in why. */
int central_check(struct cmp_work *work, struct diag *why) CMPD_MUST_CHECK;
/* Turns outcome->made_key (NULL: nothing to do) into outcome->envelope for who sent this message, and frees it in any case. */
int central_wrap(struct cmp_work *work, struct desk_outcome *outcome) CMPD_MUST_CHECK;
