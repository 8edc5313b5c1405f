#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contract.h"

static void
put_entries(struct bench *b, unsigned int first, unsigned int n)
{
	for (unsigned int i = first; i < first + n; i++) {
		struct entry entry = make_entry(i);
		struct unit *unit = unit_new();

		unit_put_entry(unit, &entry, ENTRY_RECEIVED);
		assert_int_equal(bench_commit(b, unit), 0);
	}
}

static void
deny(struct bench *b, uint64_t number)
{
	struct entry entry;
	struct unit *unit = unit_new();

	assert_int_equal(store_entry_get(b->reader, b->pool, number, &entry), 0);
	entry.state = ENTRY_DENIED;
	unit_put_entry(unit, &entry, ENTRY_PENDING);
	assert_int_equal(bench_commit(b, unit), 0);
}

static void
paging_while_inserting_misses_and_repeats_nothing(struct bench *b)
{
	struct entry_filter filter = {.state = ENTRY_PENDING};
	uint64_t after = 0, want = 1;
	struct entry *page;
	size_t n;

	put_entries(b, 1, 7);
	do {
		assert_int_equal(
		    store_entry_list(b->reader, b->pool, &filter, after, 3, &page, &n, &after), 0);
		assert_true(n <= 3);
		for (size_t i = 0; i < n; i++) {
			assert_int_equal(page[i].number, want++);
		}
		if (want < 12) {
			put_entries(b, 100 + (unsigned int)want, 2);
		}
	} while (after != 0);
	assert_true(want > 8);
	/* A page that just fits is the last. */
	assert_int_equal(store_entry_list(b->reader, b->pool, NULL, want - 2, 1, &page, &n, &after),
	    0);
	assert_int_equal(n, 1);
	assert_int_equal(after, 0);
	assert_int_equal(
	    store_entry_list(b->reader, b->pool, NULL, UINT64_MAX, 1, &page, &n, &after), 0);
	assert_int_equal(n, 0);
}

static void
lists_are_filtered(struct bench *b)
{
	struct entry_filter filter = {.state = -1};
	struct txn_key key = make_txn_key(2);
	struct entry *page;
	uint64_t after;
	size_t n;

	put_entries(b, 1, 4);
	deny(b, 3);
	filter.state = ENTRY_DENIED;
	assert_int_equal(store_entry_list(b->reader, b->pool, &filter, 0, 9, &page, &n, &after), 0);
	assert_int_equal(n, 1);
	assert_int_equal(page[0].number, 3);
	filter = (struct entry_filter){.state = ENTRY_PENDING, .received_before = 1003};
	assert_int_equal(store_entry_list(b->reader, b->pool, &filter, 0, 9, &page, &n, &after), 0);
	assert_int_equal(n, 2);
	filter = (struct entry_filter){.state = -1, .subject = "/CN=x*"};
	assert_int_equal(store_entry_list(b->reader, b->pool, &filter, 0, 9, &page, &n, &after), 0);
	assert_int_equal(n, 0);
	filter = (struct entry_filter){.state = -1, .txn = &key};
	assert_int_equal(store_entry_list(b->reader, b->pool, &filter, 0, 9, &page, &n, &after), 0);
	assert_int_equal(n, 1);
	assert_int_equal(page[0].number, 2);
}

static void
entries_of_a_transaction_come_by_number(struct bench *b)
{
	struct txn_key key = make_txn_key(9);
	struct entry_filter filter = {.state = -1, .txn = &key};
	struct unit *unit = unit_new();
	struct entry *page;
	uint64_t after = 0;
	size_t n;

	for (int i = 0; i < 5; i++) {
		struct entry entry = make_entry(9);

		entry.id[7] = (uint8_t)i;
		entry.cert_req_id = i % 2 == 0 ? -i : i;
		unit_put_entry(unit, &entry, ENTRY_RECEIVED);
	}
	assert_int_equal(bench_commit(b, unit), 0);
	assert_int_equal(store_entry_list(b->reader, b->pool, &filter, 0, 3, &page, &n, &after), 0);
	assert_int_equal(n, 3);
	assert_int_equal(after, 3);
	assert_int_equal(page[2].number, 3);
	assert_int_equal(page[2].cert_req_id, -2);
	assert_int_equal(store_entry_list(b->reader, b->pool, &filter, after, 3, &page, &n, &after),
	    0);
	assert_int_equal(n, 2);
	assert_int_equal(after, 0);
	assert_int_equal(page[1].cert_req_id, -4);
}

static void
an_id_may_be_shortened_while_it_is_unique(struct bench *b)
{
	struct entry entry;

	put_entries(b, 0x12345678, 1);
	put_entries(b, 0x1234a678, 1);
	assert_int_equal(store_entry_by_id(b->reader, b->pool, "1234", &entry), CMPD_EEXIST);
	assert_int_equal(store_entry_by_id(b->reader, b->pool, "12345", &entry), 0);
	assert_int_equal(entry.number, 1);
	assert_int_equal(store_entry_by_id(b->reader, b->pool, "1234A", &entry), 0);
	assert_int_equal(entry.number, 2);
	assert_int_equal(store_entry_by_id(b->reader, b->pool, "1234567800000000", &entry), 0);
	assert_int_equal(store_entry_by_id(b->reader, b->pool, "12346", &entry), CMPD_ENOENT);
	assert_int_equal(store_entry_by_id(b->reader, b->pool, "ff", &entry), CMPD_ENOENT);
	assert_int_equal(store_entry_by_id(b->reader, b->pool, "", &entry), CMPD_EINVAL);
	assert_int_equal(store_entry_by_id(b->reader, b->pool, "12x", &entry), CMPD_EINVAL);
	assert_int_equal(store_entry_by_id(b->reader, b->pool, "12345678000000000", &entry),
	    CMPD_EINVAL);
}

static void
certificates_are_found_by_serial(struct bench *b)
{
	struct cert one = make_cert(1), two = make_cert(2), out, *page;
	uint8_t short_serial[1] = {0x40};
	struct unit *unit = unit_new();
	uint64_t after;
	size_t n;

	unit_put_cert(unit, &one);
	unit_put_cert(unit, &two);
	assert_int_equal(bench_commit(b, unit), 0);
	assert_int_equal(store_cert_get(b->reader, b->pool, two.ca, two.serial, &out), 0);
	assert_int_equal(out.number, 2);
	assert_true(bytes_equal(out.serial, two.serial));
	assert_true(bytes_equal(out.der, two.der));
	assert_int_equal(out.reason, -1);
	assert_int_equal(store_cert_by_serial(b->reader, b->pool, "40000002", &out), 0);
	assert_int_equal(out.number, 2);
	assert_int_equal(store_cert_by_serial(b->reader, b->pool, "4", &out), CMPD_EEXIST);
	assert_int_equal(store_cert_by_serial(b->reader, b->pool, "41", &out), CMPD_ENOENT);
	/* The same serial under another CA, and one that is as short as can be. */
	one.ca[0] = 99;
	unit = unit_new();
	unit_put_cert(unit, &one);
	assert_int_equal(bench_commit(b, unit), 0);
	assert_int_equal(store_cert_by_serial(b->reader, b->pool, "40000001", &out), CMPD_EEXIST);
	memset(one.ca, 0, sizeof(one.ca));
	one.serial = bytes_of(short_serial, 1);
	unit = unit_new();
	unit_put_cert(unit, &one);
	assert_int_equal(bench_commit(b, unit), 0);
	assert_int_equal(store_cert_get(b->reader, b->pool, one.ca, one.serial, &out), 0);
	assert_int_equal(store_cert_by_serial(b->reader, b->pool, "40000002", &out), 0);
	assert_int_equal(store_cert_by_serial(b->reader, b->pool, "400000000", &out), CMPD_ENOENT);

	out.status = CERT_REVOKED;
	out.reason = 1;
	out.revoked = 7;
	assert_int_equal(store_cert_by_serial(b->reader, b->pool, "40000002", &two), 0);
	two.status = CERT_REVOKED;
	unit = unit_new();
	unit_put_cert(unit, &two);
	assert_int_equal(bench_commit(b, unit), 0);
	assert_int_equal(store_cert_list(b->reader, b->pool, CERT_REVOKED, 0, 9, &page, &n, &after),
	    0);
	assert_int_equal(n, 1);
	assert_int_equal(page[0].number, 2);
	assert_int_equal(store_cert_list(b->reader, b->pool, -1, 0, 2, &page, &n, &after), 0);
	assert_int_equal(n, 2);
	assert_int_equal(after, 2);
}

static void
what_is_due_comes_oldest_first(struct bench *b)
{
	struct txn txn = make_txn(1);
	struct entry entry = make_entry(1);
	struct cert cert = make_cert(1);
	struct secret secret = make_secret("ref", "value");
	struct unit *unit = unit_new();
	struct due *due;
	size_t n;

	txn.due = 40;
	entry.due = 20;
	cert.due = 30;
	secret.due = 10;
	unit_put_txn(unit, &txn);
	unit_put_entry(unit, &entry, ENTRY_RECEIVED);
	unit_put_cert(unit, &cert);
	unit_add_secret(unit, &secret);
	assert_int_equal(bench_commit(b, unit), 0);
	assert_int_equal(store_due_list(b->reader, b->pool, 9, 9, &due, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(store_due_list(b->reader, b->pool, 40, 9, &due, &n), 0);
	assert_int_equal(n, 4);
	assert_int_equal(due[0].kind, DUE_SECRET);
	assert_int_equal(due[0].number, 1);
	assert_int_equal(due[1].kind, DUE_ENTRY);
	assert_int_equal(due[1].number, 1);
	assert_int_equal(due[1].time, 20);
	assert_int_equal(due[2].kind, DUE_CERT);
	assert_memory_equal(due[2].ca, cert.ca, sizeof(cert.ca));
	assert_true(bytes_equal(due[2].serial, cert.serial));
	assert_int_equal(due[3].kind, DUE_TXN);
	assert_memory_equal(&due[3].txn, &txn.key, sizeof(txn.key));
	assert_int_equal(store_due_list(b->reader, b->pool, 40, 2, &due, &n), 0);
	assert_int_equal(n, 2);

	/* Moved, then not due any more. */
	assert_int_equal(store_entry_get(b->reader, b->pool, 1, &entry), 0);
	entry.due = 50;
	unit = unit_new();
	unit_put_entry(unit, &entry, entry.state);
	assert_int_equal(bench_commit(b, unit), 0);
	assert_int_equal(store_due_list(b->reader, b->pool, 50, 9, &due, &n), 0);
	assert_int_equal(n, 4);
	assert_int_equal(due[3].kind, DUE_ENTRY);
	entry.version = 2;
	entry.due = 0;
	unit = unit_new();
	unit_put_entry(unit, &entry, entry.state);
	assert_int_equal(bench_commit(b, unit), 0);
	assert_int_equal(store_due_list(b->reader, b->pool, 50, 9, &due, &n), 0);
	assert_int_equal(n, 3);
}

static void
the_audit_chain_holds(struct bench *b)
{
	struct audit *lines;
	uint64_t after, bad = 0;
	char text[32];
	size_t n;

	assert_int_equal(store_audit_verify(b->reader, &bad), 0);
	for (int i = 0; i < 5; i++) {
		struct unit *unit = unit_new();

		snprintf(text, sizeof(text), "line %d", i);
		unit_audit(unit, 100 + i, "operator:root", "entry.approved", "00ff", text);
		unit_audit(unit, 100 + i, "cmpd", "test", NULL, NULL);
		assert_int_equal(bench_commit(b, unit), 0);
	}
	assert_int_equal(store_audit_verify(b->reader, &bad), 0);
	assert_int_equal(store_audit_list(b->reader, b->pool, 2, 4, &lines, &n, &after), 0);
	assert_int_equal(n, 4);
	assert_int_equal(after, 6);
	assert_int_equal(lines[0].number, 3);
	assert_string_equal(lines[0].text, "line 1");
	assert_string_equal(lines[0].object, "00ff");
	assert_null(lines[1].object);
	assert_int_equal(lines[0].time, 101);
}

static void
readers_are_limited(struct bench *b)
{
	struct store_reader *readers[126];
	size_t n = 0;

	while (n < 126 && store_reader_open(b->store, &readers[n]) == 0) {
		n++;
	}
	assert_int_equal(n, 125); /* one is open already */
	assert_int_equal(store_reader_open(b->store, &readers[125]), CMPD_ELIMIT);
	for (size_t i = 0; i < n; i++) {
		store_reader_close(readers[i]);
	}
	assert_int_equal(store_reader_open(b->store, &readers[0]), 0);
	store_reader_close(readers[0]);
}

const struct story contract_reads[] = {
    {"paging while inserting misses and repeats nothing",
	paging_while_inserting_misses_and_repeats_nothing},
    {"lists are filtered", lists_are_filtered},
    {"entries of a transaction come by number", entries_of_a_transaction_come_by_number},
    {"B7.2 an id may be shortened while it is unique", an_id_may_be_shortened_while_it_is_unique},
    {"certificates are found by serial", certificates_are_found_by_serial},
    {"what is due comes oldest first", what_is_due_comes_oldest_first},
    {"B7.7 the audit chain holds", the_audit_chain_holds},
    {"readers are limited", readers_are_limited},
    {NULL, NULL},
};
