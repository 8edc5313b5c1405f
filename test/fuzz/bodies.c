/*
 * Authentic messages with hostile bodies. The first byte is the kind of body and how it is protected, the second one what is around it;
 * then comes, if wanted, a value for certProfile behind its length, and the rest is what is inside the body.
 * So that more than decoders is reached, proofs of possession are signed anew, and 20 times S becomes
 * the serial number, 32 times H the hash of a certificate there is.
 */
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "model/der.h"
#include "mutate_der.h"
#include "store/store.h"
#include "world.h"
#include "world_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const size_t fuzz_der_at = 2;

/* The first byte. */
#define KIND	 0x0f /* see kinds */
#define TIME	 0x10 /* passes afterwards */
#define SIGN	 0x20 /* by the device; else a MAC */
#define PVNO3	 0x40
#define AS_IT_IS 0x80 /* nothing is signed anew */

/* The second byte. */
#define IMPLICIT 0x01
#define CHOOSE	 0x02 /* certProfile names the other profile */
#define LATER	 0x04 /* there is a transaction already; certConf and their like belong to it */
#define GRANT	 0x08 /* at the endpoint that grants */
#define AGAIN	 0x10 /* sent twice */
#define APPROVE	 0x20 /* what the transaction asked for is approved by an operator */
#define OTHER	 0x40 /* the transaction was opened by two requests, or a p10cr */
#define PROFILE	 0x80 /* certProfile comes in the input */

static const uint8_t kinds[KIND + 1] = {WIRE_IR, WIRE_CR, WIRE_P10CR, WIRE_KUR, WIRE_RR, WIRE_GENM,
    WIRE_CERTCONF, WIRE_POLLREQ, WIRE_ERROR, WIRE_NESTED, WIRE_IP, WIRE_PKICONF, WIRE_GENP,
    WIRE_POLLREP, 5, 30};

/* /CN=fuzz */
static const uint8_t subject[] = {0x30, 0x0f, 0x31, 0x0d, 0x30, 0x0b, 0x06, 0x03, 0x55, 0x04, 0x03,
    0x0c, 0x04, 'f', 'u', 'z', 'z'};

#define CONSTANT(array) bytes_of(array, sizeof(array))

/* ---- a transaction there is ---- */

static void
put_key(struct world *w, struct buf *buf, uint8_t tag)
{
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(w->device_key, &der);
	struct bytes spki = bytes_of(der, (size_t)len), inside = BYTES_NONE;

	check(len > 0 && der_only(spki, DER_SEQUENCE, &inside) == 0, "the device's key");
	der_put(buf, tag, inside);
	OPENSSL_free(der);
}

static struct bytes
honest_requests(struct world *w, uint8_t n)
{
	struct buf list, request;
	size_t outer, inner, template;

	buf_init(&list, 4096);
	outer = der_begin(&list, DER_SEQUENCE);
	for (uint8_t id = 0; id < n; id++) {
		buf_init(&request, 4096);
		inner = der_begin(&request, DER_SEQUENCE);
		der_put(&request, DER_INTEGER, bytes_of(&id, 1));
		template = der_begin(&request, DER_SEQUENCE);
		der_put(&request, DER_CONSTRUCTED(5), CONSTANT(subject));
		put_key(w, &request, DER_CONSTRUCTED(6));
		der_end(&request, template);
		der_end(&request, inner);
		world_put_cert_req(w, &list, world_taken(w, &request));
	}
	der_end(&list, outer);
	return world_taken(w, &list);
}

static struct bytes
honest_p10(struct world *w)
{
	static const uint8_t version[] = {0};
	struct buf buf, info;
	size_t mark, inner;
	struct bytes raw;

	buf_init(&info, 4096);
	inner = der_begin(&info, DER_SEQUENCE);
	der_put(&info, DER_INTEGER, CONSTANT(version));
	buf_put_bytes(&info, CONSTANT(subject));
	put_key(w, &info, DER_SEQUENCE);
	der_put(&info, DER_CONSTRUCTED(0), BYTES_NONE);
	der_end(&info, inner);
	raw = world_taken(w, &info);
	buf_init(&buf, 4096);
	mark = der_begin(&buf, DER_SEQUENCE);
	buf_put_bytes(&buf, raw);
	world_put_signature(w, &buf, raw);
	der_end(&buf, mark);
	return world_taken(w, &buf);
}

static void
new_id(struct world *w, uint8_t id[WORLD_ID_SIZE])
{
	memset(id, 0, WORLD_ID_SIZE);
	memcpy(id, &w->messages, sizeof(w->messages));
}

/* Opens it as the letter's place and protection say, and makes the letter its next message. */
static void
open_transaction(struct world *w, uint8_t options, struct letter *letter)
{
	struct letter first = {
	    .place = letter->place, .sign = letter->sign, .pvno3 = letter->pvno3};
	struct reply reply;
	bool p10 = (options & OTHER) && (options & IMPLICIT);

	new_id(w, first.txn);
	first.body_type = p10 ? WIRE_P10CR : WIRE_IR;
	first.content = p10 ? honest_p10(w) : honest_requests(w, options & OTHER ? 2 : 1);
	reply = world_hand_in(w, first.place, world_message(w, &first), true);
	check(reply.stored, "an honest request is stored");
	letter->recip_nonce = pool_bytes(w->pool, reply.message.header.sender_nonce);
	memcpy(letter->txn, first.txn, WORLD_ID_SIZE);
	if (options & APPROVE) {
		world_approve(w, first.txn);
	}
}

/* ---- what the input cannot know ---- */

static void
replace(struct bytes in, char placeholder, size_t len, struct bytes by)
{
	uint8_t pattern[WORLD_HASH_SIZE];
	uint8_t *at;

	memset(pattern, placeholder, sizeof(pattern));
	at = by.len == len ? memmem(in.data, in.len, pattern, len) : NULL;
	if (at) {
		memcpy(at, by.data, len);
	}
}

static struct bytes
fill_in(struct world *w, const struct letter *letter, struct bytes content)
{
	struct txn_key key = {.protocol = PROTOCOL_CMP, .id_len = WORLD_ID_SIZE};
	struct bytes serial = w->device.serial, out = pool_bytes(w->pool, content);
	struct entry entry;

	memcpy(key.id, letter->txn, WORLD_ID_SIZE);
	if (letter->recip_nonce.data &&
	    (store_entry_find(w->desk.reader, w->pool, &key, 0, &entry) == 0 ||
		store_entry_find(w->desk.reader, w->pool, &key, -1, &entry) == 0)) {
		serial = entry.serial;
		replace(out, 'H', WORLD_HASH_SIZE, entry.cert_hash);
	}
	replace(out, 'S', WORLD_SERIAL_SIZE, serial);
	return out;
}

/* ---- the input ---- */

static void
add_info(struct letter *letter, struct bytes oid, struct bytes value)
{
	letter->info[letter->n_info++] = (struct wire_itav){.oid = oid, .value = value};
}

static struct bytes
around(struct letter *letter, uint8_t options, struct bytes in)
{
	static const uint8_t null[] = {0x05, 0x00},
			     other[] = {0x30, 0x07, 0x0c, 0x05, 'o', 't', 'h', 'e', 'r'};
	size_t len;

	if (options & IMPLICIT) {
		add_info(letter, wire_oid_implicit_confirm, CONSTANT(null));
	}
	if (options & CHOOSE) {
		add_info(letter, wire_oid_cert_profile, CONSTANT(other));
	}
	if (!(options & PROFILE) || in.len == 0) {
		return in;
	}
	len = in.data[0] < in.len - 1 ? in.data[0] : in.len - 1;
	add_info(letter, wire_oid_cert_profile, len > 0 ? bytes_of(in.data + 1, len) : BYTES_NONE);
	return bytes_of(in.data + 1 + len, in.len - 1 - len);
}

static void
send(struct world *w, const struct letter *letter, bool again)
{
	struct bytes message = world_message(w, letter), first;
	struct reply reply = world_hand_in(w, letter->place, message, true);

	if (!again) {
		return;
	}
	first = pool_bytes(w->pool, reply.message.raw);
	if (!reply.stored) {
		(void)world_hand_in(w, letter->place, message, true);
		return;
	}
	reply = world_hand_in(w, letter->place, message, true);
	check(bytes_equal(first, reply.message.raw) && !reply.stored,
	    "the same message gets the same answer");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world *w = world_begin();
	struct letter letter = {.body_type = 0};
	uint8_t options;
	struct bytes content;

	if (size < 2) {
		return 0;
	}
	options = data[1];
	letter.body_type = kinds[data[0] & KIND];
	letter.sign = data[0] & SIGN;
	letter.pvno3 = data[0] & PVNO3;
	letter.place = options & GRANT ? PLACE_GRANTED : PLACE_HELD;
	content = around(&letter, options, bytes_of(data + 2, size - 2));
	if (options & LATER) {
		open_transaction(w, options, &letter);
	} else {
		new_id(w, letter.txn);
	}
	content = fill_in(w, &letter, content);
	if ((options & LATER) && cmp_body_opens(letter.body_type)) {
		letter.recip_nonce = BYTES_NONE;
		new_id(w, letter.txn);
	}
	if (!(data[0] & AS_IT_IS)) {
		content = world_sign_popo(w, letter.body_type, content);
	}
	letter.content = content;
	send(w, &letter, options & AGAIN);
	if (data[0] & TIME) {
		world_pass_time(w);
	}
	return 0;
}
