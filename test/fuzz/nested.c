/*
 * Nested messages of a registration authority, authentic but for what the input wants otherwise. The first byte is what is around them;
 * then come the messages, each as a PKIBody whose tag also says how it is protected: as it stands by a MAC, as an application tag by the
 * device's signature. A SEQUENCE is put in as it is.
 */
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "model/der.h"
#include "mutate_der.h"
#include "world.h"
#include "world_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const size_t fuzz_der_at = 1;

/* The first byte. */
#define ADDED	  0x01 /* transactionID and senderNonce of the first message are outside too */
#define GRANT	  0x02 /* at the endpoint that grants */
#define AGAIN	  0x04 /* sent twice, and each message once more by itself */
#define SAME_ID	  0x08 /* the last message has the transactionID of the first */
#define STRANGER  0x10 /* the device is no registration authority */
#define RAW	  0x20 /* the rest is what is inside of the nested body */
#define CORRUPTED 0x80 /* a bit of the last message is wrong */

#define MESSAGES_MAX 10
#define TAG_CLASS    0xc0
#define APPLICATION  0x40
#define CONTEXT	     0x80

struct nest {
	size_t n;
	struct bytes messages[MESSAGES_MAX];
	uint8_t first_id[WORLD_ID_SIZE], first_nonce[WORLD_ID_SIZE];
};

static void
new_id(struct world *w, uint8_t id[WORLD_ID_SIZE], uint8_t salt)
{
	memset(id, salt, WORLD_ID_SIZE);
	memcpy(id, &w->messages, sizeof(w->messages));
}

static void
add_body(struct world *w, struct nest *nest, uint8_t options, const struct der *body)
{
	struct letter letter = {.place = options & GRANT ? PLACE_GRANTED : PLACE_HELD,
	    .body_type = body->tag & 0x1f,
	    .sign = (body->tag & TAG_CLASS) == APPLICATION};
	uint8_t nonce[WORLD_ID_SIZE];

	new_id(w, letter.txn, 'i');
	new_id(w, nonce, 'n');
	letter.nonce = nonce;
	letter.content = world_sign_popo(w, letter.body_type, body->value);
	if (nest->n == 0) {
		memcpy(nest->first_id, letter.txn, WORLD_ID_SIZE);
		memcpy(nest->first_nonce, nonce, WORLD_ID_SIZE);
	} else if (options & SAME_ID) {
		memcpy(letter.txn, nest->first_id, WORLD_ID_SIZE);
	}
	nest->messages[nest->n++] = world_message(w, &letter);
}

static void
read_messages(struct world *w, struct nest *nest, uint8_t options, struct bytes in)
{
	struct der value;

	while (nest->n < MESSAGES_MAX && in.len > 0 && der_next(&in, &value) == 0) {
		if (value.tag == DER_SEQUENCE) {
			nest->messages[nest->n++] = value.whole;
		} else if ((value.tag & TAG_CLASS) == CONTEXT ||
			   (value.tag & TAG_CLASS) == APPLICATION) {
			add_body(w, nest, options, &value);
		}
	}
}

static void
corrupt(struct world *w, struct nest *nest)
{
	struct bytes *last = &nest->messages[nest->n - 1];
	uint8_t *copy = pool_alloc(w->pool, last->len + 1);

	check(copy != NULL, "memory");
	memcpy(copy, last->data, last->len);
	copy[last->len * 2 / 3] ^= 0x10;
	last->data = copy;
}

/* What is inside of the nested body. */
static struct bytes
content_of(struct world *w, const struct nest *nest)
{
	struct bytes body = wire_nested_encode(w->pool, nest->messages, nest->n);
	struct bytes content = BYTES_NONE;

	check(body.data && der_only(body, DER_CONSTRUCTED(WIRE_NESTED), &content) == 0,
	    "a nested body");
	return content;
}

static void
send(struct world *w, const struct letter *letter, const struct nest *nest, bool again)
{
	struct bytes message = world_message(w, letter);

	(void)world_hand_in(w, letter->place, message, true);
	if (!again) {
		return;
	}
	(void)world_hand_in(w, letter->place, message, true);
	for (size_t i = 0; i < nest->n; i++) {
		struct wire_message m;

		/* By itself: whether it is authentic the tag has said. */
		if (wire_message_decode(w->pool, nest->messages[i], WIRE_CERTS_MAX, &m, NULL) ==
		    0) {
			(void)world_hand_in(w, letter->place, nest->messages[i],
			    world_is_authentic(w, &m));
		}
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world *w = world_begin();
	struct letter letter = {.body_type = WIRE_NESTED};
	struct nest nest = {.n = 0};
	uint8_t options, nonce[WORLD_ID_SIZE];

	if (size < 2) {
		return 0;
	}
	options = data[0];
	letter.place = options & GRANT ? PLACE_GRANTED : PLACE_HELD;
	letter.by_ra = !(options & STRANGER);
	letter.sign = true;
	letter.content = bytes_of(data + 1, size - 1);
	if (!(options & RAW)) {
		read_messages(w, &nest, options, letter.content);
		if (nest.n == 0) {
			return 0;
		}
		if (options & CORRUPTED) {
			corrupt(w, &nest);
		}
		letter.content = content_of(w, &nest);
	}
	new_id(w, letter.txn, 'o');
	new_id(w, nonce, 'm');
	if (options & ADDED) {
		memcpy(letter.txn, nest.first_id, WORLD_ID_SIZE);
		memcpy(nonce, nest.first_nonce, WORLD_ID_SIZE);
	}
	letter.nonce = nonce;
	send(w, &letter, &nest, options & AGAIN);
	return 0;
}
