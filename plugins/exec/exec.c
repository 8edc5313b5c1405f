/*
 * exec: asks a program.
 *
 *	{ plugin = "exec"; command = [ "/usr/local/bin/ask-inventory", "--strict" ]; deadline = "5s"; }
 *
 * The program reads the request as one JSON object from its standard input and answers by its exit status: 0 grant,
 * 1 deny, 2 pass, 3 hold; what it may write to its standard output is in cmpd-plugin(7). Everything else - another status, a
 * signal, the deadline, output that makes no sense - is a failure: the request is held.
 *
 * Keys: command (absolute path, or a list with arguments; no shell), deadline ("10s"; at the most 25 s, so that
 * the daemon does not lose patience first), max_children (8): programs that run at once, others wait within their deadline.
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmpd/request.h>

#include "answer.h"
#include "child.h"

#define ARGS_MAX	 32
#define DEADLINE_DEFAULT "10s"
#define DEADLINE_LOWEST	 100
#define DEADLINE_HIGHEST 25000
#define CHILDREN_DEFAULT "8"
#define CHILDREN_HIGHEST 64

struct exec {
	char *argv[ARGS_MAX + 1];
	int64_t deadline;
	unsigned long max_children;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	unsigned long children; /* guarded by lock */
};

/* ---- configuration ---- */

static const char *
get(const struct cmpd_config *config, const char *key, const char *otherwise)
{
	const char *value = cmpd_config_get(config, key, 0);

	return value != NULL ? value : otherwise;
}

static int
check_keys(const struct cmpd_config *config, char *error, size_t error_size)
{
	static const char *const known[] = {"command", "deadline", "max_children"};
	const char *key;

	for (size_t i = 0; (key = cmpd_config_key(config, i)) != NULL; i++) {
		size_t n = 0;

		while (n < 3 && strcmp(known[n], key) != 0) {
			n++;
		}
		if (n == 3) {
			snprintf(error, error_size, "there is no key \"%s\"", key);
			return -1;
		}
		if (n > 0 && cmpd_config_get(config, key, 1) != NULL) {
			snprintf(error, error_size, "%s has one value, not a list", key);
			return -1;
		}
	}
	return 0;
}

static int
get_numbers(const struct cmpd_config *config, int64_t *ret_deadline, unsigned long *ret_children)
{
	const char *children = get(config, "max_children", CHILDREN_DEFAULT);
	char *end;

	*ret_deadline = answer_duration(get(config, "deadline", DEADLINE_DEFAULT));
	*ret_children = strtoul(children, &end, 10);
	return *ret_deadline < DEADLINE_LOWEST || *ret_deadline > DEADLINE_HIGHEST ||
		       *end != '\0' || *ret_children < 1 || *ret_children > CHILDREN_HIGHEST
		   ? -1
		   : 0;
}

static int
check_config(const struct cmpd_config *config, char *error, size_t error_size)
{
	const char *command = cmpd_config_get(config, "command", 0);
	unsigned long children;
	int64_t deadline;

	if (check_keys(config, error, error_size) != 0) {
		return -1;
	}
	if (command == NULL || command[0] != '/') {
		snprintf(error, error_size, "command must be an absolute path");
		return -1;
	}
	if (access(command, X_OK) != 0) {
		snprintf(error, error_size, "%s cannot be run: %s", command, strerror(errno));
		return -1;
	}
	if (cmpd_config_get(config, "command", ARGS_MAX) != NULL) {
		snprintf(error, error_size, "command has more than %d parts", ARGS_MAX);
		return -1;
	}
	if (get_numbers(config, &deadline, &children) != 0) {
		snprintf(error, error_size,
		    "deadline is from 100ms to 25s, max_children from 1 to %d", CHILDREN_HIGHEST);
		return -1;
	}
	return 0;
}

static void
close_instance(void *instance)
{
	struct exec *exec = instance;

	for (size_t i = 0; i < ARGS_MAX; i++) {
		free(exec->argv[i]);
	}
	pthread_cond_destroy(&exec->ended);
	pthread_mutex_destroy(&exec->lock);
	free(exec);
}

static int
open_instance(const struct cmpd_config *config, void **ret_instance, char *error, size_t error_size)
{
	struct exec *exec = calloc(1, sizeof(*exec));
	pthread_condattr_t attr;
	const char *arg;

	if (exec == NULL) {
		snprintf(error, error_size, "out of memory");
		return -1;
	}
	pthread_mutex_init(&exec->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&exec->ended, &attr);
	pthread_condattr_destroy(&attr);
	for (size_t i = 0; i < ARGS_MAX; i++) {
		arg = cmpd_config_get(config, "command", i);
		if (arg != NULL && (exec->argv[i] = strdup(arg)) == NULL) {
			close_instance(exec);
			snprintf(error, error_size, "out of memory");
			return -1;
		}
	}
	(void)get_numbers(config, &exec->deadline, &exec->max_children);
	*ret_instance = exec;
	return 0;
}

/* ---- deciding ---- */

/* One more child, if there may be one before the deadline. */
static bool
begin_child(struct exec *exec, int64_t deadline)
{
	const struct timespec until = {
	    .tv_sec = (time_t)(deadline / 1000), .tv_nsec = (long)(deadline % 1000) * 1000000};
	bool begun;
	int rc = 0;

	pthread_mutex_lock(&exec->lock);
	while (exec->children >= exec->max_children && rc == 0) {
		rc = pthread_cond_timedwait(&exec->ended, &exec->lock, &until);
	}
	begun = exec->children < exec->max_children;
	if (begun) {
		exec->children++;
	}
	pthread_mutex_unlock(&exec->lock);
	return begun;
}

static void
end_child(struct exec *exec)
{
	pthread_mutex_lock(&exec->lock);
	exec->children--;
	pthread_cond_signal(&exec->ended);
	pthread_mutex_unlock(&exec->lock);
}

/* For the daemon's log: what happened, and what the program says about it. */
static void
explain(struct cmpd_request *request, const struct child_result *result, const char *error,
    struct cmpd_verdict *verdict)
{
	int len = (int)strcspn(result->err, "\r\n");

	verdict->text =
	    len > 0 ? cmpd_request_printf(request, "%s; it says: %.*s", error, len, result->err)
		    : cmpd_request_printf(request, "%s", error);
}

static int
decide(void *instance, struct cmpd_request *request, struct cmpd_verdict *verdict)
{
	struct exec *exec = instance;
	int64_t deadline = child_now() + exec->deadline;
	struct child_result *result = calloc(1, sizeof(*result));
	char *json = answer_request_to_json(request);
	const char *error;

	if (result == NULL || json == NULL) {
		error = "out of memory";
	} else if (!begin_child(exec, deadline)) {
		error = "as many commands as may run did not end before the deadline";
	} else {
		error = child_run(exec->argv, json, strlen(json), deadline, result);
		end_child(exec);
		if (error == NULL) {
			error = answer_to_verdict(result, request, verdict);
		}
	}
	if (error != NULL && result != NULL) {
		explain(request, result, error, verdict);
	}
	free(json);
	free(result);
	return error == NULL ? 0 : -1;
}

CMPD_PLUGIN_EXPORT const struct cmpd_plugin cmpd_plugin = {
    .abi_major = CMPD_PLUGIN_ABI_MAJOR,
    .abi_minor = CMPD_PLUGIN_ABI_MINOR,
    .struct_size = sizeof(struct cmpd_plugin),
    .name = "exec",
    .check_config = check_config,
    .open = open_instance,
    .decide = decide,
    .close = close_instance,
};
