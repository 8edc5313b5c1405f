/*
 * Authentic general messages. The first byte says how it is sent; then come questions: an infoType (255: an OBJECT IDENTIFIER of its own
 * behind its length), the length of the value (255: all that is left) and the value. One with type 0 is no question but
 * the value of certProfile in the header.
 */
#include <string.h>

#include "base/pool.h"
#include "model/der.h"
#include "mutate_der.h"
#include "world.h"
#include "world_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const size_t fuzz_der_at = 3; /* of the first question */

/* The first byte. */
#define SIGN  0x01
#define PVNO3 0x02
#define GRANT 0x04

#define CERT_PROFILE 0
#define OWN_OID	     255
#define CURRENT_CRL  6

static struct bytes
take(struct bytes *in, size_t len)
{
	struct bytes out = bytes_of(in->data, len < in->len ? len : in->len);

	in->data += out.len;
	in->len -= out.len;
	return out;
}

static uint8_t
take_u8(struct bytes *in)
{
	struct bytes one = take(in, 1);

	return one.len ? one.data[0] : 0;
}

static void
put_question(struct buf *buf, struct letter *letter, struct bytes *in)
{
	uint8_t type = take_u8(in), len;
	uint8_t it[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x04, type};
	struct bytes oid = bytes_of(it, sizeof(it)), value;
	size_t mark;

	if (type == OWN_OID) {
		oid = take(in, take_u8(in));
	}
	len = take_u8(in);
	value = take(in, len == 255 ? in->len : len);
	if (type == CERT_PROFILE) {
		letter->info[0].oid = wire_oid_cert_profile;
		letter->info[0].value = value.len ? value : BYTES_NONE;
		letter->n_info = 1;
		return;
	}
	mark = der_begin(buf, DER_SEQUENCE);
	der_put(buf, DER_OID, oid);
	buf_put_bytes(buf, value);
	der_end(buf, mark);
}

/* A CRL was made with the world: who asks for nothing but the current one gets it. */
static void
check_current_crl(struct pool *pool, const struct letter *letter, struct bytes question,
    const struct reply *reply)
{
	static const uint8_t alone[] = {0x30, 0x0c, 0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05,
	    0x05, 0x07, 0x04, CURRENT_CRL};
	struct wire_itav *told;
	size_t n;

	if (letter->n_info > 0 || !bytes_equal(question, bytes_of(alone, sizeof(alone)))) {
		return;
	}
	check(wire_itavs_decode(pool, reply->message.body, 2, &told, &n, NULL) == 0 && n == 1 &&
		  told[0].oid.data[told[0].oid.len - 1] == CURRENT_CRL && told[0].value.len > 0,
	    "the current CRL is told");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world *w = world_begin();
	struct letter letter = {.body_type = WIRE_GENM};
	struct bytes in = bytes_of(data, size);
	uint8_t how = take_u8(&in);
	struct reply reply;
	struct buf buf;
	size_t list;

	letter.sign = how & SIGN;
	letter.pvno3 = how & PVNO3;
	letter.place = how & GRANT ? PLACE_GRANTED : PLACE_HELD;
	memcpy(letter.txn, &w->messages, sizeof(w->messages));
	buf_init(&buf, 1 << 20);
	list = der_begin(&buf, DER_SEQUENCE);
	while (in.len > 0) {
		put_question(&buf, &letter, &in);
	}
	der_end(&buf, list);
	letter.content = pool_bytes(w->pool, buf_get0(&buf));
	buf_fini(&buf);
	reply = world_hand_in(w, letter.place, world_message(w, &letter), true);
	check_current_crl(w->pool, &letter, letter.content, &reply);
	return 0;
}
