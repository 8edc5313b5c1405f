#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/pool.h"

static void
assert_zero(const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		assert_int_equal(data[i], 0);
	}
}

static void
memory_is_aligned_zeroed_and_apart(void **state)
{
	struct pool *pool = pool_new(1 << 20);
	uint8_t *before = NULL;

	(void)state;
	for (size_t size = 0; size < 20000; size = size * 3 + 1) {
		uint8_t *p = pool_alloc(pool, size);

		assert_non_null(p);
		assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
		assert_ptr_not_equal(p, before);
		assert_zero(p, size);
		memset(p, 0xff, size);
		before = p;
	}
	pool_free(pool);
	pool_free(NULL);
}

static void
after_a_reset_memory_is_zero_again(void **state)
{
	struct pool *pool = pool_new(1 << 20);

	(void)state;
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 60; i++) {
			uint8_t *p = pool_alloc(pool, i % 10 == 9 ? 20000 : 1000);

			assert_non_null(p);
			assert_zero(p, 1000);
			memset(p, 0xff, 1000);
		}
		pool_reset(pool);
	}
	pool_free(pool);
}

static void
the_limit_is_for_all_together(void **state)
{
	struct pool *pool = pool_new(100);

	(void)state;
	assert_null(pool_alloc(pool, 113));
	assert_null(pool_alloc(pool, SIZE_MAX));
	assert_non_null(pool_alloc(pool, 64));
	assert_null(pool_alloc(pool, 64));
	assert_non_null(pool_alloc(pool, 48));
	assert_null(pool_alloc(pool, 1));
	pool_reset(pool);
	assert_non_null(pool_alloc(pool, 100));
	pool_free(pool);
}

static void
copies_end_with_a_nul(void **state)
{
	struct pool *pool = pool_new(1000);
	struct bytes copy;

	(void)state;
	assert_string_equal(pool_strdup(pool, "abc"), "abc");
	assert_string_equal(pool_strndup(pool, "abc", 2), "ab");
	assert_string_equal(pool_strndup(pool, NULL, 0), "");
	assert_string_equal(pool_printf(pool, "%d-%s", 7, "x"), "7-x");
	copy = pool_bytes(pool, bytes_of("a\0b", 3));
	assert_int_equal(copy.len, 3);
	assert_memory_equal(copy.data, "a\0b", 4);
	assert_null(pool_bytes(pool, BYTES_NONE).data);
	assert_non_null(pool_bytes(pool, bytes_of("", 0)).data);
	assert_null(pool_printf(pool, "%2000d", 1));
	pool_free(pool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(memory_is_aligned_zeroed_and_apart),
	    cmocka_unit_test(after_a_reset_memory_is_zero_again),
	    cmocka_unit_test(the_limit_is_for_all_together),
	    cmocka_unit_test(copies_end_with_a_nul),
	};

	return cmocka_run_group_tests_name("base_pool", tests, NULL, NULL);
}
