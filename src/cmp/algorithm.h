/*
 * The signature algorithms that may protect a message or prove possession of a key, by the words of cmpd.conf
 * ("ecdsa-sha256", "rsa-pss-sha384", "ed25519", "ml-dsa-65" ...). What the library at hand does not know is simply
 * never met.
 */
#pragma once

#include <openssl/types.h>

#include "base/bytes.h"
#include "base/error.h"

/* A set of them, one bit per row of the table. */
struct algorithm_set {
	uint64_t bits;
};

/* From a NULL-ended list of words. CMPD_ECONF: a word that is none, named in diag. */
int algorithm_set_parse(const char *const *words, struct algorithm_set *ret,
    struct diag *diag) CMPD_MUST_CHECK;
/* Is the AlgorithmIdentifier (DER) one of the set? Parameters are looked at where there are any. CMPD_EALGORITHM with the reason. */
int algorithm_check(struct bytes identifier, struct algorithm_set allowed,
    struct diag *why) CMPD_MUST_CHECK;
