/*
 * Policy: the chain of plugins of an endpoint.
 *
 * A question is a struct policy_call. It runs the plugins in order until one does not PASS. Plugins that
 * claim CMPD_PLUGIN_NONBLOCKING run in the caller's thread; from the first other one on, the
 * rest of the chain runs on the pool of plugin threads, and the caller is told later.
 * Error or deadline of a plugin = HOLD with a reason. All PASS = POLICY_PASS: the desk decides what that means.
 */
#pragma once

#include "base/bytes.h"
#include "base/error.h"
#include "model/record.h"

struct conf;
struct conf_endpoint;
struct policy; /* all plugins of a configuration, opened, and the thread pool */
struct policy_chain; /* of one endpoint; lives as long as its policy */
struct policy_call;

enum policy_answer { POLICY_PASS, POLICY_GRANT, POLICY_DENY, POLICY_HOLD };

struct policy_verdict {
	enum policy_answer answer;
	const char *plugin; /* who said it; NULL: nobody (all PASS) */
	int fail_info; /* DENY: enum failinfo */
	const char *text; /* DENY: why. HOLD: reason told to the client. NULL: none */
	int64_t check_after; /* HOLD: ms; 0: the endpoint's */
	uint8_t approvals; /* HOLD: operators needed; 0: one */
	/* Changes to the request; NULL/0: unchanged. */
	const char *subject; /* name_to_text form */
	const char **sans; /* NULL-ended, name_sans_to_text form */
	int64_t validity; /* ms */
	const char *profile;
	int64_t received; /* told late: of the request that was asked about */
};

/* What plugins can see (include/cmpd/request.h). Copied by policy_call_new. */
struct policy_request {
	struct txn_key txn;
	int64_t cert_req_id;
	enum request_type type;
	const char *endpoint;
	const char *profile;
	const char *subject;
	const char **sans;
	const char *requester; /* authentication in words */
	const char *requester_kind; /* "mac", "signature" */
	const char *reference; /* MAC: senderKID text; NULL */
	const char *signer_subject; /* signature: subject of the signer; NULL */
	struct bytes signer; /* DER of the signer's certificate; absent for MAC */
	struct bytes spki;
	struct bytes template; /* DER CertTemplate or CertificationRequest as sent */
	const char *wants; /* rr, genm: what is asked for, in words; NULL */
	const char *key_type; /* "ec:P-256", "rsa:2048" */
	const char *peer;
	enum pop_result pop;
	int64_t received;
	uint64_t req; /* number of the HTTP request, for the log */
};

/* Loads and opens what the configuration names; each plugin file is tried first in a child process (this program with
 * "--plugin-try FILE"). CMPD_ECONF with file:line and the plugin's own words in diag. conf is not needed afterwards.
 * A program that links this room must not ignore SIGCHLD nor reap children it does not know. */
int policy_new(const struct conf *conf, struct policy **ret, struct diag *diag) CMPD_MUST_CHECK;
/* Refuses calls that wait (they are decided: HOLD), waits for those that run - at the most until they count as stuck, 30 s; a
 * stuck thread is left behind and logged - and closes the plugins. No policy_call_new or _run at the same time; calls
 * that are decided may be freed later. Not to be called from wake or late. */
void policy_free(struct policy *policy);
/* The process ends: from now on policy_free, also one that waits already, gives plugins 2 s only. Any thread. */
void policy_hurry(void);
/* Entry point of that child, to be called before anything else is done. Exit status. */
int policy_try_main(const char *file);

const struct policy_chain *policy_chain_get0(const struct policy *policy,
    const struct conf_endpoint *endpoint);

/* NULL: out of memory. */
struct policy_call *policy_call_new(const struct policy_chain *chain,
    const struct policy_request *request);
/* Runs or starts it. 0: decided, ask for the verdict. CMPD_EPARKED: wake(arg) will be called exactly once, from
 * another thread (perhaps before this returns), when it is decided; it must not wait for anything. CMPD_EUNAVAILABLE: pool
 * exhausted, and the verdict is HOLD. To be called once. */
int policy_call_run(struct policy_call *call, void (*wake)(void *arg), void *arg) CMPD_MUST_CHECK;
/* 0 and the verdict (strings live as long as the call), or CMPD_EPARKED. */
int policy_call_verdict(const struct policy_call *call, struct policy_verdict *ret) CMPD_MUST_CHECK;
/* The message did not wait any longer and the entry is held: when a verdict other than HOLD/PASS comes (or has come
 * already, also by cmpd_decide_later), late is called once, from any thread, perhaps before this returns; never after policy_free. wake
 * will not be called any more once this returns. To be called once; may be called by wake. */
void policy_call_detach(struct policy_call *call,
    void (*late)(void *arg, const struct txn_key *txn, int64_t cert_req_id,
	const struct policy_verdict *verdict),
    void *arg);
/* Gives up the caller's share; what still runs frees itself. wake will not be called any more once this returns; without
 * detach plugins that were not asked yet will not be. NULL is fine. */
void policy_call_free(struct policy_call *call);
