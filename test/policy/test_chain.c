/*
 * A chain that answers at once: order, verdicts, what plugins see.
 */
#include "fixture.h"

#include <string.h>

#include "plugins/remote.h"

/* What the plugin of that name says; set by each test. */
static struct answer {
	const char *id;
	int rc;
	struct cmpd_verdict verdict;
} answers[4];
static char asked[64];

int
remote_decide(const char *id, struct cmpd_request *request, struct cmpd_verdict *verdict)
{
	(void)request;
	strncat(asked, id, sizeof(asked) - strlen(asked) - 1);
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		if (answers[i].id != NULL && strcmp(answers[i].id, id) == 0) {
			*verdict = answers[i].verdict;
			return answers[i].rc;
		}
	}
	return 0; /* as the daemon filled it: PASS */
}

void
remote_close(const char *id)
{
	(void)id;
}

static int
setup(void **state)
{
	static struct fixture f;

	memset(answers, 0, sizeof(answers));
	asked[0] = '\0';
	fixture_init(&f);
	fixture_add(&f, "remote-now", "id", "a", NULL);
	fixture_add(&f, "remote-now", "id", "b", NULL);
	fixture_add(&f, "remote-now", "id", "c", NULL);
	fixture_open(&f);
	*state = &f;
	return 0;
}

static int
teardown(void **state)
{
	fixture_close(*state);
	return 0;
}

static void
test_plugins_are_asked_in_order_and_all_may_pass(void **state)
{
	struct policy_verdict verdict;
	struct policy_call *call = fixture_ask_now(*state, &verdict);

	assert_string_equal(asked, "abc");
	assert_int_equal(verdict.answer, POLICY_PASS);
	assert_null(verdict.plugin);
	policy_call_free(call);
}

static void
test_first_verdict_that_is_not_pass_wins(void **state)
{
	struct policy_verdict verdict;
	struct policy_call *call;

	answers[0] = (struct answer){"b", 0,
	    {.answer = CMPD_DENY, .fail_info = CMPD_FAIL_NOT_AUTHORIZED, .text = "no\n\x01 way"}};
	answers[1] = (struct answer){"c", 0, {.answer = CMPD_GRANT}};
	call = fixture_ask_now(*state, &verdict);
	assert_string_equal(asked, "ab");
	assert_int_equal(verdict.answer, POLICY_DENY);
	assert_int_equal(verdict.fail_info, 23);
	assert_string_equal(verdict.plugin, "remote-now");
	assert_string_equal(verdict.text, "no   way");
	policy_call_free(call);
}

static void
test_endpoint_without_plugins_passes(void **state)
{
	struct policy_verdict verdict;
	struct policy_call *call;
	struct fixture f;

	(void)state;
	fixture_init(&f);
	fixture_open(&f);
	call = fixture_ask_now(&f, &verdict);
	assert_int_equal(verdict.answer, POLICY_PASS);
	policy_call_free(call);
	fixture_close(&f);
}

static void
test_grant_may_change_the_request(void **state)
{
	static const char *const sans[] = {"DNS:b.example.org", NULL};
	struct policy_verdict verdict;
	struct policy_call *call;

	answers[0] = (struct answer){"a", 0,
	    {.answer = CMPD_GRANT,
		.text = "ignored",
		.subject = "/CN=other",
		.sans = sans,
		.validity_ms = 1000,
		.profile = "device"}};
	call = fixture_ask_now(*state, &verdict);
	memset(answers, 0, sizeof(answers));
	assert_int_equal(verdict.answer, POLICY_GRANT);
	assert_null(verdict.text);
	assert_string_equal(verdict.subject, "/CN=other");
	assert_string_equal(verdict.sans[0], "DNS:b.example.org");
	assert_null(verdict.sans[1]);
	assert_int_equal(verdict.validity, 1000);
	assert_string_equal(verdict.profile, "device");
	policy_call_free(call);
}

static void
test_hold_carries_reason_time_and_approvals(void **state)
{
	struct policy_verdict verdict;
	struct policy_call *call;

	answers[0] = (struct answer){"a", 0,
	    {.answer = CMPD_HOLD, .text = "ask Bob", .check_after_ms = 5000, .approvals = 2}};
	call = fixture_ask_now(*state, &verdict);
	assert_int_equal(verdict.answer, POLICY_HOLD);
	assert_string_equal(verdict.text, "ask Bob");
	assert_int_equal(verdict.check_after, 5000);
	assert_int_equal(verdict.approvals, 2);
	policy_call_free(call);
}

/* Whatever a plugin does wrong, the client learns only that it is held. */
static void
test_failure_or_senseless_verdict_holds(void **state)
{
	static const char *const bad_sans[] = {"no kind", NULL};
	static const struct answer bad[] = {
	    {"a", -1, {.answer = CMPD_GRANT, .text = "database password is wrong"}},
	    {"a", 0, {.answer = (enum cmpd_answer)4}},
	    {"a", 0, {.answer = (enum cmpd_answer) - 1}},
	    {"a", 0, {.answer = CMPD_DENY, .fail_info = 27}},
	    {"a", 0, {.answer = CMPD_DENY, .fail_info = -2}},
	    {"a", 0, {.answer = CMPD_HOLD, .check_after_ms = -1}},
	    {"a", 0, {.answer = CMPD_HOLD, .check_after_ms = INT64_MAX}},
	    {"a", 0, {.answer = CMPD_HOLD, .approvals = 17}},
	    {"a", 0, {.answer = CMPD_HOLD, .approvals = 257}},
	    {"a", 0, {.answer = CMPD_GRANT, .subject = "CN=no slash"}},
	    {"a", 0, {.answer = CMPD_GRANT, .sans = bad_sans}},
	    {"a", 0, {.answer = CMPD_GRANT, .validity_ms = -1}},
	    {"a", 0, {.answer = CMPD_GRANT, .validity_ms = INT64_MAX}},
	    {"a", 0, {.answer = CMPD_GRANT, .profile = "nowhere"}},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct policy_verdict verdict;
		struct policy_call *call;

		asked[0] = '\0';
		answers[0] = bad[i];
		call = fixture_ask_now(*state, &verdict);
		assert_string_equal(asked, "a");
		assert_int_equal(verdict.answer, POLICY_HOLD);
		assert_string_equal(verdict.text, "policy plugin failed");
		assert_string_equal(verdict.plugin, "remote-now");
		assert_null(verdict.subject);
		assert_null(verdict.profile);
		policy_call_free(call);
	}
}

static void
test_texts_become_one_short_line(void **state)
{
	char text[2000];
	struct policy_verdict verdict;
	struct policy_call *call;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	memcpy(text, "\xc3\xa4 \xff \xe2\x82", 7);
	text[510] = '\xc3';
	text[511] = '\xa4';
	answers[0] = (struct answer){"a", 0, {.answer = CMPD_DENY, .fail_info = -1, .text = text}};
	call = fixture_ask_now(*state, &verdict);
	assert_memory_equal(verdict.text, "\xc3\xa4 ? ??", 7);
	assert_int_equal(strlen(verdict.text), 512);
	policy_call_free(call);

	answers[0] = (struct answer){"a", 0, {.answer = CMPD_HOLD, .text = "cut \xf0\x9f"}};
	call = fixture_ask_now(*state, &verdict);
	assert_string_equal(verdict.text, "cut ??");
	policy_call_free(call);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_plugins_are_asked_in_order_and_all_may_pass, setup,
		teardown),
	    cmocka_unit_test_setup_teardown(test_first_verdict_that_is_not_pass_wins, setup,
		teardown),
	    cmocka_unit_test(test_endpoint_without_plugins_passes),
	    cmocka_unit_test_setup_teardown(test_grant_may_change_the_request, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_hold_carries_reason_time_and_approvals, setup,
		teardown),
	    cmocka_unit_test_setup_teardown(test_failure_or_senseless_verdict_holds, setup,
		teardown),
	    cmocka_unit_test_setup_teardown(test_texts_become_one_short_line, setup, teardown),
	};

	if (argc == 3 && strcmp(argv[1], "--plugin-try") == 0) {
		return policy_try_main(argv[2]);
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
