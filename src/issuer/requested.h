/*
 * The requested extensions, one rule each; the steps of a resolution share a struct.
 */
#pragma once

#include "issuer/internal.h"
#include "model/template.h"

struct resolution {
	struct issuer *issuer;
	struct profile *profile;
	const struct template *requested;
	struct pool *pool;
	struct diag *diag;
	struct template out;
	struct spki spki;
	struct buf mods; /* what was changed, in words */
	bool empty_subject;
	bool want_ca; /* basicConstraints CA:TRUE asked for and allowed */
	bool asked_key_usage;
	unsigned key_usage; /* as asked for */
	struct bytes sans; /* DER GeneralNames, checked; absent: none */
};

/* Adds a sentence to mods. */
void resolve_note(struct resolution *r, const char *format, ...) CMPD_PRINTF(2, 3);
/* A Name whose values are all readable text: 0 or CMPD_ETEMPLATE. */
int resolve_check_name(struct bytes der) CMPD_MUST_CHECK;

/* Reads what was asked for: subjectAltName, keyUsage, extendedKeyUsage, basicConstraints. CMPD_EEXTENSION. */
int requested_extensions(struct resolution *r) CMPD_MUST_CHECK;
/* Once the extensions to be issued are known: what else was asked for and is not among them? */
int requested_leftovers(struct resolution *r) CMPD_MUST_CHECK;
