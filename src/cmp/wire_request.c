#include <string.h>

#include "base/pool.h"
#include "cmp/wire_asn1.h"

/* id-regCtrl-oldCertID 1.3.6.1.5.5.7.5.1.5 (RFC 4211 6.5) */
static const uint8_t old_cert_id[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x05, 0x01, 0x05};
/* pkcs-9-at-extensionRequest 1.2.840.113549.1.9.14 (RFC 2985 5.4.2) */
static const uint8_t extension_request[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e};

static bool
oid_is(struct bytes oid, const uint8_t *wanted, size_t len)
{
	return bytes_equal(oid, bytes_of(wanted, len));
}

/* ---- CertTemplate ---- */

/* 0 means not asked for, so the first moment of 1970 becomes the one after. */
static int64_t
take_time(struct wire_take *take, const ASN1_TIME *in)
{
	char text[16] = "";
	struct bytes raw;
	int64_t ms = 0;

	if (in == NULL) {
		return 0;
	}
	raw = bytes_of(in->data, in->length > 0 ? (size_t)in->length : 0);
	if (in->type == V_ASN1_UTCTIME && raw.len == 13) {
		/* Years 50 to 99 are of the last century (RFC 5280 4.1.2.5.1). */
		memcpy(text, raw.data[0] >= '5' ? "19" : "20", 2);
		memcpy(text + 2, raw.data, 13);
		raw = bytes_of(text, 15);
	}
	if (wire_time_decode(raw, &ms) != 0) {
		wire_take_fault(take, "a time in the CertTemplate does not decode");
	}
	return ms == 0 ? 1 : ms;
}

int
wire_template_decode(struct pool *pool, struct bytes in, struct template *ret,
    struct bytes *ret_issuer, struct bytes *ret_serial, bool *ret_odd, struct diag *diag)
{
	struct wire_take take = {.pool = pool, .diag = diag};
	struct asn1_template *asn1;
	int error;

	error =
	    wire_asn1_decode(ASN1_ITEM_rptr(wire_template_asn1), in, "a CertTemplate", &asn1, diag);
	if (error != 0) {
		return error;
	}
	ret->subject = wire_take_string(&take, asn1->subject);
	ret->spki = wire_take_retagged(&take, asn1->public_key, DER_SEQUENCE);
	ret->extensions = wire_take_retagged(&take, asn1->extensions, DER_SEQUENCE);
	if (asn1->validity != NULL) {
		ret->not_before = take_time(&take, asn1->validity->not_before);
		ret->not_after = take_time(&take, asn1->validity->not_after);
	}
	*ret_issuer = wire_take_string(&take, asn1->issuer);
	*ret_serial = wire_take_serial(&take, asn1->serial);
	*ret_odd = asn1->version != NULL || asn1->signing_alg != NULL || asn1->issuer_uid != NULL ||
		   asn1->subject_uid != NULL;
	ASN1_item_free((ASN1_VALUE *)asn1, ASN1_ITEM_rptr(wire_template_asn1));
	return take.error;
}

/* ---- CertReqMsg ---- */

static int
old_cert_decode(struct pool *pool, struct bytes in, struct wire_cert_req *ret, struct diag *diag)
{
	struct wire_take take = {.pool = pool, .diag = diag};
	struct asn1_cert_id *asn1;
	int error;

	if (ret->old_issuer.data != NULL) {
		return diag_set(diag, CMPD_EFORMAT, "two controls oldCertID");
	}
	error = wire_asn1_decode(ASN1_ITEM_rptr(wire_cert_id_asn1), in, "the control oldCertID",
	    &asn1, diag);
	if (error != 0) {
		return error;
	}
	ret->old_issuer = wire_take_general_name(&take, asn1->issuer);
	ret->old_serial = wire_take_serial(&take, asn1->serial);
	ASN1_item_free((ASN1_VALUE *)asn1, ASN1_ITEM_rptr(wire_cert_id_asn1));
	return take.error;
}

/* controls: only oldCertID means something here; others are the policy's and stay in raw. */
static int
controls_decode(struct pool *pool, struct bytes in, struct wire_cert_req *ret, struct diag *diag)
{
	struct bytes content, oid, value;
	struct der control;
	int error;

	if (der_only(in, DER_SEQUENCE, &content) != 0) {
		return diag_set(diag, CMPD_EFORMAT, "the controls do not decode");
	}
	while (content.len != 0) {
		if (der_next(&content, &control) != 0 ||
		    wire_pair_split(control.whole, &oid, &value) != 0) {
			return diag_set(diag, CMPD_EFORMAT, "the controls do not decode");
		}
		if (oid_is(oid, old_cert_id, sizeof(old_cert_id))) {
			error = old_cert_decode(pool, value, ret, diag);
			if (error != 0) {
				return error;
			}
		}
	}
	return 0;
}

static int
request_decode(struct pool *pool, struct bytes in, struct wire_cert_req *ret, struct diag *diag)
{
	struct wire_take take = {.pool = pool, .diag = diag};
	struct asn1_cert_request *asn1;
	struct bytes controls;
	int error;

	error = wire_asn1_decode(ASN1_ITEM_rptr(wire_cert_request_asn1), in, "a CertRequest", &asn1,
	    diag);
	if (error != 0) {
		return error;
	}
	ret->cert_req_id = wire_take_id(&take, asn1->cert_req_id);
	ret->template_raw = wire_take_string(&take, asn1->template);
	controls = wire_take_string(&take, asn1->controls);
	ASN1_item_free((ASN1_VALUE *)asn1, ASN1_ITEM_rptr(wire_cert_request_asn1));
	error = take.error;
	if (error == 0) {
		error = wire_template_decode(pool, ret->template_raw, &ret->template,
		    &ret->template_issuer, &ret->template_serial, &ret->template_odd, diag);
	}
	if (error == 0 && controls.data != NULL) {
		error = controls_decode(pool, controls, ret, diag);
	}
	return error;
}

static void
take_popo(struct wire_take *take, const struct asn1_popo *in, struct wire_cert_req *ret)
{
	ret->popo = WIRE_POPO_NONE;
	if (in == NULL) {
		return;
	}
	ret->popo = (enum wire_popo)in->type;
	if (ret->popo == WIRE_POPO_SIGNATURE) {
		ret->popo_input =
		    wire_take_retagged(take, in->value.signature->input, DER_SEQUENCE);
		wire_take_alg(take, in->value.signature->alg, &ret->popo_alg);
		ret->popo_signature = wire_take_bits(take, in->value.signature->signature);
	}
}

static int
cert_req_decode(struct pool *pool, struct bytes in, void *out, struct diag *diag)
{
	struct wire_take take = {.pool = pool, .diag = diag};
	struct wire_cert_req *ret = out;
	struct asn1_cert_req_msg *asn1;
	int error;

	error = wire_asn1_decode(ASN1_ITEM_rptr(wire_cert_req_msg_asn1), in, "a CertReqMsg", &asn1,
	    diag);
	if (error != 0) {
		return error;
	}
	ret->raw = in;
	ret->request_raw = wire_take_string(&take, asn1->request);
	take_popo(&take, asn1->popo, ret);
	error = take.error;
	ASN1_item_free((ASN1_VALUE *)asn1, ASN1_ITEM_rptr(wire_cert_req_msg_asn1));
	return error != 0 ? error : request_decode(pool, ret->request_raw, ret, diag);
}

int
wire_cert_reqs_decode(struct pool *pool, struct bytes in, size_t max, struct wire_cert_req **ret,
    size_t *ret_n, struct diag *diag)
{
	struct wire_cert_req *list;
	size_t n = 0;
	int error;

	error = wire_list_decode(pool, in, max, sizeof(*list), cert_req_decode, "CertReqMessages",
	    &list, &n, diag);
	if (error == 0 && n == 0) {
		error = diag_set(diag, CMPD_EFORMAT, "CertReqMessages: none given");
	}
	*ret_n = n;
	if (error == 0) {
		*ret = list;
	}
	return error;
}

/* ---- RevDetails ---- */

static int
rev_req_decode(struct pool *pool, struct bytes in, void *out, struct diag *diag)
{
	struct wire_take take = {.pool = pool, .diag = diag};
	struct wire_rev_req *ret = out;
	struct asn1_rev_details *asn1;
	bool odd;
	int error;

	error =
	    wire_asn1_decode(ASN1_ITEM_rptr(wire_rev_details_asn1), in, "RevDetails", &asn1, diag);
	if (error != 0) {
		return error;
	}
	ret->template_raw = wire_take_string(&take, asn1->template);
	ret->crl_entry_details = wire_take_string(&take, asn1->extensions);
	ASN1_item_free((ASN1_VALUE *)asn1, ASN1_ITEM_rptr(wire_rev_details_asn1));
	return take.error != 0 ? take.error
			       : wire_template_decode(pool, ret->template_raw, &ret->template,
				     &ret->issuer, &ret->serial, &odd, diag);
}

int
wire_rev_reqs_decode(struct pool *pool, struct bytes in, size_t max, struct wire_rev_req **ret,
    size_t *ret_n, struct diag *diag)
{
	return wire_list_decode(pool, in, max, sizeof(**ret), rev_req_decode, "RevReqContent", ret,
	    ret_n, diag);
}

/* ---- PKCS #10 ---- */

/* The one value of the attribute: Extensions. */
static int
extensions_from_attribute(struct bytes values, struct bytes *ret, struct diag *diag)
{
	struct bytes content;
	struct der extensions;

	if (ret->data != NULL) {
		return diag_set(diag, CMPD_EFORMAT, "two attributes extensionRequest");
	}
	if (der_only(values, DER_SET, &content) != 0 ||
	    der_take_element(&content, DER_SEQUENCE, &extensions) != 0 || content.len != 0) {
		return diag_set(diag, CMPD_EFORMAT, "the extensionRequest does not decode");
	}
	*ret = extensions.whole;
	return 0;
}

static int
attributes_decode(struct bytes in, struct bytes *ret_extensions, struct diag *diag)
{
	struct bytes content, oid, values;
	struct der attribute;
	int error;

	if (der_only(in, DER_CONSTRUCTED(0), &content) != 0) {
		return diag_set(diag, CMPD_EFORMAT, "the attributes do not decode");
	}
	while (content.len != 0) {
		if (der_next(&content, &attribute) != 0 ||
		    wire_pair_split(attribute.whole, &oid, &values) != 0 || values.data == NULL) {
			return diag_set(diag, CMPD_EFORMAT, "the attributes do not decode");
		}
		if (oid_is(oid, extension_request, sizeof(extension_request))) {
			error = extensions_from_attribute(values, ret_extensions, diag);
			if (error != 0) {
				return error;
			}
		}
	}
	return 0;
}

static int
p10_info_decode(struct pool *pool, struct bytes in, struct template *ret, struct diag *diag)
{
	struct wire_take take = {.pool = pool, .diag = diag};
	struct asn1_p10_info *asn1;
	struct bytes attributes;
	int error;

	error = wire_asn1_decode(ASN1_ITEM_rptr(wire_p10_info_asn1), in,
	    "the CertificationRequestInfo", &asn1, diag);
	if (error != 0) {
		return error;
	}
	ret->subject = wire_take_string(&take, asn1->subject);
	ret->spki = wire_take_string(&take, asn1->spki);
	attributes = wire_take_string(&take, asn1->attributes);
	ASN1_item_free((ASN1_VALUE *)asn1, ASN1_ITEM_rptr(wire_p10_info_asn1));
	error = take.error;
	if (error == 0 && attributes.data != NULL) {
		error = attributes_decode(attributes, &ret->extensions, diag);
	}
	return error;
}

int
wire_p10_decode(struct pool *pool, struct bytes in, struct wire_p10 *ret, struct diag *diag)
{
	struct wire_take take = {.pool = pool, .diag = diag};
	struct wire_p10 p10 = {.raw = in};
	struct asn1_p10 *asn1;
	int error;

	error = wire_asn1_decode(ASN1_ITEM_rptr(wire_p10_asn1), in, "the CertificationRequest",
	    &asn1, diag);
	if (error != 0) {
		return error;
	}
	p10.info_raw = wire_take_string(&take, asn1->info);
	wire_take_alg(&take, asn1->alg, &p10.alg);
	p10.signature = wire_take_bits(&take, asn1->signature);
	ASN1_item_free((ASN1_VALUE *)asn1, ASN1_ITEM_rptr(wire_p10_asn1));
	error = take.error;
	if (error == 0) {
		error = p10_info_decode(pool, p10.info_raw, &p10.template, diag);
	}
	if (error == 0) {
		*ret = p10;
	}
	return error;
}
