/*
 * Who may do what with whose certificate.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "enrol/desk.h"
#include "issuer/fixture.h"

struct world {
	struct fixture f;
	struct conf_ca cas[2];
	struct conf_profile profiles[2];
	struct conf_endpoint endpoint;
	struct desk desk;
	struct cert cert;
	struct desk_requester stranger, ra, itself;
};

/* Two CAs; the endpoint has a profile of the first. */
static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	EVP_PKEY *key = make_key("P-256");
	X509 *other = make_ca(key, "other", 100);
	char file[128], key_file[128];

	fixture_init(&w->f, "P-256", 100);
	snprintf(file, sizeof(file), "%s/other.pem", w->f.dir);
	snprintf(key_file, sizeof(key_file), "%s/other.key", w->f.dir);
	write_pem(file, other, NULL);
	write_pem(key_file, NULL, key);
	w->cas[0] = w->f.ca;
	w->cas[1] = w->f.ca;
	w->cas[1].name = "other";
	w->cas[1].certificate = pool_strdup(w->f.pool, file);
	w->cas[1].key = pool_strdup(w->f.pool, key_file);
	w->profiles[0] = w->profiles[1] = w->f.profile;
	w->profiles[1].name = "second";
	w->profiles[1].ca = "other";
	w->f.conf.cas = w->cas;
	w->f.conf.n_cas = 2;
	w->f.conf.profiles = w->profiles;
	w->f.conf.n_profiles = 2;
	assert_int_equal(fixture_issuer(&w->f), 0);
	w->endpoint = (struct conf_endpoint){.path = "/a", .profile = w->profiles[0].name};
	w->desk = (struct desk){.conf = &w->f.conf, .issuer = w->f.issuer, .pool = w->f.pool};
	memset(w->cert.sha256, 7, sizeof(w->cert.sha256));
	assert_int_equal(issuer_ca_id(w->f.issuer, w->profiles[0].name, w->cert.ca), 0);
	w->stranger.signer = w->ra.signer = w->itself.signer = bytes_str("a certificate");
	w->ra.ra = "plant-7";
	memcpy(w->itself.identity.certificate, w->cert.sha256, DIGEST_SIZE);
	X509_free(other);
	EVP_PKEY_free(key);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	fixture_fini(&w->f);
	free(w);
	return 0;
}

static int
may(struct world *w, const struct desk_requester *requester, enum desk_deed deed)
{
	struct diag diag = {""};
	int error = desk_may(&w->desk, requester, &w->endpoint, deed,
	    deed == DESK_DEED_RA_VERIFIED ? NULL : &w->cert, &diag);

	/* A refusal always says why. */
	assert_true(error == 0 || diag.text[0] != '\0');
	return error;
}

static void
B4_8_raverified_is_for_ras_alone(void **state)
{
	struct world *w = *state;

	assert_int_equal(may(w, &w->ra, DESK_DEED_RA_VERIFIED), 0);
	assert_int_equal(may(w, &w->itself, DESK_DEED_RA_VERIFIED), CMPD_EACCES);
	assert_int_equal(may(w, &w->stranger, DESK_DEED_RA_VERIFIED), CMPD_EACCES);
}

static void
B4_4_B4_5_a_certificate_acts_for_itself_and_an_ra_for_others(void **state)
{
	static const enum desk_deed deeds[] = {DESK_DEED_UPDATE, DESK_DEED_REVOKE};
	struct world *w = *state;

	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(may(w, &w->itself, deeds[i]), 0);
		assert_int_equal(may(w, &w->ra, deeds[i]), 0);
		assert_int_equal(may(w, &w->stranger, deeds[i]), CMPD_EACCES);
	}
}

static void
B4_8_an_ra_ends_at_the_cas_of_its_endpoint(void **state)
{
	struct world *w = *state;
	const char *more[] = {"second", NULL};

	assert_int_equal(issuer_ca_id(w->f.issuer, "second", w->cert.ca), 0);
	assert_int_equal(may(w, &w->ra, DESK_DEED_REVOKE), CMPD_EACCES);
	assert_int_equal(may(w, &w->ra, DESK_DEED_UPDATE), CMPD_EACCES);
	assert_int_equal(may(w, &w->itself, DESK_DEED_REVOKE), 0);
	/* A profile that may be chosen there counts too. */
	w->endpoint.profiles = more;
	assert_int_equal(may(w, &w->ra, DESK_DEED_REVOKE), 0);
	assert_int_equal(may(w, &w->ra, DESK_DEED_UPDATE), 0);
	memset(w->cert.ca, 9, sizeof(w->cert.ca));
	assert_int_equal(may(w, &w->ra, DESK_DEED_REVOKE), CMPD_EACCES);
}

/* Nobody's digest is all zeros, but that of a secret's requester is. */
static void
a_secret_is_never_the_certificate_itself(void **state)
{
	struct world *w = *state;
	struct secret secret = {.id = 1};
	struct desk_requester device = {.secret = &secret};

	memset(w->cert.sha256, 0, sizeof(w->cert.sha256));
	assert_int_equal(may(w, &device, DESK_DEED_UPDATE), CMPD_EACCES);
	assert_int_equal(may(w, &device, DESK_DEED_REVOKE), CMPD_EACCES);
	device.ra = "lab";
	assert_int_equal(may(w, &device, DESK_DEED_REVOKE), 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(B4_8_raverified_is_for_ras_alone),
	    TEST(B4_4_B4_5_a_certificate_acts_for_itself_and_an_ra_for_others),
	    TEST(B4_8_an_ra_ends_at_the_cas_of_its_endpoint),
	    TEST(a_secret_is_never_the_certificate_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
