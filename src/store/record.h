/*
 * Stored records as bytes. Each begins with the same head at fixed places, so that the store can
 * check and number a record without decoding it; the rest follows tables in record.c, one row per
 * field. Everything is big-endian; a text carries its NUL, so that decoding copies nothing.
 *
 * A record of a later format is CMPD_EVERSION, anything else that this code
 * could not have written is CMPD_ECORRUPT. Any thread.
 */
#pragma once

#include "base/buf.h"
#include "base/pool.h"
#include "model/record.h"

enum record_kind {
	RECORD_TXN = 1,
	RECORD_ENTRY = 2,
	RECORD_CERT = 3,
	RECORD_SECRET = 4,
	RECORD_AUDIT = 5,
	RECORD_TALLY = 6,
	RECORD_CRL = 7,
	RECORD_INVENTORY = 8
};

#define RECORD_FORMAT 2 /* what is written; older ones are read */

/* A certReqId so that negative ones sort first. */
static inline uint64_t
record_id_biased(int64_t id)
{
	return (uint64_t)id ^ (uint64_t)1 << 63;
}
static inline int64_t
record_id_unbiased(uint64_t biased)
{
	return (int64_t)(biased ^ (uint64_t)1 << 63);
}

/* Longest of: protocol and transactionID; id, certReqId and hash of the transaction; CA and
 * serial. */
#define RECORD_IDENT_MAX 80

/* What identifies a record for ever. entry: id, certReqId (biased, so that it sorts), key of its
 * transaction; txn: protocol, transactionID; cert: CA, serial; crl: CA; inventory: id; nothing for
 * the others. */
struct record_head {
	enum record_kind kind;
	uint8_t format;
	uint8_t state; /* entry: its state; cert: its status; txn: ended; secret: removed */
	uint64_t version;
	int64_t due;
	uint64_t number;
	size_t ident_len;
	uint8_t ident[RECORD_IDENT_MAX];
};

/* How many of what there are, and where the numbers stand: the state of the store as a whole. */
struct tally {
	uint64_t last_entry; /* the last number given */
	uint64_t last_cert;
	uint64_t last_secret;
	uint64_t last_audit;
	uint8_t audit_hmac[DIGEST_SIZE]; /* of that line */
	/* over both: who cuts lines off cannot say where the end is */
	uint8_t audit_head[DIGEST_SIZE];
	uint64_t entries[ENTRY_STATES];
	uint64_t txns;
	uint64_t certs;
	uint64_t secrets;
};

/* The key of a transaction: SHA-256 of protocol and transactionID. CMPD_EINVAL, CMPD_ECRYPTO. */
int record_txn_hash(const struct txn_key *key, uint8_t ret[DIGEST_SIZE]) CMPD_MUST_CHECK;

/* Append to out. version is the one written, whatever the struct says. CMPD_EINVAL: a value that
 * would not be read back; CMPD_ECRYPTO; out's own error is left for buf_error. */
int record_put_txn(struct buf *out, const struct txn *txn, uint64_t version) CMPD_MUST_CHECK;
int record_put_entry(struct buf *out, const struct entry *entry, uint64_t version) CMPD_MUST_CHECK;
int record_put_cert(struct buf *out, const struct cert *cert, uint64_t version) CMPD_MUST_CHECK;
int record_put_crl(struct buf *out, const struct crl *crl, uint64_t version) CMPD_MUST_CHECK;
int record_put_secret(struct buf *out, const struct secret *secret,
    uint64_t version) CMPD_MUST_CHECK;
int record_put_inventory(struct buf *out, const struct inventory *row) CMPD_MUST_CHECK;
int record_put_audit(struct buf *out, const struct audit *audit) CMPD_MUST_CHECK;
int record_put_tally(struct buf *out, const struct tally *tally) CMPD_MUST_CHECK;

/* Texts and bytes of *ret are borrowed from in; lists lie in pool. CMPD_ECORRUPT, CMPD_EVERSION,
 * CMPD_ENOMEM. */
int record_get_txn(struct bytes in, struct pool *pool, struct txn *ret) CMPD_MUST_CHECK;
int record_get_entry(struct bytes in, struct pool *pool, struct entry *ret) CMPD_MUST_CHECK;
int record_get_cert(struct bytes in, struct pool *pool, struct cert *ret) CMPD_MUST_CHECK;
int record_get_crl(struct bytes in, struct pool *pool, struct crl *ret) CMPD_MUST_CHECK;
int record_get_secret(struct bytes in, struct pool *pool, struct secret *ret) CMPD_MUST_CHECK;
int record_get_inventory(struct bytes in, struct pool *pool, struct inventory *ret) CMPD_MUST_CHECK;
int record_get_audit(struct bytes in, struct pool *pool, struct audit *ret) CMPD_MUST_CHECK;
int record_get_tally(struct bytes in, struct tally *ret) CMPD_MUST_CHECK;

int record_get_head(struct bytes in, enum record_kind kind,
    struct record_head *ret) CMPD_MUST_CHECK;
/* What filters look at, without the rest. *ret_subject borrowed, may be NULL. */
int record_get_entry_brief(struct bytes in, int64_t *ret_received,
    const char **ret_subject) CMPD_MUST_CHECK;

/* Writes the number (and version) into an encoded record. */
void record_set_number(uint8_t *record, uint64_t number);
/* An audit line ends with its HMAC; what the HMAC is over is all before it. */
#define RECORD_AUDIT_TAIL DIGEST_SIZE
