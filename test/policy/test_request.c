/*
 * What plugins see of a request.
 */
#include "fixture.h"

#include <string.h>

#include <cmpd/request.h>

#include "policy/request.h"

static void
test_accessors_give_a_copy(void **state)
{
	struct policy_request from = fixture_request();
	char subject[] = "/CN=mine";
	struct cmpd_request request;
	size_t len = 1;

	(void)state;
	from.subject = subject;
	assert_int_equal(policy_request_init(&request, &from, NULL), 0);
	memset(subject, 'x', sizeof(subject) - 1);
	assert_string_equal(cmpd_request_subject(&request), "/CN=mine");
	assert_string_equal(cmpd_request_type(&request), "ir");
	assert_string_equal(cmpd_request_endpoint(&request), "/.well-known/cmp");
	assert_string_equal(cmpd_request_profile(&request), "device");
	assert_string_equal(cmpd_request_san(&request, 0), "DNS:a.example.org");
	assert_string_equal(cmpd_request_san(&request, 1), "IP:10.0.0.1");
	assert_null(cmpd_request_san(&request, 2));
	assert_string_equal(cmpd_request_requester(&request), "mac ref=dev1");
	assert_string_equal(cmpd_request_requester_kind(&request), "mac");
	assert_string_equal(cmpd_request_reference(&request), "dev1");
	assert_null(cmpd_request_signer_subject(&request));
	assert_string_equal(cmpd_request_key_type(&request), "ec:P-256");
	assert_string_equal(cmpd_request_peer(&request), "127.0.0.1");
	assert_string_equal(cmpd_request_txn(&request), "0102");
	assert_int_equal(cmpd_request_cert_req_id(&request), 7);
	assert_int_equal(cmpd_request_received(&request), INT64_C(1767225600000));
	assert_memory_equal(cmpd_request_spki(&request, &len), "spki", 4);
	assert_int_equal(len, 4);
	assert_memory_equal(cmpd_request_template(&request, &len), "template", 8);
	assert_null(cmpd_request_signer(&request, &len));
	assert_int_equal(len, 0);
	policy_request_fini(&request);
}

static void
test_request_may_be_almost_empty(void **state)
{
	struct policy_request from = {.type = REQUEST_GENM};
	struct cmpd_request request;

	(void)state;
	assert_int_equal(policy_request_init(&request, &from, NULL), 0);
	assert_string_equal(cmpd_request_type(&request), "genm");
	assert_null(cmpd_request_subject(&request));
	assert_null(cmpd_request_san(&request, 0));
	assert_string_equal(cmpd_request_txn(&request), "");
	policy_request_fini(&request);
}

static void
test_memory_of_a_request_is_bounded(void **state)
{
	struct policy_request from = fixture_request();
	struct cmpd_request request;
	size_t n = 0;

	(void)state;
	assert_int_equal(policy_request_init(&request, &from, NULL), 0);
	assert_string_equal(cmpd_request_printf(&request, "%s-%d", "a", 5), "a-5");
	assert_null(cmpd_request_alloc(&request, SIZE_MAX));
	assert_null(cmpd_request_alloc(&request, 1024 * 1024));
	while (cmpd_request_alloc(&request, 1000) != NULL && n < 1000) {
		n++;
	}
	assert_true(n > 200 && n < 300);
	assert_null(cmpd_request_printf(&request, "%1000d", 1));
	policy_request_fini(&request);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_accessors_give_a_copy),
	    cmocka_unit_test(test_request_may_be_almost_empty),
	    cmocka_unit_test(test_memory_of_a_request_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
