#include <string.h>

#include "store/internal.h"

/* ---- conditions ---- */

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
check_version(
    struct apply *a, struct op *op, enum table table, struct key key, enum record_kind kind)
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

static struct key
entry_txn_key(const struct record_head *head)
{
	struct key key = key_bytes(head->ident + ENTRY_ID_SIZE + 8, DIGEST_SIZE);

	key_add(&key, head->ident + ENTRY_ID_SIZE, 8);
	return key;
}

static struct key
entry_id_key(const struct record_head *head)
{
	return key_bytes(head->ident, ENTRY_ID_SIZE);
}

static int
check_put_entry(struct apply *a, struct op *op)
{
	int error;

	op->exists = false;
	if (op->version == 0) {
		error = check_absent(a, TABLE_ENTRY_TXN, entry_txn_key(&op->new));
		return error != 0 ? error : check_absent(a, TABLE_ENTRY_ID, entry_id_key(&op->new));
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
	case OP_USE_SECRET:
	case OP_RELEASE_SECRET:
		return apply_check_secret(a, op);
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

/* ---- writes ---- */

static int
put(struct apply *a, enum table table, struct key key, struct bytes value, bool append)
{
	return a->store->backend->put(a->view, table, key_get0(&key), value, append);
}

static int
put_number(struct apply *a, enum table table, struct key key, uint64_t number)
{
	struct key value = key_u64(number);

	return put(a, table, key, key_get0(&value), false);
}

static int
del(struct apply *a, enum table table, struct key key)
{
	return a->store->backend->del(a->view, table, key_get0(&key));
}

int
apply_due(struct apply *a, enum due_kind kind, const struct record_head *old,
    const struct record_head *new)
{
	int64_t before = old == NULL ? 0 : old->due, after = new == NULL ? 0 : new->due;
	int error = 0;

	if (before == after) {
		return 0;
	}
	if (before > 0) {
		error = del(a, TABLE_DUE, key_due(kind, old));
	}
	if (error == 0 && after > 0) {
		error = put(a, TABLE_DUE, key_due(kind, new), bytes_of("", 0), false);
	}
	return error;
}

static const struct record_head *
old_head(const struct op *op)
{
	return op->exists ? &op->old : NULL;
}

static int
write_put_txn(struct apply *a, struct op *op)
{
	int error = put(a, TABLE_TXN, op->key, op_bytes(a->unit, op), false);

	a->tally->txns += !op->exists;
	return error != 0 ? error : apply_due(a, DUE_TXN, old_head(op), &op->new);
}

/* Gives a new record its number. */
static void
assign(struct apply *a, struct op *op, uint64_t *last)
{
	op->new.number = op->exists ? op->old.number : ++*last;
	record_set_number(a->unit->data.data + op->at, op->new.number);
}

static int
write_entry_state(struct apply *a, struct op *op)
{
	uint64_t number = op->new.number;
	int error = 0;

	if (op->exists && op->old.state == op->new.state) {
		return 0;
	}
	if (op->exists) {
		a->tally->entries[op->old.state]--;
		error = del(a, TABLE_ENTRY_STATE, key_entry_state(op->old.state, number));
	}
	a->tally->entries[op->new.state]++;
	if (error == 0) {
		error = put(a, TABLE_ENTRY_STATE, key_entry_state(op->new.state, number),
		    bytes_of("", 0), false);
	}
	return error;
}

static int
write_put_entry(struct apply *a, struct op *op)
{
	int error;

	assign(a, op, &a->tally->last_entry);
	error = put(a, TABLE_ENTRY, key_u64(op->new.number), op_bytes(a->unit, op), !op->exists);
	if (error == 0 && !op->exists) {
		error = put_number(a, TABLE_ENTRY_TXN, entry_txn_key(&op->new), op->new.number);
	}
	if (error == 0 && !op->exists) {
		error = put_number(a, TABLE_ENTRY_ID, entry_id_key(&op->new), op->new.number);
	}
	if (error == 0) {
		error = write_entry_state(a, op);
	}
	return error != 0 ? error : apply_due(a, DUE_ENTRY, old_head(op), &op->new);
}

static int
write_put_cert(struct apply *a, struct op *op)
{
	int error;

	assign(a, op, &a->tally->last_cert);
	error = put(a, TABLE_CERT, key_u64(op->new.number), op_bytes(a->unit, op), !op->exists);
	if (error == 0 && !op->exists) {
		a->tally->certs++;
		error = put_number(a, TABLE_CERT_SERIAL, op->key, op->new.number);
	}
	return error != 0 ? error : apply_due(a, DUE_CERT, old_head(op), &op->new);
}

static int
write_drop_txn(struct apply *a, struct op *op)
{
	int error = del(a, TABLE_TXN, op->key);

	a->tally->txns--;
	return error != 0 ? error : apply_due(a, DUE_TXN, &op->old, NULL);
}

static int
write_drop_entry(struct apply *a, struct op *op)
{
	int error = del(a, TABLE_ENTRY, key_u64(op->number));

	a->tally->entries[op->old.state]--;
	if (error == 0) {
		error = del(a, TABLE_ENTRY_TXN, entry_txn_key(&op->old));
	}
	if (error == 0) {
		error = del(a, TABLE_ENTRY_ID, entry_id_key(&op->old));
	}
	if (error == 0) {
		error = del(a, TABLE_ENTRY_STATE, key_entry_state(op->old.state, op->number));
	}
	return error != 0 ? error : apply_due(a, DUE_ENTRY, &op->old, NULL);
}

static int
write_drop_cert(struct apply *a, struct op *op)
{
	int error = del(a, TABLE_CERT, key_u64(op->number));

	a->tally->certs--;
	if (error == 0) {
		error = del(a, TABLE_CERT_SERIAL, op->key);
	}
	return error != 0 ? error : apply_due(a, DUE_CERT, &op->old, NULL);
}

static int
write_audit(struct apply *a, struct op *op)
{
	uint8_t *line = a->unit->data.data + op->at;
	size_t len = op->len - RECORD_AUDIT_TAIL;
	uint64_t number = ++a->tally->last_audit;
	int error;

	record_set_number(line, number);
	error = seal_chain_line(
	    a->store->chain, bytes_of(line, len), a->tally->audit_hmac, a->tally->audit_hmac);
	if (error != 0) {
		return error;
	}
	memcpy(line + len, a->tally->audit_hmac, RECORD_AUDIT_TAIL);
	return put(a, TABLE_AUDIT, key_u64(number), op_bytes(a->unit, op), true);
}

static int
write_op(struct apply *a, struct op *op)
{
	switch (op->kind) {
	case OP_PUT_TXN:
		return write_put_txn(a, op);
	case OP_PUT_ENTRY:
		return write_put_entry(a, op);
	case OP_PUT_CERT:
		return write_put_cert(a, op);
	case OP_DROP_TXN:
		return write_drop_txn(a, op);
	case OP_DROP_ENTRY:
		return write_drop_entry(a, op);
	case OP_DROP_CERT:
		return write_drop_cert(a, op);
	case OP_PUT_BLOB:
		return op->exists ? 0 : put(a, TABLE_BLOB, op->key, op_bytes(a->unit, op), false);
	case OP_AUDIT:
		return write_audit(a, op);
	case OP_ADD_SECRET:
	case OP_REMOVE_SECRET:
	case OP_USE_SECRET:
	case OP_RELEASE_SECRET:
		return 0; /* all at once, at the end */
	}
	return CMPD_EINVAL;
}

int
apply_write(struct apply *a)
{
	for (size_t i = 0; i < a->unit->n; i++) {
		int error = write_op(a, &a->unit->ops[i]);

		if (error != 0) {
			return error;
		}
	}
	return apply_write_secrets(a);
}
