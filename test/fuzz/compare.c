/*
 * Ours against OpenSSL's decoder of CMP. A header that we take must be taken
 * there too (names and InfoTypeAndValues left out: OpenSSL looks into them,
 * we do not); and what the encoders build from any numbers and texts must decode there and, the same, here.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/cmp.h>
#include <openssl/err.h>

#include "base/buf.h"
#include "base/pool.h"
#include "cmp/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* GeneralName directoryName with no RDN */
static const uint8_t null_dn[] = {0xa4, 0x02, 0x30, 0x00};

static void
openssl_must_take(struct bytes message)
{
	const unsigned char *p = message.data;
	OSSL_CMP_MSG *msg;

	if (message.data == NULL) {
		abort();
	}
	msg = d2i_OSSL_CMP_MSG(NULL, &p, (long)message.len);
	if (msg == NULL || p != message.data + message.len) {
		ERR_print_errors_fp(stderr);
		abort();
	}
	OSSL_CMP_MSG_free(msg);
}

static void
check_header(struct pool *pool, struct wire_message *m)
{
	struct wire_header header = m->header, again;
	struct wire_message second;
	struct bytes built;

	header.sender = header.recipient = bytes_of(null_dn, sizeof(null_dn));
	header.n_general_info = 0;
	built = wire_message_build(pool, wire_header_encode(pool, &header),
	    wire_pkiconf_encode(pool), m->protection, NULL, 0);
	openssl_must_take(built);
	if (wire_message_decode(pool, built, 0, &second, NULL) != 0) {
		abort();
	}
	again = second.header;
	if (again.pvno != header.pvno || again.message_time != header.message_time ||
	    !bytes_equal(again.transaction_id, header.transaction_id) ||
	    !bytes_equal(again.sender_kid, header.sender_kid) ||
	    !bytes_equal(again.protection_alg.der, header.protection_alg.der) ||
	    !bytes_equal(second.protection, m->protection)) {
		abort();
	}
}

/* Each body of an answer with what the input says. */
static void
check_bodies(struct pool *pool, struct reader *reader)
{
	struct wire_header header = {.pvno = 2,
	    .sender = bytes_of(null_dn, sizeof(null_dn)),
	    .recipient = bytes_of(null_dn, sizeof(null_dn)),
	    .message_time = (int64_t)reader_u32(reader) * 1000};
	int64_t id = (int32_t)reader_u32(reader), check_after = (int32_t)reader_u32(reader);
	struct wire_status_info status = {
	    .status = reader_u8(reader) % 7, .fail_info = reader_u8(reader) % 28 - 1};
	struct wire_cert_response response = {.cert_req_id = id}, *responses;
	struct wire_poll_rep rep = {.cert_req_id = id, .check_after = check_after}, *reps;
	struct wire_status_info again;
	struct wire_message m;
	struct bytes bodies[5], built;
	size_t n = 0, i;

	status.text = pool_strndup(pool, reader->pos, (size_t)(reader->end - reader->pos));
	response.status = status;
	rep.reason = status.text;
	bodies[0] = wire_cert_rep_encode(pool, WIRE_IP, NULL, 0, &response, 1);
	bodies[1] = wire_poll_rep_encode(pool, &rep, 1);
	bodies[2] = wire_error_encode(pool, &status);
	bodies[3] = wire_pkiconf_encode(pool);
	bodies[4] = wire_rev_rep_encode(pool, &status, 1);
	for (i = 0; i < 5; i++) {
		built = wire_message_build(pool, wire_header_encode(pool, &header), bodies[i],
		    BYTES_NONE, NULL, 0);
		openssl_must_take(built);
		if (wire_message_decode(pool, built, 0, &m, NULL) != 0) {
			abort();
		}
		if (m.body_type == WIRE_IP &&
		    (wire_cert_rep_decode(pool, m.body, 1, &responses, &n, NULL) != 0 || n != 1 ||
			responses->cert_req_id != id ||
			responses->status.fail_info != status.fail_info)) {
			abort();
		}
		if (m.body_type == WIRE_POLLREP &&
		    (wire_poll_rep_decode(pool, m.body, 1, &reps, &n, NULL) != 0 || n != 1 ||
			reps->check_after != check_after)) {
			abort();
		}
		if (m.body_type == WIRE_ERROR &&
		    (wire_error_decode(pool, m.body, &again, NULL) != 0 ||
			again.status != status.status || again.fail_info != status.fail_info)) {
			abort();
		}
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pool *pool = pool_new(1 << 24);
	struct wire_message m;
	struct reader reader;

	if (pool == NULL) {
		return 0;
	}
	if (wire_message_decode(pool, bytes_of(data, size), WIRE_CERTS_MAX, &m, NULL) == 0) {
		check_header(pool, &m);
	}
	reader_init(&reader, bytes_of(data, size));
	check_bodies(pool, &reader);
	pool_free(pool);
	return 0;
}
