/*
 * The ASN.1 templates of wire_*.c, and the way from their fields to bytes.
 * Fields of type ASN1_SEQUENCE keep the whole value as it came, tag included,
 * so that keys, names and extensions are never decoded here.
 */
#pragma once

#include <openssl/asn1t.h>

#include "cmp/wire.h"
#include "cmp/wire_der.h"

/* PKIHeader [5.1.1] */
struct asn1_header {
	ASN1_INTEGER *pvno;
	ASN1_TYPE *sender, *recipient;
	ASN1_GENERALIZEDTIME *message_time;
	ASN1_STRING *protection_alg;
	ASN1_OCTET_STRING *sender_kid, *recip_kid, *transaction_id, *sender_nonce, *recip_nonce;
	ASN1_STRING *free_text, *general_info;
};
DECLARE_ASN1_ITEM(wire_header_asn1)

/* CertReqMsg, CertRequest, CertTemplate, ProofOfPossession (RFC 4211) */
struct asn1_popo_signing {
	ASN1_STRING *input, *alg;
	ASN1_BIT_STRING *signature;
};
struct asn1_popo {
	int type; /* enum wire_popo */
	union {
		ASN1_NULL *ra_verified;
		struct asn1_popo_signing *signature;
		ASN1_TYPE *other;
	} value;
};
struct asn1_cert_req_msg {
	ASN1_STRING *request;
	struct asn1_popo *popo;
	ASN1_STRING *reg_info;
};
DECLARE_ASN1_ITEM(wire_cert_req_msg_asn1)

struct asn1_cert_request {
	ASN1_INTEGER *cert_req_id;
	ASN1_STRING *template, *controls;
};
DECLARE_ASN1_ITEM(wire_cert_request_asn1)

struct asn1_validity {
	ASN1_TIME *not_before, *not_after;
};
struct asn1_template {
	ASN1_INTEGER *version, *serial;
	ASN1_STRING *signing_alg, *issuer;
	struct asn1_validity *validity;
	ASN1_STRING *subject, *public_key;
	ASN1_BIT_STRING *issuer_uid, *subject_uid;
	ASN1_STRING *extensions;
};
DECLARE_ASN1_ITEM(wire_template_asn1)

/* CertificationRequest (RFC 2986) */
struct asn1_p10 {
	ASN1_STRING *info, *alg;
	ASN1_BIT_STRING *signature;
};
DECLARE_ASN1_ITEM(wire_p10_asn1)

struct asn1_p10_info {
	ASN1_INTEGER *version;
	ASN1_STRING *subject, *spki, *attributes;
};
DECLARE_ASN1_ITEM(wire_p10_info_asn1)

/* PKIStatusInfo [5.2.3], and what is made with it */
struct asn1_status_info {
	ASN1_INTEGER *status;
	ASN1_STRING *text;
	ASN1_BIT_STRING *fail_info;
};
DECLARE_ASN1_ITEM(wire_status_info_asn1)

struct asn1_error {
	struct asn1_status_info *status;
	ASN1_INTEGER *code;
	ASN1_STRING *details;
};
DECLARE_ASN1_ITEM(wire_error_asn1)

struct asn1_cert_status {
	ASN1_OCTET_STRING *cert_hash;
	ASN1_INTEGER *cert_req_id;
	struct asn1_status_info *status;
	ASN1_STRING *hash_alg;
};
DECLARE_ASN1_ITEM(wire_cert_status_asn1)

struct asn1_cert_rep {
	ASN1_STRING *ca_pubs, *responses;
};
DECLARE_ASN1_ITEM(wire_cert_rep_asn1)

struct asn1_cert_response {
	ASN1_INTEGER *cert_req_id;
	struct asn1_status_info *status;
	ASN1_STRING *key_pair;
	ASN1_OCTET_STRING *rsp_info;
};
DECLARE_ASN1_ITEM(wire_cert_response_asn1)

/* PollReqContent, PollRepContent [5.3.22]: one element */
struct asn1_poll_req {
	ASN1_INTEGER *cert_req_id;
};
DECLARE_ASN1_ITEM(wire_poll_req_asn1)

struct asn1_poll_rep {
	ASN1_INTEGER *cert_req_id, *check_after;
	ASN1_STRING *reason, *tagged_reason;
};
DECLARE_ASN1_ITEM(wire_poll_rep_asn1)

/* RevDetails [5.3.9] */
struct asn1_rev_details {
	ASN1_STRING *template, *extensions;
};
DECLARE_ASN1_ITEM(wire_rev_details_asn1)

/* CertId (RFC 4211) */
struct asn1_cert_id {
	ASN1_TYPE *issuer;
	ASN1_INTEGER *serial;
};
DECLARE_ASN1_ITEM(wire_cert_id_asn1)

/* PBMParameter [5.1.3.1] */
struct asn1_pbm {
	ASN1_OCTET_STRING *salt;
	ASN1_STRING *owf;
	ASN1_INTEGER *iterations;
	ASN1_STRING *mac;
};
DECLARE_ASN1_ITEM(wire_pbm_asn1)

/* All of `in` by the template; *ret is the caller's, by ASN1_item_free. CMPD_EFORMAT with "<what> does not decode", CMPD_ENOMEM.
 * OpenSSL's error queue stays as it was. */
int wire_asn1_decode(const ASN1_ITEM *item, struct bytes in, const char *what, void *ret,
    struct diag *diag) CMPD_MUST_CHECK;

/*
 * Takes fields over into the pool: absent when the field is. The first
 * fault stays in `error` (0, CMPD_ENOMEM, CMPD_EFORMAT; then a text in diag), so one looks once.
 */
struct wire_take {
	struct pool *pool;
	struct diag *diag;
	int error;
};
struct bytes wire_take_string(struct wire_take *take, const ASN1_STRING *in);
/* A GeneralName, DER. */
struct bytes wire_take_general_name(struct wire_take *take, const ASN1_TYPE *in);
/* Under another identifier octet. */
struct bytes wire_take_retagged(struct wire_take *take, const ASN1_STRING *in, uint8_t tag);
/* Content of a BIT STRING without unused bits. */
struct bytes wire_take_bits(struct wire_take *take, const ASN1_BIT_STRING *in);
/* A serial number: big-endian, no leading zero octet; a negative one is CMPD_EFORMAT. */
struct bytes wire_take_serial(struct wire_take *take, const ASN1_INTEGER *in);
/* certReqId: has to fit 32 bits with sign. 0 if not. */
int64_t wire_take_id(struct wire_take *take, const ASN1_INTEGER *in);
/* Any INTEGER; the nearest int64_t. */
int64_t wire_take_int(const ASN1_INTEGER *in);
/* AlgorithmIdentifier kept as ASN1_SEQUENCE; NULL: all absent. */
void wire_take_alg(struct wire_take *take, const ASN1_STRING *in, struct wire_alg *ret);
/* PKIFreeText: its lines joined by "; "; NULL if in is. */
const char *wire_take_free_text(struct wire_take *take, const ASN1_STRING *in);
void wire_take_status(struct wire_take *take, const struct asn1_status_info *in,
    struct wire_status_info *ret);
void wire_take_fault(struct wire_take *take, const char *text);

/*
 * SEQUENCE OF: `in` with its tag. one() decodes an element (with tag) into
 * zeroed memory of `size` bytes. CMPD_ELIMIT: more than max, *ret_n says how many.
 */
int wire_list_decode(struct pool *pool, struct bytes in, size_t max, size_t size,
    int (*one)(struct pool *pool, struct bytes in, void *ret, struct diag *diag), const char *what,
    void *ret, size_t *ret_n, struct diag *diag) CMPD_MUST_CHECK;

/* SEQUENCE { OBJECT IDENTIFIER, ANY OPTIONAL }: both parts as slices of in. */
int wire_pair_split(struct bytes in, struct bytes *ret_oid,
    struct bytes *ret_value) CMPD_MUST_CHECK;
/* CertTemplate; for requests and revocations. */
int wire_template_decode(struct pool *pool, struct bytes in, struct template *ret,
    struct bytes *ret_issuer, struct bytes *ret_serial, bool *ret_odd,
    struct diag *diag) CMPD_MUST_CHECK;
/* "YYYYMMDDHHMMSSZ" to ms; CMPD_EFORMAT for any other form or no such day. */
int wire_time_decode(struct bytes text, int64_t *ret_ms) CMPD_MUST_CHECK;
/* Valid UTF-8 up to the end, no NUL: copied; else each faulty byte becomes U+FFFD. */
char *wire_text(struct pool *pool, struct bytes in);
/* SEQUENCE OF InfoTypeAndValue. */
struct bytes wire_itavs_put(struct wire_der_build *build, const struct wire_itav *itavs, size_t n);
