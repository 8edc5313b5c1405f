#include "cmp/guess.h"

#include <string.h>

#include "base/clock.h"
#include "cmp/budget.h"

/* One wrong MAC, so that so many a minute leak in whole numbers. */
#define WRONG_MAC 60000

static struct budget_rule
rule_of_iterations(const struct cmp_work *work)
{
	int64_t n = work->endpoint->conf->mac_iterations_per_second;

	return (struct budget_rule){n, n};
}

static struct budget_rule
rule_of_wrong_macs(const struct cmp_work *work)
{
	int64_t n = work->endpoint->conf->wrong_macs_per_minute;

	/* Full as long as one more would be too many. */
	return (struct budget_rule){(n - 1) * WRONG_MAC + 1, n * WRONG_MAC / 60};
}

/* A reference counts once, however it is written. */
static uint64_t
payer_of(const struct cmp_work *work, const char *ref)
{
	if (ref && strncmp(ref, "CN=", 3) == 0) {
		ref += 3;
	}
	return budget_payer(work->request->peer, ref ? ref : "");
}

bool
guess_allowed(struct cmp_work *work, const char *ref, bool of_opener)
{
	struct budget_rule iterations = rule_of_iterations(work);
	struct budget_rule wrong_macs = rule_of_wrong_macs(work);
	const char *peer = work->request->peer;
	int64_t now = clock_mono_ms();

	if (!budget_left(BUDGET_ITERATIONS, budget_payer(peer, ""), &iterations, now)) {
		return cmp_work_fault(work, "B3.19", FI_SYSTEM_UNAVAIL,
		    "too many wrong MACs from this address: try again later");
	}
	if (!of_opener && !budget_left(BUDGET_WRONG_MACS, payer_of(work, ref), &wrong_macs, now)) {
		return cmp_work_fault(work, "B3.19", FI_SYSTEM_UNAVAIL,
		    "too many wrong MACs for this reference from this address: try again later");
	}
	return true;
}

void
guess_failed(struct cmp_work *work, const char *ref, int64_t iterations)
{
	struct budget_rule by_address = rule_of_iterations(work);
	struct budget_rule by_reference = rule_of_wrong_macs(work);
	const char *peer = work->request->peer;
	int64_t now = clock_mono_ms();

	budget_spend(BUDGET_ITERATIONS, budget_payer(peer, ""), iterations, &by_address, now);
	budget_spend(BUDGET_WRONG_MACS, payer_of(work, ref), WRONG_MAC, &by_reference, now);
}
