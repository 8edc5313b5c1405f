#include "contract.h"

#include <stdio.h>
#include <stdlib.h>

#define TESTS_MAX 256

struct run {
	const struct story *story;
	bool on_disk;
};

static void
run_story(void **state)
{
	const struct run *run = *state;
	struct bench bench;

	bench_init(&bench, run->on_disk);
	bench_open(&bench);
	run->story->tell(&bench);
	bench_fini(&bench);
}

int
main(void)
{
	static const struct story *const lists[] = {contract_changes, contract_reads,
	    contract_secrets, contract_revoked, contract_open, contract_inventory};
	static struct CMUnitTest tests[TESTS_MAX];
	static struct run runs[TESTS_MAX];
	static char names[TESTS_MAX][128];
	size_t n = 0;

	for (size_t l = 0; l < sizeof(lists) / sizeof(lists[0]); l++) {
		for (const struct story *story = lists[l]; story->name != NULL; story++) {
			for (int on_disk = 0; on_disk < 2 && n < TESTS_MAX; on_disk++) {
				runs[n] = (struct run){story, on_disk};
				snprintf(names[n], sizeof(names[n]), "%s: %s",
				    on_disk ? "lmdb" : "memory", story->name);
				tests[n] =
				    (struct CMUnitTest){names[n], run_story, NULL, NULL, &runs[n]};
				n++;
			}
		}
	}
	return _cmocka_run_group_tests("store_contract", tests, n, NULL, NULL);
}
