/*
 * What is true of every answer, whatever the scenario expects.
 */
#include <stdlib.h>
#include <string.h>

#include "player.h"

#define TIME_TOLERANCE_MS 60000

bool
is_cert_rep(int type)
{
	return type == WIRE_IP || type == WIRE_CP || type == WIRE_KUP;
}

/* Number of bits set in the failInfo of a PKIStatusInfo. */
static int
count_bits(struct bytes info)
{
	struct der value;
	int bits = 0;
	size_t i;

	while (info.len != 0 && der_next(&info, &value) == 0) {
		for (i = 1; value.tag == DER_BIT_STRING && i < value.value.len; i++) {
			bits += __builtin_popcount(value.value.data[i]);
		}
	}
	return bits;
}

/* A rejection names exactly one reason, in a bit and in words (B3.20); all others none. */
static void
check_status(struct player *p, const struct der *info)
{
	struct wire_status_info status;
	int bits = count_bits(info->value);

	status_decode(p, info, &status);
	if (bits != (status.status == WIRE_REJECTION ? 1 : 0)) {
		fail(p, "%d bits in failInfo with status %lld", bits, (long long)status.status);
	}
	if (status.status == WIRE_REJECTION && (status.text == NULL || status.text[0] == '\0')) {
		fail(p, "a rejection without a text");
	}
}

static void
check_statuses(struct player *p, const struct wire_message *m)
{
	struct der value, info, infos[IDS_MAX];
	struct bytes content, list, response;
	size_t n, i;

	if (m->body_type == WIRE_RP) {
		n = rev_rep_statuses(p, m->body, infos, IDS_MAX);
		for (i = 0; i < n; i++) {
			check_status(p, &infos[i]);
		}
		return;
	}
	if (m->body_type == WIRE_ERROR) {
		need(p, der_only(m->body, DER_SEQUENCE, &content) == 0);
		need(p, der_take_element(&content, DER_SEQUENCE, &info) == 0);
		check_status(p, &info);
		return;
	}
	if (!is_cert_rep(m->body_type)) {
		return;
	}
	need(p, der_only(m->body, DER_SEQUENCE, &content) == 0);
	need(p, der_next(&content, &value) == 0);
	if (value.tag != DER_SEQUENCE) {
		need(p, der_take_element(&content, DER_SEQUENCE, &value) == 0);
	}
	for (list = value.value; list.len != 0;) {
		need(p, der_take_element(&list, DER_SEQUENCE, &value) == 0);
		response = value.value;
		need(p, der_take_element(&response, DER_INTEGER, &info) == 0);
		need(p, der_take_element(&response, DER_SEQUENCE, &info) == 0);
		check_status(p, &info);
	}
}

static void
check_nonce(struct player *p, const struct client *client)
{
	struct bytes nonce = client->reply.header.sender_nonce;
	size_t i;

	if (nonce.len != 16) {
		fail(p, "the senderNonce of the answer has %zu bytes", nonce.len);
	}
	for (i = 0; i < p->n_nonces; i++) {
		if (bytes_equal(p->nonces[i], nonce)) {
			fail(p, "the senderNonce of the answer was used before");
		}
	}
	need(p, p->n_nonces < sizeof(p->nonces) / sizeof(p->nonces[0]));
	p->nonces[p->n_nonces++] = nonce;
}

/* What the header repeats from the request (B3.24). After polling recipNonce may be the first one, by the endpoint's option. */
static void
check_echo(struct player *p, const struct client *client)
{
	const struct wire_header *sent = &client->sent.header, *got = &client->reply.header;
	int64_t pvno = sent->pvno < 2 ? 2 : sent->pvno > 3 ? 3 : sent->pvno;

	if (client->sent.header_raw.data == NULL) {
		return;
	}
	if (got->pvno != pvno) {
		fail(p, "pvno of the answer is %lld, not %lld", (long long)got->pvno,
		    (long long)pvno);
	}
	if (sent->transaction_id.len > 0 && sent->transaction_id.len <= 64 &&
	    !bytes_equal(got->transaction_id, sent->transaction_id)) {
		fail(p, "the transactionID of the answer is another one");
	}
	if (sent->sender_nonce.len > 0 && sent->sender_nonce.len <= 64 &&
	    !bytes_equal(got->recip_nonce, sent->sender_nonce) &&
	    !bytes_equal(got->recip_nonce, client->first_nonce)) {
		fail(p, "the recipNonce of the answer is not our senderNonce");
	}
	if (!bytes_equal(got->recipient, sent->sender)) {
		fail(p, "the recipient of the answer is not our sender");
	}
}

static void
check_time(struct player *p, const struct wire_header *header)
{
	int64_t now = (int64_t)time(NULL) * 1000 + p->wall_ms;

	if (header->message_time == 0) {
		fail(p, "the answer has no messageTime");
	}
	if (llabs(header->message_time - now) > TIME_TOLERANCE_MS) {
		fail(p, "the messageTime of the answer is %.*s", (int)header->message_time_raw.len,
		    (const char *)header->message_time_raw.data);
	}
}

const char *
protection_of(const struct wire_message *m)
{
	if (m->protection.data == NULL) {
		return "none";
	}
	return bytes_equal(m->header.protection_alg.oid, wire_oid_pbm) ||
		       alg_is_pbmac1(&m->header.protection_alg)
		   ? "mac"
		   : "signature";
}

static void
check_protection(struct player *p, const struct client *client)
{
	const struct wire_message *m = &client->reply;
	const char *protection = protection_of(m);

	if (strcmp(protection, "none") == 0) {
		return;
	}
	if (m->header.sender_kid.data == NULL) {
		fail(p, "the answer has no senderKID");
	}
	if (strcmp(protection, "signature") == 0) {
		verify_signature(p, m);
	} else if (client->ref == NULL) {
		fail(p, "an answer to a signed request is MACed");
	} else {
		verify_mac(p, client);
	}
	verify_by_openssl(p, client);
}

/* The protection certificate comes first, MAC or not, and no certificate twice. */
static void
check_certs(struct player *p, const struct wire_message *m)
{
	size_t i, k;

	if (m->n_extra_certs == 0) {
		fail(p, "an answer without extraCerts");
	}
	for (i = 1; i < m->n_extra_certs; i++) {
		for (k = 0; k < i; k++) {
			if (bytes_equal(m->extra_certs[i], m->extra_certs[k])) {
				fail(p, "a certificate is twice in the extraCerts of the answer");
			}
		}
	}
}

void
answer_check(struct player *p, struct client *client)
{
	check_certs(p, &client->reply);
	check_echo(p, client);
	check_statuses(p, &client->reply);
	check_protection(p, client);
	/* The stored answer to a repeated request is as old as it is. */
	if (!bytes_equal(client->answer, client->answer_before)) {
		check_nonce(p, client);
		check_time(p, &client->reply.header);
	}
}
