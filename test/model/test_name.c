#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/pool.h"
#include "model/der.h"
#include "model/extension.h"
#include "model/name.h"

static int
setup(void **state)
{
	*state = pool_new(4 << 20);
	return *state == NULL;
}

static int
teardown(void **state)
{
	pool_free(*state);
	return ERR_peek_error() != 0;
}

/* A name with one commonName of the given string type. */
static struct bytes
one_value(struct pool *pool, uint8_t tag, const void *value, size_t len)
{
	struct buf buf;
	struct bytes der;
	size_t name, set, attribute;

	buf_init(&buf, 1 << 20);
	name = der_begin(&buf, DER_SEQUENCE);
	set = der_begin(&buf, DER_SET);
	attribute = der_begin(&buf, DER_SEQUENCE);
	der_put(&buf, DER_OID, bytes_of("\x55\x04\x03", 3));
	der_put(&buf, tag, bytes_of(value, len));
	der_end(&buf, attribute);
	der_end(&buf, set);
	der_end(&buf, name);
	der = pool_bytes(pool, buf_get0(&buf));
	buf_fini(&buf);
	return der;
}

static void
text_and_der_go_round(void **state)
{
	static const char *const texts[] = {"/", "/CN=a", "/C=DE/O=Example GmbH/CN=device 1",
	    "/CN=a\\/b\\=c\\\\d\\+e", "/CN=\\#x", "/CN=a+UID=b", "/1.2.3.4=x", "/CN=#020105",
	    "/serialNumber=12 34/emailAddress=a@b.example/DC=example", "/CN=\\00\\1B[2J",
	    "/CN=\xc3\xbc\xc3\x9f", "/CN=\\E2\\80\\AE"};
	const char *text;
	struct bytes der;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(name_from_text(*state, texts[i], &der), 0);
		assert_int_equal(name_to_text(*state, der, &text), 0);
		assert_string_equal(text, texts[i]);
	}
}

static void
libcrypto_reads_what_we_write(void **state)
{
	char *line;
	struct bytes der;
	const uint8_t *p;
	X509_NAME *name;

	assert_int_equal(
	    name_from_text(*state, "/C=DE/commonName=x/UID=2+CN=1/serialNumber=\xc3\xa4", &der), 0);
	p = der.data;
	name = d2i_X509_NAME(NULL, &p, (long)der.len);
	assert_non_null(name);
	assert_ptr_equal(p, der.data + der.len);
	line = X509_NAME_oneline(name, NULL, 0);
	assert_string_equal(line, "/C=DE/CN=x/CN=1+UID=2/serialNumber=\\xC3\\xA4");
	assert_int_equal(ASN1_STRING_type(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, 0))),
	    V_ASN1_PRINTABLESTRING);
	OPENSSL_free(line);
	X509_NAME_free(name);
}

static void
texts_that_are_no_names_are_refused(void **state)
{
	static const char *const texts[] = {"", "CN=a", "/CN", "/CN=", "/=a", "/CN=a/", "//CN=a",
	    "/CN=a=b", "/CN=a+b", "/CN=a+", "/nosuch=a", "/CN=a\\", "/CN=\\g", "/CN=\\0", "/CN=#",
	    "/CN=#0c", "/CN=#0c0161ff", "/CN=#zz", "/CN=\xff", "/CN=\\C0\\80", "/1=a", "/C\\N=a",
	    "/1.2.999999999999999999999999999999999999999999999999999999999999999=a"};
	struct bytes der;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(name_from_text(*state, texts[i], &der), CMPD_EFORMAT);
	}
}

/* B7.5 */
static void
hostile_values_become_harmless_text(void **state)
{
	static const struct {
		uint8_t tag;
		const char *value;
		size_t len;
		const char *text;
	} rows[] = {
	    {DER_UTF8_STRING, "a\0b", 3, "/CN=a\\00b"},
	    {DER_UTF8_STRING, "\x1b[31m\r\n\x7f", 8, "/CN=\\1B[31m\\0D\\0A\\7F"},
	    {DER_UTF8_STRING,
		"\xe2\x80\xae"
		"gpj",
		6, "/CN=\\E2\\80\\AEgpj"},
	    {DER_UTF8_STRING, "\xc0\xaf\xe0\x80\xaf", 5, "/CN=\\C0\\AF\\E0\\80\\AF"},
	    {DER_UTF8_STRING, "\xed\xa0\x80\xf4\x90\x80\x80\xe2\x82", 9,
		"/CN=\\ED\\A0\\80\\F4\\90\\80\\80\\E2\\82"},
	    {DER_UTF8_STRING,
		"\xc2\x9b"
		"2J",
		4, "/CN=\\C2\\9B2J"},
	    {DER_UTF8_STRING, "", 0, "/CN="},
	    {DER_PRINTABLE_STRING, "a\xe4", 2, "/CN=a\\E4"},
	    {DER_T61_STRING, "a\xe4\x9b", 3, "/CN=a\xc3\xa4\\C2\\9B"},
	    {DER_BMP_STRING, "\0a\x20\xac\x20\x2e\0/", 8, "/CN=a\xe2\x82\xac\\E2\\80\\AE\\/"},
	    {DER_BMP_STRING, "\xd8\x3d\xde\x00\xd8\x3d\0", 7, "/CN=\xf0\x9f\x98\x80\\D8\\3D\\00"},
	    {DER_UNIVERSAL_STRING, "\0\x01\xf6\0\0\x11\0\0", 8,
		"/CN=\xf0\x9f\x98\x80\\00\\11\\00\\00"},
	    {DER_BMP_STRING, "\0#", 2, "/CN=\\#"},
	    {DER_OCTET_STRING, "\xff", 1, "/CN=#0401ff"},
	};
	const char *text;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bytes der = one_value(*state, rows[i].tag, rows[i].value, rows[i].len);

		assert_int_equal(name_to_text(*state, der, &text), 0);
		assert_string_equal(text, rows[i].text);
	}
}

static void
broken_der_is_refused(void **state)
{
	struct bytes good = one_value(*state, DER_UTF8_STRING, "abc", 3);
	static const char *const broken[] = {"\x30\x80\x00\x00", "\x30\x81\x00", "\x30\x02\x31\x00",
	    "\x31\x00", "\x30\x84\xff\xff\xff\xff", "\x30\x82\x00\x03", "\x3f\x10\x00"};
	const char *text = NULL;

	for (size_t len = 0; len < good.len; len++) {
		assert_int_equal(name_to_text(*state, bytes_of(good.data, len), &text),
		    CMPD_EFORMAT);
	}
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		assert_int_equal(name_to_text(*state, bytes_of(broken[i], 4), &text), CMPD_EFORMAT);
	}
	assert_int_equal(name_to_text(*state, BYTES_NONE, &text), CMPD_EFORMAT);
	assert_null(text);
}

static void
comparison_is_libcryptos(void **state)
{
	struct bytes a, b, c;

	assert_int_equal(name_from_text(*state, "/O=Some  Firm/CN=A", &a), 0);
	assert_int_equal(name_from_text(*state, "/O=some firm/CN=a", &b), 0);
	assert_int_equal(name_from_text(*state, "/O=some firm/CN=b", &c), 0);
	assert_true(name_equal(a, b));
	assert_false(name_equal(a, c));
	assert_true(name_equal(one_value(*state, DER_BMP_STRING, "\0x", 2),
	    one_value(*state, DER_PRINTABLE_STRING, "X", 1)));
	assert_false(name_equal(a, BYTES_NONE));
	assert_false(name_equal(bytes_of("\x30\x01", 2), bytes_of("\x30\x01", 2)));
}

/* ---- subjectAltName ---- */

static const char *const all_kinds[] = {"DNS:a.example", "IP:10.0.0.1", "IP:2001:db8::1",
    "email:x@y.example", "URI:urn:x:y", "dirName:/C=DE/CN=a\\/b",
    "other:1.3.6.1.4.1.311.20.2.3=me@here", "other:1.2.3=#0203010001", "RID:1.2.3.4", NULL};

static void
alternative_names_go_round(void **state)
{
	struct bytes extensions;
	const char **texts;
	const uint8_t *p;
	X509_EXTENSIONS *decoded;
	GENERAL_NAMES *names;
	int critical;

	assert_int_equal(name_sans_replace(*state, BYTES_NONE, all_kinds, true, &extensions), 0);
	assert_int_equal(name_sans_to_text(*state, extensions, &texts), 0);
	for (size_t i = 0; i < sizeof(all_kinds) / sizeof(all_kinds[0]) - 1; i++) {
		assert_string_equal(texts[i], all_kinds[i]);
	}
	assert_null(texts[9]);

	p = extensions.data;
	decoded = d2i_X509_EXTENSIONS(NULL, &p, (long)extensions.len);
	names = X509V3_get_d2i(decoded, NID_subject_alt_name, &critical, NULL);
	assert_int_equal(sk_GENERAL_NAME_num(names), 9);
	assert_int_equal(critical, 1);
	GENERAL_NAMES_free(names);
	sk_X509_EXTENSION_pop_free(decoded, X509_EXTENSION_free);
}

static void
replacing_keeps_the_others(void **state)
{
	static const char *const first[] = {"DNS:a", NULL}, *const second[] = {"DNS:b", NULL};
	static const char *const none[] = {NULL};
	struct bytes usage, both, extensions;
	struct extension found;
	const char **texts;
	struct buf buf;
	size_t mark;

	buf_init(&buf, 1000);
	mark = der_begin(&buf, DER_SEQUENCE);
	extension_put(&buf, EXTENSION_KEY_USAGE, true, bytes_of("\x03\x02\x07\x80", 4));
	der_end(&buf, mark);
	usage = buf_get0(&buf);

	assert_int_equal(name_sans_replace(*state, usage, first, false, &both), 0);
	assert_int_equal(name_sans_replace(*state, both, second, false, &extensions), 0);
	assert_int_equal(extension_find(extensions, EXTENSION_KEY_USAGE, &found), 0);
	assert_true(found.critical);
	assert_int_equal(name_sans_to_text(*state, extensions, &texts), 0);
	assert_string_equal(texts[0], "DNS:b");
	assert_null(texts[1]);

	assert_int_equal(name_sans_replace(*state, both, none, false, &extensions), 0);
	assert_true(bytes_equal(extensions, usage));
	assert_int_equal(name_sans_replace(*state, BYTES_NONE, first, false, &extensions), 0);
	assert_int_equal(name_sans_replace(*state, extensions, none, false, &extensions), 0);
	assert_null(extensions.data);
	assert_int_equal(name_sans_to_text(*state, BYTES_NONE, &texts), 0);
	assert_null(texts[0]);
	buf_fini(&buf);
}

static void
bad_alternative_names_are_refused(void **state)
{
	static const char *const texts[] = {"a.example", "DNS:", "DNS:\xc3\xa4", "IP:1.2.3",
	    "IP:#0102", "email:", "dirName:x", "other:1.2.3", "other:x=y", "other:1.2.3=#01",
	    "x400:#3000", "RID:serverAuth", "DNS:\\"};
	struct bytes extensions = BYTES_NONE;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const char *const list[] = {texts[i], NULL};

		assert_int_equal(name_sans_replace(*state, BYTES_NONE, list, false, &extensions),
		    CMPD_EFORMAT);
	}
	assert_null(extensions.data);
}

static void
two_subject_alt_names_are_refused(void **state)
{
	static const char san[] = "\x30\x0a\x06\x03\x55\x1d\x11\x04\x03\x30\x01\x82";
	uint8_t der[2 + 24];
	const char **texts = NULL;

	der[0] = DER_SEQUENCE;
	der[1] = 24;
	memcpy(der + 2, san, 12);
	memcpy(der + 14, san, 12);
	assert_int_equal(name_sans_to_text(*state, bytes_of(der, sizeof(der)), &texts),
	    CMPD_EFORMAT);
	assert_null(texts);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(text_and_der_go_round, setup, teardown),
	    cmocka_unit_test_setup_teardown(libcrypto_reads_what_we_write, setup, teardown),
	    cmocka_unit_test_setup_teardown(texts_that_are_no_names_are_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(hostile_values_become_harmless_text, setup, teardown),
	    cmocka_unit_test_setup_teardown(broken_der_is_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(comparison_is_libcryptos, setup, teardown),
	    cmocka_unit_test_setup_teardown(alternative_names_go_round, setup, teardown),
	    cmocka_unit_test_setup_teardown(replacing_keeps_the_others, setup, teardown),
	    cmocka_unit_test_setup_teardown(bad_alternative_names_are_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(two_subject_alt_names_are_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
