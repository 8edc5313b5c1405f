#include <openssl/err.h>
#include <string.h>

#include "cmp/answer.h"
#include "cmp/auth.h"
#include "cmp/endpoint.h"
#include "cmp/gate.h"
#include "cmp/genm.h"
#include "cmp/nested.h"
#include "cmp/seal.h"
#include "cmp/serve.h"
#include "cmp/signer.h"

#define TRIES_MAX     8 /* somebody else was first each time: then the client tries again */
#define DOOR_POOL_MAX (16u * 1024 * 1024)

int
cmp_door_new(const struct conf *conf, OSSL_LIB_CTX *libctx, struct issuer *issuer,
    struct cmp_door **ret, struct diag *diag)
{
	struct cmp_door *door = calloc(1, sizeof(*door));
	int error = CMPD_ENOMEM;

	if (!door) {
		return CMPD_ENOMEM;
	}
	door->conf = conf;
	door->libctx = libctx;
	door->keys.libctx = libctx;
	door->issuer = issuer;
	door->pool = pool_new(DOOR_POOL_MAX);
	door->signers = signer_cache_new();
	door->endpoints =
	    calloc(conf->n_endpoints ? conf->n_endpoints : 1, sizeof(*door->endpoints));
	if (!door->pool || !door->signers || !door->endpoints) {
		goto out;
	}
	error = 0;
	for (size_t i = 0; i < conf->n_endpoints && !error; i++) {
		error = endpoint_init(door, &conf->endpoints[door->n_endpoints++],
		    &door->endpoints[i], diag);
	}
	if (error) {
		goto out;
	}
	*ret = door;
	door = NULL;
out:
	cmp_door_free(door);
	return error;
}

void
cmp_door_free(struct cmp_door *door)
{
	if (!door) {
		return;
	}
	for (size_t i = 0; i < door->n_endpoints; i++) {
		endpoint_fini(&door->endpoints[i]);
	}
	free(door->endpoints);
	signer_cache_free(door->signers);
	OSSL_CMP_MSG_free(door->primer);
	key_maker_fini(&door->keys);
	pool_free(door->pool);
	free(door);
}

struct cmp_endpoint *
cmp_endpoint_find(struct cmp_door *door, const char *path)
{
	for (size_t i = 0; i < door->n_endpoints; i++) {
		if (!strcmp(door->endpoints[i].conf->path, path)) {
			return &door->endpoints[i];
		}
	}
	return NULL;
}

/* ---- the way of a message ---- */

static const struct {
	int body_type;
	int (*serve)(struct cmp_work *work);
} bodies[] = {
    {WIRE_IR, serve_enrolment},
    {WIRE_CR, serve_enrolment},
    {WIRE_P10CR, serve_enrolment},
    {WIRE_KUR, serve_enrolment},
    {WIRE_POLLREQ, serve_poll},
    {WIRE_CERTCONF, serve_cert_conf},
    {WIRE_ERROR, serve_error},
    {WIRE_RR, serve_rr},
    {WIRE_GENM, serve_genm},
    {WIRE_NESTED, serve_nested},
};

static int
serve(struct cmp_work *work)
{
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		if (bodies[i].body_type == work->in.body_type) {
			return bodies[i].serve(work);
		}
	}
	cmp_work_fault(work, "B3.3", FI_BAD_REQUEST, "body type %d is not served here",
	    work->in.body_type);
	return 0;
}

/*
 * The reads of one message are not of one moment: a copy of the same message
 * may have been committed in between, and what looks like a fault then (confirmed already, updated
 * already, secret used up) must become its stored answer.
 */
static int
txn_changed(struct cmp_work *work, bool *ret)
{
	struct txn now;
	int error;

	*ret = false;
	if (work->key.id_len == 0) {
		return 0;
	}
	error = store_txn_get(work->desk->reader, work->desk->pool, &work->key, &now);
	if (error && error != CMPD_ENOENT) {
		return error;
	}
	*ret = work->has_txn != (error == 0) || (work->has_txn && now.version != work->txn.version);
	return 0;
}

/* One message: a fault is answered, so is a replay; of a nested one what is inside is left to do. */
static int
handle_message(struct cmp_work *work)
{
	bool changed = false;
	bool replay = false;
	int error = gate_read(work, &replay);

	if (error) {
		return error;
	}
	if (replay) {
		return answer_replay(work);
	}
	/* After a fault too: whether the MAC verifies decides how the error is protected. */
	if (work->in.body_raw.data) {
		error = auth_verify(work);
	}
	if (!error && !work->fault.id && work->verified) {
		error = serve(work);
	}
	if (error) {
		return error;
	}
	if (!work->fault.id && (work->inner.data || work->answer->batch)) {
		return 0;
	}
	if (!work->fault.id && !work->answer->body.data) {
		cmp_work_fault(work, "B3.8", FI_BAD_MESSAGE_CHECK,
		    "the message could not be verified");
	}
	if (!work->fault.id && !work->answer->fault) {
		return 0;
	}
	error = txn_changed(work, &changed);
	if (!error && changed) {
		error = CMPD_ECONFLICT;
	}
	return error || !work->fault.id ? error : answer_fault(work);
}

static int
handle(struct cmp_work *work)
{
	int error = handle_message(work);

	if (error || !work->inner.data) {
		return error;
	}
	nested_begin(work, work, work->desk, work->answer, work->inner);
	return handle_message(work);
}

static void
begin(struct cmp_work *work, struct cmp_door *door, struct desk *desk, struct cmp_request *request,
    struct cmp_answer *answer)
{
	memset(answer, 0, sizeof(*answer));
	cmp_work_init(work, door, desk, request, answer);
}

/* One try, with a unit of its own; on failure there is none left. */
static int
try_handle(struct cmp_work *work)
{
	int error;

	work->desk->unit = unit_new();
	if (!work->desk->unit) {
		return CMPD_ENOMEM;
	}
	error = handle(work);
	if (error || work->answer->batch) {
		unit_free(work->desk->unit);
	} else {
		work->answer->unit = work->desk->unit;
	}
	work->desk->unit = NULL;
	return error;
}

int
cmp_door_handle(struct cmp_door *door, struct desk *desk, struct cmp_request *request,
    struct cmp_answer *ret)
{
	struct cmp_work *work = pool_alloc(desk->pool, sizeof(*work));
	int error = CMPD_ECONFLICT, tries;

	if (!work) {
		return CMPD_ENOMEM;
	}
	for (tries = 0; error == CMPD_ECONFLICT && tries < TRIES_MAX; tries++) {
		ERR_clear_error();
		begin(work, door, desk, request, ret);
		if (!work->endpoint) {
			return CMPD_EUNAVAILABLE;
		}
		error = try_handle(work);
	}
	if (error == 0 || error == CMPD_EPARKED || error == CMPD_ENOMEM) {
		return error;
	}
	return cmp_door_unavailable(door, desk, request, cmpd_strerror(error), ret);
}

/* Whom is there to answer? What fails (again) is left out of the answer. */
static int
recognise(struct cmp_work *work)
{
	bool replay = false;
	int error = gate_read(work, &replay);

	if (!error && !replay && work->in.body_raw.data) {
		error = auth_verify(work);
	}
	if (error || work->fault.id || !work->verified || work->in.body_type != WIRE_NESTED) {
		return error;
	}
	error = serve_nested(work);
	work->answer->batch = NULL;
	if (error || !work->inner.data) {
		return error;
	}
	nested_begin(work, work, work->desk, work->answer, work->inner);
	return recognise(work);
}

int
cmp_door_unavailable(struct cmp_door *door, struct desk *desk, struct cmp_request *request,
    const char *text, struct cmp_answer *ret)
{
	struct cmp_work *work = pool_alloc(desk->pool, sizeof(*work));
	struct log_line *line;

	if (!work) {
		return CMPD_ENOMEM;
	}
	begin(work, door, desk, request, ret);
	if (!work->endpoint) {
		return CMPD_EUNAVAILABLE;
	}
	if (recognise(work) == CMPD_ENOMEM) {
		return CMPD_ENOMEM;
	}
	line = cmp_work_log(work, LOG_LEVEL_WARNING, "cmp.unavailable");
	if (line) {
		log_str(line, "text", text);
	}
	return answer_error(work, FI_SYSTEM_UNAVAIL, text);
}

int
cmp_door_batch(struct cmp_door *door, struct desk *desk, struct cmp_request *request,
    const struct cmp_batch *batch, const struct bytes *answers, struct cmp_answer *ret)
{
	struct cmp_work *work = pool_alloc(desk->pool, sizeof(*work));
	bool replay;
	int error;

	if (!work) {
		return CMPD_ENOMEM;
	}
	begin(work, door, desk, request, ret);
	if (!work->endpoint) {
		return CMPD_EUNAVAILABLE;
	}
	/* It has been verified; only its header is needed now. */
	error = gate_read(work, &replay);
	work->ra = batch->ra;
	return error ? error : nested_seal(work, answers, batch->n);
}
