/*
 * OpenSSL's server code, driven one inner message at a time: what it must say on every version.
 */
#include <openssl/cmp.h>
#include <openssl/crmf.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "cmp/engine.h"

struct fixture {
	struct pool *pool;
	struct cmp_door door;
	struct desk desk;
	struct cmp_work work;
	EVP_PKEY *key;
	int runs;
	struct desk_outcome say;
	int error;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->pool = pool_new(1 << 20);
	f->key = EVP_EC_gen("P-256");
	f->desk.pool = f->pool;
	f->work.door = &f->door;
	f->work.desk = &f->desk;
	assert_non_null(f->key);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	OSSL_CMP_MSG_free(f->door.primer);
	EVP_PKEY_free(f->key);
	pool_free(f->pool);
	free(f);
	return 0;
}

static int
run(struct engine_call *call)
{
	struct fixture *f = call->arg;

	f->runs++;
	call->outcome = f->say;
	return f->error;
}

/* The p10cr of the work, made by OpenSSL; spoilt: its signature is of other bytes. */
static void
arrange_p10cr(struct fixture *f, bool spoilt)
{
	X509_REQ *req = X509_REQ_new();
	unsigned char *der = NULL;
	int len;

	assert_true(X509_REQ_set_pubkey(req, f->key));
	assert_true(X509_REQ_sign(req, f->key, EVP_sha256()) > 0);
	len = i2d_X509_REQ(req, &der);
	assert_true(len > 0);
	if (spoilt) {
		der[len - 1] ^= 1;
	}
	f->work.in.body_type = WIRE_P10CR;
	f->work.p10.raw = pool_bytes(f->pool, bytes_of(der, (size_t)len));
	OPENSSL_free(der);
	X509_REQ_free(req);
}

static struct engine_call
call_new(struct fixture *f)
{
	return (struct engine_call){.work = &f->work, .run = run, .arg = f};
}

static void
B1_2_request_reaches_the_desk(void **state)
{
	static const enum desk_status all[] = {
	    DESK_GRANTED, DESK_GRANTED_WITH_MODS, DESK_REJECTED, DESK_WAITING};
	static const int types[] = {WIRE_IR, WIRE_CR, WIRE_KUR, WIRE_P10CR};
	struct fixture *f = *state;

	arrange_p10cr(f, false);
	for (size_t t = 0; t < 4; t++) {
		for (size_t i = 0; i < 4; i++) {
			struct engine_call call = call_new(f);

			f->work.in.body_type = types[t];
			f->say.status = all[i];
			f->runs = 0;
			assert_int_equal(engine_cert_request(&call), 0);
			assert_int_equal(f->runs, 1);
		}
	}
}

static void
B3_15_wrong_signature_of_a_p10cr_never_reaches_the_desk(void **state)
{
	struct fixture *f = *state;
	struct engine_call call = call_new(f);

	arrange_p10cr(f, true);
	assert_int_equal(engine_cert_request(&call), CMPD_EPOP);
	assert_int_equal(f->runs, 0);
}

static void
error_of_the_desk_comes_back(void **state)
{
	struct fixture *f = *state;
	struct engine_call call = call_new(f);

	f->error = CMPD_EPARKED;
	assert_int_equal(engine_cert_request(&call), CMPD_EPARKED);
	assert_int_equal(f->runs, 1);
}

static void
B2_1_poll_waits_and_ends(void **state)
{
	static const enum desk_status all[] = {
	    DESK_WAITING, DESK_GRANTED, DESK_REJECTED, DESK_GRANTED_WITH_MODS};
	struct fixture *f = *state;

	for (size_t i = 0; i < 4; i++) {
		struct engine_call call = call_new(f);

		f->say.status = all[i];
		f->say.check_after = 5000;
		f->runs = 0;
		assert_int_equal(engine_poll(&call), 0);
		assert_int_equal(f->runs, 1);
	}
}

static void
B2_4_certconf_accepted_refused_empty(void **state)
{
	struct fixture *f = *state;
	uint8_t hash[32] = {1};
	struct wire_cert_conf confirm = {.cert_hash = bytes_of(hash, sizeof(hash))};
	struct engine_call call = call_new(f);

	assert_int_equal(engine_cert_conf(&call, &confirm), 0);
	assert_int_equal(f->runs, 1);
	confirm.has_status = true;
	confirm.status.status = WIRE_REJECTION;
	call = call_new(f);
	assert_int_equal(engine_cert_conf(&call, &confirm), 0);
	assert_int_equal(f->runs, 2);
	call = call_new(f);
	assert_int_equal(engine_cert_conf(&call, NULL), 0);
	assert_int_equal(f->runs, 3);
	f->error = CMPD_EREVOKED;
	call = call_new(f);
	assert_int_equal(engine_cert_conf(&call, &confirm), CMPD_EREVOKED);
}

static void
B1_9_error_of_the_client(void **state)
{
	struct fixture *f = *state;
	struct wire_status_info status = {.status = WIRE_REJECTION, .fail_info = -1, .text = "no"};
	struct engine_call call = call_new(f);

	f->work.in.body_raw = wire_error_encode(f->pool, &status);
	assert_int_equal(engine_error(&call), 0);
	assert_int_equal(f->runs, 1);
}

static void
F11_error_queue_is_left_empty(void **state)
{
	struct fixture *f = *state;
	struct engine_call call = call_new(f);

	arrange_p10cr(f, true);
	assert_int_equal(engine_cert_request(&call), CMPD_EPOP);
	assert_int_equal(ERR_peek_error(), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(B1_2_request_reaches_the_desk, setup, teardown),
	    cmocka_unit_test_setup_teardown(B3_15_wrong_signature_of_a_p10cr_never_reaches_the_desk,
		setup, teardown),
	    cmocka_unit_test_setup_teardown(error_of_the_desk_comes_back, setup, teardown),
	    cmocka_unit_test_setup_teardown(B2_1_poll_waits_and_ends, setup, teardown),
	    cmocka_unit_test_setup_teardown(B2_4_certconf_accepted_refused_empty, setup, teardown),
	    cmocka_unit_test_setup_teardown(B1_9_error_of_the_client, setup, teardown),
	    cmocka_unit_test_setup_teardown(F11_error_queue_is_left_empty, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
