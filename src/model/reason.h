/*
 * CRLReason (RFC 5280 5.3.1): numbers and names. 7 does not exist.
 */
#pragma once

#include "base/bytes.h"

enum crl_reason {
	REASON_NONE = -1, /* none given */
	REASON_UNSPECIFIED = 0,
	REASON_KEY_COMPROMISE = 1,
	REASON_CA_COMPROMISE = 2,
	REASON_AFFILIATION_CHANGED = 3,
	REASON_SUPERSEDED = 4,
	REASON_CESSATION_OF_OPERATION = 5,
	REASON_CERTIFICATE_HOLD = 6,
	REASON_REMOVE_FROM_CRL = 8,
	REASON_PRIVILEGE_WITHDRAWN = 9,
	REASON_AA_COMPROMISE = 10
};

/* "keyCompromise", ...; NULL: no such reason, or none. */
const char *crl_reason_name(int reason);
/* CMPD_EINVAL. */
int crl_reason_parse(const char *name, int *ret) CMPD_MUST_CHECK;
/* A reason for good: neither a hold nor the end of one. */
bool crl_reason_is_final(int reason);
