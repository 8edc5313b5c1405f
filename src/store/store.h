/*
 * The store: everything cmpd has promised.
 *
 * Reading: one struct store_reader per thread; each call sees one consistent state and copies what
 * it returns into the pool given. Readers never wait for the writer.
 *
 * Changing: a struct unit is filled by one thread and given to store_commit, which takes it over.
 * One thread inside the store (the committer) takes all units that wait, applies each as a whole or
 * not at all (the conditions of a unit are checked before its first write), makes them durable
 * together and then calls done for each, with 0 or the reason why nothing of it happened.
 *
 * Two implementations: store_lmdb.c, and store_mem.c as test double and readable reference.
 */
#pragma once

#include "base/bytes.h"
#include "base/error.h"
#include "model/record.h"

struct pool;
struct store;
struct store_reader;
struct unit;

struct store_options {
	const char *dir; /* NULL: in memory, nothing survives store_close */
	const char *key_file; /* 32 bytes, mode 0600; unused in memory */
	/* bytes of address space, 0: 1 TiB; never grown. The last eighth (16 MiB at the most) is
	 * for changes and drops: new things get CMPD_ENOSPC before */
	uint64_t map_size;
	bool sync; /* false: a crash of the machine may lose answers; only for speed tests */
	void (*batch_done)(void *arg); /* after the done calls of one batch; may be NULL */
	void *batch_arg;
};

/*
 * Opens or creates. Takes an exclusive lock on dir/lock (CMPD_EACCES: another cmpd has it), checks
 * the schema version (CMPD_EVERSION), the file (CMPD_ECORRUPT, one sentence in diag) and the key
 * (CMPD_ENOENT: no key file; CMPD_EFORMAT: not 32 bytes; CMPD_EAUTH: not the key the secrets were
 * written with; CMPD_EACCES: mode too open). Starts the committer.
 */
int store_open(const struct store_options *options, struct store **ret,
    struct diag *diag) CMPD_MUST_CHECK;
/* What store_open would say, changing nothing (cmpd -t); a store that is not there yet is fine, and
 * so is one that a running cmpd has open: of that only the key file is looked at. */
int store_check(const struct store_options *options, struct diag *diag) CMPD_MUST_CHECK;
/* Commits what was given, calls the last done, stops the committer. All readers must be closed. */
void store_close(struct store *store);

/* 126 readers at the most (CMPD_ELIMIT). The thread that uses it may change, but only one at a
 * time. */
int store_reader_open(struct store *store, struct store_reader **ret) CMPD_MUST_CHECK;
void store_reader_close(struct store_reader *reader);

/* ---- reads. CMPD_ENOENT: none. CMPD_ECORRUPT, CMPD_EVERSION: a record that does not decode.
 * CMPD_ENOMEM, CMPD_EIO. ret is untouched on failure. Lists in records are never NULL. A page has
 * 1000 items at the most, whatever the limit. ---- */

int store_txn_get(struct store_reader *reader, struct pool *pool, const struct txn_key *key,
    struct txn *ret) CMPD_MUST_CHECK;

/* How many transactions of that identity have not ended. */
int store_open_count(struct store_reader *reader, const struct identity *identity,
    uint64_t *ret) CMPD_MUST_CHECK;

int store_entry_get(struct store_reader *reader, struct pool *pool, uint64_t number,
    struct entry *ret) CMPD_MUST_CHECK;
/* By transaction and certReqId. */
int store_entry_find(struct store_reader *reader, struct pool *pool, const struct txn_key *txn,
    int64_t cert_req_id, struct entry *ret) CMPD_MUST_CHECK;
/* By the first n_digits hex digits of its id (any case). CMPD_ENOENT; CMPD_EEXIST: several begin
 * like this; CMPD_EINVAL: not hex or too long. */
int store_entry_by_id(struct store_reader *reader, struct pool *pool, const char *hex_prefix,
    struct entry *ret) CMPD_MUST_CHECK;

struct entry_filter {
	int state; /* enum entry_state, -1: any. With a state given only those are looked at. */
	const char *subject; /* fnmatch pattern on subject; NULL: any */
	int64_t received_before; /* ms; 0: any */
	const struct txn_key *txn; /* NULL: any */
};
/* Up to limit entries with number > after, oldest first. *ret in pool; *ret_n may be 0.
 * *ret_after: where the next page starts; 0 = nothing is left. One call looks at no more than 1000
 * entries, so a page may be empty and not the last. */
int store_entry_list(struct store_reader *reader, struct pool *pool,
    const struct entry_filter *filter, uint64_t after, size_t limit, struct entry **ret,
    size_t *ret_n, uint64_t *ret_after) CMPD_MUST_CHECK;

int store_cert_get(struct store_reader *reader, struct pool *pool, const uint8_t ca[CA_ID_SIZE],
    struct bytes serial, struct cert *ret) CMPD_MUST_CHECK;
/* By hex prefix of the serial, any CA. CMPD_EEXIST: several. */
int store_cert_by_serial(struct store_reader *reader, struct pool *pool, const char *hex_prefix,
    struct cert *ret) CMPD_MUST_CHECK;
/* The newest certificate of a public key that is not revoked; looks at the last 16 of that key. */
int store_cert_by_key(struct store_reader *reader, struct pool *pool,
    const uint8_t spki_sha256[DIGEST_SIZE], struct cert *ret) CMPD_MUST_CHECK;
/* Oldest first, paging as store_entry_list. status: enum cert_status or -1. */
int store_cert_list(struct store_reader *reader, struct pool *pool, int status, uint64_t after,
    size_t limit, struct cert **ret, size_t *ret_n, uint64_t *ret_after) CMPD_MUST_CHECK;

/* What CRLs are made of: up to limit certificates of that generation that are revoked or on hold,
 * number > after, paging as store_entry_list. Costs what it returns. */
int store_revoked_list(struct store_reader *reader, struct pool *pool, const uint8_t ca[CA_ID_SIZE],
    uint64_t after, size_t limit, struct revoked **ret, size_t *ret_n,
    uint64_t *ret_after) CMPD_MUST_CHECK;
/* How many revocations, holds, changes of reason and revivals there were in that generation, and
 * how many certificates are revoked or on hold now. Read it before the list: what is made of both
 * covers at least so many changes. */
int store_revoked_count(struct store_reader *reader, const uint8_t ca[CA_ID_SIZE],
    uint64_t *ret_changes, uint64_t *ret_n) CMPD_MUST_CHECK;
/* Grows whenever something durable has changed what is revoked, in any generation; begins anew at
 * each start. Any thread, costs nothing. */
uint64_t store_revocations(const struct store *store);
/* The newest CRL of a generation. It may have megabytes: CMPD_ENOMEM if the pool is too small. */
int store_crl_get(struct store_reader *reader, struct pool *pool, const uint8_t ca[CA_ID_SIZE],
    struct crl *ret) CMPD_MUST_CHECK;
/* The same without copying it: ret->der has its length, but no data. */
int store_crl_info(struct store_reader *reader, const uint8_t ca[CA_ID_SIZE],
    struct crl *ret) CMPD_MUST_CHECK;

/* By reference value: what is not removed and fits the endpoint; its own before one for any, then
 * the newest. Those that retire are found by the second only. The value is decrypted. */
int store_secret_find(struct store_reader *reader, struct pool *pool, const char *ref,
    const char *endpoint, struct secret *ret) CMPD_MUST_CHECK;
int store_secret_find_retiring(struct store_reader *reader, struct pool *pool, const char *ref,
    const char *endpoint, struct secret *ret) CMPD_MUST_CHECK;
/* By id, removed ones too, while a transaction needs it. The value is decrypted. */
int store_secret_get(struct store_reader *reader, struct pool *pool, uint64_t id,
    struct secret *ret) CMPD_MUST_CHECK;
/* Without values; paging by id. */
int store_secret_list(struct store_reader *reader, struct pool *pool, uint64_t after, size_t limit,
    struct secret **ret, size_t *ret_n, uint64_t *ret_after) CMPD_MUST_CHECK;

/* The inventory: what was loaded last, as a whole. */
struct inventory_state {
	uint64_t last; /* generation given last */
	uint64_t generation; /* the one that counts; 0: none was loaded yet */
	uint64_t rows;
	int64_t loaded; /* when */
	uint64_t staging; /* the one that is being loaded; 0: none */
	uint64_t staged; /* its rows so far */
	int64_t touched; /* when something was added to it last */
};
int store_inventory_state(struct store_reader *reader, struct inventory_state *ret) CMPD_MUST_CHECK;
/* Which device a row speaks of; two rows of one load never have the same. serial absent: by
 * subject. CMPD_EINVAL: neither. */
int store_inventory_id(struct bytes serial, const char *subject, const char *issuer,
    uint8_t ret[INVENTORY_ID_SIZE]) CMPD_MUST_CHECK;
/* A row of any generation, also one that is being loaded. */
int store_inventory_get(struct store_reader *reader, struct pool *pool, uint64_t generation,
    const uint8_t id[INVENTORY_ID_SIZE], struct inventory *ret) CMPD_MUST_CHECK;
/* The row about a factory certificate: by serial and issuer, else serial, else subject and issuer,
 * else subject. All arguments are there. A row that was found by its serial may name another
 * subject. */
int store_inventory_find(struct store_reader *reader, struct pool *pool, struct bytes serial,
    const char *subject, const char *issuer, struct inventory *ret) CMPD_MUST_CHECK;
/* All rows about this serial, or (serial absent) this subject, of whatever issuer. */
int store_inventory_match(struct store_reader *reader, struct pool *pool, struct bytes serial,
    const char *subject, size_t limit, struct inventory **ret, size_t *ret_n) CMPD_MUST_CHECK;
/* In the order of the file, paging by number. A load in between: the page after it is of the new
 * inventory. */
int store_inventory_list(struct store_reader *reader, struct pool *pool, uint64_t after,
    size_t limit, struct inventory **ret, size_t *ret_n, uint64_t *ret_after) CMPD_MUST_CHECK;
/* Is there something for unit_purge_inventory to do? */
int store_inventory_garbage(struct store_reader *reader, int64_t abandoned_before,
    bool *ret) CMPD_MUST_CHECK;

/* A blob by its SHA-256 (certificates that were extraCerts of answers). */
int store_blob_get(struct store_reader *reader, struct pool *pool,
    const uint8_t sha256[DIGEST_SIZE], struct bytes *ret) CMPD_MUST_CHECK;

int store_audit_list(struct store_reader *reader, struct pool *pool, uint64_t after, size_t limit,
    struct audit **ret, size_t *ret_n, uint64_t *ret_after) CMPD_MUST_CHECK;
/* Reads the whole chain in pages; CMPD_ECORRUPT with the first bad number in *ret_bad. */
int store_audit_verify(struct store_reader *reader, uint64_t *ret_bad) CMPD_MUST_CHECK;

/* What the sweep must look at: everything with 0 < due <= now, the oldest first, at most limit. */
enum due_kind { DUE_TXN = 1, DUE_ENTRY = 2, DUE_CERT = 3, DUE_SECRET = 4 };
struct due {
	enum due_kind kind;
	int64_t time;
	struct txn_key txn; /* DUE_TXN */
	uint64_t number; /* DUE_ENTRY, DUE_SECRET */
	uint8_t ca[CA_ID_SIZE]; /* DUE_CERT */
	struct bytes serial;
};
int store_due_list(struct store_reader *reader, struct pool *pool, int64_t now, size_t limit,
    struct due **ret, size_t *ret_n) CMPD_MUST_CHECK;

struct store_stats {
	uint64_t entries[ENTRY_STATES];
	uint64_t txns, certs, secrets, audit;
	uint64_t used_bytes, map_bytes;
	uint64_t commits, units, conflicts; /* since the start */
};
int store_stats(struct store_reader *reader, struct store_stats *ret) CMPD_MUST_CHECK;

/* A consistent copy of a running store into a new folder-less file (LMDB: one file). CMPD_EEXIST,
 * CMPD_EIO, CMPD_ENOSPC; CMPD_EINVAL for the memory store. From its own thread: it takes as long as
 * the disk needs. */
int store_backup(struct store *store, const char *file, struct diag *diag) CMPD_MUST_CHECK;

/* ---- changes ---- */

/* NULL: out of memory. Everything put into a unit is copied (encoded) at once; an error sticks and
 * is told by store_commit. */
struct unit *unit_new(void);
void unit_free(struct unit *unit); /* one that was not committed; NULL is fine */
bool unit_is_empty(const struct unit *unit);

/* One unit changes a transaction, entry or certificate once (else CMPD_EINVAL: its conditions are
 * about what was stored before the unit); a secret as often as it likes, 16 different ones at the
 * most. */
/* Each put carries the version read (0: must not exist yet); what is stored has version + 1. */
void unit_put_txn(struct unit *unit, const struct txn *txn);
/* The move from -> entry->state must be legal, and from must be what is stored; from == state: a
 * change without a move. A new entry (version 0) has nothing stored: from is its state before the
 * last move, so that one that is granted at once comes with ENTRY_APPROVED -> ENTRY_ISSUED. */
void unit_put_entry(struct unit *unit, const struct entry *entry, enum entry_state from);
void unit_put_cert(struct unit *unit, const struct cert *cert);
/* In place of the one before it; CMPD_ESTATE: its number is not higher. */
void unit_put_crl(struct unit *unit, const struct crl *crl);
/* value is encrypted by the store; ref + endpoint that exist unremoved and not retiring:
 * CMPD_EEXIST at commit. Only for new ones. */
void unit_add_secret(struct unit *unit, const struct secret *secret);
/* It opens nothing any more and is not due any more; it goes when open is 0. CMPD_ECONFLICT: none;
 * removed already: fine. */
void unit_remove_secret(struct unit *unit, uint64_t id);
/* Another one takes its place: added by the same unit, with the same ref and endpoint. The old one
 * stays good until then, or until it expires if that is earlier, and is due then. CMPD_ECONFLICT:
 * none, removed or retiring already; CMPD_EEXIST: there is one that retires already. */
void unit_retire_secret(struct unit *unit, uint64_t id, int64_t until, int64_t due);
/* Opening a transaction: needs uses left, not expired at now, not removed (else CMPD_EACCES);
 * uses_left - 1, open + 1. */
void unit_use_secret(struct unit *unit, uint64_t id, int64_t now);
/* Opening one that uses nothing up (rr, genm): not removed (else CMPD_EACCES); open + 1. */
void unit_need_secret(struct unit *unit, uint64_t id);
/* Its end: open - 1; give_back: uses_left + 1. A removed secret with open == 0 goes.
 * CMPD_ESTATE: it was not open. */
void unit_release_secret(struct unit *unit, uint64_t id, bool give_back);
/* Stored once under its SHA-256; putting it again is fine. */
void unit_put_blob(struct unit *unit, struct bytes blob);
void unit_audit(struct unit *unit, int64_t time, const char *actor, const char *what,
    const char *object, const char *text);
/* A new inventory beside the one that counts: begin with the next generation (last + 1, else
 * CMPD_ECONFLICT); one that was being loaded is given up. Rows carry that generation and different
 * numbers; CMPD_EEXIST: the device is there already, in the store or in this unit; CMPD_ECONFLICT:
 * another load has begun since. The end makes it count, at once and as a whole; rows: how many
 * there must be (else CMPD_ESTATE). Only one of the three in a unit (any number of rows). */
void unit_begin_inventory(struct unit *unit, uint64_t generation, int64_t now);
void unit_add_inventory(struct unit *unit, const struct inventory *row, int64_t now);
void unit_finish_inventory(struct unit *unit, uint64_t generation, uint64_t rows, int64_t now);
/* Takes a row out of what counts. CMPD_ECONFLICT: it is gone, or another inventory was loaded. */
void unit_drop_inventory(struct unit *unit, uint64_t generation, uint64_t number);
/* Drops some of what earlier loads have left behind, and gives up one that was not added to since
 * then. */
void unit_purge_inventory(struct unit *unit, int64_t abandoned_before);
/* Purging by the sweep; only what is final (else CMPD_ESTATE): a transaction that ended, an entry
 * in a final state, a certificate that has a due time. Condition: that version. */
void unit_drop_txn(struct unit *unit, const struct txn_key *key, uint64_t version);
void unit_drop_entry(struct unit *unit, uint64_t number, uint64_t version);
void unit_drop_cert(struct unit *unit, const uint8_t ca[CA_ID_SIZE], struct bytes serial,
    uint64_t version);

/*
 * Hands the unit over (it is freed by the store). done is called exactly once, from the committer's
 * thread or, when the store is closed or the unit carries an error, from the caller's. result: 0:
 * durable; CMPD_ECONFLICT: a version, state or absence did not hold: read again and redo;
 * CMPD_EEXIST, CMPD_EACCES, CMPD_ESTATE: as the verbs say; CMPD_ENOSPC, CMPD_EIO, CMPD_ENOMEM,
 * CMPD_ECLOSED. done must not block.
 */
void store_commit(struct store *store, struct unit *unit, void (*done)(void *arg, int result),
    void *arg);
/* The same and waits. Not from a worker, not from done. */
int store_commit_wait(struct store *store, struct unit *unit) CMPD_MUST_CHECK;
