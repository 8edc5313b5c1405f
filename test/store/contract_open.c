#include <string.h>

#include "contract.h"
#include "store/unit.h"

static int
put(struct bench *b, const struct txn *txn)
{
	struct unit *unit = unit_new();

	unit_put_txn(unit, txn);
	return bench_commit(b, unit);
}

static uint64_t
count(struct bench *b, const struct identity *identity)
{
	uint64_t n = 99;

	assert_int_equal(store_open_count(b->reader, identity, &n), 0);
	return n;
}

static void
end(struct bench *b, unsigned int n)
{
	const struct txn_key key = make_txn_key(n);
	struct txn txn;

	assert_int_equal(store_txn_get(b->reader, b->pool, &key, &txn), 0);
	txn.ended = true;
	assert_int_equal(put(b, &txn), 0);
}

static void
open_transactions_are_counted_by_identity(struct bench *b)
{
	struct identity secret = {.kind = IDENTITY_SECRET, .secret = 7};
	struct identity cert = {.kind = IDENTITY_CERTIFICATE, .certificate = {7}};
	struct identity ra = {.kind = IDENTITY_RA, .name = bytes_str("line 1")};
	struct identity other = {.kind = IDENTITY_RA, .name = bytes_str("line 2")};
	struct identity nobody = {.kind = IDENTITY_NONE};
	struct txn txn;

	for (unsigned int n = 0; n < 6; n++) {
		txn = make_txn(n);
		txn.identity = n < 1 ? secret : n < 3 ? cert : ra;
		assert_int_equal(put(b, &txn), 0);
	}
	assert_int_equal(count(b, &secret), 1);
	assert_int_equal(count(b, &cert), 2);
	assert_int_equal(count(b, &ra), 3);
	assert_int_equal(count(b, &other), 0);
	assert_int_equal(count(b, &nobody), 0);
	end(b, 1);
	end(b, 4);
	assert_int_equal(count(b, &secret), 1);
	assert_int_equal(count(b, &cert), 1);
	assert_int_equal(count(b, &ra), 2);
	if (b->dir[0] != '\0' && b->options.dir != NULL) {
		bench_reopen(b);
		assert_int_equal(count(b, &ra), 2);
	}
	end(b, 2);
	assert_int_equal(count(b, &cert), 0);
}

static void
changes_ends_and_drops_do_not_count_twice(struct bench *b)
{
	const struct identity secret = {.kind = IDENTITY_SECRET, .secret = 7};
	const struct txn_key key = make_txn_key(1);
	struct txn txn = make_txn(1), at_once = make_txn(2);
	struct unit *unit;

	assert_int_equal(put(b, &txn), 0);
	assert_int_equal(put(b, &txn), CMPD_ECONFLICT);
	txn.version = 1;
	assert_int_equal(put(b, &txn), 0);
	assert_int_equal(count(b, &secret), 1);
	/* One that is answered at once is never open. */
	at_once.ended = true;
	assert_int_equal(put(b, &at_once), 0);
	assert_int_equal(count(b, &secret), 1);
	end(b, 1);
	assert_int_equal(count(b, &secret), 0);
	end(b, 1);
	assert_int_equal(count(b, &secret), 0);
	unit = unit_new();
	unit_drop_txn(unit, &key, 4);
	assert_int_equal(bench_commit(b, unit), 0);
	assert_int_equal(count(b, &secret), 0);
}

/* As cmpd wrote it before there were counters. */
static int
put_format_1(struct bench *b, const struct txn *txn)
{
	struct unit *unit = unit_new();

	unit_put_txn(unit, txn);
	unit->data.data[unit->ops[0].at + 1] = 1;
	unit->ops[0].new.format = 1;
	return bench_commit(b, unit);
}

static void
yesterdays_transactions_do_not_make_counters_wrong(struct bench *b)
{
	const struct identity secret = {.kind = IDENTITY_SECRET, .secret = 7};
	struct txn old[3], new = make_txn(9);

	for (unsigned int n = 0; n < 3; n++) {
		old[n] = make_txn(n);
		assert_int_equal(put_format_1(b, &old[n]), 0);
	}
	assert_int_equal(count(b, &secret), 0);
	assert_int_equal(put(b, &new), 0);
	end(b, 0);
	assert_int_equal(count(b, &secret), 1);
	/* Polled: from now on it counts. */
	old[1].version = 1;
	assert_int_equal(put(b, &old[1]), 0);
	assert_int_equal(count(b, &secret), 2);
	end(b, 1);
	end(b, 2);
	assert_int_equal(count(b, &secret), 1);
	end(b, 9);
	assert_int_equal(count(b, &secret), 0);
}

const struct story contract_open[] = {
    {"open transactions are counted by identity", open_transactions_are_counted_by_identity},
    {"changes, ends and drops do not count twice", changes_ends_and_drops_do_not_count_twice},
    {"yesterday's transactions do not make counters wrong",
	yesterdays_transactions_do_not_make_counters_wrong},
    {NULL, NULL},
};
