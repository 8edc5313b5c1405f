/*
 * Who pays for wrong MACs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "cmp/budget.h"

#define PER_SECOND 1000

static const struct budget_rule rule = {PER_SECOND, PER_SECOND};

static bool
left(const char *peer, const char *name, int64_t now)
{
	return budget_left(BUDGET_ITERATIONS, budget_payer(peer, name), &rule, now);
}

static void
spend(const char *peer, const char *name, int64_t cost, int64_t now)
{
	budget_spend(BUDGET_ITERATIONS, budget_payer(peer, name), cost, &rule, now);
}

static void
an_address_pays_for_itself_and_is_forgiven(void **state)
{
	(void)state;
	assert_true(left("192.0.2.1", "", 5000));
	spend("192.0.2.1", "", PER_SECOND, 5000);
	assert_false(left("192.0.2.1", "", 5000));
	assert_true(left("192.0.2.2", "", 5000));
	assert_true(left("192.0.2.1", "", 5500));
}

static void
an_ipv6_network_pays_together(void **state)
{
	(void)state;
	spend("2001:db8:1:2::1", "", PER_SECOND, 5000);
	assert_false(left("2001:db8:1:2:ffff::9", "", 5000));
	assert_true(left("2001:db8:1:3::1", "", 5000));
	spend("::ffff:192.0.2.7", "", PER_SECOND, 5000);
	assert_true(left("::ffff:192.0.2.8", "", 5000));
}

static void
names_and_budgets_are_told_apart(void **state)
{
	uint64_t payer = budget_payer("192.0.2.9", "dev1");

	(void)state;
	spend("192.0.2.9", "dev1", PER_SECOND, 5000);
	assert_false(left("192.0.2.9", "dev1", 5000));
	assert_true(left("192.0.2.9", "dev2", 5000));
	assert_true(left("192.0.2.9", "", 5000));
	assert_true(left("192.0.2.9d", "ev1", 5000));
	assert_true(budget_left(BUDGET_WRONG_MACS, payer, &rule, 5000));
}

/* B4.10 */
static void
a_flood_of_names_holds_up_nobody_else_and_forgets_no_large_debt(void **state)
{
	char name[32];

	(void)state;
	spend("192.0.2.20", "victim", PER_SECOND, 5000);
	for (int i = 0; i < 100000; i++) {
		snprintf(name, sizeof(name), "name%d", i);
		spend("198.51.100.1", name, PER_SECOND / 2, 5000);
	}
	assert_true(left("192.0.2.21", "victim", 5000));
	assert_true(left("192.0.2.21", "other", 5000));
	assert_false(left("192.0.2.20", "victim", 5000));
}

static void
what_leaks_is_by_the_time_that_passed(void **state)
{
	(void)state;
	spend("192.0.2.30", "", 10 * PER_SECOND, 5000);
	assert_false(left("192.0.2.30", "", 13999));
	assert_true(left("192.0.2.30", "", 14001));
	/* A clock that stands still or goes back forgives nothing. */
	assert_false(left("192.0.2.30", "", 4000));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_address_pays_for_itself_and_is_forgiven),
	    cmocka_unit_test(an_ipv6_network_pays_together),
	    cmocka_unit_test(names_and_budgets_are_told_apart),
	    cmocka_unit_test(a_flood_of_names_holds_up_nobody_else_and_forgets_no_large_debt),
	    cmocka_unit_test(what_leaks_is_by_the_time_that_passed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
