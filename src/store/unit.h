/*
 * A unit of changes: what its verbs have recorded, and how it is applied.
 */
#pragma once

#include "store/table.h"

/* ---- units ---- */

#define UNIT_MAX ((size_t)64 << 20)

enum op_kind {
	OP_PUT_TXN,
	OP_PUT_ENTRY,
	OP_PUT_CERT,
	OP_PUT_CRL,
	OP_DROP_TXN,
	OP_DROP_ENTRY,
	OP_DROP_CERT,
	OP_PUT_BLOB,
	OP_AUDIT,
	OP_ADD_SECRET,
	OP_REMOVE_SECRET,
	OP_RETIRE_SECRET,
	OP_USE_SECRET,
	OP_NEED_SECRET,
	OP_RELEASE_SECRET,
	OP_BEGIN_INVENTORY,
	OP_ADD_INVENTORY,
	OP_FINISH_INVENTORY,
	OP_DROP_INVENTORY,
	OP_PURGE_INVENTORY
};

static inline bool
op_is_inventory(enum op_kind kind)
{
	return kind >= OP_BEGIN_INVENTORY && kind <= OP_PURGE_INVENTORY;
}

struct op {
	enum op_kind kind;
	size_t at, len; /* its record or blob within the unit's data */
	struct key key; /* txn: hash; cert: TABLE_CERT_SERIAL; blob: hash; crl: CA */
	uint64_t number; /* entry, secret, row of the inventory; finish: how many */
	uint64_t generation; /* of the inventory */
	uint64_t version; /* that must be stored; 0: nothing */
	enum entry_state from;
	int64_t now, due;
	bool give_back;
	struct record_head new; /* of the record to be stored */
	/* What the checks found, for the writes. */
	bool exists;
	struct record_head old;
};

struct unit {
	struct unit *next; /* in the committer's queue */
	void (*done)(void *arg, int result);
	void *arg;
	int result;
	int error; /* of building it */
	struct buf data;
	struct op *ops;
	size_t n, size;
};

static inline struct bytes
op_bytes(const struct unit *unit, const struct op *op)
{
	return bytes_of(unit->data.data + op->at, op->len);
}

/* ---- applying ---- */

/* A secret as the operations of one unit have left it so far. */
struct held_secret {
	bool is_new, gone;
	struct secret secret;
	struct record_head old;
};

#define UNIT_SECRETS_MAX 16

struct apply {
	struct store *store;
	struct view *view;
	struct tally *tally;
	struct unit *unit;
	size_t n_secrets;
	struct held_secret secrets[UNIT_SECRETS_MAX];
};

/* All conditions of the unit; changes nothing. */
int apply_check(struct apply *apply) CMPD_MUST_CHECK;
/* All its writes; after a failure the batch must be aborted. */
int apply_write(struct apply *apply) CMPD_MUST_CHECK;

/* Parts of the two, for the files they are in. */
struct key apply_txn_key(const struct record_head *head); /* of TABLE_ENTRY_TXN */
struct key apply_id_key(const struct record_head *head); /* of TABLE_ENTRY_ID */
int apply_check_secret(struct apply *apply, const struct op *op) CMPD_MUST_CHECK;
int apply_write_secrets(struct apply *apply) CMPD_MUST_CHECK;
int apply_due(struct apply *apply, enum due_kind kind, const struct record_head *old,
    const struct record_head *new) CMPD_MUST_CHECK;
/* The counters of open transactions; old NULL: a new one. record: the one written. */
int apply_open(struct apply *apply, const struct record_head *old, const struct record_head *new,
    struct bytes record) CMPD_MUST_CHECK;
/* The rows of TABLE_REVOKED. old NULL: a new certificate; new NULL, record BYTES_NONE: one that goes. */
int apply_revoked(struct apply *apply, const struct record_head *old, const struct record_head *new,
    struct bytes record) CMPD_MUST_CHECK;
