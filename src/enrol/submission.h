/*
 * What the files of submit share: one new request on its way to an entry.
 */
#pragma once

#include "enrol/internal.h"

/* What submit gathers about one request. */
struct submission {
	struct desk *desk;
	const struct desk_requester *requester;
	const struct desk_request *request;
	const struct conf_profile *profile;
	struct template wanted; /* the request, completed */
	struct template resolved;
	const char *mods;
	const char *subject; /* of resolved */
	const char **sans;
	struct policy_verdict verdict;
	int64_t received; /* when policy was asked first */
	uint8_t spki_sha256[DIGEST_SIZE];
	bool has_old; /* kur: the certificate to be updated */
	struct cert old;
	struct diag diag;
};

/* All that a request must pass before policy is asked: profile, update, names and template, key. Fills profile, wanted, resolved, mods, subject,
 * sans, spki_sha256, old. A fault's reason is in diag. */
int submission_prepare(struct submission *s) CMPD_MUST_CHECK;
/* Makes resolved, mods, subject and sans anew from profile and wanted. */
int submission_resolve(struct submission *s) CMPD_MUST_CHECK;
