#include "daemon/fakes.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/pool.h"
#include "conf/conf.h"
#include "enrol/crl.h"
#include "enrol/desk.h"
#include "http/http.h"
#include "issuer/issuer.h"
#include "policy/policy.h"
#include "store/store.h"

_Atomic int fake_runs, fake_unavailable, fake_sweeps, fake_sweeps_in_grace, fake_destroyed;
_Atomic int fake_crl_fails;

/* The thread of a plugin that thinks. */
struct policy_call {
	pthread_t thread;
	bool started;
	int ms;
	_Atomic bool decided;
	void (*wake)(void *arg);
	void *arg;
};

struct conf *
fake_conf(void)
{
	struct conf *conf = calloc(1, sizeof(*conf));

	conf->endpoints = calloc(1, sizeof(*conf->endpoints));
	conf->n_endpoints = 1;
	conf->endpoints[0].path = "/cmp";
	conf->endpoints[0].decide_wait = 200;
	conf->endpoints[0].confirm_wait = 300000;
	conf->limits.parked = 100;
	return conf;
}

void
conf_free(struct conf *conf)
{
	free(conf->endpoints);
	free(conf);
}

int
issuer_new(const struct conf *conf, OSSL_LIB_CTX *libctx, struct issuer **ret, struct diag *diag)
{
	(void)conf;
	(void)libctx;
	(void)diag;
	*ret = NULL;
	return 0;
}

void
issuer_free(struct issuer *issuer)
{
	(void)issuer;
}

int
policy_new(const struct conf *conf, struct policy **ret, struct diag *diag)
{
	(void)conf;
	(void)diag;
	*ret = NULL;
	return 0;
}

void
policy_free(struct policy *policy)
{
	(void)policy;
	fake_destroyed++;
}

int
cmp_door_new(const struct conf *conf, OSSL_LIB_CTX *libctx, struct issuer *issuer,
    struct cmp_door **ret, struct diag *diag)
{
	(void)conf;
	(void)libctx;
	(void)issuer;
	(void)diag;
	*ret = NULL;
	return 0;
}

void
cmp_door_free(struct cmp_door *door)
{
	(void)door;
}

int
cmp_operation_parse(const char *label, size_t len, bool short_forms, enum cmp_operation *ret)
{
	(void)short_forms;
	(void)label;
	(void)len;
	(void)ret;
	return CMPD_ENOENT;
}

void
cmp_request_init(struct cmp_request *request)
{
	memset(request->verdicts, 0, sizeof(request->verdicts));
	request->n_verdicts = 0;
}

void
cmp_request_fini(struct cmp_request *request)
{
	struct policy_call *call = request->verdicts[0].call;

	if (call != NULL && call->started) {
		pthread_join(call->thread, NULL);
	}
	free(call);
	request->verdicts[0].call = NULL;
}

void
cmp_request_detach(struct cmp_request *request,
    void (*late)(void *arg, const struct txn_key *txn, int64_t cert_req_id,
	const struct policy_verdict *verdict),
    void *arg)
{
	static const struct txn_key key = {.protocol = PROTOCOL_CMP, .id_len = 4, .id = "late"};
	const struct policy_verdict verdict = {.answer = POLICY_GRANT, .plugin = "slow"};

	/* One that was held for lack of time gets its verdict now. */
	if (request->verdicts[0].over) {
		late(arg, &key, 0, &verdict);
	}
}

void
cmp_request_expire(struct cmp_request *request)
{
	request->verdicts[0].over = true;
}

static void *
think(void *arg)
{
	struct policy_call *call = arg;

	usleep((useconds_t)call->ms * 1000);
	call->decided = true;
	call->wake(call->arg);
	return NULL;
}

static int
park(struct cmp_request *request, const char *word, int ms)
{
	struct policy_call *call = calloc(1, sizeof(*call));

	request->verdicts[0].call = call;
	call->wake = request->wake;
	call->arg = request->arg;
	call->ms = ms;
	if (strcmp(word, "think") == 0) {
		call->started = pthread_create(&call->thread, NULL, think, call) == 0;
	} else if (strcmp(word, "ask") == 0) {
		call->decided = true;
		request->wake(request->arg);
	}
	return CMPD_EPARKED;
}

static int
answer(struct desk *desk, const char *text, struct unit *unit, struct cmp_answer *ret)
{
	*ret = (struct cmp_answer){.unit = unit};
	ret->body = bytes_str(pool_strdup(desk->pool, text));
	return 0;
}

/* word: "batch", "spoilt", "wait". */
static int
give_batch(struct desk *desk, size_t n, const char *word, struct cmp_answer *ret)
{
	static const char *const messages[] = {"grant 0", "plain 0", "lose 2", "ask 0", "think 5"};
	struct cmp_batch *batch = pool_alloc(desk->pool, sizeof(*batch));
	struct bytes *list = pool_alloc(desk->pool, n * sizeof(*list));

	for (size_t i = 0; i < n; i++) {
		const char *text = word[0] == 'w'		  ? "hang 0"
				   : word[0] == 's' && i == n - 1 ? "fault 8"
								  : messages[i % 5];

		list[i] = bytes_of(text, strlen(text) + 1);
	}
	*batch = (struct cmp_batch){.n = n, .messages = list, .ra = "ra"};
	*ret = (struct cmp_answer){.batch = batch};
	return 0;
}

int
cmp_door_batch(struct cmp_door *door, struct desk *desk, struct cmp_request *request,
    const struct cmp_batch *batch, const struct bytes *answers, struct cmp_answer *ret)
{
	char *text = pool_alloc(desk->pool, batch->n + 1);

	(void)door;
	(void)request;
	for (size_t i = 0; i < batch->n; i++) {
		text[i] = (char)answers[i].data[0];
	}
	return answer(desk, text, NULL, ret);
}

int
cmp_door_handle(struct cmp_door *door, struct desk *desk, struct cmp_request *request,
    struct cmp_answer *ret)
{
	struct policy_call *call = request->verdicts[0].call;
	char word[16] = "";
	struct unit *unit = NULL;
	int n = 0;

	(void)door;
	fake_runs++;
	if (sscanf((const char *)request->body.data, "%15s %d", word, &n) != 2) {
		return CMPD_EUNAVAILABLE;
	}
	if (strcmp(word, "fault") == 0) {
		return -n;
	}
	if (strcmp(word, "batch") == 0 || strcmp(word, "spoilt") == 0 ||
	    strcmp(word, "wait") == 0) {
		return give_batch(desk, (size_t)n, word, ret);
	}
	if (strcmp(word, "plain") == 0) {
		return answer(desk, "plain", NULL, ret);
	}
	if (strcmp(word, "deaf") == 0) {
		return call == NULL ? park(request, word, n) : CMPD_EPARKED;
	}
	if (strcmp(word, "think") == 0 || strcmp(word, "ask") == 0 || strcmp(word, "hang") == 0) {
		if (call == NULL) {
			return park(request, word, n);
		}
		if (!call->decided && !request->verdicts[0].over) {
			return CMPD_EPARKED;
		}
	}
	unit = unit_new();
	unit_audit(unit, 1, "test", word, NULL, NULL);
	if (strcmp(word, "lose") == 0 && request->n_verdicts++ < (size_t)n) {
		static const struct txn_key nobody = {.protocol = PROTOCOL_CMP, .id_len = 1};

		unit_drop_txn(unit, &nobody, 7);
	}
	return answer(desk, request->verdicts[0].over ? "held" : "granted", unit, ret);
}

int
cmp_door_unavailable(struct cmp_door *door, struct desk *desk, struct cmp_request *request,
    const char *text, struct cmp_answer *ret)
{
	(void)door;
	(void)request;
	fake_unavailable++;
	return answer(desk, text, NULL, ret);
}

static void
told(struct http_exchange *exchange, int status, struct bytes body)
{
	snprintf(exchange->body, sizeof(exchange->body), "%.*s", (int)body.len,
	    (const char *)body.data);
	exchange->answers++;
	exchange->status = status;
}

void
http_reply_cmp(struct http_exchange *exchange, struct bytes body, bool close_after)
{
	(void)close_after;
	told(exchange, 200, body);
}

void
http_reply_text(struct http_exchange *exchange, int status, const char *text, int retry_after)
{
	(void)retry_after;
	told(exchange, status, bytes_str(text));
}

int
desk_sweep_one(struct desk *desk, const struct due *due, bool grace)
{
	fake_sweeps++;
	fake_sweeps_in_grace += grace;
	if (due->kind == DUE_TXN && !grace) {
		struct txn txn;

		if (store_txn_get(desk->reader, desk->pool, &due->txn, &txn) == 0) {
			unit_drop_txn(desk->unit, &txn.key, txn.version);
		}
	}
	return 0;
}

int
desk_decide_late(struct desk *desk, const struct txn_key *txn, int64_t cert_req_id,
    const struct policy_verdict *verdict, struct entry *ret, struct diag *diag)
{
	(void)desk;
	(void)txn;
	(void)cert_req_id;
	(void)ret;
	if (strcmp(verdict->plugin, "slow") != 0) {
		abort();
	}
	return diag_set(diag, CMPD_ENOENT, "as the test wants it");
}

/* One CA whose only CRL is three bytes; another is due whenever something was revoked. */
int
issuer_generation0(struct issuer *issuer, size_t n, struct issuer_generation *ret)
{
	static struct conf_ca ca = {.name = "main", .publish = true};

	(void)issuer;
	if (n > 0) {
		return CMPD_ENOENT;
	}
	*ret = (struct issuer_generation){.id = {0xab, 0xcd},
	    .conf = &ca,
	    .current = true,
	    .makes_crls = true,
	    .certificate = bytes_str("cert")};
	return 0;
}

int
desk_crl_is_due(struct desk *desk, const struct issuer_generation *generation,
    const struct crl *newest, bool *ret)
{
	uint64_t changes, rows;
	int r = store_revoked_count(desk->reader, generation->id, &changes, &rows);

	*ret = newest == NULL || newest->covers < changes;
	return r;
}

int
desk_crl_make(struct desk *desk, const struct issuer_generation *generation,
    const struct crl *newest, struct buf *out, struct crl *ret, struct diag *diag)
{
	struct crl crl = {.number = newest == NULL ? 1 : newest->number + 1,
	    .version = newest == NULL ? 0 : newest->version,
	    .this_update = desk->now,
	    .next_update = desk->now + 1000000};
	int r = store_revoked_count(desk->reader, generation->id, &crl.covers, &crl.entries);

	(void)diag;
	if (fake_crl_fails > 0) {
		fake_crl_fails--;
		return CMPD_ECRYPTO;
	}
	memcpy(crl.ca, generation->id, sizeof(crl.ca));
	buf_put(out, "CRL", 3);
	buf_put_u8(out, (uint8_t)crl.number);
	crl.der = buf_get0(out);
	unit_put_crl(desk->unit, &crl);
	*ret = crl;
	return r;
}
