#include <string.h>

#include "cmp/auth.h"
#include "cmp/gate.h"
#include "cmp/nested.h"
#include "cmp/seal.h"
#include "cmp/serve.h"

/* Memory for looking at one message of a batch. */
#define LOOK_POOL_MAX (8u * 1024 * 1024)

/* What must differ between messages. */
struct nest_ids {
	struct bytes transaction_id, nonce;
};

static bool
same(struct bytes a, struct bytes b)
{
	return a.data && b.data && bytes_equal(a, b);
}

void
nested_begin(struct cmp_work *inner, const struct cmp_work *outer, struct desk *desk,
    struct cmp_answer *answer, struct bytes message)
{
	struct cmp_door *door = outer->door;
	struct cmp_request *request = outer->request;
	const char *ra = outer->ra;

	cmp_work_init(inner, door, desk, request, answer);
	inner->body = message;
	inner->operation = CMP_OP_NONE;
	inner->ra = ra;
}

/* ---- who may ---- */

/* Only an RA, and it signs (RFC 9810 5.1.3.5). */
static bool
is_brought_by_ra(struct cmp_work *work)
{
	if (auth_protection(work->verified) != CMP_PROTECTION_SIGNATURE) {
		return cmp_work_fault(work, "B4.7", FI_WRONG_INTEGRITY,
		    "a nested message is signed, not MACed");
	}
	work->ra = auth_requester(work->verified)->ra;
	return work->ra || cmp_work_fault(work, "B4.7", FI_NOT_AUTHORIZED,
			       "only a registration authority may nest messages");
}

/* ---- what is inside ---- */

static int
decode(struct cmp_work *work, struct bytes **ret, size_t *ret_n)
{
	size_t max = (size_t)work->endpoint->conf->max_nested;
	struct diag why = {""};
	int error = wire_nested_decode(work->desk->pool, work->in.body, max, ret, ret_n, &why);

	if (error == CMPD_ELIMIT) {
		cmp_work_fault(work, "B4.7", FI_BAD_REQUEST,
		    "%zu nested messages, at most %zu are served", *ret_n, max);
	} else if (error == CMPD_EFORMAT) {
		cmp_work_fault(work, "B4.7", FI_BAD_DATA_FORMAT, "the body does not decode: %s",
		    why.text);
	} else {
		return error;
	}
	return 0;
}

static int
keep(struct cmp_work *work, struct bytes in, struct bytes *ret)
{
	*ret = pool_bytes(work->desk->pool, in);
	return in.data && !ret->data ? CMPD_ENOMEM : 0;
}

/* The frame and header of one message; a fault of it is one of the whole. */
static int
look(struct cmp_work *work, struct pool *pool, struct bytes message, size_t i, struct nest_ids *ret)
{
	struct wire_message *in = pool_alloc(pool, sizeof(*in));
	struct diag why = {""};
	int error;

	if (!in) {
		return CMPD_ENOMEM;
	}
	error = wire_message_decode(pool, message, WIRE_CERTS_MAX, in, &why);
	/* Too many extraCerts: that is told to who sent them. */
	if (error && error != CMPD_EFORMAT && error != CMPD_ELIMIT) {
		return error;
	}
	if (error == CMPD_EFORMAT) {
		cmp_work_fault(work, "B4.7", FI_BAD_DATA_FORMAT,
		    "nested message %zu is not a PKIMessage in DER: %s", i + 1, why.text);
	} else if (in->body_type == WIRE_NESTED) {
		cmp_work_fault(work, "B4.7", FI_BAD_REQUEST,
		    "nested message %zu is a nested one itself", i + 1);
	}
	return keep(work, in->header.transaction_id, &ret->transaction_id) ||
		       keep(work, in->header.sender_nonce, &ret->nonce)
		   ? CMPD_ENOMEM
		   : 0;
}

static int
look_at_all(struct cmp_work *work, struct pool *pool, const struct bytes *messages, size_t n,
    struct nest_ids *ids)
{
	int error = 0;

	for (size_t i = 0; !error && !work->fault.id && i < n; i++) {
		pool_reset(pool);
		error = look(work, pool, messages[i], i, &ids[i]);
	}
	return error;
}

/* ---- added protection: one message, and outside its transactionID and nonce ---- */

/* Is it that? Half of it is a fault. */
static bool
is_added_protection(struct cmp_work *work, const struct nest_ids *inner)
{
	const struct wire_header *outer = &work->in.header;
	bool id = same(inner->transaction_id, outer->transaction_id);
	bool nonce = same(inner->nonce, outer->sender_nonce);

	if (id && !nonce) {
		return cmp_work_fault(work, "B4.7", FI_BAD_SENDER_NONCE,
		    "senderNonce outside is not that of the nested message");
	}
	if (nonce && !id) {
		return cmp_work_fault(work, "B4.7", FI_BAD_REQUEST,
		    "transactionID outside is not that of the nested message");
	}
	return id;
}

/* ---- batches: nothing in common ---- */

static int
check_fresh(struct cmp_work *work)
{
	struct bytes id = work->in.header.transaction_id;
	struct txn_key key = {.protocol = PROTOCOL_CMP, .id_len = (uint8_t)id.len};
	struct txn txn;
	int error;

	memcpy(key.id, id.data, id.len);
	error = store_txn_get(work->desk->reader, work->desk->pool, &key, &txn);
	if (!error) {
		cmp_work_fault(work, "B4.7", FI_TRANSACTION_ID_IN_USE,
		    "transactionID of the batch has been used for a request");
	}
	return error == CMPD_ENOENT ? 0 : error;
}

static bool
check_two(struct cmp_work *work, const struct nest_ids *a, const struct nest_ids *b,
    const char *where)
{
	if (same(a->transaction_id, b->transaction_id)) {
		return cmp_work_fault(work, "B4.7", FI_TRANSACTION_ID_IN_USE, "transactionID is %s",
		    where);
	}
	if (same(a->nonce, b->nonce)) {
		return cmp_work_fault(work, "B4.7", FI_BAD_SENDER_NONCE, "senderNonce is %s",
		    where);
	}
	return true;
}

static void
check_unique(struct cmp_work *work, const struct nest_ids *ids, size_t n)
{
	const struct nest_ids outer = {
	    work->in.header.transaction_id, work->in.header.sender_nonce};

	for (size_t i = 0; i < n; i++) {
		if (!check_two(work, &outer, &ids[i], "outside and inside of the batch")) {
			return;
		}
		for (size_t k = 0; k < i; k++) {
			if (!check_two(work, &ids[k], &ids[i], "in the batch twice")) {
				return;
			}
		}
	}
}

/*
 * Whether one message is protected by whom it says. What else is wrong with it is told in its own answer, and so
 * is that its signer is not trusted (B3.10): the signature is right then, and one device cannot spoil the batch of others.
 */
static int
check_protection(struct cmp_work *work, struct cmp_work *inner, struct desk *desk,
    struct bytes message, size_t i)
{
	struct cmp_answer nobody = {.body = BYTES_NONE};
	bool replay = false;
	int error;

	pool_reset(desk->pool);
	nested_begin(inner, work, desk, &nobody, message);
	error = gate_read(inner, &replay);
	/* The same bytes have been verified before. */
	if (error || replay) {
		return error;
	}
	memset(&inner->fault, 0, sizeof(inner->fault));
	error = auth_verify(inner);
	if (!error && !inner->verified && strcmp(inner->fault.id, "B3.10")) {
		cmp_work_fault(work, "B4.7", inner->fault.fail_info, "nested message %zu: %s",
		    i + 1, inner->fault.why.text);
	}
	return error;
}

static int
check_protections(struct cmp_work *work, struct pool *pool, const struct bytes *messages, size_t n)
{
	struct desk desk = *work->desk;
	struct cmp_work *inner = pool_alloc(work->desk->pool, sizeof(*inner));
	int error = inner ? 0 : CMPD_ENOMEM;

	desk.pool = pool;
	for (size_t i = 0; !error && !work->fault.id && i < n; i++) {
		error = check_protection(work, inner, &desk, messages[i], i);
	}
	return error;
}

static int
give_batch(struct cmp_work *work, const struct bytes *messages, size_t n)
{
	struct cmp_batch *batch = pool_alloc(work->desk->pool, sizeof(*batch));

	if (!batch) {
		return CMPD_ENOMEM;
	}
	batch->n = n;
	batch->messages = messages;
	batch->ra = work->ra;
	work->answer->batch = batch;
	return 0;
}

static int
open_nest(struct cmp_work *work, struct pool *pool)
{
	struct bytes *messages = NULL;
	struct nest_ids *ids = NULL;
	size_t n = 0;
	int error = decode(work, &messages, &n);

	if (error || work->fault.id) {
		return error;
	}
	ids = pool_alloc(work->desk->pool, n * sizeof(*ids));
	error = ids ? look_at_all(work, pool, messages, n, ids) : CMPD_ENOMEM;
	if (error || work->fault.id) {
		return error;
	}
	if (n == 1 && is_added_protection(work, &ids[0])) {
		work->inner = messages[0];
		return 0;
	}
	check_unique(work, ids, n);
	if (!work->fault.id) {
		error = check_fresh(work);
	}
	if (!error && !work->fault.id) {
		error = check_protections(work, pool, messages, n);
	}
	return error || work->fault.id ? error : give_batch(work, messages, n);
}

int
serve_nested(struct cmp_work *work)
{
	struct pool *pool;
	int error;

	if (!is_brought_by_ra(work)) {
		return 0;
	}
	pool = pool_new(LOOK_POOL_MAX);
	if (!pool) {
		return CMPD_ENOMEM;
	}
	error = open_nest(work, pool);
	pool_free(pool);
	return error;
}

/* ---- the answer ---- */

int
nested_seal(struct cmp_work *work, const struct bytes *answers, size_t n)
{
	struct seal_options options = {.pvno = 0};
	struct log_line *line;
	struct sealed sealed;
	int error =
	    seal_body(work, wire_nested_encode(work->desk->pool, answers, n), &options, &sealed);

	if (error) {
		return error;
	}
	work->answer->body = sealed.message;
	line = cmp_work_log(work, LOG_LEVEL_INFO, "cmp.batch");
	if (line) {
		log_int(line, "messages", (int64_t)n);
		log_str(line, "peer", work->request->peer);
	}
	return 0;
}
