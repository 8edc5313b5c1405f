#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/clock.h"
#include "fixture.h"
#include "model/der.h"
#include "model/extension.h"
#include "model/name.h"

#define NOW INT64_C(1900000000000)

static struct fixture f;
static struct template resolved;
static const char *mods;

static int64_t
fixed_time(void)
{
	return NOW;
}

static int
setup(void **state)
{
	(void)state;
	clock_set_source(fixed_time, NULL);
	fixture_init(&f, "P-256", 36500);
	resolved = (struct template){.validity = 0};
	mods = NULL;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	fixture_fini(&f);
	clock_set_source(NULL, NULL);
	return 0;
}

static int
resolve(const struct template *template)
{
	f.diag.text[0] = '\0';
	return issuer_resolve(f.issuer, "device", template, f.pool, &resolved, &mods, &f.diag);
}

/* B3.16: refused, with this in the reason, and nothing handed out. */
static void
assert_refused(const struct template *template, int error, const char *reason)
{
	struct template before = resolved;

	assert_int_equal(resolve(template), error);
	if (strstr(f.diag.text, reason) == NULL) {
		fail_msg("\"%s\" is not in \"%s\"", reason, f.diag.text);
	}
	assert_memory_equal(&before, &resolved, sizeof(before));
}

static void
assert_extension_refused(const char *line, const char *reason)
{
	const char *const lines[] = {line, NULL};
	struct template template = template_of(&f);

	template.extensions = extensions_of(&f, lines);
	assert_refused(&template, CMPD_EEXTENSION, reason);
}

static void
assert_extension_mods(const char *line, const char *expected)
{
	const char *const lines[] = {line, NULL};
	struct template template = template_of(&f);

	template.extensions = extensions_of(&f, lines);
	assert_int_equal(resolve(&template), 0);
	if (expected == NULL) {
		assert_null(mods);
	} else {
		assert_non_null(mods);
		assert_string_equal(mods, expected);
	}
}

static void
a_template_needs_a_name_B3_16(void **state)
{
	static const char *const lines[] = {"subjectAltName=DNS:a", NULL};
	struct template template = template_of(&f);

	(void)state;
	template.subject = BYTES_NONE;
	assert_refused(&template, CMPD_ETEMPLATE, "neither subject nor subjectAltName");
	template.subject = name_of(&f, "/");
	assert_refused(&template, CMPD_ETEMPLATE, "neither subject nor subjectAltName");
	template.extensions = extensions_of(&f, lines);
	assert_int_equal(resolve(&template), 0);
	assert_true(bytes_equal(resolved.subject, name_of(&f, "/")));
}

static void
subjects_hold_readable_text_only_B3_16(void **state)
{
	static const struct {
		const char *der;
		size_t len;
	} names[] = {
	    {"\x30\x0f\x31\x0d\x30\x0b\x06\x03\x55\x04\x03\x0c\x04"
	     "a\0bc",
		17}, /* NUL */
	    {"\x30\x0b\x31\x09\x30\x07\x06\x03\x55\x04\x03\x0c\x00", 13}, /* empty */
	    {"\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x03\x0c\x02\xc0\xaf", 15}, /* overlong */
	    {"\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x1e\x01"
	     "a",
		14}, /* half of a BMP */
	    {"\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x03\x1e\x02\xd8\x00", 15}, /* surrogate */
	    {"\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x03\x04\x02\x61\x62", 15}, /* octets */
	    {"\x30\x02\x31\x00", 4}, /* empty set */
	    {"\x30\x0e\x31\x0b\x30\x09\x06\x03\x55\x04\x03\x0c\x02\x61\x62\x00",
		16}, /* behind it */
	    {"\x31\x00", 2},
	    {"\x30", 1},
	};
	struct template template = template_of(&f);
	static char wide[5000];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		template.subject = bytes_of(names[i].der, names[i].len);
		assert_refused(&template, CMPD_ETEMPLATE, "subject");
	}
	memset(wide, 'x', sizeof(wide) - 1);
	memcpy(wide, "/CN=", 4);
	template.subject = name_of(&f, wide);
	assert_refused(&template, CMPD_ETEMPLATE, "too long");
	template.subject =
	    name_of(&f, "/CN=\\E2\\80\\AEevil"); /* ugly, but text: operators see it */
	assert_int_equal(resolve(&template), 0);
}

static void
keys_must_be_allowed_B3_16(void **state)
{
	static const char *const refused[] = {
	    "P-521", "1024", "ED448", "X25519", "brainpoolP256r1"};
	static const char *const allowed[] = {"P-256", "P-384", "2048", "ED25519"};
	struct template template = template_of(&f);

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		EVP_PKEY *key = make_key(refused[i]);

		template.spki = spki_of(&f, key);
		assert_refused(&template, CMPD_ETEMPLATE, "not allowed by the profile");
		EVP_PKEY_free(key);
	}
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
		EVP_PKEY *key = make_key(allowed[i]);

		template.spki = spki_of(&f, key);
		assert_int_equal(resolve(&template), 0);
		EVP_PKEY_free(key);
	}
	template.spki = BYTES_NONE;
	assert_refused(&template, CMPD_ETEMPLATE, "no public key");
	template.spki = bytes_of("\x30\x03\x02\x01\x00", 5);
	assert_refused(&template, CMPD_ETEMPLATE, "does not decode");
}

static void
alternative_names_must_be_allowed_and_well_formed_B3_16(void **state)
{
	static const char *only_dns[] = {"dns", NULL}, *none[] = {NULL};

	(void)state;
	assert_extension_mods("subjectAltName=DNS:a-1.example,DNS:*.b.example,DNS:_x,IP:10.0.0.1,"
			      "IP:2001:db8::1,email:a@b,URI:urn:x,otherName:1.2.3;UTF8:x",
	    NULL);
	assert_extension_refused("subjectAltName=RID:1.2.3", "never issued");
	assert_extension_refused("subjectAltName=DNS:a b", "not well-formed");
	assert_extension_refused("subjectAltName=DNS:a..b", "not well-formed");
	assert_extension_refused("subjectAltName=DNS:.a", "not well-formed");
	assert_extension_refused("subjectAltName=DNS:a.", "not well-formed");
	assert_extension_refused("subjectAltName=DNS:a.*", "not well-formed");
	assert_extension_refused("subjectAltName=DNS:*", "not well-formed");
	assert_extension_refused("subjectAltName=DNS:*a.b", "not well-formed");
	assert_extension_refused("subjectAltName=DER:30028200", "not well-formed");
	assert_extension_refused("subjectAltName=email:nobody", "not well-formed");
	assert_extension_refused("subjectAltName=URI:nothing", "not well-formed");
	assert_extension_refused("subjectAltName=DER:3000", "empty");
	assert_extension_refused("subjectAltName=DER:3005820161", "broken");
	assert_extension_refused("subjectAltName=DER:300587037f0000", "not well-formed");
	assert_extension_refused("subjectAltName=DER:3006820461006200", "not well-formed");
	assert_extension_refused("subjectAltName=DER:30028400", "never issued");
	assert_extension_refused("subjectAltName=DER:3004a4023000", "not well-formed");

	f.profile.san = only_dns;
	assert_int_equal(fixture_issuer(&f), 0);
	assert_extension_mods("subjectAltName=DNS:a", NULL);
	assert_extension_refused("subjectAltName=DNS:a,IP:10.0.0.1", "kind ip is not allowed");
	f.profile.san = none;
	assert_int_equal(fixture_issuer(&f), 0);
	assert_extension_refused("subjectAltName=DNS:a", "kind dns is not allowed");
}

static void
requested_usage_may_agree_but_not_add_B3_16(void **state)
{
	(void)state;
	assert_extension_mods("keyUsage=critical,digitalSignature,keyAgreement", NULL);
	assert_extension_mods("keyUsage=digitalSignature", "keyUsage is the profile's");
	assert_extension_mods("keyUsage=keyEncipherment", "keyUsage is the profile's");
	assert_extension_refused("keyUsage=digitalSignature,keyCertSign", "keyUsage goes beyond");
	assert_extension_refused("keyUsage=DER:0101ff", "keyUsage does not decode");
	assert_extension_mods("extendedKeyUsage=clientAuth,serverAuth", NULL);
	assert_extension_mods("extendedKeyUsage=serverAuth", "extendedKeyUsage is the profile's");
	assert_extension_refused("extendedKeyUsage=codeSigning", "not allowed");
	assert_extension_refused("extendedKeyUsage=anyExtendedKeyUsage", "not allowed");
	assert_extension_refused("extendedKeyUsage=1.3.6.1.5.5.7.3.27", "a role in CMP");
	assert_extension_refused("extendedKeyUsage=clientAuth,1.3.6.1.5.5.7.3.28", "a role in CMP");
	assert_extension_refused("extendedKeyUsage=1.3.6.1.5.5.7.3.32", "a role in CMP");
	assert_extension_refused("extendedKeyUsage=DER:3000", "empty or broken");
	assert_extension_mods("basicConstraints=critical,CA:FALSE", NULL);
	assert_extension_refused("basicConstraints=critical,CA:TRUE", "no certificates of CAs");
	assert_extension_refused("basicConstraints=CA:TRUE,pathlen:0", "no certificates of CAs");
	assert_extension_refused("basicConstraints=DER:0500", "does not decode");
}

static void
other_extensions_are_left_out_or_refused_B3_16(void **state)
{
	static const char *const lines[] = {
	    "1.2.3.4=DER:0500", "subjectKeyIdentifier=00:01", "subjectAltName=DNS:a", NULL};
	struct template template = template_of(&f);
	const char **sans;

	(void)state;
	assert_extension_refused("1.2.3.4=critical,DER:0500", "critical extension 1.2.3.4");
	assert_extension_refused("nameConstraints=critical,permitted;DNS:a", "critical extension");
	assert_extension_mods("crlDistributionPoints=URI:http://ca.example/main.crl", NULL);
	assert_extension_mods("crlDistributionPoints=URI:http://other.example/",
	    "cRLDistributionPoints is left out");
	template.extensions = extensions_of(&f, lines);
	assert_int_equal(resolve(&template), 0);
	assert_string_equal(mods, "1.2.3.4 is left out; subjectKeyIdentifier is left out");
	assert_int_equal(name_sans_to_text(f.pool, resolved.extensions, &sans), 0);
	assert_string_equal(sans[0], "DNS:a");
	assert_null(sans[1]);
}

static void
hostile_extensions_are_refused_B3_16(void **state)
{
	static const char *const twice[] = {"subjectAltName=DNS:a", "subjectAltName=DNS:b", NULL};
	static const char *const one[] = {"subjectAltName=DNS:a", NULL};
	struct template template = template_of(&f);
	struct bytes good = extensions_of(&f, one);
	struct buf buf;
	size_t mark;

	(void)state;
	template.extensions = extensions_of(&f, twice);
	assert_refused(&template, CMPD_EEXTENSION, "twice");
	for (size_t len = 0; len < good.len; len++) {
		template.extensions = bytes_of(good.data, len);
		assert_refused(&template, CMPD_EEXTENSION, "decode");
	}

	/* 33 extensions; more than 128 names; more bytes than we take */
	buf_init(&buf, 1 << 20);
	mark = der_begin(&buf, DER_SEQUENCE);
	for (uint8_t i = 0; i < 33; i++) {
		uint8_t oid[] = {0x2a, 3, i};

		extension_put(&buf, bytes_of(oid, 3), false, bytes_of("\x05\x00", 2));
	}
	der_end(&buf, mark);
	template.extensions = buf_get0(&buf);
	assert_refused(&template, CMPD_EEXTENSION, "more than 32 extensions");
	buf_fini(&buf);

	const char *names[130] = {NULL};
	for (size_t i = 0; i < 129; i++) {
		names[i] = "DNS:a";
	}
	assert_int_equal(name_sans_replace(f.pool, BYTES_NONE, names, false, &template.extensions),
	    0);
	assert_refused(&template, CMPD_EEXTENSION, "more than 128 names");

	mark = der_begin(&buf, DER_SEQUENCE);
	static const uint8_t large[20000];
	extension_put(&buf, bytes_of("\x2a\x03\x04", 3), false, bytes_of(large, sizeof(large)));
	der_end(&buf, mark);
	template.extensions = buf_get0(&buf);
	assert_refused(&template, CMPD_EEXTENSION, "too long");
	buf_fini(&buf);
}

static void
validity_is_clipped_or_refused_B3_16(void **state)
{
	static const struct {
		int64_t not_before, not_after,
		    validity; /* before, after: relative to now; 0: none */
		int error;
		int64_t ret_before, ret_after, ret_validity;
		const char *mods;
	} rows[] = {
	    {0, 0, 0, 0, 0, 0, 90 * DAY, NULL},
	    {0, 10 * DAY, 0, 0, 0, 10 * DAY, 90 * DAY, NULL},
	    {-60000, 10 * DAY, 0, 0, 0, 10 * DAY, 90 * DAY, NULL},
	    {-600000, 10 * DAY, 0, 0, 0, 10 * DAY, 90 * DAY, "notBefore is the time of issuing"},
	    {5 * DAY, 10 * DAY, 0, 0, 5 * DAY, 10 * DAY, 90 * DAY, NULL},
	    {5 * DAY, 95 * DAY, 0, 0, 5 * DAY, 95 * DAY, 90 * DAY, NULL},
	    {0, 91 * DAY, 0, 0, 0, 0, 90 * DAY, "notAfter is shortened to what the profile allows"},
	    {0, 0, 5 * DAY, 0, 0, 0, 5 * DAY, NULL},
	    {0, 0, 500 * DAY, 0, 0, 0, 90 * DAY, NULL},
	    {0, -DAY, 0, CMPD_ETEMPLATE, 0, 0, 0, "passed"},
	    {2 * DAY, DAY, 0, CMPD_ETEMPLATE, 0, 0, 0, "not behind"},
	    {2 * DAY, 2 * DAY, 0, CMPD_ETEMPLATE, 0, 0, 0, "not behind"},
	    {91 * DAY, 0, 0, CMPD_ETEMPLATE, 0, 0, 0, "too far away"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct template template = template_of(&f);

		template.not_before = rows[i].not_before != 0 ? NOW + rows[i].not_before : 0;
		template.not_after = rows[i].not_after != 0 ? NOW + rows[i].not_after : 0;
		template.validity = rows[i].validity;
		if (rows[i].error != 0) {
			assert_refused(&template, rows[i].error, rows[i].mods);
			continue;
		}
		assert_int_equal(resolve(&template), 0);
		assert_true(resolved.not_before ==
			    (rows[i].ret_before != 0 ? NOW + rows[i].ret_before : 0));
		assert_true(resolved.not_after ==
			    (rows[i].ret_after != 0 ? NOW + rows[i].ret_after : 0));
		assert_true(resolved.validity == rows[i].ret_validity);
		assert_true((mods == NULL) == (rows[i].mods == NULL));
		if (mods != NULL) {
			assert_string_equal(mods, rows[i].mods);
		}
	}
}

/* An operator edits what was resolved before: nothing of our own may be called a change. */
static void
resolving_again_changes_nothing(void **state)
{
	static const char *const lines[] = {"subjectAltName=DNS:a,IP:10.0.0.1", NULL};
	struct template template = template_of(&f), first;

	(void)state;
	template.extensions = extensions_of(&f, lines);
	assert_int_equal(resolve(&template), 0);
	first = resolved;
	assert_int_equal(resolve(&first), 0);
	assert_null(mods);
	assert_true(bytes_equal(first.extensions, resolved.extensions));
	assert_true(bytes_equal(first.subject, resolved.subject));
	assert_true(first.validity == resolved.validity);
	assert_memory_equal(first.ca, resolved.ca, sizeof(first.ca));
	assert_int_equal(issuer_resolve(f.issuer, "other", &template, f.pool, &resolved, &mods,
			     &f.diag),
	    CMPD_ENOENT);
}

static void
a_usage_that_no_bit_of_fits_is_refused(void **state)
{
	static const char *usage[] = {"keyEncipherment", NULL};
	struct template template = template_of(&f);

	(void)state;
	f.profile.key_usage = usage;
	assert_int_equal(fixture_issuer(&f), 0);
	assert_refused(&template, CMPD_ETEMPLATE, "no key usage of the profile fits");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_template_needs_a_name_B3_16),
	    TEST(subjects_hold_readable_text_only_B3_16),
	    TEST(keys_must_be_allowed_B3_16),
	    TEST(alternative_names_must_be_allowed_and_well_formed_B3_16),
	    TEST(requested_usage_may_agree_but_not_add_B3_16),
	    TEST(other_extensions_are_left_out_or_refused_B3_16),
	    TEST(hostile_extensions_are_refused_B3_16),
	    TEST(validity_is_clipped_or_refused_B3_16),
	    TEST(resolving_again_changes_nothing),
	    TEST(a_usage_that_no_bit_of_fits_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
