/*
 * What the memory and the LMDB back end have in common: both are ordered tables of byte strings.
 * Conditions, indexes, numbers, the audit chain and the committer are written once, above them. A networked
 * back end will stand beside all of this, at the level of store.h, not under it.
 */
#pragma once

#include "store/record.h"
#include "store/seal.h"
#include "store/store.h"

/* ---- tables ---- */

enum table {
	TABLE_META, /* name -> bytes */
	TABLE_TXN, /* hash -> record */
	TABLE_ENTRY, /* number -> record */
	TABLE_ENTRY_TXN, /* hash of the transaction, certReqId -> number */
	TABLE_ENTRY_ID, /* id -> number */
	TABLE_ENTRY_STATE, /* state, number -> nothing */
	TABLE_CERT, /* number -> record */
	TABLE_CERT_SERIAL, /* serial, CA -> number */
	TABLE_CERT_KEY, /* SHA-256 of the public key, number -> nothing */
	TABLE_SECRET, /* id -> record */
	TABLE_SECRET_REF, /* hash of the reference, id -> nothing */
	TABLE_BLOB, /* SHA-256 -> bytes */
	TABLE_AUDIT, /* number -> record */
	TABLE_DUE, /* time, kind, what -> nothing */
	TABLE_REVOKED, /* CA, number of the certificate -> what a CRL says about it */
	TABLE_CRL, /* CA -> record */
	/* Not in every store of this schema: made when they are missing. */
	TABLE_INVENTORY, /* generation of the load, number -> record */
	TABLE_INVENTORY_ID, /* generation of the load, id -> number */
	TABLES
};
#define TABLE_FIRST_LATER TABLE_INVENTORY

extern const char *const table_names[TABLES];

/* Big-endian, so that keys sort as numbers do. */
#define KEY_MAX 128
struct key {
	size_t len;
	uint8_t data[KEY_MAX];
};

struct key key_u64(uint64_t number);
struct key key_bytes(const void *data, size_t len);
void key_add(struct key *key, const void *data, size_t len);
void key_add_u64(struct key *key, uint64_t number);
struct key key_entry_state(unsigned int state, uint64_t number);
/* Needs len at the most KEY_MAX - CA_ID_SIZE: SERIAL_MAX. */
struct key key_cert_serial(const uint8_t ca[CA_ID_SIZE], struct bytes serial);
struct key key_revoked(const uint8_t ca[CA_ID_SIZE], uint64_t number);
int key_secret_ref(const char *ref, uint64_t id, struct key *ret) CMPD_MUST_CHECK;
struct key key_due(enum due_kind kind, const struct record_head *head);
/* CMPD_ECORRUPT: not 8 bytes. */
int key_to_u64(struct bytes key, uint64_t *ret) CMPD_MUST_CHECK;

static inline struct bytes
key_get0(const struct key *key)
{
	return bytes_of(key->data, key->len);
}

/* ---- back ends ---- */

/* One consistent state of the tables: a reader's for the length of a call, or the committer's for a batch. */
struct view {
	struct store *store;
	void *handle; /* the back end's */
};

/* 0: go on, 1: enough, negative: an error. Key and value live until it returns. */
struct visitor {
	int (*visit)(struct visitor *visitor, struct bytes key, struct bytes value);
};

/* How much may still be written. Space for changes is kept from what is new, and space for drops from both: a full
 * store must still be able to make room. */
enum space {
	SPACE_PLENTY,
	SPACE_SCARCE, /* enough for some units: look again after each */
	SPACE_CHANGES, /* nothing new */
	SPACE_DROPS /* drops only */
};

/* The address space is used up. Only from put and write_commit; outside it is CMPD_ENOSPC. */
#define STORE_MAP_FULL (-1000)

struct backend {
	/* Key and tables are there when it returns; closes itself on failure. */
	int (*open)(struct store *store, const struct store_options *options, struct diag *diag);
	int (*check)(const struct store_options *options, const struct seal *seal,
	    struct diag *diag);
	void (*close)(struct store *store);

	int (*reader_open)(struct view *view);
	void (*reader_close)(struct view *view);
	int (*read_begin)(struct view *view);
	void (*read_end)(struct view *view);

	/* The committer only. commit and abort both end the view. */
	int (*write_begin)(struct view *view);
	int (*write_commit)(struct view *view);
	void (*write_abort)(struct view *view);

	/* CMPD_ENOENT. *ret lives until the next change or the end of the view. */
	int (*get)(struct view *view, enum table table, struct bytes key, struct bytes *ret);
	/* append: key is behind all others. */
	int (*put)(struct view *view, enum table table, struct bytes key, struct bytes value,
	    bool append);
	/* CMPD_ECORRUPT: not there. */
	int (*del)(struct view *view, enum table table, struct bytes key);
	/* From the first key that is not before from. 0 at the end or when the visitor had enough. */
	int (*each)(struct view *view, enum table table, struct bytes from,
	    struct visitor *visitor);

	/* The committer, before write_begin. */
	enum space (*space)(struct store *store);
	void (*tick)(struct store *store); /* each minute, committer */
	void (*usage)(struct store *store, uint64_t *ret_used, uint64_t *ret_map);
	int (*backup)(struct store *store, const char *file, struct diag *diag);
};

extern const struct backend backend_mem;
extern const struct backend backend_lmdb;
