/*
 * When CRLs are made, and what lies on the shelf: real store, clock of the test's own, CRLs of three bytes and their number.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "conf/conf.h"
#include "daemon/crls.h"
#include "daemon/fakes.h"
#include "daemon/shelf.h"
#include "enrol/desk.h"
#include "http/http.h"
#include "store/store.h"

static int64_t mono = 1000;

static int64_t
read_wall(void)
{
	return 1700000000000 + mono;
}

static int64_t
read_mono(void)
{
	return mono;
}

struct stage {
	struct store *store;
	struct store_reader *reader;
	struct crls *crls;
	struct desk desk;
	struct shelf *shelf;
	int shelves;
};

static void
publish(void *arg, struct shelf *shelf)
{
	struct stage *s = arg;

	shelf_free(s->shelf);
	s->shelf = shelf;
	s->shelves++;
}

static int
setup(void **state)
{
	struct store_options options = {.dir = NULL};
	struct stage *s = calloc(1, sizeof(*s));
	struct diag diag;

	clock_set_source(read_wall, read_mono);
	log_set_level(LOG_LEVEL_ERROR);
	fake_crl_fails = 0;
	assert_int_equal(store_open(&options, &s->store, &diag), 0);
	assert_int_equal(store_reader_open(s->store, &s->reader), 0);
	s->crls = crls_new(s->store, publish, s);
	s->desk = (struct desk){.reader = s->reader};
	*state = s;
	return s->crls == NULL;
}

static int
teardown(void **state)
{
	struct stage *s = *state;

	crls_free(s->crls);
	shelf_free(s->shelf);
	store_reader_close(s->reader);
	store_close(s->store);
	free(s);
	clock_set_source(NULL, NULL);
	return 0;
}

static void
revoke(struct stage *s, uint8_t n)
{
	struct cert cert = {.ca = {0xab, 0xcd},
	    .serial = bytes_of(&n, 1),
	    .der = bytes_str("der"),
	    .status = CERT_REVOKED,
	    .reason = 1,
	    .revoked = 1};
	struct unit *unit = unit_new();

	unit_put_cert(unit, &cert);
	assert_int_equal(store_commit_wait(s->store, unit), 0);
}

/* The number of the CRL on the shelf; 0: none. */
static int
on_shelf(struct stage *s, const char *path)
{
	struct http_file file;
	int number;

	if (shelf_find(s->shelf, path, &file) < 0) {
		return 0;
	}
	assert_int_equal(file.body.len, 4);
	assert_string_equal(file.type, "application/pkix-crl");
	number = file.body.data[3];
	file.release(file.holder);
	return number;
}

static void
the_first_is_there_at_once(void **state)
{
	struct stage *s = *state;
	struct http_file file;

	crls_run(s->crls, &s->desk);
	assert_int_equal(on_shelf(s, "/crl/main.crl"), 1);
	assert_int_equal(on_shelf(s, "/crl/main-abcd0000.crl"), 1);
	assert_int_equal(on_shelf(s, "/crl/main"), 0);
	assert_int_equal(on_shelf(s, "/crl/other.crl"), 0);
	assert_int_equal(shelf_find(s->shelf, "/ca/main.cer", &file), 0);
	assert_true(bytes_equal(file.body, bytes_str("cert")));
	assert_string_equal(file.type, "application/pkix-cert");
	assert_int_equal(strlen(file.etag), 34);
	/* What is being sent outlives the shelf. */
	shelf_free(s->shelf);
	s->shelf = NULL;
	assert_int_equal(shelf_find(s->shelf, "/ca/main.cer", &file), CMPD_ENOENT);
	assert_true(bytes_equal(file.body, bytes_str("cert")));
	file.release(file.holder);
	/* Nothing has changed: nothing is published again. */
	mono += 5000;
	crls_run(s->crls, &s->desk);
	assert_int_equal(s->shelves, 1);
	crls_changed(s->crls);
	crls_run(s->crls, &s->desk);
	assert_int_equal(s->shelves, 2);
}

static void
revocations_within_a_second_share_one(void **state)
{
	struct stage *s = *state;
	int64_t again;

	crls_run(s->crls, &s->desk);
	mono += 2000;
	revoke(s, 1);
	crls_run(s->crls, &s->desk);
	assert_int_equal(on_shelf(s, "/crl/main.crl"), 2);
	mono += 100;
	revoke(s, 2);
	again = crls_run(s->crls, &s->desk);
	assert_int_equal(on_shelf(s, "/crl/main.crl"), 2);
	assert_int_equal(again, mono + 900);
	mono += 500;
	revoke(s, 3);
	crls_run(s->crls, &s->desk);
	assert_int_equal(on_shelf(s, "/crl/main.crl"), 2);
	mono = again;
	crls_run(s->crls, &s->desk);
	assert_int_equal(on_shelf(s, "/crl/main.crl"), 3);
}

static void
numbers_go_on_after_a_restart(void **state)
{
	struct stage *s = *state;

	crls_run(s->crls, &s->desk);
	mono += 2000;
	revoke(s, 1);
	crls_run(s->crls, &s->desk);
	crls_free(s->crls);
	s->crls = crls_new(s->store, publish, s);
	crls_run(s->crls, &s->desk);
	assert_int_equal(on_shelf(s, "/crl/main.crl"), 2);
	mono += 2000;
	revoke(s, 2);
	crls_run(s->crls, &s->desk);
	assert_int_equal(on_shelf(s, "/crl/main.crl"), 3);
}

static void
after_a_failure_the_old_one_stays_and_it_is_tried_again(void **state)
{
	struct stage *s = *state;

	crls_run(s->crls, &s->desk);
	mono += 2000;
	revoke(s, 1);
	log_set_fd(-1);
	fake_crl_fails = 1;
	crls_run(s->crls, &s->desk);
	log_set_fd(2);
	assert_int_equal(on_shelf(s, "/crl/main.crl"), 1);
	mono += 2000;
	crls_run(s->crls, &s->desk);
	assert_int_equal(on_shelf(s, "/crl/main.crl"), 1);
	mono += 10000;
	crls_run(s->crls, &s->desk);
	assert_int_equal(on_shelf(s, "/crl/main.crl"), 2);
}

static void
one_is_made_when_it_is_asked_for(void **state)
{
	static const uint8_t ours[CA_ID_SIZE] = {0xab, 0xcd}, other[CA_ID_SIZE] = {1};
	struct stage *s = *state;
	struct diag diag;

	assert_int_equal(crls_make(s->crls, &s->desk, ours, &diag), 0);
	assert_int_equal(crls_make(s->crls, &s->desk, ours, &diag), 0);
	assert_int_equal(on_shelf(s, "/crl/main.crl"), 2);
	assert_int_equal(crls_make(s->crls, &s->desk, other, &diag), CMPD_ENOENT);
	fake_crl_fails = 1;
	assert_int_equal(crls_make(s->crls, &s->desk, ours, &diag), CMPD_ECRYPTO);
	assert_int_equal(on_shelf(s, "/crl/main.crl"), 2);
}

#define T(label, name)                                                                             \
	{                                                                                          \
		label, name, setup, teardown, NULL                                                 \
	}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T("B4.12 the first is there at once", the_first_is_there_at_once),
	    T("B4.5 revocations within a second share one", revocations_within_a_second_share_one),
	    T("numbers go on after a restart", numbers_go_on_after_a_restart),
	    T("after a failure the old one stays and it is tried again",
		after_a_failure_the_old_one_stays_and_it_is_tried_again),
	    T("one is made when it is asked for", one_is_made_when_it_is_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
