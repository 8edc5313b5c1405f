/*
 * The plugin exec with real programs.
 */
#include "fixture.h"

#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

static sem_t woken;

static void
wake(void *arg)
{
	(void)arg;
	sem_post(&woken);
}

static void
wait_woken(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_sec += 25;
	assert_int_equal(sem_timedwait(&woken, &ts), 0);
}

static void
open_script(struct fixture *f, const char *script, const char *deadline)
{
	sem_init(&woken, 0, 0);
	fixture_init(f);
	f->conf.plugin_dir = PLUGINS;
	fixture_add(f, "exec", "command", "/bin/sh", "command", "-c", "command", script, "deadline",
	    deadline, "max_children", "2", NULL);
	fixture_open(f);
}

static struct policy_call *
ask_script(struct fixture *f, const char *script, const char *deadline, struct policy_verdict *ret)
{
	struct policy_call *call;
	int rc;

	open_script(f, script, deadline);
	call = fixture_ask(f, wake, NULL, &rc);
	assert_int_equal(rc, CMPD_EPARKED);
	wait_woken();
	assert_int_equal(policy_call_verdict(call, ret), 0);
	return call;
}

static void
assert_text(const char *is, const char *want)
{
	if (want == NULL) {
		assert_null(is);
	} else {
		assert_non_null(is);
		assert_string_equal(is, want);
	}
}

static void
assert_script(const char *script, enum policy_answer answer, int fail_info, const char *text)
{
	struct policy_verdict verdict;
	struct fixture f;
	struct policy_call *call = ask_script(&f, script, "10s", &verdict);

	if (verdict.answer != answer) {
		fail_msg("%s: %d", script, (int)verdict.answer);
	}
	assert_int_equal(verdict.fail_info, fail_info);
	assert_text(verdict.text, text);
	policy_call_free(call);
	fixture_close(&f);
}

static void
assert_fails(const char *script)
{
	assert_script(script, POLICY_HOLD, -1, "policy plugin failed");
}

static void
test_exit_status_is_the_answer(void **state)
{
	(void)state;
	assert_script("exit 0", POLICY_GRANT, -1, NULL);
	assert_script("exit 1", POLICY_DENY, -1, NULL);
	assert_script("exit 2", POLICY_PASS, -1, NULL);
	assert_script("exit 3", POLICY_HOLD, -1, NULL);
	assert_script("echo; exit 0", POLICY_GRANT, -1, NULL);
}

static void
test_output_says_more(void **state)
{
	(void)state;
	assert_script("echo not in the inventory; echo x; exit 1", POLICY_DENY, -1,
	    "not in the inventory");
	assert_script("echo '{\"text\":\"no\",\"failInfo\":\"badCertTemplate\"}'; exit 1",
	    POLICY_DENY, 19, "no");
	assert_script("echo '{\"answer\":\"deny\",\"text\":\"no\"}'", POLICY_DENY, -1, "no");
	assert_script("echo '{\"answer\":\"pass\"}'", POLICY_PASS, -1, NULL);
	assert_script("echo ask Bob; exit 3", POLICY_HOLD, -1, "ask Bob");
	assert_script("echo anything; exit 2", POLICY_PASS, -1, NULL);
}

static void
test_output_may_change_the_request(void **state)
{
	struct policy_verdict verdict;
	struct policy_call *call;
	struct fixture f;

	(void)state;
	call = ask_script(&f,
	    "echo '{\"subject\":\"/CN=x\",\"sans\":[\"DNS:x\"],\"validity\":\"90d\","
	    "\"profile\":\"device\"}'",
	    "10s", &verdict);
	assert_int_equal(verdict.answer, POLICY_GRANT);
	assert_string_equal(verdict.subject, "/CN=x");
	assert_string_equal(verdict.sans[0], "DNS:x");
	assert_null(verdict.sans[1]);
	assert_int_equal(verdict.validity, INT64_C(90) * 86400000);
	assert_string_equal(verdict.profile, "device");
	policy_call_free(call);
	fixture_close(&f);

	call = ask_script(&f, "echo '{\"answer\":\"hold\",\"checkAfter\":60,\"approvals\":2}'",
	    "10s", &verdict);
	assert_int_equal(verdict.answer, POLICY_HOLD);
	assert_int_equal(verdict.check_after, 60000);
	assert_int_equal(verdict.approvals, 2);
	policy_call_free(call);
	fixture_close(&f);
}

static void
test_request_is_on_standard_input(void **state)
{
	(void)state;
	assert_script("grep -q '\"subject\":\"/C=DE/CN=lab-1\"'", POLICY_GRANT, -1, NULL);
	assert_script("grep -q '\"sans\":\\[\"DNS:a.example.org\",\"IP:10.0.0.1\"\\]' /dev/stdin",
	    POLICY_GRANT, -1, NULL);
	assert_script("grep -q '\"certReqId\":7,\"received\":\"2026-01-01T00:00:00Z\"'",
	    POLICY_GRANT, -1, NULL);
	assert_script("grep -q '\"signer\":null,\"spki\":\"c3BraQ==\"'", POLICY_GRANT, -1, NULL);
	assert_script("exec <&-; exit 0", POLICY_GRANT, -1, NULL);
}

static void
test_program_inherits_nothing(void **state)
{
	(void)state;
	assert_int_equal(setenv("CMPD_TEST_SECRET", "1", 1), 0);
	assert_int_equal(dup2(0, 77), 77);
	/* Two signals of the C library itself (32 and 33) may be ignored. A shell may block signals while it starts
	 * grep, so grep looks at itself. */
	assert_script("test -z \"$CMPD_TEST_SECRET\" && test ! -e /proc/$$/fd/77 && "
		      "test \"$PWD\" = / && "
		      "test $(grep -cE '^Sig(Blk|Ign):.0{7}[01][08]0{7}$' /proc/self/status) = 2",
	    POLICY_GRANT, -1, NULL);
	close(77);
	unsetenv("CMPD_TEST_SECRET");
}

static void
test_failures_hold(void **state)
{
	(void)state;
	assert_fails("exit 4");
	assert_fails("kill -SEGV $$");
	assert_fails("echo granted");
	assert_fails("echo '[]'");
	assert_fails("echo '{\"answer\":\"perhaps\"}'");
	assert_fails("echo '{\"failinfo\":\"badAlg\"}'; exit 1");
	assert_fails("echo '{\"failInfo\":\"worse\"}'; exit 1");
	assert_fails("echo '{\"answer\":\"grant\"}'; exit 1");
	assert_fails("echo '{\"answer\":\"deny\",\"answer\":\"grant\"}'");
	assert_fails("echo '{\"validity\":-1}'");
	assert_fails("echo '{\"checkAfter\":\"soon\"}'; exit 3");
	assert_fails("echo '{\"sans\":[1]}'");
	assert_fails("echo '{\"subject\":\"no slash\"}'");
}

static void
test_output_is_bounded(void **state)
{
	(void)state;
	assert_fails("head -c 65537 /dev/zero");
	assert_fails("yes");
	assert_script("head -c 65536 /dev/zero | tr '\\0' ' '", POLICY_GRANT, -1, NULL);
	assert_script("head -c 3000000 /dev/zero >&2", POLICY_GRANT, -1, NULL);
}

static void
test_hanging_program_is_killed_with_its_children(void **state)
{
	char file[] = "/tmp/cmpd-test-XXXXXX", script[128], path[64];
	struct policy_verdict verdict;
	int64_t start = clock_mono_ms();
	struct policy_call *call;
	struct fixture f;
	FILE *in;
	int pid = 0, fd = mkstemp(file);
	char running = 'Z';

	(void)state;
	assert_true(fd >= 0);
	snprintf(script, sizeof(script), "sleep 60 & echo $! > %s; wait", file);
	call = ask_script(&f, script, "500ms", &verdict);
	assert_true(clock_mono_ms() - start < 10000);
	assert_int_equal(verdict.answer, POLICY_HOLD);
	assert_string_equal(verdict.text, "policy plugin failed");
	policy_call_free(call);
	fixture_close(&f);

	assert_int_equal(dprintf(fd, "%s", ""), 0);
	in = fopen(file, "r");
	assert_non_null(in);
	assert_int_equal(fscanf(in, "%d", &pid), 1);
	fclose(in);
	/* Gone, or waiting to be reaped by whoever adopted it. */
	fixture_sleep(50);
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	in = fopen(path, "r");
	if (in != NULL) {
		assert_int_equal(fscanf(in, "%*d %*s %c", &running), 1);
		fclose(in);
	}
	assert_int_equal(running, 'Z');
	close(fd);
	unlink(file);
}

static void
test_grandchild_that_holds_the_output_does_not_delay(void **state)
{
	int64_t start = clock_mono_ms();

	(void)state;
	assert_script("sleep 60 & echo '{\"answer\":\"grant\"}'", POLICY_GRANT, -1, NULL);
	assert_true(clock_mono_ms() - start < 8000);
	/* Also one that has left the process group. */
	assert_script("setsid sleep 12 & exit 0", POLICY_GRANT, -1, NULL);
	assert_true(clock_mono_ms() - start < 10000);
}

static void
test_children_at_once_are_limited(void **state)
{
	struct policy_verdict verdict;
	struct policy_call *calls[4];
	struct fixture f;
	int rc, failed = 0;

	(void)state;
	open_script(&f, "sleep 0.7", "1s");
	for (size_t i = 0; i < 4; i++) {
		calls[i] = fixture_ask(&f, wake, NULL, &rc);
		assert_int_equal(rc, CMPD_EPARKED);
	}
	for (size_t i = 0; i < 4; i++) {
		wait_woken();
	}
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(policy_call_verdict(calls[i], &verdict), 0);
		failed += verdict.answer == POLICY_HOLD;
		policy_call_free(calls[i]);
	}
	/* Two ran; the two that had to wait for them had too little time left. */
	assert_true(failed >= 2);
	fixture_close(&f);
}

static void
assert_refused(const char *key, const char *value, const char *words)
{
	struct diag diag = {.text = ""};
	struct fixture f;

	fixture_init(&f);
	f.conf.plugin_dir = PLUGINS;
	fixture_add(&f, "exec", key, value, "command", "/bin/true", NULL);
	assert_int_equal(policy_new(&f.conf, &f.policy, &diag), CMPD_ECONF);
	if (strstr(diag.text, words) == NULL) {
		fail_msg("\"%s\" does not say \"%s\"", diag.text, words);
	}
}

static void
test_configuration_is_checked(void **state)
{
	(void)state;
	assert_refused("colour", "red", "there is no key \"colour\"");
	assert_refused("command", "true", "command must be an absolute path");
	assert_refused("command", "/nonexistent", "cannot be run");
	assert_refused("deadline", "1h", "deadline is from");
	assert_refused("deadline", "soon", "deadline is from");
	assert_refused("max_children", "0", "max_children from 1");
	assert_refused("max_children", "-1", "max_children from 1");
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_exit_status_is_the_answer),
	    cmocka_unit_test(test_output_says_more),
	    cmocka_unit_test(test_output_may_change_the_request),
	    cmocka_unit_test(test_request_is_on_standard_input),
	    cmocka_unit_test(test_program_inherits_nothing),
	    cmocka_unit_test(test_failures_hold),
	    cmocka_unit_test(test_output_is_bounded),
	    cmocka_unit_test(test_hanging_program_is_killed_with_its_children),
	    cmocka_unit_test(test_grandchild_that_holds_the_output_does_not_delay),
	    cmocka_unit_test(test_children_at_once_are_limited),
	    cmocka_unit_test(test_configuration_is_checked),
	};

	if (argc == 3 && strcmp(argv[1], "--plugin-try") == 0) {
		return policy_try_main(argv[2]);
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
