/*
 * PKIFailureInfo (RFC 9810 5.2.3): the bits, their names, and which one an error of another room means.
 * Nowhere else is a bit chosen for an error.
 */
#pragma once

#include "base/error.h"

enum failinfo {
	FI_NONE = -1,
	FI_BAD_ALG = 0,
	FI_BAD_MESSAGE_CHECK = 1,
	FI_BAD_REQUEST = 2,
	FI_BAD_TIME = 3,
	FI_BAD_CERT_ID = 4,
	FI_BAD_DATA_FORMAT = 5,
	FI_WRONG_AUTHORITY = 6,
	FI_INCORRECT_DATA = 7,
	FI_MISSING_TIME_STAMP = 8,
	FI_BAD_POP = 9,
	FI_CERT_REVOKED = 10,
	FI_CERT_CONFIRMED = 11,
	FI_WRONG_INTEGRITY = 12,
	FI_BAD_RECIPIENT_NONCE = 13,
	FI_TIME_NOT_AVAILABLE = 14,
	FI_UNACCEPTED_POLICY = 15,
	FI_UNACCEPTED_EXTENSION = 16,
	FI_ADD_INFO_NOT_AVAILABLE = 17,
	FI_BAD_SENDER_NONCE = 18,
	FI_BAD_CERT_TEMPLATE = 19,
	FI_SIGNER_NOT_TRUSTED = 20,
	FI_TRANSACTION_ID_IN_USE = 21,
	FI_UNSUPPORTED_VERSION = 22,
	FI_NOT_AUTHORIZED = 23,
	FI_SYSTEM_UNAVAIL = 24,
	FI_SYSTEM_FAILURE = 25,
	FI_DUPLICATE_CERT_REQ = 26,
	FI_COUNT
};

/* "badAlg", ...; NULL: no such bit. */
const char *failinfo_name(int bit);
/* The bit of a name, FI_NONE: no such name. */
int failinfo_parse(const char *name);
/* The bit that tells a client what a CMPD_E... means. */
int failinfo_of_error(int error);
