/*
 * FINISH a [mixed] [within=60s]: the client goes on until none of its requests is open: it polls when checkAfter has passed,
 * confirms what it is given, and prints a line for each request: "# a 7 accepted SERIAL" or "# a 3 rejection badRequest why".
 * mixed: it asks now for all that wait, now for one of them, now for the whole (-1).
 *
 * SHOW a prints what the last answer was. SAVE a NAME writes what it was given as NAME-ID.pem with NAME-ID.key.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/rand.h>

#include "base/clock.h"
#include "player.h"

#define WITHIN_MS     60000
#define POLL_SHORT_MS 100
#define POLL_LONG_MS  1000

static const char *
serial_of(struct player *p, const struct credential *got)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(got->certificate);
	size_t len = (size_t)ASN1_STRING_length(serial);
	char *out = pool_alloc(p->pool, 2 * len + 1);

	need(p, out != NULL);
	hex_encode(bytes_of(ASN1_STRING_get0_data(serial), len), out, 2 * len + 1);
	return out;
}

/* One line for each response of an ip, cp or kup. */
static void
print_responses(struct player *p, struct client *client)
{
	struct wire_cert_response *list;
	size_t n, i;

	need(p, wire_cert_rep_decode(p->pool, client->reply.body, IDS_MAX, &list, &n, NULL) == 0);
	for (i = 0; i < n; i++) {
		const struct wire_status_info *status = &list[i].status;
		long long id = (long long)list[i].cert_req_id;

		printf("# %s %lld %s", client->name, id, status_name(status->status));
		if (list[i].certificate.data != NULL) {
			printf(" %s", serial_of(p, client_got(client, list[i].cert_req_id)));
		} else if (status->status == WIRE_REJECTION) {
			printf(" %s %s", fail_info_name(status->fail_info), status->text);
		}
		printf("\n");
	}
	fflush(stdout);
}

static bool
confirmed_implicitly(const struct client *client)
{
	const struct wire_header *header = &client->reply.header;
	size_t i;

	for (i = 0; i < header->n_general_info; i++) {
		if (bytes_equal(header->general_info[i].oid, wire_oid_implicit_confirm)) {
			return true;
		}
	}
	return false;
}

/* The certificates of the last answer, all of which are accepted. */
static void
confirm(struct player *p, const struct client *client)
{
	struct wire_cert_response *list;
	const char *ids = "";
	size_t n, i;

	need(p, wire_cert_rep_decode(p->pool, client->reply.body, IDS_MAX, &list, &n, NULL) == 0);
	for (i = 0; i < n; i++) {
		if (list[i].certificate.data != NULL) {
			ids = pool_printf(p->pool, "%s%s%lld", ids, *ids == '\0' ? "" : ",",
			    (long long)list[i].cert_req_id);
		}
	}
	if (*ids != '\0' && !confirmed_implicitly(client)) {
		scenario_line(p, "SEND %s certConf ids=%s", client->name, ids);
		if (client->reply.body_type != WIRE_PKICONF) {
			fail(p, "the certConf is answered by %s",
			    answer_describe(p, client->answer));
		}
	}
}

/* What is open, as the words of a pollReq; NULL: nothing. */
static const char *
open_ids(struct player *p, const struct client *client, bool mixed)
{
	const char *all = NULL, *one = NULL;
	unsigned char chance[2] = {0, 0};
	size_t i;

	need(p, RAND_bytes(chance, sizeof(chance)) == 1);
	for (i = 0; i < client->n_ids; i++) {
		if (client->over[i]) {
			continue;
		}
		all = pool_printf(p->pool, "%s%s%lld", all == NULL ? "" : all,
		    all == NULL ? "" : ",", (long long)client->ids[i]);
		if (one == NULL || chance[0] % (i + 1) == 0) {
			one = pool_printf(p->pool, "%lld", (long long)client->ids[i]);
		}
	}
	return all == NULL || !mixed || chance[1] % 4 == 0 ? all : chance[1] % 4 == 1 ? "-1" : one;
}

static int64_t
poll_after(struct player *p, const struct client *client)
{
	struct wire_poll_rep *list = NULL;
	size_t n = 0;

	if (client->reply.body_type != WIRE_POLLREP) {
		return POLL_SHORT_MS;
	}
	need(p, wire_poll_rep_decode(p->pool, client->reply.body, IDS_MAX, &list, &n, NULL) == 0);
	return n > 0 && list[0].check_after * 1000 < POLL_LONG_MS ? list[0].check_after * 1000
								  : POLL_LONG_MS;
}

void
finish(struct player *p, const struct words *words)
{
	struct client *client = client_find(p, word_at(p, words, 1));
	bool mixed = words->n > 2 && strcmp(words->word[2], "mixed") == 0;
	const char *within = word_get(words, "within"), *ids;
	int64_t end = clock_mono_ms() + (within == NULL ? WITHIN_MS : word_duration(p, within));

	while (client->has_reply) {
		if (is_cert_rep(client->reply.body_type)) {
			print_responses(p, client);
			confirm(p, client);
		} else if (client->reply.body_type != WIRE_POLLREP) {
			fail(p, "%s", answer_describe(p, client->answer));
		}
		ids = open_ids(p, client, mixed);
		if (ids == NULL) {
			return;
		}
		if (clock_mono_ms() > end) {
			fail(p, "certReqId %s still waits", ids);
		}
		usleep((useconds_t)(poll_after(p, client) * 1000));
		scenario_line(p, "SEND %s pollReq ids=%s", client->name, ids);
	}
	fail(p, "no CMP answer but HTTP status %d", client->http);
}

void
show(struct player *p, const struct words *words)
{
	struct client *client = client_find(p, word_at(p, words, 1));

	if (!client->has_reply) {
		printf("# %s HTTP status %d\n", client->name, client->http);
	} else if (is_cert_rep(client->reply.body_type)) {
		print_responses(p, client);
	} else {
		printf("# %s %s\n", client->name, answer_describe(p, client->answer));
	}
	fflush(stdout);
}

void
save(struct player *p, const struct words *words)
{
	struct client *client = client_find(p, word_at(p, words, 1));
	const char *name = word_at(p, words, 2);
	size_t i;

	for (i = 0; i < client->n_ids; i++) {
		if (client->got[i].certificate != NULL) {
			credential_write(p, &client->got[i],
			    pool_printf(p->pool, "%s-%lld", name, (long long)client->ids[i]));
		}
	}
}
