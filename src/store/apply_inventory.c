#include <string.h>

#include "store/inventory.h"

/* ---- conditions ---- */

static int
check_add(struct apply *a, const struct op *op, const struct inventory_state *state)
{
	struct key row = inventory_row_key(op->generation, op->number);
	struct bytes value;
	int error;

	if (state->staging != op->generation) {
		return CMPD_ECONFLICT;
	}
	error = a->store->backend->get(a->view, TABLE_INVENTORY_ID, key_get0(&op->key), &value);
	if (error == CMPD_ENOENT) {
		error = a->store->backend->get(a->view, TABLE_INVENTORY, key_get0(&row), &value);
	}
	return error == CMPD_ENOENT ? 0 : error == 0 ? CMPD_EEXIST : error;
}

static int
check_drop(struct apply *a, struct op *op, const struct inventory_state *state)
{
	struct key row = inventory_row_key(op->generation, op->number);
	struct bytes value;
	int error;

	if (state->generation != op->generation) {
		return CMPD_ECONFLICT;
	}
	error = a->store->backend->get(a->view, TABLE_INVENTORY, key_get0(&row), &value);
	if (error != 0) {
		return error == CMPD_ENOENT ? CMPD_ECONFLICT : error;
	}
	return record_get_head(value, RECORD_INVENTORY, &op->old);
}

int
apply_check_inventory(struct apply *a, struct op *op)
{
	struct inventory_state state;
	int error = inventory_state_get(a->view, &state);

	if (error != 0) {
		return error;
	}
	switch (op->kind) {
	case OP_BEGIN_INVENTORY:
		return state.last + 1 == op->generation ? 0 : CMPD_ECONFLICT;
	case OP_ADD_INVENTORY:
		return check_add(a, op, &state);
	case OP_FINISH_INVENTORY:
		return state.staging != op->generation ? CMPD_ECONFLICT
		       : state.staged != op->number    ? CMPD_ESTATE
						       : 0;
	case OP_DROP_INVENTORY:
		return check_drop(a, op, &state);
	default:
		return 0;
	}
}

/* ---- writes ---- */

static int
state_put(struct view *view, const struct inventory_state *state)
{
	struct key value = key_u64(state->last);

	key_add_u64(&value, state->generation);
	key_add_u64(&value, state->rows);
	key_add_u64(&value, (uint64_t)state->loaded);
	key_add_u64(&value, state->staging);
	key_add_u64(&value, state->staged);
	key_add_u64(&value, (uint64_t)state->touched);
	return view->store->backend->put(view, TABLE_META, bytes_str(META_INVENTORY),
	    key_get0(&value), false);
}

static int
write_add(struct apply *a, struct op *op, struct inventory_state *state)
{
	const struct backend *backend = a->store->backend;
	struct key row = inventory_row_key(op->generation, op->number);
	struct key number = key_u64(op->number);
	int error =
	    backend->put(a->view, TABLE_INVENTORY, key_get0(&row), op_bytes(a->unit, op), false);

	if (error == 0) {
		error = backend->put(a->view, TABLE_INVENTORY_ID, key_get0(&op->key),
		    key_get0(&number), false);
	}
	state->staged++;
	state->touched = op->now;
	return error;
}

static int
drop_row(struct apply *a, uint64_t generation, uint64_t number, const struct record_head *head)
{
	struct key row = inventory_row_key(generation, number), id;
	int error;

	if (head->ident_len != INVENTORY_ID_SIZE) {
		return CMPD_ECORRUPT;
	}
	id = inventory_index_key(generation, head->ident);
	error = a->store->backend->del(a->view, TABLE_INVENTORY, key_get0(&row));
	return error != 0 ? error
			  : a->store->backend->del(a->view, TABLE_INVENTORY_ID, key_get0(&id));
}

/* Rows to drop, gathered first: a table is not changed while it is walked. */
struct garbage {
	struct visitor visitor;
	const struct inventory_state *state;
	size_t n;
	uint64_t next; /* the generation to look at next; 0: nothing is left */
	struct {
		uint64_t generation, number;
		struct record_head head;
	} rows[INVENTORY_SLICE];
};

static int
visit_garbage(struct visitor *visitor, struct bytes key, struct bytes value)
{
	struct garbage *g = (struct garbage *)(void *)visitor;
	uint64_t generation, number;

	if (key.len != 16 || key_to_u64(bytes_of(key.data, 8), &generation) != 0 ||
	    key_to_u64(bytes_of(key.data + 8, 8), &number) != 0) {
		return CMPD_ECORRUPT;
	}
	if (generation == g->state->generation || generation == g->state->staging) {
		g->next = generation + 1;
		return 1;
	}
	if (g->n == INVENTORY_SLICE) {
		return 1;
	}
	g->rows[g->n].generation = generation;
	g->rows[g->n].number = number;
	return record_get_head(value, RECORD_INVENTORY, &g->rows[g->n++].head);
}

static int
write_purge(struct apply *a, const struct op *op, struct inventory_state *state)
{
	struct garbage *g = pool_alloc(a->store->pool, sizeof(*g));
	int error = 0;

	if (g == NULL) {
		return CMPD_ENOMEM;
	}
	if (state->staging != 0 && state->touched < op->now) {
		state->staging = state->staged = 0;
	}
	g->visitor.visit = visit_garbage;
	g->state = state;
	g->next = 1;
	while (error == 0 && g->next != 0 && g->n < INVENTORY_SLICE) {
		struct key key = key_u64(g->next);

		g->next = 0;
		error =
		    a->store->backend->each(a->view, TABLE_INVENTORY, key_get0(&key), &g->visitor);
	}
	for (size_t i = 0; error == 0 && i < g->n; i++) {
		error = drop_row(a, g->rows[i].generation, g->rows[i].number, &g->rows[i].head);
	}
	return error;
}

static int
write_op(struct apply *a, struct op *op, struct inventory_state *state)
{
	switch (op->kind) {
	case OP_BEGIN_INVENTORY:
		state->last = state->staging = op->generation;
		state->staged = 0;
		state->touched = op->now;
		return 0;
	case OP_ADD_INVENTORY:
		return write_add(a, op, state);
	case OP_FINISH_INVENTORY:
		state->generation = op->generation;
		state->rows = state->staged;
		state->loaded = op->now;
		state->staging = state->staged = 0;
		return 0;
	case OP_DROP_INVENTORY:
		state->rows--;
		return drop_row(a, op->generation, op->number, &op->old);
	case OP_PURGE_INVENTORY:
		return write_purge(a, op, state);
	default:
		return CMPD_EINVAL;
	}
}

/* One state for all of them: it is read before the first and written behind the last. */
int
apply_write_inventory(struct apply *a)
{
	struct inventory_state state;
	bool changed = false;
	int error = 0;

	for (size_t i = 0; error == 0 && i < a->unit->n; i++) {
		if (!op_is_inventory(a->unit->ops[i].kind)) {
			continue;
		}
		error = changed ? 0 : inventory_state_get(a->view, &state);
		if (error == 0) {
			error = write_op(a, &a->unit->ops[i], &state);
		}
		changed = true;
	}
	return error == 0 && changed ? state_put(a->view, &state) : error;
}
