/*
 * General messages (RFC 9810 5.3.19): one handler per infoType, a table. What is not known or cannot be told goes into
 * unsupportedOIDs (5.3.19.7).
 */
#pragma once

#include "cmp/work.h"

/* Most InfoTypeAndValues in one genm. */
#define GENM_MAX 32

/* *ret: the genp to a genm's body, of the message at hand or of one that has waited. Faults are remembered. */
int genm_carry_out(struct cmp_work *work, struct bytes in, struct bytes *ret) CMPD_MUST_CHECK;

int serve_genm(struct cmp_work *work) CMPD_MUST_CHECK;
