/* Files: relative names, included ones, and what cannot be read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "parts.h"

#define REST                                                                                       \
	"endpoints = ( { path = \"/a\"; profile = \"p\"; signer = { certificate = \"c\"; "         \
	"key = \"k\"; }; } );\n"
#define PROFILES                                                                                   \
	"cas = ( { name = \"m\"; certificate = \"ca.pem\"; key = \"k\"; } );\n"                    \
	"profiles = ( { name = \"p\"; ca = \"m\"; } );\n"

static char dir[] = "conf-XXXXXX";
static char path[4200];
static struct diag diag;
static struct conf *conf;

static const char *
in_dir(const char *name)
{
	char *cwd = getcwd(NULL, 0);

	assert_non_null(cwd);
	snprintf(path, sizeof(path), "%s/%s/%s", cwd, dir, name);
	free(cwd);
	return path;
}

static void
put(const char *name, const void *data, size_t len)
{
	FILE *out = fopen(in_dir(name), "w");

	assert_non_null(out);
	assert_int_equal(fwrite(data, 1, len, out), len);
	assert_int_equal(fclose(out), 0);
}

static void
put_text(const char *name, const char *text)
{
	put(name, text, strlen(text));
}

static int
set_up(void **state)
{
	(void)state;
	strcpy(dir, "conf-XXXXXX");
	diag.text[0] = '\0';
	conf = NULL;
	return mkdtemp(dir) == NULL ? -1 : 0;
}

static int
tear_down(void **state)
{
	static const char *const names[] = {"main.conf", "more.conf", "loop.conf", "big.conf"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		unlink(in_dir(names[i]));
	}
	rmdir(in_dir("sub"));
	conf_free(conf);
	return rmdir(dir);
}

static void
assert_load(int want, const char *message)
{
	char name[100];

	snprintf(name, sizeof(name), "%s/main.conf", dir);
	assert_int_equal(conf_load(name, &conf, &diag), want);
	if (message != NULL) {
		char all[4500];

		snprintf(all, sizeof(all), "%s%s", in_dir("main.conf"), message);
		assert_string_equal(diag.text, all);
	} else {
		assert_string_equal(diag.text, "");
	}
}

static void
names_are_taken_from_the_files_folder(void **state)
{
	(void)state;
	put_text("main.conf", "state_dir = \"state\";\n" PROFILES REST);
	assert_load(0, NULL);
	assert_string_equal(conf->file, in_dir("main.conf"));
	assert_string_equal(conf->state_dir, in_dir("state"));
	assert_string_equal(conf->store.key, in_dir("state/store.key"));
	assert_string_equal(conf->cas[0].certificate, in_dir("ca.pem"));
}

static void
files_can_be_included(void **state)
{
	(void)state;
	put_text("main.conf",
	    "state_dir = \"state\"; /* \n @include \"not this\" */\n@include \"more.conf\"\n" REST);
	put_text("more.conf", "# the profiles\n" PROFILES);
	assert_load(0, NULL);
	assert_string_equal(conf->profiles[0].name, "p");
	assert_string_equal(conf->endpoints[0].where + strlen(in_dir("main.conf")), ":4");
}

static void
a_fault_in_an_included_file_is_found_there(void **state)
{
	(void)state;
	put_text("main.conf", "state_dir = \"state\";\n@include \"more.conf\"\n" REST);
	put_text("more.conf", PROFILES "workers = true;\n");
	assert_int_equal(conf_load(in_dir("main.conf"), &conf, &diag), CMPD_ECONF);
	assert_non_null(strstr(diag.text, "more.conf:3: workers: wants a whole number"));
}

static void
what_cannot_be_included_is_named(void **state)
{
	char want[9000];

	(void)state;
	put_text("main.conf", "\n@include \"absent.conf\"\n");
	assert_int_equal(conf_load(in_dir("main.conf"), &conf, &diag), CMPD_EIO);
	snprintf(want, sizeof(want), "%s:2: ", in_dir("main.conf"));
	assert_memory_equal(diag.text, want, strlen(want));
	assert_non_null(strstr(diag.text, "absent.conf: cannot be read: No such file"));

	assert_int_equal(mkdir(in_dir("sub"), 0700), 0);
	put_text("main.conf", "@include \"sub\"\n");
	assert_int_equal(conf_load(in_dir("main.conf"), &conf, &diag), CMPD_EIO);
	assert_non_null(strstr(diag.text, "sub is no regular file"));

	put_text("main.conf", "@include \"loop.conf\"\n");
	put_text("loop.conf", "@include \"loop.conf\"\n");
	assert_int_equal(conf_load(in_dir("main.conf"), &conf, &diag), CMPD_ECONF);
	assert_non_null(strstr(diag.text, "loop.conf:1: too many files included"));
}

static void
what_is_no_configuration_is_refused(void **state)
{
	char *big = malloc(1024 * 1024 + 1);

	(void)state;
	assert_load(CMPD_EIO, ": cannot be read: No such file or directory");
	put("main.conf", "a = 1;\0", 7);
	assert_load(CMPD_ECONF, ": is not text");
	assert_non_null(big);
	memset(big, '\n', 1024 * 1024 + 1);
	put("main.conf", big, 1024 * 1024 + 1);
	assert_load(CMPD_ECONF, ": larger than 1 MiB");
	free(big);
	put_text("main.conf", "a = ;");
	assert_load(CMPD_ECONF, ":1: syntax error");
	assert_int_equal(conf_load(dir, &conf, &diag), CMPD_EIO);
	assert_non_null(strstr(diag.text, "is a folder"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(names_are_taken_from_the_files_folder, set_up,
		tear_down),
	    cmocka_unit_test_setup_teardown(files_can_be_included, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_fault_in_an_included_file_is_found_there, set_up,
		tear_down),
	    cmocka_unit_test_setup_teardown(what_cannot_be_included_is_named, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(what_is_no_configuration_is_refused, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("conf_load", tests, NULL, NULL);
}
