/* CRLs, as libcrypto reads them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <openssl/x509v3.h>

#include "fixture.h"
#include "issuer/crl.h"

#define NOW INT64_C(1900000000123)

static struct issuer_crl *
begin(struct fixture *f, uint64_t number)
{
	struct issuer_generation g;
	struct issuer_crl *crl = NULL;

	assert_int_equal(issuer_generation0(f->issuer, 0, &g), 0);
	assert_true(g.makes_crls);
	assert_int_equal(
	    issuer_crl_begin(f->issuer, g.id, number, NOW, NOW + 7 * DAY, &crl, &f->diag), 0);
	return crl;
}

static void
add(struct issuer_crl *crl, const char *serial, enum cert_status status, int reason)
{
	const struct revoked row = {
	    .serial = bytes_str(serial), .status = status, .reason = reason, .revoked = NOW - 5000};

	issuer_crl_add(crl, &row);
}

/* Ends it; what comes out is DER that libcrypto reads, and the CA has signed it. */
static X509_CRL *
end(struct fixture *f, struct issuer_crl *crl)
{
	const unsigned char *p;
	unsigned char *again = NULL;
	X509_CRL *out;
	struct buf der;

	buf_init(&der, ISSUER_CRL_MAX + 4096);
	assert_int_equal(issuer_crl_end(crl, &der, &f->diag), 0);
	issuer_crl_free(crl);
	p = der.data;
	out = d2i_X509_CRL(NULL, &p, (long)der.len);
	assert_non_null(out);
	assert_ptr_equal(p, der.data + der.len);
	assert_int_equal(i2d_re_X509_CRL_tbs(out, &again) > 0, 1);
	OPENSSL_free(again);
	assert_int_equal(X509_CRL_verify(out, f->ca_key), 1);
	assert_int_equal(X509_CRL_get_version(out), X509_CRL_VERSION_2);
	buf_fini(&der);
	return out;
}

static int64_t
number_of(X509_CRL *crl)
{
	ASN1_INTEGER *number = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
	int64_t out;

	assert_non_null(number);
	assert_int_equal(ASN1_INTEGER_get_int64(&out, number), 1);
	ASN1_INTEGER_free(number);
	return out;
}

/* -1: none is told. */
static long
reason_at(X509_CRL *crl, int i)
{
	X509_REVOKED *row = sk_X509_REVOKED_value(X509_CRL_get_REVOKED(crl), i);
	ASN1_ENUMERATED *reason = X509_REVOKED_get_ext_d2i(row, NID_crl_reason, NULL, NULL);
	long out = reason == NULL ? -1 : ASN1_ENUMERATED_get(reason);

	ASN1_ENUMERATED_free(reason);
	return out;
}

static void
an_empty_crl_has_no_list(void **state)
{
	struct fixture f;
	AUTHORITY_KEYID *authority;
	X509_CRL *crl;
	int days, seconds;

	(void)state;
	fixture_init(&f, "P-256", 36500);
	crl = end(&f, begin(&f, 1));
	assert_null(X509_CRL_get_REVOKED(crl));
	assert_int_equal(number_of(crl), 1);
	assert_int_equal(X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(f.ca_x509)),
	    0);
	authority = X509_CRL_get_ext_d2i(crl, NID_authority_key_identifier, NULL, NULL);
	assert_non_null(authority);
	assert_int_equal(
	    ASN1_OCTET_STRING_cmp(authority->keyid, X509_get0_subject_key_id(f.ca_x509)), 0);
	assert_null(authority->issuer);
	AUTHORITY_KEYID_free(authority);
	assert_int_equal(ASN1_TIME_diff(&days, &seconds, X509_CRL_get0_lastUpdate(crl),
			     X509_CRL_get0_nextUpdate(crl)),
	    1);
	assert_int_equal(days, 7);
	assert_int_equal(seconds, 0);
	X509_CRL_free(crl);
	fixture_fini(&f);
}

static void
reasons_are_told_but_for_unspecified(void **state)
{
	struct fixture f;
	struct issuer_crl *making;
	X509_REVOKED *found = NULL;
	ASN1_INTEGER *serial = ASN1_INTEGER_new();
	X509_CRL *crl;

	(void)state;
	fixture_init(&f, "P-256", 36500);
	making = begin(&f, UINT64_C(0x8000000000));
	add(making, "\x11\x22", CERT_REVOKED, 1);
	add(making, "\x81\x01", CERT_REVOKED, -1);
	add(making, "\x21\x01", CERT_REVOKED, 0);
	add(making, "\x31\x01", CERT_HELD, 6);
	add(making, "\x41\x01", CERT_REVOKED, 9);
	add(making, "\x51\x01", CERT_REVOKED, 7);
	crl = end(&f, making);
	assert_int_equal(number_of(crl), INT64_C(0x8000000000));
	assert_int_equal(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl)), 6);
	assert_int_equal(ASN1_INTEGER_set_uint64(serial, 0x1122), 1);
	assert_int_equal(X509_CRL_get0_by_serial(crl, &found, serial), 1);
	/* A leading bit does not make it negative. */
	assert_int_equal(ASN1_INTEGER_set_uint64(serial, 0x8101), 1);
	assert_int_equal(X509_CRL_get0_by_serial(crl, &found, serial), 1);
	ASN1_INTEGER_free(serial);
	X509_CRL_free(crl);

	/* Looking up sorts: reasons are read from another copy. */
	making = begin(&f, 2);
	add(making, "\x11", CERT_REVOKED, 1);
	add(making, "\x12", CERT_REVOKED, -1);
	add(making, "\x13", CERT_REVOKED, 0);
	add(making, "\x14", CERT_HELD, -1);
	add(making, "\x15", CERT_REVOKED, 6);
	add(making, "\x16", CERT_REVOKED, 10);
	crl = end(&f, making);
	assert_int_equal(reason_at(crl, 0), 1);
	assert_int_equal(reason_at(crl, 1), -1);
	assert_int_equal(reason_at(crl, 2), -1);
	assert_int_equal(reason_at(crl, 3), 6);
	assert_int_equal(reason_at(crl, 4), -1);
	assert_int_equal(reason_at(crl, 5), 10);
	X509_CRL_free(crl);
	fixture_fini(&f);
}

static void
every_kind_of_key_signs_crls(void **state)
{
	static const char *const kinds[] = {"P-384", "P-521", "2048", "ED25519", "ED448"};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct fixture f;
		struct issuer_crl *making;

		fixture_init(&f, kinds[i], 36500);
		making = begin(&f, 1);
		add(making, "\x01", CERT_REVOKED, 1);
		X509_CRL_free(end(&f, making));
		fixture_fini(&f);
	}
}

static void
a_hundred_thousand_entries_are_some_megabytes(void **state)
{
	struct fixture f;
	struct issuer_crl *making;
	uint8_t serial[SERIAL_MAX] = {0x42};
	struct revoked row = {.serial = bytes_of(serial, sizeof(serial)),
	    .status = CERT_REVOKED,
	    .reason = 1,
	    .revoked = NOW};
	X509_CRL *crl;

	(void)state;
	fixture_init(&f, "P-256", 36500);
	making = begin(&f, 1);
	for (uint32_t i = 0; i < 100000; i++) {
		memcpy(serial + 4, &i, sizeof(i));
		issuer_crl_add(making, &row);
	}
	crl = end(&f, making);
	assert_int_equal(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl)), 100000);
	X509_CRL_free(crl);
	fixture_fini(&f);
}

static void
what_cannot_be_is_told(void **state)
{
	static const uint8_t nobody[CA_ID_SIZE] = {1};
	struct fixture f;
	struct issuer_crl *making = NULL;
	struct issuer_generation g;
	struct buf der;

	(void)state;
	fixture_init(&f, "P-256", 36500);
	assert_int_equal(issuer_crl_begin(f.issuer, nobody, 1, NOW, NOW + DAY, &making, &f.diag),
	    CMPD_ENOENT);
	/* A time that has no encoding. */
	assert_int_equal(issuer_generation0(f.issuer, 0, &g), 0);
	assert_int_equal(issuer_crl_begin(f.issuer, g.id, 1, NOW, INT64_MAX, &making, &f.diag), 0);
	buf_init(&der, 1 << 20);
	assert_true(issuer_crl_end(making, &der, &f.diag) < 0);
	assert_int_equal(der.len, 0);
	issuer_crl_free(making);
	/* One that is not ended. */
	issuer_crl_free(begin(&f, 1));
	issuer_crl_free(NULL);
	buf_fini(&der);
	fixture_fini(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_empty_crl_has_no_list),
	    {"B4.5 reasons are told but for unspecified", reasons_are_told_but_for_unspecified,
		NULL, NULL, NULL},
	    cmocka_unit_test(every_kind_of_key_signs_crls),
	    cmocka_unit_test(a_hundred_thousand_entries_are_some_megabytes),
	    cmocka_unit_test(what_cannot_be_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
