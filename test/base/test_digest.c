#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "base/digest.h"

static const char abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
static const char empty[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

static void
assert_digest(struct bytes in, const char *want)
{
	uint8_t out[DIGEST_SIZE];
	char text[2 * DIGEST_SIZE + 1];

	assert_int_equal(digest_sha256(in, out), 0);
	assert_string_equal(hex_encode(bytes_of(out, sizeof(out)), text, sizeof(text)), want);
}

static void
sha256_is_sha256(void **state)
{
	(void)state;
	assert_digest(bytes_str("abc"), abc);
	assert_digest(BYTES_NONE, empty);
	digest_thread_fini();
	assert_digest(bytes_str("abc"), abc);
	digest_thread_fini();
	digest_thread_fini();
}

static void *
hash_often(void *arg)
{
	uint8_t out[DIGEST_SIZE];
	char text[2 * DIGEST_SIZE + 1];

	for (int i = 0; i < 1000 && *(int *)arg == 0; i++) {
		*(int *)arg = digest_sha256(bytes_str("abc"), out);
	}
	hex_encode(bytes_of(out, sizeof(out)), text, sizeof(text));
	*(int *)arg |= bytes_equal(bytes_str(text), bytes_str(abc)) ? 0 : 1;
	digest_thread_fini();
	return NULL;
}

static void
threads_do_not_disturb_each_other(void **state)
{
	pthread_t threads[4];
	int failed[4] = {0};

	(void)state;
	for (int i = 0; i < 4; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, hash_often, &failed[i]), 0);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(failed[i], 0);
	}
}

static void
random_bytes_differ(void **state)
{
	uint8_t a[600], b[600];

	(void)state;
	random_bytes(a, sizeof(a));
	random_bytes(b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
	random_bytes(a, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sha256_is_sha256),
	    cmocka_unit_test(threads_do_not_disturb_each_other),
	    cmocka_unit_test(random_bytes_differ),
	};

	return cmocka_run_group_tests_name("base_digest", tests, NULL, NULL);
}
