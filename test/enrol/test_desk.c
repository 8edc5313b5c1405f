/*
 * The desk on the memory store: what becomes of a request, by whomever it is decided.
 */
#include "base/clock.h"
#include "world.h"

static int64_t now, start;

static int64_t
test_clock(void)
{
	return now;
}

static int
setup(void **state)
{
	/* The CA of the fixture is made at the real time. */
	start = now = clock_wall_ms() + 60000;
	clock_set_source(test_clock, test_clock);
	*state = world_new(now);
	return 0;
}

static int
teardown(void **state)
{
	world_free(*state);
	clock_set_source(NULL, NULL);
	return 0;
}

/* ---- arrange ---- */

static void
begin(struct world *w)
{
	world_begin(w, now);
}

static struct desk_outcome
submit(struct world *w, const struct template *template)
{
	return world_submit(w, template, POP_VERIFIED);
}

/* A held request with its transaction. */
static void
arrange_held(struct world *w)
{
	struct template template = template_of(&w->f);

	begin(w);
	assert_int_equal(submit(w, &template).status, DESK_WAITING);
	unit_put_txn(w->desk.unit, &w->txn);
	world_commit(w);
}

static struct entry
stored(struct world *w)
{
	struct entry entry;

	assert_int_equal(store_entry_find(w->reader, w->f.pool, &w->txn.key, 0, &entry), 0);
	return entry;
}

static const char *
id_of(struct world *w)
{
	struct entry entry = stored(w);
	char hex[2 * ENTRY_ID_SIZE + 1];

	return pool_strdup(w->f.pool,
	    hex_encode(bytes_of(entry.id, sizeof(entry.id)), hex, sizeof(hex)));
}

static int
decide(struct world *w, enum decision_kind kind, uint64_t version)
{
	struct decision decision = {.kind = kind,
	    .actor = "operator:test",
	    .version = version,
	    .fail_info = 2,
	    .text = "because"};
	struct entry entry;
	struct diag diag;
	int error;

	begin(w);
	error = desk_decide(&w->desk, id_of(w), &decision, &entry, &diag);
	if (error) {
		unit_free(w->desk.unit);
		return error;
	}
	return store_commit_wait(w->store, w->desk.unit);
}

static struct desk_outcome
collect(struct world *w)
{
	struct entry entry = stored(w);
	struct desk_outcome outcome;

	begin(w);
	assert_int_equal(desk_collect(&w->desk, &w->txn, &entry, &outcome), 0);
	world_commit(w);
	return outcome;
}

static void
sweep(struct world *w, bool grace)
{
	struct due *due = NULL;
	size_t n = 0;

	assert_int_equal(store_due_list(w->reader, w->f.pool, now, 16, &due, &n), 0);
	for (size_t i = 0; i < n; i++) {
		begin(w);
		assert_int_equal(desk_sweep_one(&w->desk, &due[i], grace), 0);
		world_commit(w);
	}
}

/* ---- tests ---- */

static void
nobody_decides_then_it_is_held(void **state)
{
	struct world *w = *state;

	arrange_held(w);
	assert_int_equal(stored(w).state, ENTRY_PENDING);
	assert_int_equal(stored(w).check_after, 2000);
	assert_string_equal(stored(w).subject, "/CN=device");
	assert_string_equal(stored(w).requester, "mac ref=dev1");
}

static void
B1_12_fault_of_the_request_stores_nothing(void **state)
{
	struct world *w = *state;
	struct template template = template_of(&w->f);
	struct desk_outcome outcome;

	template.spki = bytes_of("0\0", 2);
	begin(w);
	outcome = submit(w, &template);
	assert_int_equal(outcome.status, DESK_REJECTED);
	assert_true(outcome.error < 0);
	assert_non_null(outcome.text);
	assert_true(unit_is_empty(w->desk.unit));
	unit_free(w->desk.unit);
}

static void
approved_is_collected_once_and_again(void **state)
{
	struct world *w = *state;
	struct desk_outcome first, second;

	arrange_held(w);
	assert_int_equal(collect(w).status, DESK_WAITING);
	assert_int_equal(decide(w, DECISION_APPROVE, 0), 0);
	assert_int_equal(stored(w).state, ENTRY_APPROVED);
	first = collect(w);
	assert_true(first.certificate.len > 0);
	assert_int_equal(stored(w).state, ENTRY_ISSUED);
	second = collect(w);
	assert_true(bytes_equal(first.certificate, second.certificate));
}

static void
B7_2_approval_of_another_version_is_a_conflict(void **state)
{
	struct world *w = *state;
	uint64_t version;

	arrange_held(w);
	version = stored(w).version;
	assert_int_equal(decide(w, DECISION_COMMENT, 0), 0);
	assert_int_equal(decide(w, DECISION_APPROVE, version), CMPD_ECONFLICT);
	assert_int_equal(stored(w).state, ENTRY_PENDING);
	assert_int_equal(decide(w, DECISION_APPROVE, version + 1), 0);
}

static void
denied_tells_the_operators_reason(void **state)
{
	struct world *w = *state;
	struct desk_outcome outcome;

	arrange_held(w);
	assert_int_equal(decide(w, DECISION_DENY, 0), 0);
	outcome = collect(w);
	assert_int_equal(outcome.status, DESK_REJECTED);
	assert_int_equal(outcome.error, 0);
	assert_int_equal(outcome.fail_info, 2);
	assert_string_equal(outcome.text, "because");
	assert_int_equal(decide(w, DECISION_APPROVE, 0), CMPD_ESTATE);
}

static void
two_collectors_one_certificate(void **state)
{
	struct world *w = *state;
	struct entry entry;
	struct desk_outcome outcome;
	struct unit *first, *second;

	arrange_held(w);
	assert_int_equal(decide(w, DECISION_APPROVE, 0), 0);
	entry = stored(w);
	begin(w);
	assert_int_equal(desk_collect(&w->desk, &w->txn, &entry, &outcome), 0);
	first = w->desk.unit;
	begin(w);
	assert_int_equal(desk_collect(&w->desk, &w->txn, &entry, &outcome), 0);
	second = w->desk.unit;
	assert_int_equal(store_commit_wait(w->store, first), 0);
	assert_int_equal(store_commit_wait(w->store, second), CMPD_ECONFLICT);
}

static int
confirm(struct world *w, bool accepted)
{
	struct entry entry = stored(w);
	int error;

	begin(w);
	error = desk_confirm(&w->desk, &entry, accepted, accepted ? NULL : "no");
	if (error) {
		unit_free(w->desk.unit);
		return error;
	}
	world_commit(w);
	return 0;
}

static struct cert
certificate(struct world *w)
{
	struct entry entry = stored(w);
	struct cert cert;

	assert_int_equal(store_cert_get(w->reader, w->f.pool, entry.ca, entry.serial, &cert), 0);
	return cert;
}

static void
B4_2_confirmed_and_refused(void **state)
{
	struct world *w = *state;

	arrange_held(w);
	assert_int_equal(confirm(w, true), CMPD_ESTATE);
	assert_int_equal(decide(w, DECISION_APPROVE, 0), 0);
	collect(w);
	assert_false(certificate(w).confirmed);
	assert_int_equal(confirm(w, true), 0);
	assert_true(certificate(w).confirmed);
	assert_int_equal(stored(w).state, ENTRY_CONFIRMED);
	assert_int_equal(confirm(w, true), CMPD_EEXIST);
}

static void
B4_2_refused_is_revoked(void **state)
{
	struct world *w = *state;

	arrange_held(w);
	assert_int_equal(decide(w, DECISION_APPROVE, 0), 0);
	collect(w);
	assert_int_equal(confirm(w, false), 0);
	assert_int_equal(certificate(w).status, CERT_REVOKED);
	assert_int_equal(stored(w).state, ENTRY_REFUSED);
}

static void
B2_5_unconfirmed_is_revoked_after_the_wait(void **state)
{
	struct world *w = *state;

	arrange_held(w);
	assert_int_equal(decide(w, DECISION_APPROVE, 0), 0);
	collect(w);
	now += 59999;
	sweep(w, false);
	assert_int_equal(stored(w).state, ENTRY_ISSUED);
	now += 2;
	sweep(w, true);
	assert_int_equal(stored(w).state, ENTRY_ISSUED); /* grace after a start */
	sweep(w, false);
	assert_int_equal(stored(w).state, ENTRY_UNCONFIRMED);
	assert_int_equal(certificate(w).status, CERT_REVOKED);
	assert_int_equal(confirm(w, true), CMPD_EREVOKED);
}

static void
held_expires_and_is_purged(void **state)
{
	struct world *w = *state;
	struct entry entry;

	arrange_held(w);
	now += 3600000;
	sweep(w, true);
	assert_int_equal(stored(w).state, ENTRY_PENDING); /* grace after a jump of the clock */
	sweep(w, false);
	assert_int_equal(stored(w).state, ENTRY_EXPIRED);
	assert_int_equal(decide(w, DECISION_APPROVE, 0), CMPD_ESTATE);
	assert_int_equal(collect(w).status, DESK_REJECTED);
	/* First the transaction ends, then it is forgotten, then what it was about. */
	now += 11 * DAY;
	for (int i = 0; i < 4; i++) {
		sweep(w, false);
		now += 2 * DAY;
	}
	assert_int_equal(store_entry_find(w->reader, w->f.pool, &w->txn.key, 0, &entry),
	    CMPD_ENOENT);
}

static void
B1_9_abort_ends_what_is_open(void **state)
{
	struct world *w = *state;

	arrange_held(w);
	begin(w);
	assert_int_equal(desk_abort(&w->desk, &w->txn, "gone"), 0);
	world_commit(w);
	assert_int_equal(stored(w).state, ENTRY_ABORTED);
	assert_int_equal(decide(w, DECISION_APPROVE, 0), CMPD_ESTATE);
}

static void
late_grant_beyond_the_requesters_names_stays_held(void **state)
{
	struct world *w = *state;
	struct policy_verdict verdict = {
	    .answer = POLICY_GRANT, .plugin = "slow", .received = start};
	struct entry entry;
	struct diag diag;

	w->secret = (struct secret){.id = 1, .ref = "dev1", .subject = "/CN=somebody else"};
	w->requester.secret = &w->secret;
	w->f.profile.names = CONF_NAMES_IDENTITY;
	arrange_held(w);
	assert_false(stored(w).names_bound);
	begin(w);
	assert_int_equal(desk_decide_late(&w->desk, &w->txn.key, 0, &verdict, &entry, &diag),
	    CMPD_EACCES);
	unit_free(w->desk.unit);
	assert_int_equal(decide(w, DECISION_APPROVE, 0), 0);
}

static void
late_grant_of_own_names_approves(void **state)
{
	struct world *w = *state;
	struct policy_verdict verdict = {
	    .answer = POLICY_GRANT, .plugin = "slow", .received = start};
	struct entry entry;
	struct diag diag;

	w->secret = (struct secret){.id = 1, .ref = "dev1"};
	w->requester.secret = &w->secret;
	arrange_held(w);
	begin(w);
	assert_int_equal(desk_decide_late(&w->desk, &w->txn.key, 0, &verdict, &entry, &diag), 0);
	world_commit(w);
	assert_int_equal(stored(w).state, ENTRY_APPROVED);
	assert_string_equal(stored(w).decided_by, "plugin:slow");
}

static void
late_grant_is_for_the_request_it_was_asked_about(void **state)
{
	struct world *w = *state;
	/* The transactionID was used before, for what the plugin still thinks about. */
	struct policy_verdict verdict = {
	    .answer = POLICY_GRANT, .plugin = "slow", .received = start - 1};
	struct entry entry;
	struct diag diag;

	w->secret = (struct secret){.id = 1, .ref = "dev1"};
	w->requester.secret = &w->secret;
	arrange_held(w);
	begin(w);
	assert_int_equal(desk_decide_late(&w->desk, &w->txn.key, 0, &verdict, &entry, &diag),
	    CMPD_ENOENT);
	unit_free(w->desk.unit);
	assert_int_equal(stored(w).state, ENTRY_PENDING);
}

static void
secret_is_given_back_when_nothing_came_of_it(void **state)
{
	struct world *w = *state;
	struct secret secret = {
	    .ref = "dev1", .value = bytes_str("0123456789"), .uses_left = 1, .created = start};
	struct entry entry;

	begin(w);
	unit_add_secret(w->desk.unit, &secret);
	world_commit(w);
	assert_int_equal(
	    store_secret_find(w->reader, w->f.pool, "dev1", w->endpoint.path, &w->secret), 0);
	w->requester.secret = &w->secret;
	w->txn.identity = (struct identity){.kind = IDENTITY_SECRET, .secret = w->secret.id};
	begin(w);
	submit(w, &(struct template){
		      .subject = template_of(&w->f).subject, .spki = template_of(&w->f).spki});
	unit_use_secret(w->desk.unit, w->secret.id, now);
	unit_put_txn(w->desk.unit, &w->txn);
	world_commit(w);
	assert_int_equal(store_secret_get(w->reader, w->f.pool, w->secret.id, &w->secret), 0);
	assert_int_equal(w->secret.uses_left, 0);
	assert_int_equal(decide(w, DECISION_DENY, 0), 0);
	entry = stored(w);
	assert_int_equal(store_txn_get(w->reader, w->f.pool, &w->txn.key, &w->txn), 0);
	begin(w);
	/* The client does not know of the denial yet: it is to be told when it comes. */
	assert_int_equal(desk_close_txn(&w->desk, &w->txn, &entry, 1), 0);
	assert_false(w->txn.ended);
	w->txn.told = 1;
	assert_int_equal(desk_close_txn(&w->desk, &w->txn, &entry, 1), 0);
	assert_true(w->txn.ended);
	unit_put_txn(w->desk.unit, &w->txn);
	world_commit(w);
	assert_int_equal(store_secret_get(w->reader, w->f.pool, w->secret.id, &w->secret), 0);
	assert_int_equal(w->secret.uses_left, 1);
	assert_int_equal(w->secret.open, 0);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(nobody_decides_then_it_is_held),
	    T(B1_12_fault_of_the_request_stores_nothing),
	    T(approved_is_collected_once_and_again),
	    T(B7_2_approval_of_another_version_is_a_conflict),
	    T(denied_tells_the_operators_reason),
	    T(two_collectors_one_certificate),
	    T(B4_2_confirmed_and_refused),
	    T(B4_2_refused_is_revoked),
	    T(B2_5_unconfirmed_is_revoked_after_the_wait),
	    T(held_expires_and_is_purged),
	    T(B1_9_abort_ends_what_is_open),
	    T(late_grant_beyond_the_requesters_names_stays_held),
	    T(late_grant_of_own_names_approves),
	    T(late_grant_is_for_the_request_it_was_asked_about),
	    T(secret_is_given_back_when_nothing_came_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
