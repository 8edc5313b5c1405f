#include <openssl/asn1.h>
#include <string.h>

#include "cmp/gate.h"
#include "model/der.h"

#define STRICT_SIZE 16 /* of transactionID and senderNonce in the strict profile */
#define NONCE_MIN   16

#define BODY_BIT(tag) (1u << (tag))

/* Bodies that a server takes at all (F2): no answer body ever gets past the gate. */
#define SERVED                                                                                     \
	(BODY_BIT(WIRE_IR) | BODY_BIT(WIRE_CR) | BODY_BIT(WIRE_P10CR) | BODY_BIT(WIRE_KUR) |       \
	    BODY_BIT(WIRE_RR) | BODY_BIT(WIRE_ERROR) | BODY_BIT(WIRE_CERTCONF) |                   \
	    BODY_BIT(WIRE_POLLREQ) | BODY_BIT(WIRE_GENM) | BODY_BIT(WIRE_NESTED))

bool
cmp_body_opens(int body_type)
{
	return body_type == WIRE_IR || body_type == WIRE_CR || body_type == WIRE_P10CR ||
	       body_type == WIRE_KUR || body_type == WIRE_RR || body_type == WIRE_GENM;
}

/* ---- rules of the header alone ---- */

static bool
check_pvno(struct cmp_work *work, struct diag *why)
{
	int64_t pvno = work->in.header.pvno;

	if (pvno == 2 || pvno == 3) {
		return true;
	}
	diag_set(why, 0, "pvno %lld is not served, only 2 and 3", (long long)pvno);
	return false;
}

static bool
check_transaction_id(struct cmp_work *work, struct diag *why)
{
	struct bytes id = work->in.header.transaction_id;

	if (!id.data) {
		diag_set(why, 0, "transactionID is missing");
	} else if (work->endpoint->conf->strict && id.len != STRICT_SIZE) {
		diag_set(why, 0, "transactionID has %zu bytes, not %d", id.len, STRICT_SIZE);
	} else if (id.len == 0 || id.len > TXN_ID_MAX) {
		diag_set(why, 0, "transactionID has %zu bytes, not 1 to %d", id.len, TXN_ID_MAX);
	} else {
		return true;
	}
	return false;
}

static bool
check_sender_nonce(struct cmp_work *work, struct diag *why)
{
	struct bytes nonce = work->in.header.sender_nonce;

	if (!nonce.data) {
		diag_set(why, 0, "senderNonce is missing");
	} else if (work->endpoint->conf->strict && nonce.len != STRICT_SIZE) {
		diag_set(why, 0, "senderNonce has %zu bytes, not %d", nonce.len, STRICT_SIZE);
	} else if (nonce.len < NONCE_MIN || nonce.len > TXN_NONCE_MAX) {
		diag_set(why, 0, "senderNonce has %zu bytes, not %d to %d", nonce.len, NONCE_MIN,
		    TXN_NONCE_MAX);
	} else {
		return true;
	}
	return false;
}

static bool
check_body_served(struct cmp_work *work, struct diag *why)
{
	int type = work->in.body_type;

	if (type >= 0 && type < 32 && (SERVED & BODY_BIT(type)) &&
	    (!cmp_body_opens(type) || (work->endpoint->conf->bodies & CONF_BODY(type)))) {
		return true;
	}
	diag_set(why, 0, "body type %d is not served here", type);
	return false;
}

/* RAs put messages into nested ones, and there is one layer of it (RFC 9810 5.1.3.5). */
static bool
check_nested(struct cmp_work *work, struct diag *why)
{
	if (work->in.body_type != WIRE_NESTED) {
		return true;
	}
	if (work->ra) {
		diag_set(why, 0, "a nested message inside of a nested one");
	} else if (work->endpoint->conf->max_nested == 0) {
		diag_set(why, 0, "nested messages are not served here");
	} else {
		return true;
	}
	return false;
}

/* An operation in the path says what the message is; later messages of a transaction are judged when it is known. */
static bool
check_operation(struct cmp_work *work, struct diag *why)
{
	int announced = cmp_operation_body(work->operation);
	int type = work->in.body_type;

	if (announced < 0 || announced == type || type == WIRE_CERTCONF || type == WIRE_POLLREQ ||
	    type == WIRE_ERROR) {
		return true;
	}
	diag_set(why, 0, "body type %d does not fit the operation in the path", type);
	return false;
}

static bool
check_message_time(struct cmp_work *work, struct diag *why)
{
	const struct wire_header *header = &work->in.header;
	int64_t window = work->endpoint->conf->message_time_window;
	int64_t off = header->message_time - work->desk->now;

	if (!header->message_time_raw.data) {
		if (!work->endpoint->conf->message_time_required) {
			return true;
		}
		diag_set(why, 0, "messageTime is missing");
	} else if (header->message_time == 0) {
		diag_set(why, 0, "messageTime is not of the form YYYYMMDDHHMMSSZ");
	} else if (off > window || -off > window) {
		diag_set(why, 0, "messageTime is %lld s %s the clock here, more than %lld s",
		    (long long)(off < 0 ? -off : off) / 1000, off < 0 ? "behind" : "ahead of",
		    (long long)window / 1000);
	} else {
		return true;
	}
	return false;
}

static const struct wire_itav *
info_find(const struct wire_header *header, struct bytes oid)
{
	for (size_t i = 0; i < header->n_general_info; i++) {
		if (bytes_equal(header->general_info[i].oid, oid)) {
			return &header->general_info[i];
		}
	}
	return NULL;
}

static bool
check_implicit_confirm(struct cmp_work *work, struct diag *why)
{
	const struct wire_itav *implicit = info_find(&work->in.header, wire_oid_implicit_confirm);

	if (!implicit || (implicit->value.len == 2 && implicit->value.data[0] == V_ASN1_NULL)) {
		return true;
	}
	diag_set(why, 0, "implicitConfirm is not NULL");
	return false;
}

static bool
check_confirm_wait(struct cmp_work *work, struct diag *why)
{
	const struct wire_itav *wait = info_find(&work->in.header, wire_oid_confirm_wait_time);

	if (!wait || (wait->value.len > 2 && wait->value.data[0] == V_ASN1_GENERALIZEDTIME)) {
		return true;
	}
	diag_set(why, 0, "confirmWaitTime is not a GeneralizedTime");
	return false;
}

static bool
check_confirm_both(struct cmp_work *work, struct diag *why)
{
	if (!info_find(&work->in.header, wire_oid_implicit_confirm) ||
	    !info_find(&work->in.header, wire_oid_confirm_wait_time)) {
		return true;
	}
	diag_set(why, 0, "implicitConfirm and confirmWaitTime exclude each other");
	return false;
}

/* A SEQUENCE OF UTF8String; an empty one asks for nothing (RFC 9810 5.1.1.4). */
bool
gate_cert_profiles(struct cmp_work *work, const struct wire_header *header, struct diag *why)
{
	const struct wire_itav *profile = info_find(header, wire_oid_cert_profile);
	struct bytes list, name;

	work->n_cert_profiles = 0;
	if (!profile) {
		return true;
	}
	if (der_only(profile->value, DER_SEQUENCE, &list) < 0) {
		diag_set(why, 0, "certProfile is no list of texts");
		return false;
	}
	while (list.len > 0) {
		if (der_take(&list, DER_UTF8_STRING, &name) < 0 ||
		    work->n_cert_profiles == CMP_REQUESTS_MAX || memchr(name.data, 0, name.len)) {
			diag_set(why, 0, "certProfile is no list of at most %d texts",
			    CMP_REQUESTS_MAX);
			return false;
		}
		work->cert_profiles[work->n_cert_profiles++] =
		    name.len > 0 ? pool_strndup(work->desk->pool, name.data, name.len) : NULL;
	}
	return true;
}

static bool
check_cert_profile(struct cmp_work *work, struct diag *why)
{
	return gate_cert_profiles(work, &work->in.header, why);
}

/* ---- rules of the transaction ---- */

static bool
check_id_not_used(struct cmp_work *work, struct diag *why)
{
	if (!work->has_txn || !cmp_body_opens(work->in.body_type)) {
		return true;
	}
	diag_set(why, 0, "transactionID has been used for another request");
	return false;
}

static bool
check_id_known(struct cmp_work *work, struct diag *why)
{
	if (work->has_txn || cmp_body_opens(work->in.body_type)) {
		return true;
	}
	diag_set(why, 0, "there is no transaction with this transactionID");
	return false;
}

static bool
check_txn_endpoint(struct cmp_work *work, struct diag *why)
{
	if (!work->has_txn || !strcmp(work->txn.endpoint, work->endpoint->conf->path)) {
		return true;
	}
	diag_set(why, 0, "the transaction was opened at another path");
	return false;
}

/* certConf, pollReq and error come to the path of their first message or to one without an operation. */
static bool
check_later_operation(struct cmp_work *work, struct diag *why)
{
	int announced = cmp_operation_body(work->operation);
	int type = work->in.body_type;

	if (announced < 0 || cmp_body_opens(type) || announced == type ||
	    announced == (int)work->txn.type) {
		return true;
	}
	diag_set(why, 0, "the operation in the path is not the one that opened the transaction");
	return false;
}

static bool
check_recip_nonce(struct cmp_work *work, struct diag *why)
{
	struct bytes nonce = work->in.header.recip_nonce;

	if (cmp_body_opens(work->in.body_type)) {
		if (!nonce.data) {
			return true;
		}
		diag_set(why, 0, "recipNonce has no place in a first message");
	} else if (!nonce.data) {
		diag_set(why, 0, "recipNonce is missing");
	} else if (!bytes_equal(nonce,
		       bytes_of(work->txn.our_nonce.data, work->txn.our_nonce.len))) {
		diag_set(why, 0, "recipNonce is not the senderNonce of our last message");
	} else {
		return true;
	}
	return false;
}

/* ---- the table: in this order, the first fault wins ---- */

enum stage { STAGE_HEADER, STAGE_TXN };

static const struct check {
	const char *id;
	enum stage stage;
	int fail_info;
	bool (*passes)(struct cmp_work *work, struct diag *why);
} checks[] = {
    /* RFC 9810 7: an unknown version is answered with the nearest of ours. */
    {"B3.2", STAGE_HEADER, FI_UNSUPPORTED_VERSION, check_pvno},
    /* RFC 9810 5.1.1 recommends 128 bits; what is shorter or longer than a record takes is refused. */
    {"B3.1", STAGE_HEADER, FI_BAD_DATA_FORMAT, check_transaction_id},
    {"B3.3", STAGE_HEADER, FI_BAD_REQUEST, check_body_served},
    {"B3.3", STAGE_HEADER, FI_BAD_REQUEST, check_operation},
    {"B4.7", STAGE_HEADER, FI_BAD_REQUEST, check_nested},
    /* RFC 9810 5.1.1. */
    {"B3.5", STAGE_HEADER, FI_BAD_SENDER_NONCE, check_sender_nonce},
    {"B3.7", STAGE_HEADER, FI_BAD_TIME, check_message_time},
    /* RFC 9810 5.1.1.1 and 5.1.1.2. */
    {"B3.13", STAGE_HEADER, FI_BAD_DATA_FORMAT, check_implicit_confirm},
    {"B3.13", STAGE_HEADER, FI_BAD_DATA_FORMAT, check_confirm_wait},
    {"B3.13", STAGE_HEADER, FI_BAD_REQUEST, check_confirm_both},
    /* RFC 9810 5.1.1.4. */
    {"B3.14", STAGE_HEADER, FI_BAD_DATA_FORMAT, check_cert_profile},
    /* RFC 9810 5.1.1. */
    {"B3.4", STAGE_TXN, FI_TRANSACTION_ID_IN_USE, check_id_not_used},
    {"B3.3", STAGE_TXN, FI_BAD_REQUEST, check_id_known},
    {"B3.3", STAGE_TXN, FI_BAD_REQUEST, check_txn_endpoint},
    {"B5.2", STAGE_TXN, FI_BAD_REQUEST, check_later_operation},
    {"B3.6", STAGE_TXN, FI_BAD_RECIPIENT_NONCE, check_recip_nonce},
};

static void
run_checks(struct cmp_work *work, enum stage stage)
{
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]) && !work->fault.id; i++) {
		struct diag why = {""};

		if (checks[i].stage == stage && !checks[i].passes(work, &why)) {
			cmp_work_fault(work, checks[i].id, checks[i].fail_info, "%s", why.text);
		}
	}
}

bool
gate_wants_implicit_confirm(const struct cmp_work *work)
{
	return info_find(&work->in.header, wire_oid_implicit_confirm) != NULL;
}

static int
decode(struct cmp_work *work)
{
	size_t max = (size_t)work->endpoint->conf->max_extra_certs;
	struct diag why = {""};
	int error = wire_message_decode(work->desk->pool, work->body, max, &work->in, &why);

	if (error == CMPD_EFORMAT) {
		cmp_work_fault(work, "B3.1", FI_BAD_DATA_FORMAT,
		    "the message is not a PKIMessage in DER: %s", why.text);
	} else if (error == CMPD_ELIMIT) {
		cmp_work_fault(work, "B3.12", FI_BAD_REQUEST, "more than %zu extraCerts", max);
	} else {
		return error;
	}
	return 0;
}

/* Later messages of a transaction may come to the base path of all (RFC 9811 3.4): then its own endpoint serves them. */
static void
follow_endpoint(struct cmp_work *work)
{
	struct cmp_endpoint *own = cmp_endpoint_find(work->door, work->txn.endpoint);

	if (own && !strcmp(work->endpoint->conf->path, "/.well-known/cmp")) {
		work->endpoint = own;
	}
}

static int
find_txn(struct cmp_work *work)
{
	struct bytes id = work->in.header.transaction_id;
	int error;

	if (!id.data || id.len == 0 || id.len > TXN_ID_MAX) {
		return 0;
	}
	work->key.protocol = PROTOCOL_CMP;
	work->key.id_len = (uint8_t)id.len;
	memcpy(work->key.id, id.data, id.len);
	error = store_txn_get(work->desk->reader, work->desk->pool, &work->key, &work->txn);
	if (error) {
		return error == CMPD_ENOENT ? 0 : error;
	}
	work->has_txn = true;
	follow_endpoint(work);
	return 0;
}

int
gate_read(struct cmp_work *work, bool *ret_replay)
{
	int error = digest_sha256(work->body, work->hash);

	*ret_replay = false;
	if (!error) {
		error = decode(work);
	}
	if (error || !work->in.header_raw.data) {
		return error;
	}
	run_checks(work, STAGE_HEADER);
	/* It has no transaction: those are of the messages inside. */
	if (work->in.body_type == WIRE_NESTED) {
		return 0;
	}
	error = find_txn(work);
	if (error) {
		return error;
	}
	/* A retransmission is no fault, even when its messageTime is old by now (B3.25). */
	if (work->has_txn && work->txn.answer.data &&
	    !memcmp(work->hash, work->txn.last_hash, DIGEST_SIZE)) {
		*ret_replay = true;
		return 0;
	}
	run_checks(work, STAGE_TXN);
	return 0;
}
