#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "cmpd-ctl/init.h"
#include "conf/conf.h"
#include "issuer/issuer.h"

static char scratch[64];
static char dir[128];

static int
setup(void **state)
{
	(void)state;
	strcpy(scratch, "/tmp/cmpd-init-XXXXXX");
	assert_non_null(mkdtemp(scratch));
	snprintf(dir, sizeof(dir), "%s/demo", scratch);
	return 0;
}

/* Removes a folder and what is in it. */
static void
clear(const char *path)
{
	DIR *list = opendir(path);
	struct dirent *entry;

	while (list != NULL && (entry = readdir(list)) != NULL) {
		char inner[512];

		if (entry->d_name[0] == '.') {
			continue;
		}
		snprintf(inner, sizeof(inner), "%s/%s", path, entry->d_name);
		if (unlink(inner) < 0) {
			clear(inner);
		}
	}
	if (list != NULL) {
		closedir(list);
	}
	rmdir(path);
}

static int
teardown(void **state)
{
	(void)state;
	clear(scratch);
	return ERR_peek_error() != 0;
}

static const char *
path_of(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void
assert_mode(const char *name, mode_t mode)
{
	struct stat status;

	assert_int_equal(lstat(path_of(name), &status), 0);
	assert_int_equal(status.st_mode & 07777, mode);
}

static X509 *
read_certificate(const char *name)
{
	FILE *in = fopen(path_of(name), "r");
	X509 *x509 = PEM_read_X509(in, NULL, NULL, NULL);

	fclose(in);
	assert_non_null(x509);
	return x509;
}

static void
the_folder_is_complete_and_private(void **state)
{
	struct diag diag = {""};
	struct stat status;
	EXTENDED_KEY_USAGE *usage;
	X509 *ca, *signer;

	(void)state;
	assert_int_equal(init_run(dir, NULL, &diag), 0);
	assert_mode(".", 0700);
	assert_mode("ca/ca.key", 0600);
	assert_mode("cmp/signer.key", 0600);
	assert_mode("store.key", 0600);
	assert_mode("cmpd.conf", 0600);
	assert_mode("state", 0700);
	assert_int_equal(stat(path_of("store.key"), &status), 0);
	assert_int_equal(status.st_size, 32);
	assert_int_equal(access(path_of("INIT-NOT-FINISHED"), F_OK), -1);

	ca = read_certificate("ca/ca.pem");
	signer = read_certificate("cmp/signer.pem");
	assert_int_equal(X509_check_ca(ca), 1);
	assert_int_equal(X509_check_issued(ca, signer), X509_V_OK);
	assert_int_equal(X509_verify(signer, X509_get0_pubkey(ca)), 1);
	assert_int_equal(X509_get_key_usage(signer), KU_DIGITAL_SIGNATURE);
	assert_int_equal(X509_check_ca(signer), 0);
	/* B3.26 the CA says that it speaks CMP for it. */
	usage = X509_get_ext_d2i(signer, NID_ext_key_usage, NULL, NULL);
	assert_int_equal(sk_ASN1_OBJECT_num(usage), 1);
	assert_int_equal(OBJ_obj2nid(sk_ASN1_OBJECT_value(usage, 0)), NID_cmcCA);
	EXTENDED_KEY_USAGE_free(usage);
	X509_free(ca);
	X509_free(signer);
}

static void
cmpd_can_read_and_use_it(void **state)
{
	static const char *const listens[] = {
	    NULL, "0.0.0.0:0", "[::1]:65535", "unix:/tmp/cmpd-init.sock"};

	(void)state;
	for (size_t i = 0; i < sizeof(listens) / sizeof(listens[0]); i++) {
		struct conf *conf = NULL;
		struct issuer *issuer = NULL;
		struct diag diag = {""};
		char demo[160];

		snprintf(demo, sizeof(demo), "%s%zu", dir, i);
		assert_int_equal(init_run(demo, listens[i], &diag), 0);
		strcat(demo, "/cmpd.conf");
		if (conf_load(demo, &conf, &diag) < 0) {
			fail_msg("%s", diag.text);
		}
		assert_string_equal(conf->listen[0],
		    listens[i] != NULL ? listens[i] : "127.0.0.1:8080");
		assert_null(conf->health);
		assert_string_equal(conf->endpoints[0].path, "/.well-known/cmp");
		assert_int_equal(conf->endpoints[0].n_policy, 0);
		assert_int_equal(conf->endpoints[0].check_after, 2000);
		assert_true(conf->profiles[0].validity == INT64_C(90) * 86400000);
		if (issuer_new(conf, NULL, &issuer, &diag) < 0) {
			fail_msg("%s", diag.text);
		}
		issuer_free(issuer);
		conf_free(conf);
	}
}

static void
a_folder_in_use_is_left_alone(void **state)
{
	struct diag diag = {""};
	int fd;

	(void)state;
	assert_int_equal(mkdir(dir, 0755), 0);
	fd = open(path_of("mine"), O_CREAT | O_WRONLY, 0600);
	close(fd);
	assert_int_equal(init_run(dir, NULL, &diag), CMPD_EEXIST);
	assert_non_null(strstr(diag.text, "not empty"));
	assert_mode(".", 0755);
	assert_int_equal(access(path_of("mine"), F_OK), 0);
	assert_int_equal(access(path_of("ca"), F_OK), -1);

	assert_int_equal(unlink(path_of("mine")), 0);
	assert_int_equal(init_run(dir, NULL, &diag), 0);
	assert_mode(".", 0700);
	assert_int_equal(init_run(dir, NULL, &diag), CMPD_EEXIST);
	assert_int_equal(access(path_of("cmpd.conf"), F_OK), 0);
}

static void
a_run_that_was_cut_off_is_named(void **state)
{
	struct diag diag = {""};
	int fd;

	(void)state;
	assert_int_equal(mkdir(dir, 0700), 0);
	fd = open(path_of("INIT-NOT-FINISHED"), O_CREAT | O_WRONLY, 0600);
	close(fd);
	assert_int_equal(init_run(dir, NULL, &diag), CMPD_EEXIST);
	assert_non_null(strstr(diag.text, "cut off"));
}

static void
failures_leave_nothing_behind(void **state)
{
	static const char *const listens[] = {"", "8080", ":8080", "localhost:8080", "1.2.3:1",
	    "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:80x", "[::1:80", "::1:80", "[]:80",
	    "unix:", "127.0.0.1:80\"; x = \"", "unix:/a\nb"};
	struct diag diag = {""};
	char lengthy[160];

	(void)state;
	for (size_t i = 0; i < sizeof(listens) / sizeof(listens[0]); i++) {
		assert_int_equal(init_run(dir, listens[i], &diag), CMPD_EINVAL);
		assert_int_equal(access(dir, F_OK), -1);
	}
	memset(lengthy, 'x', sizeof(lengthy));
	memcpy(lengthy, scratch, strlen(scratch));
	lengthy[strlen(scratch)] = '/';
	lengthy[107 - strlen("/ctl.sock") + 1] = '\0';
	assert_int_equal(init_run(lengthy, NULL, &diag), CMPD_ELIMIT);
	assert_non_null(strstr(diag.text, "shorter"));
	assert_int_equal(access(lengthy, F_OK), -1);
	lengthy[107 - strlen("/ctl.sock")] = '\0';
	assert_int_equal(init_run(lengthy, NULL, &diag), 0);

	snprintf(lengthy, sizeof(lengthy), "%s/none/demo", scratch);
	assert_int_equal(init_run(lengthy, NULL, &diag), CMPD_EIO);
	assert_int_equal(init_run("", NULL, &diag), CMPD_EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(the_folder_is_complete_and_private, setup, teardown),
	    cmocka_unit_test_setup_teardown(cmpd_can_read_and_use_it, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_folder_in_use_is_left_alone, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_run_that_was_cut_off_is_named, setup, teardown),
	    cmocka_unit_test_setup_teardown(failures_leave_nothing_behind, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
