#include <string.h>

#include "store/inventory.h"

static int
get(struct apply *a, enum table table, struct key key, struct bytes *ret)
{
	return a->store->backend->get(a->view, table, key_get0(&key), ret);
}

/* Condition: nothing is stored under that key. */
static int
check_absent(struct apply *a, enum table table, struct key key)
{
	struct bytes value;
	int error = get(a, table, key, &value);

	return error == 0 ? CMPD_ECONFLICT : error == CMPD_ENOENT ? 0 : error;
}

/* Condition: a record of that version is stored, 0: none. Fills op->old. */
static int
check_version(struct apply *a, struct op *op, enum table table, struct key key,
    enum record_kind kind)
{
	struct bytes value;
	int error;

	op->exists = false;
	if (op->version == 0) {
		return check_absent(a, table, key);
	}
	error = get(a, table, key, &value);
	if (error != 0) {
		return error == CMPD_ENOENT ? CMPD_ECONFLICT : error;
	}
	error = record_get_head(value, kind, &op->old);
	if (error != 0) {
		return error;
	}
	op->exists = true;
	return op->old.version == op->version ? 0 : CMPD_ECONFLICT;
}

/* Ours to get right: a changed record stays the same thing. */
static int
check_ident(const struct op *op)
{
	return bytes_equal(bytes_of(op->old.ident, op->old.ident_len),
		   bytes_of(op->new.ident, op->new.ident_len))
		   ? 0
		   : CMPD_EINVAL;
}

static int
check_put_txn(struct apply *a, struct op *op)
{
	int error = check_version(a, op, TABLE_TXN, op->key, RECORD_TXN);

	/* A tombstone does not come to life again. */
	if (error == 0 && op->exists && op->old.state > op->new.state) {
		return CMPD_ESTATE;
	}
	return error;
}

static int
check_put_entry(struct apply *a, struct op *op)
{
	int error;

	op->exists = false;
	if (op->version == 0) {
		error = check_absent(a, TABLE_ENTRY_TXN, apply_txn_key(&op->new));
		return error != 0 ? error : check_absent(a, TABLE_ENTRY_ID, apply_id_key(&op->new));
	}
	error = check_version(a, op, TABLE_ENTRY, key_u64(op->number), RECORD_ENTRY);
	if (error != 0) {
		return error;
	}
	if (op->old.state != op->from) {
		return CMPD_ECONFLICT;
	}
	return check_ident(op);
}

/* From CA and serial to the number. */
static int
find_cert(struct apply *a, struct op *op, uint64_t *ret)
{
	struct bytes value;
	int error = get(a, TABLE_CERT_SERIAL, op->key, &value);

	if (error != 0) {
		return error == CMPD_ENOENT ? CMPD_ECONFLICT : error;
	}
	return key_to_u64(value, ret);
}

static int
check_put_cert(struct apply *a, struct op *op)
{
	uint64_t number;
	int error;

	op->exists = false;
	if (op->version == 0) {
		return check_absent(a, TABLE_CERT_SERIAL, op->key);
	}
	error = find_cert(a, op, &number);
	if (error == 0 && number != op->number) {
		error = CMPD_ECONFLICT;
	}
	if (error == 0) {
		error = check_version(a, op, TABLE_CERT, key_u64(number), RECORD_CERT);
	}
	return error != 0 ? error : check_ident(op);
}

/* The numbers of CRLs only grow (RFC 5280 5.2.3). */
static int
check_put_crl(struct apply *a, struct op *op)
{
	int error = check_version(a, op, TABLE_CRL, op->key, RECORD_CRL);

	return error == 0 && op->exists && op->new.number <= op->old.number ? CMPD_ESTATE : error;
}

/* Only what is stored can be dropped, and only when nothing can come of it any more. */
static int
check_drop_txn(struct apply *a, struct op *op)
{
	int error = op->version == 0 ? CMPD_ECONFLICT
				     : check_version(a, op, TABLE_TXN, op->key, RECORD_TXN);

	return error != 0 ? error : op->old.state == 1 ? 0 : CMPD_ESTATE;
}

static int
check_drop_entry(struct apply *a, struct op *op)
{
	int error = op->version == 0
			? CMPD_ECONFLICT
			: check_version(a, op, TABLE_ENTRY, key_u64(op->number), RECORD_ENTRY);

	if (error != 0) {
		return error;
	}
	return entry_state_is_final((enum entry_state)op->old.state) ? 0 : CMPD_ESTATE;
}

static int
check_drop_cert(struct apply *a, struct op *op)
{
	int error = op->version == 0 ? CMPD_ECONFLICT : find_cert(a, op, &op->number);

	if (error == 0) {
		error = check_version(a, op, TABLE_CERT, key_u64(op->number), RECORD_CERT);
	}
	/* One that is never due is to be kept for ever. */
	return error != 0 ? error : op->old.due != 0 ? 0 : CMPD_ESTATE;
}

static int
check_put_blob(struct apply *a, struct op *op)
{
	int error = check_absent(a, TABLE_BLOB, op->key);

	op->exists = error == CMPD_ECONFLICT;
	return op->exists ? 0 : error;
}

static int
check_op(struct apply *a, struct op *op)
{
	switch (op->kind) {
	case OP_PUT_TXN:
		return check_put_txn(a, op);
	case OP_PUT_ENTRY:
		return check_put_entry(a, op);
	case OP_PUT_CERT:
		return check_put_cert(a, op);
	case OP_PUT_CRL:
		return check_put_crl(a, op);
	case OP_DROP_TXN:
		return check_drop_txn(a, op);
	case OP_DROP_ENTRY:
		return check_drop_entry(a, op);
	case OP_DROP_CERT:
		return check_drop_cert(a, op);
	case OP_PUT_BLOB:
		return check_put_blob(a, op);
	case OP_AUDIT:
		return 0;
	case OP_ADD_SECRET:
	case OP_REMOVE_SECRET:
	case OP_RETIRE_SECRET:
	case OP_USE_SECRET:
	case OP_NEED_SECRET:
	case OP_RELEASE_SECRET:
		return apply_check_secret(a, op);
	case OP_BEGIN_INVENTORY:
	case OP_ADD_INVENTORY:
	case OP_FINISH_INVENTORY:
	case OP_DROP_INVENTORY:
	case OP_PURGE_INVENTORY:
		return apply_check_inventory(a, op);
	}
	return CMPD_EINVAL;
}

int
apply_check(struct apply *a)
{
	a->n_secrets = 0;
	for (size_t i = 0; i < a->unit->n; i++) {
		int error = check_op(a, &a->unit->ops[i]);

		if (error != 0) {
			return error;
		}
	}
	return 0;
}
