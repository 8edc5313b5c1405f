#include <stdlib.h>
#include <string.h>

#include "store/inventory.h"

struct unit *
unit_new(void)
{
	struct unit *unit = calloc(1, sizeof(*unit));

	if (unit != NULL) {
		buf_init(&unit->data, UNIT_MAX);
	}
	return unit;
}

void
unit_free(struct unit *unit)
{
	if (unit != NULL) {
		buf_fini(&unit->data); /* secrets are in the clear there */
		free(unit->ops);
		free(unit);
	}
}

bool
unit_is_empty(const struct unit *unit)
{
	return unit->n == 0 && unit->error == 0;
}

static void
fail(struct unit *unit, int error)
{
	if (unit->error == 0) {
		unit->error = error;
	}
}

/* A new operation whose bytes begin here; NULL: the unit has an error. */
static struct op *
add(struct unit *unit, enum op_kind kind)
{
	struct op *op;

	if (unit->error != 0) {
		return NULL;
	}
	if (unit->n == unit->size) {
		size_t size = unit->size == 0 ? 8 : unit->size * 2;
		struct op *ops = realloc(unit->ops, size * sizeof(*ops));

		if (ops == NULL) {
			fail(unit, CMPD_ENOMEM);
			return NULL;
		}
		unit->ops = ops;
		unit->size = size;
	}
	op = &unit->ops[unit->n++];
	*op = (struct op){.kind = kind, .at = unit->data.len};
	return op;
}

/* Whatever was put behind op->at is its bytes. */
static void
finish(struct unit *unit, struct op *op, int error)
{
	if (error == 0) {
		error = buf_error(&unit->data);
	}
	op->len = unit->data.len - op->at;
	if (error != 0) {
		fail(unit, error);
	}
}

static void
finish_record(struct unit *unit, struct op *op, enum record_kind kind, int error)
{
	finish(unit, op, error);
	if (unit->error == 0) {
		error = record_get_head(op_bytes(unit, op), kind, &op->new);
		if (error != 0) {
			fail(unit, error);
		}
	}
}

static enum record_kind
kind_of(const struct op *op)
{
	switch (op->kind) {
	case OP_PUT_TXN:
	case OP_DROP_TXN:
		return RECORD_TXN;
	case OP_PUT_ENTRY:
	case OP_DROP_ENTRY:
		return RECORD_ENTRY;
	case OP_PUT_CERT:
	case OP_DROP_CERT:
		return RECORD_CERT;
	case OP_PUT_CRL:
		return RECORD_CRL;
	default:
		return 0;
	}
}

static bool
same_entry(const struct op *a, const struct op *b)
{
	const size_t rest = ENTRY_ID_SIZE;

	if (a->number != 0 && a->number == b->number) {
		return true;
	}
	if (a->kind != OP_PUT_ENTRY || b->kind != OP_PUT_ENTRY) {
		return false;
	}
	return memcmp(a->new.ident, b->new.ident, ENTRY_ID_SIZE) == 0 ||
	       bytes_equal(bytes_of(a->new.ident + rest, a->new.ident_len - rest),
		   bytes_of(b->new.ident + rest, b->new.ident_len - rest));
}

/* The checks look at what is stored before the unit: one unit may change a record only once. */
static void
refuse_second(struct unit *unit)
{
	const struct op *op = &unit->ops[unit->n - 1];
	enum record_kind kind = kind_of(op);

	for (size_t i = 0; i + 1 < unit->n && unit->error == 0; i++) {
		const struct op *other = &unit->ops[i];

		if (kind_of(other) == kind &&
		    (kind == RECORD_ENTRY
			    ? same_entry(other, op)
			    : bytes_equal(key_get0(&other->key), key_get0(&op->key)))) {
			fail(unit, CMPD_EINVAL);
		}
	}
}

static void
set_txn_key(struct unit *unit, struct op *op, const struct txn_key *key)
{
	uint8_t hash[DIGEST_SIZE];
	int error = record_txn_hash(key, hash);

	if (error != 0) {
		fail(unit, error);
		return;
	}
	op->key = key_bytes(hash, sizeof(hash));
}

void
unit_put_txn(struct unit *unit, const struct txn *txn)
{
	struct op *op = add(unit, OP_PUT_TXN);

	if (op == NULL) {
		return;
	}
	op->version = txn->version;
	finish_record(unit, op, RECORD_TXN, record_put_txn(&unit->data, txn, txn->version + 1));
	set_txn_key(unit, op, &txn->key);
	refuse_second(unit);
}

/* A revocation or a general message is done, anything else becomes a certificate. */
static bool
fits_type(const struct entry *entry)
{
	bool enrolment = entry->type != REQUEST_RR && entry->type != REQUEST_GENM;

	switch (entry->state) {
	case ENTRY_RECEIVED:
		return false;
	case ENTRY_ISSUED:
	case ENTRY_CONFIRMED:
	case ENTRY_REFUSED:
	case ENTRY_UNCONFIRMED:
		return enrolment;
	case ENTRY_DONE:
		return !enrolment;
	default:
		return true;
	}
}

static int
check_move(const struct entry *entry, enum entry_state from)
{
	bool is_new = entry->version == 0;

	if (is_new != (entry->number == 0)) {
		return CMPD_EINVAL;
	}
	if (!fits_type(entry) || (is_new && from != ENTRY_RECEIVED && from != ENTRY_APPROVED)) {
		return CMPD_ESTATE;
	}
	if (from == entry->state && !is_new) {
		return 0;
	}
	return entry_state_can_move(from, entry->state) ? 0 : CMPD_ESTATE;
}

void
unit_put_entry(struct unit *unit, const struct entry *entry, enum entry_state from)
{
	struct op *op = add(unit, OP_PUT_ENTRY);
	int error = check_move(entry, from);

	if (op == NULL) {
		return;
	}
	op->version = entry->version;
	op->number = entry->number;
	op->from = from;
	if (error == 0) {
		error = record_put_entry(&unit->data, entry, entry->version + 1);
	}
	finish_record(unit, op, RECORD_ENTRY, error);
	refuse_second(unit);
}

void
unit_put_cert(struct unit *unit, const struct cert *cert)
{
	struct op *op = add(unit, OP_PUT_CERT);

	if (op == NULL) {
		return;
	}
	op->version = cert->version;
	op->number = cert->number;
	finish_record(unit, op, RECORD_CERT,
	    (cert->version == 0) != (cert->number == 0)
		? CMPD_EINVAL
		: record_put_cert(&unit->data, cert, cert->version + 1));
	op->key = key_cert_serial(cert->ca, cert->serial);
	refuse_second(unit);
}

void
unit_put_crl(struct unit *unit, const struct crl *crl)
{
	struct op *op = add(unit, OP_PUT_CRL);

	if (op == NULL) {
		return;
	}
	op->version = crl->version;
	op->key = key_bytes(crl->ca, sizeof(crl->ca));
	finish_record(unit, op, RECORD_CRL, record_put_crl(&unit->data, crl, crl->version + 1));
	refuse_second(unit);
}

void
unit_drop_txn(struct unit *unit, const struct txn_key *key, uint64_t version)
{
	struct op *op = add(unit, OP_DROP_TXN);

	if (op != NULL) {
		op->version = version;
		set_txn_key(unit, op, key);
		refuse_second(unit);
	}
}

void
unit_drop_entry(struct unit *unit, uint64_t number, uint64_t version)
{
	struct op *op = add(unit, OP_DROP_ENTRY);

	if (op != NULL) {
		op->version = version;
		op->number = number;
		refuse_second(unit);
	}
}

void
unit_drop_cert(struct unit *unit, const uint8_t ca[CA_ID_SIZE], struct bytes serial,
    uint64_t version)
{
	struct op *op = add(unit, OP_DROP_CERT);

	if (op == NULL) {
		return;
	}
	if (serial.len == 0 || serial.len > SERIAL_MAX) {
		fail(unit, CMPD_EINVAL);
		return;
	}
	op->version = version;
	op->key = key_cert_serial(ca, serial);
	refuse_second(unit);
}

void
unit_put_blob(struct unit *unit, struct bytes blob)
{
	struct op *op = add(unit, OP_PUT_BLOB);
	uint8_t hash[DIGEST_SIZE];
	int error;

	if (op == NULL) {
		return;
	}
	error = digest_sha256(blob, hash);
	buf_put_bytes(&unit->data, blob);
	op->key = key_bytes(hash, sizeof(hash));
	finish(unit, op, error);
}

void
unit_audit(struct unit *unit, int64_t time, const char *actor, const char *what, const char *object,
    const char *text)
{
	const struct audit audit = {
	    .time = time, .actor = actor, .what = what, .object = object, .text = text};
	struct op *op = add(unit, OP_AUDIT);

	if (op != NULL) {
		finish(unit, op, record_put_audit(&unit->data, &audit));
	}
}

void
unit_add_secret(struct unit *unit, const struct secret *secret)
{
	struct op *op = add(unit, OP_ADD_SECRET);
	int error = 0;

	if (op == NULL) {
		return;
	}
	if (secret->id != 0 || secret->version != 0 || secret->ref == NULL || secret->removed ||
	    secret->retiring || secret->open != 0 || secret->value.data == NULL ||
	    secret->value.len > SECRET_SIZE_MAX) {
		error = CMPD_EINVAL;
	}
	finish_record(unit, op, RECORD_SECRET,
	    error != 0 ? error : record_put_secret(&unit->data, secret, 1));
}

void
unit_remove_secret(struct unit *unit, uint64_t id)
{
	struct op *op = add(unit, OP_REMOVE_SECRET);

	if (op != NULL) {
		op->number = id;
	}
}

void
unit_retire_secret(struct unit *unit, uint64_t id, int64_t until, int64_t due)
{
	struct op *op = add(unit, OP_RETIRE_SECRET);

	if (op != NULL) {
		op->number = id;
		op->now = until;
		op->due = due;
	}
}

void
unit_use_secret(struct unit *unit, uint64_t id, int64_t now)
{
	struct op *op = add(unit, OP_USE_SECRET);

	if (op != NULL) {
		op->number = id;
		op->now = now;
	}
}

void
unit_need_secret(struct unit *unit, uint64_t id)
{
	struct op *op = add(unit, OP_NEED_SECRET);

	if (op != NULL) {
		op->number = id;
	}
}

void
unit_release_secret(struct unit *unit, uint64_t id, bool give_back)
{
	struct op *op = add(unit, OP_RELEASE_SECRET);

	if (op != NULL) {
		op->number = id;
		op->give_back = give_back;
	}
}

void
unit_begin_inventory(struct unit *unit, uint64_t generation, int64_t now)
{
	struct op *op = add(unit, OP_BEGIN_INVENTORY);

	if (op != NULL) {
		op->generation = generation;
		op->now = now;
	}
}

/* The check looks at what is stored before the unit. */
static void
refuse_same_device(struct unit *unit)
{
	const struct op *op = &unit->ops[unit->n - 1];

	for (size_t i = 0; i + 1 < unit->n && unit->error == 0; i++) {
		const struct op *other = &unit->ops[i];

		if (other->kind == OP_ADD_INVENTORY &&
		    (other->number == op->number ||
			bytes_equal(key_get0(&other->key), key_get0(&op->key)))) {
			fail(unit, CMPD_EEXIST);
		}
	}
}

void
unit_add_inventory(struct unit *unit, const struct inventory *row, int64_t now)
{
	struct op *op = add(unit, OP_ADD_INVENTORY);

	if (op == NULL) {
		return;
	}
	op->generation = row->generation;
	op->number = row->number;
	op->now = now;
	finish_record(unit, op, RECORD_INVENTORY, record_put_inventory(&unit->data, row));
	if (unit->error == 0) {
		op->key = inventory_index_key(row->generation, op->new.ident);
		refuse_same_device(unit);
	}
}

void
unit_finish_inventory(struct unit *unit, uint64_t generation, uint64_t rows, int64_t now)
{
	struct op *op = add(unit, OP_FINISH_INVENTORY);

	if (op != NULL) {
		op->generation = generation;
		op->number = rows;
		op->now = now;
	}
}

void
unit_drop_inventory(struct unit *unit, uint64_t generation, uint64_t number)
{
	struct op *op = add(unit, OP_DROP_INVENTORY);

	if (op != NULL) {
		op->generation = generation;
		op->number = number;
	}
}

void
unit_purge_inventory(struct unit *unit, int64_t abandoned_before)
{
	struct op *op = add(unit, OP_PURGE_INVENTORY);

	if (op != NULL) {
		op->now = abandoned_before;
	}
}
