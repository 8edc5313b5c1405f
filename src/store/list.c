#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "store/internal.h"

/* One call looks at no more: a list must not hold a reader's view for long. */
#define LOOK_MAX 1000u

/* A walk over numbered records. */
struct page {
	struct visitor visitor;
	struct store_reader *reader;
	struct pool *pool;
	size_t limit;
	size_t looked;
	uint64_t last; /* the number looked at last */
	bool more;
	uint8_t *items; /* in pool */
	size_t item_size;
	size_t n;
	/* 0: taken as items[n]; 1: does not fit the filter; negative: error. */
	int (*take)(struct page *page, struct bytes record, void *ret_item);
	const struct entry_filter *filter;
	int status;
};

static struct backend const *
backend_of(const struct page *page)
{
	return page->reader->view.store->backend;
}

static int
page_begin(struct page *page, size_t item_size)
{
	if (page->limit > LOOK_MAX) {
		page->limit = LOOK_MAX;
	}
	page->item_size = item_size;
	page->items = pool_alloc(page->pool, (page->limit + 1) * item_size);
	return page->items == NULL ? CMPD_ENOMEM
				   : backend_of(page)->read_begin(&page->reader->view);
}

static int
page_end(struct page *page, int error, void *ret, size_t *ret_n, uint64_t *ret_after)
{
	backend_of(page)->read_end(&page->reader->view);
	if (error == 0) {
		memcpy(ret, &page->items, sizeof(page->items));
		*ret_n = page->n;
		*ret_after = page->more ? page->last : 0;
	}
	return error;
}

/* 0: go on; 1: the page is full and there is more. */
static int
page_look(struct page *page, uint64_t number, struct bytes record)
{
	int taken;

	if (page->n == page->limit || page->looked == LOOK_MAX) {
		page->more = true;
		return 1;
	}
	taken = page->take(page, record, page->items + page->n * page->item_size);
	if (taken < 0) {
		return taken;
	}
	page->looked++;
	page->n += taken == 0;
	page->last = number;
	return 0;
}

static int
visit_record(struct visitor *visitor, struct bytes key, struct bytes value)
{
	struct page *page = (struct page *)(void *)visitor;
	uint64_t number;
	int error = key_to_u64(key, &number);

	return error != 0 ? error : page_look(page, number, value);
}

static int
walk(struct page *page, enum table table, uint64_t after)
{
	struct key from = key_u64(after + 1);

	if (after == UINT64_MAX) {
		return 0;
	}
	page->last = after;
	page->visitor.visit = visit_record;
	return backend_of(page)->each(&page->reader->view, table, key_get0(&from), &page->visitor);
}

/* ---- entries ---- */

static int
fits(const struct entry_filter *filter, struct bytes record, bool *ret)
{
	struct record_head head;
	const char *subject;
	int64_t received;
	int error = record_get_head(record, RECORD_ENTRY, &head);

	if (error == 0) {
		error = record_get_entry_brief(record, &received, &subject);
	}
	if (error != 0) {
		return error;
	}
	*ret = (filter->state < 0 || head.state == filter->state) &&
	       (filter->received_before == 0 || received < filter->received_before) &&
	       (filter->subject == NULL ||
		   fnmatch(filter->subject, subject == NULL ? "" : subject, 0) == 0);
	return 0;
}

static int
take_entry(struct page *page, struct bytes record, void *ret_item)
{
	bool fit = true;
	int error = page->filter == NULL ? 0 : fits(page->filter, record, &fit);

	if (error != 0 || !fit) {
		return error != 0 ? error : 1;
	}
	record = pool_bytes(page->pool, record);
	return record.data == NULL ? CMPD_ENOMEM : record_get_entry(record, page->pool, ret_item);
}

static int
look_at_entry(struct page *page, uint64_t number)
{
	struct key key = key_u64(number);
	struct bytes record;
	int error =
	    backend_of(page)->get(&page->reader->view, TABLE_ENTRY, key_get0(&key), &record);

	if (error != 0) {
		return error == CMPD_ENOENT ? CMPD_ECORRUPT : error;
	}
	return page_look(page, number, record);
}

static int
visit_state(struct visitor *visitor, struct bytes key, struct bytes value)
{
	struct page *page = (struct page *)(void *)visitor;
	uint64_t number;
	int error;

	(void)value;
	if (key.len != 9 || key.data[0] != page->filter->state) {
		return 1;
	}
	error = key_to_u64(bytes_of(key.data + 1, 8), &number);
	return error != 0 ? error : look_at_entry(page, number);
}

static int
walk_state(struct page *page, uint64_t after)
{
	struct key from = key_entry_state((unsigned int)page->filter->state, after + 1);

	if (after == UINT64_MAX) {
		return 0;
	}
	page->last = after;
	page->visitor.visit = visit_state;
	return backend_of(page)->each(&page->reader->view, TABLE_ENTRY_STATE, key_get0(&from),
	    &page->visitor);
}

/* The entries of one transaction stand in the order of their certReqIds: gather and sort. */
struct txn_visitor {
	struct visitor visitor;
	struct key prefix;
	size_t n;
	uint64_t numbers[LOOK_MAX];
};

static int
visit_txn(struct visitor *visitor, struct bytes key, struct bytes value)
{
	struct txn_visitor *v = (struct txn_visitor *)(void *)visitor;

	if (v->n == LOOK_MAX || key.len != v->prefix.len + 8 ||
	    memcmp(key.data, v->prefix.data, v->prefix.len) != 0) {
		return 1;
	}
	return key_to_u64(value, &v->numbers[v->n++]);
}

static int
compare_numbers(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static int
walk_txn(struct page *page, uint64_t after)
{
	struct txn_visitor v = {.visitor = {visit_txn}, .n = 0};
	uint8_t hash[DIGEST_SIZE];
	int error = record_txn_hash(page->filter->txn, hash);

	if (error == 0) {
		v.prefix = key_bytes(hash, sizeof(hash));
		error = backend_of(page)->each(&page->reader->view, TABLE_ENTRY_TXN,
		    key_get0(&v.prefix), &v.visitor);
	}
	qsort(v.numbers, v.n, sizeof(v.numbers[0]), compare_numbers);
	page->last = after;
	for (size_t i = 0; i < v.n && error == 0; i++) {
		if (v.numbers[i] > after) {
			error = look_at_entry(page, v.numbers[i]);
		}
	}
	return error > 0 ? 0 : error;
}

int
store_entry_list(struct store_reader *reader, struct pool *pool, const struct entry_filter *filter,
    uint64_t after, size_t limit, struct entry **ret, size_t *ret_n, uint64_t *ret_after)
{
	struct page page = {
	    .reader = reader, .pool = pool, .limit = limit, .take = take_entry, .filter = filter};
	int error = page_begin(&page, sizeof(struct entry));

	if (error != 0) {
		return error;
	}
	if (filter != NULL && filter->txn != NULL) {
		error = walk_txn(&page, after);
	} else if (filter != NULL && filter->state >= 0) {
		error = walk_state(&page, after);
	} else {
		error = walk(&page, TABLE_ENTRY, after);
	}
	return page_end(&page, error, ret, ret_n, ret_after);
}

/* ---- certificates, secrets, audit lines ---- */

static int
take_cert(struct page *page, struct bytes record, void *ret_item)
{
	struct record_head head;
	int error = record_get_head(record, RECORD_CERT, &head);

	if (error != 0 || (page->status >= 0 && head.state != page->status)) {
		return error != 0 ? error : 1;
	}
	record = pool_bytes(page->pool, record);
	return record.data == NULL ? CMPD_ENOMEM : record_get_cert(record, page->pool, ret_item);
}

int
store_cert_list(struct store_reader *reader, struct pool *pool, int status, uint64_t after,
    size_t limit, struct cert **ret, size_t *ret_n, uint64_t *ret_after)
{
	struct page page = {
	    .reader = reader, .pool = pool, .limit = limit, .take = take_cert, .status = status};
	int error = page_begin(&page, sizeof(struct cert));

	return error != 0 ? error
			  : page_end(&page, walk(&page, TABLE_CERT, after), ret, ret_n, ret_after);
}

static int
take_secret(struct page *page, struct bytes record, void *ret_item)
{
	struct secret *secret = ret_item;
	int error;

	record = pool_bytes(page->pool, record);
	if (record.data == NULL) {
		return CMPD_ENOMEM;
	}
	error = record_get_secret(record, page->pool, secret);
	if (error == 0) {
		secret->value = BYTES_NONE;
	}
	return error;
}

int
store_secret_list(struct store_reader *reader, struct pool *pool, uint64_t after, size_t limit,
    struct secret **ret, size_t *ret_n, uint64_t *ret_after)
{
	struct page page = {.reader = reader, .pool = pool, .limit = limit, .take = take_secret};
	int error = page_begin(&page, sizeof(struct secret));

	return error != 0
		   ? error
		   : page_end(&page, walk(&page, TABLE_SECRET, after), ret, ret_n, ret_after);
}

static int
take_audit(struct page *page, struct bytes record, void *ret_item)
{
	record = pool_bytes(page->pool, record);
	return record.data == NULL ? CMPD_ENOMEM : record_get_audit(record, page->pool, ret_item);
}

int
store_audit_list(struct store_reader *reader, struct pool *pool, uint64_t after, size_t limit,
    struct audit **ret, size_t *ret_n, uint64_t *ret_after)
{
	struct page page = {.reader = reader, .pool = pool, .limit = limit, .take = take_audit};
	int error = page_begin(&page, sizeof(struct audit));

	return error != 0 ? error
			  : page_end(&page, walk(&page, TABLE_AUDIT, after), ret, ret_n, ret_after);
}
