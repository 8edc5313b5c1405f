/* The inventory: loaded beside the one that counts, swapped as a whole. */
#include <string.h>

#include "contract.h"

static uint64_t
begin(struct bench *b, int64_t now)
{
	struct inventory_state state;
	struct unit *unit = unit_new();

	assert_int_equal(store_inventory_state(b->reader, &state), 0);
	unit_begin_inventory(unit, state.last + 1, now);
	assert_int_equal(bench_commit(b, unit), 0);
	return state.last + 1;
}

static int
add(struct bench *b, uint64_t generation, uint64_t number, struct bytes serial, const char *subject,
    const char *issuer, const char *name)
{
	const char *sans[] = {"DNS:a.example", NULL};
	struct inventory row = {.generation = generation,
	    .number = number,
	    .serial = serial,
	    .subject = subject,
	    .issuer = issuer,
	    .new_subject = name,
	    .new_sans = sans};
	struct unit *unit = unit_new();

	unit_add_inventory(unit, &row, 1000);
	return bench_commit(b, unit);
}

static int
finish(struct bench *b, uint64_t generation, uint64_t rows)
{
	struct unit *unit = unit_new();

	unit_finish_inventory(unit, generation, rows, 2000);
	return bench_commit(b, unit);
}

/* What a device with that factory certificate is called; NULL: it is not known. */
static const char *
name_of(struct bench *b, const char *serial, const char *subject, const char *issuer)
{
	struct inventory row;
	int error =
	    store_inventory_find(b->reader, b->pool, bytes_str(serial), subject, issuer, &row);

	assert_true(error == 0 || error == CMPD_ENOENT);
	return error == 0 ? row.new_subject : NULL;
}

static void
a_load_counts_at_its_end_and_as_a_whole(struct bench *b)
{
	struct inventory_state state;
	struct inventory *rows;
	uint64_t first = begin(b, 1), second, after;
	size_t n;

	assert_int_equal(add(b, first, 2, bytes_str("\x01"), NULL, NULL, "/CN=one"), 0);
	assert_int_equal(add(b, first, 3, bytes_str("\x02"), NULL, NULL, "/CN=two"), 0);
	assert_null(name_of(b, "\x01", "/CN=x", "/CN=i"));
	assert_int_equal(finish(b, first, 3), CMPD_ESTATE);
	assert_int_equal(finish(b, first, 2), 0);
	assert_string_equal(name_of(b, "\x01", "/CN=x", "/CN=i"), "/CN=one");
	second = begin(b, 1);
	assert_int_equal(add(b, second, 2, bytes_str("\x02"), NULL, NULL, "/CN=zwei"), 0);
	assert_string_equal(name_of(b, "\x02", "/CN=x", "/CN=i"), "/CN=two");
	assert_int_equal(finish(b, second, 1), 0);
	assert_string_equal(name_of(b, "\x02", "/CN=x", "/CN=i"), "/CN=zwei");
	assert_null(name_of(b, "\x01", "/CN=x", "/CN=i"));
	if (b->options.dir != NULL) {
		bench_reopen(b);
	}
	assert_int_equal(store_inventory_state(b->reader, &state), 0);
	assert_int_equal(state.generation, second);
	assert_int_equal(state.rows, 1);
	assert_int_equal(state.loaded, 2000);
	assert_int_equal(store_inventory_list(b->reader, b->pool, 0, 10, &rows, &n, &after), 0);
	assert_int_equal(n, 1);
	assert_int_equal(after, 0);
	assert_int_equal(rows[0].number, 2);
	assert_string_equal(rows[0].new_sans[0], "DNS:a.example");
}

static void
the_most_exact_row_is_the_one(struct bench *b)
{
	uint64_t g = begin(b, 1);
	struct inventory *rows;
	size_t n;

	assert_int_equal(add(b, g, 2, BYTES_NONE, "/CN=x", NULL, "/CN=subject"), 0);
	assert_int_equal(add(b, g, 3, BYTES_NONE, "/CN=x", "/CN=i", "/CN=subject and issuer"), 0);
	assert_int_equal(add(b, g, 4, bytes_str("\x07"), NULL, NULL, "/CN=serial"), 0);
	assert_int_equal(add(b, g, 5, bytes_str("\x07"), "/CN=x", "/CN=i", "/CN=both"), 0);
	assert_int_equal(finish(b, g, 4), 0);
	assert_string_equal(name_of(b, "\x07", "/CN=x", "/CN=i"), "/CN=both");
	assert_string_equal(name_of(b, "\x07", "/CN=x", "/CN=j"), "/CN=serial");
	assert_string_equal(name_of(b, "\x08", "/CN=x", "/CN=i"), "/CN=subject and issuer");
	assert_string_equal(name_of(b, "\x08", "/CN=x", "/CN=j"), "/CN=subject");
	assert_null(name_of(b, "\x08", "/CN=y", "/CN=i"));
	assert_int_equal(
	    store_inventory_match(b->reader, b->pool, bytes_str("\x07"), NULL, 10, &rows, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(
	    store_inventory_match(b->reader, b->pool, BYTES_NONE, "/CN=x", 1, &rows, &n), 0);
	assert_int_equal(n, 1);
}

static void
a_device_stands_there_once(struct bench *b)
{
	uint64_t g = begin(b, 1);
	const char *sans[] = {NULL};
	struct inventory row = {.generation = g, .number = 5, .subject = "/CN=b", .new_sans = sans};
	struct unit *unit = unit_new();

	assert_int_equal(add(b, g, 2, BYTES_NONE, "/CN=a", NULL, "/CN=1"), 0);
	assert_int_equal(add(b, g, 3, BYTES_NONE, "/CN=a", NULL, "/CN=2"), CMPD_EEXIST);
	assert_int_equal(add(b, g, 2, BYTES_NONE, "/CN=c", NULL, "/CN=2"), CMPD_EEXIST);
	unit_add_inventory(unit, &row, 1);
	row.number = 6;
	unit_add_inventory(unit, &row, 1);
	assert_int_equal(bench_commit(b, unit), CMPD_EEXIST);
	assert_int_equal(finish(b, g, 1), 0);
}

static void
a_second_load_ends_the_first(struct bench *b)
{
	uint64_t first = begin(b, 1), second;
	struct unit *unit = unit_new();

	assert_int_equal(add(b, first, 2, BYTES_NONE, "/CN=a", NULL, "/CN=1"), 0);
	second = begin(b, 1);
	assert_int_equal(add(b, first, 3, BYTES_NONE, "/CN=b", NULL, "/CN=1"), CMPD_ECONFLICT);
	assert_int_equal(finish(b, first, 1), CMPD_ECONFLICT);
	unit_begin_inventory(unit, second, 1);
	assert_int_equal(bench_commit(b, unit), CMPD_ECONFLICT);
	assert_int_equal(finish(b, second, 0), 0);
}

static void
one_row_can_go(struct bench *b)
{
	uint64_t g = begin(b, 1);
	struct inventory_state state;
	struct unit *unit = unit_new();

	assert_int_equal(add(b, g, 2, BYTES_NONE, "/CN=a", NULL, "/CN=1"), 0);
	assert_int_equal(add(b, g, 3, BYTES_NONE, "/CN=b", NULL, "/CN=2"), 0);
	unit_drop_inventory(unit, g, 2);
	assert_int_equal(bench_commit(b, unit), CMPD_ECONFLICT);
	assert_int_equal(finish(b, g, 2), 0);
	unit = unit_new();
	unit_drop_inventory(unit, g, 2);
	assert_int_equal(bench_commit(b, unit), 0);
	unit = unit_new();
	unit_drop_inventory(unit, g, 2);
	assert_int_equal(bench_commit(b, unit), CMPD_ECONFLICT);
	assert_null(name_of(b, "\x01", "/CN=a", "/CN=i"));
	assert_string_equal(name_of(b, "\x01", "/CN=b", "/CN=i"), "/CN=2");
	assert_int_equal(store_inventory_state(b->reader, &state), 0);
	assert_int_equal(state.rows, 1);
}

static bool
garbage(struct bench *b, int64_t abandoned_before)
{
	bool ret = false;

	assert_int_equal(store_inventory_garbage(b->reader, abandoned_before, &ret), 0);
	return ret;
}

static unsigned int
purge(struct bench *b, int64_t abandoned_before)
{
	unsigned int n = 0;

	for (; garbage(b, abandoned_before) && n < 10; n++) {
		struct unit *unit = unit_new();

		unit_purge_inventory(unit, abandoned_before);
		assert_int_equal(bench_commit(b, unit), 0);
	}
	return n;
}

static uint64_t
load(struct bench *b, unsigned int n, bool end)
{
	const char *sans[] = {NULL};
	uint64_t g = begin(b, 1000);
	struct unit *unit = unit_new();

	for (unsigned int i = 1; i <= n; i++) {
		uint8_t serial[2] = {(uint8_t)(i >> 8), (uint8_t)i};
		struct inventory row = {.generation = g,
		    .number = i,
		    .serial = bytes_of(serial, 2),
		    .new_subject = "/CN=n",
		    .new_sans = sans};

		unit_add_inventory(unit, &row, 1000);
	}
	assert_int_equal(bench_commit(b, unit), 0);
	if (end) {
		assert_int_equal(finish(b, g, n), 0);
	}
	return g;
}

static void
what_was_before_goes_in_slices(struct bench *b)
{
	struct inventory_state state;
	struct inventory *rows;
	uint64_t after = 0;
	size_t n, total = 0;

	assert_false(garbage(b, 5000));
	load(b, 1500, true);
	assert_int_equal(purge(b, 500), 0);
	load(b, 1100, true);
	load(b, 10, false);
	/* 1500 of the first load: two slices. */
	assert_int_equal(purge(b, 500), 2);
	/* The last was not gone on with. */
	assert_int_equal(purge(b, 5000), 1);
	assert_int_equal(store_inventory_state(b->reader, &state), 0);
	assert_int_equal(state.staging, 0);
	do {
		assert_int_equal(
		    store_inventory_list(b->reader, b->pool, after, 400, &rows, &n, &after), 0);
		total += n;
	} while (after != 0);
	assert_int_equal(total, 1100);
	load(b, 1, true);
	assert_int_equal(purge(b, 500), 2);
	if (b->options.dir != NULL) {
		bench_reopen(b);
	}
	assert_false(garbage(b, 5000));
}

const struct story contract_inventory[] = {
    {"B4.9 a load counts at its end and as a whole", a_load_counts_at_its_end_and_as_a_whole},
    {"B4.9 the most exact row is the one", the_most_exact_row_is_the_one},
    {"B4.9 a device stands in the inventory once", a_device_stands_there_once},
    {"B4.9 a second load ends the first", a_second_load_ends_the_first},
    {"B4.9 one row can go", one_row_can_go},
    {"B4.9 what was loaded before goes in slices", what_was_before_goes_in_slices},
    {NULL, NULL},
};
