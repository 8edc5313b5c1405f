/*
 * The answers to infoTypes (RFC 9810 5.3.19). Each appends the DER of the value to out; nothing appended: the answer has no value, which means
 * that there is none. CMPD_ENOENT: cannot be told here (unsupportedOIDs). CMPD_EFORMAT, CMPD_EINVAL: the question's value makes no
 * sense, the reason in why.
 */
#pragma once

#include "base/buf.h"
#include "cmp/work.h"

struct info_question {
	struct cmp_work *work;
	const struct conf_profile *profile; /* what it is about: certProfile, or the endpoint's */
	struct bytes value; /* DER; absent: none */
};

int info_ca_prot_enc_cert(const struct info_question *question, struct buf *out, struct diag *why);
int info_sign_key_pair_types(const struct info_question *question, struct buf *out,
    struct diag *why);
int info_enc_key_pair_types(const struct info_question *question, struct buf *out,
    struct diag *why);
int info_preferred_symm_alg(const struct info_question *question, struct buf *out,
    struct diag *why);
int info_ca_key_update_info(const struct info_question *question, struct buf *out,
    struct diag *why);
int info_current_crl(const struct info_question *question, struct buf *out, struct diag *why);
int info_supp_lang_tags(const struct info_question *question, struct buf *out, struct diag *why);
int info_ca_certs(const struct info_question *question, struct buf *out, struct diag *why);
int info_cert_req_template(const struct info_question *question, struct buf *out, struct diag *why);
int info_root_ca_key_update(const struct info_question *question, struct buf *out,
    struct diag *why);
int info_crls(const struct info_question *question, struct buf *out, struct diag *why);
