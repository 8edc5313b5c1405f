#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/pool.h"
#include "cmp/wire.h"
#include "cmp/wire_der.h"

static const uint8_t null_dn[] = {0xa4, 0x02, 0x30, 0x00};

static int
make_pool(void **state)
{
	*state = pool_new(1 << 20);
	return *state == NULL;
}

static int
free_pool(void **state)
{
	pool_free(*state);
	return 0;
}

static struct wire_header
some_header(void)
{
	return (struct wire_header){
	    .pvno = 2,
	    .sender = bytes_of(null_dn, sizeof(null_dn)),
	    .recipient = bytes_of(null_dn, sizeof(null_dn)),
	    .message_time = INT64_C(1795219737000),
	    .transaction_id = bytes_str("0123456789abcdef"),
	    .sender_nonce = bytes_str("fedcba9876543210"),
	    .sender_kid = bytes_of("", 0),
	};
}

static struct bytes
some_message(struct pool *pool)
{
	struct wire_header header = some_header();

	return wire_message_build(pool, wire_header_encode(pool, &header),
	    wire_pkiconf_encode(pool), bytes_str("mac"), NULL, 0);
}

static void
a_header_comes_back(void **state)
{
	struct pool *pool = *state;
	struct wire_message m;

	assert_int_equal(wire_message_decode(pool, some_message(pool), 0, &m, NULL), 0);
	assert_int_equal(m.body_type, WIRE_PKICONF);
	assert_int_equal(m.header.pvno, 2);
	assert_int_equal(m.header.message_time, INT64_C(1795219737000));
	assert_memory_equal(m.header.message_time_raw.data, "20261121000857Z", 15);
	assert_true(bytes_equal(m.header.transaction_id, bytes_str("0123456789abcdef")));
	assert_non_null(m.header.sender_kid.data);
	assert_int_equal(m.header.sender_kid.len, 0);
	assert_null(m.header.recip_nonce.data);
	assert_null(m.header.protection_alg.der.data);
	assert_true(bytes_equal(m.protection, bytes_str("mac")));
	assert_int_equal(wire_directory_name(m.header.sender).len, 2);
}

static void
B3_1_a_faulty_message_still_gives_its_header(void **state)
{
	struct pool *pool = *state;
	struct bytes good = some_message(pool);
	uint8_t data[256];
	struct wire_message m;
	struct diag diag;

	memcpy(data, good.data, good.len);
	data[good.len] = 0;
	assert_int_equal(wire_message_decode(pool, bytes_of(data, good.len + 1), 0, &m, &diag),
	    CMPD_EFORMAT);
	assert_string_equal(diag.text, "1 bytes behind the end of the message");
	assert_true(bytes_equal(m.header.transaction_id, bytes_str("0123456789abcdef")));

	assert_int_equal(wire_message_decode(pool, bytes_of(data, good.len - 1), 0, &m, &diag),
	    CMPD_EFORMAT);
	assert_non_null(m.header_raw.data);
	assert_true(bytes_equal(m.header.transaction_id, bytes_str("0123456789abcdef")));

	assert_int_equal(wire_message_decode(pool, bytes_str("not DER"), 0, &m, &diag),
	    CMPD_EFORMAT);
	assert_null(m.header_raw.data);
}

static void
B3_12_too_many_extra_certs(void **state)
{
	struct pool *pool = *state;
	struct wire_header header = some_header();
	struct bytes certs[3], message;
	struct wire_message m;

	certs[0] = certs[1] = certs[2] = bytes_of("\x30\x00", 2);
	message = wire_message_build(pool, wire_header_encode(pool, &header),
	    wire_pkiconf_encode(pool), BYTES_NONE, certs, 3);
	assert_int_equal(wire_message_decode(pool, message, 3, &m, NULL), 0);
	assert_int_equal(m.n_extra_certs, 3);
	assert_int_equal(wire_message_decode(pool, message, 2, &m, NULL), CMPD_ELIMIT);
	assert_int_equal(m.n_extra_certs, 2);
	assert_non_null(m.header_raw.data);
	assert_non_null(m.body.data);
}

/* A nested message around others, as it comes back from the decoder. */
static struct bytes
some_nest(struct pool *pool, const struct bytes *messages, size_t n)
{
	struct wire_header header = some_header();

	return wire_message_build(pool, wire_header_encode(pool, &header),
	    wire_nested_encode(pool, messages, n), bytes_str("mac"), NULL, 0);
}

static void
B4_7_nested_messages_come_back_as_they_were(void **state)
{
	struct pool *pool = *state;
	struct bytes inner[3], *list;
	struct wire_message m;
	size_t n;

	inner[0] = inner[1] = inner[2] = some_message(pool);
	assert_int_equal(wire_message_decode(pool, some_nest(pool, inner, 3), 0, &m, NULL), 0);
	assert_int_equal(m.body_type, WIRE_NESTED);
	assert_int_equal(wire_nested_decode(pool, m.body, 3, &list, &n, NULL), 0);
	assert_int_equal(n, 3);
	for (size_t i = 0; i < n; i++) {
		assert_true(bytes_equal(list[i], inner[i]));
	}
	assert_int_equal(wire_nested_decode(pool, m.body, 2, &list, &n, NULL), CMPD_ELIMIT);
	assert_int_equal(n, 3);
	assert_int_equal(wire_nested_decode(pool, bytes_of("\x30\x00", 2), 2, &list, &n, NULL),
	    CMPD_EFORMAT);
	assert_int_equal(wire_nested_decode(pool, bytes_of("\x30\x02\x05\x00", 4), 2, &list, &n,
			     NULL),
	    CMPD_EFORMAT);
	assert_null(wire_nested_encode(pool, inner, 0).data);
}

/* The protection around it is verified first; so whatever is inside costs nothing before. */
static void
B4_7_inside_a_nested_message_nothing_is_looked_at(void **state)
{
	struct pool *pool = *state;
	struct bytes nest = some_message(pool), *list;
	struct wire_message m;
	uint8_t many[3 * DER_COUNT_MAX];
	struct diag diag;
	size_t n;

	for (int depth = 0; depth < 2 * DER_DEPTH_MAX; depth++) {
		nest = some_nest(pool, &nest, 1);
		assert_non_null(nest.data);
	}
	assert_int_equal(wire_message_decode(pool, nest, 0, &m, NULL), 0);
	assert_int_equal(wire_nested_decode(pool, m.body, 1, &list, &n, NULL), 0);
	assert_int_equal(n, 1);

	/* More values than a message may have, and then one that is none. */
	for (size_t i = 0; i + 3 < sizeof(many); i += 2) {
		memcpy(many + i, "\x05\x00", 2);
	}
	memset(many + sizeof(many) - 2, 0xff, 2);
	nest = some_message(pool);
	nest = wire_message_build(pool, wire_header_encode(pool, &m.header),
	    wire_nested_encode(pool, (struct bytes[]){bytes_of(many, sizeof(many))}, 1), BYTES_NONE,
	    NULL, 0);
	assert_int_equal(wire_message_decode(pool, nest, 0, &m, NULL), 0);
	assert_int_equal(wire_nested_decode(pool, m.body, 10, &list, &n, &diag), CMPD_EFORMAT);
	/* Behind the body the usual rules hold. */
	nest = wire_message_build(pool, m.header_raw, m.body_raw, BYTES_NONE,
	    (struct bytes[]){bytes_of("\x30\x02\x01\xff", 4)}, 1);
	assert_int_equal(wire_message_decode(pool, nest, 1, &m, NULL), CMPD_EFORMAT);
}

static void
B3_2_any_pvno_is_read(void **state)
{
	static const int64_t pvnos[] = {0, 1, -1, 3, 99, INT64_MAX, INT64_MIN};
	struct pool *pool = *state;
	struct wire_header header = some_header();
	struct wire_message m;
	size_t i;

	for (i = 0; i < sizeof(pvnos) / sizeof(pvnos[0]); i++) {
		header.pvno = pvnos[i];
		assert_int_equal(wire_message_decode(pool,
				     wire_message_build(pool, wire_header_encode(pool, &header),
					 wire_pkiconf_encode(pool), BYTES_NONE, NULL, 0),
				     0, &m, NULL),
		    0);
		assert_int_equal(m.header.pvno, pvnos[i]);
		assert_null(m.protection.data);
	}
}

static int
poll_ids(struct pool *pool, const char *hex, int64_t **ret, size_t *ret_n)
{
	uint8_t *data = pool_alloc(pool, 128);
	size_t len;

	assert_int_equal(hex_decode(hex, data, 128, &len), 0);
	return wire_poll_reqs_decode(pool, bytes_of(data, len), 2, ret, ret_n, NULL);
}

static void
B2_1_certReqIds_fit_32_bits(void **state)
{
	struct pool *pool = *state;
	int64_t *ids;
	size_t n;

	assert_int_equal(poll_ids(pool, "300530030201ff", &ids, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(ids[0], -1);
	assert_int_equal(poll_ids(pool,
			     "300830060204"
			     "7fffffff",
			     &ids, &n),
	    0);
	assert_int_equal(ids[0], INT32_MAX);
	assert_int_equal(poll_ids(pool,
			     "30093007020500"
			     "80000000",
			     &ids, &n),
	    CMPD_EFORMAT);
	assert_int_equal(poll_ids(pool, "300f300d020b0100000000000000000000", &ids, &n),
	    CMPD_EFORMAT);
	assert_int_equal(poll_ids(pool, "300f300302010130030201023003020103", &ids, &n),
	    CMPD_ELIMIT);
	assert_int_equal(n, 3);
	assert_int_equal(poll_ids(pool, "3000", &ids, &n), 0);
	assert_int_equal(n, 0);
}

static void
B3_20_a_status_has_one_bit_and_a_valid_text(void **state)
{
	struct pool *pool = *state;
	struct wire_status_info status = {.status = WIRE_REJECTION}, back;
	struct bytes body, content;
	int bit;

	status.text = "caf\xc3\xa9 \xff\xc0\x80 \xed\xa0\x80";
	for (bit = -1; bit < 27; bit++) {
		status.fail_info = bit;
		body = wire_error_encode(pool, &status);
		assert_int_equal(der_only(body, DER_CONSTRUCTED(WIRE_ERROR), &content), 0);
		assert_int_equal(wire_error_decode(pool, content, &back, NULL), 0);
		assert_int_equal(back.status, WIRE_REJECTION);
		assert_int_equal(back.fail_info, bit);
		assert_string_equal(back.text, "caf\xc3\xa9 \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd "
					       "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	}
	status.fail_info = 32;
	assert_null(wire_error_encode(pool, &status).data);
}

static void
B2_2_the_tagged_reason_is_understood(void **state)
{
	/* { 0, 60, reason } untagged, and with the [0] of the first proposal */
	static const uint8_t plain[] = {
	    0x30, 0x0e, 0x30, 0x0c, 2, 1, 0, 2, 1, 60, 0x30, 4, 0x0c, 2, 'h', 'i'};
	static const uint8_t tagged[] = {
	    0x30, 0x10, 0x30, 0x0e, 2, 1, 0, 2, 1, 60, 0xa0, 6, 0x30, 4, 0x0c, 2, 'h', 'i'};
	struct pool *pool = *state;
	struct wire_poll_rep *reps;
	size_t n;

	assert_int_equal(
	    wire_poll_rep_decode(pool, bytes_of(plain, sizeof(plain)), 1, &reps, &n, NULL), 0);
	assert_string_equal(reps[0].reason, "hi");
	assert_int_equal(reps[0].check_after, 60);
	assert_int_equal(
	    wire_poll_rep_decode(pool, bytes_of(tagged, sizeof(tagged)), 1, &reps, &n, NULL), 0);
	assert_string_equal(reps[0].reason, "hi");
}

static void
F1_pbm_parameters_that_are_no_sequence(void **state)
{
	static const uint8_t *const bad[] = {(const uint8_t *)"\x05\x00",
	    (const uint8_t *)"\x04\x00", (const uint8_t *)"\x30\x00", (const uint8_t *)"\x31\x00"};
	struct wire_pbm pbm = {.salt = bytes_str("salt"), .iterations = 500}, back;
	struct bytes alg = bytes_of("\x30\x04\x06\x02\x2a\x03", 6), out;
	struct pool *pool = *state;
	struct bytes content;
	struct der oid;
	size_t i;

	for (i = 0; i < 4; i++) {
		assert_int_equal(wire_pbm_decode(pool, bytes_of(bad[i], 2), &back), CMPD_EFORMAT);
	}
	assert_int_equal(wire_pbm_decode(pool, BYTES_NONE, &back), CMPD_EFORMAT);
	pbm.owf.der = pbm.mac.der = alg;
	out = wire_pbm_alg_encode(pool, &pbm);
	assert_int_equal(der_only(out, DER_SEQUENCE, &content), 0);
	assert_int_equal(der_take_element(&content, DER_OID, &oid), 0);
	assert_int_equal(wire_pbm_decode(pool, content, &back), 0);
	assert_int_equal(back.iterations, 500);
	assert_true(bytes_equal(back.owf.der, alg));
	pbm.iterations = INT64_C(1) << 31;
	out = wire_pbm_alg_encode(pool, &pbm);
	assert_int_equal(der_only(out, DER_SEQUENCE, &content), 0);
	assert_int_equal(der_take_element(&content, DER_OID, &oid), 0);
	assert_int_equal(wire_pbm_decode(pool, content, &back), 0);
	assert_int_equal(back.iterations, -1);
}

static void
a_private_key_stands_behind_its_certificate(void **state)
{
	static const uint8_t enveloped[] = {0x30, 0x03, 0x02, 0x01, 0x02};
	static const uint8_t certificate[] = {0x30, 0x03, 0x02, 0x01, 0x07};
	static const uint8_t pair[] = {0x30, 0x0e, 0xa0, 0x05, 0x30, 0x03, 0x02, 0x01, 0x07, 0xa0,
	    0x05, 0xa0, 0x03, 0x02, 0x01, 0x02};
	struct wire_cert_response response = {.status = {.fail_info = -1},
	    .certificate = bytes_of(certificate, sizeof(certificate)),
	    .private_key = bytes_of(enveloped, sizeof(enveloped))};
	struct wire_cert_response *back = NULL;
	struct pool *pool = *state;
	struct bytes body, content;
	size_t n = 0;

	body = wire_cert_rep_encode(pool, WIRE_IP, NULL, 0, &response, 1);
	assert_non_null(memmem(body.data, body.len, pair, sizeof(pair)));
	assert_int_equal(der_only(body, DER_CONSTRUCTED(WIRE_IP), &content), 0);
	assert_int_equal(wire_cert_rep_decode(pool, content, 1, &back, &n, NULL), 0);
	assert_true(bytes_equal(back->certificate, response.certificate));
	assert_true(bytes_equal(back->private_key, response.private_key));
	/* None without a certificate, and none that is not there. */
	response.certificate = BYTES_NONE;
	body = wire_cert_rep_encode(pool, WIRE_IP, NULL, 0, &response, 1);
	assert_int_equal(der_only(body, DER_CONSTRUCTED(WIRE_IP), &content), 0);
	assert_int_equal(wire_cert_rep_decode(pool, content, 1, &back, &n, NULL), 0);
	assert_null(back->private_key.data);
}

static void
times_of_four_digit_years(void **state)
{
	static const struct {
		int64_t ms;
		const char *text;
	} rows[] = {{0, "19700101000000Z"}, {INT64_C(951782399000), "20000228235959Z"},
	    {INT64_C(951782400000), "20000229000000Z"}, {INT64_C(-1000), "19691231235959Z"},
	    {INT64_C(253402300799000), "99991231235959Z"},
	    {INT64_C(4107542400000), "21000301000000Z"},
	    {INT64_C(-62135596800000), "00010101000000Z"}};
	static const char *const bad[] = {"20230229000000Z", "20231301000000Z", "20230100000000Z",
	    "20230101240000Z", "20230101006000Z", "20230101000060Z", "20230101000000.5Z",
	    "20230101000000+", "202301010000Z", "2023-101000000Z"};
	struct pool *pool = *state;
	struct wire_header header = some_header();
	struct wire_message m;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_string_equal(wire_time_encode(pool, rows[i].ms), rows[i].text);
		header.message_time_raw = bytes_str(rows[i].text);
		assert_int_equal(wire_message_decode(pool,
				     wire_message_build(pool, wire_header_encode(pool, &header),
					 wire_pkiconf_encode(pool), BYTES_NONE, NULL, 0),
				     0, &m, NULL),
		    0);
		assert_int_equal(m.header.message_time, rows[i].ms);
	}
	assert_null(wire_time_encode(pool, INT64_C(253402300800000)));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		header.message_time_raw = bytes_str(bad[i]);
		assert_int_equal(wire_message_decode(pool,
				     wire_message_build(pool, wire_header_encode(pool, &header),
					 wire_pkiconf_encode(pool), BYTES_NONE, NULL, 0),
				     0, &m, NULL),
		    strlen(bad[i]) < 15 ? CMPD_EFORMAT : 0);
		assert_int_equal(m.header.message_time, 0);
	}
}

static void
no_memory_gives_no_message(void **state)
{
	size_t limit;

	(void)state;
	for (limit = 0; limit < 2000; limit += 16) {
		struct pool *pool = pool_new(limit);
		struct wire_message m;
		struct bytes out = some_message(pool);

		if (out.data != NULL) {
			int error = wire_message_decode(pool, out, 0, &m, NULL);

			assert_true(error == 0 || error == CMPD_ENOMEM);
		}
		pool_free(pool);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_header_comes_back, make_pool, free_pool),
	    cmocka_unit_test_setup_teardown(B3_1_a_faulty_message_still_gives_its_header, make_pool,
		free_pool),
	    cmocka_unit_test_setup_teardown(B3_12_too_many_extra_certs, make_pool, free_pool),
	    cmocka_unit_test_setup_teardown(B4_7_nested_messages_come_back_as_they_were, make_pool,
		free_pool),
	    cmocka_unit_test_setup_teardown(B4_7_inside_a_nested_message_nothing_is_looked_at,
		make_pool, free_pool),
	    cmocka_unit_test_setup_teardown(B3_2_any_pvno_is_read, make_pool, free_pool),
	    cmocka_unit_test_setup_teardown(B2_1_certReqIds_fit_32_bits, make_pool, free_pool),
	    cmocka_unit_test_setup_teardown(B3_20_a_status_has_one_bit_and_a_valid_text, make_pool,
		free_pool),
	    cmocka_unit_test_setup_teardown(B2_2_the_tagged_reason_is_understood, make_pool,
		free_pool),
	    cmocka_unit_test_setup_teardown(F1_pbm_parameters_that_are_no_sequence, make_pool,
		free_pool),
	    cmocka_unit_test_setup_teardown(a_private_key_stands_behind_its_certificate, make_pool,
		free_pool),
	    cmocka_unit_test_setup_teardown(times_of_four_digit_years, make_pool, free_pool),
	    cmocka_unit_test(no_memory_gives_no_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
