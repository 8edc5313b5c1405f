/*
 * What strangers may cost: buckets that fill by what was done in vain and leak with time. Shared by all workers, any
 * thread; bounded tables in memory, forgotten at a restart.
 *
 * A bucket is that of one payer; payers never share one. When a table is full the emptiest of a few makes room, so
 * who comes with ever new names forgets his own small debts at the most, and cannot make anybody else's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum budget {
	BUDGET_ITERATIONS, /* of MACs that turned out to be wrong, by address */
	BUDGET_WRONG_MACS, /* by reference and address */
	BUDGETS
};

/* How much a bucket holds, and how much leaks out of it in a second. */
struct budget_rule {
	int64_t holds, per_second;
};

/* Who pays: an address and a name ("" for the address alone). An IPv6 address stands for its /64: who has one address of it
 * has all. Not for comparing across runs. */
uint64_t budget_payer(const char *peer, const char *name);

/* False: the bucket is full. now_mono_ms: clock_mono_ms. */
bool budget_left(enum budget budget, uint64_t payer, const struct budget_rule *rule,
    int64_t now_mono_ms);
/* Adds cost, even beyond what the bucket holds. */
void budget_spend(enum budget budget, uint64_t payer, int64_t cost, const struct budget_rule *rule,
    int64_t now_mono_ms);
