#include <stdlib.h>
#include <string.h>

#include "contract.h"

static struct entry
get(struct bench *b, unsigned int n)
{
	struct txn_key key = make_txn_key(n);
	struct entry entry;

	assert_int_equal(store_entry_find(b->reader, b->pool, &key, 0, &entry), 0);
	return entry;
}

static int
put(struct bench *b, const struct entry *entry, enum entry_state from)
{
	struct unit *unit = unit_new();

	unit_put_entry(unit, entry, from);
	return bench_commit(b, unit);
}

static void
put_new(struct bench *b, unsigned int n)
{
	struct entry entry = make_entry(n);

	assert_int_equal(put(b, &entry, ENTRY_RECEIVED), 0);
}

static int
move(struct bench *b, struct entry entry, enum entry_state to)
{
	enum entry_state from = entry.state;

	entry.state = to;
	return put(b, &entry, from);
}

static void
an_entry_is_read_as_it_was_put(struct bench *b)
{
	static const char *approvals[] = {"operator:a", NULL};
	static const char *comments[] = {"one", "", NULL};
	struct entry in = make_entry(5), out;
	struct txn_key other = make_txn_key(6);

	in.cert_req_id = -1;
	in.signer_serial = bytes_of("\x01\x02", 2);
	in.resolved = (struct template){.subject = bytes_of("", 0), .validity = 77, .ca = {3}};
	in.approvals = approvals;
	in.comments = comments;
	in.fail_info = 26;
	assert_int_equal(put(b, &in, ENTRY_RECEIVED), 0);
	assert_int_equal(store_entry_find(b->reader, b->pool, &in.txn, -1, &out), 0);
	assert_int_equal(out.number, 1);
	assert_int_equal(out.version, 1);
	assert_int_equal(out.state, ENTRY_PENDING);
	assert_int_equal(out.cert_req_id, -1);
	assert_memory_equal(out.id, in.id, sizeof(in.id));
	assert_string_equal(out.subject, in.subject);
	assert_string_equal(out.sans[1], "IP:10.0.0.1");
	assert_null(out.sans[2]);
	assert_string_equal(out.approvals[0], "operator:a");
	assert_string_equal(out.comments[1], "");
	assert_null(out.comments[2]);
	assert_true(bytes_equal(out.signer_serial, in.signer_serial));
	assert_true(bytes_equal(out.requested.spki, in.requested.spki));
	assert_null(out.requested.extensions.data);
	assert_non_null(out.resolved.subject.data);
	assert_int_equal(out.resolved.validity, 77);
	assert_int_equal(out.resolved.ca[0], 3);
	assert_null(out.text);
	assert_int_equal(out.fail_info, 26);
	assert_true(out.names_bound);
	assert_int_equal(store_entry_find(b->reader, b->pool, &in.txn, 0, &out), CMPD_ENOENT);
	assert_int_equal(store_entry_find(b->reader, b->pool, &other, -1, &out), CMPD_ENOENT);
	assert_int_equal(store_entry_get(b->reader, b->pool, 2, &out), CMPD_ENOENT);
}

static void
a_transaction_is_read_as_it_was_put(struct bench *b)
{
	struct txn in = make_txn(1), out;
	struct txn_key other = make_txn_key(2);
	struct unit *unit = unit_new();

	unit_put_txn(unit, &in);
	assert_int_equal(bench_commit(b, unit), 0);
	assert_int_equal(store_txn_get(b->reader, b->pool, &in.key, &out), 0);
	assert_int_equal(out.version, 1);
	assert_memory_equal(&out.key, &in.key, sizeof(in.key));
	assert_true(identity_equal(&out.identity, &in.identity));
	assert_int_equal(out.n_ids, 2);
	assert_int_equal(out.ids[1], -1);
	assert_int_equal(out.told, 2);
	assert_memory_equal(&out.our_nonce, &in.our_nonce, sizeof(in.our_nonce));
	assert_memory_equal(out.last_hash, in.last_hash, sizeof(in.last_hash));
	assert_true(bytes_equal(out.answer, in.answer));
	assert_null(out.request.data);
	assert_int_equal(out.deadline, 9000);
	assert_int_equal(store_txn_get(b->reader, b->pool, &other, &out), CMPD_ENOENT);
}

static void
a_second_put_of_the_same_is_a_conflict(struct bench *b)
{
	struct entry entry = make_entry(1);
	struct txn txn = make_txn(1);
	struct cert cert = make_cert(1);
	struct unit *unit;

	for (int i = 0; i < 2; i++) {
		int want = i == 0 ? 0 : CMPD_ECONFLICT;

		assert_int_equal(put(b, &entry, ENTRY_RECEIVED), want);
		unit = unit_new();
		unit_put_txn(unit, &txn);
		assert_int_equal(bench_commit(b, unit), want);
		unit = unit_new();
		unit_put_cert(unit, &cert);
		assert_int_equal(bench_commit(b, unit), want);
	}
	/* Another transaction, but an id that is taken. */
	entry.txn = make_txn_key(2);
	assert_int_equal(put(b, &entry, ENTRY_RECEIVED), CMPD_ECONFLICT);
	entry.id[7] = 1;
	assert_int_equal(put(b, &entry, ENTRY_RECEIVED), 0);
}

static void
of_two_deciders_one_wins(struct bench *b)
{
	struct entry seen;

	put_new(b, 1);
	seen = get(b, 1);
	assert_int_equal(move(b, seen, ENTRY_APPROVED), 0);
	assert_int_equal(move(b, seen, ENTRY_DENIED), CMPD_ECONFLICT);
	assert_int_equal(get(b, 1).state, ENTRY_APPROVED);
	assert_int_equal(get(b, 1).version, 2);
}

static void
of_two_deciders_in_one_batch_one_wins(struct bench *b)
{
	struct store_stats before, after;
	struct entry seen;
	int results[64], wins = 0;
	struct unit *units[64];

	put_new(b, 1);
	seen = get(b, 1);
	assert_int_equal(store_stats(b->reader, &before), 0);
	seen.state = ENTRY_APPROVED;
	for (int i = 0; i < 64; i++) {
		units[i] = unit_new();
		unit_put_entry(units[i], &seen, ENTRY_PENDING);
	}
	bench_commit_all(b, units, 64, results);
	for (int i = 0; i < 64; i++) {
		assert_true(results[i] == 0 || results[i] == CMPD_ECONFLICT);
		wins += results[i] == 0;
	}
	assert_int_equal(wins, 1);
	assert_int_equal(store_stats(b->reader, &after), 0);
	assert_int_equal(after.conflicts - before.conflicts, 63);
}

static void
a_refused_unit_changes_nothing(struct bench *b)
{
	struct entry entry = make_entry(1);
	struct txn txn = make_txn(1);
	struct txn_key key = txn.key;
	struct store_stats stats;
	struct audit *lines;
	size_t n;
	uint64_t after;
	struct unit *unit = unit_new();

	put_new(b, 1);
	unit_audit(unit, 1, "cmpd", "test", NULL, NULL);
	unit_put_txn(unit, &txn);
	unit_put_entry(unit, &entry, ENTRY_RECEIVED);
	assert_int_equal(bench_commit(b, unit), CMPD_ECONFLICT);
	assert_int_equal(store_txn_get(b->reader, b->pool, &key, &txn), CMPD_ENOENT);
	assert_int_equal(store_audit_list(b->reader, b->pool, 0, 10, &lines, &n, &after), 0);
	assert_int_equal(n, 0);
	assert_int_equal(store_stats(b->reader, &stats), 0);
	assert_int_equal(stats.txns, 0);
	assert_int_equal(stats.entries[ENTRY_PENDING], 1);
}

static void
illegal_moves_are_refused(struct bench *b)
{
	struct entry entry = make_entry(1);

	assert_int_equal(move(b, entry, ENTRY_APPROVED), CMPD_ESTATE); /* new, from pending */
	entry.state = ENTRY_CONFIRMED;
	assert_int_equal(put(b, &entry, ENTRY_RECEIVED), CMPD_ESTATE);
	entry.state = ENTRY_RECEIVED;
	assert_int_equal(put(b, &entry, ENTRY_RECEIVED), CMPD_ESTATE);
	put_new(b, 1);
	assert_int_equal(move(b, get(b, 1), ENTRY_ISSUED), CMPD_ESTATE);
	assert_int_equal(move(b, get(b, 1), ENTRY_DONE), CMPD_ESTATE);
	assert_int_equal(move(b, get(b, 1), ENTRY_DENIED), 0);
	assert_int_equal(move(b, get(b, 1), ENTRY_APPROVED), CMPD_ESTATE);
	/* A change that names another state than the stored one. */
	entry = get(b, 1);
	entry.state = ENTRY_APPROVED;
	assert_int_equal(put(b, &entry, ENTRY_PENDING), CMPD_ECONFLICT);
	/* Numbers and versions that do not belong together. */
	entry = make_entry(2);
	entry.number = 1;
	assert_int_equal(put(b, &entry, ENTRY_RECEIVED), CMPD_EINVAL);
}

static void
a_new_entry_may_come_granted(struct bench *b)
{
	struct entry entry = make_entry(1);

	entry.state = ENTRY_ISSUED;
	assert_int_equal(put(b, &entry, ENTRY_APPROVED), 0);
	entry = make_entry(2);
	entry.type = REQUEST_RR;
	entry.state = ENTRY_DONE;
	assert_int_equal(put(b, &entry, ENTRY_APPROVED), 0);
	/* A revocation does not end in a certificate. */
	entry = make_entry(3);
	entry.type = REQUEST_RR;
	entry.state = ENTRY_ISSUED;
	assert_int_equal(put(b, &entry, ENTRY_APPROVED), CMPD_ESTATE);
}

static void
an_edit_keeps_the_state_and_raises_the_version(struct bench *b)
{
	struct entry entry;

	put_new(b, 1);
	entry = get(b, 1);
	entry.subject = "/CN=edited";
	assert_int_equal(put(b, &entry, ENTRY_PENDING), 0);
	assert_string_equal(get(b, 1).subject, "/CN=edited");
	assert_int_equal(get(b, 1).version, 2);
	/* It stays the same thing. */
	entry = get(b, 1);
	entry.id[0] ^= 1;
	assert_int_equal(put(b, &entry, ENTRY_PENDING), CMPD_EINVAL);
}

static void
numbers_follow_the_order_and_are_never_reused(struct bench *b)
{
	struct entry entry;
	struct unit *unit;

	for (unsigned int i = 1; i <= 3; i++) {
		put_new(b, i);
		assert_int_equal(get(b, i).number, i);
	}
	assert_int_equal(move(b, get(b, 3), ENTRY_DENIED), 0);
	entry = get(b, 3);
	unit = unit_new();
	unit_drop_entry(unit, entry.number, entry.version);
	assert_int_equal(bench_commit(b, unit), 0);
	put_new(b, 4);
	assert_int_equal(get(b, 4).number, 4);
}

static void
only_final_things_are_dropped(struct bench *b)
{
	struct txn txn = make_txn(1);
	struct cert cert = make_cert(1);
	struct entry entry;
	struct unit *unit = unit_new();

	put_new(b, 1);
	unit_put_txn(unit, &txn);
	unit_put_cert(unit, &cert);
	assert_int_equal(bench_commit(b, unit), 0);

	unit = unit_new();
	unit_drop_txn(unit, &txn.key, 1);
	assert_int_equal(bench_commit(b, unit), CMPD_ESTATE);
	unit = unit_new();
	unit_drop_entry(unit, 1, 1);
	assert_int_equal(bench_commit(b, unit), CMPD_ESTATE);
	unit = unit_new();
	unit_drop_cert(unit, cert.ca, cert.serial, 1);
	assert_int_equal(bench_commit(b, unit), CMPD_ESTATE);

	assert_int_equal(store_txn_get(b->reader, b->pool, &txn.key, &txn), 0);
	assert_int_equal(store_cert_get(b->reader, b->pool, cert.ca, cert.serial, &cert), 0);
	txn.ended = true;
	cert.due = 5;
	unit = unit_new();
	unit_put_txn(unit, &txn);
	unit_put_cert(unit, &cert);
	assert_int_equal(bench_commit(b, unit), 0);
	assert_int_equal(move(b, get(b, 1), ENTRY_EXPIRED), 0);

	unit = unit_new();
	unit_drop_txn(unit, &txn.key, 1);
	assert_int_equal(bench_commit(b, unit), CMPD_ECONFLICT);
	unit = unit_new();
	unit_drop_txn(unit, &txn.key, 2);
	unit_drop_entry(unit, 1, 2);
	unit_drop_cert(unit, cert.ca, cert.serial, 2);
	assert_int_equal(bench_commit(b, unit), 0);

	assert_int_equal(store_txn_get(b->reader, b->pool, &txn.key, &txn), CMPD_ENOENT);
	assert_int_equal(store_entry_get(b->reader, b->pool, 1, &entry), CMPD_ENOENT);
	assert_int_equal(store_entry_by_id(b->reader, b->pool, "00000001", &entry), CMPD_ENOENT);
	assert_int_equal(store_cert_get(b->reader, b->pool, cert.ca, cert.serial, &cert),
	    CMPD_ENOENT);
	/* The places are free again. */
	put_new(b, 1);
}

static void
a_tombstone_stays_one(struct bench *b)
{
	struct txn txn = make_txn(1);
	struct unit *unit = unit_new();

	txn.ended = true;
	unit_put_txn(unit, &txn);
	assert_int_equal(bench_commit(b, unit), 0);
	assert_int_equal(store_txn_get(b->reader, b->pool, &txn.key, &txn), 0);
	assert_true(txn.ended);
	txn.ended = false;
	unit = unit_new();
	unit_put_txn(unit, &txn);
	assert_int_equal(bench_commit(b, unit), CMPD_ESTATE);
}

static void
a_unit_changes_a_record_once(struct bench *b)
{
	struct entry entry = make_entry(1);
	struct txn txn = make_txn(1);
	struct unit *unit = unit_new();

	unit_put_entry(unit, &entry, ENTRY_RECEIVED);
	unit_put_entry(unit, &entry, ENTRY_RECEIVED);
	assert_int_equal(bench_commit(b, unit), CMPD_EINVAL);
	unit = unit_new();
	unit_put_txn(unit, &txn);
	unit_drop_txn(unit, &txn.key, 1);
	assert_int_equal(bench_commit(b, unit), CMPD_EINVAL);
}

static void
what_cannot_be_stored_is_told_at_commit(struct bench *b)
{
	struct txn txn = make_txn(1);
	struct cert cert = make_cert(1);
	struct unit *unit = unit_new();

	assert_true(unit_is_empty(unit));
	txn.key.id_len = 200;
	unit_put_txn(unit, &txn);
	assert_false(unit_is_empty(unit));
	assert_int_equal(bench_commit(b, unit), CMPD_EINVAL);
	unit = unit_new();
	txn = make_txn(1);
	txn.our_nonce.len = 255;
	unit_put_txn(unit, &txn);
	assert_int_equal(bench_commit(b, unit), CMPD_EINVAL);
	unit = unit_new();
	cert.serial.len = 0;
	unit_put_cert(unit, &cert);
	assert_int_equal(bench_commit(b, unit), CMPD_EINVAL);
}

static void
an_empty_unit_is_fine(struct bench *b)
{
	struct unit *unit = unit_new();

	assert_true(unit_is_empty(unit));
	assert_int_equal(bench_commit(b, unit), 0);
	unit = unit_new();
	unit_free(unit);
	unit_free(NULL);
}

static void
blobs_are_stored_once(struct bench *b)
{
	struct bytes blob = bytes_str("a certificate"), back;
	uint8_t hash[DIGEST_SIZE];

	assert_int_equal(digest_sha256(blob, hash), 0);
	assert_int_equal(store_blob_get(b->reader, b->pool, hash, &back), CMPD_ENOENT);
	for (int i = 0; i < 2; i++) {
		struct unit *unit = unit_new();

		unit_put_blob(unit, blob);
		unit_put_blob(unit, blob);
		assert_int_equal(bench_commit(b, unit), 0);
	}
	assert_int_equal(store_blob_get(b->reader, b->pool, hash, &back), 0);
	assert_true(bytes_equal(blob, back));
}

static void
all_is_there_after_reopening(struct bench *b)
{
	struct store_stats stats;
	struct txn txn = make_txn(1);
	struct cert cert = make_cert(1);
	struct unit *unit;

	if (b->options.dir == NULL) {
		return; /* in memory nothing survives */
	}
	unit = unit_new();
	put_new(b, 1);
	put_new(b, 2);
	unit_put_txn(unit, &txn);
	unit_put_cert(unit, &cert);
	unit_audit(unit, 5, "cmpd", "test", NULL, NULL);
	assert_int_equal(bench_commit(b, unit), 0);
	bench_reopen(b);
	assert_int_equal(get(b, 2).number, 2);
	assert_int_equal(store_txn_get(b->reader, b->pool, &txn.key, &txn), 0);
	assert_int_equal(store_cert_get(b->reader, b->pool, cert.ca, cert.serial, &cert), 0);
	put_new(b, 3);
	assert_int_equal(get(b, 3).number, 3);
	assert_int_equal(store_stats(b->reader, &stats), 0);
	assert_int_equal(stats.entries[ENTRY_PENDING], 3);
	assert_int_equal(stats.txns, 1);
	assert_int_equal(stats.certs, 1);
	assert_int_equal(stats.audit, 1);
}

const struct story contract_changes[] = {
    {"an entry is read as it was put", an_entry_is_read_as_it_was_put},
    {"a transaction is read as it was put", a_transaction_is_read_as_it_was_put},
    {"a second put of the same is a conflict", a_second_put_of_the_same_is_a_conflict},
    {"of two deciders one wins", of_two_deciders_one_wins},
    {"of 64 deciders in one batch one wins", of_two_deciders_in_one_batch_one_wins},
    {"a refused unit changes nothing", a_refused_unit_changes_nothing},
    {"illegal moves are refused", illegal_moves_are_refused},
    {"a new entry may come granted", a_new_entry_may_come_granted},
    {"an edit keeps the state and raises the version",
	an_edit_keeps_the_state_and_raises_the_version},
    {"numbers follow the order and are never reused",
	numbers_follow_the_order_and_are_never_reused},
    {"only final things are dropped", only_final_things_are_dropped},
    {"a tombstone stays one", a_tombstone_stays_one},
    {"a unit changes a record once", a_unit_changes_a_record_once},
    {"what cannot be stored is told at commit", what_cannot_be_stored_is_told_at_commit},
    {"an empty unit is fine", an_empty_unit_is_fine},
    {"blobs are stored once", blobs_are_stored_once},
    {"all is there after reopening", all_is_there_after_reopening},
    {NULL, NULL},
};
