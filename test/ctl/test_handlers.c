/* What the commands do, asked over the socket, with a store in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/pool.h"
#include "ctl/protocol.h"
#include "fixture.h"
#include "model/failinfo.h"
#include "model/name.h"
#include "store/store.h"

#define HOSTILE                                                                                    \
	"/CN=\x1b[2J\xe2\x80\xae"                                                                  \
	"evil\xff"

static struct fixture fixture;
static struct pool *pool;

static int
setup(void **state)
{
	(void)state;
	pool = pool_new(1u << 24);
	fixture_init(&fixture);
	assert_int_equal(fixture_start(&fixture, NULL), 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	fixture_stop(&fixture);
	fixture_fini(&fixture);
	pool_free(pool);
	return 0;
}

/* Entries are told apart by their first id bytes. */
static void
put_entry(uint32_t id, const char *subject)
{
	static const char *sans[] = {"DNS:a.example", "IP:10.0.0.1", NULL};
	struct unit *unit = unit_new();
	struct entry entry = {.state = ENTRY_PENDING,
	    .txn = {.protocol = PROTOCOL_CMP, .id_len = 16},
	    .type = REQUEST_IR,
	    .endpoint = "/one",
	    .profile = "device",
	    .subject = subject,
	    .sans = sans,
	    .pop = POP_VERIFIED,
	    .requester = "mac ref=dev1",
	    .peer = "127.0.0.1",
	    .received = clock_wall_ms(),
	    .expires = clock_wall_ms() + 1000000,
	    .check_after = 60000,
	    .fail_info = -1,
	    .approvals_needed = 1};

	for (int i = 0; i < 4; i++) {
		entry.id[i] = (uint8_t)(id >> (24 - 8 * i));
		entry.txn.id[i] = entry.id[i];
	}
	memset(entry.spki_sha256, 0xab, sizeof(entry.spki_sha256));
	assert_int_equal(name_from_text(pool, "/CN=asked", &entry.requested.subject), 0);
	unit_put_entry(unit, &entry, ENTRY_RECEIVED);
	unit_audit(unit, clock_wall_ms(), "client", "entry.held", "not this one", NULL);
	assert_int_equal(store_commit_wait(fixture.store, unit), 0);
}

static const char *
text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static int64_t
number_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

/* ---- entries ---- */

static void
test_list_tells_what_scripts_rely_on(void **state)
{
	static const char *const keys[] = {"id", "state", "protocol", "endpoint", "type", "txn",
	    "cert_req_id", "subject", "sans", "spki_sha256", "requester", "received", "check_after",
	    "version"};
	json_t *data;
	const json_t *entry;

	(void)state;
	put_entry(0x12345678, "/CN=device 1");
	data = client_data(&fixture, "list", NULL);
	entry = json_array_get(json_object_get(data, "items"), 0);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		assert_non_null(json_object_get(entry, keys[i]));
	}
	assert_string_equal(text_of(entry, "id"), "1234567800000000");
	assert_string_equal(text_of(entry, "state"), "pending");
	assert_string_equal(text_of(entry, "received"), "2023-11-14T22:13:20Z");
	assert_int_equal(number_of(entry, "check_after"), 60);
	assert_int_equal(number_of(entry, "version"), 1);
	assert_int_equal(number_of(data, "after"), 0);
	json_decref(data);
}

static void
test_list_comes_in_pages_and_filters(void **state)
{
	int64_t after = 0;
	size_t seen = 0;
	json_t *data;

	(void)state;
	for (uint32_t i = 0; i < 250; i++) {
		put_entry(i << 8, i % 5 ? "/CN=other" : "/CN=lab-1");
	}
	do {
		data = client_data(&fixture, "list",
		    json_pack("{s:I, s:s}", "after", (json_int_t)after, "subject", "/CN=lab-*"));
		seen += json_array_size(json_object_get(data, "items"));
		assert_true(json_array_size(json_object_get(data, "items")) <= 100);
		after = number_of(data, "after");
		json_decref(data);
	} while (after != 0);
	assert_int_equal(seen, 50);
	data = client_data(&fixture, "list", json_pack("{s:i}", "older_than", 1000));
	assert_int_equal(json_array_size(json_object_get(data, "items")), 0);
	json_decref(data);
	fixture_advance(5000);
	data =
	    client_data(&fixture, "list", json_pack("{s:i, s:i}", "older_than", 1000, "limit", 7));
	assert_int_equal(json_array_size(json_object_get(data, "items")), 7);
	json_decref(data);
	data = client_data(&fixture, "list", json_pack("{s:s}", "state", "denied"));
	assert_int_equal(json_array_size(json_object_get(data, "items")), 0);
	json_decref(data);
	(void)client_error(&fixture, "list", json_pack("{s:s}", "state", "nothing"), CMPD_EINVAL);
	(void)client_error(&fixture, "list", json_pack("{s:i}", "older_than", -1), CMPD_EINVAL);
}

static void
test_a_page_of_long_entries_fits_into_an_answer(void **state)
{
	char *longer = malloc(60001);
	json_t *data;

	(void)state;
	memset(longer, '\n', 60000);
	longer[60000] = '\0';
	for (uint32_t i = 0; i < 100; i++) {
		put_entry(i, longer);
	}
	data = client_data(&fixture, "list", NULL);
	assert_true(json_array_size(json_object_get(data, "items")) >= 1);
	json_decref(data);
	free(longer);
}

static void
test_short_ids_are_unique_and_have_six_digits(void **state)
{
	static const char *const expected[] = {"aaaaaa00", "aaaaaa01", "bbbbbb"};
	json_t *data, *shown;

	(void)state;
	put_entry(0xaaaaaa00, "/CN=a");
	put_entry(0xaaaaaa01, "/CN=b");
	put_entry(0xbbbbbb00, "/CN=c");
	data = client_data(&fixture, "list", json_pack("{s:b}", "short", 1));
	for (size_t i = 0; i < 3; i++) {
		const json_t *entry = json_array_get(json_object_get(data, "items"), i);

		assert_string_equal(text_of(entry, "short"), expected[i]);
		shown = client_data(&fixture, "show", json_pack("{s:s}", "id", expected[i]));
		assert_string_equal(text_of(shown, "id"), text_of(entry, "id"));
		json_decref(shown);
	}
	json_decref(data);
	(void)client_error(&fixture, "show", json_pack("{s:s}", "id", "aaaaaa0"), CMPD_EINVAL);
	(void)client_error(&fixture, "show", json_pack("{s:s}", "id", "cc"), CMPD_ENOENT);
	(void)client_error(&fixture, "show", json_pack("{s:s}", "id", "xyz"), CMPD_EINVAL);
	(void)client_error(&fixture, "show", json_pack("{s:s}", "id", ""), CMPD_EINVAL);
	(void)client_error(&fixture, "show", json_pack("{s:s}", "id", "12345678901234567"),
	    CMPD_EINVAL);
}

static void
test_B7_5_hostile_subjects_are_escaped(void **state)
{
	json_t *data;

	(void)state;
	put_entry(1, HOSTILE);
	data = client_data(&fixture, "show", json_pack("{s:s}", "id", "00000001"));
	assert_string_equal(text_of(data, "subject"), "/CN=\\1B[2J\\E2\\80\\AEevil\\FF");
	json_decref(data);
}

static void
test_deny_is_durable_final_and_in_the_history(void **state)
{
	json_t *data;
	const json_t *line;

	(void)state;
	put_entry(0x77000000, "/CN=a");
	fixture_advance(3600000);
	data = client_data(&fixture, "deny",
	    json_pack("{s:s, s:i, s:s, s:s}", "id", "77", "version", 1, "reason", "badCertTemplate",
		"text", "not in the\ninventory"));
	assert_string_equal(text_of(data, "state"), "denied");
	assert_int_equal(number_of(data, "version"), 2);
	json_decref(data);
	data = client_data(&fixture, "show", json_pack("{s:s}", "id", "77"));
	assert_int_equal(number_of(data, "version"), 2);
	assert_string_equal(text_of(data, "fail_info"), "badCertTemplate");
	assert_string_equal(text_of(data, "text"), "not in the\\0Ainventory");
	assert_non_null(strstr(text_of(data, "decided_by"), "operator:"));
	assert_string_equal(text_of(json_object_get(data, "requested"), "subject"), "/CN=asked");
	line = json_array_get(json_object_get(data, "history"), 0);
	assert_int_equal(json_array_size(json_object_get(data, "history")), 1);
	assert_string_equal(text_of(line, "what"), "entry.denied");
	assert_string_equal(text_of(line, "time"), "2023-11-14T23:13:20Z");
	json_decref(data);
	(void)client_error(&fixture, "deny", json_pack("{s:s}", "id", "77"), CMPD_ESTATE);
}

static void
test_B7_2_what_changed_since_is_not_decided(void **state)
{
	static const char *const commands[] = {"approve", "deny"};
	json_t *data;

	(void)state;
	put_entry(0x77000000, "/CN=a");
	json_decref(client_data(&fixture, "comment",
	    json_pack("{s:s, s:s}", "id", "77", "text", "wait a moment")));
	for (int i = 0; i < 2; i++) {
		json_t *answer = client_ask(&fixture, commands[i],
		    json_pack("{s:s, s:i}", "id", "77", "version", 1));

		assert_int_equal(number_of(answer, "code"), CMPD_ECONFLICT);
		assert_non_null(strstr(text_of(answer, "text"), "changed since you looked"));
		assert_int_equal(number_of(json_object_get(answer, "data"), "version"), 2);
		json_decref(answer);
	}
	data = client_data(&fixture, "show", json_pack("{s:s}", "id", "77"));
	assert_string_equal(text_of(data, "state"), "pending");
	json_decref(data);
}

static void
test_deny_takes_only_names_of_the_rfc_and_short_texts(void **state)
{
	char text[1002];

	(void)state;
	put_entry(0x77000000, "/CN=a");
	(void)client_error(&fixture, "deny", json_pack("{s:s, s:s}", "id", "77", "reason", "bad"),
	    CMPD_EINVAL);
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	(void)client_error(&fixture, "deny", json_pack("{s:s, s:s}", "id", "77", "text", text),
	    CMPD_ELIMIT);
	(void)client_error(&fixture, "deny", json_pack("{s:s, s:i}", "id", "77", "version", -1),
	    CMPD_EINVAL);
	assert_string_equal(failinfo_name(failinfo_parse("badCertTemplate")), "badCertTemplate");
}

static void *
comment_eight_times(void *arg)
{
	(void)arg;
	for (int i = 0; i < 8; i++) {
		json_decref(client_data(&fixture, "comment",
		    json_pack("{s:s, s:s}", "id", "77", "text", "me too")));
	}
	return NULL;
}

/* Each reads, adds its own and writes: who loses reads again. */
static void
test_operators_at_the_same_time_lose_nothing(void **state)
{
	pthread_t threads[4];
	json_t *data;

	(void)state;
	put_entry(0x77000000, "/CN=a");
	for (int i = 0; i < 4; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, comment_eight_times, NULL), 0);
	}
	for (int i = 0; i < 4; i++) {
		(void)pthread_join(threads[i], NULL);
	}
	data = client_data(&fixture, "show", json_pack("{s:s}", "id", "77"));
	assert_int_equal(json_array_size(json_object_get(data, "comments")), 32);
	assert_int_equal(number_of(data, "version"), 33);
	json_decref(data);
	(void)client_error(&fixture, "comment", json_pack("{s:s, s:s}", "id", "77", "text", "x"),
	    CMPD_ELIMIT);
}

/* ---- secrets ---- */

static void
test_a_secret_is_made_told_once_and_removed(void **state)
{
	json_t *data = client_data(&fixture, "secret add", json_pack("{s:s}", "ref", "dev1"));
	char *first = strdup(text_of(data, "secret"));
	const json_t *item;

	(void)state;
	assert_int_equal(strlen(first), 26);
	assert_int_equal(strspn(first, "0123456789abcdefghjkmnpqrstvwxyz"), 26);
	json_decref(data);
	data = client_data(&fixture, "secret list", NULL);
	item = json_array_get(json_object_get(data, "items"), 0);
	assert_string_equal(text_of(item, "ref"), "dev1");
	assert_null(json_object_get(item, "secret"));
	assert_true(json_is_null(json_object_get(item, "uses_left")));
	json_decref(data);
	(void)client_error(&fixture, "secret add", json_pack("{s:s}", "ref", "dev1"), CMPD_EEXIST);
	json_decref(client_data(&fixture, "secret remove", json_pack("{s:s}", "ref", "dev1")));
	(void)client_error(&fixture, "secret remove", json_pack("{s:s}", "ref", "dev1"),
	    CMPD_ENOENT);
	data = client_data(&fixture, "secret add", json_pack("{s:s}", "ref", "dev1"));
	assert_string_not_equal(text_of(data, "secret"), first);
	json_decref(data);
	free(first);
}

static void
test_a_given_secret_is_stored_as_it_is(void **state)
{
	json_t *data = client_data(&fixture, "secret add",
	    json_pack("{s:s, s:s, s:s, s:s, s:i, s:i}", "ref", "dev1", "secret_hex", "00ff10",
		"endpoint", "/one", "subject", "/C=DE/CN=a", "uses", 3, "ttl", 60000));
	struct store_reader *reader = NULL;
	struct secret secret;

	(void)state;
	assert_null(json_object_get(data, "secret"));
	assert_string_equal(text_of(data, "expires"), "2023-11-14T22:14:20Z");
	json_decref(data);
	assert_int_equal(store_reader_open(fixture.store, &reader), 0);
	assert_int_equal(store_secret_find(reader, pool, "dev1", "/one", &secret), 0);
	assert_int_equal(secret.value.len, 3);
	assert_memory_equal(secret.value.data, "\x00\xff\x10", 3);
	assert_string_equal(secret.subject, "/C=DE/CN=a");
	assert_int_equal(secret.uses_left, 3);
	store_reader_close(reader);
}

static void
test_a_secret_makes_sense(void **state)
{
	static const struct {
		const char *key, *value;
	} texts[] = {
	    {"secret_hex", ""},
	    {"secret_hex", "0"},
	    {"secret_hex", "zz"},
	    {"endpoint", "/nowhere"},
	    {"profile", "nothing"},
	    {"subject", "CN=a"},
	};
	char hex[2 * 129 + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		(void)client_error(&fixture, "secret add",
		    json_pack("{s:s, s:s}", "ref", "a", texts[i].key, texts[i].value), CMPD_EINVAL);
	}
	memset(hex, '0', sizeof(hex) - 1);
	hex[sizeof(hex) - 1] = '\0';
	(void)client_error(&fixture, "secret add",
	    json_pack("{s:s, s:s}", "ref", "a", "secret_hex", hex), CMPD_EINVAL);
	(void)client_error(&fixture, "secret add", json_pack("{s:s}", "ref", ""), CMPD_EINVAL);
	(void)client_error(&fixture, "secret add", json_pack("{s:s}", "ref", "a\nb"), CMPD_EINVAL);
	(void)client_error(&fixture, "secret add", json_pack("{s:s, s:i}", "ref", "a", "uses", 0),
	    CMPD_EINVAL);
	(void)client_error(&fixture, "secret add", json_pack("{s:s, s:i}", "ref", "a", "ttl", -1),
	    CMPD_EINVAL);
}

static void
test_a_rotated_secret_takes_over_what_it_was_bound_to(void **state)
{
	struct store_reader *reader = NULL;
	struct secret old, secret;
	json_t *data;

	(void)state;
	assert_int_equal(store_reader_open(fixture.store, &reader), 0);
	json_decref(client_data(&fixture, "secret add",
	    json_pack("{s:s, s:s, s:s, s:s, s:i, s:b}", "ref", "dev1", "secret_hex", "0011",
		"endpoint", "/one", "subject", "/CN=a", "uses", 3, "until_confirmed", 1)));
	(void)client_error(&fixture, "secret rotate",
	    json_pack("{s:s, s:s}", "ref", "dev1", "secret_hex", "0011"), CMPD_EINVAL);
	(void)client_error(&fixture, "secret rotate",
	    json_pack("{s:s, s:i}", "ref", "dev1", "overlap", -1), CMPD_EINVAL);
	(void)client_error(&fixture, "secret rotate", json_pack("{s:s}", "ref", "dev2"),
	    CMPD_ENOENT);
	data = client_data(&fixture, "secret rotate",
	    json_pack("{s:s, s:s, s:i}", "ref", "dev1", "endpoint", "/one", "overlap", 5000));
	assert_int_equal(strlen(text_of(data, "secret")), 26);
	json_decref(data);
	assert_int_equal(store_secret_find(reader, pool, "dev1", "/one", &secret), 0);
	assert_string_equal(secret.subject, "/CN=a");
	assert_string_equal(secret.endpoint, "/one");
	assert_int_equal(secret.uses_left, 3);
	assert_true(secret.until_confirmed);
	assert_int_equal(store_secret_find_retiring(reader, pool, "dev1", "/one", &old), 0);
	assert_int_equal(old.value.len, 2);
	assert_true(old.expires > 0);
	/* Two are enough; removing the reference removes both, retiring only that one. */
	(void)client_error(&fixture, "secret rotate", json_pack("{s:s}", "ref", "dev1"),
	    CMPD_EEXIST);
	json_decref(client_data(&fixture, "secret remove",
	    json_pack("{s:s, s:b}", "ref", "dev1", "retiring", 1)));
	(void)client_error(&fixture, "secret remove",
	    json_pack("{s:s, s:b}", "ref", "dev1", "retiring", 1), CMPD_ENOENT);
	json_decref(client_data(&fixture, "secret rotate", json_pack("{s:s}", "ref", "dev1")));
	json_decref(client_data(&fixture, "secret remove", json_pack("{s:s}", "ref", "dev1")));
	assert_int_equal(store_secret_find(reader, pool, "dev1", "/one", &secret), CMPD_ENOENT);
	assert_int_equal(store_secret_find_retiring(reader, pool, "dev1", "/one", &secret),
	    CMPD_ENOENT);
	store_reader_close(reader);
}

static void
test_secrets_of_several_endpoints_are_told_apart(void **state)
{
	(void)state;
	json_decref(client_data(&fixture, "secret add",
	    json_pack("{s:s, s:s}", "ref", "a", "endpoint", "/one")));
	json_decref(client_data(&fixture, "secret add",
	    json_pack("{s:s, s:s}", "ref", "a", "endpoint", "/two")));
	(void)client_error(&fixture, "secret remove", json_pack("{s:s}", "ref", "a"), CMPD_EINVAL);
	json_decref(client_data(&fixture, "secret remove",
	    json_pack("{s:s, s:s}", "ref", "a", "endpoint", "/one")));
	/* The endpoint of the other one is not configured any more. */
	fixture.conf.n_endpoints = 1;
	json_decref(client_data(&fixture, "secret remove", json_pack("{s:s}", "ref", "a")));
	(void)client_error(&fixture, "secret remove", json_pack("{s:s}", "ref", "a"), CMPD_ENOENT);
}

/* ---- certificates ---- */

static void
put_cert(uint8_t last)
{
	uint8_t serial[20] = {0x11};
	uint8_t der[100];
	struct unit *unit = unit_new();
	struct cert cert = {.serial = bytes_of(serial, sizeof(serial)),
	    .der = bytes_of(der, sizeof(der)),
	    .subject = "/CN=a",
	    .profile = "device",
	    .not_before = clock_wall_ms(),
	    .not_after = clock_wall_ms() + 86400000,
	    .reason = -1};

	memset(der, 0x55, sizeof(der));
	serial[19] = last;
	unit_put_cert(unit, &cert);
	assert_int_equal(store_commit_wait(fixture.store, unit), 0);
}

static void
test_certificates_are_listed_shown_and_revoked(void **state)
{
	json_t *data;
	const json_t *items;

	(void)state;
	put_cert(1);
	put_cert(2);
	(void)client_error(&fixture, "cert show", json_pack("{s:s}", "serial", "11"), CMPD_EINVAL);
	(void)client_error(&fixture, "cert show", json_pack("{s:s}", "serial", "12"), CMPD_ENOENT);
	data = client_data(&fixture, "cert list", NULL);
	items = json_object_get(data, "items");
	assert_int_equal(json_array_size(items), 2);
	json_decref(client_data(&fixture, "cert revoke",
	    json_pack("{s:s, s:s}", "serial", text_of(json_array_get(items, 0), "serial"), "reason",
		"keyCompromise")));
	json_decref(data);
	data = client_data(&fixture, "cert list", json_pack("{s:s}", "status", "revoked"));
	items = json_object_get(data, "items");
	assert_int_equal(json_array_size(items), 1);
	assert_string_equal(text_of(json_array_get(items, 0), "reason"), "keyCompromise");
	(void)client_error(&fixture, "cert revoke",
	    json_pack("{s:s}", "serial", text_of(json_array_get(items, 0), "serial")),
	    CMPD_EREVOKED);
	json_decref(data);
}

static void
test_a_certificate_is_told_as_pem(void **state)
{
	json_t *data;
	const char *pem;

	(void)state;
	put_cert(1);
	data = client_data(&fixture, "cert show", json_pack("{s:s}", "serial", "11"));
	pem = text_of(data, "pem");
	assert_int_equal(strncmp(pem, "-----BEGIN CERTIFICATE-----\nVVVV", 32), 0);
	/* 100 bytes are 136 characters: lines of 64, 64 and 8. */
	assert_int_equal(strlen(pem), 28 + 65 + 65 + 9 + 26);
	assert_string_equal(pem + strlen(pem) - 26, "-----END CERTIFICATE-----\n");
	json_decref(data);
}

static void
test_a_hold_or_a_foreign_reason_is_no_revocation(void **state)
{
	static const char *const reasons[] = {
	    "certificateHold", "removeFromCRL", "keycompromise", ""};

	(void)state;
	put_cert(1);
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		(void)client_error(&fixture, "cert revoke",
		    json_pack("{s:s, s:s}", "serial", "11", "reason", reasons[i]), CMPD_EINVAL);
	}
}

/* ---- the daemon ---- */

static void
test_status_counts(void **state)
{
	json_t *data;

	(void)state;
	put_entry(1, "/CN=a");
	put_entry(2, "/CN=a");
	put_cert(1);
	data = client_data(&fixture, "status", NULL);
	assert_string_equal(text_of(data, "version"), "0.test");
	assert_int_equal(number_of(data, "uptime"), 5);
	assert_int_equal(number_of(json_object_get(data, "entries"), "pending"), 2);
	assert_int_equal(number_of(json_object_get(data, "entries"), "denied"), 0);
	assert_int_equal(number_of(data, "certificates"), 1);
	json_decref(data);
}

int
main(void)
{
#define STORY(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    STORY(test_list_tells_what_scripts_rely_on),
	    STORY(test_list_comes_in_pages_and_filters),
	    STORY(test_a_page_of_long_entries_fits_into_an_answer),
	    STORY(test_short_ids_are_unique_and_have_six_digits),
	    STORY(test_B7_5_hostile_subjects_are_escaped),
	    STORY(test_deny_is_durable_final_and_in_the_history),
	    STORY(test_B7_2_what_changed_since_is_not_decided),
	    STORY(test_deny_takes_only_names_of_the_rfc_and_short_texts),
	    STORY(test_operators_at_the_same_time_lose_nothing),
	    STORY(test_a_secret_is_made_told_once_and_removed),
	    STORY(test_a_given_secret_is_stored_as_it_is),
	    STORY(test_a_secret_makes_sense),
	    STORY(test_a_rotated_secret_takes_over_what_it_was_bound_to),
	    STORY(test_secrets_of_several_endpoints_are_told_apart),
	    STORY(test_certificates_are_listed_shown_and_revoked),
	    STORY(test_a_certificate_is_told_as_pem),
	    STORY(test_a_hold_or_a_foreign_reason_is_no_revocation),
	    STORY(test_status_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
