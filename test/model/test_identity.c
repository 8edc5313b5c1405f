#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/identity.h"

static void
nobody_is_not_nobody_else(void **state)
{
	struct identity a = {IDENTITY_NONE}, b = {IDENTITY_NONE};

	(void)state;
	assert_false(identity_equal(&a, &b));
}

static void
secrets_are_told_apart_by_id(void **state)
{
	struct identity a = {.kind = IDENTITY_SECRET, .secret = 1};
	struct identity b = {.kind = IDENTITY_SECRET, .secret = 1};
	struct identity zero = {.kind = IDENTITY_SECRET};

	(void)state;
	assert_true(identity_equal(&a, &b));
	b.secret = 2;
	assert_false(identity_equal(&a, &b));
	assert_false(identity_equal(&zero, &zero));
}

static void
certificates_are_told_apart_by_digest(void **state)
{
	struct identity a = {.kind = IDENTITY_CERTIFICATE, .certificate = {1, 2}};
	struct identity b = a;

	(void)state;
	assert_true(identity_equal(&a, &b));
	b.certificate[DIGEST_SIZE - 1] = 1;
	assert_false(identity_equal(&a, &b));
}

static void
authorities_are_told_apart_by_name(void **state)
{
	struct identity a = {.kind = IDENTITY_RA, .name = bytes_str("ra1")};
	struct identity b = {.kind = IDENTITY_RA, .name = bytes_str("ra1")};
	struct identity unnamed = {.kind = IDENTITY_RA};

	(void)state;
	assert_true(identity_equal(&a, &b));
	b.name = bytes_str("ra10");
	assert_false(identity_equal(&a, &b));
	assert_false(identity_equal(&unnamed, &unnamed));
}

static void
kinds_never_match_each_other(void **state)
{
	struct identity a = {.kind = IDENTITY_SECRET, .secret = 1};
	struct identity b = {.kind = IDENTITY_RA, .secret = 1, .name = bytes_str("")};

	(void)state;
	assert_false(identity_equal(&a, &b));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nobody_is_not_nobody_else),
	    cmocka_unit_test(secrets_are_told_apart_by_id),
	    cmocka_unit_test(certificates_are_told_apart_by_digest),
	    cmocka_unit_test(authorities_are_told_apart_by_name),
	    cmocka_unit_test(kinds_never_match_each_other),
	};

	return cmocka_run_group_tests_name("model_identity", tests, NULL, NULL);
}
