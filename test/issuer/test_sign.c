#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "fixture.h"
#include "model/name.h"

struct made {
	struct template resolved;
	const char *mods;
	struct cert cert;
	struct bytes hash;
	X509 *x509;
};

static int64_t
now_ms(void)
{
	return clock_wall_ms();
}

static void
make(struct fixture *f, const struct template *requested, int64_t now, struct made *made)
{
	const uint8_t *p;

	*made = (struct made){.mods = NULL};
	assert_int_equal(issuer_resolve(f->issuer, "device", requested, f->pool, &made->resolved,
			     &made->mods, &f->diag),
	    0);
	assert_int_equal(issuer_sign(f->issuer, "device", &made->resolved, now, f->pool,
			     &made->cert, &made->hash, &f->diag),
	    0);
	p = made->cert.der.data;
	made->x509 = d2i_X509(NULL, &p, (long)made->cert.der.len);
	assert_non_null(made->x509);
	assert_ptr_equal(p, made->cert.der.data + made->cert.der.len);
}

static void
assert_key_is(X509 *x509, struct bytes spki)
{
	unsigned char *der = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x509), &der);

	assert_true(bytes_equal(bytes_of(der, (size_t)len), spki));
	OPENSSL_free(der);
}

static void
assert_verifies(struct fixture *f, X509 *x509)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();

	assert_int_equal(X509_verify(x509, f->ca_key), 1);
	X509_STORE_add_cert(store, f->ca_x509);
	X509_STORE_CTX_init(ctx, store, x509, NULL);
	X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_X509_STRICT | X509_V_FLAG_CHECK_SS_SIGNATURE);
	assert_int_equal(X509_verify_cert(ctx), 1);
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
}

/* certHash as a client computes it. */
static void
assert_hash_fits(const struct made *made, const char *digest, size_t size)
{
	EVP_MD *md = EVP_MD_fetch(NULL, digest, NULL);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t hash[64];

	EVP_DigestInit_ex(ctx, md, NULL);
	EVP_DigestUpdate(ctx, made->cert.der.data, made->cert.der.len);
	if (strcmp(digest, "SHAKE256") == 0) {
		EVP_DigestFinalXOF(ctx, hash, size);
	} else {
		EVP_DigestFinal_ex(ctx, hash, NULL);
	}
	assert_true(bytes_equal(made->hash, bytes_of(hash, size)));
	EVP_MD_CTX_free(ctx);
	EVP_MD_free(md);
}

/* B4.1 */
static void
certificates_of_every_ca_verify_B4_1(void **state)
{
	static const struct {
		const char *ca;
		int signature;
		const char *digest;
		size_t size;
	} rows[] = {
	    {"P-256", NID_ecdsa_with_SHA256, "SHA256", 32},
	    {"P-384", NID_ecdsa_with_SHA384, "SHA384", 48},
	    {"P-521", NID_ecdsa_with_SHA512, "SHA512", 64},
	    {"2048", NID_sha256WithRSAEncryption, "SHA256", 32},
	    {"ED25519", NID_ED25519, "SHA512", 64},
	    {"ED448", NID_ED448, "SHAKE256", 64},
	};
	static const char *const keys[] = {"P-256", "P-384", "2048", "ED25519"};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture f;

		fixture_init(&f, rows[i].ca, 3650);
		for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
			struct template template = template_of(&f);
			EVP_PKEY *key = make_key(keys[k]);
			struct made made;

			template.spki = spki_of(&f, key);
			make(&f, &template, now_ms(), &made);
			assert_verifies(&f, made.x509);
			assert_key_is(made.x509, template.spki);
			assert_int_equal(X509_get_signature_nid(made.x509), rows[i].signature);
			assert_hash_fits(&made, rows[i].digest, rows[i].size);
			X509_free(made.x509);
			EVP_PKEY_free(key);
		}
		fixture_fini(&f);
	}
}

static void
assert_extension(X509 *x509, int nid, int critical, const char *text)
{
	int at = X509_get_ext_by_NID(x509, nid, -1);
	BIO *bio = BIO_new(BIO_s_mem());
	char *data;
	long len;

	assert_true(at >= 0);
	assert_int_equal(X509_EXTENSION_get_critical(X509_get_ext(x509, at)), critical);
	assert_int_equal(X509V3_EXT_print(bio, X509_get_ext(x509, at), 0, 0), 1);
	len = BIO_get_mem_data(bio, &data);
	if (memmem(data, (size_t)len, text, strlen(text)) == NULL) {
		fail_msg("%s: %.*s", text, (int)len, data);
	}
	BIO_free(bio);
}

static void
extensions_are_the_profiles(void **state)
{
	static const char *const lines[] = {
	    "subjectAltName=DNS:a.example,IP:10.0.0.1,otherName:1.2.3;UTF8:x", NULL};
	struct fixture f;
	struct template template;
	struct made made;

	(void)state;
	fixture_init(&f, "P-256", 3650);
	template = template_of(&f);
	template.extensions = extensions_of(&f, lines);
	make(&f, &template, now_ms(), &made);
	assert_null(made.mods);
	assert_int_equal(X509_get_version(made.x509), X509_VERSION_3);
	assert_int_equal(X509_get_ext_count(made.x509), 8);
	assert_extension(made.x509, NID_basic_constraints, 1, "CA:FALSE");
	assert_extension(made.x509, NID_key_usage, 1, "Digital Signature, Key Agreement");
	assert_extension(made.x509, NID_ext_key_usage, 0,
	    "TLS Web Client Authentication, TLS Web Server Authentication");
	assert_extension(made.x509, NID_subject_alt_name, 0, "DNS:a.example, IP Address:10.0.0.1");
	assert_extension(made.x509, NID_crl_distribution_points, 0,
	    "URI:http://ca.example/main.crl");
	assert_extension(made.x509, NID_info_access, 0,
	    "CA Issuers - URI:http://ca.example/main.cer");
	assert_int_equal(X509_check_issued(f.ca_x509, made.x509), X509_V_OK);
	assert_int_equal(ASN1_OCTET_STRING_cmp(X509_get0_authority_key_id(made.x509),
			     X509_get0_subject_key_id(f.ca_x509)),
	    0);

	/* libcrypto's own idea of the key identifier */
	X509V3_CTX ctx;
	X509V3_set_ctx(&ctx, NULL, made.x509, NULL, NULL, 0);
	X509_EXTENSION *wanted =
	    X509V3_EXT_nconf_nid(NULL, &ctx, NID_subject_key_identifier, "hash");
	int at = X509_get_ext_by_NID(made.x509, NID_subject_key_identifier, -1);
	assert_int_equal(ASN1_OCTET_STRING_cmp(X509_EXTENSION_get_data(wanted),
			     X509_EXTENSION_get_data(X509_get_ext(made.x509, at))),
	    0);
	X509_EXTENSION_free(wanted);
	X509_free(made.x509);
	fixture_fini(&f);
}

static void
the_record_says_what_was_made(void **state)
{
	struct fixture f;
	struct template template;
	struct made made;
	ASN1_INTEGER *serial;
	BIGNUM *number;
	struct issuer_generation generation;
	uint8_t ca[CA_ID_SIZE], digest[DIGEST_SIZE];
	int64_t now = 1900000000123;

	(void)state;
	fixture_init(&f, "P-256", 36500);
	template = template_of(&f);
	make(&f, &template, now, &made);
	assert_int_equal(made.cert.not_before, 1899999999000);
	assert_int_equal(made.cert.not_after, 1899999999000 + 90 * DAY);
	assert_string_equal(made.cert.subject, "/CN=device");
	assert_string_equal(made.cert.profile, "device");
	assert_int_equal(made.cert.status, CERT_VALID);
	assert_int_equal(made.cert.reason, -1);
	number = BN_bin2bn(made.cert.serial.data, (int)made.cert.serial.len, NULL);
	serial = BN_to_ASN1_INTEGER(number, NULL);
	assert_int_equal(ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(made.x509)), 0);
	ASN1_INTEGER_free(serial);
	BN_free(number);
	assert_int_equal(digest_sha256(made.cert.der, digest), 0);
	assert_memory_equal(digest, made.cert.sha256, DIGEST_SIZE);
	assert_int_equal(digest_sha256(template.spki, digest), 0);
	assert_memory_equal(digest, made.cert.spki_sha256, DIGEST_SIZE);
	assert_int_equal(issuer_ca_of(f.issuer, made.x509, ca), 0);
	assert_memory_equal(ca, made.cert.ca, CA_ID_SIZE);
	assert_int_equal(issuer_generation0(f.issuer, 0, &generation), 0);
	assert_memory_equal(ca, generation.id, CA_ID_SIZE);
	assert_int_equal(issuer_ca_id(f.issuer, f.profile.name, ca), 0);
	assert_memory_equal(ca, generation.id, CA_ID_SIZE);
	assert_int_equal(issuer_ca_id(f.issuer, "nobody", ca), CMPD_ENOENT);
	X509_free(made.x509);
	fixture_fini(&f);
}

static void
years_from_2050_on_are_generalized(void **state)
{
	struct fixture f;
	struct template template;
	struct made made;
	int64_t end_of_2049 = INT64_C(2524608000000); /* and a second */

	(void)state;
	fixture_init(&f, "P-256", 36500);
	template = template_of(&f);
	made = (struct made){.mods = NULL};
	make(&f, &template, end_of_2049, &made);
	assert_int_equal(X509_get0_notBefore(made.x509)->type, V_ASN1_UTCTIME);
	assert_int_equal(X509_get0_notAfter(made.x509)->type, V_ASN1_GENERALIZEDTIME);
	assert_string_equal((const char *)X509_get0_notBefore(made.x509)->data, "491231235959Z");
	assert_string_equal((const char *)X509_get0_notAfter(made.x509)->data, "20500331235959Z");
	X509_free(made.x509);
	make(&f, &template, end_of_2049 + 1000, &made);
	assert_int_equal(X509_get0_notBefore(made.x509)->type, V_ASN1_GENERALIZEDTIME);
	X509_free(made.x509);
	fixture_fini(&f);
}

static void
validity_stays_within_the_ca(void **state)
{
	struct fixture f;
	struct template template, resolved;
	struct cert cert = {.number = 0};
	struct bytes hash;
	const char *mods;
	struct made made;
	int64_t now;

	(void)state;
	fixture_init(&f, "P-256", 30);
	template = template_of(&f);
	now = now_ms();
	make(&f, &template, now, &made);
	assert_string_equal(made.mods, "notAfter is shortened to that of the CA");
	assert_int_equal(
	    ASN1_TIME_compare(X509_get0_notAfter(made.x509), X509_get0_notAfter(f.ca_x509)), 0);
	X509_free(made.x509);

	resolved = made.resolved;
	assert_int_equal(issuer_sign(f.issuer, "device", &resolved, now + 31 * DAY, f.pool, &cert,
			     &hash, &f.diag),
	    CMPD_ETEMPLATE);
	assert_string_equal(f.diag.text, "the CA has expired");
	assert_int_equal(issuer_sign(f.issuer, "device", &resolved, now - DAY, f.pool, &cert, &hash,
			     &f.diag),
	    CMPD_ETEMPLATE);
	resolved.not_after = now + DAY;
	assert_int_equal(issuer_sign(f.issuer, "device", &resolved, now + 2 * DAY, f.pool, &cert,
			     &hash, &f.diag),
	    CMPD_ETEMPLATE);
	assert_string_equal(f.diag.text, "notAfter has passed");
	assert_int_equal(issuer_sign(f.issuer, "nobody", &resolved, now, f.pool, &cert, &hash,
			     &f.diag),
	    CMPD_ENOENT);
	assert_int_equal(issuer_sign(f.issuer, "device", &template, now, f.pool, &cert, &hash,
			     &f.diag),
	    CMPD_ETEMPLATE);
	(void)mods;
	assert_null(cert.der.data);
	fixture_fini(&f);
}

static void
a_changed_ca_does_not_sign_what_was_approved(void **state)
{
	struct fixture f, other;
	struct template template;
	struct cert cert;
	struct bytes hash;
	struct made made;
	uint8_t ca[CA_ID_SIZE];

	(void)state;
	fixture_init(&f, "P-256", 3650);
	fixture_init(&other, "P-256", 3650);
	template = template_of(&f);
	make(&f, &template, now_ms(), &made);
	assert_int_equal(issuer_sign(other.issuer, "device", &made.resolved, now_ms(), other.pool,
			     &cert, &hash, &other.diag),
	    CMPD_ETEMPLATE);
	memset(made.resolved.ca, 0, sizeof(made.resolved.ca));
	assert_int_equal(issuer_sign(other.issuer, "device", &made.resolved, now_ms(), other.pool,
			     &cert, &hash, &other.diag),
	    CMPD_ETEMPLATE);
	/* Same name, other key: the key identifier tells them apart. */
	assert_int_equal(issuer_ca_of(other.issuer, made.x509, ca), CMPD_ENOENT);
	X509_free(made.x509);
	fixture_fini(&other);
	fixture_fini(&f);
}

static int
compare_serials(const void *a, const void *b)
{
	return memcmp(a, b, SERIAL_MAX);
}

static void
serials_are_long_random_and_unique(void **state)
{
	static uint8_t serials[2000][SERIAL_MAX];
	unsigned ones[160] = {0};
	struct fixture f;
	struct template template, resolved;
	const char *mods;

	(void)state;
	fixture_init(&f, "P-256", 3650);
	template = template_of(&f);
	assert_int_equal(
	    issuer_resolve(f.issuer, "device", &template, f.pool, &resolved, &mods, &f.diag), 0);
	for (size_t i = 0; i < 2000; i++) {
		struct pool *pool = pool_new(1 << 16);
		struct cert cert;
		struct bytes hash;

		assert_int_equal(issuer_sign(f.issuer, "device", &resolved, now_ms(), pool, &cert,
				     &hash, &f.diag),
		    0);
		assert_int_equal(cert.serial.len, SERIAL_MAX);
		assert_in_range(cert.serial.data[0], 1, 0x7f);
		memcpy(serials[i], cert.serial.data, SERIAL_MAX);
		for (size_t bit = 0; bit < 160; bit++) {
			ones[bit] += cert.serial.data[bit / 8] >> (7 - bit % 8) & 1;
		}
		pool_free(pool);
	}
	qsort(serials, 2000, SERIAL_MAX, compare_serials);
	for (size_t i = 1; i < 2000; i++) {
		assert_true(memcmp(serials[i - 1], serials[i], SERIAL_MAX) < 0);
	}
	/* Eight standard deviations around the half. */
	for (size_t bit = 8; bit < 160; bit++) {
		assert_in_range(ones[bit], 820, 1180);
	}
	fixture_fini(&f);
}

static void
an_issued_ca_certificate_works(void **state)
{
	static const char *usage[] = {"digitalSignature", "keyCertSign", "cRLSign", NULL};
	static const char *const lines[] = {"basicConstraints=critical,CA:TRUE", NULL};
	struct fixture f;
	struct template template;
	struct made made;

	(void)state;
	fixture_init(&f, "P-256", 3650);
	f.profile.allow_ca = true;
	f.profile.key_usage = usage;
	f.profile.extended_key_usage = NULL;
	assert_int_equal(fixture_issuer(&f), 0);
	template = template_of(&f);
	template.extensions = extensions_of(&f, lines);
	make(&f, &template, now_ms(), &made);
	assert_verifies(&f, made.x509);
	assert_extension(made.x509, NID_basic_constraints, 1, "CA:TRUE, pathlen:0");
	assert_extension(made.x509, NID_key_usage, 1,
	    "Digital Signature, Certificate Sign, CRL Sign");
	X509_free(made.x509);

	template.extensions = BYTES_NONE;
	make(&f, &template, now_ms(), &made);
	assert_extension(made.x509, NID_basic_constraints, 1, "CA:FALSE");
	assert_int_equal(X509_get_key_usage(made.x509), KU_DIGITAL_SIGNATURE);
	X509_free(made.x509);
	fixture_fini(&f);
}

static void
an_empty_subject_makes_the_names_critical(void **state)
{
	static const char *const lines[] = {"subjectAltName=DNS:a.example", NULL};
	struct fixture f;
	struct template template;
	struct made made;

	(void)state;
	fixture_init(&f, "P-256", 3650);
	template = template_of(&f);
	template.subject = BYTES_NONE;
	template.extensions = extensions_of(&f, lines);
	make(&f, &template, now_ms(), &made);
	assert_verifies(&f, made.x509);
	assert_extension(made.x509, NID_subject_alt_name, 1, "DNS:a.example");
	assert_string_equal(made.cert.subject, "/");
	X509_free(made.x509);
	fixture_fini(&f);
}

/* Repeatable disorder. */
static uint32_t
next_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

static struct bytes
mutate(struct pool *pool, struct bytes in, uint32_t *seed)
{
	uint8_t *copy = pool_alloc(pool, in.len);

	memcpy(copy, in.data, in.len);
	for (uint32_t n = next_random(seed) % 3; n > 0; n--) {
		copy[next_random(seed) % in.len] = (uint8_t)next_random(seed);
	}
	return bytes_of(copy, next_random(seed) % 16 == 0 ? next_random(seed) % in.len : in.len);
}

/* Whatever is accepted makes a certificate that libcrypto can read to its end. */
static void
broken_templates_never_make_broken_certificates(void **state)
{
	static const char *const lines[] = {"subjectAltName=DNS:a,IP:10.0.0.1,otherName:1.2;UTF8:x",
	    "keyUsage=digitalSignature", "basicConstraints=CA:FALSE", "1.2.3=DER:0500", NULL};
	struct fixture f;
	struct template good;
	unsigned made = 0;
	uint32_t seed = 20;

	(void)state;
	fixture_init(&f, "P-256", 3650);
	good = template_of(&f);
	good.extensions = extensions_of(&f, lines);
	for (int i = 0; i < 5000; i++) {
		struct pool *pool = pool_new(1 << 18);
		struct template template = good, resolved;
		const uint8_t *p;
		const char *mods;
		struct cert cert;
		struct bytes hash;

		template.subject = mutate(pool, good.subject, &seed);
		template.spki = mutate(pool, good.spki, &seed);
		template.extensions = mutate(pool, good.extensions, &seed);
		if (issuer_resolve(f.issuer, "device", &template, pool, &resolved, &mods,
			&f.diag) == 0) {
			X509 *x509;
			GENERAL_NAMES *names;

			assert_int_equal(issuer_sign(f.issuer, "device", &resolved, now_ms(), pool,
					     &cert, &hash, &f.diag),
			    0);
			p = cert.der.data;
			x509 = d2i_X509(NULL, &p, (long)cert.der.len);
			assert_non_null(x509);
			assert_ptr_equal(p, cert.der.data + cert.der.len);
			assert_int_equal(X509_get_extension_flags(x509) & EXFLAG_INVALID, 0);
			names = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);
			assert_true(names != NULL ||
				    X509_get_ext_by_NID(x509, NID_subject_alt_name, -1) < 0);
			GENERAL_NAMES_free(names);
			X509_free(x509);
			ERR_clear_error(); /* points that are on no curve */
			made++;
		}
		pool_free(pool);
	}
	assert_in_range(made, 100, 4900);
	fixture_fini(&f);
}

static double
clock_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* The bare signature beside resolve + sign: a figure to look at, not a limit. */
static void
what_it_costs(void **state)
{
	static const char *const kinds[] = {"P-256", "2048"};

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct fixture f;
		struct template template, resolved;
		EVP_MD_CTX *ctx = EVP_MD_CTX_new();
		struct pool *pool = pool_new(1 << 20);
		double bare, resolve, sign, start;
		uint8_t signature[512];
		const char *mods;
		int n = getenv("ISSUER_BENCH") != NULL ? 20000 : 200;

		fixture_init(&f, kinds[k], 3650);
		template = template_of(&f);
		start = clock_us();
		for (int i = 0; i < n; i++) {
			size_t len = sizeof(signature);

			EVP_MD_CTX_reset(ctx);
			EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, f.ca_key);
			EVP_DigestSign(ctx, signature, &len, template.spki.data, 64);
		}
		bare = (clock_us() - start) / n;
		resolve = sign = 0;
		for (int i = 0; i < n; i++) {
			struct cert cert;
			struct bytes hash;

			start = clock_us();
			assert_int_equal(issuer_resolve(f.issuer, "device", &template, pool,
					     &resolved, &mods, &f.diag),
			    0);
			resolve += clock_us() - start;
			start = clock_us();
			assert_int_equal(issuer_sign(f.issuer, "device", &resolved, 1900000000000,
					     pool, &cert, &hash, &f.diag),
			    0);
			sign += clock_us() - start;
			pool_reset(pool);
		}
		pool_free(pool);
		print_message("# CA %s: bare signature %.1f us, resolve %.1f us, sign %.1f us\n",
		    kinds[k], bare, resolve / n, sign / n);
		EVP_MD_CTX_free(ctx);
		fixture_fini(&f);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(certificates_of_every_ca_verify_B4_1),
	    cmocka_unit_test(extensions_are_the_profiles),
	    cmocka_unit_test(the_record_says_what_was_made),
	    cmocka_unit_test(years_from_2050_on_are_generalized),
	    cmocka_unit_test(validity_stays_within_the_ca),
	    cmocka_unit_test(a_changed_ca_does_not_sign_what_was_approved),
	    cmocka_unit_test(serials_are_long_random_and_unique),
	    cmocka_unit_test(an_issued_ca_certificate_works),
	    cmocka_unit_test(an_empty_subject_makes_the_names_critical),
	    cmocka_unit_test(broken_templates_never_make_broken_certificates),
	    cmocka_unit_test(what_it_costs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
