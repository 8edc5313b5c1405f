/*
 * A configuration by hand and a request, for the tests of policy.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf/conf.h"
#include "policy/policy.h"

#define FIXTURE_LINKS 4
#define FIXTURE_ARGS  8

struct fixture {
	struct conf conf;
	struct conf_endpoint endpoint;
	struct conf_profile profile;
	struct conf_policy links[FIXTURE_LINKS];
	struct conf_arg args[FIXTURE_LINKS][FIXTURE_ARGS];
	struct policy *policy;
	const struct policy_chain *chain;
};

/* Four plugin threads, eight calls may wait; no plugin. */
void fixture_init(struct fixture *f);
/* Appends a plugin; its arguments are key, value, ..., NULL. */
void fixture_add(struct fixture *f, const char *plugin, ...) __attribute__((sentinel));
/* Opens the policy; the test fails if that fails. */
void fixture_open(struct fixture *f);
void fixture_close(struct fixture *f);

/* Transaction 0x01 0x02, certReqId 7, "ir", subject "/C=DE/CN=lab-1", two SANs. Constant. */
struct policy_request fixture_request(void);
/* policy_call_new and _run; *ret_rc is what run said. */
struct policy_call *fixture_ask(struct fixture *f, void (*wake)(void *arg), void *arg, int *ret_rc);
/* Asks a chain that answers at once. The caller frees the call. */
struct policy_call *fixture_ask_now(struct fixture *f, struct policy_verdict *ret);
/* Sleeps a little. */
void fixture_sleep(int ms);
