/*
 * Hostile variants of a message.
 *
 * Header, before it is protected: notxid, txid:HEX, txidlen:N, nosendernonce, sendernonce:HEX, recipnonce:HEX, norecipnonce,
 * notime, time:-2h, timetext:X, pvno:N, nokid, kid:TEXT, kidhex:HEX, sender:/CN=x, noalg, implicitbad, waitbad, waitgood, profilebad.
 * Protection: noprotection, wrongmac, wrongsecret, digest:sha1, iterations:N, owf:NAME, mac:NAME (the HMAC), prf:NAME, keylen:N,
 * saltlen:N, pbmparams:HEX (or none).
 * Parts: bodyswap:TYPE, extracerts:N, noextracerts, othercert:NAME, morecert:NAME (behind the first).
 * The inside of a nested message: see nest.c.
 * The whole message: trailing, cut:N, indefinite, flip:N (byte N from the end).
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "player.h"

const char *
fault_get(const struct words *words, const char *name)
{
	size_t len = strlen(name);
	int i;

	for (i = 3; i < words->n; i++) {
		const char *word = words->word[i];

		if (strncmp(word, "fault=", 6) == 0 && strncmp(word + 6, name, len) == 0 &&
		    (word[6 + len] == '\0' || word[6 + len] == ':')) {
			return word[6 + len] == ':' ? word + 7 + len : "";
		}
	}
	return NULL;
}

bool
fault_is(const struct words *words, const char *name, const char *value)
{
	const char *fault = fault_get(words, name);

	return fault != NULL && strcmp(fault, value) == 0;
}

static void
fault_octets(struct player *p, const struct words *words, const char *none, const char *value,
    struct bytes *field)
{
	const char *hex = fault_get(words, value);

	if (fault_get(words, none) != NULL) {
		*field = BYTES_NONE;
	}
	if (hex != NULL) {
		*field = word_hex(p, hex);
	}
}

static void
fault_time(struct player *p, const struct words *words, struct wire_header *header)
{
	const char *shift = fault_get(words, "time"), *text = fault_get(words, "timetext");

	if (fault_get(words, "notime") != NULL) {
		header->message_time = 0;
	}
	if (shift != NULL) {
		header->message_time += word_duration(p, shift);
	}
	if (text != NULL) {
		header->message_time_raw = bytes_str(text);
	}
}

void
header_add_info(struct player *p, struct wire_header *header, struct bytes oid, struct bytes value)
{
	size_t n = header->n_general_info;
	struct wire_itav *list = pool_alloc(p->pool, (n + 1) * sizeof(*list));

	need(p, list != NULL);
	if (n > 0) {
		memcpy(list, header->general_info, n * sizeof(*list));
	}
	list[n] = (struct wire_itav){.oid = oid, .value = value};
	header->general_info = list;
	header->n_general_info = n + 1;
}

void
fault_header(struct player *p, const struct words *words, struct wire_header *header)
{
	const char *value;

	fault_octets(p, words, "notxid", "txid", &header->transaction_id);
	fault_octets(p, words, "nosendernonce", "sendernonce", &header->sender_nonce);
	fault_octets(p, words, "norecipnonce", "recipnonce", &header->recip_nonce);
	fault_octets(p, words, "nokid", "kidhex", &header->sender_kid);
	fault_time(p, words, header);
	if ((value = fault_get(words, "txidlen")) != NULL) {
		size_t len = strtoul(value, NULL, 10);

		header->transaction_id = bytes_of(pool_alloc(p->pool, len), len);
	}
	if ((value = fault_get(words, "pvno")) != NULL) {
		header->pvno = strtoll(value, NULL, 10);
	}
	if ((value = fault_get(words, "kid")) != NULL) {
		header->sender_kid = bytes_str(value);
	}
	if ((value = fault_get(words, "sender")) != NULL) {
		header->sender = wire_general_name(p->pool, name_der(p, value));
	}
	if (fault_get(words, "noalg") != NULL) {
		header->protection_alg.der = BYTES_NONE;
	}
	if (fault_get(words, "implicitbad") != NULL) {
		header_add_info(p, header, wire_oid_implicit_confirm, bytes_of("\x01\x01\xff", 3));
	}
	if (fault_get(words, "waitbad") != NULL) {
		header_add_info(p, header, wire_oid_confirm_wait_time,
		    bytes_str("\x17\x0d"
			      "300101000000Z"));
	}
	if (fault_get(words, "waitgood") != NULL) {
		header_add_info(p, header, wire_oid_confirm_wait_time,
		    bytes_str("\x18\x0f"
			      "20300101000000Z"));
	}
	if (fault_get(words, "profilebad") != NULL) {
		header_add_info(p, header, wire_oid_cert_profile, bytes_str("\x0c\x01x"));
	}
}

static void
fault_certs(struct player *p, const struct words *words, struct parts *parts)
{
	const char *value = fault_get(words, "extracerts");
	const char *other = fault_get(words, "othercert"), *more = fault_get(words, "morecert");
	struct bytes *list;
	size_t n, i;

	if (fault_get(words, "noextracerts") != NULL) {
		parts->n_certs = 0;
	}
	if (other != NULL) {
		list = pool_alloc(p->pool, sizeof(*list));
		need(p, list != NULL);
		list[0] =
		    object_der(p, credential_find(p, other)->certificate, ASN1_ITEM_rptr(X509));
		parts->certs = list;
		parts->n_certs = 1;
	}
	if (more != NULL) {
		list = pool_alloc(p->pool, (parts->n_certs + 1) * sizeof(*list));
		need(p, list != NULL && parts->n_certs == 1);
		list[0] = parts->certs[0];
		list[1] =
		    object_der(p, credential_find(p, more)->certificate, ASN1_ITEM_rptr(X509));
		parts->certs = list;
		parts->n_certs = 2;
	}
	if (value != NULL) {
		n = strtoul(value, NULL, 10);
		list = pool_alloc(p->pool, n * sizeof(*list));
		need(p, list != NULL);
		for (i = 0; i < n; i++) {
			list[i] = parts->n_certs > 0 ? parts->certs[0]
						     : object_der(p, p->ca, ASN1_ITEM_rptr(X509));
		}
		parts->certs = list;
		parts->n_certs = n;
	}
}

static uint8_t *
copy_of(struct player *p, struct bytes in, size_t size)
{
	uint8_t *copy = pool_alloc(p->pool, size);

	need(p, copy != NULL && size >= in.len);
	memcpy(copy, in.data, in.len);
	return copy;
}

void
fault_parts(struct player *p, const struct words *words, struct parts *parts)
{
	const char *value = fault_get(words, "bodyswap");
	struct words none = {.n = 0};
	uint8_t *copy;

	if (value != NULL) {
		struct client nobody = {.n_ids = 0};

		parts->body = request_body(p, &nobody, body_type(value), &none);
	}
	if (fault_get(words, "noprotection") != NULL) {
		parts->protection = BYTES_NONE;
	}
	if (fault_get(words, "wrongmac") != NULL) {
		need(p, parts->protection.len > 0);
		copy = copy_of(p, parts->protection, parts->protection.len);
		copy[parts->protection.len / 2] ^= 1;
		parts->protection.data = copy;
	}
	fault_certs(p, words, parts);
}

/* The outer length becomes indefinite: BER, not DER. */
static struct bytes
make_indefinite(struct player *p, struct bytes message)
{
	struct bytes content;
	uint8_t *out = pool_alloc(p->pool, message.len + 4);

	need(p, out != NULL && der_only(message, DER_SEQUENCE, &content) == 0);
	out[0] = DER_SEQUENCE;
	out[1] = 0x80;
	memcpy(out + 2, content.data, content.len);
	return bytes_of(out, content.len + 4);
}

struct bytes
fault_message(struct player *p, const struct words *words, struct bytes message)
{
	const char *cut = fault_get(words, "cut"), *flip = fault_get(words, "flip");
	uint8_t *copy;
	size_t n;

	if (fault_get(words, "indefinite") != NULL) {
		message = make_indefinite(p, message);
	}
	if (fault_get(words, "trailing") != NULL) {
		copy = copy_of(p, message, message.len + 2);
		copy[message.len] = DER_NULL;
		message = bytes_of(copy, message.len + 2);
	}
	if (cut != NULL) {
		n = strtoul(cut, NULL, 10);
		need(p, n < message.len);
		message.len -= n;
	}
	if (flip != NULL) {
		n = strtoul(flip, NULL, 10);
		need(p, n > 0 && n <= message.len);
		copy = copy_of(p, message, message.len);
		copy[message.len - n] ^= 0xff;
		message.data = copy;
	}
	return message;
}
