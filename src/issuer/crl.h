/*
 * A CRL (RFC 5280 5) in the making: begin, add each entry, end. Entries are written as they come, so that a hundred thousand of them are
 * some megabytes and nothing else.
 */
#pragma once

#include "base/buf.h"
#include "model/record.h"

struct issuer;
struct issuer_crl;

/* More is refused: one and a half million entries. */
#define ISSUER_CRL_MAX ((size_t)60 << 20)

/*
 * A full CRL of that generation, signed by its key. Times in ms; seconds are what it has. issuer must live until the end.
 * CMPD_ENOENT: no such generation, or it makes no CRLs; CMPD_ENOMEM.
 */
int issuer_crl_begin(struct issuer *issuer, const uint8_t ca[CA_ID_SIZE], uint64_t number,
    int64_t this_update, int64_t next_update, struct issuer_crl **ret,
    struct diag *diag) CMPD_MUST_CHECK;
/* The reason is told, but for "unspecified"; one on hold is told as such. What fails is told at the end. */
void issuer_crl_add(struct issuer_crl *crl, const struct revoked *row);
/* Signs; appends DER to out. CMPD_ECRYPTO, CMPD_ELIMIT, CMPD_ENOMEM with words in diag. To be freed afterwards all the same. */
int issuer_crl_end(struct issuer_crl *crl, struct buf *out, struct diag *diag) CMPD_MUST_CHECK;
/* NULL is fine. */
void issuer_crl_free(struct issuer_crl *crl);
