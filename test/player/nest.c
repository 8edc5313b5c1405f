/*
 * Nested messages.
 *
 *   MAKE a TYPE [options]              as SEND, but the message stays with the client until an RA brings it
 *   SEND r nested of=a,b,c*            a batch of what these have made; a name with * is all clients that begin like that
 *   SEND r nested added of=a           protection added: transactionID and senderNonce of a outside
 *
 * The answers in a batch are given to those who made the messages, and are checked as if each had come alone; of one
 * with protection added too; what is told to the RA is its own. Faults of the nest: twice (the first message is there once more), outid and outnonce (the first message's are outside),
 * deep:N (the first lies in N more nested messages), empty, junk:HEX (the first message is these bytes), many:N (N more that are no messages).
 */
#include <stdlib.h>
#include <string.h>

#include "player.h"

#define INNER_MAX 1100

bool
name_fits(const char *pattern, const char *name)
{
	size_t len = strlen(pattern);

	return len > 0 && pattern[len - 1] == '*' ? strncmp(pattern, name, len - 1) == 0
						  : strcmp(pattern, name) == 0;
}

/* The clients of of=, in the order of their making. */
static size_t
inner_clients(struct player *p, const struct words *words, struct client **ret)
{
	const char *of = word_get(words, "of");
	char *list, *name, *save = NULL;
	size_t n = 0, before;

	if (of == NULL) {
		fail(p, "whose messages? of=a,b");
	}
	list = pool_strdup(p->pool, of);
	for (name = strtok_r(list, ",", &save); name != NULL; name = strtok_r(NULL, ",", &save)) {
		before = n;
		for (size_t i = 0; i < p->n_clients; i++) {
			if (name_fits(name, p->clients[i].name)) {
				need(p, n < CLIENTS_MAX);
				ret[n++] = &p->clients[i];
			}
		}
		if (n == before) {
			fail(p, "there is no client %s", name);
		}
	}
	return n;
}

static struct bytes
unprotected_nest(struct player *p, struct bytes inner)
{
	static const uint8_t null_dn[] = {0xa4, 0x02, 0x30, 0x00};
	struct wire_header header = {.pvno = 2,
	    .sender = bytes_of(null_dn, sizeof(null_dn)),
	    .recipient = bytes_of(null_dn, sizeof(null_dn))};

	return wire_message_build(p->pool, wire_header_encode(p->pool, &header),
	    wire_nested_encode(p->pool, &inner, 1), BYTES_NONE, NULL, 0);
}

static size_t
fault_nest(struct player *p, const struct words *words, struct bytes *list, size_t n)
{
	const char *deep = fault_get(words, "deep"), *junk = fault_get(words, "junk");
	const char *many = fault_get(words, "many");

	if (junk != NULL) {
		list[0] = word_hex(p, junk);
	}
	for (long i = deep == NULL ? 0 : strtol(deep, NULL, 10); i > 0; i--) {
		list[0] = unprotected_nest(p, list[0]);
		need(p, list[0].data != NULL);
	}
	if (fault_get(words, "twice") != NULL) {
		list[n++] = list[0];
	}
	for (long i = many == NULL ? 0 : strtol(many, NULL, 10); i > 0; i--) {
		need(p, n < INNER_MAX);
		list[n++] = bytes_of("\x30\x00", 2);
	}
	return fault_get(words, "empty") != NULL ? 0 : n;
}

struct bytes
nest_body(struct player *p, const struct words *words)
{
	static struct client *clients[CLIENTS_MAX];
	static struct bytes list[INNER_MAX];
	size_t n = inner_clients(p, words, clients);

	for (size_t i = 0; i < n; i++) {
		list[i] = clients[i]->request;
		need(p, list[i].data != NULL);
	}
	n = fault_nest(p, words, list, n);
	return n == 0 ? bytes_of("\xb4\x02\x30\x00", 4) : wire_nested_encode(p->pool, list, n);
}

void
nest_header(struct player *p, const struct words *words, struct wire_header *header)
{
	static struct client *clients[CLIENTS_MAX];
	bool added = word_has(words, "added");

	(void)inner_clients(p, words, clients);
	if (added || fault_get(words, "outid") != NULL) {
		header->transaction_id = clients[0]->sent.header.transaction_id;
	}
	if (added || fault_get(words, "outnonce") != NULL) {
		header->sender_nonce = clients[0]->sent.header.sender_nonce;
	}
}

/* The answers inside of a nested one, each to whom it belongs. */
static void
hand_out(struct player *p, struct client *ra, struct client **clients, size_t n)
{
	struct http_answer answer = {.status = 200};
	struct bytes *list;
	size_t got;

	if (wire_nested_decode(p->pool, ra->reply.body, INNER_MAX, &list, &got, NULL) != 0 ||
	    got != n) {
		fail(p, "the nested answer does not hold an answer to each of %zu messages", n);
	}
	for (size_t i = 0; i < n; i++) {
		answer.body = list[i];
		take_answer(p, clients[i], &answer);
	}
}

void
nest_answer(struct player *p, struct client *ra, const struct words *words,
    const struct http_answer *answer)
{
	static struct client *clients[CLIENTS_MAX];
	size_t n = inner_clients(p, words, clients);
	struct wire_message m;

	for (size_t i = 0; i < n; i++) {
		clients[i]->has_reply = false;
		clients[i]->http = answer->status;
	}
	if (word_has(words, "added") && answer->status == 200 &&
	    wire_message_decode(p->pool, answer->body, WIRE_CERTS_MAX, &m, NULL) == 0 &&
	    bytes_equal(m.header.recipient, clients[0]->sent.header.sender)) {
		take_answer(p, clients[0], answer);
		return;
	}
	take_answer(p, ra, answer);
	if (ra->has_reply && ra->reply.body_type == WIRE_NESTED) {
		hand_out(p, ra, clients, n);
	}
}
