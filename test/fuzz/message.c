/*
 * A PKIMessage from the network: frame, and the body by its type. What was
 * decoded is built again and must be the same bytes.
 */
#include <stdlib.h>

#include "base/pool.h"
#include "cmp/wire.h"
#include "mutate_der.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const size_t fuzz_der_at = 0;

#define MAX 64

/* What was decoded is built again and is the same bytes. */
static void
check_again(struct pool *pool, const struct wire_message *m)
{
	struct bytes again = wire_message_build(pool, m->header_raw, m->body_raw, m->protection,
	    m->extra_certs, m->n_extra_certs);

	if (!bytes_equal(again, m->raw)) {
		abort();
	}
}

/* The messages of a nested one. */
static int
decode_inner(struct pool *pool, const struct wire_message *outer, const struct bytes *messages,
    size_t n)
{
	struct wire_message *m = pool_alloc(pool, sizeof(*m));
	int error = 0;

	if (m == NULL) {
		return CMPD_ENOMEM;
	}
	if (!bytes_equal(wire_nested_encode(pool, messages, n), outer->body_raw)) {
		abort();
	}
	for (size_t i = 0; i < n && error == 0; i++) {
		error = wire_message_decode(pool, messages[i], WIRE_CERTS_MAX, m, NULL);
		if (error == 0) {
			check_again(pool, m);
		}
	}
	return error;
}

static int
decode_body(struct pool *pool, const struct wire_message *m, struct diag *diag)
{
	struct wire_status_info status;
	struct wire_cert_response *responses;
	struct wire_cert_req *requests;
	struct wire_cert_conf *confs;
	struct wire_poll_rep *reps;
	struct wire_rev_req *revs;
	struct wire_itav *itavs;
	struct wire_p10 p10;
	struct bytes *messages;
	int64_t *ids;
	size_t n;

	switch (m->body_type) {
	case WIRE_IR:
	case WIRE_CR:
	case WIRE_KUR:
		return wire_cert_reqs_decode(pool, m->body, MAX, &requests, &n, diag);
	case WIRE_P10CR:
		return wire_p10_decode(pool, m->body, &p10, diag);
	case WIRE_CERTCONF:
		return wire_cert_confs_decode(pool, m->body, MAX, &confs, &n, diag);
	case WIRE_POLLREQ:
		return wire_poll_reqs_decode(pool, m->body, MAX, &ids, &n, diag);
	case WIRE_ERROR:
		return wire_error_decode(pool, m->body, &status, diag);
	case WIRE_RR:
		return wire_rev_reqs_decode(pool, m->body, MAX, &revs, &n, diag);
	case WIRE_GENM:
	case WIRE_GENP:
		return wire_itavs_decode(pool, m->body, MAX, &itavs, &n, diag);
	case WIRE_IP:
	case WIRE_CP:
	case WIRE_KUP:
		return wire_cert_rep_decode(pool, m->body, MAX, &responses, &n, diag);
	case WIRE_POLLREP:
		return wire_poll_rep_decode(pool, m->body, MAX, &reps, &n, diag);
	case WIRE_NESTED:
		return wire_nested_decode(pool, m->body, MAX, &messages, &n, diag) != 0
			   ? CMPD_EFORMAT
			   : decode_inner(pool, m, messages, n);
	default:
		return 0;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pool *pool = pool_new(1 << 24);
	struct wire_message m;
	struct wire_pbm pbm;
	struct diag diag;
	int error;

	if (pool == NULL) {
		return 0;
	}
	error = wire_message_decode(pool, bytes_of(data, size), WIRE_CERTS_MAX, &m, &diag);
	if (error == 0) {
		check_again(pool, &m);
		if (decode_body(pool, &m, &diag) == 0 &&
		    wire_pbm_decode(pool, m.header.protection_alg.parameters, &pbm) == 0 &&
		    !bytes_equal(wire_pbm_alg_encode(pool, &pbm), m.header.protection_alg.der) &&
		    bytes_equal(m.header.protection_alg.oid, wire_oid_pbm) && pbm.iterations >= 0) {
			abort();
		}
	}
	pool_free(pool);
	return 0;
}
