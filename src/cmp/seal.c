#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/clock.h"
#include "cmp/auth.h"
#include "cmp/mac.h"
#include "cmp/seal.h"

#define NONCE_SIZE 16

/* DER NULL. */
static const uint8_t der_null[] = {0x05, 0x00};

static int
general_info(struct cmp_work *work, const struct seal_options *options, struct wire_header *header)
{
	struct wire_itav *itav = NULL;
	const char *time = NULL;
	uint8_t *der = NULL;

	if (!options->implicit_confirm && !options->confirm_until) {
		return 0;
	}
	itav = pool_alloc(work->desk->pool, sizeof(*itav));
	if (!itav) {
		return CMPD_ENOMEM;
	}
	header->general_info = itav;
	header->n_general_info = 1;
	if (options->implicit_confirm) {
		itav->oid = wire_oid_implicit_confirm;
		itav->value = bytes_of(der_null, sizeof(der_null));
		return 0;
	}
	time = wire_time_encode(work->desk->pool, options->confirm_until);
	der = time ? pool_alloc(work->desk->pool, 2 + strlen(time)) : NULL;
	if (!der) {
		return CMPD_ENOMEM;
	}
	der[0] = V_ASN1_GENERALIZEDTIME;
	der[1] = (uint8_t)strlen(time);
	memcpy(der + 2, time, strlen(time));
	itav->oid = wire_oid_confirm_wait_time;
	itav->value = bytes_of(der, 2 + strlen(time));
	return 0;
}

static int
protect(struct cmp_work *work, bool mac, const struct wire_alg *alg, struct bytes part,
    struct bytes *ret)
{
	if (!mac) {
		return signing_key_sign(&work->endpoint->signing, work->desk->pool, part, ret);
	}
	return mac_compute(work->door, work->desk->pool, alg, auth_mac_secret(work->verified), part,
	    ret);
}

/*
 * Their sender, if everybody can read it: we only look at its frame, others decode the names inside, and could not read our answer. Its recipient is
 * nobody then.
 */
static struct bytes
recipient(const struct cmp_endpoint *ep, struct bytes sender)
{
	const unsigned char *p = sender.data;
	GENERAL_NAME *name = NULL;

	if (!sender.data || bytes_equal(sender, ep->null_name)) {
		return ep->null_name;
	}
	name = d2i_GENERAL_NAME(NULL, &p, (long)sender.len);
	if (!name) {
		ERR_clear_error();
		return ep->null_name;
	}
	GENERAL_NAME_free(name);
	return sender;
}

int
seal_body(struct cmp_work *work, struct bytes body_raw, const struct seal_options *options,
    struct sealed *ret)
{
	const struct wire_header *in = &work->in.header;
	struct cmp_endpoint *ep = work->endpoint;
	struct pool *pool = work->desk->pool;
	bool mac = work->verified && auth_protection(work->verified) == CMP_PROTECTION_MAC;
	struct wire_header header = {
	    .pvno = options->pvno ? options->pvno : in->pvno,
	    .sender = ep->signer_name,
	    .recipient = recipient(ep, in->sender),
	    .message_time = work->desk->now,
	    .sender_kid = mac ? in->sender_kid : ep->signer_kid,
	    .transaction_id = in->transaction_id,
	    .sender_nonce = bytes_of(ret->nonce, NONCE_SIZE),
	    .recip_nonce = in->sender_nonce,
	};
	struct bytes header_raw, part, protection;
	int error = general_info(work, options, &header);

	if (error) {
		return error;
	}
	if (!body_raw.data) {
		return CMPD_ENOMEM;
	}
	header.message_time_raw = bytes_str(wire_time_encode(pool, work->desk->now));
	header.protection_alg.der = ep->signing.algorithm;
	if (mac) {
		error = mac_answer(pool, auth_mac_alg(work->verified), &header.protection_alg);
	}
	if (error) {
		return error;
	}
	if (options->recip_nonce_first && work->has_txn) {
		header.recip_nonce =
		    bytes_of(work->txn.first_nonce.data, work->txn.first_nonce.len);
	}
	random_bytes(ret->nonce, NONCE_SIZE);
	header_raw = wire_header_encode(pool, &header);
	part = header_raw.data ? wire_protected_part(pool, header_raw, body_raw) : BYTES_NONE;
	if (!part.data) {
		return CMPD_ENOMEM;
	}
	error = protect(work, mac, &header.protection_alg, part, &protection);
	if (error) {
		return error;
	}
	ret->bare = wire_message_build(pool, header_raw, body_raw, protection, NULL, 0);
	ret->message =
	    wire_message_build(pool, header_raw, body_raw, protection, ep->extra, ep->n_extra);
	return ret->bare.data && ret->message.data ? 0 : CMPD_ENOMEM;
}

int
seal_again(struct cmp_work *work, const struct txn *txn, struct bytes *ret)
{
	struct pool *pool = work->desk->pool;
	size_t n = txn->answer_certs.len / DIGEST_SIZE;
	struct bytes certs[CMP_EXTRA_MAX];
	struct wire_message stored;
	int error;

	if (n > CMP_EXTRA_MAX) {
		return CMPD_ECORRUPT;
	}
	error = wire_message_decode(pool, txn->answer, CMP_EXTRA_MAX, &stored, NULL);
	for (size_t i = 0; !error && i < n; i++) {
		error = store_blob_get(work->desk->reader, pool,
		    txn->answer_certs.data + i * DIGEST_SIZE, &certs[i]);
	}
	if (error) {
		return error == CMPD_ENOMEM ? error : CMPD_ECORRUPT;
	}
	*ret = wire_message_build(pool, stored.header_raw, stored.body_raw, stored.protection,
	    certs, n);
	return ret->data ? 0 : CMPD_ENOMEM;
}

int
seal_remember(struct cmp_work *work, const struct sealed *sealed)
{
	struct cmp_endpoint *ep = work->endpoint;
	struct txn *txn = &work->txn;

	txn->answer = sealed->bare;
	txn->answer_certs =
	    pool_bytes(work->desk->pool, bytes_of(ep->extra_sha256, ep->n_extra * DIGEST_SIZE));
	if (!txn->answer_certs.data) {
		return CMPD_ENOMEM;
	}
	for (size_t i = 0; i < ep->n_extra; i++) {
		unit_put_blob(work->desk->unit, ep->extra[i]);
	}
	memcpy(txn->our_nonce.data, sealed->nonce, NONCE_SIZE);
	txn->our_nonce.len = NONCE_SIZE;
	memcpy(txn->last_hash, work->hash, DIGEST_SIZE);
	txn->last_seen = work->desk->now;
	return 0;
}
