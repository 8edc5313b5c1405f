/*
 * Limits of the room. Tests change policy_limits before policy_new; nobody
 * else does.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct policy_limits {
	int64_t stuck; /* ms decide may take on a plugin thread; then that thread is given up */
	/* threads one plugin may cost; then it means HOLD without being asked */
	unsigned replacements;
	int64_t load; /* ms a plugin file may take to load in the child process */
	const char *program; /* run as "program --plugin-try FILE"; NULL: this one */
};
extern struct policy_limits policy_limits;

/* Of a request: what plugins may add to it by cmpd_request_printf and _alloc, verdicts included. */
#define POLICY_SCRATCH_MAX (256 * 1024)
/* Of a verdict. */
#define POLICY_TEXT_MAX	       512 /* bytes; longer texts are cut */
#define POLICY_NAME_MAX	       4096 /* bytes of a subject or of one SAN */
#define POLICY_SANS_MAX	       128
#define POLICY_APPROVALS_MAX   16
#define POLICY_CHECK_AFTER_MAX (366 * INT64_C(86400000))
#define POLICY_VALIDITY_MAX    (1000 * INT64_C(365) * 86400000)
/* Calls that wait for a plugin thread if the configuration says nothing. */
#define POLICY_QUEUE_DEFAULT 256
