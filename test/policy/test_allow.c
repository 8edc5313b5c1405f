/*
 * The plugin allow: a table of rules, requests and answers.
 */
#include "fixture.h"

#include <stdio.h>
#include <string.h>

#define PASS  POLICY_PASS
#define GRANT POLICY_GRANT
#define DENY  POLICY_DENY
#define HOLD  POLICY_HOLD

static const char *const NO_SANS[] = {NULL};
static const char *const LAB_SANS[] = {"DNS:a.lab.example", "DNS:b.lab.example", NULL};
static const char *const MIXED_SANS[] = {"DNS:a.lab.example", "DNS:www.bank.example", NULL};
static const char *const URI_SANS[] = {"URI:https://a/b/c", NULL};

static const struct {
	const char *rule[7]; /* key, value, ... */
	const char *subject;
	const char *const *sans;
	enum policy_answer answer;
} TABLE[] = {
    /* A grant is narrow. */
    {{"subject", "/CN=lab-*"}, "/CN=lab-1", NO_SANS, GRANT},
    {{"subject", "/CN=lab-*"}, "/CN=Lab-1", NO_SANS, PASS},
    {{"subject", "/CN=lab-*"}, "/CN=xlab-1", NO_SANS, PASS},
    {{"subject", "/CN=lab-*"}, "/CN=lab-1/O=evil", NO_SANS, PASS},
    {{"subject", "/CN=lab-*"}, "/O=evil/CN=lab-1", NO_SANS, PASS},
    {{"subject", "/CN=lab-*"}, "/CN=lab-1+O=evil", NO_SANS, PASS},
    {{"subject", "/CN=lab-*"}, "/CN=lab-1\\+O\\=evil", NO_SANS, GRANT},
    {{"subject", "/CN=lab-*"}, "/CN=lab-\\/1", NO_SANS, PASS},
    {{"subject", "/CN=lab-*"}, "/CN=lab-1\\\\+O=evil", NO_SANS, PASS},
    {{"subject", "/CN=*+O=x"}, "/CN=a+O=x", NO_SANS, GRANT},
    {{"subject", "/C=DE/*"}, "/C=DE/CN=a", NO_SANS, GRANT},
    {{"subject", "*"}, "/CN=lab-1/O=x+OU=y", NO_SANS, GRANT},
    {{"subject", "/"}, "/", NO_SANS, GRANT},
    {{"subject", "/CN=*"}, "/", NO_SANS, PASS},
    {{"subject", "/CN=?"}, "/CN=a", NO_SANS, GRANT},
    {{"subject", "/CN=?"}, "/CN=ab", NO_SANS, PASS},
    {{"subject", "/CN=[a-c]"}, "/CN=b", NO_SANS, GRANT},
    /* Backslash is an ordinary character. */
    {{"subject", "/CN=a\\/b"}, "/CN=a\\/b", NO_SANS, GRANT},
    {{"subject", "/CN=a\\*"}, "/CN=a\\=b", NO_SANS, GRANT},
    {{"subject", "/CN=a[*]"}, "/CN=a*", NO_SANS, GRANT},
    {{"subject", "/CN=a[*]"}, "/CN=ab", NO_SANS, PASS},
    /* A list: one of it; several keys: all of them. */
    {{"subject", "/CN=a", "subject", "/CN=b"}, "/CN=b", NO_SANS, GRANT},
    {{"subject", "/CN=a", "requester", "mac ref=dev1"}, "/CN=a", NO_SANS, GRANT},
    {{"subject", "/CN=a", "requester", "mac ref=dev2"}, "/CN=a", NO_SANS, PASS},
    {{"type", "ir", "profile", "device"}, "/CN=a", NO_SANS, GRANT},
    {{"type", "cr"}, "/CN=a", NO_SANS, PASS},
    {{"endpoint", "/.well-known/*"}, "/CN=a", NO_SANS, GRANT},
    /* Every SAN must be covered; without the key there must be none. */
    {{"subject", "/CN=a"}, "/CN=a", LAB_SANS, PASS},
    {{"subject", "/CN=a", "san", "*"}, "/CN=a", MIXED_SANS, GRANT},
    {{"san", "DNS:*.lab.example"}, "/CN=a", LAB_SANS, GRANT},
    {{"san", "DNS:*.lab.example"}, "/CN=a", MIXED_SANS, PASS},
    {{"san", "DNS:*.lab.example", "san", "DNS:*.bank.example"}, "/CN=a", MIXED_SANS, GRANT},
    {{"san", "DNS:*.lab.example"}, "/CN=a", NO_SANS, GRANT},
    {{"san", "URI:https://a/*"}, "/CN=a", URI_SANS, PASS},
    {{"san", "URI:https://a/*/*"}, "/CN=a", URI_SANS, GRANT},
    /* Deny and hold are wide. */
    {{"subject", "/CN=lab-*", "answer", "deny"}, "/CN=LAB-1/O=x", LAB_SANS, DENY},
    {{"subject", "/CN=lab-*", "answer", "deny"}, "/CN=x", LAB_SANS, PASS},
    {{"san", "DNS:*.BANK.example", "answer", "deny"}, "/CN=x", MIXED_SANS, DENY},
    {{"san", "DNS:*.bank.example", "answer", "deny"}, "/CN=x", LAB_SANS, PASS},
    {{"san", "DNS:*.bank.example", "answer", "deny"}, "/CN=x", NO_SANS, PASS},
    {{"san", "*", "answer", "hold"}, "/CN=x", URI_SANS, HOLD},
    {{"type", "ir", "answer", "grant"}, "/CN=x", NO_SANS, GRANT},
};

static struct policy_call *
ask(struct fixture *f, const char *subject, const char *const *sans, struct policy_verdict *ret)
{
	struct policy_request request = fixture_request();
	const char *copied[4] = {NULL};
	struct policy_call *call;

	for (size_t i = 0; sans[i] != NULL; i++) {
		copied[i] = sans[i];
	}
	request.subject = subject;
	request.sans = copied;
	call = policy_call_new(f->chain, &request);
	assert_non_null(call);
	assert_int_equal(policy_call_run(call, NULL, NULL), 0);
	assert_int_equal(policy_call_verdict(call, ret), 0);
	return call;
}

/* One endpoint per row of the table, so that the plugin is tried once. */
static void
test_table_of_rules(void **state)
{
	enum { N = sizeof(TABLE) / sizeof(TABLE[0]) };
	static struct conf_endpoint endpoints[N];
	static struct conf_policy links[N];
	static struct conf_arg args[N][4];
	static char paths[N][8];
	struct fixture f;

	(void)state;
	fixture_init(&f);
	f.conf.plugin_dir = PLUGINS;
	for (size_t i = 0; i < N; i++) {
		snprintf(paths[i], sizeof(paths[i]), "/%zu", i);
		for (size_t j = 0; TABLE[i].rule[j] != NULL; j += 2) {
			args[i][j / 2] = (struct conf_arg){TABLE[i].rule[j], TABLE[i].rule[j + 1]};
			links[i].n_args++;
		}
		links[i].plugin = "allow";
		links[i].where = paths[i];
		links[i].args = args[i];
		endpoints[i].path = paths[i];
		endpoints[i].policy = &links[i];
		endpoints[i].n_policy = 1;
	}
	f.conf.endpoints = endpoints;
	f.conf.n_endpoints = N;
	f.endpoint.path = "/0";
	fixture_open(&f);
	for (size_t i = 0; i < N; i++) {
		struct policy_verdict verdict;
		struct policy_call *call;

		f.chain = policy_chain_get0(f.policy, &endpoints[i]);
		call = ask(&f, TABLE[i].subject, TABLE[i].sans, &verdict);
		if (verdict.answer != TABLE[i].answer) {
			fail_msg("row %zu: %s \"%s\" for %s: %d", i, TABLE[i].rule[0],
			    TABLE[i].rule[1], TABLE[i].subject, (int)verdict.answer);
		}
		policy_call_free(call);
	}
	fixture_close(&f);
}

static void
test_answer_carries_text_and_failinfo(void **state)
{
	struct policy_verdict verdict;
	struct policy_call *call;
	struct fixture f;

	(void)state;
	fixture_init(&f);
	f.conf.plugin_dir = PLUGINS;
	fixture_add(&f, "allow", "type", "*", "answer", "deny", "text", "not here", NULL);
	fixture_open(&f);
	call = fixture_ask_now(&f, &verdict);
	assert_int_equal(verdict.answer, POLICY_DENY);
	assert_int_equal(verdict.fail_info, 23);
	assert_string_equal(verdict.text, "not here");
	assert_string_equal(verdict.plugin, "allow");
	policy_call_free(call);
	fixture_close(&f);
}

static void
assert_refused(const char *key, const char *value, const char *key2, const char *value2,
    const char *words)
{
	struct diag diag = {.text = ""};
	struct fixture f;

	fixture_init(&f);
	f.conf.plugin_dir = PLUGINS;
	fixture_add(&f, "allow", key, value, key2, value2, NULL);
	assert_int_equal(policy_new(&f.conf, &f.policy, &diag), CMPD_ECONF);
	if (strstr(diag.text, words) == NULL) {
		fail_msg("\"%s\" does not say \"%s\"", diag.text, words);
	}
}

static void
test_rules_that_make_no_sense_are_refused(void **state)
{
	(void)state;
	assert_refused("subjet", "/CN=a", "type", "*", "there is no key \"subjet\"");
	assert_refused("answer", "deny", NULL, NULL, "at least one of subject");
	assert_refused("type", "ir", "answer", "perhaps", "answer is \"grant\"");
	assert_refused("subject", "/CN=[a", NULL, NULL, "is not a pattern");
	assert_refused("subject", "", NULL, NULL, "is not a pattern");
	assert_refused("text", "a", "text", "b", "text has one value");
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_table_of_rules),
	    cmocka_unit_test(test_answer_carries_text_and_failinfo),
	    cmocka_unit_test(test_rules_that_make_no_sense_are_refused),
	};

	if (argc == 3 && strcmp(argv[1], "--plugin-try") == 0) {
		return policy_try_main(argv[2]);
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
