#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/pool.h"
#include "cmp/wire_der.h"

static int
check(const char *hex)
{
	uint8_t data[128];
	struct wire_der_walk walk = {.start = data};
	size_t len;

	assert_int_equal(hex_decode(hex, data, sizeof(data), &len), 0);
	return wire_der_check(bytes_of(data, len), &walk, NULL);
}

static void
B3_1_only_strict_der_is_taken(void **state)
{
	static const char *const good[] = {"0500", "020100", "0201ff", "02020080", "0101ff",
	    "010100", "030100", "030205e0", "06022a03", "300702010504026162", "a003020105"};
	static const struct {
		const char *hex, *why;
	} bad[] = {
	    {"30800000", "indefinite length"},
	    {"3081020500", "length in more octets than needed"},
	    {"308200020500", "length with a leading zero"},
	    {"3085000000000200", "length of five octets"},
	    {"3003020105ff", "cut off behind the value"},
	    {"300502010502", "value longer than its container"},
	    {"0200", "INTEGER without content"},
	    {"02020001", "INTEGER with a leading zero"},
	    {"0202ff80", "INTEGER with a leading FF"},
	    {"010101", "BOOLEAN neither 00 nor FF"},
	    {"01020000", "BOOLEAN of two octets"},
	    {"0300", "BIT STRING without content"},
	    {"030108", "BIT STRING with eight unused bits"},
	    {"030101", "empty BIT STRING with unused bits"},
	    {"03020101", "BIT STRING with an unused bit set"},
	    {"050100", "NULL with content"},
	    {"0600", "OID without content"},
	    {"06028001", "OID that is not minimal"},
	    {"060181", "OID that is cut off"},
	    {"2403040100", "constructed OCTET STRING"},
	    {"1000", "primitive SEQUENCE"},
	    {"0000", "end of contents"},
	    {"1f8100", "tag number over 30"},
	    {"0f00", "unknown universal type"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(check(good[i]), 0);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (check(bad[i].hex) != CMPD_EFORMAT) {
			fail_msg("taken: %s", bad[i].why);
		}
	}
}

static void
nesting_has_a_limit(void **state)
{
	uint8_t data[2 * DER_DEPTH_MAX + 2];
	struct wire_der_walk walk = {.start = data};
	size_t i;

	(void)state;
	for (i = 0; i <= DER_DEPTH_MAX; i++) {
		data[2 * i] = DER_SEQUENCE;
		data[2 * i + 1] = (uint8_t)(2 * (DER_DEPTH_MAX - i));
	}
	assert_int_equal(wire_der_check(bytes_of(data, sizeof(data)), &walk, NULL), CMPD_EFORMAT);
	assert_int_equal(wire_der_check(bytes_of(data + 2, sizeof(data) - 2), &walk, NULL), 0);
}

static void
the_number_of_values_has_a_limit(void **state)
{
	static uint8_t data[2 * DER_COUNT_MAX + 2];
	struct wire_der_walk walk = {.start = data};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(data); i += 2) {
		data[i] = DER_NULL;
	}
	assert_int_equal(wire_der_check(bytes_of(data, sizeof(data) - 2), &walk, NULL), 0);
	assert_int_equal(wire_der_check(bytes_of(data, 2), &walk, NULL), CMPD_EFORMAT);
	walk.count = 0;
	assert_int_equal(wire_der_check(bytes_of(data, sizeof(data)), &walk, NULL), CMPD_EFORMAT);
}

static void
the_cursor_stays_inside(void **state)
{
	static const uint8_t data[] = {0x30, 0x05, 0x04, 0x01, 0x61};
	struct bytes rest = bytes_of(data, sizeof(data));
	struct der value;
	bool cut;

	(void)state;
	assert_int_equal(der_next(&rest, &value), CMPD_EFORMAT);
	assert_int_equal(rest.len, sizeof(data));
	assert_int_equal(der_next_cut(&rest, &value, &cut), 0);
	assert_true(cut);
	assert_int_equal(value.value.len, 3);
	assert_int_equal(rest.len, 0);
	assert_int_equal(der_next(&value.value, &value), 0);
	assert_int_equal(value.tag, DER_OCTET_STRING);
}

static void
integers_are_built_minimal(void **state)
{
	static const struct {
		int64_t value;
		const char *hex;
	} rows[] = {{0, "020100"}, {127, "02017f"}, {128, "02020080"}, {-1, "0201ff"},
	    {-128, "020180"}, {-129, "0202ff7f"}, {INT64_MAX, "02087fffffffffffffff"},
	    {INT64_MIN, "02088000000000000000"}};
	struct wire_der_build build = {.pool = pool_new(1 << 16)};
	char hex[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		hex_encode(wire_der_put_int(&build, rows[i].value), hex, sizeof(hex));
		assert_string_equal(hex, rows[i].hex);
	}
	pool_free(build.pool);
}

static void
long_values_and_no_memory(void **state)
{
	static uint8_t content[70000];
	static const size_t sizes[] = {127, 128, 255, 256, 65535, 65536};
	struct wire_der_build build = {.pool = pool_new(1 << 18)};
	struct bytes out, inner;
	size_t i;

	(void)state;
	for (i = 0; i < 6; i++) {
		out = wire_der_put1(&build, DER_OCTET_STRING, bytes_of(content, sizes[i]));
		assert_int_equal(der_only(out, DER_OCTET_STRING, &inner), 0);
		assert_int_equal(inner.len, sizes[i]);
	}
	while (!build.failed) {
		out = wire_der_put1(&build, DER_OCTET_STRING, bytes_of(content, sizeof(content)));
	}
	assert_null(out.data);
	assert_null(wire_der_put_int(&build, 1).data);
	pool_free(build.pool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(B3_1_only_strict_der_is_taken),
	    cmocka_unit_test(nesting_has_a_limit),
	    cmocka_unit_test(the_number_of_values_has_a_limit),
	    cmocka_unit_test(the_cursor_stays_inside),
	    cmocka_unit_test(integers_are_built_minimal),
	    cmocka_unit_test(long_values_and_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
