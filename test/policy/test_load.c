/*
 * B8.4: plugins that crash, hang or end the process when they are loaded, or do not fit, are refused with
 * the line of the configuration and a sentence; the process stays.
 */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "plugins/remote.h"
#include "policy/limits.h"

int
remote_decide(const char *id, struct cmpd_request *request, struct cmpd_verdict *verdict)
{
	(void)id, (void)request;
	verdict->answer = CMPD_GRANT;
	return 0;
}

void
remote_close(const char *id)
{
	(void)id;
}

static void
assert_refused(const char *plugin, const char *key, const char *words)
{
	struct diag diag = {.text = ""};
	struct fixture f;

	fixture_init(&f);
	fixture_add(&f, plugin, key, "x", NULL);
	assert_int_equal(policy_new(&f.conf, &f.policy, &diag), CMPD_ECONF);
	assert_null(f.policy);
	assert_ptr_equal(strstr(diag.text, "test.conf:3: plugin "), diag.text);
	if (strstr(diag.text, words) == NULL) {
		fail_msg("\"%s\" does not say \"%s\"", diag.text, words);
	}
}

static void
test_good_one_is_loaded_by_name_and_by_path(void **state)
{
	struct policy_verdict verdict;
	struct policy_call *call;
	struct fixture f;

	(void)state;
	fixture_init(&f);
	fixture_add(&f, "remote-now", "id", "a", NULL);
	fixture_open(&f);
	call = fixture_ask_now(&f, &verdict);
	assert_int_equal(verdict.answer, POLICY_GRANT);
	policy_call_free(call);
	fixture_close(&f);

	fixture_init(&f);
	fixture_add(&f, PLUGIN_DIR "/remote-now.so", "id", "a", NULL);
	f.conf.plugin_dir = NULL;
	fixture_open(&f);
	fixture_close(&f);
}

static void
test_B8_4_crash_exit_and_hang_at_load_are_refused(void **state)
{
	int64_t start;

	(void)state;
	/* A sanitizer turns the signal into an exit status. */
	assert_refused("bad-crash", "id", "when it is loaded");
	assert_refused("bad-exit", "id", "ends the process when it is loaded");
	policy_limits.load = 300;
	start = clock_mono_ms();
	assert_refused("bad-hang", "id", "does not load within 300 ms");
	assert_true(clock_mono_ms() - start < 5000);
	policy_limits.load = 10000;
}

static void
test_B8_4_what_does_not_fit_is_refused(void **state)
{
	(void)state;
	assert_refused("bad-unresolved", "id", "bad_is_nowhere");
	assert_refused("bad-nosymbol", "id", "does not export cmpd_plugin");
	assert_refused("bad-major", "id", "version 2 of the plugin interface, not for 1");
	assert_refused("bad-short", "id", "struct_size");
	assert_refused("bad-noname", "id", "name is missing");
	assert_refused("bad-nodecide", "id", "decide is missing");
	assert_refused("bad-flags", "id", "flags");
}

static void
test_files_that_are_no_plugins_are_refused(void **state)
{
	char file[] = "/tmp/cmpd-test-XXXXXX";
	int fd = mkstemp(file);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "not ELF\n", 8), 8);
	assert_refused(file, "id", file);
	assert_int_equal(fchmod(fd, 0666), 0);
	assert_refused(file, "id", "can be written by everybody");
	close(fd);
	unlink(file);
	assert_refused(file, "id", "No such file");
	assert_refused("/", "id", "not a regular file");
	assert_refused("../remote", "id", "neither a plugin's name nor an absolute path");
	assert_refused("", "id", "neither a plugin's name nor an absolute path");
}

static void
test_plugin_says_what_is_wrong_in_its_configuration(void **state)
{
	(void)state;
	assert_refused("remote", "colour", "unknown key colour");
	/* Opened links of a chain that fails are closed again. */
	struct diag diag = {.text = ""};
	struct fixture f;

	fixture_init(&f);
	fixture_add(&f, "remote", "id", "a", NULL);
	fixture_add(&f, "remote", NULL);
	assert_int_equal(policy_new(&f.conf, &f.policy, &diag), CMPD_ECONF);
	assert_non_null(strstr(diag.text, "id is missing"));
}

static void
test_program_that_cannot_be_started_is_an_error(void **state)
{
	struct diag diag = {.text = ""};
	struct fixture f;

	(void)state;
	fixture_init(&f);
	fixture_add(&f, "remote", "id", "a", NULL);
	policy_limits.program = "/nonexistent";
	assert_int_equal(policy_new(&f.conf, &f.policy, &diag), CMPD_EIO);
	assert_non_null(strstr(diag.text, "cannot be started"));
	policy_limits.program = NULL;
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good_one_is_loaded_by_name_and_by_path),
	    cmocka_unit_test(test_B8_4_crash_exit_and_hang_at_load_are_refused),
	    cmocka_unit_test(test_B8_4_what_does_not_fit_is_refused),
	    cmocka_unit_test(test_files_that_are_no_plugins_are_refused),
	    cmocka_unit_test(test_plugin_says_what_is_wrong_in_its_configuration),
	    cmocka_unit_test(test_program_that_cannot_be_started_is_an_error),
	};

	if (argc == 3 && strcmp(argv[1], "--plugin-try") == 0) {
		return policy_try_main(argv[2]);
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
