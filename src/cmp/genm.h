/*
 * General messages (RFC 9810 5.3.19): one handler per infoType, a table. What is not known or cannot be told goes into
 * unsupportedOIDs (5.3.19.7).
 */
#pragma once

#include "cmp/work.h"

/* Most InfoTypeAndValues in one genm. */
#define GENM_MAX 32

int serve_genm(struct cmp_work *work) CMPD_MUST_CHECK;
