/* What stands in a CRL and when one is due: the real store, issuer and desk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/x509.h>

#include "enrol/crl.h"
#include "issuer/crl.h"
#include "issuer/fixture.h"
#include "store/store.h"

#define START INT64_C(1900000000123)
#define MANY  100000u

struct stage {
	struct fixture f;
	struct store *store;
	struct store_reader *reader;
	struct desk desk;
	struct issuer_generation generation;
	struct buf der;
	struct crl newest;
	bool there;
};

static void
stage_init(struct stage *s)
{
	struct store_options options = {.dir = NULL};
	struct diag diag;

	*s = (struct stage){.there = false};
	fixture_init(&s->f, "P-256", 36500);
	s->f.ca.crl_validity = 7 * DAY;
	s->f.ca.crl_renew = DAY;
	assert_int_equal(store_open(&options, &s->store, &diag), 0);
	assert_int_equal(store_reader_open(s->store, &s->reader), 0);
	assert_int_equal(issuer_generation0(s->f.issuer, 0, &s->generation), 0);
	s->desk = (struct desk){.conf = &s->f.conf,
	    .issuer = s->f.issuer,
	    .reader = s->reader,
	    .pool = s->f.pool,
	    .now = START};
	buf_init(&s->der, ISSUER_CRL_MAX + 4096);
}

static void
stage_fini(struct stage *s)
{
	buf_fini(&s->der);
	store_reader_close(s->reader);
	store_close(s->store);
	fixture_fini(&s->f);
}

static struct cert
put(struct stage *s, struct unit *unit, uint32_t n, enum cert_status status, int64_t not_after)
{
	static uint8_t serial[SERIAL_MAX];
	struct cert cert = {.der = bytes_str("der"),
	    .status = status,
	    .reason = status == CERT_VALID ? -1 : 1,
	    .revoked = status == CERT_VALID ? 0 : s->desk.now,
	    .not_after = not_after,
	    .due = not_after + DAY};

	memset(serial, 0x33, sizeof(serial));
	for (int i = 0; i < 4; i++) {
		serial[1 + i] = (uint8_t)(n >> (24 - 8 * i));
	}
	memcpy(cert.ca, s->generation.id, sizeof(cert.ca));
	cert.serial = bytes_of(serial, sizeof(serial));
	unit_put_cert(unit, &cert);
	return cert;
}

static void
revoke(struct stage *s, uint32_t n, int64_t not_after)
{
	struct unit *unit = unit_new();

	put(s, unit, n, CERT_REVOKED, not_after);
	assert_int_equal(store_commit_wait(s->store, unit), 0);
}

static bool
is_due(struct stage *s)
{
	bool due = false;

	assert_int_equal(
	    desk_crl_is_due(&s->desk, &s->generation, s->there ? &s->newest : NULL, &due), 0);
	return due;
}

/* Makes one and stores it; how many entries it has. */
static uint64_t
make(struct stage *s)
{
	struct diag diag = {""};

	buf_fini(&s->der);
	s->desk.unit = unit_new();
	assert_int_equal(desk_crl_make(&s->desk, &s->generation, s->there ? &s->newest : NULL,
			     &s->der, &s->newest, &diag),
	    0);
	assert_int_equal(store_commit_wait(s->store, s->desk.unit), 0);
	s->desk.unit = NULL;
	s->newest.version++;
	s->there = true;
	return s->newest.entries;
}

static void
one_is_due_when_something_says_so(void **state)
{
	struct stage s;

	(void)state;
	stage_init(&s);
	assert_true(is_due(&s));
	assert_int_equal(make(&s), 0);
	assert_false(is_due(&s));
	revoke(&s, 1, START + DAY);
	assert_true(is_due(&s));
	assert_int_equal(make(&s), 1);
	assert_int_equal(s.newest.number, 2);
	assert_int_equal(s.newest.this_update, START - START % 1000);
	assert_false(is_due(&s));
	s.desk.now += DAY;
	assert_true(is_due(&s));
	assert_int_equal(make(&s), 1);
	s.desk.now -= 2 * DAY; /* the clock was wrong */
	assert_true(is_due(&s));
	s.desk.now += 2 * DAY;
	assert_false(is_due(&s));
	s.f.ca.crl_validity = 8 * DAY;
	assert_true(is_due(&s));
	s.generation.makes_crls = false;
	assert_false(is_due(&s));
	stage_fini(&s);
}

static void
expired_ones_leave_after_one_more(void **state)
{
	struct stage s;

	(void)state;
	stage_init(&s);
	revoke(&s, 1, START + DAY);
	assert_int_equal(make(&s), 1);
	s.desk.now += DAY + 5000;
	assert_int_equal(make(&s), 1); /* after its expiry, for the first time */
	assert_int_equal(make(&s), 0);
	/* Revoked after it has expired: it stands in one all the same. */
	revoke(&s, 2, START + DAY);
	assert_int_equal(make(&s), 1);
	assert_int_equal(make(&s), 0);
	stage_fini(&s);
}

static void
what_still_has_to_stand_is_not_purged(void **state)
{
	struct stage s;
	struct cert cert;
	struct crl crl;

	(void)state;
	stage_init(&s);
	revoke(&s, 1, START + DAY);
	assert_int_equal(store_cert_by_serial(s.reader, s.f.pool, "33", &cert), 0);
	assert_int_equal(desk_crl_with(&s.desk, &cert, &crl), CMPD_ENOENT);
	assert_true(desk_crl_needs(&s.desk, &cert));
	make(&s);
	assert_int_equal(desk_crl_with(&s.desk, &cert, &crl), 0);
	assert_int_equal(crl.number, 1);
	s.desk.now += 3 * DAY;
	assert_true(desk_crl_needs(&s.desk, &cert));
	make(&s);
	assert_false(desk_crl_needs(&s.desk, &cert));
	stage_fini(&s);
}

static double
seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void
a_hundred_thousand_are_listed(void **state)
{
	const unsigned char *p;
	X509_CRL *crl;
	struct stage s;
	double begun;

	(void)state;
	stage_init(&s);
	for (uint32_t n = 0; n < MANY;) {
		struct unit *unit = unit_new();

		for (int i = 0; i < 100; i++) {
			put(&s, unit, n++, CERT_REVOKED, START + 90 * DAY);
		}
		assert_int_equal(store_commit_wait(s.store, unit), 0);
	}
	begun = seconds();
	assert_int_equal(make(&s), MANY);
	print_message("# %u entries, %zu bytes: %.0f ms\n", MANY, s.der.len,
	    1000 * (seconds() - begun));
	p = s.der.data;
	crl = d2i_X509_CRL(NULL, &p, (long)s.der.len);
	assert_non_null(crl);
	assert_int_equal(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl)), MANY);
	assert_int_equal(X509_CRL_verify(crl, s.f.ca_key), 1);
	X509_CRL_free(crl);
	stage_fini(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    {"B4.5 one is due when something says so", one_is_due_when_something_says_so, NULL,
		NULL, NULL},
	    {"B4.5 expired ones leave after one more", expired_ones_leave_after_one_more, NULL,
		NULL, NULL},
	    cmocka_unit_test(what_still_has_to_stand_is_not_purged),
	    cmocka_unit_test(a_hundred_thousand_are_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
