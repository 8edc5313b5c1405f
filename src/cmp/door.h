/*
 * The CMP door: one HTTP body in, one answer out (RFC 9810; README has the way of a request).
 * One struct cmp_door per worker, everything in that worker's OSSL_LIB_CTX; one thread at a time.
 */
#pragma once

#include <openssl/types.h>

#include "base/bytes.h"
#include "base/error.h"
#include "enrol/desk.h"

struct cmp_door;
struct conf;
struct conf_endpoint;
struct issuer;
struct log_line;

/* Loads signers and anchors of all endpoints. CMPD_ECONF with endpoint and file in diag. conf and
 * issuer must live longer. */
int cmp_door_new(const struct conf *conf, OSSL_LIB_CTX *libctx, struct issuer *issuer,
    struct cmp_door **ret, struct diag *diag) CMPD_MUST_CHECK;
void cmp_door_free(struct cmp_door *door);

/* The operation in the path (RFC 9811 3.4, RFC 9483 6.1), already matched by http/. */
enum cmp_operation {
	CMP_OP_NONE = 0, /* the base path: any body */
	CMP_OP_INITIALIZATION,
	CMP_OP_CERTIFICATION,
	CMP_OP_KEYUPDATE,
	CMP_OP_PKCS10,
	CMP_OP_REVOCATION,
	CMP_OP_GETCACERTS,
	CMP_OP_GETROOTUPDATE,
	CMP_OP_GETCERTREQTEMPLATE,
	CMP_OP_GETCRLS,
	CMP_OP_NESTED,
	CMP_OP_GENM, /* short form only: any genm */
	CMP_OP_CERTCONF, /* short form only */
	CMP_OPS
};
/* By path label ("initialization"); short_forms: also "ir" and their like. CMPD_ENOENT. */
int cmp_operation_parse(const char *label, size_t len, bool short_forms,
    enum cmp_operation *ret) CMPD_MUST_CHECK;

#define CMP_REQUESTS_MAX 64 /* certReqIds in one message, whatever the configuration says */

/* One message on its way; made by the daemon, kept across redo and parking. */
struct cmp_request {
	const struct conf_endpoint *endpoint;
	enum cmp_operation operation;
	struct bytes body;
	const char *peer;
	uint64_t req; /* number for the log */
	size_t n_verdicts; /* made by the door, kept by the caller across redo */
	struct desk_verdict verdicts[CMP_REQUESTS_MAX];
	void (*wake)(void *arg); /* called from any thread when a parked request may go on */
	void *arg;
	const char *ra; /* who brought it in a batch; NULL: it came by itself */
};

/* Zeroes verdicts and ra. */
void cmp_request_init(struct cmp_request *request);
/* Frees calls. After a commit that succeeded cmp_request_detach comes first: it hands over verdicts
 * that are still awaited (see policy_call_detach). */
void cmp_request_fini(struct cmp_request *request);
void cmp_request_detach(struct cmp_request *request,
    void (*late)(void *arg, const struct txn_key *txn, int64_t cert_req_id,
	const struct policy_verdict *verdict),
    void *arg);
/* decide_wait is over: what is undecided is held on the next run. */
void cmp_request_expire(struct cmp_request *request);

struct cmp_answer {
	struct bytes body; /* DER PKIMessage, in the desk's pool; absent only with a batch */
	struct unit *unit; /* must be durable before the answer leaves; NULL: nothing to store */
	struct log_line **log; /* n_log lines, begun; log_end each once the unit is durable */
	size_t n_log;
	bool waits; /* the client is to come back later: its connection need not be kept */
	bool fault; /* an error answer, or a rejection of which nothing is stored */
	const struct cmp_batch *batch; /* there is no answer yet: see below. In the desk's pool */
};

/*
 * A batch of nested messages (RFC 9810 5.1.3.5). All protections in it have been verified, nothing
 * has changed. The caller makes a request of each message, with the same endpoint, CMP_OP_NONE and
 * ra, and handles and commits them like any others, in any order. When all answers may leave they
 * are given to cmp_door_batch.
 */
struct cmp_batch {
	size_t n;
	const struct bytes *messages; /* in the body of the request */
	const char *ra;
};

/*
 * 0: *ret is filled and the caller owns ret->unit; or ret->batch is to be done first. CMPD_EPARKED:
 * wake will be called; run it again then (or after cmp_request_expire). CMPD_ENOMEM,
 * CMPD_EUNAVAILABLE: nothing to be said in CMP: HTTP 503. desk: conf, issuer, policy, reader, pool
 * and now are set by the caller; unit is the door's.
 */
int cmp_door_handle(struct cmp_door *door, struct desk *desk, struct cmp_request *request,
    struct cmp_answer *ret) CMPD_MUST_CHECK;
/* The answer to a batch: nested, with the answers to its messages in their order; nothing to store.
 * request: that of the batch. Errors as above. */
int cmp_door_batch(struct cmp_door *door, struct desk *desk, struct cmp_request *request,
    const struct cmp_batch *batch, const struct bytes *answers,
    struct cmp_answer *ret) CMPD_MUST_CHECK;
/* The answer when a request could not be committed: systemUnavail, so that the client tries again;
 * signed if possible. Nothing to store. */
int cmp_door_unavailable(struct cmp_door *door, struct desk *desk, struct cmp_request *request,
    const char *text, struct cmp_answer *ret) CMPD_MUST_CHECK;
