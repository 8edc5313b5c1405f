/* Which changes can be taken over without a restart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "parts.h"

static void
assert_reload(struct parts old, struct parts new, const char *want)
{
	struct conf *a = NULL, *b = NULL;
	struct diag diag = {""};

	assert_int_equal(parse_parts(&old, &a, &diag), 0);
	assert_int_equal(parse_parts(&new, &b, &diag), 0);
	assert_int_equal(conf_check_reload(a, b, &diag), want == NULL ? 0 : CMPD_ECONF);
	assert_string_equal(diag.text, want == NULL ? "" : want);
	conf_free(a);
	conf_free(b);
}

static void
nothing_changed(void **state)
{
	(void)state;
	assert_reload((struct parts){NULL}, (struct parts){NULL}, NULL);
	/* A default, written out. */
	assert_reload((struct parts){NULL},
	    (struct parts){.root =
			       "workers = 0; listen = [ \"127.0.0.1:8080\" ]; store = { map_size "
			       "= \"1024GiB\"; };"},
	    NULL);
}

static void
what_can_change(void **state)
{
	(void)state;
	assert_reload((struct parts){NULL},
	    (struct parts){.root = "log_level = \"debug\"; limits = { body_size = 2000; }; "
				   "control = { admin_users = [ \"eve\" ]; };",
		.profile = "validity = \"1d\";",
		.endpoint = "check_after = 5; policy = ( { plugin = \"allow\"; } );"},
	    NULL);
}

static void
what_cannot_change(void **state)
{
	static const struct {
		const char *root, *want;
	} rows[] = {
	    {"workers = 2;", "workers is another than before; that needs a restart"},
	    {"listen = [ ];", "listen is another than before; that needs a restart"},
	    {"listen = [ \"127.0.0.1:8080\", \"[::1]:8080\" ];",
		"listen is another than before; that needs a restart"},
	    {"health = \"127.0.0.1:1\";", "health is another than before; that needs a restart"},
	    {"store = { key = \"x\"; };", "store.key is another than before; that needs a restart"},
	    {"store = { map_size = \"1GiB\"; };",
		"store.map_size is another than before; that needs a restart"},
	    {"store = { sync = false; };",
		"store.sync is another than before; that needs a restart"},
	    {"control = { socket = \"x\"; };",
		"control.socket is another than before; that needs a restart"},
	    {"limits = { queue = 2; };",
		"limits.queue is another than before; that needs a restart"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_reload((struct parts){NULL}, (struct parts){.root = rows[i].root},
		    rows[i].want);
		assert_reload((struct parts){.root = rows[i].root}, (struct parts){NULL},
		    rows[i].want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_changed),
	    cmocka_unit_test(what_can_change),
	    cmocka_unit_test(what_cannot_change),
	};

	return cmocka_run_group_tests_name("conf_reload", tests, NULL, NULL);
}
