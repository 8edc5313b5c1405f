/*
 * Is an answer protected as it says, by whom it should be? Looked at with
 * libcrypto, and once more by OpenSSL's client code.
 */
#include <string.h>

#include <openssl/cmp.h>
#include <openssl/crmferr.h>
#include <openssl/err.h>

#include "player.h"

#define SALT_LEN 16 /* of our requests and of its answers */

static void
salt_out(struct bytes alg, uint8_t *copy)
{
	size_t i;

	/* The one OCTET STRING of 16 bytes in there. */
	for (i = 0; i + 2 + SALT_LEN <= alg.len; i++) {
		if (copy[i] == DER_OCTET_STRING && copy[i + 1] == SALT_LEN) {
			memset(copy + i + 2, 0, SALT_LEN);
			return;
		}
	}
}

/* The answer is MACed by the request's algorithms and iteration count, with a salt of its own (B4.11). */
static void
check_mirrored(struct player *p, const struct client *client)
{
	struct bytes sent = client->sent.header.protection_alg.der;
	struct bytes got = client->reply.header.protection_alg.der;
	uint8_t *a = pool_alloc(p->pool, sent.len + 1), *b = pool_alloc(p->pool, got.len + 1);

	/* A message that came again was answered by the bytes of then. */
	if (client->sent.raw.data == NULL || sent.data == NULL) {
		return;
	}
	need(p, a != NULL && b != NULL);
	if (bytes_equal(sent, got)) {
		fail(p, "the MAC of the answer has the salt of the request");
	}
	memcpy(a, sent.data, sent.len);
	memcpy(b, got.data, got.len);
	salt_out(sent, a);
	salt_out(got, b);
	if (!bytes_equal(bytes_of(a, sent.len), bytes_of(b, got.len))) {
		fail(p, "the MAC of the answer is of other algorithms than that of the request");
	}
}

void
verify_mac(struct player *p, const struct client *client)
{
	const struct wire_message *message = &client->reply;
	struct bytes mac = mac_over(p, &message->header.protection_alg, client->secret,
	    wire_protected_part(p->pool, message->header_raw, message->body_raw));

	if (mac.data == NULL || !bytes_equal(mac, message->protection)) {
		fail(p, "the MAC of the answer does not verify");
	}
	check_mirrored(p, client);
}

static X509 *
read_certificate(struct player *p, struct bytes der)
{
	const unsigned char *at = der.data;
	X509 *x = d2i_X509(NULL, &at, (long)der.len);

	if (x == NULL || at != der.data + der.len) {
		fail(p, "a certificate of the answer does not decode");
	}
	return x;
}

/* At the time that cmpd has. */
static void
verify_chain(struct player *p, X509 *x, STACK_OF(X509) * others)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();

	need(p, X509_STORE_add_cert(store, p->ca) && X509_STORE_CTX_init(ctx, store, x, others));
	X509_STORE_CTX_set_time(ctx, 0, time(NULL) + (time_t)(p->wall_ms / 1000));
	if (X509_verify_cert(ctx) != 1) {
		fail(p, "the signer of the answer is not trusted: %s",
		    X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
	}
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
}

static void
verify_bits(struct player *p, const struct wire_message *message, X509 *x)
{
	struct bytes part = wire_protected_part(p->pool, message->header_raw, message->body_raw);
	const unsigned char *at = message->header.protection_alg.der.data;
	X509_ALGOR *alg = d2i_X509_ALGOR(NULL, &at, (long)message->header.protection_alg.der.len);
	ASN1_STRING *item = ASN1_STRING_type_new(V_ASN1_SEQUENCE);
	ASN1_BIT_STRING *bits = ASN1_BIT_STRING_new();

	need(p, alg != NULL && ASN1_STRING_set(item, part.data, (int)part.len) &&
		    ASN1_STRING_set(bits, message->protection.data, (int)message->protection.len));
	bits->flags = (bits->flags & ~7) | ASN1_STRING_FLAG_BITS_LEFT;
	if (ASN1_item_verify(ASN1_ITEM_rptr(ASN1_SEQUENCE), alg, bits, item, X509_get0_pubkey(x)) !=
	    1) {
		fail(p, "the signature of the answer does not verify");
	}
	ASN1_BIT_STRING_free(bits);
	ASN1_STRING_free(item);
	X509_ALGOR_free(alg);
}

void
verify_signature(struct player *p, const struct wire_message *message)
{
	STACK_OF(X509) *others = sk_X509_new_null();
	struct bytes name;
	X509 *x;
	size_t i;

	if (message->n_extra_certs == 0) {
		fail(p, "a signed answer without extraCerts");
	}
	for (i = 0; i < message->n_extra_certs; i++) {
		need(p, sk_X509_push(others, read_certificate(p, message->extra_certs[i])));
	}
	x = sk_X509_value(others, 0);
	verify_chain(p, x, others);
	verify_bits(p, message, x);
	name = wire_directory_name(message->header.sender);
	if (!bytes_equal(name,
		object_der(p, X509_get_subject_name(x), ASN1_ITEM_rptr(X509_NAME)))) {
		fail(p, "the answer's sender is not the subject of its signer");
	}
	sk_X509_pop_free(others, X509_free);
}

static bool
has_private_key(struct player *p, const struct wire_message *m)
{
	struct wire_cert_response *list = NULL;
	bool found = false;
	size_t n = 0;

	if (!is_cert_rep(m->body_type) ||
	    wire_cert_rep_decode(p->pool, m->body, IDS_MAX, &list, &n, NULL) != 0) {
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		found = found || list[i].private_key.data != NULL;
	}
	return found;
}

void
verify_by_openssl(struct player *p, const struct client *client)
{
	const unsigned char *at = client->answer.data;
	OSSL_CMP_MSG *msg = d2i_OSSL_CMP_MSG(NULL, &at, (long)client->answer.len);
	OSSL_CMP_CTX *ctx = OSSL_CMP_CTX_new(NULL, NULL);
	X509_STORE *store = X509_STORE_new();

	/* What has a private key in it can be read from 3.5 on. */
	if (msg == NULL && has_private_key(p, &client->reply) &&
	    OpenSSL_version_num() < 0x30500000L) {
		OSSL_CMP_CTX_free(ctx);
		X509_STORE_free(store);
		ERR_clear_error();
		return;
	}
	if (msg == NULL) {
		fail(p, "OpenSSL does not decode the answer");
	}
	if (alg_is_pbmac1(&client->reply.header.protection_alg)) {
		OSSL_CMP_CTX_free(ctx);
		OSSL_CMP_MSG_free(msg);
		X509_STORE_free(store);
		return;
	}
	need(p, ctx != NULL && X509_STORE_add_cert(store, p->ca));
	X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store),
	    time(NULL) + (time_t)(p->wall_ms / 1000));
	need(p, OSSL_CMP_CTX_set0_trustedStore(ctx, store));
	if (client->ref != NULL) {
		need(p, OSSL_CMP_CTX_set1_secretValue(ctx, client->secret.data,
			    (int)client->secret.len));
	}
	OSSL_CMP_CTX_set_log_verbosity(ctx, OSSL_CMP_LOG_CRIT);
	/* It has no HMAC with SHA-3. */
	if (OSSL_CMP_validate_msg(ctx, msg) != 1 &&
	    ERR_GET_REASON(ERR_peek_last_error()) != CRMF_R_UNSUPPORTED_ALGORITHM) {
		char text[256];

		ERR_error_string_n(ERR_peek_last_error(), text, sizeof(text));
		fail(p, "OSSL_CMP_validate_msg does not take the answer: %s", text);
	}
	OSSL_CMP_CTX_free(ctx);
	OSSL_CMP_MSG_free(msg);
	ERR_clear_error();
}
