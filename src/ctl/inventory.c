/*
 * Commands on the inventory: a new one is begun, filled page by page and ended, and counts from then on; list, show, remove.
 */
#include <string.h>

#include "base/pool.h"
#include "ctl/handlers.h"
#include "ctl/inventory_row.h"
#include "enrol/desk.h"
#include "store/store.h"

#define ROWS_MAX  1000 /* of one request */
#define MATCH_MAX 100

int
ctl_inventory_begin(struct ctl_context *context, json_t **ret_data)
{
	struct desk *desk = context->desk;
	struct inventory_state state;
	struct ctl_object object;
	int r = store_inventory_state(desk->reader, &state);

	if (r < 0) {
		return r;
	}
	unit_begin_inventory(desk->unit, state.last + 1, desk->now);
	ctl_object_init(&object);
	ctl_object_integer(&object, "generation", (int64_t)state.last + 1);
	*ret_data = ctl_object_end(&object);
	return *ret_data ? 0 : CMPD_ENOMEM;
}

/* Is this generation still the one that is being loaded? */
static int
check_staging(struct ctl_context *context, struct inventory_state *ret)
{
	int r = store_inventory_state(context->desk->reader, ret);

	if (r < 0) {
		return r;
	}
	return (int64_t)ret->staging == ctl_arg_integer(context, "generation", 0)
		   ? 0
		   : diag_set(&context->diag, CMPD_ESTATE,
			 "another load has begun since, or this one was given up");
}

/* Of two rows about one device the second is wrong, wherever the first stands. */
static int
check_same(struct ctl_context *context, const struct inventory *row, size_t n,
    uint8_t (*ids)[INVENTORY_ID_SIZE], const struct inventory *before)
{
	struct inventory found;
	int r = store_inventory_id(row->serial, row->subject, row->issuer, ids[n]);

	for (size_t i = 0; r == 0 && i < n; i++) {
		if (memcmp(ids[i], ids[n], INVENTORY_ID_SIZE) == 0) {
			return diag_set(&context->diag, CMPD_EFORMAT,
			    "line %llu: the same device as in line %llu",
			    (unsigned long long)row->number, (unsigned long long)before[i].number);
		}
	}
	if (r == 0) {
		r = store_inventory_get(context->desk->reader, context->desk->pool, row->generation,
		    ids[n], &found);
	}
	if (r == 0) {
		return diag_set(&context->diag, CMPD_EFORMAT,
		    "line %llu: the same device as in line %llu", (unsigned long long)row->number,
		    (unsigned long long)found.number);
	}
	return r == CMPD_ENOENT ? 0 : r;
}

int
ctl_inventory_add(struct ctl_context *context, json_t **ret_data)
{
	struct desk *desk = context->desk;
	const json_t *list = ctl_arg_array(context, "rows");
	size_t n = json_array_size(list);
	struct inventory *rows = pool_alloc(desk->pool, (n + 1) * sizeof(*rows));
	uint8_t(*ids)[INVENTORY_ID_SIZE] = pool_alloc(desk->pool, (n + 1) * sizeof(*ids));
	struct inventory_state state;
	struct ctl_object object;
	int r;

	if (!rows || !ids) {
		return CMPD_ENOMEM;
	}
	if (n > ROWS_MAX) {
		return diag_set(&context->diag, CMPD_EINVAL, "rows: at most %d", ROWS_MAX);
	}
	r = check_staging(context, &state);
	for (size_t i = 0; r == 0 && i < n; i++) {
		r = inventory_row_parse(context, json_array_get(list, i), &rows[i]);
		rows[i].generation = state.staging;
		if (r == 0) {
			r = check_same(context, &rows[i], i, ids, rows);
		}
		if (r == 0) {
			unit_add_inventory(desk->unit, &rows[i], desk->now);
		}
	}
	if (r < 0) {
		return r;
	}
	ctl_object_init(&object);
	ctl_object_integer(&object, "rows", (int64_t)(state.staged + n));
	*ret_data = ctl_object_end(&object);
	return *ret_data ? 0 : CMPD_ENOMEM;
}

int
ctl_inventory_end(struct ctl_context *context, json_t **ret_data)
{
	struct desk *desk = context->desk;
	struct inventory_state state;
	struct ctl_object object;
	const char *words;
	int r = check_staging(context, &state);

	if (r < 0) {
		return r;
	}
	if ((int64_t)state.staged != ctl_arg_integer(context, "rows", -1)) {
		return diag_set(&context->diag, CMPD_ESTATE, "%llu rows have come, not %lld",
		    (unsigned long long)state.staged,
		    (long long)ctl_arg_integer(context, "rows", -1));
	}
	words = pool_printf(desk->pool, "%llu rows", (unsigned long long)state.staged);
	if (!words) {
		return CMPD_ENOMEM;
	}
	unit_finish_inventory(desk->unit, state.staging, state.staged, desk->now);
	unit_audit(desk->unit, desk->now, context->actor, "inventory.loaded", NULL, words);
	ctl_object_init(&object);
	ctl_object_integer(&object, "rows", (int64_t)state.staged);
	ctl_object_integer(&object, "rows_before", (int64_t)state.rows);
	ctl_object_time(&object, "loaded", desk->now);
	*ret_data = ctl_object_end(&object);
	return *ret_data ? 0 : CMPD_ENOMEM;
}

static int
rows_json(const struct inventory *rows, size_t n, json_t **ret)
{
	json_t *items = json_array();
	int r = items ? 0 : CMPD_ENOMEM;

	for (size_t i = 0; r == 0 && i < n; i++) {
		struct ctl_object object;

		ctl_object_init(&object);
		inventory_row_put(&object, &rows[i]);
		r = ctl_object_append(&object, items);
		ctl_object_fini(&object);
	}
	if (r < 0) {
		json_decref(items);
		return r;
	}
	*ret = items;
	return 0;
}

int
ctl_inventory_list(struct ctl_context *context, json_t **ret_data)
{
	struct desk *desk = context->desk;
	struct inventory *rows = NULL;
	json_t *items = NULL;
	uint64_t next = 0;
	size_t n = 0;
	int r = store_inventory_list(desk->reader, desk->pool,
	    (uint64_t)ctl_arg_integer(context, "after", 0), ctl_arg_limit(context), &rows, &n,
	    &next);

	if (r == 0) {
		r = rows_json(rows, n, &items);
	}
	if (r < 0) {
		return r;
	}
	*ret_data = ctl_page_new(items, next);
	return *ret_data ? 0 : CMPD_ENOMEM;
}

/* All rows that key means: "/..." is a subject, anything else a serial. */
static int
find(struct ctl_context *context, struct inventory **ret, size_t *ret_n)
{
	const char *key = ctl_arg_string(context, "key"), *subject = NULL, *issuer = NULL;
	const char *wanted = ctl_arg_string(context, "issuer");
	struct bytes serial = BYTES_NONE;
	struct inventory *rows = NULL;
	size_t n = 0, kept = 0;
	int r = key[0] == '/' ? inventory_name_parse(context, key, &subject)
			      : inventory_serial_parse(context, key, &serial);

	if (r == 0 && wanted) {
		r = inventory_name_parse(context, wanted, &issuer);
	}
	if (r < 0) {
		return r == CMPD_EFORMAT ? diag_set(&context->diag, CMPD_EINVAL,
					       "a serial in hex or a name such as /O=x/CN=y is "
					       "wanted")
					 : r;
	}
	r = store_inventory_match(context->desk->reader, context->desk->pool, serial, subject,
	    MATCH_MAX, &rows, &n);
	if (r < 0) {
		return r;
	}
	for (size_t i = 0; i < n; i++) {
		if (!issuer || (rows[i].issuer && strcmp(rows[i].issuer, issuer) == 0)) {
			rows[kept++] = rows[i];
		}
	}
	if (kept == 0) {
		return diag_set(&context->diag, CMPD_ENOENT,
		    "the inventory has no row with this %s", subject ? "subject" : "serial");
	}
	*ret = rows;
	*ret_n = kept;
	return 0;
}

int
ctl_inventory_show(struct ctl_context *context, json_t **ret_data)
{
	struct inventory *rows = NULL;
	json_t *items = NULL;
	size_t n = 0;
	int r = find(context, &rows, &n);

	if (r == 0) {
		r = rows_json(rows, n, &items);
	}
	if (r < 0) {
		return r;
	}
	*ret_data = ctl_page_new(items, 0);
	return *ret_data ? 0 : CMPD_ENOMEM;
}

int
ctl_inventory_remove(struct ctl_context *context, json_t **ret_data)
{
	struct desk *desk = context->desk;
	struct inventory *rows = NULL;
	struct ctl_object object;
	size_t n = 0;
	int r = find(context, &rows, &n);

	if (r < 0) {
		return r;
	}
	if (n > 1) {
		return diag_set(&context->diag, CMPD_EINVAL,
		    "%zu rows, of different issuers: name the issuer", n);
	}
	unit_drop_inventory(desk->unit, rows[0].generation, rows[0].number);
	unit_audit(desk->unit, desk->now, context->actor, "inventory.removed", NULL,
	    ctl_arg_string(context, "key"));
	ctl_object_init(&object);
	inventory_row_put(&object, &rows[0]);
	*ret_data = ctl_object_end(&object);
	return *ret_data ? 0 : CMPD_ENOMEM;
}
