/*
 * What the files of submit share: one new request on its way to an entry.
 */
#pragma once

#include "enrol/internal.h"

/* What a device with a factory certificate is to be called. */
struct vendor_names {
	const char *subject; /* NULL: as it asks for */
	const char **sans; /* NULL: as it asks for */
	const char *profile; /* NULL: as for others */
	const char *source; /* in words: where they come from; NULL: no factory certificate */
	const char *unknown; /* why only an operator can grant it; NULL: it is known */
	const char *mods; /* it asked for others; NULL: it did not */
};

/* What submit gathers about one request. */
struct submission {
	struct desk *desk;
	const struct desk_requester *requester;
	const struct desk_request *request;
	const struct conf_profile *profile;
	struct vendor_names vendor;
	/* Whose names it gets: the requester, or what a device with a factory certificate is made
	 * into. */
	struct desk_requester owner;
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

/* What the requester's factory certificate is mapped to, if it is one: fills vendor.
 * CMPD_ETEMPLATE, CMPD_EACCES: a fault with its reason in diag. */
int submission_find_vendor(struct submission *s) CMPD_MUST_CHECK;
/* Puts these names in place of those that were asked for; fills owner. */
int submission_take_vendor(struct submission *s) CMPD_MUST_CHECK;

/* All that a request must pass before policy is asked: profile, update, names and template, key.
 * Fills profile, wanted, resolved, mods, subject, sans, spki_sha256, old. A fault's reason is in
 * diag. */
int submission_prepare(struct submission *s) CMPD_MUST_CHECK;
/* Makes resolved, mods, subject and sans anew from profile and wanted. */
int submission_resolve(struct submission *s) CMPD_MUST_CHECK;
