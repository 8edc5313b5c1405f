#include <string.h>

#include "store/inventory.h"

struct key
apply_txn_key(const struct record_head *head)
{
	struct key key = key_bytes(head->ident + ENTRY_ID_SIZE + 8, DIGEST_SIZE);

	key_add(&key, head->ident + ENTRY_ID_SIZE, 8);
	return key;
}

struct key
apply_id_key(const struct record_head *head)
{
	return key_bytes(head->ident, ENTRY_ID_SIZE);
}

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
	if (error == 0) {
		error = apply_open(a, old_head(op), &op->new, op_bytes(a->unit, op));
	}
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
		error = put_number(a, TABLE_ENTRY_TXN, apply_txn_key(&op->new), op->new.number);
	}
	if (error == 0 && !op->exists) {
		error = put_number(a, TABLE_ENTRY_ID, apply_id_key(&op->new), op->new.number);
	}
	if (error == 0) {
		error = write_entry_state(a, op);
	}
	return error != 0 ? error : apply_due(a, DUE_ENTRY, old_head(op), &op->new);
}

/* The public key of a certificate does not change: only new and dropped ones touch this index. */
static int
write_cert_key(struct apply *a, uint64_t number, struct bytes record, bool add)
{
	struct bytes copy = pool_bytes(a->store->pool, record);
	struct cert cert;
	struct key key;
	int error = copy.data == NULL ? CMPD_ENOMEM : record_get_cert(copy, a->store->pool, &cert);

	if (error != 0) {
		return error;
	}
	key = key_bytes(cert.spki_sha256, sizeof(cert.spki_sha256));
	key_add_u64(&key, number);
	return add ? put(a, TABLE_CERT_KEY, key, bytes_of("", 0), false)
		   : del(a, TABLE_CERT_KEY, key);
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
	if (error == 0 && !op->exists) {
		error = write_cert_key(a, op->new.number, op_bytes(a->unit, op), true);
	}
	if (error == 0) {
		error = apply_revoked(a, old_head(op), &op->new, op_bytes(a->unit, op));
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
		error = del(a, TABLE_ENTRY_TXN, apply_txn_key(&op->old));
	}
	if (error == 0) {
		error = del(a, TABLE_ENTRY_ID, apply_id_key(&op->old));
	}
	if (error == 0) {
		error = del(a, TABLE_ENTRY_STATE, key_entry_state(op->old.state, op->number));
	}
	return error != 0 ? error : apply_due(a, DUE_ENTRY, &op->old, NULL);
}

static int
write_drop_cert(struct apply *a, struct op *op)
{
	struct key key = key_u64(op->number);
	struct bytes record;
	int error = a->store->backend->get(a->view, TABLE_CERT, key_get0(&key), &record);

	if (error == 0) {
		error = write_cert_key(a, op->number, record, false);
	}
	if (error == 0) {
		error = del(a, TABLE_CERT, key);
	}
	a->tally->certs--;
	if (error == 0) {
		error = del(a, TABLE_CERT_SERIAL, op->key);
	}
	if (error == 0) {
		error = apply_revoked(a, &op->old, NULL, BYTES_NONE);
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
	error = seal_chain_line(a->store->chain, bytes_of(line, len), a->tally->audit_hmac,
	    a->tally->audit_hmac);
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
	case OP_PUT_CRL:
		return put(a, TABLE_CRL, op->key, op_bytes(a->unit, op), false);
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
	case OP_RETIRE_SECRET:
	case OP_USE_SECRET:
	case OP_NEED_SECRET:
	case OP_RELEASE_SECRET:
	case OP_BEGIN_INVENTORY:
	case OP_ADD_INVENTORY:
	case OP_FINISH_INVENTORY:
	case OP_DROP_INVENTORY:
	case OP_PURGE_INVENTORY:
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
	int error = apply_write_secrets(a);

	return error != 0 ? error : apply_write_inventory(a);
}
