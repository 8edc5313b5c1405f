#include "store/inventory.h"

#include <string.h>

#include "store/reading.h"

/* Half of an id says which device, half which issuer. */
#define HALF DIGEST_SIZE

#define LIST_MAX 1000u

/* ---- bytes ---- */

struct key
inventory_row_key(uint64_t generation, uint64_t number)
{
	struct key key = key_u64(generation);

	key_add_u64(&key, number);
	return key;
}

struct key
inventory_index_key(uint64_t generation, const uint8_t id[INVENTORY_ID_SIZE])
{
	struct key key = key_u64(generation);

	key_add(&key, id, INVENTORY_ID_SIZE);
	return key;
}

int
inventory_state_get(struct view *view, struct inventory_state *ret)
{
	struct inventory_state state;
	struct bytes value;
	struct reader in;
	int error = view->store->backend->get(view, TABLE_META, bytes_str(META_INVENTORY), &value);

	if (error == CMPD_ENOENT) {
		*ret = (struct inventory_state){.generation = 0};
		return 0;
	}
	if (error != 0) {
		return error;
	}
	reader_init(&in, value);
	state.last = reader_u64(&in);
	state.generation = reader_u64(&in);
	state.rows = reader_u64(&in);
	state.loaded = (int64_t)reader_u64(&in);
	state.staging = reader_u64(&in);
	state.staged = reader_u64(&in);
	state.touched = (int64_t)reader_u64(&in);
	if (reader_end(&in) != 0) {
		return CMPD_ECORRUPT;
	}
	*ret = state;
	return 0;
}

/* One half of an id: kind says what text is; absent: zeros. */
static int
half(char kind, struct bytes text, uint8_t ret[HALF])
{
	struct buf in;
	int error;

	if (text.data == NULL) {
		memset(ret, 0, HALF);
		return 0;
	}
	buf_init(&in, 1 << 20);
	buf_put_u8(&in, (uint8_t)kind);
	buf_put_bytes(&in, text);
	error = buf_error(&in);
	if (error == 0) {
		error = digest_sha256(buf_get0(&in), ret);
	}
	buf_fini(&in);
	return error;
}

static struct bytes
text_bytes(const char *text)
{
	return text == NULL ? BYTES_NONE : bytes_str(text);
}

int
store_inventory_id(struct bytes serial, const char *subject, const char *issuer,
    uint8_t ret[INVENTORY_ID_SIZE])
{
	int error;

	if (serial.data == NULL && subject == NULL) {
		return CMPD_EINVAL;
	}
	error = serial.data != NULL ? half('S', serial, ret) : half('N', text_bytes(subject), ret);
	return error != 0 ? error : half('I', text_bytes(issuer), ret + HALF);
}

/* ---- reads ---- */

static int
take(struct pool *pool, struct bytes value, struct inventory *ret)
{
	value = pool_bytes(pool, value);
	return value.data == NULL ? CMPD_ENOMEM : record_get_inventory(value, pool, ret);
}

/* The row with that id in that generation. */
static int
get_row(struct view *view, struct pool *pool, uint64_t generation,
    const uint8_t id[INVENTORY_ID_SIZE], struct inventory *ret)
{
	const struct backend *backend = view->store->backend;
	struct key key = inventory_index_key(generation, id);
	struct bytes value;
	uint64_t number;
	int error = backend->get(view, TABLE_INVENTORY_ID, key_get0(&key), &value);

	if (error == 0) {
		error = key_to_u64(value, &number);
	}
	if (error != 0) {
		return error;
	}
	key = inventory_row_key(generation, number);
	error = backend->get(view, TABLE_INVENTORY, key_get0(&key), &value);
	if (error != 0) {
		return error == CMPD_ENOENT ? CMPD_ECORRUPT : error;
	}
	return take(pool, value, ret);
}

int
store_inventory_state(struct store_reader *reader, struct inventory_state *ret)
{
	int error = read_begin(reader);

	return error != 0 ? error : read_end(reader, inventory_state_get(&reader->view, ret));
}

int
store_inventory_get(struct store_reader *reader, struct pool *pool, uint64_t generation,
    const uint8_t id[INVENTORY_ID_SIZE], struct inventory *ret)
{
	int error = read_begin(reader);

	return error != 0 ? error
			  : read_end(reader, get_row(&reader->view, pool, generation, id, ret));
}

int
store_inventory_find(struct store_reader *reader, struct pool *pool, struct bytes serial,
    const char *subject, const char *issuer, struct inventory *ret)
{
	uint8_t ids[4][INVENTORY_ID_SIZE];
	struct inventory_state state;
	int error = store_inventory_id(serial, NULL, issuer, ids[0]);

	if (error == 0) {
		error = store_inventory_id(serial, NULL, NULL, ids[1]);
	}
	if (error == 0) {
		error = store_inventory_id(BYTES_NONE, subject, issuer, ids[2]);
	}
	if (error == 0) {
		error = store_inventory_id(BYTES_NONE, subject, NULL, ids[3]);
	}
	if (error == 0) {
		error = read_begin(reader);
	}
	if (error != 0) {
		return error;
	}
	error = inventory_state_get(&reader->view, &state);
	if (error == 0) {
		error = CMPD_ENOENT;
	}
	for (size_t i = 0; i < 4 && error == CMPD_ENOENT; i++) {
		error = get_row(&reader->view, pool, state.generation, ids[i], ret);
	}
	return read_end(reader, error);
}

struct row_visitor {
	struct visitor visitor;
	struct store_reader *reader;
	struct pool *pool;
	struct key prefix;
	size_t limit, n;
	struct inventory *items;
	bool more;
};

static bool
begins(const struct row_visitor *v, struct bytes key)
{
	return key.len >= v->prefix.len && memcmp(key.data, v->prefix.data, v->prefix.len) == 0;
}

static int
visit_row(struct visitor *visitor, struct bytes key, struct bytes value)
{
	struct row_visitor *v = (struct row_visitor *)(void *)visitor;
	int error;

	if (!begins(v, key)) {
		return 1;
	}
	if (v->n == v->limit) {
		v->more = true;
		return 1;
	}
	error = take(v->pool, value, &v->items[v->n]);
	v->n += error == 0;
	return error;
}

static int
visit_index(struct visitor *visitor, struct bytes key, struct bytes value)
{
	struct row_visitor *v = (struct row_visitor *)(void *)visitor;
	struct bytes record;
	struct key row;
	uint64_t number;
	int error;

	if (!begins(v, key) || v->n == v->limit) {
		return 1;
	}
	error = key_to_u64(value, &number);
	if (error != 0) {
		return error;
	}
	row = key_bytes(v->prefix.data, 8);
	key_add_u64(&row, number);
	error = v->reader->view.store->backend->get(&v->reader->view, TABLE_INVENTORY,
	    key_get0(&row), &record);
	if (error == 0) {
		error = take(v->pool, record, &v->items[v->n]);
	}
	v->n += error == 0;
	return error == CMPD_ENOENT ? CMPD_ECORRUPT : error;
}

static int
rows_begin(struct row_visitor *v, struct inventory_state *ret)
{
	int error;

	v->limit = v->limit < LIST_MAX ? v->limit : LIST_MAX;
	v->items = pool_alloc(v->pool, (v->limit + 1) * sizeof(*v->items));
	if (v->items == NULL) {
		return CMPD_ENOMEM;
	}
	error = read_begin(v->reader);
	if (error != 0) {
		return error;
	}
	error = inventory_state_get(&v->reader->view, ret);
	return error != 0 ? read_end(v->reader, error) : 0;
}

int
store_inventory_list(struct store_reader *reader, struct pool *pool, uint64_t after, size_t limit,
    struct inventory **ret, size_t *ret_n, uint64_t *ret_after)
{
	struct row_visitor v = {
	    .visitor = {visit_row}, .reader = reader, .pool = pool, .limit = limit};
	struct inventory_state state;
	struct key from;
	int error = rows_begin(&v, &state);

	if (error != 0) {
		return error;
	}
	v.prefix = key_u64(state.generation);
	from = inventory_row_key(state.generation, after + 1);
	if (after != UINT64_MAX) {
		error = reader->view.store->backend->each(&reader->view, TABLE_INVENTORY,
		    key_get0(&from), &v.visitor);
	}
	read_end(reader, 0);
	if (error == 0) {
		*ret = v.items;
		*ret_n = v.n;
		*ret_after = v.more && v.n > 0 ? v.items[v.n - 1].number : 0;
	}
	return error;
}

int
store_inventory_match(struct store_reader *reader, struct pool *pool, struct bytes serial,
    const char *subject, size_t limit, struct inventory **ret, size_t *ret_n)
{
	struct row_visitor v = {
	    .visitor = {visit_index}, .reader = reader, .pool = pool, .limit = limit};
	uint8_t id[INVENTORY_ID_SIZE];
	struct inventory_state state;
	int error = store_inventory_id(serial, subject, NULL, id);

	if (error == 0) {
		error = rows_begin(&v, &state);
	}
	if (error != 0) {
		return error;
	}
	v.prefix = key_u64(state.generation);
	key_add(&v.prefix, id, HALF);
	error = reader->view.store->backend->each(&reader->view, TABLE_INVENTORY_ID,
	    key_get0(&v.prefix), &v.visitor);
	read_end(reader, 0);
	if (error == 0) {
		*ret = v.items;
		*ret_n = v.n;
	}
	return error;
}

/* ---- what is left of earlier loads ---- */

struct first_visitor {
	struct visitor visitor;
	bool found;
	uint64_t generation;
};

static int
visit_first(struct visitor *visitor, struct bytes key, struct bytes value)
{
	struct first_visitor *v = (struct first_visitor *)(void *)visitor;

	(void)value;
	v->found = true;
	return key.len != 16						? CMPD_ECORRUPT
	       : key_to_u64(bytes_of(key.data, 8), &v->generation) != 0 ? CMPD_ECORRUPT
									: 1;
}

int
inventory_has_garbage(struct view *view, const struct inventory_state *state, bool *ret)
{
	uint64_t from = 0;

	*ret = false;
	/* Two generations may have rows: whatever comes before, between or behind them is garbage. */
	for (int i = 0; i < 3 && !*ret; i++) {
		struct first_visitor v = {.visitor = {visit_first}};
		struct key key = key_u64(from);
		int error =
		    view->store->backend->each(view, TABLE_INVENTORY, key_get0(&key), &v.visitor);

		if (error != 0 || !v.found) {
			return error;
		}
		*ret = v.generation != state->generation && v.generation != state->staging;
		from = v.generation + 1;
	}
	return 0;
}

int
store_inventory_garbage(struct store_reader *reader, int64_t abandoned_before, bool *ret)
{
	struct inventory_state state;
	int error = read_begin(reader);

	if (error != 0) {
		return error;
	}
	error = inventory_state_get(&reader->view, &state);
	if (error == 0 && state.staging != 0 && state.touched < abandoned_before) {
		*ret = true;
		return read_end(reader, 0);
	}
	if (error == 0) {
		error = inventory_has_garbage(&reader->view, &state, ret);
	}
	return read_end(reader, error);
}
