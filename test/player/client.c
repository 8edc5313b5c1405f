/*
 * SECRET, CLIENT, CLIENTS and TAKE: who the clients are.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "player.h"

struct client *
client_find(struct player *p, const char *name)
{
	size_t i;

	for (i = 0; i < p->n_clients; i++) {
		if (strcmp(p->clients[i].name, name) == 0) {
			return &p->clients[i];
		}
	}
	fail(p, "there is no client %s", name);
}

struct credential *
client_got(struct client *client, int64_t id)
{
	size_t i;

	for (i = 0; i < client->n_ids; i++) {
		if (client->ids[i] == id || client->opened_by == WIRE_P10CR) {
			return &client->got[i];
		}
	}
	return NULL;
}

struct credential *
credential_find(struct player *p, const char *name)
{
	size_t i;

	for (i = 0; i < p->n_named; i++) {
		if (strcmp(p->named[i].name, name) == 0) {
			return &p->named[i];
		}
	}
	fail(p, "there is no certificate %s", name);
}

static void
set_secret(struct player *p, struct client *client, const struct words *words)
{
	const char *value = word_get(words, "secret");
	size_t i;

	/* The newest. */
	for (i = p->n_secrets; value == NULL && i > 0; i--) {
		if (strcmp(p->secrets[i - 1].ref, client->ref) == 0) {
			value = p->secrets[i - 1].value;
		}
	}
	if (value == NULL) {
		fail(p, "there is no SECRET %s", client->ref);
	}
	client->secret = bytes_str(pool_strdup(p->pool, value));
}

static const char *
keep_word(struct player *p, const struct words *words, const char *key)
{
	const char *value = word_get(words, key);

	return value == NULL ? NULL : pool_strdup(p->pool, value);
}

static void
set_protection(struct player *p, struct client *client, const struct words *words)
{
	const char *mac = word_get(words, "mac");

	client->mac = (struct mac_choice){.pbmac1 = mac != NULL && strcmp(mac, "pbmac1") == 0,
	    .owf = keep_word(p, words, "owf"),
	    .hmac = keep_word(p, words, "hmac"),
	    .prf = keep_word(p, words, "prf"),
	    .iterations = keep_word(p, words, "iterations"),
	    .key_len = keep_word(p, words, "keylen")};
	client->signing = (struct signing){
	    .digest = keep_word(p, words, "digest"), .pss = word_has(words, "pss")};
}

void
client_make(struct player *p, const struct words *words)
{
	struct client *client = &p->clients[p->n_clients];
	const char *from = word_get(words, "from"), *cert = word_get(words, "cert");

	need(p, p->n_clients < CLIENTS_MAX);
	memset(client, 0, sizeof(*client));
	snprintf(client->name, sizeof(client->name), "%s", word_at(p, words, 1));
	if (from != NULL) {
		const struct credential *got = client_got(client_find(p, from), word_id(words));

		if (got == NULL || got->certificate == NULL) {
			fail(p, "%s was given no certificate", from);
		}
		client->signer = *got;
	} else if (cert == NULL && p->signing) {
		client->signer = *credential_find(p, word_get(words, "ref"));
	} else if (cert != NULL) {
		client->signer = *credential_find(p, cert);
	} else {
		client->ref = word_get(words, "ref");
		need(p, client->ref != NULL);
		client->ref = pool_strdup(p->pool, client->ref);
		set_secret(p, client, words);
	}
	set_protection(p, client, words);
	p->n_clients++;
}

void
client_make_many(struct player *p, const struct words *words)
{
	struct words one = *words;
	int n = atoi(word_at(p, words, 2));

	for (int i = 1; i <= n; i++) {
		one.word[1] = pool_printf(p->pool, "%s%d", words->word[1], i);
		client_make(p, &one);
	}
}

void
client_take(struct player *p, const struct words *words)
{
	struct client *to = client_find(p, word_at(p, words, 1)), keep = *to;

	*to = *client_find(p, word_at(p, words, 2));
	memcpy(to->name, keep.name, sizeof(keep.name));
	to->ref = keep.ref;
	to->secret = keep.secret;
	to->mac = keep.mac;
	to->signing = keep.signing;
	to->signer = keep.signer;
}

void
client_secret(struct player *p, const struct words *words)
{
	const char *ref = word_at(p, words, 1), *subject = word_get(words, "subject");
	struct words cert = {.n = 4};

	if (!p->signing) {
		place_secret(p, words);
		return;
	}
	cert.word[0] = pool_strdup(p->pool, "CERT");
	cert.word[1] = pool_strdup(p->pool, ref);
	cert.word[2] = pool_strdup(p->pool, "ca=player");
	cert.word[3] = subject == NULL ? pool_printf(p->pool, "subject=/CN=%s", ref)
				       : pool_printf(p->pool, "subject=%s", subject);
	credential_make(p, &cert, false);
}
