/*
 * EXPECT a TYPE [status] [key=value]... | EXPECT a same | EXPECT a http 415
 *
 * status: accepted grantedWithMods rejection waiting revocationWarning, of an error or of the response (ip, cp, kup) with id=, by
 * default the first; of an rp the one with at=. Of a genp see general.c.
 * keys: failInfo=badTime text=part checkAfter=2 reason=part n=2 id=1 pvno=3 protection=mac|signature|none implicit=yes|no wait=yes|no (confirmWaitTime)
 *       subject=/CN=x recipNonce=own|first (of the request answered, or of the one that opened the transaction)
 * A certificate must be there exactly with accepted and grantedWithMods, be signed by the CA and have the
 * key that was asked for. An answer without protection must be expected by protection=none.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/x509.h>

#include "player.h"

/* By bit number [5.2.3]. */
static const char *const fail_infos[] = {"badAlg", "badMessageCheck", "badRequest", "badTime",
    "badCertId", "badDataFormat", "wrongAuthority", "incorrectData", "missingTimeStamp", "badPOP",
    "certRevoked", "certConfirmed", "wrongIntegrity", "badRecipientNonce", "timeNotAvailable",
    "unacceptedPolicy", "unacceptedExtension", "addInfoNotAvailable", "badSenderNonce",
    "badCertTemplate", "signerNotTrusted", "transactionIdInUse", "unsupportedVersion",
    "notAuthorized", "systemUnavail", "systemFailure", "duplicateCertReq"};

static const char *const statuses[] = {"accepted", "grantedWithMods", "rejection", "waiting",
    "revocationWarning", "revocationNotification", "keyUpdateWarning"};

const char *
fail_info_name(int bit)
{
	return bit >= 0 && (size_t)bit < sizeof(fail_infos) / sizeof(fail_infos[0])
		   ? fail_infos[bit]
		   : "none";
}

const char *
status_name(int64_t status)
{
	return status >= 0 && status < 7 ? statuses[status] : "unknown";
}

static void
expect_int(struct player *p, const struct words *words, const char *key, int64_t got)
{
	const char *wanted = word_get(words, key);

	if (wanted != NULL && strtoll(wanted, NULL, 10) != got) {
		fail(p, "%s is %lld, not %s", key, (long long)got, wanted);
	}
}

static void
expect_word(struct player *p, const struct words *words, const char *key, const char *got)
{
	const char *wanted = word_get(words, key);

	if (wanted != NULL && strcmp(wanted, got) != 0) {
		fail(p, "%s is %s, not %s", key, got, wanted);
	}
}

static void
expect_part(struct player *p, const struct words *words, const char *key, const char *got)
{
	const char *wanted = word_get(words, key);

	if (wanted != NULL && (got == NULL || strstr(got, wanted) == NULL)) {
		fail(p, "%s is \"%s\" and has no \"%s\"", key, got == NULL ? "" : got, wanted);
	}
}

static void
expect_status(struct player *p, const struct words *words, const struct wire_status_info *status)
{
	const char *wanted =
	    words->n > 3 && strchr(words->word[3], '=') == NULL ? words->word[3] : NULL;
	const char *fail_info = word_get(words, "failInfo");
	const char *got = fail_info_name(status->fail_info);
	const char *text = status->text == NULL ? "" : status->text;

	if (wanted != NULL && strcmp(wanted, status_name(status->status)) != 0) {
		fail(p, "status is %s (%s: %s), not %s", status_name(status->status), got, text,
		    wanted);
	}
	if (fail_info != NULL && strcmp(fail_info, got) != 0) {
		fail(p, "failInfo is %s (%s), not %s", got, text, fail_info);
	}
	expect_part(p, words, "text", status->text);
}

static void
expect_certificate(struct player *p, const struct words *words, const struct client *client,
    int64_t id)
{
	const char *subject = word_get(words, "subject");
	const struct credential *got = client_got((struct client *)(uintptr_t)client, id);
	X509_NAME *name;

	if (got == NULL || got->certificate == NULL) {
		fail(p, "there is no certificate for id %lld", (long long)id);
	}
	if (X509_verify(got->certificate, X509_get0_pubkey(p->ca)) != 1) {
		fail(p, "the certificate is not signed by the CA");
	}
	if (EVP_PKEY_eq(X509_get0_pubkey(got->certificate), got->key) != 1) {
		fail(p, "the certificate has another key");
	}
	if (subject != NULL) {
		name = name_new(p, subject);
		if (X509_NAME_cmp(name, X509_get_subject_name(got->certificate)) != 0) {
			fail(p, "the certificate has another subject");
		}
		X509_NAME_free(name);
	}
}

static void
expect_cert_rep(struct player *p, const struct words *words, const struct client *client)
{
	const char *id = word_get(words, "id");
	struct wire_cert_response *list, *found = NULL;
	size_t n, i;

	need(p, wire_cert_rep_decode(p->pool, client->reply.body, IDS_MAX, &list, &n, NULL) == 0);
	for (i = 0; i < n && found == NULL; i++) {
		if (id == NULL || list[i].cert_req_id == strtoll(id, NULL, 10)) {
			found = &list[i];
		}
	}
	if (found == NULL) {
		fail(p, "no response with id %s", id == NULL ? "(any)" : id);
	}
	if (id == NULL && client->n_ids > 0 && found->cert_req_id != client->ids[0]) {
		fail(p, "the response has id %lld", (long long)found->cert_req_id);
	}
	expect_int(p, words, "n", (int64_t)n);
	expect_status(p, words, &found->status);
	if (found->status.status == WIRE_ACCEPTED ||
	    found->status.status == WIRE_GRANTED_WITH_MODS) {
		expect_certificate(p, words, client, found->cert_req_id);
	} else if (found->certificate.data != NULL) {
		fail(p, "a certificate with status %s", status_name(found->status.status));
	}
}

static void
expect_poll_rep(struct player *p, const struct words *words, const struct client *client)
{
	const char *id = word_get(words, "id");
	struct wire_poll_rep *list;
	size_t n, i;

	if (wire_poll_rep_decode(p->pool, client->reply.body, IDS_MAX, &list, &n, NULL) != 0 ||
	    n == 0) {
		fail(p, "the pollRep does not decode");
	}
	for (i = 0; id != NULL && i < n && list[i].cert_req_id != strtoll(id, NULL, 10);) {
		i++;
	}
	if (i == n) {
		fail(p, "the pollRep has nothing for id %s", id);
	}
	expect_int(p, words, "n", (int64_t)n);
	expect_int(p, words, "checkAfter", list[i].check_after);
	expect_part(p, words, "reason", list[i].reason);
}

static void
expect_rev_rep(struct player *p, const struct words *words, const struct client *client)
{
	const char *at = word_get(words, "at");
	struct wire_status_info status;
	struct der infos[IDS_MAX];
	size_t n = rev_rep_statuses(p, client->reply.body, infos, IDS_MAX);
	size_t i = at == NULL ? 0 : strtoul(at, NULL, 10);

	need(p, i < n);
	expect_int(p, words, "n", (int64_t)n);
	status_decode(p, &infos[i], &status);
	expect_status(p, words, &status);
}

static void
expect_header(struct player *p, const struct words *words, const struct client *client)
{
	const struct wire_message *m = &client->reply;
	const char *implicit = "no", *wait = "no";
	size_t i;

	for (i = 0; i < m->header.n_general_info; i++) {
		if (bytes_equal(m->header.general_info[i].oid, wire_oid_implicit_confirm)) {
			implicit = "yes";
		}
		if (bytes_equal(m->header.general_info[i].oid, wire_oid_confirm_wait_time)) {
			wait = "yes";
		}
	}
	expect_word(p, words, "implicit", implicit);
	expect_word(p, words, "wait", wait);
	expect_word(p, words, "recipNonce",
	    bytes_equal(m->header.recip_nonce, client->nonce) ? "own" : "first");
	expect_word(p, words, "protection", protection_of(m));
	expect_int(p, words, "pvno", m->header.pvno);
	/* Everything is protected (B3.22) unless the scenario knows why not. */
	if (word_get(words, "protection") == NULL && m->protection.data == NULL) {
		fail(p, "the answer is not protected");
	}
}

const char *
answer_describe(struct player *p, struct bytes answer)
{
	struct wire_cert_response *list = NULL;
	struct wire_status_info status = {.fail_info = -1};
	struct der infos[IDS_MAX];
	struct wire_message m;
	size_t n = 0;

	if (wire_message_decode(p->pool, answer, WIRE_CERTS_MAX, &m, NULL) != 0) {
		return pool_printf(p->pool, "\"%.*s\"", (int)answer.len, (const char *)answer.data);
	}
	if (is_cert_rep(m.body_type) &&
	    wire_cert_rep_decode(p->pool, m.body, IDS_MAX, &list, &n, NULL) == 0 && n > 0) {
		status = list[0].status;
	} else if (m.body_type == WIRE_RP && rev_rep_statuses(p, m.body, infos, IDS_MAX) > 0) {
		status_decode(p, &infos[0], &status);
	} else if (m.body_type != WIRE_ERROR ||
		   wire_error_decode(p->pool, m.body, &status, NULL) != 0) {
		return body_name(m.body_type);
	}
	return pool_printf(p->pool, "%s %s (%s: %s)", body_name(m.body_type),
	    status_name(status.status), fail_info_name(status.fail_info),
	    status.text == NULL ? "" : status.text);
}

static void
expect_body(struct player *p, const struct words *words, const struct client *client)
{
	struct wire_status_info status;

	if (body_type(words->word[2]) != client->reply.body_type) {
		fail(p, "the answer is %s, not %s", answer_describe(p, client->answer),
		    words->word[2]);
	}
	expect_header(p, words, client);
	if (client->reply.body_type == WIRE_ERROR) {
		need(p, wire_error_decode(p->pool, client->reply.body, &status, NULL) == 0);
		expect_status(p, words, &status);
	} else if (client->reply.body_type == WIRE_POLLREP) {
		expect_poll_rep(p, words, client);
	} else if (is_cert_rep(client->reply.body_type)) {
		expect_cert_rep(p, words, client);
	} else if (client->reply.body_type == WIRE_RP) {
		expect_rev_rep(p, words, client);
	} else if (client->reply.body_type == WIRE_GENP) {
		expect_genp(p, words, client);
	}
}

void
expect(struct player *p, const struct words *words)
{
	struct client *client;

	if (words->n < 3) {
		fail(p, "EXPECT client what");
	}
	client = client_find(p, words->word[1]);
	if (strcmp(words->word[2], "http") == 0) {
		if (words->n < 4 || client->http != atoi(words->word[3])) {
			fail(p, "HTTP status is %d", client->http);
		}
		return;
	}
	if (!client->has_reply) {
		fail(p, "no CMP answer but HTTP status %d", client->http);
	}
	if (strcmp(words->word[2], "same") == 0) {
		if (!bytes_equal(client->answer, client->answer_before)) {
			fail(p, "not the same answer but %s", answer_describe(p, client->answer));
		}
		return;
	}
	expect_body(p, words, client);
}
