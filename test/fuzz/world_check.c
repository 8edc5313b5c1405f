#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/cmp.h>
#include <openssl/err.h>

#include "cmp/mac.h"
#include "cmp/verify.h"
#include "model/der.h"
#include "model/failinfo.h"
#include "world_check.h"

void
check(bool is_true, const char *words)
{
	if (!is_true) {
		fprintf(stderr, "not true: %s\n", words);
		abort();
	}
}

void
check_no_errors_left(void)
{
	if (ERR_peek_error()) {
		ERR_print_errors_fp(stderr);
		check(false, "libcrypto's error queue is left empty");
	}
}

/* ---- PKIStatusInfo, looked at with nothing but DER ---- */

static unsigned
count_bits(struct bytes bits)
{
	unsigned n = 0;

	for (size_t i = 1; i < bits.len; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			n += bits.data[i] >> bit & 1;
		}
	}
	return n;
}

static bool
has_bit(struct bytes bits, unsigned bit)
{
	return 1 + bit / 8 < bits.len && (bits.data[1 + bit / 8] & 0x80u >> bit % 8);
}

static void
check_status(struct bytes info)
{
	struct bytes status, text, bits = BYTES_NONE;

	check(der_take(&info, DER_INTEGER, &status) == 0 && status.len == 1, "a PKIStatus");
	if (der_peek(info, DER_SEQUENCE)) {
		check(der_take(&info, DER_SEQUENCE, &text) == 0, "a statusString");
	}
	if (der_peek(info, DER_BIT_STRING)) {
		check(der_take(&info, DER_BIT_STRING, &bits) == 0, "a failInfo");
	}
	check(info.len == 0, "nothing behind failInfo");
	check(count_bits(bits) == (status.data[0] == WIRE_REJECTION ? 1u : 0u),
	    "a rejection has one bit of failInfo, nothing else has any");
	check(!has_bit(bits, FI_SYSTEM_FAILURE) && !has_bit(bits, FI_SYSTEM_UNAVAIL),
	    "the server is not to blame");
}

static void
check_statuses(struct bytes list)
{
	struct bytes info;

	while (list.len > 0) {
		check(der_take(&list, DER_SEQUENCE, &info) == 0, "a PKIStatusInfo");
		check_status(info);
	}
}

static void
check_responses(struct bytes body)
{
	struct bytes list, skipped, one, id, info;

	check(der_only(body, DER_SEQUENCE, &body) == 0, "a CertRepMessage");
	if (der_peek(body, DER_CONSTRUCTED(1))) {
		check(der_take(&body, DER_CONSTRUCTED(1), &skipped) == 0, "caPubs");
	}
	check(der_take(&body, DER_SEQUENCE, &list) == 0 && body.len == 0, "responses");
	while (list.len > 0) {
		check(der_take(&list, DER_SEQUENCE, &one) == 0 &&
			  der_take(&one, DER_INTEGER, &id) == 0 &&
			  der_take(&one, DER_SEQUENCE, &info) == 0,
		    "a CertResponse");
		check_status(info);
	}
}

static void
check_body(const struct wire_message *m)
{
	struct bytes body, info = BYTES_NONE;

	switch (m->body_type) {
	case WIRE_ERROR:
		check(der_only(m->body, DER_SEQUENCE, &body) == 0 &&
			  der_take(&body, DER_SEQUENCE, &info) == 0,
		    "an ErrorMsgContent");
		check_status(info);
		break;
	case WIRE_IP:
	case WIRE_CP:
	case WIRE_KUP:
		check_responses(m->body);
		break;
	case WIRE_RP:
		check(der_only(m->body, DER_SEQUENCE, &body) == 0 &&
			  der_take(&body, DER_SEQUENCE, &info) == 0,
		    "a RevRepContent");
		check_statuses(info);
		break;
	case WIRE_NESTED:
		check(mac_is(&m->header.protection_alg) == false, "a nested answer is signed");
		break;
	default:
		check(m->body_type == WIRE_PKICONF || m->body_type == WIRE_GENP ||
			  m->body_type == WIRE_POLLREP,
		    "a body that a server sends");
	}
}

/* ---- the whole ---- */

/* What only OpenSSL from 3.5 on can read: an EnvelopedData with a SignedData (RFC 9810 5.2.2). */
static bool
has_private_key(struct bytes der)
{
	static const uint8_t signed_data[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02};

	return memmem(der.data, der.len, signed_data, sizeof(signed_data)) != NULL;
}

static void
openssl_must_take(struct bytes der)
{
	const unsigned char *p = der.data;
	OSSL_CMP_MSG *msg = d2i_OSSL_CMP_MSG(NULL, &p, (long)der.len);

	if (!msg) {
		ERR_print_errors_fp(stderr);
	}
	check(msg != NULL && p == der.data + der.len, "OpenSSL takes the answer");
	OSSL_CMP_MSG_free(msg);
}

static void
check_protection(struct world *w, const struct wire_message *in, bool authentic,
    const struct wire_message *m)
{
	struct bytes part = wire_protected_part(w->pool, m->header_raw, m->body_raw);
	bool mac = mac_is(&m->header.protection_alg);

	check(!authentic || mac == mac_is(&in->header.protection_alg),
	    "what was MACed is answered with a MAC");
	check(authentic || !mac, "strangers get signatures");
	if (mac) {
		check(bytes_equal(world_mac(w, &m->header.protection_alg, part), m->protection),
		    "the MAC verifies");
	} else {
		check(verify_signed(NULL, part, m->header.protection_alg.der, m->protection,
			  w->signer_key) == 0,
		    "the signature verifies");
	}
}

void
check_answer(struct world *w, struct bytes message, struct bytes answer, bool authentic,
    struct wire_message *ret)
{
	struct wire_message in;
	struct diag diag = {""};
	int error = wire_message_decode(w->pool, message, WIRE_CERTS_MAX, &in, &diag);

	check(answer.data && wire_message_decode(w->pool, answer, WIRE_CERTS_MAX, ret, &diag) == 0,
	    "the answer decodes");
	if (!has_private_key(answer) || OpenSSL_version_num() >= 0x30500000L) {
		openssl_must_take(answer);
	}
	if (in.header_raw.data) {
		check(bytes_equal(in.header.transaction_id, ret->header.transaction_id),
		    "transactionID is repeated");
		check(bytes_equal(in.header.sender_nonce, ret->header.recip_nonce),
		    "the nonce is repeated");
	}
	check(error == 0 || ret->body_type == WIRE_ERROR ||
		  (in.body_type == WIRE_RR && ret->body_type == WIRE_RP),
	    "what does not decode is answered as a fault");
	check_protection(w, &in, authentic && in.body_raw.data, ret);
	check_body(ret);
}
