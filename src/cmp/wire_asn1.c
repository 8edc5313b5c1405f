#include "cmp/wire_asn1.h"

#include <openssl/err.h>

#include "base/pool.h"

int
wire_asn1_decode(const ASN1_ITEM *item, struct bytes in, const char *what, void *ret,
    struct diag *diag)
{
	const unsigned char *p = in.data;
	int error = CMPD_EFORMAT;
	ASN1_VALUE *value = NULL;

	ERR_set_mark();
	if (in.len != 0 && in.len <= INT32_MAX) {
		value = ASN1_item_d2i(NULL, &p, (long)in.len, item);
	}
	if (value == NULL && ERR_GET_REASON(ERR_peek_last_error()) == ERR_R_MALLOC_FAILURE) {
		error = CMPD_ENOMEM;
	}
	ERR_pop_to_mark();
	if (value == NULL || p != in.data + in.len) {
		ASN1_item_free(value, item);
		return diag_set(diag, error, "%s does not decode", what);
	}
	*(ASN1_VALUE **)ret = value;
	return 0;
}

/*
 * CMP has explicit tags, CRMF implicit ones [appendix F; RFC 4211]. ASN1_ANY
 * stands only where a value must be: OPTIONAL it would swallow
 * whatever comes next. An implicit tag on ASN1_SEQUENCE leaves the tag in
 * the value kept; whoever takes it gives it the tag it should have.
 *
 * clang-format takes each template for the beginning of the next one.
 */
/* clang-format off */

ASN1_SEQUENCE(wire_header_asn1) = {
	ASN1_SIMPLE(struct asn1_header, pvno, ASN1_INTEGER),
	ASN1_SIMPLE(struct asn1_header, sender, ASN1_ANY),
	ASN1_SIMPLE(struct asn1_header, recipient, ASN1_ANY),
	ASN1_EXP_OPT(struct asn1_header, message_time, ASN1_GENERALIZEDTIME, 0),
	ASN1_EXP_OPT(struct asn1_header, protection_alg, ASN1_SEQUENCE, 1),
	ASN1_EXP_OPT(struct asn1_header, sender_kid, ASN1_OCTET_STRING, 2),
	ASN1_EXP_OPT(struct asn1_header, recip_kid, ASN1_OCTET_STRING, 3),
	ASN1_EXP_OPT(struct asn1_header, transaction_id, ASN1_OCTET_STRING, 4),
	ASN1_EXP_OPT(struct asn1_header, sender_nonce, ASN1_OCTET_STRING, 5),
	ASN1_EXP_OPT(struct asn1_header, recip_nonce, ASN1_OCTET_STRING, 6),
	ASN1_EXP_OPT(struct asn1_header, free_text, ASN1_SEQUENCE, 7),
	ASN1_EXP_OPT(struct asn1_header, general_info, ASN1_SEQUENCE, 8),
} ASN1_SEQUENCE_END_name(struct asn1_header, wire_header_asn1)

ASN1_SEQUENCE(wire_popo_signing_asn1) = {
	ASN1_IMP_OPT(struct asn1_popo_signing, input, ASN1_SEQUENCE, 0),
	ASN1_SIMPLE(struct asn1_popo_signing, alg, ASN1_SEQUENCE),
	ASN1_SIMPLE(struct asn1_popo_signing, signature, ASN1_BIT_STRING),
} static_ASN1_SEQUENCE_END_name(struct asn1_popo_signing, wire_popo_signing_asn1)

ASN1_CHOICE(wire_popo_asn1) = {
	ASN1_IMP(struct asn1_popo, value.ra_verified, ASN1_NULL, 0),
	ASN1_IMP(struct asn1_popo, value.signature, wire_popo_signing_asn1, 1),
	ASN1_EXP(struct asn1_popo, value.other, ASN1_ANY, 2),
	ASN1_EXP(struct asn1_popo, value.other, ASN1_ANY, 3),
} static_ASN1_CHOICE_END_name(struct asn1_popo, wire_popo_asn1)

ASN1_SEQUENCE(wire_cert_req_msg_asn1) = {
	ASN1_SIMPLE(struct asn1_cert_req_msg, request, ASN1_SEQUENCE),
	ASN1_OPT(struct asn1_cert_req_msg, popo, wire_popo_asn1),
	ASN1_OPT(struct asn1_cert_req_msg, reg_info, ASN1_SEQUENCE),
} ASN1_SEQUENCE_END_name(struct asn1_cert_req_msg, wire_cert_req_msg_asn1)

ASN1_SEQUENCE(wire_cert_request_asn1) = {
	ASN1_SIMPLE(struct asn1_cert_request, cert_req_id, ASN1_INTEGER),
	ASN1_SIMPLE(struct asn1_cert_request, template, ASN1_SEQUENCE),
	ASN1_OPT(struct asn1_cert_request, controls, ASN1_SEQUENCE),
} ASN1_SEQUENCE_END_name(struct asn1_cert_request, wire_cert_request_asn1)

ASN1_SEQUENCE(wire_validity_asn1) = {
	ASN1_EXP_OPT(struct asn1_validity, not_before, ASN1_TIME, 0),
	ASN1_EXP_OPT(struct asn1_validity, not_after, ASN1_TIME, 1),
} static_ASN1_SEQUENCE_END_name(struct asn1_validity, wire_validity_asn1)

ASN1_SEQUENCE(wire_template_asn1) = {
	ASN1_IMP_OPT(struct asn1_template, version, ASN1_INTEGER, 0),
	ASN1_IMP_OPT(struct asn1_template, serial, ASN1_INTEGER, 1),
	ASN1_IMP_OPT(struct asn1_template, signing_alg, ASN1_SEQUENCE, 2),
	ASN1_EXP_OPT(struct asn1_template, issuer, ASN1_SEQUENCE, 3),
	ASN1_IMP_OPT(struct asn1_template, validity, wire_validity_asn1, 4),
	ASN1_EXP_OPT(struct asn1_template, subject, ASN1_SEQUENCE, 5),
	ASN1_IMP_OPT(struct asn1_template, public_key, ASN1_SEQUENCE, 6),
	ASN1_IMP_OPT(struct asn1_template, issuer_uid, ASN1_BIT_STRING, 7),
	ASN1_IMP_OPT(struct asn1_template, subject_uid, ASN1_BIT_STRING, 8),
	ASN1_IMP_OPT(struct asn1_template, extensions, ASN1_SEQUENCE, 9),
} ASN1_SEQUENCE_END_name(struct asn1_template, wire_template_asn1)

ASN1_SEQUENCE(wire_p10_asn1) = {
	ASN1_SIMPLE(struct asn1_p10, info, ASN1_SEQUENCE),
	ASN1_SIMPLE(struct asn1_p10, alg, ASN1_SEQUENCE),
	ASN1_SIMPLE(struct asn1_p10, signature, ASN1_BIT_STRING),
} ASN1_SEQUENCE_END_name(struct asn1_p10, wire_p10_asn1)

ASN1_SEQUENCE(wire_p10_info_asn1) = {
	ASN1_SIMPLE(struct asn1_p10_info, version, ASN1_INTEGER),
	ASN1_SIMPLE(struct asn1_p10_info, subject, ASN1_SEQUENCE),
	ASN1_SIMPLE(struct asn1_p10_info, spki, ASN1_SEQUENCE),
	ASN1_IMP_OPT(struct asn1_p10_info, attributes, ASN1_SEQUENCE, 0),
} ASN1_SEQUENCE_END_name(struct asn1_p10_info, wire_p10_info_asn1)

ASN1_SEQUENCE(wire_status_info_asn1) = {
	ASN1_SIMPLE(struct asn1_status_info, status, ASN1_INTEGER),
	ASN1_OPT(struct asn1_status_info, text, ASN1_SEQUENCE),
	ASN1_OPT(struct asn1_status_info, fail_info, ASN1_BIT_STRING),
} ASN1_SEQUENCE_END_name(struct asn1_status_info, wire_status_info_asn1)

ASN1_SEQUENCE(wire_error_asn1) = {
	ASN1_SIMPLE(struct asn1_error, status, wire_status_info_asn1),
	ASN1_OPT(struct asn1_error, code, ASN1_INTEGER),
	ASN1_OPT(struct asn1_error, details, ASN1_SEQUENCE),
} ASN1_SEQUENCE_END_name(struct asn1_error, wire_error_asn1)

ASN1_SEQUENCE(wire_cert_status_asn1) = {
	ASN1_SIMPLE(struct asn1_cert_status, cert_hash, ASN1_OCTET_STRING),
	ASN1_SIMPLE(struct asn1_cert_status, cert_req_id, ASN1_INTEGER),
	ASN1_OPT(struct asn1_cert_status, status, wire_status_info_asn1),
	ASN1_EXP_OPT(struct asn1_cert_status, hash_alg, ASN1_SEQUENCE, 0),
} ASN1_SEQUENCE_END_name(struct asn1_cert_status, wire_cert_status_asn1)

ASN1_SEQUENCE(wire_cert_rep_asn1) = {
	ASN1_EXP_OPT(struct asn1_cert_rep, ca_pubs, ASN1_SEQUENCE, 1),
	ASN1_SIMPLE(struct asn1_cert_rep, responses, ASN1_SEQUENCE),
} ASN1_SEQUENCE_END_name(struct asn1_cert_rep, wire_cert_rep_asn1)

ASN1_SEQUENCE(wire_cert_response_asn1) = {
	ASN1_SIMPLE(struct asn1_cert_response, cert_req_id, ASN1_INTEGER),
	ASN1_SIMPLE(struct asn1_cert_response, status, wire_status_info_asn1),
	ASN1_OPT(struct asn1_cert_response, key_pair, ASN1_SEQUENCE),
	ASN1_OPT(struct asn1_cert_response, rsp_info, ASN1_OCTET_STRING),
} ASN1_SEQUENCE_END_name(struct asn1_cert_response, wire_cert_response_asn1)

ASN1_SEQUENCE(wire_poll_req_asn1) = {
	ASN1_SIMPLE(struct asn1_poll_req, cert_req_id, ASN1_INTEGER),
} ASN1_SEQUENCE_END_name(struct asn1_poll_req, wire_poll_req_asn1)

ASN1_SEQUENCE(wire_poll_rep_asn1) = {
	ASN1_SIMPLE(struct asn1_poll_rep, cert_req_id, ASN1_INTEGER),
	ASN1_SIMPLE(struct asn1_poll_rep, check_after, ASN1_INTEGER),
	ASN1_OPT(struct asn1_poll_rep, reason, ASN1_SEQUENCE),
	ASN1_EXP_OPT(struct asn1_poll_rep, tagged_reason, ASN1_SEQUENCE, 0),
} ASN1_SEQUENCE_END_name(struct asn1_poll_rep, wire_poll_rep_asn1)

ASN1_SEQUENCE(wire_rev_details_asn1) = {
	ASN1_SIMPLE(struct asn1_rev_details, template, ASN1_SEQUENCE),
	ASN1_OPT(struct asn1_rev_details, extensions, ASN1_SEQUENCE),
} ASN1_SEQUENCE_END_name(struct asn1_rev_details, wire_rev_details_asn1)

ASN1_SEQUENCE(wire_cert_id_asn1) = {
	ASN1_SIMPLE(struct asn1_cert_id, issuer, ASN1_ANY),
	ASN1_SIMPLE(struct asn1_cert_id, serial, ASN1_INTEGER),
} ASN1_SEQUENCE_END_name(struct asn1_cert_id, wire_cert_id_asn1)

ASN1_SEQUENCE(wire_pbm_asn1) = {
	ASN1_SIMPLE(struct asn1_pbm, salt, ASN1_OCTET_STRING),
	ASN1_SIMPLE(struct asn1_pbm, owf, ASN1_SEQUENCE),
	ASN1_SIMPLE(struct asn1_pbm, iterations, ASN1_INTEGER),
	ASN1_SIMPLE(struct asn1_pbm, mac, ASN1_SEQUENCE),
} ASN1_SEQUENCE_END_name(struct asn1_pbm, wire_pbm_asn1)
