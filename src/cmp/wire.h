/*
 * PKIMessages between DER and structs, by ASN.1 templates of our own (wire_*.c).
 *
 * Decoding: everything returned lies in the pool or points into the input, which must live as long.
 * Only definite, minimal DER is taken. Parts that are signed, stored or handed on are kept as the
 * bytes that came. No key and no certificate is decoded here. Nothing here judges more than the
 * form: the rules are the gate's.
 *
 * Encoding: what is returned lies in the pool; BYTES_NONE when out of memory (or given nonsense).
 *
 * Numbers in brackets: sections of RFC 9810 unless said otherwise.
 */
#pragma once

#include "base/bytes.h"
#include "base/error.h"
#include "model/record.h"

struct diag;
struct pool;

/* PKIBody tags [5.1.2]. */
enum wire_body {
	WIRE_IR = 0,
	WIRE_IP = 1,
	WIRE_CR = 2,
	WIRE_CP = 3,
	WIRE_P10CR = 4,
	WIRE_KUR = 7,
	WIRE_KUP = 8,
	WIRE_RR = 11,
	WIRE_RP = 12,
	WIRE_PKICONF = 19,
	WIRE_NESTED = 20,
	WIRE_GENM = 21,
	WIRE_GENP = 22,
	WIRE_ERROR = 23,
	WIRE_CERTCONF = 24,
	WIRE_POLLREQ = 25,
	WIRE_POLLREP = 26
};

/* PKIStatus [5.2.3]. */
enum wire_status {
	WIRE_ACCEPTED = 0,
	WIRE_GRANTED_WITH_MODS = 1,
	WIRE_REJECTION = 2,
	WIRE_WAITING = 3,
	WIRE_REVOCATION_WARNING = 4,
	WIRE_REVOCATION_NOTIFICATION = 5,
	WIRE_KEY_UPDATE_WARNING = 6
};

#define WIRE_CERTS_MAX 64 /* extraCerts a struct can carry; the gate's limit is lower */

/* An InfoTypeAndValue; value: DER of the ANY, absent if none. */
struct wire_itav {
	struct bytes oid; /* content octets of the OBJECT IDENTIFIER */
	struct bytes value;
};

/* An AlgorithmIdentifier; parameters: DER of the ANY, absent if none. */
struct wire_alg {
	struct bytes der; /* the whole AlgorithmIdentifier */
	struct bytes oid; /* content octets */
	struct bytes parameters;
};

struct wire_header {
	int64_t pvno;
	struct bytes sender; /* GeneralName, DER */
	struct bytes recipient; /* GeneralName, DER */
	struct bytes message_time_raw; /* the GeneralizedTime's characters; absent: none */
	int64_t message_time; /* ms; 0: none or not of the form YYYYMMDDHHMMSSZ [5.2.9] */
	struct wire_alg protection_alg; /* der absent: none */
	struct bytes sender_kid, recip_kid; /* absent: none; present may be empty */
	struct bytes transaction_id, sender_nonce, recip_nonce;
	size_t n_general_info;
	struct wire_itav *general_info;
};

struct wire_message {
	struct bytes raw; /* the whole message */
	struct wire_header header;
	struct bytes header_raw; /* PKIHeader, DER */
	struct bytes body_raw; /* PKIBody with its tag, DER */
	int body_type; /* enum wire_body, or any other tag number 0..30 that came */
	struct bytes body; /* what is inside the tag, DER */
	struct bytes protection; /* content of the BIT STRING; absent: none */
	size_t n_extra_certs;
	struct bytes extra_certs[WIRE_CERTS_MAX]; /* each DER */
};

/* The header's transactionID etc. must be readable even when something later is wrong: on
 * CMPD_EFORMAT *ret holds what could be read before the fault (header_raw present = the header is
 * complete). CMPD_ELIMIT: more than max_certs extraCerts (the rest of *ret is complete).
 * CMPD_ENOMEM. Text of the fault in diag. What is inside of a nested body is not looked at. */
int wire_message_decode(struct pool *pool, struct bytes in, size_t max_certs,
    struct wire_message *ret, struct diag *diag) CMPD_MUST_CHECK;

/* SEQUENCE { header, body }: what protection is computed over [5.1.3]. */
struct bytes wire_protected_part(struct pool *pool, struct bytes header_raw, struct bytes body_raw);
/* The same message without extraCerts (they are not protected); and with others put in place (n ==
 * 0: without). */
struct bytes wire_message_build(struct pool *pool, struct bytes header_raw, struct bytes body_raw,
    struct bytes protection, const struct bytes *certs, size_t n_certs);

/* Header of an answer. Absent fields are left out. */
struct bytes wire_header_encode(struct pool *pool, const struct wire_header *header);

/* GeneralName directoryName around a DER Name, and back: BYTES_NONE if it is no directoryName. */
struct bytes wire_general_name(struct pool *pool, struct bytes name);
struct bytes wire_directory_name(struct bytes general_name);

/* ---- bodies of requests; in: wire_message.body ---- */

enum wire_popo {
	WIRE_POPO_NONE = -1,
	WIRE_POPO_RA_VERIFIED = 0,
	WIRE_POPO_SIGNATURE = 1,
	WIRE_POPO_KEY_ENCIPHERMENT = 2,
	WIRE_POPO_KEY_AGREEMENT = 3
};

/* CertReqMsg (RFC 4211). */
struct wire_cert_req {
	struct bytes raw; /* CertReqMsg */
	struct bytes request_raw; /* CertRequest: what the POPO signs */
	struct bytes template_raw; /* CertTemplate */
	int64_t cert_req_id;
	/* subject, spki (re-tagged as SEQUENCE), extensions (re-tagged), validity */
	struct template template;
	struct bytes template_issuer; /* DER Name; absent */
	/* big-endian, no leading zero octet; absent. Negative: CMPD_EFORMAT */
	struct bytes template_serial;
	bool template_odd; /* fields that a requester must not fill: version, signingAlg, UIDs */
	struct bytes old_issuer; /* control oldCertID: DER GeneralName; absent: no such control */
	struct bytes old_serial; /* as template_serial */
	enum wire_popo popo;
	struct bytes popo_input; /* poposkInput re-tagged as SEQUENCE; absent: none */
	struct wire_alg popo_alg; /* WIRE_POPO_SIGNATURE */
	struct bytes popo_signature;
};
/* ir, cr, kur. CMPD_ELIMIT: more than max; *ret_n says how many came. */
int wire_cert_reqs_decode(struct pool *pool, struct bytes in, size_t max,
    struct wire_cert_req **ret, size_t *ret_n, struct diag *diag) CMPD_MUST_CHECK;

/* PKCS #10 (RFC 2986). extensions from the extensionRequest attribute. */
struct wire_p10 {
	struct bytes raw;
	struct bytes info_raw; /* CertificationRequestInfo: what is signed */
	struct template template;
	struct wire_alg alg;
	struct bytes signature;
};
int wire_p10_decode(struct pool *pool, struct bytes in, struct wire_p10 *ret,
    struct diag *diag) CMPD_MUST_CHECK;

/* PKIStatusInfo [5.2.3]. */
struct wire_status_info {
	int64_t status;
	/* the first statusString or NULL; only in decoding: lines joined by "; " */
	const char *text;
	int fail_info; /* lowest bit set, -1: none */
};

/* CertStatus [5.3.18]. */
struct wire_cert_conf {
	struct bytes cert_hash;
	int64_t cert_req_id;
	bool has_status;
	struct wire_status_info status;
	struct wire_alg hash_alg; /* der absent: none */
};
int wire_cert_confs_decode(struct pool *pool, struct bytes in, size_t max,
    struct wire_cert_conf **ret, size_t *ret_n, struct diag *diag) CMPD_MUST_CHECK;

/* pollReq [5.3.22]: certReqIds. */
int wire_poll_reqs_decode(struct pool *pool, struct bytes in, size_t max, int64_t **ret,
    size_t *ret_n, struct diag *diag) CMPD_MUST_CHECK;

/* error [5.3.21]. */
int wire_error_decode(struct pool *pool, struct bytes in, struct wire_status_info *ret,
    struct diag *diag) CMPD_MUST_CHECK;

/* RevDetails [5.3.9]. */
struct wire_rev_req {
	struct bytes template_raw;
	struct template template;
	struct bytes issuer; /* DER Name; absent */
	struct bytes serial; /* absent */
	struct bytes crl_entry_details; /* DER Extensions; absent */
};
int wire_rev_reqs_decode(struct pool *pool, struct bytes in, size_t max, struct wire_rev_req **ret,
    size_t *ret_n, struct diag *diag) CMPD_MUST_CHECK;

/* genm [5.3.19]. */
int wire_itavs_decode(struct pool *pool, struct bytes in, size_t max, struct wire_itav **ret,
    size_t *ret_n, struct diag *diag) CMPD_MUST_CHECK;

/* nested [5.1.3.5]: each message as it came, by its outermost frame only; wire_message_decode says
 * whether there is DER inside. At least one. CMPD_ELIMIT: more than max. */
int wire_nested_decode(struct pool *pool, struct bytes in, size_t max, struct bytes **ret,
    size_t *ret_n, struct diag *diag) CMPD_MUST_CHECK;

/* ---- bodies of answers: each returns the whole PKIBody with its tag ---- */

/* One CertResponse [5.3.4]. */
struct wire_cert_response {
	int64_t cert_req_id;
	struct wire_status_info status;
	struct bytes certificate; /* DER; absent: none */
	/* its privateKey [5.2.2]: EnvelopedData, DER; absent: none, or (decoded) of the old form */
	struct bytes private_key;
};
/* tag: WIRE_IP, WIRE_CP or WIRE_KUP. ca_pubs only when n_ca_pubs > 0. */
struct bytes wire_cert_rep_encode(struct pool *pool, int tag, const struct bytes *ca_pubs,
    size_t n_ca_pubs, const struct wire_cert_response *responses, size_t n);

struct wire_poll_rep {
	int64_t cert_req_id;
	int64_t check_after; /* seconds */
	const char *reason; /* NULL: none */
};
struct bytes wire_poll_rep_encode(struct pool *pool, const struct wire_poll_rep *reps, size_t n);
struct bytes wire_pkiconf_encode(struct pool *pool);
struct bytes wire_error_encode(struct pool *pool, const struct wire_status_info *status);
struct bytes wire_rev_rep_encode(struct pool *pool, const struct wire_status_info *status,
    size_t n);
struct bytes wire_genp_encode(struct pool *pool, const struct wire_itav *itavs, size_t n);
/* Around whole messages; also what a client sends. */
struct bytes wire_nested_encode(struct pool *pool, const struct bytes *messages, size_t n);

/* ---- bodies of answers, decoded: for the test client ---- */

int wire_cert_rep_decode(struct pool *pool, struct bytes in, size_t max,
    struct wire_cert_response **ret, size_t *ret_n, struct diag *diag) CMPD_MUST_CHECK;
int wire_poll_rep_decode(struct pool *pool, struct bytes in, size_t max, struct wire_poll_rep **ret,
    size_t *ret_n, struct diag *diag) CMPD_MUST_CHECK;

/* ---- small parts ---- */

/* PBMParameter [5.1.3.1]. CMPD_EFORMAT also when the parameters are no SEQUENCE (F1). */
struct wire_pbm {
	struct bytes salt;
	struct wire_alg owf;
	int64_t iterations; /* -1: negative or over 2^31 */
	struct wire_alg mac;
};
int wire_pbm_decode(struct pool *pool, struct bytes parameters,
    struct wire_pbm *ret) CMPD_MUST_CHECK;
/* AlgorithmIdentifier id-PasswordBasedMac with the parameters of pbm. */
struct bytes wire_pbm_alg_encode(struct pool *pool, const struct wire_pbm *pbm);

/* Content octets of the OIDs that the room compares. */
extern const struct bytes wire_oid_pbm, wire_oid_implicit_confirm, wire_oid_confirm_wait_time,
    wire_oid_cert_profile;

/* "20260131120000Z" for a time in ms; NULL-terminated in pool. */
const char *wire_time_encode(struct pool *pool, int64_t ms);
