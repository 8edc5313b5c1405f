/*
 * Messages of OpenSSL's own CMP client decoded here, and answers built here
 * that this client must understand: a whole enrolment that has to wait.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <openssl/cmp.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "base/pool.h"
#include "cmp/wire.h"

static const char secret[] = "a secret";

struct server {
	struct pool *pool;
	int seen[32]; /* by body type */
	EVP_PKEY *key;
	X509 *certificate;
	struct bytes certificate_der;
	struct bytes mine; /* senderNonce given last */
	int polls;
	int answer_with; /* body type instead of the usual one, or 0 */
};

static struct bytes
to_der(struct pool *pool, const void *value, const ASN1_ITEM *item)
{
	unsigned char *p = NULL;
	int len = ASN1_item_i2d(value, &p, item);
	struct bytes out;

	assert_true(len > 0);
	out = pool_bytes(pool, bytes_of(p, (size_t)len));
	OPENSSL_free(p);
	return out;
}

static struct bytes
mac_of(struct pool *pool, const struct wire_alg *alg, struct bytes part)
{
	const unsigned char *p = alg->parameters.data;
	OSSL_CRMF_PBMPARAMETER *pbm;
	unsigned char *mac = NULL;
	struct bytes out;
	size_t len;

	pbm = d2i_OSSL_CRMF_PBMPARAMETER(NULL, &p, (long)alg->parameters.len);
	assert_non_null(pbm);
	assert_true(OSSL_CRMF_pbm_new(NULL, NULL, pbm, part.data, part.len,
	    (const unsigned char *)secret, strlen(secret), &mac, &len));
	out = pool_bytes(pool, bytes_of(mac, len));
	OPENSSL_free(mac);
	OSSL_CRMF_PBMPARAMETER_free(pbm);
	return out;
}

static void
look_at_request(struct server *server, const struct wire_message *m)
{
	struct wire_cert_req *requests;
	struct wire_cert_conf *confs;
	struct wire_status_info status;
	struct bytes spki, name;
	int64_t *ids;
	size_t n;

	switch (m->body_type) {
	case WIRE_IR:
		assert_int_equal(
		    wire_cert_reqs_decode(server->pool, m->body, 1, &requests, &n, NULL), 0);
		assert_int_equal(n, 1);
		assert_int_equal(requests[0].cert_req_id, 0);
		assert_int_equal(requests[0].popo, WIRE_POPO_SIGNATURE);
		assert_null(requests[0].popo_input.data);
		spki = to_der(server->pool, X509_get_X509_PUBKEY(server->certificate),
		    ASN1_ITEM_rptr(X509_PUBKEY));
		assert_true(bytes_equal(requests[0].template.spki, spki));
		name = to_der(server->pool, X509_get_subject_name(server->certificate),
		    ASN1_ITEM_rptr(X509_NAME));
		assert_true(bytes_equal(requests[0].template.subject, name));
		assert_non_null(requests[0].template.extensions.data);
		assert_int_equal(requests[0].template.not_after - requests[0].template.not_before,
		    INT64_C(9) * 86400 * 1000);
		assert_false(requests[0].template_odd);
		break;
	case WIRE_POLLREQ:
		assert_int_equal(wire_poll_reqs_decode(server->pool, m->body, 1, &ids, &n, NULL),
		    0);
		assert_int_equal(n, 1);
		assert_int_equal(ids[0], 0);
		break;
	case WIRE_CERTCONF:
		assert_int_equal(wire_cert_confs_decode(server->pool, m->body, 1, &confs, &n, NULL),
		    0);
		assert_int_equal(n, 1);
		assert_int_equal(confs[0].cert_hash.len, 32);
		break;
	case WIRE_ERROR:
		assert_int_equal(wire_error_decode(server->pool, m->body, &status, NULL), 0);
		assert_int_equal(status.status, WIRE_REJECTION);
		assert_non_null(status.text);
		break;
	default:
		fail();
	}
}

static struct bytes
body_of_answer(struct server *server, int type)
{
	struct wire_cert_response response = {.status = {.fail_info = -1}};
	struct wire_poll_rep rep = {.check_after = 0, .reason = "nobody decided"};
	struct wire_status_info status = {
	    .status = WIRE_REJECTION, .text = "not like this", .fail_info = 2};

	if (server->answer_with == WIRE_ERROR && type == WIRE_IR) {
		return wire_error_encode(server->pool, &status);
	}
	switch (type) {
	case WIRE_IR:
		response.status.status = WIRE_WAITING;
		return wire_cert_rep_encode(server->pool, WIRE_IP, NULL, 0, &response, 1);
	case WIRE_POLLREQ:
		if (server->polls++ < 2) {
			return wire_poll_rep_encode(server->pool, &rep, 1);
		}
		response.status.status = WIRE_GRANTED_WITH_MODS;
		response.status.text = "a little different";
		response.certificate = server->certificate_der;
		return wire_cert_rep_encode(server->pool, WIRE_IP, &server->certificate_der, 1,
		    &response, 1);
	default:
		return wire_pkiconf_encode(server->pool);
	}
}

static OSSL_CMP_MSG *
transfer(OSSL_CMP_CTX *ctx, const OSSL_CMP_MSG *request)
{
	struct server *server = OSSL_CMP_CTX_get_transfer_cb_arg(ctx);
	struct wire_header header;
	struct wire_message m;
	struct bytes in, head, body, part, out;
	const unsigned char *p;

	in = to_der(server->pool, request, ASN1_ITEM_rptr(OSSL_CMP_MSG));
	assert_int_equal(wire_message_decode(server->pool, in, 10, &m, NULL), 0);
	assert_true(bytes_equal(in, wire_message_build(server->pool, m.header_raw, m.body_raw,
					m.protection, m.extra_certs, m.n_extra_certs)));
	part = wire_protected_part(server->pool, m.header_raw, m.body_raw);
	assert_true(bytes_equal(m.protection,
	    mac_of(server->pool, &m.header.protection_alg, part)));
	assert_true(m.body_type >= 0 && m.body_type < 32);
	server->seen[m.body_type]++;
	look_at_request(server, &m);

	header = (struct wire_header){.pvno = m.header.pvno,
	    .sender = m.header.recipient,
	    .recipient = m.header.sender,
	    .message_time = m.header.message_time,
	    .protection_alg = m.header.protection_alg,
	    .sender_kid = m.header.sender_kid,
	    .transaction_id = m.header.transaction_id,
	    .sender_nonce = bytes_str("nonce of server."),
	    .recip_nonce = m.header.sender_nonce};
	head = wire_header_encode(server->pool, &header);
	body = body_of_answer(server, m.body_type);
	part = wire_protected_part(server->pool, head, body);
	out = wire_message_build(server->pool, head, body,
	    mac_of(server->pool, &header.protection_alg, part), NULL, 0);
	assert_non_null(out.data);
	p = out.data;
	return d2i_OSSL_CMP_MSG(NULL, &p, (long)out.len);
}

static int
make_server(void **state)
{
	static struct server server;
	X509 *x = X509_new();

	memset(&server, 0, sizeof(server));
	server.pool = pool_new(1 << 20);
	server.key = EVP_EC_gen("P-256");
	assert_non_null(server.key);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 7);
	X509_gmtime_adj(X509_getm_notBefore(x), 0);
	X509_gmtime_adj(X509_getm_notAfter(x), 86400);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
	    (const unsigned char *)"device 1", -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	X509_set_pubkey(x, server.key);
	assert_true(X509_sign(x, server.key, EVP_sha256()) > 0);
	server.certificate = x;
	server.certificate_der = to_der(server.pool, x, ASN1_ITEM_rptr(X509));
	*state = &server;
	return 0;
}

static int
free_server(void **state)
{
	struct server *server = *state;

	pool_free(server->pool);
	X509_free(server->certificate);
	EVP_PKEY_free(server->key);
	return 0;
}

static OSSL_CMP_CTX *
make_client(struct server *server)
{
	OSSL_CMP_CTX *ctx = OSSL_CMP_CTX_new(NULL, NULL);
	GENERAL_NAME *san = GENERAL_NAME_new();

	assert_non_null(ctx);
	san = a2i_GENERAL_NAME(san, NULL, NULL, GEN_DNS, "device-1.example", 0);
	assert_non_null(san);
	OSSL_CMP_CTX_set_log_verbosity(ctx, OSSL_CMP_LOG_CRIT);
	assert_true(OSSL_CMP_CTX_push1_subjectAltName(ctx, san));
	GENERAL_NAME_free(san);
	assert_true(OSSL_CMP_CTX_set1_referenceValue(ctx, (const unsigned char *)"dev1", 4));
	assert_true(OSSL_CMP_CTX_set1_secretValue(ctx, (const unsigned char *)secret,
	    (int)strlen(secret)));
	assert_true(OSSL_CMP_CTX_set1_subjectName(ctx, X509_get_subject_name(server->certificate)));
	assert_true(EVP_PKEY_up_ref(server->key));
	assert_true(OSSL_CMP_CTX_set0_newPkey(ctx, 1, server->key));
	assert_true(OSSL_CMP_CTX_set_option(ctx, OSSL_CMP_OPT_VALIDITY_DAYS, 9));
	assert_true(OSSL_CMP_CTX_set_transfer_cb(ctx, transfer));
	assert_true(OSSL_CMP_CTX_set_transfer_cb_arg(ctx, server));
	return ctx;
}

static void
B1_6_an_enrolment_that_waits_is_understood_by_both_sides(void **state)
{
	struct server *server = *state;
	OSSL_CMP_CTX *ctx = make_client(server);
	X509 *certificate;
	int check_after;

	assert_int_equal(OSSL_CMP_try_certreq(ctx, OSSL_CMP_IR, NULL, &check_after), -1);
	while (OSSL_CMP_try_certreq(ctx, OSSL_CMP_IR, NULL, &check_after) == -1) {
		assert_int_equal(check_after, 0);
	}
	certificate = OSSL_CMP_CTX_get0_newCert(ctx);
	assert_non_null(certificate);
	assert_int_equal(X509_cmp(certificate, server->certificate), 0);
	assert_int_equal(OSSL_CMP_CTX_get_status(ctx), OSSL_CMP_PKISTATUS_grantedWithMods);
	assert_int_equal(server->seen[WIRE_IR], 1);
	assert_int_equal(server->seen[WIRE_POLLREQ], 3);
	assert_int_equal(server->seen[WIRE_CERTCONF], 1);
	OSSL_CMP_CTX_free(ctx);
}

static void
B1_12_an_error_is_read_by_the_client(void **state)
{
	struct server *server = *state;
	OSSL_CMP_CTX *ctx = make_client(server);
	OSSL_CMP_PKIFREETEXT *texts;

	server->answer_with = WIRE_ERROR;
	assert_null(OSSL_CMP_exec_certreq(ctx, OSSL_CMP_IR, NULL));
	assert_int_equal(OSSL_CMP_CTX_get_status(ctx), OSSL_CMP_PKISTATUS_rejection);
	assert_int_equal(OSSL_CMP_CTX_get_failInfoCode(ctx), OSSL_CMP_CTX_FAILINFO_badRequest);
	texts = OSSL_CMP_CTX_get0_statusString(ctx);
	assert_int_equal(sk_ASN1_UTF8STRING_num(texts), 1);
	assert_memory_equal(ASN1_STRING_get0_data(sk_ASN1_UTF8STRING_value(texts, 0)),
	    "not like this", 13);
	OSSL_CMP_CTX_free(ctx);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		B1_6_an_enrolment_that_waits_is_understood_by_both_sides, make_server, free_server),
	    cmocka_unit_test_setup_teardown(B1_12_an_error_is_read_by_the_client, make_server,
		free_server),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
