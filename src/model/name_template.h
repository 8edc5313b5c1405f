/*
 * Names made of the names in a certificate: text (model/name.h) in which %{CN} stands for a value. Any thread.
 *
 * Variables: %{CN}, %{serialNumber}, %{O} and all others of model/attribute.h: the attribute of that type in the subject;
 * %{issuer.CN} and its like: in the issuer; %{serial}: the serial number in lower-case hex.
 *
 * A backslash goes with the character behind it, so \%{ is no variable.
 *
 * The certificate is somebody else's, so a value is text and never syntax: in a name what means something there is
 * escaped; in a subjectAltName only letters, digits, dots, hyphens and underscores are let in.
 */
#pragma once

#include "base/bytes.h"
#include "base/error.h"

struct pool;

/* What the variables are taken from. */
struct name_facts {
	struct bytes subject, issuer; /* DER Names */
	struct bytes serial; /* big-endian */
};

#define NAME_VALUE_MAX 256 /* bytes of one value */

/* Are these a name and a subjectAltName once their variables have values? CMPD_EFORMAT with what is wrong in diag;
 * CMPD_ENOMEM. */
int name_template_check(struct pool *pool, const char *template, struct diag *diag) CMPD_MUST_CHECK;
int name_template_check_san(struct pool *pool, const char *template,
    struct diag *diag) CMPD_MUST_CHECK;

/* CMPD_ENOENT with a sentence in diag: an attribute is missing, is there more than once, or has a value that cannot be used. */
int name_template_expand(struct pool *pool, const char *template, const struct name_facts *facts,
    const char **ret, struct diag *diag) CMPD_MUST_CHECK;
int name_template_expand_san(struct pool *pool, const char *template,
    const struct name_facts *facts, const char **ret, struct diag *diag) CMPD_MUST_CHECK;
