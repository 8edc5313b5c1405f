/* Two generations of a CA under one name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"
#include "issuer/crl.h"

struct old {
	EVP_PKEY *key;
	X509 *x509;
	char cert_file[128], key_file[128];
	struct conf_previous previous;
};

static void
old_init(struct fixture *f, struct old *old, EVP_PKEY *key, const char *name)
{
	*old = (struct old){.key = key};
	snprintf(old->cert_file, sizeof(old->cert_file), "%s/old.pem", f->dir);
	snprintf(old->key_file, sizeof(old->key_file), "%s/old.key", f->dir);
	old->x509 = make_ca(old->key, name, 36500);
	write_pem(old->cert_file, old->x509, NULL);
	write_pem(old->key_file, NULL, old->key);
	old->previous = (struct conf_previous){.certificate = old->cert_file, .key = old->key_file};
	f->ca.previous = &old->previous;
	f->ca.n_previous = 1;
}

static void
old_fini(struct old *old)
{
	X509_free(old->x509);
	EVP_PKEY_free(old->key);
	unlink(old->cert_file);
	unlink(old->key_file);
}

static struct issuer_generation
generation(struct fixture *f, size_t n)
{
	struct issuer_generation g;

	assert_int_equal(issuer_generation0(f->issuer, n, &g), 0);
	return g;
}

/* A certificate of the CA that is current now. */
static X509 *
issue(struct fixture *f, struct cert *ret)
{
	struct template asked = template_of(f), resolved;
	const char *mods;
	struct bytes hash;
	const unsigned char *p;
	X509 *x509;

	assert_int_equal(
	    issuer_resolve(f->issuer, "device", &asked, f->pool, &resolved, &mods, &f->diag), 0);
	assert_int_equal(issuer_sign(f->issuer, "device", &resolved, INT64_C(1900000000000),
			     f->pool, ret, &hash, &f->diag),
	    0);
	p = ret->der.data;
	x509 = d2i_X509(NULL, &p, (long)ret->der.len);
	assert_non_null(x509);
	return x509;
}

static void
both_generations_are_known(void **state)
{
	const unsigned char *name;
	uint8_t id[CA_ID_SIZE], first[CA_ID_SIZE];
	struct cert old_cert, new_cert;
	X509 *old_x509, *new_x509;
	struct fixture f;
	struct old old;
	size_t len;

	(void)state;
	fixture_init(&f, "P-256", 36500);
	old_x509 = issue(&f, &old_cert);
	memcpy(first, generation(&f, 0).id, sizeof(first));

	/* The roll-over: what was current is previous now. */
	old_init(&f, &old, f.ca_key, "Test CA");
	EVP_PKEY_up_ref(f.ca_key);
	EVP_PKEY_free(f.ca_key);
	f.ca_key = make_key("P-384");
	X509_free(f.ca_x509);
	f.ca_x509 = make_ca(f.ca_key, "Test CA", 36500);
	unlink(f.cert_file);
	unlink(f.key_file);
	write_pem(f.cert_file, f.ca_x509, NULL);
	write_pem(f.key_file, NULL, f.ca_key);
	assert_int_equal(fixture_issuer(&f), 0);

	assert_true(generation(&f, 0).current);
	assert_false(generation(&f, 1).current);
	assert_true(generation(&f, 1).makes_crls);
	/* Another certificate for the same name and key is the same generation. */
	assert_memory_equal(generation(&f, 1).id, first, sizeof(first));
	new_x509 = issue(&f, &new_cert);
	assert_memory_equal(new_cert.ca, generation(&f, 0).id, CA_ID_SIZE);
	assert_int_equal(X509_verify(new_x509, f.ca_key), 1);
	assert_int_equal(issuer_ca_of(f.issuer, old_x509, id), 0);
	assert_memory_equal(id, old_cert.ca, CA_ID_SIZE);
	assert_int_equal(issuer_ca_of(f.issuer, new_x509, id), 0);
	assert_memory_equal(id, new_cert.ca, CA_ID_SIZE);
	assert_int_equal(X509_NAME_get0_der(X509_get_subject_name(f.ca_x509), &name, &len), 1);
	assert_int_equal(issuer_ca_named(f.issuer, bytes_of(name, len), 0, id), 0);
	assert_memory_equal(id, new_cert.ca, CA_ID_SIZE);
	assert_int_equal(issuer_ca_named(f.issuer, bytes_of(name, len), 1, id), 0);
	assert_memory_equal(id, old_cert.ca, CA_ID_SIZE);
	assert_int_equal(issuer_ca_named(f.issuer, bytes_of(name, len), 2, id), CMPD_ENOENT);
	X509_free(old_x509);
	X509_free(new_x509);
	old_fini(&old);
	fixture_fini(&f);
}

static void
each_generation_signs_its_own_crl(void **state)
{
	struct issuer_crl *making = NULL;
	const unsigned char *p;
	struct fixture f;
	struct old old;
	X509_CRL *crl;
	struct buf der;

	(void)state;
	fixture_init(&f, "P-256", 36500);
	old_init(&f, &old, make_key("2048"), "Test CA");
	assert_int_equal(fixture_issuer(&f), 0);
	assert_int_equal(issuer_crl_begin(f.issuer, generation(&f, 1).id, 5, 1000, 2000000, &making,
			     &f.diag),
	    0);
	buf_init(&der, 1 << 20);
	assert_int_equal(issuer_crl_end(making, &der, &f.diag), 0);
	issuer_crl_free(making);
	p = der.data;
	crl = d2i_X509_CRL(NULL, &p, (long)der.len);
	assert_int_equal(X509_CRL_verify(crl, old.key), 1);
	X509_CRL_free(crl);
	buf_fini(&der);

	/* Without its key it is known all the same, but makes none. */
	old.previous.key = NULL;
	assert_int_equal(fixture_issuer(&f), 0);
	assert_false(generation(&f, 1).makes_crls);
	assert_int_equal(issuer_crl_begin(f.issuer, generation(&f, 1).id, 5, 1000, 2000000, &making,
			     &f.diag),
	    CMPD_ENOENT);
	old_fini(&old);
	fixture_fini(&f);
}

static void
what_does_not_fit_is_refused(void **state)
{
	struct issuer_generation g;
	struct fixture f;
	struct old old;

	(void)state;
	fixture_init(&f, "P-256", 36500);
	assert_int_equal(issuer_generation0(f.issuer, 1, &g), CMPD_ENOENT);
	EVP_PKEY_up_ref(f.ca_key);
	old_init(&f, &old, f.ca_key, "Test CA");
	assert_int_equal(fixture_issuer(&f), CMPD_ECONF);
	assert_non_null(strstr(f.diag.text, "the same name and key"));
	old.previous.certificate = f.cert_file;
	old.previous.key = NULL;
	assert_int_equal(fixture_issuer(&f), CMPD_ECONF);
	old.previous.certificate = old.key_file;
	assert_int_equal(fixture_issuer(&f), CMPD_ECONF);
	assert_non_null(strstr(f.diag.text, "old.key"));
	old_fini(&old);
	fixture_fini(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    {"B4.12 both generations are known", both_generations_are_known, NULL, NULL, NULL},
	    {"B4.12 each generation signs its own CRL", each_generation_signs_its_own_crl, NULL,
		NULL, NULL},
	    cmocka_unit_test(what_does_not_fit_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
