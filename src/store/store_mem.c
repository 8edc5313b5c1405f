#include <stdlib.h>
#include <string.h>

#include "store/internal.h"

/*
 * Each table is an array of items sorted by key. One lock: readers hold it for a call, the
 * committer for a batch. What a batch replaces is kept in a journal, so that it can be undone.
 */

struct item {
	size_t key_len, value_len;
	uint8_t data[]; /* key, value */
};

struct mem_table {
	struct item **items;
	size_t n, size;
};

/* How it was before: old NULL: there was no such key. */
struct undo {
	struct undo *next;
	enum table table;
	struct key key;
	struct item *old;
};

struct mem {
	pthread_rwlock_t lock;
	struct mem_table tables[TABLES];
	struct undo *journal; /* newest first */
	uint64_t used;
};

static struct bytes
item_key(const struct item *item)
{
	return bytes_of(item->data, item->key_len);
}

static struct bytes
item_value(const struct item *item)
{
	return bytes_of(item->data + item->key_len, item->value_len);
}

static void
item_free(struct item *item)
{
	if (item != NULL) {
		explicit_bzero(item->data, item->key_len + item->value_len);
		free(item);
	}
}

static struct mem *
mem_of(const struct view *view)
{
	return view->store->state;
}

/* The place of the first item whose key is not before key. */
static size_t
find(const struct mem_table *table, struct bytes key, bool *ret_exact)
{
	size_t low = 0, high = table->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (bytes_compare(item_key(table->items[middle]), key) < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	*ret_exact = low < table->n && bytes_equal(item_key(table->items[low]), key);
	return low;
}

/* ---- changes ---- */

static int
make_room(struct mem_table *table)
{
	size_t size = table->size == 0 ? 64 : table->size * 2;
	struct item **items;

	if (table->n < table->size) {
		return 0;
	}
	items = realloc(table->items, size * sizeof(struct item *));
	if (items == NULL) {
		return CMPD_ENOMEM;
	}
	table->items = items;
	table->size = size;
	return 0;
}

/* Puts item (NULL: nothing) where key is and returns what was there. There is room. */
static struct item *
replace(struct mem *mem, enum table t, struct bytes key, struct item *item)
{
	struct mem_table *table = &mem->tables[t];
	struct item *old = NULL;
	bool exact;
	size_t at = find(table, key, &exact);
	struct item **slot = table->items + at;

	if (exact) {
		old = *slot;
		mem->used -= old->key_len + old->value_len;
	}
	if (item != NULL) {
		mem->used += item->key_len + item->value_len;
	}
	if (exact && item != NULL) {
		*slot = item;
	} else if (exact) {
		memmove(slot, slot + 1, (table->n - at - 1) * sizeof(struct item *));
		table->n--;
	} else if (item != NULL) {
		memmove(slot + 1, slot, (table->n - at) * sizeof(struct item *));
		*slot = item;
		table->n++;
	}
	return old;
}

static struct undo *
undo_new(struct mem *mem, enum table table, struct bytes key)
{
	struct undo *undo = calloc(1, sizeof(*undo));

	if (undo != NULL) {
		undo->table = table;
		undo->key = key_bytes(key.data, key.len);
		undo->next = mem->journal;
		mem->journal = undo;
	}
	return undo;
}

static int
mem_put(struct view *view, enum table t, struct bytes key, struct bytes value, bool append)
{
	struct mem *mem = mem_of(view);
	struct item *item = malloc(sizeof(*item) + key.len + value.len);
	struct undo *undo;

	(void)append;
	if (item == NULL || make_room(&mem->tables[t]) != 0) {
		free(item);
		return CMPD_ENOMEM;
	}
	item->key_len = key.len;
	item->value_len = value.len;
	memcpy(item->data, key.data, key.len);
	if (value.len > 0) {
		memcpy(item->data + key.len, value.data, value.len);
	}
	undo = undo_new(mem, t, key);
	if (undo == NULL) {
		item_free(item);
		return CMPD_ENOMEM;
	}
	undo->old = replace(mem, t, key, item);
	return 0;
}

static int
mem_del(struct view *view, enum table t, struct bytes key)
{
	struct mem *mem = mem_of(view);
	struct undo *undo;
	bool exact;

	find(&mem->tables[t], key, &exact);
	if (!exact) {
		return CMPD_ECORRUPT;
	}
	undo = undo_new(mem, t, key);
	if (undo == NULL) {
		return CMPD_ENOMEM;
	}
	undo->old = replace(mem, t, key, NULL);
	return 0;
}

static int
mem_write_begin(struct view *view)
{
	pthread_rwlock_wrlock(&mem_of(view)->lock);
	return 0;
}

static int
mem_write_commit(struct view *view)
{
	struct mem *mem = mem_of(view);

	while (mem->journal != NULL) {
		struct undo *undo = mem->journal;

		mem->journal = undo->next;
		item_free(undo->old);
		free(undo);
	}
	pthread_rwlock_unlock(&mem->lock);
	return 0;
}

static void
mem_write_abort(struct view *view)
{
	struct mem *mem = mem_of(view);

	while (mem->journal != NULL) {
		struct undo *undo = mem->journal;

		mem->journal = undo->next;
		/* Room is never given back: putting an old item where it was cannot fail. */
		item_free(replace(mem, undo->table, key_get0(&undo->key), undo->old));
		free(undo);
	}
	pthread_rwlock_unlock(&mem->lock);
}

/* ---- reads ---- */

static int
mem_reader_open(struct view *view)
{
	(void)view;
	return 0;
}

static void
mem_reader_close(struct view *view)
{
	(void)view;
}

static int
mem_read_begin(struct view *view)
{
	pthread_rwlock_rdlock(&mem_of(view)->lock);
	return 0;
}

static void
mem_read_end(struct view *view)
{
	pthread_rwlock_unlock(&mem_of(view)->lock);
}

static int
mem_get(struct view *view, enum table t, struct bytes key, struct bytes *ret)
{
	const struct mem_table *table = &mem_of(view)->tables[t];
	bool exact;
	size_t at = find(table, key, &exact);

	if (!exact) {
		return CMPD_ENOENT;
	}
	*ret = item_value(table->items[at]);
	return 0;
}

static int
mem_each(struct view *view, enum table t, struct bytes from, struct visitor *visitor)
{
	const struct mem_table *table = &mem_of(view)->tables[t];
	bool exact;
	int error = 0;

	for (size_t i = find(table, from, &exact); i < table->n && error == 0; i++) {
		error =
		    visitor->visit(visitor, item_key(table->items[i]), item_value(table->items[i]));
	}
	return error > 0 ? 0 : error;
}

/* ---- the whole ---- */

static void
mem_close(struct store *store)
{
	struct mem *mem = store->state;

	for (int t = 0; t < TABLES; t++) {
		for (size_t i = 0; i < mem->tables[t].n; i++) {
			item_free(mem->tables[t].items[i]);
		}
		free(mem->tables[t].items);
	}
	pthread_rwlock_destroy(&mem->lock);
	free(mem);
	store->state = NULL;
}

static int
mem_open(struct store *store, const struct store_options *options, struct diag *diag)
{
	struct view view = {.store = store};
	pthread_rwlockattr_t attr;
	struct mem *mem = calloc(1, sizeof(*mem));
	int error;

	(void)options;
	if (mem == NULL) {
		return diag_set(diag, CMPD_ENOMEM, "%s", cmpd_strerror(CMPD_ENOMEM));
	}
	pthread_rwlockattr_init(&attr);
	/* Otherwise readers that follow each other closely keep the committer out. */
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&mem->lock, &attr);
	pthread_rwlockattr_destroy(&attr);
	store->state = mem;
	error = mem_write_begin(&view);
	if (error == 0) {
		error = meta_create(&view, &store->seal);
	}
	if (error != 0) {
		mem_write_abort(&view);
		mem_close(store);
		return diag_set(diag, error, "%s", cmpd_strerror(error));
	}
	return mem_write_commit(&view);
}

static int
mem_check(const struct store_options *options, const struct seal *seal, struct diag *diag)
{
	(void)options;
	(void)seal;
	(void)diag;
	return 0;
}

static enum space
mem_space(struct store *store)
{
	(void)store;
	return SPACE_PLENTY;
}

static void
mem_tick(struct store *store)
{
	(void)store;
}

static void
mem_usage(struct store *store, uint64_t *ret_used, uint64_t *ret_map)
{
	struct mem *mem = store->state;

	pthread_rwlock_rdlock(&mem->lock);
	*ret_used = mem->used;
	pthread_rwlock_unlock(&mem->lock);
	*ret_map = 0;
}

static int
mem_backup(struct store *store, const char *file, struct diag *diag)
{
	(void)store;
	(void)file;
	return diag_set(diag, CMPD_EINVAL, "a store in memory has no backup");
}

const struct backend backend_mem = {
    .open = mem_open,
    .check = mem_check,
    .close = mem_close,
    .reader_open = mem_reader_open,
    .reader_close = mem_reader_close,
    .read_begin = mem_read_begin,
    .read_end = mem_read_end,
    .write_begin = mem_write_begin,
    .write_commit = mem_write_commit,
    .write_abort = mem_write_abort,
    .get = mem_get,
    .put = mem_put,
    .del = mem_del,
    .each = mem_each,
    .space = mem_space,
    .tick = mem_tick,
    .usage = mem_usage,
    .backup = mem_backup,
};
