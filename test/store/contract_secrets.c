#include <stdlib.h>
#include <string.h>

#include "contract.h"

static int
add(struct bench *b, const struct secret *secret)
{
	struct unit *unit = unit_new();

	unit_add_secret(unit, secret);
	return bench_commit(b, unit);
}

static int
use(struct bench *b, uint64_t id, int64_t now)
{
	struct unit *unit = unit_new();

	unit_use_secret(unit, id, now);
	return bench_commit(b, unit);
}

static int
release(struct bench *b, uint64_t id, bool give_back)
{
	struct unit *unit = unit_new();

	unit_release_secret(unit, id, give_back);
	return bench_commit(b, unit);
}

static int
remove_secret(struct bench *b, uint64_t id)
{
	struct unit *unit = unit_new();

	unit_remove_secret(unit, id);
	return bench_commit(b, unit);
}

static struct secret
get(struct bench *b, uint64_t id)
{
	struct secret secret;

	assert_int_equal(store_secret_get(b->reader, b->pool, id, &secret), 0);
	return secret;
}

static void
a_secret_is_found_by_its_reference(struct bench *b)
{
	struct secret in = make_secret("dev1", "correct horse"), out;

	in.profile = "device";
	in.subject = "/CN=dev1";
	assert_int_equal(add(b, &in), 0);
	assert_int_equal(store_secret_find(b->reader, b->pool, "dev1", "/x", &out), 0);
	assert_int_equal(out.id, 1);
	assert_true(bytes_equal(out.value, in.value));
	assert_string_equal(out.subject, "/CN=dev1");
	assert_string_equal(out.profile, "device");
	assert_null(out.endpoint);
	assert_int_equal(store_secret_find(b->reader, b->pool, "dev", "/x", &out), CMPD_ENOENT);
	assert_int_equal(store_secret_get(b->reader, b->pool, 2, &out), CMPD_ENOENT);
}

static void
references_are_unique_per_endpoint(struct bench *b)
{
	struct secret any = make_secret("dev1", "any"), own = make_secret("dev1", "own"), out;
	struct unit *unit;

	own.endpoint = "/a";
	assert_int_equal(add(b, &any), 0);
	assert_int_equal(add(b, &any), CMPD_EEXIST);
	assert_int_equal(add(b, &own), 0);
	assert_int_equal(add(b, &own), CMPD_EEXIST);
	assert_int_equal(store_secret_find(b->reader, b->pool, "dev1", "/a", &out), 0);
	assert_int_equal(out.id, 2); /* the newest that fits */
	assert_int_equal(store_secret_find(b->reader, b->pool, "dev1", "/b", &out), 0);
	assert_int_equal(out.id, 1);
	/* Removing and adding makes another; one unit may do both. */
	unit = unit_new();
	unit_remove_secret(unit, 1);
	unit_add_secret(unit, &any);
	assert_int_equal(bench_commit(b, unit), 0);
	assert_int_equal(store_secret_find(b->reader, b->pool, "dev1", "/b", &out), 0);
	assert_int_equal(out.id, 3);
	assert_int_equal(store_secret_get(b->reader, b->pool, 1, &out), CMPD_ENOENT);
	unit = unit_new();
	any.ref = "twice";
	unit_add_secret(unit, &any);
	unit_add_secret(unit, &any);
	assert_int_equal(bench_commit(b, unit), CMPD_EEXIST);
}

static void
uses_are_counted_and_given_back(struct bench *b)
{
	struct secret secret = make_secret("dev1", "once");

	secret.uses_left = 1;
	assert_int_equal(add(b, &secret), 0);
	assert_int_equal(use(b, 1, 0), 0);
	assert_int_equal(get(b, 1).uses_left, 0);
	assert_int_equal(get(b, 1).open, 1);
	assert_int_equal(use(b, 1, 0), CMPD_EACCES);
	assert_int_equal(release(b, 1, true), 0);
	assert_int_equal(get(b, 1).uses_left, 1);
	assert_int_equal(use(b, 1, 0), 0);
	assert_int_equal(release(b, 1, false), 0);
	assert_int_equal(use(b, 1, 0), CMPD_EACCES);
	assert_int_equal(release(b, 1, false), CMPD_ESTATE);
	assert_true(bytes_equal(get(b, 1).value, secret.value));
}

static void
a_secret_is_needed_without_a_use(struct bench *b)
{
	struct secret secret = make_secret("dev1", "once");
	struct unit *unit = unit_new();

	secret.uses_left = 0;
	assert_int_equal(add(b, &secret), 0);
	unit_need_secret(unit, 1);
	assert_int_equal(bench_commit(b, unit), 0);
	assert_int_equal(get(b, 1).open, 1);
	assert_int_equal(remove_secret(b, 1), 0);
	assert_true(bytes_equal(get(b, 1).value, secret.value));
	unit = unit_new();
	unit_need_secret(unit, 1);
	assert_int_equal(bench_commit(b, unit), CMPD_EACCES);
	assert_int_equal(release(b, 1, false), 0);
	unit = unit_new();
	unit_need_secret(unit, 1);
	assert_int_equal(bench_commit(b, unit), CMPD_EACCES);
}

static void
one_unit_may_use_and_release(struct bench *b)
{
	struct secret secret = make_secret("dev1", "once");
	struct unit *unit = unit_new();

	secret.uses_left = 1;
	assert_int_equal(add(b, &secret), 0);
	unit_use_secret(unit, 1, 0);
	unit_release_secret(unit, 1, true);
	assert_int_equal(bench_commit(b, unit), 0);
	assert_int_equal(get(b, 1).uses_left, 1);
	assert_int_equal(get(b, 1).open, 0);
	unit = unit_new();
	unit_use_secret(unit, 1, 0);
	unit_use_secret(unit, 1, 0);
	assert_int_equal(bench_commit(b, unit), CMPD_EACCES);
	assert_int_equal(get(b, 1).uses_left, 1);
}

static void
of_two_openers_one_gets_the_last_use(struct bench *b)
{
	struct secret secret = make_secret("dev1", "once");
	struct unit *units[8];
	int results[8], wins = 0;

	secret.uses_left = 1;
	assert_int_equal(add(b, &secret), 0);
	for (int i = 0; i < 8; i++) {
		units[i] = unit_new();
		unit_use_secret(units[i], 1, 0);
	}
	bench_commit_all(b, units, 8, results);
	for (int i = 0; i < 8; i++) {
		assert_true(results[i] == 0 || results[i] == CMPD_EACCES);
		wins += results[i] == 0;
	}
	assert_int_equal(wins, 1);
}

static void
an_expired_secret_opens_nothing(struct bench *b)
{
	struct secret secret = make_secret("dev1", "short");

	secret.expires = 100;
	assert_int_equal(add(b, &secret), 0);
	assert_int_equal(use(b, 1, 99), 0);
	assert_int_equal(use(b, 1, 100), CMPD_EACCES);
	/* What was opened goes on. */
	assert_true(bytes_equal(get(b, 1).value, secret.value));
	assert_int_equal(release(b, 1, false), 0);
}

static void
a_removed_secret_stays_until_its_last_transaction_ends(struct bench *b)
{
	struct secret secret = make_secret("dev1", "kept"), out;
	struct store_stats stats;
	struct due *due;
	size_t n;

	secret.due = 5;
	assert_int_equal(add(b, &secret), 0);
	assert_int_equal(use(b, 1, 0), 0);
	assert_int_equal(use(b, 1, 0), 0);
	assert_int_equal(remove_secret(b, 1), 0);
	assert_int_equal(remove_secret(b, 1), 0);
	assert_int_equal(store_secret_find(b->reader, b->pool, "dev1", NULL, &out), CMPD_ENOENT);
	assert_int_equal(use(b, 1, 0), CMPD_EACCES);
	assert_true(get(b, 1).removed);
	assert_true(bytes_equal(get(b, 1).value, secret.value));
	assert_int_equal(store_due_list(b->reader, b->pool, 100, 9, &due, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(release(b, 1, true), 0);
	assert_int_equal(release(b, 1, false), 0);
	assert_int_equal(store_secret_get(b->reader, b->pool, 1, &out), CMPD_ENOENT);
	assert_int_equal(remove_secret(b, 1), CMPD_ECONFLICT);
	assert_int_equal(use(b, 1, 0), CMPD_EACCES);
	assert_int_equal(store_stats(b->reader, &stats), 0);
	assert_int_equal(stats.secrets, 0);
	/* The reference is free, the id is not. */
	assert_int_equal(add(b, &secret), 0);
	assert_int_equal(get(b, 2).open, 0);
}

static void
lists_do_not_show_values(struct bench *b)
{
	struct secret one = make_secret("dev1", "a"), two = make_secret("dev2", "b"), *page;
	uint64_t after;
	size_t n;

	assert_int_equal(add(b, &one), 0);
	assert_int_equal(add(b, &two), 0);
	assert_int_equal(store_secret_list(b->reader, b->pool, 0, 9, &page, &n, &after), 0);
	assert_int_equal(n, 2);
	assert_string_equal(page[1].ref, "dev2");
	assert_null(page[0].value.data);
	assert_null(page[1].value.data);
}

/* The old one makes place for a new one with the same reference. */
static int
rotate(struct bench *b, uint64_t id, const struct secret *by, int64_t until)
{
	struct unit *unit = unit_new();

	unit_retire_secret(unit, id, until, until + 50);
	unit_add_secret(unit, by);
	return bench_commit(b, unit);
}

static void
a_rotated_secret_is_good_until_the_overlap_ends(struct bench *b)
{
	struct secret old = make_secret("dev1", "old"), new = make_secret("dev1", "new"), out;
	struct due *due;
	size_t n;

	assert_int_equal(store_secret_find_retiring(b->reader, b->pool, "dev1", NULL, &out),
	    CMPD_ENOENT);
	assert_int_equal(add(b, &old), 0);
	assert_int_equal(use(b, 1, 0), 0);
	assert_int_equal(rotate(b, 1, &new, 100), 0);
	assert_int_equal(store_secret_find(b->reader, b->pool, "dev1", "/x", &out), 0);
	assert_int_equal(out.id, 2);
	assert_false(out.retiring);
	assert_true(bytes_equal(out.value, new.value));
	assert_int_equal(store_secret_find_retiring(b->reader, b->pool, "dev1", "/x", &out), 0);
	assert_int_equal(out.id, 1);
	assert_true(out.retiring);
	assert_int_equal(out.expires, 100);
	assert_int_equal(out.open, 1);
	assert_true(bytes_equal(out.value, old.value));
	assert_int_equal(use(b, 1, 99), 0);
	assert_int_equal(use(b, 1, 100), CMPD_EACCES);
	assert_int_equal(use(b, 2, 100), 0);
	assert_int_equal(store_due_list(b->reader, b->pool, 150, 9, &due, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(due[0].number, 1);
	/* Swept: what it opened still ends. */
	assert_int_equal(remove_secret(b, 1), 0);
	assert_int_equal(store_secret_find_retiring(b->reader, b->pool, "dev1", "/x", &out),
	    CMPD_ENOENT);
	assert_true(bytes_equal(get(b, 1).value, old.value));
	assert_int_equal(release(b, 1, false), 0);
	assert_int_equal(release(b, 1, false), 0);
	assert_int_equal(store_secret_get(b->reader, b->pool, 1, &out), CMPD_ENOENT);
}

static void
one_secret_retires_at_a_time(struct bench *b)
{
	struct secret one = make_secret("dev1", "one"), own = make_secret("dev1", "own"), out;
	struct unit *unit;

	assert_int_equal(add(b, &one), 0);
	assert_int_equal(rotate(b, 1, &one, 100), 0);
	assert_int_equal(rotate(b, 1, &one, 100), CMPD_ECONFLICT);
	assert_int_equal(rotate(b, 2, &one, 100), CMPD_EEXIST);
	assert_int_equal(rotate(b, 9, &one, 100), CMPD_ECONFLICT);
	assert_int_equal(add(b, &one), CMPD_EEXIST);
	assert_int_equal(get(b, 2).expires, 0);
	/* The first has made room in the same unit. */
	unit = unit_new();
	unit_remove_secret(unit, 1);
	unit_retire_secret(unit, 2, 200, 250);
	unit_add_secret(unit, &one);
	assert_int_equal(bench_commit(b, unit), 0);
	assert_true(get(b, 2).retiring);
	assert_int_equal(store_secret_find(b->reader, b->pool, "dev1", NULL, &out), 0);
	assert_int_equal(out.id, 3);
	/* Another endpoint's are not concerned, and its own come first, whichever is newer. */
	own.endpoint = "/a";
	assert_int_equal(add(b, &own), 0);
	assert_int_equal(rotate(b, 4, &own, 100), 0);
	unit = unit_new();
	unit_remove_secret(unit, 2);
	unit_retire_secret(unit, 3, 200, 250);
	unit_add_secret(unit, &one);
	assert_int_equal(bench_commit(b, unit), 0);
	assert_int_equal(store_secret_find(b->reader, b->pool, "dev1", "/a", &out), 0);
	assert_int_equal(out.id, 5);
	assert_int_equal(store_secret_find_retiring(b->reader, b->pool, "dev1", "/a", &out), 0);
	assert_int_equal(out.id, 4);
	assert_int_equal(store_secret_find(b->reader, b->pool, "dev1", "/b", &out), 0);
	assert_int_equal(out.id, 6);
	assert_int_equal(store_secret_find_retiring(b->reader, b->pool, "dev1", "/b", &out), 0);
	assert_int_equal(out.id, 3);
}

static void
retiring_makes_no_secret_last_longer(struct bench *b)
{
	struct secret old = make_secret("dev1", "old"), new = make_secret("dev1", "new");

	old.expires = 70;
	old.due = 75;
	new.until_confirmed = true;
	assert_int_equal(add(b, &old), 0);
	assert_int_equal(rotate(b, 1, &new, 100), 0);
	assert_int_equal(get(b, 1).expires, 70);
	assert_int_equal(get(b, 1).due, 75);
	assert_false(get(b, 1).until_confirmed);
	assert_true(get(b, 2).until_confirmed);
	new.retiring = true;
	new.ref = "dev2";
	assert_int_equal(add(b, &new), CMPD_EINVAL);
}

const struct story contract_secrets[] = {
    {"a secret is found by its reference", a_secret_is_found_by_its_reference},
    {"references are unique per endpoint", references_are_unique_per_endpoint},
    {"B4.10 uses are counted and given back", uses_are_counted_and_given_back},
    {"B2.13 a secret is needed without a use", a_secret_is_needed_without_a_use},
    {"one unit may use and release", one_unit_may_use_and_release},
    {"of two openers one gets the last use", of_two_openers_one_gets_the_last_use},
    {"B4.10 an expired secret opens nothing", an_expired_secret_opens_nothing},
    {"a removed secret stays until its last transaction ends",
	a_removed_secret_stays_until_its_last_transaction_ends},
    {"lists do not show values", lists_do_not_show_values},
    {"B4.10 a rotated secret is good until the overlap ends",
	a_rotated_secret_is_good_until_the_overlap_ends},
    {"B4.10 one secret retires at a time", one_secret_retires_at_a_time},
    {"B4.10 retiring makes no secret last longer", retiring_makes_no_secret_last_longer},
    {NULL, NULL},
};
