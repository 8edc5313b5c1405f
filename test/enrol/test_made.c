/*
 * Keys that are made here: when, of which kind, and that they are there once.
 */
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "world.h"

/* ---- arrange ---- */

static int
setup(void **state)
{
	*state = world_new(clock_wall_ms());
	return 0;
}

static int
teardown(void **state)
{
	world_free(*state);
	return 0;
}

static void
begin(struct world *w)
{
	world_begin(w, w->desk.now);
}

static struct desk_outcome
submit(struct world *w, const struct template *template)
{
	return world_submit(w, template, POP_NOT_NEEDED);
}

static struct entry
stored(struct world *w)
{
	struct entry entry;

	assert_int_equal(store_entry_find(w->reader, w->f.pool, &w->txn.key, 0, &entry), 0);
	return entry;
}

static void
approve(struct world *w)
{
	struct decision decision = {.kind = DECISION_APPROVE, .actor = "operator:test"};
	struct entry entry = stored(w);
	char hex[2 * ENTRY_ID_SIZE + 1];
	struct diag diag;

	begin(w);
	hex_encode(bytes_of(entry.id, sizeof(entry.id)), hex, sizeof(hex));
	assert_int_equal(desk_decide(&w->desk, hex, &decision, &entry, &diag), 0);
	world_commit(w);
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

/* ---- tests ---- */

static const char *made_kinds[] = {"ec:P-256", "rsa:2048", NULL};

/* What the certificate certifies is the key that came along, and its key identifier is there. */
static void
assert_made(struct desk_outcome *outcome)
{
	const unsigned char *p = outcome->certificate.data;
	X509 *x = d2i_X509(NULL, &p, (long)outcome->certificate.len);

	assert_non_null(x);
	assert_non_null(outcome->made_key);
	assert_int_equal(X509_check_private_key(x, outcome->made_key), 1);
	assert_non_null(X509_get0_subject_key_id(x));
	X509_free(x);
	EVP_PKEY_free(outcome->made_key);
}

static void
who_has_no_key_gets_one_when_it_is_collected(void **state)
{
	struct world *w = *state;
	struct template template = {.subject = template_of(&w->f).subject};
	struct desk_outcome outcome;
	struct entry entry;

	w->endpoint.central_key = made_kinds;
	begin(w);
	assert_int_equal(submit(w, &template).status, DESK_WAITING);
	unit_put_txn(w->desk.unit, &w->txn);
	world_commit(w);
	entry = stored(w);
	assert_string_equal(entry.make_key, "ec:P-256");
	assert_null(entry.requested.spki.data);
	approve(w);
	entry = stored(w);
	assert_string_equal(entry.make_key, "ec:P-256");
	assert_non_null(entry.resolved.extensions.data);
	assert_null(entry.resolved.spki.data);
	outcome = collect(w);
	assert_int_equal(outcome.status, DESK_GRANTED);
	assert_made(&outcome);
	assert_int_equal(stored(w).state, ENTRY_ISSUED);
	assert_memory_equal(stored(w).spki_sha256, outcome.entry.spki_sha256, DIGEST_SIZE);
	/* Once: it is not kept. */
	outcome = collect(w);
	assert_int_equal(outcome.status, DESK_REJECTED);
	assert_null(outcome.made_key);
}

static void
the_algorithm_asked_for_chooses_the_kind(void **state)
{
	static const uint8_t rsa[] = {0x30, 0x12, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
	    0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00, 0x03, 0x01, 0x00};
	static const uint8_t ed[] = {
	    0x30, 0x0a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x01, 0x00};
	struct world *w = *state;
	struct template template = {
	    .subject = template_of(&w->f).subject, .spki = bytes_of(rsa, sizeof(rsa))};
	struct desk_outcome outcome;

	w->endpoint.central_key = made_kinds;
	begin(w);
	outcome = submit(w, &template);
	assert_int_equal(outcome.status, DESK_WAITING);
	assert_string_equal(outcome.entry.make_key, "rsa:2048");
	template.spki = bytes_of(ed, sizeof(ed));
	outcome = submit(w, &template);
	assert_int_equal(outcome.error, CMPD_ETEMPLATE);
	assert_string_equal(outcome.text,
	    "keys of this algorithm are not made here: send a public key");
	unit_free(w->desk.unit);
}

static void
B3_16_no_key_is_made_unless_the_endpoint_says_so(void **state)
{
	struct world *w = *state;
	struct template template = {.subject = template_of(&w->f).subject};
	struct desk_outcome outcome;

	begin(w);
	outcome = submit(w, &template);
	assert_int_equal(outcome.error, CMPD_ETEMPLATE);
	assert_string_equal(outcome.text, "keys are not made here: send a public key");
	assert_true(unit_is_empty(w->desk.unit));
	unit_free(w->desk.unit);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(who_has_no_key_gets_one_when_it_is_collected),
	    T(the_algorithm_asked_for_chooses_the_kind),
	    T(B3_16_no_key_is_made_unless_the_endpoint_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
