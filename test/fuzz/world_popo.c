/*
 * Proofs of possession by the device, so that requests get farther than to their check.
 */
#include "base/pool.h"
#include "model/der.h"
#include "world.h"
#include "world_check.h"

static const uint8_t alg_ecdsa_sha256[] = {
    0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};

#define CONSTANT(array) bytes_of(array, sizeof(array))

struct bytes
world_taken(struct world *w, struct buf *buf)
{
	struct bytes out = pool_bytes(w->pool, buf_get0(buf));

	check(buf_error(buf) == 0 && out.data, "memory");
	buf_fini(buf);
	return out;
}

/* AlgorithmIdentifier and signature, one behind the other. */
void
world_put_signature(struct world *w, struct buf *buf, struct bytes data)
{
	struct bytes signature = world_sign(w, data);
	size_t mark;

	buf_put_bytes(buf, CONSTANT(alg_ecdsa_sha256));
	mark = der_begin(buf, DER_BIT_STRING);
	buf_put_u8(buf, 0);
	buf_put_bytes(buf, signature);
	der_end(buf, mark);
}

void
world_put_cert_req(struct world *w, struct buf *buf, struct bytes request)
{
	size_t message = der_begin(buf, DER_SEQUENCE), popo;

	buf_put_bytes(buf, request);
	popo = der_begin(buf, DER_CONSTRUCTED(1));
	world_put_signature(w, buf, request);
	der_end(buf, popo);
	der_end(buf, message);
}

static struct bytes
sign_cert_reqs(struct world *w, struct bytes content)
{
	struct wire_cert_req *requests;
	size_t n, list;
	struct buf buf;

	if (wire_cert_reqs_decode(w->pool, content, 64, &requests, &n, NULL) != 0) {
		return content;
	}
	buf_init(&buf, 1 << 20);
	list = der_begin(&buf, DER_SEQUENCE);
	for (size_t i = 0; i < n; i++) {
		if (requests[i].popo == WIRE_POPO_SIGNATURE && !requests[i].popo_input.data) {
			world_put_cert_req(w, &buf, requests[i].request_raw);
		} else {
			buf_put_bytes(&buf, requests[i].raw);
		}
	}
	der_end(&buf, list);
	return world_taken(w, &buf);
}

static struct bytes
sign_p10(struct world *w, struct bytes content)
{
	struct wire_p10 p10;
	struct buf buf;
	size_t mark;

	if (wire_p10_decode(w->pool, content, &p10, NULL) != 0) {
		return content;
	}
	buf_init(&buf, 1 << 20);
	mark = der_begin(&buf, DER_SEQUENCE);
	buf_put_bytes(&buf, p10.info_raw);
	world_put_signature(w, &buf, p10.info_raw);
	der_end(&buf, mark);
	return world_taken(w, &buf);
}

struct bytes
world_sign_popo(struct world *w, int body_type, struct bytes content)
{
	return body_type == WIRE_P10CR ? sign_p10(w, content)
	       : body_type == WIRE_IR || body_type == WIRE_CR || body_type == WIRE_KUR
		   ? sign_cert_reqs(w, content)
		   : content;
}
