/*
 * cmpd plugin interface, ABI version 1.
 *
 * A plugin is a shared object that exports one symbol, cmpd_plugin, of type
 * const struct cmpd_plugin. It decides on certificate requests: grant, deny, hold for an
 * operator, or pass to the next plugin of the endpoint's chain.
 *
 * Threads: check_config, open and close are called by one thread at a time, before and
 * after all calls of decide on that instance. decide is called from several threads at once
 * for one instance; the plugin guards what it shares. With CMPD_PLUGIN_NONBLOCKING decide
 * runs in a worker and must return within about a millisecond: no files, no network, no locks that wait.
 * Without that flag it runs on a thread of its own and may take up to 30 seconds; then the request is held,
 * what decide returns is ignored, and after four such calls the plugin is not asked any more.
 *
 * Forbidden: exit, abort, fork without exec, signal handlers, changing the locale, the working
 * directory or the environment, writing to standard output, and any use of the request after decide has returned
 * (use cmpd_request_keep). decide may be called again for the same request: it must not count.
 *
 * The code of a plugin stays loaded until the daemon ends: static variables outlive instances, and a new
 * file takes effect at the next start, not at a reload.
 *
 * Compatibility: same major = works. Minor grows when fields are added at the end; struct_size tells which
 * fields a plugin knows.
 */
#ifndef CMPD_PLUGIN_H
#define CMPD_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CMPD_PLUGIN_ABI_MAJOR 1
#define CMPD_PLUGIN_ABI_MINOR 1 /* 1: cmpd_request_wants */

/* Before the definition of cmpd_plugin, and of what the daemon offers to plugins. */
#define CMPD_PLUGIN_EXPORT __attribute__((visibility("default")))

/* Flags. */
#define CMPD_PLUGIN_NONBLOCKING 1u

struct cmpd_request; /* see request.h */
struct cmpd_config; /* the plugin's group in cmpd.conf */
struct cmpd_kept; /* see request.h */

enum cmpd_answer { CMPD_PASS = 0, CMPD_GRANT = 1, CMPD_DENY = 2, CMPD_HOLD = 3 };

/* PKIFailureInfo bits (RFC 9810 5.2.3) for CMPD_DENY; -1: none. */
enum cmpd_fail_info {
	CMPD_FAIL_NONE = -1,
	CMPD_FAIL_BAD_ALG = 0,
	CMPD_FAIL_BAD_REQUEST = 2,
	CMPD_FAIL_BAD_CERT_ID = 4,
	CMPD_FAIL_UNACCEPTED_POLICY = 15,
	CMPD_FAIL_UNACCEPTED_EXTENSION = 16,
	CMPD_FAIL_BAD_CERT_TEMPLATE = 19,
	CMPD_FAIL_SIGNER_NOT_TRUSTED = 20,
	CMPD_FAIL_NOT_AUTHORIZED = 23,
	CMPD_FAIL_DUPLICATE_CERT_REQ = 26
};

/*
 * Filled by decide; zeroed before, with fail_info -1. The daemon copies the
 * strings after decide has returned, so they may live in the instance or be string constants,
 * or be made with cmpd_request_printf and cmpd_request_alloc, which free them with the request.
 * A verdict that makes no sense (an answer or failInfo that does not exist, a negative time, a
 * name that cannot be read, a profile that is not configured) counts as a failure of the plugin.
 */
struct cmpd_verdict {
	size_t struct_size; /* set by the daemon */
	enum cmpd_answer answer;
	int fail_info; /* DENY */
	const char *text; /* DENY: the reason; HOLD: the reason told to the client */
	int64_t check_after_ms; /* HOLD: 0 = the endpoint's */
	unsigned approvals; /* HOLD: operators needed, 0 = one */
	/* GRANT and HOLD may change the request; NULL or 0 = as it is. */
	const char *subject; /* "/CN=a/O=b" */
	const char *const *sans; /* NULL-ended: "DNS:a", "IP:10.0.0.1", ... */
	int64_t validity_ms;
	const char *profile;
};

/* For a verdict the plugin makes itself (cmpd_decide_later): struct cmpd_verdict v = CMPD_VERDICT_INIT; */
#define CMPD_VERDICT_INIT                                                                          \
	{                                                                                          \
		sizeof(struct cmpd_verdict), CMPD_PASS, CMPD_FAIL_NONE, NULL, 0, 0, NULL, NULL, 0, \
		    NULL                                                                           \
	}

struct cmpd_plugin {
	uint16_t abi_major; /* CMPD_PLUGIN_ABI_MAJOR */
	uint16_t abi_minor;
	uint32_t struct_size; /* sizeof(struct cmpd_plugin) */
	const char *name;
	uint32_t flags;

	/* 0, or not 0 with a sentence in error (error_size bytes). May be NULL. Changes nothing. */
	int (*check_config)(const struct cmpd_config *config, char *error, size_t error_size);
	/* Makes an instance (one per place in a chain). 0, or not 0 with a sentence in error. May be NULL: instance is NULL. */
	int (*open)(const struct cmpd_config *config, void **ret_instance, char *error,
	    size_t error_size);
	/* 0: verdict is filled. Not 0: the plugin failed; the request is held, and verdict->text, if
	 * set, says why in the daemon's log (never to the client). */
	int (*decide)(void *instance, struct cmpd_request *request, struct cmpd_verdict *verdict);
	/* May be NULL. */
	void (*close)(void *instance);
};

/* The one symbol a plugin defines, and no program does. */
CMPD_PLUGIN_EXPORT extern const struct cmpd_plugin cmpd_plugin;

/* ---- configuration ---- */

/* The n-th value of a key (scalars have one, lists several; numbers and booleans as text); NULL: no more.
 * Lives as long as the instance. */
CMPD_PLUGIN_EXPORT const char *cmpd_config_get(const struct cmpd_config *config, const char *key,
    size_t n);
/* The n-th key; NULL: no more. For refusing unknown ones. */
CMPD_PLUGIN_EXPORT const char *cmpd_config_key(const struct cmpd_config *config, size_t n);

#ifdef __cplusplus
}
#endif
#endif
