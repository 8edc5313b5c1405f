/*
 * Errors of cmpd: functions return 0 or one of these negative numbers.
 *
 * Foreign errors (OpenSSL's queue, MDB_, errno, libconfig) are translated at
 * the edge of the room that met them. What a person must read besides the
 * number goes into a struct diag, filled by the function that failed.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

#define CMPD_MUST_CHECK	  __attribute__((warn_unused_result))
#define CMPD_PRINTF(f, a) __attribute__((format(printf, f, a)))

enum cmpd_error {
	CMPD_OK = 0,
	CMPD_ENOMEM = -1,
	CMPD_EINVAL = -2, /* an argument or value that is not allowed */
	CMPD_EFORMAT = -3, /* bytes that do not decode */
	CMPD_ENOENT = -4, /* no such thing */
	CMPD_EEXIST = -5, /* there is one already */
	CMPD_ECONFLICT = -6, /* somebody changed it since it was read: redo */
	CMPD_ESTATE = -7, /* not a legal move in this state */
	CMPD_ELIMIT = -8, /* a named limit is reached */
	CMPD_EIO = -9, /* disk or file trouble */
	CMPD_ENOSPC = -10, /* disk full or map full */
	CMPD_EACCES = -11, /* not allowed for this peer or identity */
	CMPD_ECRYPTO = -12, /* libcrypto failed */
	CMPD_ECONF = -13, /* configuration does not make sense */
	CMPD_EPLUGIN = -14, /* a plugin failed */
	CMPD_EPARKED = -15, /* not yet: the answer comes by a callback */
	CMPD_ETIMEOUT = -16, /* a deadline passed */
	CMPD_ECLOSED = -17, /* shutting down, or the other side has gone */
	CMPD_ECORRUPT = -18, /* stored bytes are not what was written */
	CMPD_EVERSION = -19, /* written by another version */
	CMPD_EAUTH = -20, /* a signature, MAC or credential does not fit */
	CMPD_EPOP = -21, /* proof of possession fails */
	CMPD_ETEMPLATE = -22, /* the requested certificate cannot be made like this */
	CMPD_EEXTENSION = -23, /* a requested extension is not allowed */
	CMPD_EALGORITHM = -24, /* algorithm, parameters or key size not allowed */
	CMPD_EREVOKED = -25, /* the certificate is revoked */
	CMPD_ECERTID = -26, /* the certificate named is not known or not meant */
	CMPD_ENOINFO = -27, /* needed information is missing */
	CMPD_EUNAVAILABLE = -28 /* temporarily not available: try again */
};

/* One short English sentence without full stop; never NULL. */
const char *cmpd_strerror(int error);

/* What went wrong, for people. Always NUL-terminated; empty = nothing said. */
struct diag {
	char text[512];
};

/* Sets the text (cut if too long) and returns error, so that one can write
 * return diag_set(diag, CMPD_ECONF, "..."). diag may be NULL. */
int diag_set(struct diag *diag, int error, const char *format, ...) CMPD_PRINTF(3, 4);

/* Puts "prefix: " before the text that is there. diag may be NULL. */
void diag_prefix(struct diag *diag, const char *format, ...) CMPD_PRINTF(2, 3);
