#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf/conf.h"
#include "daemon/routes.h"

static const char *old[] = {"/cmp", "/pki/", NULL};

static struct conf_endpoint endpoints[] = {
    {.path = "/.well-known/cmp"},
    {.path = "/.well-known/cmp/p/lab"},
    {.path = "/pkix"},
    {.path = "/pkix/initialization"},
    {.path = "/legacy", .aliases = old, .short_labels = true},
};
static const struct conf conf = {.endpoints = endpoints, .n_endpoints = 5};

static const char *
found(const char *path, enum cmp_operation operation)
{
	struct routes *routes = routes_new(&conf);
	const struct conf_endpoint *endpoint = NULL;
	enum cmp_operation got = CMP_OPS;
	int r;

	assert_non_null(routes);
	r = routes_find(routes, path, &endpoint, &got);
	routes_free(routes);
	if (r == 0) {
		assert_int_equal(got, operation);
		return endpoint->path;
	}
	assert_int_equal(r, CMPD_ENOENT);
	return NULL;
}

static void
test_endpoint_and_operation_B5_2(void **state)
{
	(void)state;
	assert_string_equal(found("/.well-known/cmp", CMP_OP_NONE), "/.well-known/cmp");
	assert_string_equal(found("/.well-known/cmp/initialization", CMP_OP_INITIALIZATION),
	    "/.well-known/cmp");
	assert_string_equal(found("/.well-known/cmp/keyupdate", CMP_OP_KEYUPDATE),
	    "/.well-known/cmp");
	assert_string_equal(found("/.well-known/cmp/p/lab", CMP_OP_NONE), "/.well-known/cmp/p/lab");
	assert_string_equal(found("/.well-known/cmp/p/lab/pkcs10", CMP_OP_PKCS10),
	    "/.well-known/cmp/p/lab");
	assert_string_equal(found("/pkix", CMP_OP_NONE), "/pkix");
}

static void
test_nothing_else_is_an_endpoint_B5_2(void **state)
{
	(void)state;
	assert_null(found("/", CMP_OP_NONE));
	assert_null(found("/.well-known", CMP_OP_NONE));
	assert_null(found("/.well-known/cmp/", CMP_OP_NONE));
	assert_null(found("/.well-known/cmpx", CMP_OP_NONE));
	assert_null(found("/.well-known/cmp/p", CMP_OP_NONE));
	assert_null(found("/.well-known/cmp/p/other", CMP_OP_NONE));
	assert_null(found("/.well-known/cmp/unknown", CMP_OP_NONE));
	assert_null(found("/.well-known/cmp/initialization/", CMP_OP_NONE));
	assert_null(found("/.well-known/cmp/initialization/x", CMP_OP_NONE));
	assert_null(found("/.WELL-KNOWN/cmp", CMP_OP_NONE));
	assert_null(found("/.well-known/cmp/Initialization", CMP_OP_NONE));
}

static void
test_the_longest_path_wins(void **state)
{
	(void)state;
	assert_string_equal(found("/pkix/initialization", CMP_OP_NONE), "/pkix/initialization");
	assert_string_equal(found("/pkix/certification", CMP_OP_CERTIFICATION), "/pkix");
}

static void
test_aliases_and_short_forms_B5_2(void **state)
{
	(void)state;
	assert_string_equal(found("/cmp", CMP_OP_NONE), "/legacy");
	assert_string_equal(found("/cmp/ir", CMP_OP_INITIALIZATION), "/legacy");
	assert_string_equal(found("/pki/", CMP_OP_NONE), "/legacy");
	assert_string_equal(found("/pki/genm", CMP_OP_GENM), "/legacy");
	assert_string_equal(found("/legacy/certConf", CMP_OP_CERTCONF), "/legacy");
	assert_null(found("/pki", CMP_OP_NONE));
	assert_null(found("/pki//ir", CMP_OP_NONE));
	assert_null(found("/pkix/ir", CMP_OP_NONE));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_endpoint_and_operation_B5_2),
	    cmocka_unit_test(test_nothing_else_is_an_endpoint_B5_2),
	    cmocka_unit_test(test_the_longest_path_wins),
	    cmocka_unit_test(test_aliases_and_short_forms_B5_2),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
