/*
 * SEND a TYPE [options] [fault=...]: makes the message, sends it, and checks
 * what is true of every answer.
 *
 * Options besides those of request.c: implicit, certprofile=a,b, pvno=3, path=/.well-known/cmp/p/x, ctype=text/plain,
 * method=PUT, copies=4 (over as many connections at once: all answers must be the same), txn=keep (does not begin a new
 * transaction), forward=b (the body, transactionID and nonces of what client b sent, protected by this one; also original: with b's message as
 * origPKIMessage). TYPE may be "again" (the same bytes once more), "raw HEX" or "answer" (the bytes of our last answer).
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/objects.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "player.h"

#define COPIES_MAX 64

static struct bytes
random_new(struct player *p, size_t len)
{
	uint8_t *out = pool_alloc(p->pool, len);

	need(p, out != NULL && RAND_bytes(out, (int)len) == 1);
	return bytes_of(out, len);
}

static bool
opens(int type)
{
	return type == WIRE_IR || type == WIRE_CR || type == WIRE_P10CR || type == WIRE_KUR ||
	       type == WIRE_RR || type == WIRE_GENM || type == WIRE_IP || type == WIRE_NESTED;
}

/* ---- header and protection ---- */

static void
begin(struct player *p, struct client *client, int type, const struct words *words)
{
	const char *txn = word_get(words, "txn");
	bool keep = txn != NULL && strcmp(txn, "keep") == 0;

	client->nonce = random_new(p, 16);
	if (opens(type) && !keep) {
		client->transaction_id = random_new(p, 16);
		client->first_nonce = client->nonce;
		client->server_nonce = BYTES_NONE;
		client->opened_by = type;
		client->n_waiting = 0;
		client->n_ids = 0;
		memset(client->over, 0, sizeof(client->over));
		memset(client->got, 0, sizeof(client->got));
	}
	if (client->transaction_id.data == NULL) {
		client->transaction_id = random_new(p, 16);
	}
}

static struct bytes
sender_of(struct player *p, const struct client *client)
{
	struct bytes name = client->ref != NULL
				? name_der(p, pool_printf(p->pool, "/CN=%s", client->ref))
				: object_der(p, X509_get_subject_name(client->signer.certificate),
				      ASN1_ITEM_rptr(X509_NAME));

	return wire_general_name(p->pool, name);
}

static struct bytes
kid_of(struct player *p, const struct client *client)
{
	const ASN1_OCTET_STRING *kid;

	if (client->ref != NULL) {
		return bytes_str(client->ref);
	}
	kid = X509_get0_subject_key_id(client->signer.certificate);
	return kid == NULL ? BYTES_NONE
			   : pool_bytes(p->pool, bytes_of(ASN1_STRING_get0_data(kid),
						     (size_t)ASN1_STRING_length(kid)));
}

static struct signing
signing_of(const struct client *client, const struct words *words)
{
	const char *digest = fault_get(words, "digest");
	struct signing how = client->signing;

	if (digest != NULL) {
		how.digest = digest;
	}
	return how;
}

static struct bytes
protect(struct player *p, const struct client *client, const struct words *words,
    const struct wire_header *header, const struct parts *parts)
{
	struct bytes part = wire_protected_part(p->pool, parts->header, parts->body);
	struct bytes secret = client->secret, mac;
	struct signing how = signing_of(client, words);

	if (client->ref == NULL) {
		return sign(p, client->signer.key, &how, part);
	}
	if (fault_get(words, "wrongsecret") != NULL) {
		secret = bytes_str("not the secret");
	}
	mac = header->protection_alg.der.data == NULL
		  ? BYTES_NONE
		  : mac_over(p, &header->protection_alg, secret, part);
	return mac.data == NULL ? bytes_str("a MAC of no algorithm") : mac;
}

/* certProfile [5.1.1.4]: names with a comma between them, which may be empty. */
static void
add_profiles(struct player *p, struct wire_header *header, const char *names)
{
	struct wire_der_build build = {.pool = p->pool};
	struct bytes list[IDS_MAX], value;
	size_t n = 0, len;

	for (;; names += len + 1) {
		len = strcspn(names, ",");
		need(p, n < IDS_MAX);
		list[n++] = wire_der_put1(&build, DER_UTF8_STRING,
		    pool_bytes(p->pool, bytes_of(names, len)));
		if (names[len] == '\0') {
			break;
		}
	}
	value = wire_der_put(&build, DER_SEQUENCE, list, n);
	header_add_info(p, header, wire_oid_cert_profile, value);
}

static struct wire_header
make_header(struct player *p, struct client *client, const struct words *words, int type)
{
	static struct wire_itav implicit;
	const char *pvno = word_get(words, "pvno");
	struct wire_header header = {.pvno = pvno == NULL ? 2 : atoi(pvno),
	    .sender = sender_of(p, client),
	    .message_time = (int64_t)time(NULL) * 1000 + p->wall_ms,
	    .sender_kid = kid_of(p, client),
	    .transaction_id = client->transaction_id,
	    .sender_nonce = client->nonce,
	    .recip_nonce = opens(type) ? BYTES_NONE : client->server_nonce};

	header.recipient = wire_general_name(p->pool,
	    object_der(p, X509_get_subject_name(p->ca), ASN1_ITEM_rptr(X509_NAME)));
	if (word_has(words, "implicit")) {
		implicit = (struct wire_itav){
		    .oid = wire_oid_implicit_confirm, .value = bytes_of("\x05\x00", 2)};
		header.general_info = &implicit;
		header.n_general_info = 1;
	}
	if (word_get(words, "certprofile") != NULL) {
		add_profiles(p, &header, word_get(words, "certprofile"));
	}
	return header;
}

/* What an RA does that replaces the protection of somebody else's message: it goes on with his transaction. */
static void
take_over(struct player *p, struct client *client, const struct client *other)
{
	need(p, other->sent_decodes);
	client->transaction_id = other->transaction_id;
	client->nonce = client->first_nonce = other->nonce;
	client->n_ids = other->n_ids;
	memcpy(client->ids, other->ids, sizeof(client->ids));
	memcpy(client->got, other->got, sizeof(client->got));
}

static void
add_original(struct player *p, struct wire_header *header, struct bytes message)
{
	static const uint8_t orig_pki_message[] = {0x2b, 6, 1, 5, 5, 7, 4, 15};
	struct wire_der_build build = {.pool = p->pool};

	header_add_info(p, header, bytes_of(orig_pki_message, sizeof(orig_pki_message)),
	    wire_der_put1(&build, DER_SEQUENCE, message));
}

static struct bytes
make_message(struct player *p, struct client *client, const struct words *words, int type)
{
	struct wire_header header;
	struct signing how = signing_of(client, words);
	struct bytes cert = BYTES_NONE;
	struct parts parts = {.n_certs = 0};
	const char *forward = word_get(words, "forward");
	const struct client *other = forward == NULL ? NULL : client_find(p, forward);

	begin(p, client, type, words);
	if (other != NULL) {
		take_over(p, client, other);
	}
	header = make_header(p, client, words, type);
	if (other != NULL && word_has(words, "original")) {
		add_original(p, &header, other->request);
	}
	if (client->ref != NULL) {
		header.protection_alg.der = mac_alg(p, &client->mac, words);
		need(p, wire_pair_split(header.protection_alg.der, &header.protection_alg.oid,
			    &header.protection_alg.parameters) == 0);
	} else {
		header.protection_alg.der = sign_alg(p, client->signer.key, &how);
		cert = object_der(p, client->signer.certificate, ASN1_ITEM_rptr(X509));
		parts.certs = &cert;
		parts.n_certs = 1;
	}
	if (type == WIRE_NESTED) {
		nest_header(p, words, &header);
	}
	fault_header(p, words, &header);
	parts.body = other != NULL ? other->sent.body_raw : request_body(p, client, type, words);
	parts.header = wire_header_encode(p->pool, &header);
	need(p, parts.header.data != NULL && parts.body.data != NULL);
	parts.protection = protect(p, client, words, &header, &parts);
	fault_parts(p, words, &parts);
	return fault_message(p, words,
	    wire_message_build(p->pool, parts.header, parts.body, parts.protection, parts.certs,
		parts.n_certs));
}

/* ---- the answer ---- */

static void
keep_certificate(struct player *p, struct client *client, const struct wire_cert_response *response)
{
	const unsigned char *at = response->certificate.data;
	size_t i;

	for (i = 0; i < client->n_ids; i++) {
		if (client->ids[i] != response->cert_req_id) {
			continue;
		}
		client->over[i] = response->status.status != WIRE_WAITING;
		if (at != NULL) {
			client->got[i].certificate =
			    d2i_X509(NULL, &at, (long)response->certificate.len);
			need(p, client->got[i].certificate != NULL);
		}
		if (response->private_key.data != NULL) {
			EVP_PKEY_free(client->got[i].key);
			client->got[i].key = made_open(p, client, response->private_key);
		}
		return;
	}
}

static void
keep_responses(struct player *p, struct client *client)
{
	struct wire_cert_response *list;
	size_t n, i;

	client->n_waiting = 0;
	if (wire_cert_rep_decode(p->pool, client->reply.body, IDS_MAX, &list, &n, NULL) != 0) {
		fail(p, "the CertRepMessage does not decode");
	}
	for (i = 0; i < n; i++) {
		if (list[i].status.status == WIRE_WAITING) {
			client->waiting[client->n_waiting++] = list[i].cert_req_id;
		}
		keep_certificate(p, client, &list[i]);
	}
}

static bool
is_waiting(struct player *p, const struct client *client)
{
	struct wire_status_info status;

	return wire_error_decode(p->pool, client->reply.body, &status, NULL) == 0 &&
	       status.status == WIRE_WAITING;
}

void
take_answer(struct player *p, struct client *client, const struct http_answer *answer)
{
	struct diag diag;

	client->http = answer->status;
	client->answer_before = client->answer;
	client->answer = answer->body;
	client->has_reply = false;
	if (answer->status != 200) {
		return;
	}
	if (wire_message_decode(p->pool, answer->body, WIRE_CERTS_MAX, &client->reply, &diag) !=
	    0) {
		fail(p, "the answer does not decode: %s", diag.text);
	}
	client->has_reply = true;
	answer_check(p, client);
	/* An error changes nothing at the server: a client that goes on does so from before it. One of status waiting is an answer. */
	if (client->reply.body_type != WIRE_ERROR || is_waiting(p, client)) {
		client->server_nonce = client->reply.header.sender_nonce;
	}
	if (client->reply.body_type == WIRE_IP || client->reply.body_type == WIRE_CP ||
	    client->reply.body_type == WIRE_KUP) {
		keep_responses(p, client);
	}
}

static struct bytes
message_for(struct player *p, struct client *client, const struct words *words)
{
	const char *what = words->word[2];
	int type;

	if (strcmp(what, "again") == 0) {
		return client->request;
	}
	if (strcmp(what, "raw") == 0) {
		return words->n > 3 ? word_hex(p, words->word[3]) : bytes_of("", 0);
	}
	if (strcmp(what, "answer") == 0) {
		return client->answer;
	}
	type = body_type(what);
	if (type < 0) {
		fail(p, "no such body: %s", what);
	}
	return make_message(p, client, words, type);
}

/* Makes the message and remembers it as what was sent. */
static struct client *
prepare(struct player *p, const struct words *words)
{
	struct client *client;

	if (words->n < 3) {
		fail(p, "SEND client what");
	}
	client = client_find(p, words->word[1]);
	client->request = message_for(p, client, words);
	client->sent_decodes =
	    wire_message_decode(p->pool, client->request, WIRE_CERTS_MAX, &client->sent, NULL) == 0;
	return client;
}

void
make_only(struct player *p, const struct words *words)
{
	(void)prepare(p, words);
}

void
send_message(struct player *p, const struct words *words)
{
	const char *path = word_get(words, "path"), *ctype = word_get(words, "ctype");
	const char *method = word_get(words, "method"), *copies = word_get(words, "copies");
	struct http_answer answers[COPIES_MAX] = {{.status = 0}};
	struct http_request request = {.method = method == NULL ? "POST" : method,
	    .path = path == NULL ? "/.well-known/cmp" : path,
	    .content_type = ctype == NULL ? "application/pkixcmp" : ctype,
	    .copies = copies == NULL ? 1 : atoi(copies)};
	struct client *client = prepare(p, words);
	int i;

	request.body = client->request;
	http_send(p, &request, answers);
	for (i = 1; i < request.copies; i++) {
		if (!bytes_equal(answers[i].body, answers[0].body)) {
			fail(p, "copy %d was answered by HTTP %d %s, the first by HTTP %d %s",
			    i + 1, answers[i].status, answer_describe(p, answers[i].body),
			    answers[0].status, answer_describe(p, answers[0].body));
		}
	}
	if (client->sent_decodes && client->sent.body_type == WIRE_NESTED &&
	    word_get(words, "of") != NULL) {
		nest_answer(p, client, words, &answers[0]);
	} else {
		take_answer(p, client, &answers[0]);
	}
}
