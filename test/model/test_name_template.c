#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/pool.h"
#include "model/der.h"
#include "model/name.h"
#include "model/name_template.h"

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
	return 0;
}

static struct bytes
name(struct pool *pool, const char *text)
{
	struct bytes der;

	assert_int_equal(name_from_text(pool, text, &der), 0);
	return der;
}

/* A name with one commonName of the given string type, whatever its bytes are. */
static struct bytes
raw_name(struct pool *pool, uint8_t tag, const void *value, size_t len)
{
	struct buf buf;
	struct bytes der;
	size_t outer, set, attribute;

	buf_init(&buf, 1 << 20);
	outer = der_begin(&buf, DER_SEQUENCE);
	set = der_begin(&buf, DER_SET);
	attribute = der_begin(&buf, DER_SEQUENCE);
	der_put(&buf, DER_OID, bytes_of("\x55\x04\x03", 3));
	der_put(&buf, tag, bytes_of(value, len));
	der_end(&buf, attribute);
	der_end(&buf, set);
	der_end(&buf, outer);
	der = pool_bytes(pool, buf_get0(&buf));
	buf_fini(&buf);
	return der;
}

static struct name_facts
device(struct pool *pool)
{
	static const uint8_t serial[] = {0x0a, 0xff, 0x00};

	return (struct name_facts){
	    .subject = name(pool, "/C=DE/O=Maker Ltd/OU=a/OU=b/serialNumber=12-34/CN=unit 7"),
	    .issuer = name(pool, "/O=Maker Ltd/CN=Factory 3"),
	    .serial = bytes_of(serial, sizeof(serial)),
	};
}

static void
b4_9_variables_have_values(void **state)
{
	static const struct {
		const char *template, *wanted;
	} rows[] = {
	    {"/O=x/CN=%{CN}.ran.example", "/O=x/CN=unit 7.ran.example"},
	    {"/CN=%{serialNumber}+UID=%{serial}", "/CN=12-34+UID=0aff00"},
	    {"/O=%{issuer.O}/CN=%{issuer.CN}-%{cn}", "/O=Maker Ltd/CN=Factory 3-unit 7"},
	    {"/CN=100% sure", "/CN=100% sure"},
	    {"/CN=\\%{CN}", "/CN=\\%{CN}"},
	};
	struct pool *pool = *state;
	struct name_facts facts = device(pool);
	struct diag diag = {""};
	const char *text;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(name_template_check(pool, rows[i].template, &diag), 0);
		assert_int_equal(name_template_expand(pool, rows[i].template, &facts, &text, &diag),
		    0);
		assert_string_equal(text, rows[i].wanted);
	}
	facts.subject = name(pool, "/CN=unit-7_a.b");
	assert_int_equal(name_template_expand_san(pool, "DNS:%{CN}.example", &facts, &text, &diag),
	    0);
	assert_string_equal(text, "DNS:unit-7_a.b.example");
}

static void
b4_9_a_value_is_never_syntax(void **state)
{
	static const char *const hostile[] = {"x/CN=admin", "x+UID=root", "x=y", "#0c0161", "a\\",
	    "\\/", "%{O}", "%{serial}", "x\\00", " /O=Operator"};
	struct pool *pool = *state;
	struct diag diag = {""};
	const char *text;

	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		struct name_facts facts = {
		    .subject = raw_name(pool, DER_UTF8_STRING, hostile[i], strlen(hostile[i]))};

		assert_int_equal(
		    name_template_expand(pool, "/O=Operator/CN=%{CN}", &facts, &text, &diag), 0);
		/* One attribute with that value came out, and the one before it stayed. */
		assert_true(name_equal(name(pool, text),
		    name(pool, pool_printf(pool, "/O=Operator%s", text + strlen("/O=Operator")))));
		facts.subject = name(pool, text);
		assert_int_equal(name_template_expand(pool, "/CN=%{CN}", &facts, &text, &diag), 0);
		facts.subject = raw_name(pool, DER_UTF8_STRING, hostile[i], strlen(hostile[i]));
		assert_true(name_equal(name(pool, text), facts.subject));
		assert_int_equal(name_template_expand_san(pool, "DNS:%{CN}.example", &facts, &text,
				     &diag),
		    CMPD_ENOENT);
	}
}

static void
b4_9_values_that_cannot_be_shown_are_refused(void **state)
{
	static const struct {
		uint8_t tag;
		const char *value;
		size_t len;
	} rows[] = {
	    {DER_UTF8_STRING, "", 0},
	    {DER_UTF8_STRING, "a\0b", 3},
	    {DER_UTF8_STRING, "a\nb", 3},
	    {DER_UTF8_STRING, "\x1b[2J", 4},
	    {DER_UTF8_STRING, "\xff\xfe", 2},
	    {DER_UTF8_STRING,
		"\xe2\x80\xae"
		"abc",
		6}, /* right-to-left override */
	    {DER_PRINTABLE_STRING, "a\0", 2},
	    {DER_T61_STRING, "abc", 3},
	    {DER_BMP_STRING, "\0a", 2},
	    {DER_INTEGER, "\1", 1},
	    {DER_SEQUENCE, "", 0},
	};
	struct pool *pool = *state;
	struct name_facts facts;
	struct diag diag = {""};
	const char *text;
	char *longest;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		facts = (struct name_facts){
		    .subject = raw_name(pool, rows[i].tag, rows[i].value, rows[i].len)};
		assert_int_equal(name_template_expand(pool, "/CN=%{CN}", &facts, &text, &diag),
		    CMPD_ENOENT);
		assert_non_null(strstr(diag.text, "CN of the factory certificate"));
	}
	longest = pool_alloc(pool, NAME_VALUE_MAX + 2);
	memset(longest, 'a', NAME_VALUE_MAX + 1);
	facts.subject = raw_name(pool, DER_UTF8_STRING, longest, NAME_VALUE_MAX + 1);
	assert_int_equal(name_template_expand(pool, "/CN=%{CN}", &facts, &text, &diag),
	    CMPD_ENOENT);
	facts.subject = raw_name(pool, DER_UTF8_STRING, longest, NAME_VALUE_MAX);
	assert_int_equal(name_template_expand(pool, "/CN=%{CN}", &facts, &text, &diag), 0);
}

static void
b4_9_what_is_missing_or_twice_is_said(void **state)
{
	struct pool *pool = *state;
	struct name_facts facts = device(pool);
	struct diag diag = {""};
	const char *text;

	assert_int_equal(name_template_expand(pool, "/CN=%{UID}", &facts, &text, &diag),
	    CMPD_ENOENT);
	assert_string_equal(diag.text, "the factory certificate has no UID");
	assert_int_equal(name_template_expand(pool, "/CN=%{issuer.L}", &facts, &text, &diag),
	    CMPD_ENOENT);
	assert_string_equal(diag.text, "the factory certificate has no issuer.L");
	assert_int_equal(name_template_expand(pool, "/CN=%{OU}", &facts, &text, &diag),
	    CMPD_ENOENT);
	assert_string_equal(diag.text, "the factory certificate has OU more than once");
	facts.subject = bytes_of("\x30\x03\x31\x05\x30", 5);
	assert_int_equal(name_template_expand(pool, "/CN=%{CN}", &facts, &text, &diag),
	    CMPD_ENOENT);
}

static void
b4_9_templates_that_make_no_sense_are_refused(void **state)
{
	static const char *const names[] = {"", "CN=%{CN}", "/CN=%{nosuch}", "/CN=%{CN", "/CN=%{}",
	    "/%{CN}", "/CN=", "/CN=%{issuer}", "/CN=%{issuer.serial}", "/CN=a/",
	    "/CN=%{aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}"};
	static const char *const sans[] = {"", "%{CN}", "DNS:%{nosuch}", "MX:%{CN}"};
	struct pool *pool = *state;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct diag diag = {""};

		assert_int_equal(name_template_check(pool, names[i], &diag), CMPD_EFORMAT);
		assert_true(diag.text[0] != '\0');
	}
	for (size_t i = 0; i < sizeof(sans) / sizeof(sans[0]); i++) {
		struct diag diag = {""};

		assert_int_equal(name_template_check_san(pool, sans[i], &diag), CMPD_EFORMAT);
		assert_true(diag.text[0] != '\0');
	}
	assert_int_equal(name_template_check_san(pool, "IP:%{CN}", NULL), 0);
	assert_int_equal(name_template_check_san(pool, "email:ops@%{CN}", NULL), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(b4_9_variables_have_values, setup, teardown),
	    cmocka_unit_test_setup_teardown(b4_9_a_value_is_never_syntax, setup, teardown),
	    cmocka_unit_test_setup_teardown(b4_9_values_that_cannot_be_shown_are_refused, setup,
		teardown),
	    cmocka_unit_test_setup_teardown(b4_9_what_is_missing_or_twice_is_said, setup, teardown),
	    cmocka_unit_test_setup_teardown(b4_9_templates_that_make_no_sense_are_refused, setup,
		teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
