/*
 * Where a scenario happens: a directory made by cmpd-ctl init, one cmpd that
 * listens on a port of its own, its clocks, and cmpd-ctl beside it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libconfig.h>
#include <openssl/pem.h>

#include "player.h"

#define START_WAIT_MS 20000
#define STOP_WAIT_MS  20000
#define OUTPUT_MAX    (1 << 20)

char *
place_path(struct player *p, const char *name)
{
	return pool_printf(p->pool, "%s/%s", p->dir, name);
}

void
place_write(struct player *p, const char *path, const void *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, data, len) != (ssize_t)len || close(fd) != 0) {
		fail(p, "cannot write %s: %s", path, strerror(errno));
	}
}

/* ---- cmpd-ctl ---- */

/* Both streams of the program, its exit status returned. */
static int
run(struct player *p, char *const *argv, bool errors)
{
	int fds[2], status = 0;
	size_t len = 0;
	ssize_t n;
	pid_t pid;

	need(p, pipe2(fds, O_CLOEXEC) == 0);
	pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(null, 0);
		dup2(fds[1], 1);
		dup2(errors ? fds[1] : null, 2);
		execv(argv[0], argv);
		_exit(127);
	}
	close(fds[1]);
	p->output = pool_alloc(p->pool, OUTPUT_MAX + 1);
	need(p, pid > 0 && p->output != NULL);
	while (len < OUTPUT_MAX && (n = read(fds[0], p->output + len, OUTPUT_MAX - len)) > 0) {
		len += (size_t)n;
	}
	close(fds[0]);
	need(p, waitpid(pid, &status, 0) == pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int
run_ctl(struct player *p, const char *const *args, bool json)
{
	char *argv[WORDS_MAX + 8];
	int n = 0;

	if (p->conf == NULL) {
		fail(p, "CONNECT names no conf= for cmpd-ctl");
	}
	argv[n++] = pool_strdup(p->pool, p->ctl);
	argv[n++] = pool_strdup(p->pool, "-c");
	argv[n++] = pool_strdup(p->pool, p->conf);
	if (json) {
		argv[n++] = pool_strdup(p->pool, "--json");
	}
	for (; *args != NULL; args++) {
		argv[n++] = pool_strdup(p->pool, *args);
	}
	argv[n] = NULL;
	return run(p, argv, !json);
}

int
place_ctl(struct player *p, const char *const *args)
{
	return run_ctl(p, args, false);
}

json_t *
place_ctl_json(struct player *p, const char *const *args)
{
	char *before = p->output;
	json_error_t error;
	json_t *root;

	if (run_ctl(p, args, true) != 0) {
		fail(p, "cmpd-ctl --json %s fails: %s", args[0], p->output);
	}
	root = json_loads(p->output, 0, &error);
	if (root == NULL) {
		fail(p, "cmpd-ctl --json %s: %s", args[0], error.text);
	}
	p->output = before;
	return root;
}

void
place_secret(struct player *p, const struct words *words)
{
	static const char *const options[] = {
	    "uses", "ttl", "subject", "profile", "endpoint", "overlap"};
	struct known_secret *secret = &p->secrets[p->n_secrets++];
	const char *args[16] = {"secret", "add", words->word[1]}, *value;
	json_t *root;
	size_t i;
	int n = 3;

	need(p, p->n_secrets <= NAMED_MAX && words->n >= 2);
	if (word_get(words, "overlap") != NULL) {
		args[1] = "rotate";
	}
	if (word_get(words, "until") != NULL) {
		args[n++] = "--until-confirmed";
	}
	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		value = word_get(words, options[i]);
		if (value != NULL) {
			args[n++] = pool_printf(p->pool, "--%s", options[i]);
			args[n++] = value;
		}
	}
	root = place_ctl_json(p, args);
	value = json_string_value(json_object_get(root, "secret"));
	if (value == NULL) {
		fail(p, "secret add printed no secret");
	}
	snprintf(secret->ref, sizeof(secret->ref), "%s", words->word[1]);
	snprintf(secret->value, sizeof(secret->value), "%s", value);
	json_decref(root);
}

const char *
place_entry(struct player *p, const struct client *client, int64_t id, const char **ret_state)
{
	const char *const args[] = {"list", "-n", "1000", NULL};
	const char *found = NULL;
	char txn[2 * 64 + 1];
	json_t *root, *row;
	size_t i;

	hex_encode(client->transaction_id, txn, sizeof(txn));
	root = place_ctl_json(p, args);
	json_array_foreach (root, i, row) {
		const char *its = json_string_value(json_object_get(row, "txn"));

		if (its != NULL && strcmp(its, txn) == 0 &&
		    json_integer_value(json_object_get(row, "cert_req_id")) ==
			(client->opened_by == WIRE_P10CR ? -1 : id)) {
			const char *state = json_string_value(json_object_get(row, "state"));

			found = json_string_value(json_object_get(row, "id"));
			need(p, found != NULL && state != NULL);
			found = pool_strdup(p->pool, found);
			*ret_state = pool_strdup(p->pool, state);
		}
	}
	json_decref(root);
	return found;
}

/* ---- directory and configuration ---- */

static int
free_port(struct player *p)
{
	struct sockaddr_in at = {
	    .sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	need(p, fd >= 0 && bind(fd, (struct sockaddr *)&at, len) == 0);
	need(p, getsockname(fd, (struct sockaddr *)&at, &len) == 0);
	close(fd);
	return ntohs(at.sin_port);
}

static void
read_ca(struct player *p, const char *path)
{
	FILE *f = fopen(path, "r");

	p->ca = f == NULL ? NULL : PEM_read_X509(f, NULL, NULL, NULL);
	if (p->ca == NULL) {
		fail(p, "no certificate in %s", path);
	}
	fclose(f);
}

/* With --sign: what stands for the secrets leads to it. */
static void
make_signers_ca(struct player *p)
{
	char verb[] = "CA", name[] = "player";
	struct words words = {.n = 2, .word = {verb, name}};

	credential_make(p, &words, true);
	place_config(p, "endpoint.trust = [ \"player.pem\" ]");
}

void
place_make(struct player *p)
{
	char *argv[] = {pool_strdup(p->pool, p->ctl), pool_strdup(p->pool, "init"),
	    place_path(p, "d"), pool_strdup(p->pool, "--listen"), NULL, NULL};

	p->made = true;
	p->conf = place_path(p, "d/cmpd.conf");
	p->host = "127.0.0.1";
	p->port = free_port(p);
	argv[4] = pool_printf(p->pool, "127.0.0.1:%d", p->port);
	if (run(p, argv, true) != 0) {
		fail(p, "cmpd-ctl init: %s", p->output);
	}
	read_ca(p, place_path(p, "d/ca/ca.pem"));
	place_clock(p, 0, 0);
	/* ThreadSanitizer leaves too little address space for the usual map. */
	place_config(p, "store.map_size = \"1GiB\"");
	if (p->signing) {
		make_signers_ca(p);
	}
}

void
place_connect(struct player *p, const struct words *words)
{
	const char *ca = word_get(words, "ca"), *retry = word_get(words, "retry");
	char *colon = words->n < 2 ? NULL : strrchr(words->word[1], ':');

	if (p->made || colon == NULL || ca == NULL) {
		fail(p, "CONNECT HOST:PORT ca=FILE [conf=FILE] [retry=60s] comes first");
	}
	p->made = true;
	p->connected = true;
	p->conf =
	    word_get(words, "conf") == NULL ? NULL : pool_strdup(p->pool, word_get(words, "conf"));
	p->port = atoi(colon + 1);
	*colon = '\0';
	p->host = pool_strdup(p->pool, words->word[1]);
	p->retry_ms = retry == NULL ? 0 : word_duration(p, retry);
	read_ca(p, ca);
}

/* "endpoint.x" is endpoints.[0].x; the same for profile and ca. */
static const char *
setting_path(struct player *p, const char *key)
{
	static const char *const lists[] = {"endpoint", "profile", "ca"};
	size_t i, len;

	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		len = strlen(lists[i]);
		if (strncmp(key, lists[i], len) == 0 && key[len] == '.') {
			return pool_printf(p->pool, "%ss.[0]%s", lists[i], key + len);
		}
	}
	return key;
}

static void
copy_setting(struct player *p, const config_setting_t *from, config_setting_t *parent)
{
	config_setting_t *to =
	    config_setting_add(parent, config_setting_name(from), config_setting_type(from));
	int i;

	need(p, to != NULL);
	switch (config_setting_type(from)) {
	case CONFIG_TYPE_INT:
		config_setting_set_int(to, config_setting_get_int(from));
		break;
	case CONFIG_TYPE_INT64:
		config_setting_set_int64(to, config_setting_get_int64(from));
		break;
	case CONFIG_TYPE_BOOL:
		config_setting_set_bool(to, config_setting_get_bool(from));
		break;
	case CONFIG_TYPE_STRING:
		config_setting_set_string(to, config_setting_get_string(from));
		break;
	default:
		for (i = 0; i < config_setting_length(from); i++) {
			copy_setting(p, config_setting_get_elem(from, (unsigned)i), to);
		}
	}
}

/* $PLUGINS stands for the folder with the plugins of this build. */
static const char *
with_plugins(struct player *p, const char *text)
{
	const char *at = strstr(text, "$PLUGINS"), *dir = getenv("CMPD_PLUGINS");

	if (at == NULL) {
		return text;
	}
	if (dir == NULL) {
		fail(p, "CMPD_PLUGINS is not set");
	}
	return pool_printf(p->pool, "%.*s%s%s", (int)(at - text), text, dir, at + 8);
}

void
place_config(struct player *p, const char *assignment)
{
	char *key = pool_strdup(p->pool, assignment + strspn(assignment, " ")), *dot;
	char *file = place_path(p, "d/cmpd.conf");
	config_setting_t *group;
	config_t conf, value;
	const char *path;

	assignment = strchr(assignment, '=');
	need(p, assignment != NULL);
	assignment = with_plugins(p, assignment);
	key[strcspn(key, " =")] = '\0';
	path = setting_path(p, key);
	key = pool_strdup(p->pool, path);
	dot = strrchr(key, '.');
	config_init(&conf);
	config_init(&value);
	if (!config_read_file(&conf, file)) {
		fail(p, "%s: %s", file, config_error_text(&conf));
	}
	if (!config_read_string(&value,
		pool_printf(p->pool, "%s %s;", dot == NULL ? key : dot + 1, assignment))) {
		fail(p, "value: %s", config_error_text(&value));
	}
	if (dot != NULL) {
		*dot = '\0';
	}
	group = dot == NULL ? config_root_setting(&conf) : config_lookup(&conf, key);
	if (group == NULL) {
		fail(p, "there is no group %s", key);
	}
	config_setting_remove(group, dot == NULL ? key : dot + 1);
	copy_setting(p, config_setting_get_elem(config_root_setting(&value), 0), group);
	if (!config_write_file(&conf, file)) {
		fail(p, "cannot write %s", file);
	}
	config_destroy(&conf);
	config_destroy(&value);
}

/* ---- cmpd and its clocks ---- */

/* Two int64_t that cmpd has mapped: what is added to the wall and to the monotonic clock, ms. */
void
place_clock(struct player *p, int64_t wall_ms, int64_t mono_ms)
{
	int64_t offsets[] = {wall_ms, mono_ms};
	int fd = open(place_path(p, "clock"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	need(p, fd >= 0 && pwrite(fd, offsets, sizeof(offsets), 0) == (ssize_t)sizeof(offsets));
	close(fd);
	p->wall_ms = wall_ms;
	p->mono_ms = mono_ms;
}

static bool
can_connect(int family, const void *to, socklen_t len)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool up = fd >= 0 && connect(fd, to, len) == 0;

	if (fd >= 0) {
		close(fd);
	}
	return up;
}

/* Both doors: the clients' and the operator's. */
static bool
listening(const struct player *p)
{
	struct sockaddr_in clients = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)p->port),
	    .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
	struct sockaddr_un operators = {.sun_family = AF_UNIX};

	snprintf(operators.sun_path, sizeof(operators.sun_path), "%s/d/ctl.sock", p->dir);
	return can_connect(AF_INET, &clients, sizeof(clients)) &&
	       can_connect(AF_UNIX, &operators, sizeof(operators));
}

void
place_start(struct player *p)
{
	char *const argv[] = {pool_strdup(p->pool, p->cmpd), pool_strdup(p->pool, "-c"),
	    place_path(p, "d/cmpd.conf"), NULL};
	char *log = place_path(p, "log");
	int waited, status;

	need(p, p->pid == 0);
	setenv("CMPD_TEST_CLOCK", place_path(p, "clock"), 1);
	p->pid = fork();
	if (p->pid == 0) {
		int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(fd, 2);
		execv(argv[0], argv);
		_exit(127);
	}
	need(p, p->pid > 0);
	for (waited = 0; waited < START_WAIT_MS; waited += 10) {
		if (waitpid(p->pid, &status, WNOHANG) == p->pid) {
			p->pid = 0;
			fail(p, "cmpd does not start");
		}
		if (listening(p)) {
			return;
		}
		usleep(10000);
	}
	fail(p, "cmpd does not listen");
}

void
place_stop(struct player *p, int signal)
{
	pid_t pid = p->pid;
	int waited, status;

	if (pid == 0) {
		fail(p, "cmpd does not run");
	}
	kill(pid, signal);
	for (waited = 0; waited < STOP_WAIT_MS; waited += 5) {
		if (waitpid(pid, &status, WNOHANG) == pid) {
			p->pid = 0;
			if (signal == SIGTERM && (!WIFEXITED(status) || WEXITSTATUS(status) != 0)) {
				fail(p, "cmpd ended with status %#x", (unsigned)status);
			}
			if (signal == SIGKILL && !WIFSIGNALED(status)) {
				fail(p, "cmpd had ended by itself, status %#x", (unsigned)status);
			}
			return;
		}
		usleep(5000);
	}
	fail(p, "cmpd does not end");
}
