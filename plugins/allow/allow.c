/*
 * allow: answers by patterns, in the worker's thread.
 *
 *	{ plugin = "allow"; subject = "/CN=lab-*"; san = [ "DNS:*.lab.example" ]; }
 *
 * Keys: subject, san, requester, profile, endpoint, type: a pattern of fnmatch(3) or a list of which
 * one must match; all keys given must match. answer: "grant" (default), "deny", "hold"; text: told to the client.
 * Nothing matches: PASS.
 *
 * A grant is read narrowly: "*" and "?" do not match "/", so "/CN=lab-*" is one attribute and never
 * "/CN=lab-1/O=other"; "*" alone matches anything; a subject with "+" (several values in one step) needs the "+" in
 * the pattern; every SAN must match, and without the key san a request with SANs does not match.
 * Deny and hold are read widely: wildcards match everything, case does not matter, and one SAN is enough.
 *
 * Backslash is an ordinary character in patterns (FNM_NOESCAPE), because it is one in subjects: "\/" is a slash inside a
 * value. A wildcard is taken literally in brackets: "[*]".
 */
#include <fnmatch.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmpd/request.h>

struct allow {
	const struct cmpd_config *config;
	enum cmpd_answer answer;
	const char *text;
};

static const struct {
	const char *key;
	const char *(*get)(const struct cmpd_request *request); /* NULL: SANs */
} FIELDS[] = {
    {"subject", cmpd_request_subject},
    {"san", NULL},
    {"requester", cmpd_request_requester},
    {"profile", cmpd_request_profile},
    {"endpoint", cmpd_request_endpoint},
    {"type", cmpd_request_type},
};
#define N_FIELDS (sizeof(FIELDS) / sizeof(FIELDS[0]))

static const struct {
	const char *name;
	enum cmpd_answer answer;
} ANSWERS[] = {{"grant", CMPD_GRANT}, {"deny", CMPD_DENY}, {"hold", CMPD_HOLD}};
#define N_ANSWERS (sizeof(ANSWERS) / sizeof(ANSWERS[0]))

/* ---- configuration ---- */

static bool
is_field(const char *key)
{
	for (size_t i = 0; i < N_FIELDS; i++) {
		if (strcmp(FIELDS[i].key, key) == 0) {
			return true;
		}
	}
	return false;
}

static int
get_answer(const struct cmpd_config *config, enum cmpd_answer *ret)
{
	const char *name = cmpd_config_get(config, "answer", 0);

	if (name == NULL) {
		name = "grant";
	}
	for (size_t i = 0; i < N_ANSWERS; i++) {
		if (strcmp(ANSWERS[i].name, name) == 0) {
			*ret = ANSWERS[i].answer;
			return 0;
		}
	}
	return -1;
}

/* "[" without "]" would silently match only itself. */
static bool
is_pattern(const char *pattern)
{
	const char *open = strchr(pattern, '[');

	return pattern[0] != '\0' && (open == NULL || strchr(open, ']') != NULL);
}

static int
check_key(const struct cmpd_config *config, const char *key, char *error, size_t error_size)
{
	const char *pattern;
	bool single = strcmp(key, "answer") == 0 || strcmp(key, "text") == 0;

	if (single && cmpd_config_get(config, key, 1) != NULL) {
		snprintf(error, error_size, "%s has one value, not a list", key);
		return -1;
	}
	if (!single && !is_field(key)) {
		snprintf(error, error_size, "there is no key \"%s\"", key);
		return -1;
	}
	for (size_t i = 0; !single && (pattern = cmpd_config_get(config, key, i)) != NULL; i++) {
		if (!is_pattern(pattern)) {
			snprintf(error, error_size, "%s: \"%s\" is not a pattern", key, pattern);
			return -1;
		}
	}
	return 0;
}

static int
check_config(const struct cmpd_config *config, char *error, size_t error_size)
{
	enum cmpd_answer answer;
	size_t patterns = 0;
	const char *key;

	for (size_t i = 0; (key = cmpd_config_key(config, i)) != NULL; i++) {
		if (check_key(config, key, error, error_size) != 0) {
			return -1;
		}
		patterns += is_field(key) ? 1 : 0;
	}
	if (get_answer(config, &answer) != 0) {
		snprintf(error, error_size, "answer is \"grant\", \"deny\" or \"hold\"");
		return -1;
	}
	if (patterns == 0) {
		snprintf(error, error_size,
		    "at least one of subject, san, requester, profile, endpoint and type is "
		    "needed");
		return -1;
	}
	return 0;
}

static int
open_instance(const struct cmpd_config *config, void **ret_instance, char *error, size_t error_size)
{
	struct allow *allow = calloc(1, sizeof(*allow));

	if (allow == NULL || get_answer(config, &allow->answer) != 0) {
		free(allow);
		snprintf(error, error_size, "out of memory");
		return -1;
	}
	allow->config = config;
	allow->text = cmpd_config_get(config, "text", 0);
	*ret_instance = allow;
	return 0;
}

/* ---- deciding ---- */

/* "+" that joins attributes; one inside a value has a backslash. */
static size_t
count_joints(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++) {
		if (*text == '\\' && text[1] != '\0') {
			text++;
		} else if (*text == '+') {
			n++;
		}
	}
	return n;
}

static bool
matches(const struct allow *allow, const char *key, const char *pattern, const char *value)
{
	if (strcmp(pattern, "*") == 0) {
		return true;
	}
	if (value == NULL) {
		return false;
	}
	if (allow->answer != CMPD_GRANT) {
		return fnmatch(pattern, value, FNM_NOESCAPE | FNM_CASEFOLD) == 0;
	}
	if (strcmp(key, "subject") == 0 && count_joints(pattern) != count_joints(value)) {
		return false;
	}
	return fnmatch(pattern, value, FNM_NOESCAPE | FNM_PATHNAME) == 0;
}

static bool
matches_any(const struct allow *allow, const char *key, const char *value)
{
	const char *pattern;

	for (size_t i = 0; (pattern = cmpd_config_get(allow->config, key, i)) != NULL; i++) {
		if (matches(allow, key, pattern, value)) {
			return true;
		}
	}
	return false;
}

static bool
matches_sans(const struct allow *allow, const struct cmpd_request *request)
{
	bool grant = allow->answer == CMPD_GRANT;
	const char *san;

	for (size_t i = 0; (san = cmpd_request_san(request, i)) != NULL; i++) {
		if (matches_any(allow, "san", san) != grant) {
			return !grant;
		}
	}
	return grant;
}

static int
decide(void *instance, struct cmpd_request *request, struct cmpd_verdict *verdict)
{
	const struct allow *allow = instance;

	for (size_t i = 0; i < N_FIELDS; i++) {
		const char *key = FIELDS[i].key;
		bool given = cmpd_config_get(allow->config, key, 0) != NULL;

		if (FIELDS[i].get == NULL) {
			/* A grant covers what is asked for, also where no pattern is given. */
			if ((given || allow->answer == CMPD_GRANT) &&
			    !matches_sans(allow, request)) {
				return 0;
			}
		} else if (given && !matches_any(allow, key, FIELDS[i].get(request))) {
			return 0;
		}
	}
	verdict->answer = allow->answer;
	verdict->text = allow->text;
	if (allow->answer == CMPD_DENY) {
		verdict->fail_info = CMPD_FAIL_NOT_AUTHORIZED;
	}
	return 0;
}

static void
close_instance(void *instance)
{
	free(instance);
}

CMPD_PLUGIN_EXPORT const struct cmpd_plugin cmpd_plugin = {
    .abi_major = CMPD_PLUGIN_ABI_MAJOR,
    .abi_minor = CMPD_PLUGIN_ABI_MINOR,
    .struct_size = sizeof(struct cmpd_plugin),
    .name = "allow",
    .flags = CMPD_PLUGIN_NONBLOCKING,
    .check_config = check_config,
    .open = open_instance,
    .decide = decide,
    .close = close_instance,
};
