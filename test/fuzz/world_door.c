/*
 * Messages of the world's clients, and their way through the door.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/pool.h"
#include "cmp/mac.h"
#include "model/der.h"
#include "world.h"
#include "world_check.h"

static const uint8_t null_name[] = {0xa4, 0x02, 0x30, 0x00};
static const char reference[] = WORLD_REFERENCE, secret_value[] = WORLD_SECRET;

/* AlgorithmIdentifiers. */
static const uint8_t alg_sha256[] = {
    0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01};
static const uint8_t alg_hmac_sha256[] = {
    0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x09};
static const uint8_t alg_ecdsa_sha256[] = {
    0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};

#define CONSTANT(array) bytes_of(array, sizeof(array))

struct bytes
world_sign(struct world *w, struct bytes data)
{
	return world_sign_by(w, w->device_key, data);
}

struct bytes
world_sign_by(struct world *w, EVP_PKEY *key, struct bytes data)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char signature[128];
	size_t len = sizeof(signature);

	check(ctx && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
		  EVP_DigestSign(ctx, signature, &len, data.data, data.len) == 1,
	    "signature");
	EVP_MD_CTX_free(ctx);
	return pool_bytes(w->pool, bytes_of(signature, len));
}

static struct wire_alg
alg_of(struct bytes der)
{
	struct wire_alg alg = {.der = der};
	struct bytes rest;

	check(der_only(der, DER_SEQUENCE, &rest) == 0 && der_take(&rest, DER_OID, &alg.oid) == 0,
	    "algorithm");
	alg.parameters = rest.len > 0 ? rest : BYTES_NONE;
	return alg;
}

static struct wire_alg
mac_alg(struct world *w)
{
	struct wire_pbm pbm = {.salt = bytes_str("sixteen bytes ..."),
	    .iterations = 100, /* the least that libcrypto takes */
	    .owf = {.der = CONSTANT(alg_sha256)},
	    .mac = {.der = CONSTANT(alg_hmac_sha256)}};

	return alg_of(wire_pbm_alg_encode(w->pool, &pbm));
}

struct bytes
world_mac(struct world *w, const struct wire_alg *alg, struct bytes part)
{
	struct bytes mac = BYTES_NONE;

	check(mac_compute(w->door, w->pool, alg, bytes_str(secret_value), part, &mac) == 0, "MAC");
	return mac;
}

struct bytes
world_message(struct world *w, const struct letter *letter)
{
	bool sign = letter->sign || letter->by_ra;
	uint8_t nonce[WORLD_ID_SIZE];
	struct wire_header header = {.pvno = letter->pvno3 ? 3 : 2,
	    .sender = letter->by_ra  ? w->ra_name
		      : letter->sign ? w->device_name
				     : CONSTANT(null_name),
	    .recipient = CONSTANT(null_name),
	    .message_time = w->now,
	    .message_time_raw = bytes_str(wire_time_encode(w->pool, w->now)),
	    .sender_kid = sign ? BYTES_NONE : bytes_str(reference),
	    .transaction_id = CONSTANT(letter->txn),
	    .sender_nonce = bytes_of(nonce, sizeof(nonce)),
	    .recip_nonce = letter->recip_nonce,
	    .n_general_info = letter->n_info};
	struct wire_itav info[4];
	struct bytes head, part, protection, body = letter->content;
	struct buf buf;

	memcpy(info, letter->info, sizeof(info));
	header.general_info = info;
	memset(nonce, 0, sizeof(nonce));
	memcpy(nonce, &w->messages, sizeof(w->messages));
	w->messages++;
	if (letter->nonce) {
		memcpy(nonce, letter->nonce, sizeof(nonce));
	}
	buf_init(&buf, 1 << 24);
	der_put(&buf, DER_CONSTRUCTED((uint8_t)letter->body_type), body);
	body = pool_bytes(w->pool, buf_get0(&buf));
	buf_fini(&buf);
	header.protection_alg = sign ? alg_of(CONSTANT(alg_ecdsa_sha256)) : mac_alg(w);
	head = wire_header_encode(w->pool, &header);
	part = wire_protected_part(w->pool, head, body);
	check(head.data && part.data, "message");
	protection = sign ? world_sign_by(w, letter->by_ra ? w->ra_key : w->device_key, part)
			  : world_mac(w, &header.protection_alg, part);
	return wire_message_build(w->pool, head, body, protection,
	    letter->by_ra ? &w->ra.der : &w->device.der, sign ? 1 : 0);
}

/* ---- the door ---- */

static void
wake(void *arg)
{
	(void)arg;
}

static void
late(void *arg, const struct txn_key *txn, int64_t cert_req_id,
    const struct policy_verdict *verdict)
{
	(void)arg;
	(void)txn;
	(void)cert_req_id;
	(void)verdict;
	abort();
}

/* One message through the door: the answer in the world's pool, or the batch that is to be done first. */
static struct bytes
handle(struct world *w, struct cmp_request *request, bool *ret_stored, struct cmp_batch *ret_batch)
{
	struct cmp_answer answer;
	struct store_stats before, after;
	struct bytes body;
	int error;

	pool_reset(w->answer_pool);
	check(store_stats(w->desk.reader, &before) == 0, "statistics");
	error = cmp_door_handle(w->door, &w->desk, request, &answer);
	check_no_errors_left();
	check(error == 0, "the door has an answer");
	check(w->desk.unit == NULL, "the desk keeps no unit");
	check((answer.batch == NULL) == (answer.body.data != NULL), "a batch or an answer");
	*ret_stored = answer.unit && !unit_is_empty(answer.unit);
	check(!*ret_stored || (!answer.fault && !answer.batch), "a fault stores nothing");
	for (size_t i = 0; i < answer.n_log; i++) {
		log_end(answer.log[i]);
	}
	if (*ret_stored) {
		error = store_commit_wait(w->store, answer.unit);
		if (error) {
			fprintf(stderr, "commit: %s\n", cmpd_strerror(error));
		}
		check(error == 0, "with nobody else around what was wanted can be stored");
	} else {
		unit_free(answer.unit);
		check(store_stats(w->desk.reader, &after) == 0, "statistics");
		check(memcmp(&before, &after, sizeof(after)) == 0, "nothing was changed");
	}
	if (answer.batch) {
		*ret_batch = *answer.batch;
		ret_batch->ra = pool_strdup(w->pool, answer.batch->ra);
		ret_batch->messages = (const struct bytes *)pool_bytes(w->pool,
		    bytes_of(answer.batch->messages, answer.batch->n * sizeof(struct bytes)))
					  .data;
		return BYTES_NONE;
	}
	body = pool_bytes(w->pool, answer.body);
	check(body.data != NULL, "memory");
	return body;
}

static void
begin_request(struct world *w, enum place place, struct bytes body, struct cmp_request *request)
{
	cmp_request_init(request);
	request->endpoint = &w->conf->endpoints[place];
	request->operation = CMP_OP_NONE;
	request->body = body;
	request->peer = "192.0.2.1";
	request->req = w->messages;
	request->wake = wake;
}

/* What is signed is answered by a signature in any case; what is MACed by whom we know, by a MAC. */
bool
world_is_authentic(struct world *w, const struct wire_message *m)
{
	struct bytes part = wire_protected_part(w->pool, m->header_raw, m->body_raw), mac;

	if (!mac_is(&m->header.protection_alg)) {
		return true;
	}
	return mac_compute(w->door, w->pool, &m->header.protection_alg, bytes_str(secret_value),
		   part, &mac) == 0 &&
	       bytes_equal(mac, m->protection);
}

/* The answer to a message that somebody else has brought. */
static void
check_inner(struct world *w, struct bytes message, struct bytes answer)
{
	struct wire_message in, out;

	check(wire_message_decode(w->pool, message, WIRE_CERTS_MAX, &in, NULL) == 0 ||
		  in.header_raw.data,
	    "only messages that decode are brought");
	check_answer(w, message, answer, in.body_raw.data && world_is_authentic(w, &in), &out);
}

/* Did the registration authority add its protection to this message, and is the answer the device's? */
static bool
is_added_protection(struct world *w, struct bytes message, struct bytes answer, struct bytes *ret)
{
	struct wire_message outer, out;
	struct bytes *list;
	size_t n;

	if (wire_message_decode(w->pool, message, WIRE_CERTS_MAX, &outer, NULL) != 0 ||
	    outer.body_type != WIRE_NESTED || !bytes_equal(outer.header.sender, w->ra_name) ||
	    wire_nested_decode(w->pool, outer.body, 1, &list, &n, NULL) != 0 ||
	    wire_message_decode(w->pool, answer, WIRE_CERTS_MAX, &out, NULL) != 0 ||
	    out.body_type == WIRE_NESTED || bytes_equal(out.header.recipient, w->ra_name)) {
		return false;
	}
	*ret = list[0];
	return true;
}

/* The messages of a batch, one after the other. */
static struct bytes
do_batch(struct world *w, enum place place, struct cmp_request *outer,
    const struct cmp_batch *batch)
{
	static struct cmp_request request;
	struct bytes *answers = pool_alloc(w->pool, batch->n * sizeof(*answers));
	struct cmp_answer answer;
	struct cmp_batch none;
	bool stored;

	check(answers != NULL, "memory");
	check(batch->n <= 8, "not more messages than max_nested");
	for (size_t i = 0; i < batch->n; i++) {
		begin_request(w, place, batch->messages[i], &request);
		request.ra = batch->ra;
		answers[i] = handle(w, &request, &stored, &none);
		check(answers[i].data != NULL, "there is no batch inside of a batch");
		cmp_request_detach(&request, late, NULL);
		cmp_request_fini(&request);
		check_inner(w, batch->messages[i], answers[i]);
	}
	pool_reset(w->answer_pool);
	check(cmp_door_batch(w->door, &w->desk, outer, batch, answers, &answer) == 0, "batch");
	check(answer.unit == NULL && answer.batch == NULL, "everything has been stored");
	return pool_bytes(w->pool, answer.body);
}

struct reply
world_hand_in(struct world *w, enum place place, struct bytes body, bool authentic)
{
	static struct cmp_request request;
	struct reply reply = {.stored = false};
	struct cmp_batch batch;
	struct bytes answer, inner;

	begin_request(w, place, body, &request);
	answer = handle(w, &request, &reply.stored, &batch);
	if (!answer.data) {
		answer = do_batch(w, place, &request, &batch);
	}
	cmp_request_detach(&request, late, NULL);
	cmp_request_fini(&request);
	if (is_added_protection(w, body, answer, &inner)) {
		check_inner(w, inner, answer);
		check(wire_message_decode(w->pool, answer, WIRE_CERTS_MAX, &reply.message, NULL) ==
			  0,
		    "the answer decodes");
	} else {
		check_answer(w, body, answer, authentic, &reply.message);
	}
	check_no_errors_left();
	return reply;
}

void
world_approve(struct world *w, const uint8_t txn[WORLD_ID_SIZE])
{
	struct decision decision = {
	    .kind = DECISION_APPROVE, .actor = "operator:test", .fail_info = -1};
	struct txn_key key = {.protocol = PROTOCOL_CMP, .id_len = WORLD_ID_SIZE};
	char hex[2 * ENTRY_ID_SIZE + 1];
	struct entry entry;
	struct diag diag;

	memcpy(key.id, txn, WORLD_ID_SIZE);
	if (store_entry_find(w->desk.reader, w->pool, &key, 0, &entry) != 0 ||
	    entry.state != ENTRY_PENDING) {
		return;
	}
	pool_reset(w->answer_pool);
	w->desk.unit = unit_new();
	hex_encode(bytes_of(entry.id, sizeof(entry.id)), hex, sizeof(hex));
	if (desk_decide(&w->desk, hex, &decision, &entry, &diag) == 0) {
		check(store_commit_wait(w->store, w->desk.unit) == 0, "approval");
	} else {
		unit_free(w->desk.unit);
	}
	w->desk.unit = NULL;
}
