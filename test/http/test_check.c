#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <string.h>
#include <sys/queue.h>

#include "http/check.h"
#include "http/forwarded.h"
#include "http/http.h"

static void
test_paths_are_compared_raw(void **state)
{
	(void)state;
	assert_true(http_check_path("/.well-known/cmp"));
	assert_true(http_check_path("/.well-known/cmp/p/lab-1_x~/initialization"));
	assert_false(http_check_path(""));
	assert_false(http_check_path(".well-known/cmp"));
	assert_false(http_check_path("http://a/.well-known/cmp"));
	assert_false(http_check_path("/.well-known//cmp"));
	assert_false(http_check_path("//.well-known/cmp"));
	assert_false(http_check_path("/a/../.well-known/cmp"));
	assert_false(http_check_path("/.well-known/%63mp"));
	assert_false(http_check_path("/.well-known/cmp?x=1"));
	assert_false(http_check_path("/.well-known/cmp#a"));
	assert_false(http_check_path("/.well-known\\cmp"));
	assert_false(http_check_path("/\xc3\xa4"));
	assert_false(http_check_path("/\x01"));
}

static void
test_content_type_B5_1(void **state)
{
	(void)state;
	assert_true(http_check_content_type("application/pkixcmp"));
	assert_true(http_check_content_type("Application/PKIXCMP"));
	assert_true(http_check_content_type(" application/pkixcmp ; charset=x"));
	assert_true(http_check_content_type("application/pkixcmp;x"));
	assert_true(http_check_content_type("application/pkixcmp-poll"));
	assert_false(http_check_content_type(NULL));
	assert_false(http_check_content_type(""));
	assert_false(http_check_content_type("application/pkixcm"));
	assert_false(http_check_content_type("application/pkixcmpx"));
	assert_false(http_check_content_type("application/pkixcmp x"));
	assert_false(http_check_content_type("text/plain; application/pkixcmp"));
}

static const char *
framing(const char *const *pairs, bool http11)
{
	struct evkeyvalq headers;
	const char *fault;

	TAILQ_INIT(&headers);
	for (; pairs[0] != NULL; pairs += 2) {
		assert_int_equal(evhttp_add_header(&headers, pairs[0], pairs[1]), 0);
	}
	fault = http_check_framing(&headers, http11);
	evhttp_clear_headers(&headers);
	return fault;
}

#define FRAMING(http11, ...) framing((const char *const[]){__VA_ARGS__, NULL, NULL}, http11)

static void
test_one_reading_of_a_request(void **state)
{
	(void)state;
	assert_null(FRAMING(true, "Host", "x", "Content-Length", "5"));
	assert_null(FRAMING(true, "transfer-encoding", "Chunked"));
	assert_non_null(FRAMING(true, "Content-Length", "5", "Content-Length", "6"));
	assert_non_null(FRAMING(true, "Content-Length", "5", "content-length", "5"));
	assert_non_null(FRAMING(true, "Content-Length", "+5"));
	assert_non_null(FRAMING(true, "Content-Length", "-5"));
	assert_non_null(FRAMING(true, "Content-Length", ""));
	assert_non_null(FRAMING(true, "Content-Length", "9999999999999999999"));
	assert_non_null(FRAMING(true, "Content-Length", "5", "Transfer-Encoding", "chunked"));
	assert_non_null(FRAMING(true, "Transfer-Encoding", "chunked", "Transfer-Encoding",
	    "chunked"));
	assert_non_null(FRAMING(true, "Transfer-Encoding", "gzip, chunked"));
	assert_non_null(FRAMING(true, "Transfer-Encoding", "identity"));
	assert_non_null(FRAMING(false, "Transfer-Encoding", "chunked"));
	assert_non_null(FRAMING(true, "Content-Length ", "5"));
	assert_non_null(FRAMING(true, "", "5"));
	assert_non_null(FRAMING(true, "X(y", "5"));
}

static const char *
forwarded(const char *peer, const char *value)
{
	static const char *const proxies[] = {"unix", "10.0.0.1", "2001:db8::1", NULL};
	static char out[HTTP_PEER_SIZE];
	struct evkeyvalq headers;

	TAILQ_INIT(&headers);
	if (value != NULL) {
		assert_int_equal(evhttp_add_header(&headers, "x-forwarded-for", value), 0);
	}
	http_forwarded_peer(&headers, peer, proxies, out);
	evhttp_clear_headers(&headers);
	return out;
}

static void
test_forwarded_counts_from_listed_proxies_only_B5_4(void **state)
{
	(void)state;
	assert_string_equal(forwarded("unix", "192.0.2.7"), "192.0.2.7");
	assert_string_equal(forwarded("10.0.0.1", "192.0.2.7"), "192.0.2.7");
	assert_string_equal(forwarded("10.0.0.2", "192.0.2.7"), "10.0.0.2");
	assert_string_equal(forwarded("unix", NULL), "unix");
	assert_string_equal(forwarded("unix", ""), "unix");
	assert_string_equal(forwarded("unix", ","), "unix");
	assert_string_equal(forwarded("unix", "192.0.2.7:99"), "unix");
	assert_string_equal(forwarded("unix", "a.example"), "unix");
	assert_string_equal(forwarded("unix", "2001:DB8:0::7"), "2001:db8::7");
	/* What the client has written itself stands further left. */
	assert_string_equal(forwarded("unix", "1.1.1.1, 192.0.2.7"), "192.0.2.7");
	assert_string_equal(forwarded("unix", "1.1.1.1 ,192.0.2.7 , 10.0.0.1"), "192.0.2.7");
	assert_string_equal(forwarded("unix", "10.0.0.1, 2001:db8::1"), "10.0.0.1");
	assert_string_equal(forwarded("unix", "evil, 10.0.0.1"), "unix");
}

static void
test_dates_of_http(void **state)
{
	static const char *const bad[] = {"", "Sun, 06 Nov 1994 08:49:37",
	    "Sun, 06 Nov 1994 08:49:37 CET", "Mon, 06 Nov 1994 08:49:37 GMT",
	    "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT",
	    "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov -994 08:49:37 GMT",
	    "06 Nov 1994 08:49:37 GMT     "};
	char text[HTTP_DATE_SIZE];
	int64_t ms = 1;

	(void)state;
	assert_string_equal(http_date_format(INT64_C(784111777999), text),
	    "Sun, 06 Nov 1994 08:49:37 GMT");
	assert_int_equal(http_date_parse(text, &ms), 0);
	assert_int_equal(ms, INT64_C(784111777000));
	assert_string_equal(http_date_format(0, text), "Thu, 01 Jan 1970 00:00:00 GMT");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(http_date_parse(bad[i], &ms), CMPD_EFORMAT);
	}
	(void)http_date_format(INT64_MAX, text);
	(void)http_date_format(INT64_MIN, text);
}

static void
test_entity_tags(void **state)
{
	static const char *const same[] = {
	    "\"a\"", "W/\"a\"", "\"b\", \"a\"", "\"b\",W/\"a\"", "*", " \"x,y\" , \"a\""};
	static const char *const other[] = {
	    "", "a", "\"b\"", "\"a", "\"aa\"", "\"x, \"", "W/", ",,,", "\"b\" \"a\""};

	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		assert_true(http_check_etag(same[i], "\"a\""));
	}
	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
		assert_false(http_check_etag(other[i], "\"a\""));
	}
}

static void
test_addresses(void **state)
{
	static const char *const good[] = {
	    "127.0.0.1:80", "0.0.0.0:8080", "[::1]:8080", "unix:/run/x.sock"};
	static const char *const bad[] = {"", "127.0.0.1", "localhost:80", "127.0.0.1:", ":80",
	    "80", "::1", "[::1]", "127.0.0.1:http", "127.0.0.1:70000", "unix:", "unix:relative"};
	struct diag diag;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(http_address_check(good[i], &diag), 0);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(http_address_check(bad[i], &diag), CMPD_ECONF);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_paths_are_compared_raw),
	    cmocka_unit_test(test_content_type_B5_1),
	    cmocka_unit_test(test_one_reading_of_a_request),
	    cmocka_unit_test(test_forwarded_counts_from_listed_proxies_only_B5_4),
	    cmocka_unit_test(test_dates_of_http),
	    cmocka_unit_test(test_entity_tags),
	    cmocka_unit_test(test_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
