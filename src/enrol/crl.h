/*
 * CRLs: when one is due, and what stands in it.
 */
#pragma once

#include "enrol/desk.h"

struct buf;
struct issuer_generation;

/*
 * Does this generation need a CRL other than the newest one (NULL: there is none)? Something was revoked, held or revived since, it is
 * time, the clock went back behind it, or it was made under other settings. What makes no CRLs needs none. desk: reader, now.
 */
int desk_crl_is_due(struct desk *desk, const struct issuer_generation *generation,
    const struct crl *newest, bool *ret) CMPD_MUST_CHECK;

/*
 * Makes the one after it, writes its DER to out and puts it into desk->unit. An expired certificate that stood in one CRL made after its expiry
 * is left out (RFC 5280 3.3). *ret is what is put; ret->der is borrowed from out. desk: issuer, reader, unit, now. Errors with words in diag.
 */
int desk_crl_make(struct desk *desk, const struct issuer_generation *generation,
    const struct crl *newest, struct buf *out, struct crl *ret, struct diag *diag) CMPD_MUST_CHECK;

/* The newest CRL of its generation in which a revoked or held certificate stands, without der. CMPD_ENOENT: none has been made since. */
int desk_crl_with(struct desk *desk, const struct cert *cert, struct crl *ret) CMPD_MUST_CHECK;
/* Must it be kept, for it still has to stand in a CRL made after its expiry? */
bool desk_crl_needs(struct desk *desk, const struct cert *cert);
