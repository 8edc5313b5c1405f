/* What CRLs are made of, and CRLs. */
#include <string.h>

#include "contract.h"

static const uint8_t ca[CA_ID_SIZE] = {1, 2, 3}; /* of make_cert */
static const uint8_t other[CA_ID_SIZE] = {9};

static void
issue(struct bench *b, unsigned int first, unsigned int n)
{
	struct unit *unit = unit_new();

	for (unsigned int i = first; i < first + n; i++) {
		struct cert cert = make_cert(i);

		cert.due = 5;
		unit_put_cert(unit, &cert);
	}
	assert_int_equal(bench_commit(b, unit), 0);
}

static struct cert
get(struct bench *b, unsigned int n)
{
	struct cert cert, key = make_cert(n);

	assert_int_equal(store_cert_get(b->reader, b->pool, key.ca, key.serial, &cert), 0);
	return cert;
}

static void
set(struct bench *b, unsigned int n, enum cert_status status, int reason)
{
	struct cert cert = get(b, n);
	struct unit *unit = unit_new();

	cert.status = status;
	cert.reason = reason;
	cert.revoked = status == CERT_VALID ? 0 : 100 + n;
	unit_put_cert(unit, &cert);
	assert_int_equal(bench_commit(b, unit), 0);
}

static void
assert_count(struct bench *b, uint64_t changes, uint64_t rows)
{
	uint64_t is_changes, is_rows;

	assert_int_equal(store_revoked_count(b->reader, ca, &is_changes, &is_rows), 0);
	assert_int_equal(is_changes, changes);
	assert_int_equal(is_rows, rows);
}

/* All of them, in pages of two. */
static size_t
list(struct bench *b, struct revoked ret[16])
{
	struct revoked *page;
	uint64_t after = 0;
	size_t n, total = 0;

	do {
		assert_int_equal(
		    store_revoked_list(b->reader, b->pool, ca, after, 2, &page, &n, &after), 0);
		assert_true(n <= 2 && total + n <= 16);
		memcpy(ret + total, page, n * sizeof(*page));
		total += n;
	} while (after != 0);
	return total;
}

static void
revoked_and_held_are_listed(struct bench *b)
{
	struct cert key = make_cert(4);
	struct revoked rows[16];

	assert_int_equal(list(b, rows), 0);
	assert_count(b, 0, 0);
	issue(b, 1, 6);
	assert_int_equal(list(b, rows), 0);
	set(b, 4, CERT_REVOKED, 1);
	set(b, 2, CERT_HELD, 6);
	set(b, 5, CERT_REVOKED, -1);
	assert_int_equal(list(b, rows), 3);
	assert_int_equal(rows[0].number, 2);
	assert_int_equal(rows[0].status, CERT_HELD);
	assert_int_equal(rows[0].reason, 6);
	assert_int_equal(rows[0].change, 2);
	assert_int_equal(rows[1].number, 4);
	assert_int_equal(rows[1].revoked, 104);
	assert_int_equal(rows[1].not_after, key.not_after);
	assert_int_equal(rows[1].change, 1);
	assert_true(bytes_equal(rows[1].serial, key.serial));
	assert_int_equal(rows[2].reason, -1);
	assert_count(b, 3, 3);
}

static void
a_revived_certificate_is_no_longer_listed(struct bench *b)
{
	struct revoked rows[16];

	issue(b, 1, 3);
	set(b, 1, CERT_HELD, 6);
	set(b, 2, CERT_HELD, 6);
	set(b, 1, CERT_VALID, -1);
	assert_int_equal(list(b, rows), 1);
	assert_int_equal(rows[0].number, 2);
	assert_count(b, 3, 1);
	/* From hold to revoked: one row, another change. */
	set(b, 2, CERT_REVOKED, 4);
	assert_int_equal(list(b, rows), 1);
	assert_int_equal(rows[0].status, CERT_REVOKED);
	assert_int_equal(rows[0].change, 4);
	assert_count(b, 4, 1);
}

static void
a_change_of_something_else_is_no_revocation(struct bench *b)
{
	struct unit *unit = unit_new();
	struct revoked rows[16];
	struct cert cert;
	uint64_t before;

	issue(b, 1, 2);
	set(b, 1, CERT_REVOKED, 1);
	before = store_revocations(b->store);
	assert_true(before > 0);
	cert = get(b, 1);
	cert.confirmed = true;
	unit_put_cert(unit, &cert);
	cert = get(b, 2);
	cert.confirmed = true;
	unit_put_cert(unit, &cert);
	assert_int_equal(bench_commit(b, unit), 0);
	assert_int_equal(list(b, rows), 1);
	assert_count(b, 1, 1);
	assert_int_equal(store_revocations(b->store), before);
	/* A unit that is refused counts as little. */
	cert.status = CERT_REVOKED;
	cert.version = 7;
	unit = unit_new();
	unit_put_cert(unit, &cert);
	assert_int_equal(bench_commit(b, unit), CMPD_ECONFLICT);
	assert_count(b, 1, 1);
	assert_int_equal(store_revocations(b->store), before);
	set(b, 2, CERT_REVOKED, 1);
	assert_true(store_revocations(b->store) > before);
}

static void
generations_are_told_apart(struct bench *b)
{
	struct cert cert = make_cert(7);
	struct unit *unit = unit_new();
	struct revoked rows[16], *page;
	uint64_t after, changes, n_rows;
	size_t n;

	memcpy(cert.ca, other, sizeof(cert.ca));
	cert.status = CERT_REVOKED; /* as never happens: issued and revoked in one */
	unit_put_cert(unit, &cert);
	assert_int_equal(bench_commit(b, unit), 0);
	issue(b, 1, 1);
	set(b, 1, CERT_REVOKED, 0);
	assert_int_equal(list(b, rows), 1);
	assert_int_equal(rows[0].number, 2);
	assert_count(b, 1, 1);
	assert_int_equal(store_revoked_count(b->reader, other, &changes, &n_rows), 0);
	assert_int_equal(changes, 1);
	assert_int_equal(store_revoked_list(b->reader, b->pool, other, 0, 9, &page, &n, &after), 0);
	assert_int_equal(n, 1);
	assert_int_equal(page[0].number, 1);
	assert_int_equal(
	    store_revoked_list(b->reader, b->pool, other, UINT64_MAX, 9, &page, &n, &after), 0);
	assert_int_equal(n, 0);
}

static void
a_purged_certificate_leaves_no_row(struct bench *b)
{
	struct unit *unit = unit_new();
	struct revoked rows[16];
	struct cert cert;

	issue(b, 1, 3);
	set(b, 1, CERT_REVOKED, 1);
	set(b, 2, CERT_REVOKED, 1);
	cert = get(b, 1);
	unit_drop_cert(unit, cert.ca, cert.serial, cert.version);
	cert = get(b, 3);
	unit_drop_cert(unit, cert.ca, cert.serial, cert.version);
	assert_int_equal(bench_commit(b, unit), 0);
	assert_int_equal(list(b, rows), 1);
	assert_int_equal(rows[0].number, 2);
	assert_count(b, 2, 1);
}

static struct crl
make_crl(uint64_t number)
{
	struct crl crl = {.number = number,
	    .this_update = 10,
	    .next_update = 20,
	    .covers = 3,
	    .entries = 2,
	    .settings = {7},
	    .der = bytes_str("der")};

	memcpy(crl.ca, ca, sizeof(crl.ca));
	return crl;
}

static int
put_crl(struct bench *b, const struct crl *crl)
{
	struct unit *unit = unit_new();

	unit_put_crl(unit, crl);
	return bench_commit(b, unit);
}

static void
a_crl_takes_the_place_of_the_one_before(struct bench *b)
{
	struct crl crl = make_crl(1), out;

	assert_int_equal(store_crl_get(b->reader, b->pool, ca, &out), CMPD_ENOENT);
	assert_int_equal(put_crl(b, &crl), 0);
	assert_int_equal(put_crl(b, &crl), CMPD_ECONFLICT);
	assert_int_equal(store_crl_get(b->reader, b->pool, ca, &out), 0);
	assert_int_equal(out.version, 1);
	assert_int_equal(out.number, 1);
	assert_int_equal(out.this_update, 10);
	assert_int_equal(out.next_update, 20);
	assert_int_equal(out.covers, 3);
	assert_int_equal(out.entries, 2);
	assert_memory_equal(out.settings, crl.settings, sizeof(crl.settings));
	assert_memory_equal(out.ca, ca, sizeof(ca));
	assert_true(bytes_equal(out.der, crl.der));
	assert_int_equal(store_crl_info(b->reader, other, &out), CMPD_ENOENT);
	assert_int_equal(store_crl_info(b->reader, ca, &out), 0);
	assert_int_equal(out.covers, 3);
	assert_null(out.der.data);
	assert_int_equal(out.der.len, crl.der.len);
	out.number = 2;
	out.der = bytes_str("another");
	assert_int_equal(put_crl(b, &out), 0);
	assert_int_equal(put_crl(b, &out), CMPD_ECONFLICT);
	assert_int_equal(store_crl_get(b->reader, b->pool, other, &out), CMPD_ENOENT);
	assert_int_equal(store_crl_get(b->reader, b->pool, ca, &out), 0);
	assert_int_equal(out.number, 2);
	assert_true(bytes_equal(out.der, bytes_str("another")));
	/* Two at once, and a number that does not grow. */
	assert_int_equal(put_crl(b, &out), CMPD_ESTATE);
	out.number = 0;
	assert_int_equal(put_crl(b, &out), CMPD_EINVAL);
}

static void
crl_and_rows_are_there_after_reopening(struct bench *b)
{
	struct crl crl = make_crl(41), out;
	struct revoked rows[16];

	if (b->options.dir == NULL) {
		return;
	}
	issue(b, 1, 2);
	set(b, 2, CERT_REVOKED, 3);
	assert_int_equal(put_crl(b, &crl), 0);
	bench_reopen(b);
	assert_int_equal(store_revocations(b->store), 0);
	assert_int_equal(list(b, rows), 1);
	assert_int_equal(rows[0].reason, 3);
	assert_count(b, 1, 1);
	assert_int_equal(store_crl_get(b->reader, b->pool, ca, &out), 0);
	assert_int_equal(out.number, 41);
	set(b, 1, CERT_REVOKED, 3);
	assert_count(b, 2, 2);
}

const struct story contract_revoked[] = {
    {"B4.5 revoked and held are listed", revoked_and_held_are_listed},
    {"B4.5 a revived certificate is no longer listed", a_revived_certificate_is_no_longer_listed},
    {"a change of something else is no revocation", a_change_of_something_else_is_no_revocation},
    {"B4.12 generations are told apart", generations_are_told_apart},
    {"a purged certificate leaves no row", a_purged_certificate_leaves_no_row},
    {"a CRL takes the place of the one before", a_crl_takes_the_place_of_the_one_before},
    {"CRL and rows are there after reopening", crl_and_rows_are_there_after_reopening},
    {NULL, NULL},
};
