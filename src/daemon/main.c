/*
 * cmpd: options and exit status. 0: as asked; 1: it did not work, and standard error says why; 2: called wrongly.
 */
#include <event2/event.h>
#include <getopt.h>
#include <jansson.h>
#include <libconfig.h>
#include <lmdb.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "conf/conf.h"
#include "daemon/daemon.h"
#include "daemon/version.h"
#include "policy/policy.h"

#define PRINT_LIMIT (16u * 1024 * 1024)

enum action { RUN, CHECK, PRINT, VERSION };

static int
usage(FILE *out)
{
	fputs("usage: cmpd -c FILE        run in the foreground\n"
	      "       cmpd -t -c FILE     check configuration, keys, plugins and store\n"
	      "       cmpd -T -c FILE     print the effective configuration\n"
	      "       cmpd -V             print versions\n",
	    out);
	return 2;
}

static int
print_versions(void)
{
	printf("cmpd %s\n%s\nlibevent %s\n%s\nlibconfig %d.%d.%d\njansson %s\n", CMPD_VERSION,
	    OpenSSL_version(OPENSSL_VERSION), event_get_version(), mdb_version(NULL, NULL, NULL),
	    LIBCONFIG_VER_MAJOR, LIBCONFIG_VER_MINOR, LIBCONFIG_VER_REVISION, JANSSON_VERSION);
	return fflush(stdout) == 0 ? 0 : 1;
}

static int
print_conf(const struct conf *conf)
{
	struct buf buf;
	struct bytes text;
	int r;

	buf_init(&buf, PRINT_LIMIT);
	conf_print(conf, &buf);
	r = buf_error(&buf);
	text = buf_get0(&buf);
	if (r == 0 && (fwrite(text.data, 1, text.len, stdout) != text.len || fflush(stdout) != 0)) {
		r = CMPD_EIO;
	}
	buf_fini(&buf);
	return r;
}

static int
fail(const struct diag *diag, int error)
{
	fprintf(stderr, "cmpd: %s\n", diag->text[0] != '\0' ? diag->text : cmpd_strerror(error));
	return 1;
}

static int
act(enum action action, const char *file)
{
	struct conf *conf = NULL;
	struct diag diag = {""};
	int r;

	r = conf_load(file, &conf, &diag);
	if (r < 0) {
		return fail(&diag, r);
	}
	if (action == PRINT) {
		r = print_conf(conf);
		conf_free(conf);
	} else if (action == CHECK) {
		r = daemon_check(conf, &diag);
		if (r == 0) {
			fprintf(stderr, "cmpd: %s: all is well\n", file);
		}
	} else {
		r = daemon_run(conf, &diag);
	}
	return r < 0 ? fail(&diag, r) : 0;
}

int
main(int argc, char **argv)
{
	/* --plugin-try is for cmpd itself: it loads a plugin in a child process before it does so in its own. */
	static const struct option options[] = {{"config", required_argument, NULL, 'c'},
	    {"check", no_argument, NULL, 't'}, {"print", no_argument, NULL, 'T'},
	    {"version", no_argument, NULL, 'V'}, {"help", no_argument, NULL, 'h'},
	    {"plugin-try", required_argument, NULL, 'P'}, {NULL, 0, NULL, 0}};
	enum action action = RUN;
	const char *file = NULL;
	int c;

	while ((c = getopt_long(argc, argv, "c:tTVh", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			file = optarg;
			break;
		case 't':
			action = CHECK;
			break;
		case 'T':
			action = PRINT;
			break;
		case 'V':
			action = VERSION;
			break;
		case 'P':
			return policy_try_main(optarg);
		case 'h':
			usage(stdout);
			return fflush(stdout) == 0 ? 0 : 1;
		default:
			return usage(stderr);
		}
	}
	if (optind != argc) {
		return usage(stderr);
	}
	if (action == VERSION) {
		return print_versions();
	}
	return file == NULL ? usage(stderr) : act(action, file);
}
