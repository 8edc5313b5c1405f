#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/buf.h"

static void
what_is_put_is_read_back(void **state)
{
	struct buf buf;
	struct reader in;

	(void)state;
	buf_init(&buf, 1000);
	buf_put_u8(&buf, 0xfe);
	buf_put_u16(&buf, 0xfedc);
	buf_put_u32(&buf, 0xfedcba98);
	buf_put_u64(&buf, UINT64_C(0xfedcba9876543210));
	buf_put_string(&buf, bytes_str("one"));
	buf_put_string(&buf, bytes_of("", 0));
	buf_put_string(&buf, BYTES_NONE);
	assert_int_equal(buf_error(&buf), 0);

	reader_init(&in, buf_get0(&buf));
	assert_int_equal(reader_u8(&in), 0xfe);
	assert_int_equal(reader_u16(&in), 0xfedc);
	assert_int_equal(reader_u32(&in), 0xfedcba98);
	assert_true(reader_u64(&in) == UINT64_C(0xfedcba9876543210));
	assert_true(bytes_equal(reader_string(&in), bytes_str("one")));
	assert_non_null(reader_string(&in).data);
	assert_null(reader_string(&in).data);
	assert_int_equal(reader_end(&in), 0);
	buf_fini(&buf);
}

static void
numbers_are_big_endian(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 4);
	buf_put_u32(&buf, 0x01020304);
	assert_memory_equal(buf_get0(&buf).data, "\1\2\3\4", 4);
	buf_fini(&buf);
}

static void
the_limit_holds_and_the_error_stays(void **state)
{
	struct buf buf;
	uint8_t block[300] = {0};

	(void)state;
	buf_init(&buf, 1000);
	for (int i = 0; i < 3; i++) {
		buf_put(&buf, block, sizeof(block));
	}
	assert_int_equal(buf_error(&buf), 0);
	buf_put(&buf, block, sizeof(block));
	assert_int_equal(buf_error(&buf), CMPD_ELIMIT);
	buf_put_u8(&buf, 1);
	assert_int_equal(buf_error(&buf), CMPD_ELIMIT);
	assert_int_equal(buf_get0(&buf).len, 900);

	/* Forgotten by fini. */
	buf_fini(&buf);
	buf_put(&buf, block, sizeof(block));
	assert_int_equal(buf_error(&buf), 0);
	buf_fini(&buf);
}

static void
a_short_read_gives_nothing_from_then_on(void **state)
{
	struct reader in;

	(void)state;
	reader_init(&in, bytes_of("\1\2\3", 3));
	assert_int_equal(reader_u32(&in), 0);
	assert_int_equal(reader_u8(&in), 0);
	assert_int_equal(reader_end(&in), CMPD_EFORMAT);

	/* A length far beyond the end. */
	reader_init(&in, bytes_of("\xff\xff\xff\xfe\1", 5));
	assert_null(reader_string(&in).data);
	assert_int_equal(reader_end(&in), CMPD_EFORMAT);
}

static void
something_left_over_is_an_error(void **state)
{
	struct reader in;

	(void)state;
	reader_init(&in, bytes_of("\1\2", 2));
	assert_int_equal(reader_u8(&in), 1);
	assert_int_equal(reader_end(&in), CMPD_EFORMAT);
	reader_init(&in, BYTES_NONE);
	assert_int_equal(reader_end(&in), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_put_is_read_back),
	    cmocka_unit_test(numbers_are_big_endian),
	    cmocka_unit_test(the_limit_holds_and_the_error_stays),
	    cmocka_unit_test(a_short_read_gives_nothing_from_then_on),
	    cmocka_unit_test(something_left_over_is_an_error),
	};

	return cmocka_run_group_tests_name("base_buf", tests, NULL, NULL);
}
