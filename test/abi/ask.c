/*
 * Loads a plugin file, asks it once, prints the verdict on one line: ask FILE [KEYTYPE].
 */
#include "policy/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
print(const struct policy_verdict *verdict)
{
	static const char *const answers[] = {"pass", "grant", "deny", "hold"};

	printf("%s", answers[verdict->answer]);
	if (verdict->fail_info >= 0) {
		printf(" fail=%d", verdict->fail_info);
	}
	if (verdict->text != NULL) {
		printf(" text=%s", verdict->text);
	}
	if (verdict->subject != NULL) {
		printf(" subject=%s", verdict->subject);
	}
	if (verdict->sans != NULL) {
		printf(" san=%s", verdict->sans[0]);
	}
	printf("\n");
}

int
main(int argc, char **argv)
{
	struct policy_request request = fixture_request();
	struct diag diag = {.text = ""};
	struct policy_verdict verdict;
	struct policy_call *call;
	struct fixture f;
	int rc;

	if (argc == 3 && strcmp(argv[1], "--plugin-try") == 0) {
		return policy_try_main(argv[2]);
	}
	if (argc < 2) {
		return 2;
	}
	fixture_init(&f);
	fixture_add(&f, argv[1], "key", "value", NULL);
	if (policy_new(&f.conf, &f.policy, &diag) != 0) {
		fprintf(stderr, "%s\n", diag.text);
		return 1;
	}
	request.key_type = argc > 2 ? argv[2] : request.key_type;
	call = policy_call_new(policy_chain_get0(f.policy, &f.endpoint), &request);
	rc = call == NULL ? 1 : policy_call_run(call, NULL, NULL);
	if (rc == 0 && policy_call_verdict(call, &verdict) == 0) {
		print(&verdict);
	}
	policy_call_free(call);
	policy_free(f.policy);
	return rc == 0 ? 0 : 1;
}
