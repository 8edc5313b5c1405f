/*
 * Who pays for wrong MACs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cmp/mac.h"

enum { PER_SECOND = 1000 };

static void
an_address_pays_for_itself_and_is_forgiven(void **state)
{
	(void)state;
	assert_true(mac_budget_left("192.0.2.1", PER_SECOND, 5000));
	mac_budget_spend("192.0.2.1", PER_SECOND, PER_SECOND, 5000);
	assert_false(mac_budget_left("192.0.2.1", PER_SECOND, 5000));
	assert_true(mac_budget_left("192.0.2.2", PER_SECOND, 5000));
	assert_true(mac_budget_left("192.0.2.1", PER_SECOND, 5500));
}

static void
an_ipv6_network_pays_together(void **state)
{
	(void)state;
	mac_budget_spend("2001:db8:1:2::1", PER_SECOND, PER_SECOND, 5000);
	assert_false(mac_budget_left("2001:db8:1:2:ffff::9", PER_SECOND, 5000));
	assert_true(mac_budget_left("2001:db8:1:3::1", PER_SECOND, 5000));
	mac_budget_spend("::ffff:192.0.2.7", PER_SECOND, PER_SECOND, 5000);
	assert_true(mac_budget_left("::ffff:192.0.2.8", PER_SECOND, 5000));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_address_pays_for_itself_and_is_forgiven),
	    cmocka_unit_test(an_ipv6_network_pays_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
