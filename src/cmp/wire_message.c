#include <string.h>

#include "base/pool.h"
#include "cmp/wire_asn1.h"

/* ---- decoding ---- */

static int
itav_decode(struct pool *pool, struct bytes in, void *ret, struct diag *diag)
{
	struct wire_itav *itav = ret;

	(void)pool;
	if (wire_pair_split(in, &itav->oid, &itav->value) != 0) {
		return diag_set(diag, CMPD_EFORMAT, "an InfoTypeAndValue does not decode");
	}
	return 0;
}

int
wire_itavs_decode(struct pool *pool, struct bytes in, size_t max, struct wire_itav **ret,
    size_t *ret_n, struct diag *diag)
{
	return wire_list_decode(pool, in, max, sizeof(**ret), itav_decode, "InfoTypeAndValues", ret,
	    ret_n, diag);
}

static int
header_decode(struct pool *pool, struct bytes in, struct wire_header *ret, struct diag *diag)
{
	struct wire_take take = {.pool = pool, .diag = diag};
	struct wire_header header = {0};
	struct asn1_header *asn1;
	struct bytes info;
	int error;

	error =
	    wire_asn1_decode(ASN1_ITEM_rptr(wire_header_asn1), in, "the PKIHeader", &asn1, diag);
	if (error != 0) {
		return error;
	}
	header.pvno = wire_take_int(asn1->pvno);
	header.sender = wire_take_general_name(&take, asn1->sender);
	header.recipient = wire_take_general_name(&take, asn1->recipient);
	header.message_time_raw = wire_take_string(&take, asn1->message_time);
	if (wire_time_decode(header.message_time_raw, &header.message_time) != 0) {
		header.message_time = 0;
	}
	wire_take_alg(&take, asn1->protection_alg, &header.protection_alg);
	header.sender_kid = wire_take_string(&take, asn1->sender_kid);
	header.recip_kid = wire_take_string(&take, asn1->recip_kid);
	header.transaction_id = wire_take_string(&take, asn1->transaction_id);
	header.sender_nonce = wire_take_string(&take, asn1->sender_nonce);
	header.recip_nonce = wire_take_string(&take, asn1->recip_nonce);
	info = wire_take_string(&take, asn1->general_info);
	error = take.error;
	if (error == 0 && info.data != NULL) {
		error = wire_itavs_decode(pool, info, DER_COUNT_MAX, &header.general_info,
		    &header.n_general_info, diag);
	}
	ASN1_item_free((ASN1_VALUE *)asn1, ASN1_ITEM_rptr(wire_header_asn1));
	*ret = header;
	return error;
}

/* protection [0] and extraCerts [1], both optional; the bytes behind the body. */
static int
tail_decode(struct bytes rest, size_t max_certs, struct wire_message *ret, struct diag *diag)
{
	struct der value, inner;
	struct bytes content;

	if (der_take_element(&rest, DER_CONSTRUCTED(0), &value) == 0) {
		if (der_only(value.value, DER_BIT_STRING, &content) != 0 || content.len == 0 ||
		    content.data[0] != 0) {
			return diag_set(diag, CMPD_EFORMAT, "the protection does not decode");
		}
		ret->protection = bytes_of(content.data + 1, content.len - 1);
	}
	if (der_take_element(&rest, DER_CONSTRUCTED(1), &value) == 0) {
		if (der_only(value.value, DER_SEQUENCE, &content) != 0 || content.len == 0) {
			return diag_set(diag, CMPD_EFORMAT, "the extraCerts do not decode");
		}
		while (content.len != 0) {
			if (der_take_element(&content, DER_SEQUENCE, &inner) != 0) {
				return diag_set(diag, CMPD_EFORMAT, "the extraCerts do not decode");
			}
			if (ret->n_extra_certs == max_certs ||
			    ret->n_extra_certs == WIRE_CERTS_MAX) {
				return diag_set(diag, CMPD_ELIMIT, "more than %zu extraCerts",
				    ret->n_extra_certs);
			}
			ret->extra_certs[ret->n_extra_certs++] = inner.whole;
		}
	}
	return rest.len == 0 ? 0 : diag_set(diag, CMPD_EFORMAT, "unknown parts behind the PKIBody");
}

/* The body's tag number says what is inside the explicit tag. */
static int
body_decode(struct bytes *rest, struct wire_message *ret, struct diag *diag)
{
	struct der body, inner;
	struct bytes content;

	if (der_next(rest, &body) != 0 || (body.tag & 0xe0) != DER_CONSTRUCTED(0)) {
		return diag_set(diag, CMPD_EFORMAT, "the PKIBody does not decode");
	}
	content = body.value;
	if (der_next(&content, &inner) != 0 || content.len != 0) {
		return diag_set(diag, CMPD_EFORMAT, "the PKIBody is not one value");
	}
	ret->body_type = body.tag & 0x1f;
	ret->body_raw = body.whole;
	ret->body = inner.whole;
	return 0;
}

/* What follows the header is DER throughout, but for the messages inside a nested one: whoever decodes one of them
 * walks it, and before that the protection around them is verified. */
static int
rest_check(struct bytes rest, struct wire_der_walk *walk, struct diag *diag)
{
	struct der body;

	if (der_peek(rest, DER_CONSTRUCTED(WIRE_NESTED)) && der_next(&rest, &body) != 0) {
		return diag_set(diag, CMPD_EFORMAT, "the PKIBody does not decode");
	}
	return wire_der_check(rest, walk, diag);
}

/* All but what surrounds header and the rest. */
static int
parts_decode(struct pool *pool, struct bytes content, size_t max_certs, struct wire_message *ret,
    struct diag *diag)
{
	struct bytes rest = content;
	struct der header;
	struct wire_der_walk walk = {.start = ret->raw.data, .count = 1};
	int error;

	if (der_take_element(&rest, DER_SEQUENCE, &header) != 0) {
		return diag_set(diag, CMPD_EFORMAT, "there is no PKIHeader");
	}
	error = wire_der_check(header.whole, &walk, diag);
	if (error == 0) {
		error = header_decode(pool, header.whole, &ret->header, diag);
	}
	if (error != 0) {
		return error;
	}
	ret->header_raw = header.whole;
	error = rest_check(rest, &walk, diag);
	if (error == 0) {
		error = body_decode(&rest, ret, diag);
	}
	if (error == 0) {
		error = tail_decode(rest, max_certs, ret, diag);
	}
	return error;
}

int
wire_message_decode(struct pool *pool, struct bytes in, size_t max_certs, struct wire_message *ret,
    struct diag *diag)
{
	struct bytes rest = in;
	struct der outer;
	bool cut;
	int error;

	memset(ret, 0, sizeof(*ret));
	ret->raw = in;
	ret->body_type = -1;
	if (der_next_cut(&rest, &outer, &cut) != 0 || outer.tag != DER_SEQUENCE) {
		return diag_set(diag, CMPD_EFORMAT, "not a PKIMessage: no SEQUENCE");
	}
	/* A header that is there is read even so: the answer needs its transactionID. */
	error = parts_decode(pool, outer.value, max_certs, ret, diag);
	if (cut && error != CMPD_ENOMEM) {
		return diag_set(diag, CMPD_EFORMAT, "the message is cut off");
	}
	if (rest.len != 0 && error != CMPD_ENOMEM) {
		return diag_set(diag, CMPD_EFORMAT, "%zu bytes behind the end of the message",
		    rest.len);
	}
	return error;
}

static int
inner_decode(struct pool *pool, struct bytes in, void *ret, struct diag *diag)
{
	(void)pool;
	if (!der_peek(in, DER_SEQUENCE)) {
		return diag_set(diag, CMPD_EFORMAT, "a nested message is no SEQUENCE");
	}
	*(struct bytes *)ret = in;
	return 0;
}

int
wire_nested_decode(struct pool *pool, struct bytes in, size_t max, struct bytes **ret,
    size_t *ret_n, struct diag *diag)
{
	int error = wire_list_decode(pool, in, max, sizeof(**ret), inner_decode, "nested messages",
	    ret, ret_n, diag);

	if (error == 0 && *ret_n == 0) {
		return diag_set(diag, CMPD_EFORMAT, "there are no nested messages");
	}
	return error;
}

/* ---- building ---- */

struct bytes
wire_protected_part(struct pool *pool, struct bytes header_raw, struct bytes body_raw)
{
	struct wire_der_build build = {.pool = pool};
	struct bytes parts[] = {header_raw, body_raw};

	if (header_raw.data == NULL || body_raw.data == NULL) {
		return BYTES_NONE;
	}
	return wire_der_put(&build, DER_SEQUENCE, parts, 2);
}

struct bytes
wire_message_build(struct pool *pool, struct bytes header_raw, struct bytes body_raw,
    struct bytes protection, const struct bytes *certs, size_t n_certs)
{
	struct wire_der_build build = {.pool = pool};
	struct bytes parts[4] = {header_raw, body_raw};

	if (header_raw.data == NULL || body_raw.data == NULL) {
		return BYTES_NONE;
	}
	parts[2] = wire_der_put1(&build, DER_CONSTRUCTED(0), wire_der_put_bits(&build, protection));
	if (n_certs != 0) {
		parts[3] = wire_der_put1(&build, DER_CONSTRUCTED(1),
		    wire_der_put(&build, DER_SEQUENCE, certs, n_certs));
	}
	return build.failed ? BYTES_NONE : wire_der_put(&build, DER_SEQUENCE, parts, 4);
}

/* [number] around an OCTET STRING; absent if value is. */
static struct bytes
put_octets(struct wire_der_build *build, unsigned number, struct bytes value)
{
	return wire_der_put1(build, (uint8_t)DER_CONSTRUCTED(number),
	    wire_der_put1(build, DER_OCTET_STRING, value));
}

struct bytes
wire_itavs_put(struct wire_der_build *build, const struct wire_itav *itavs, size_t n)
{
	struct bytes *list = pool_alloc(build->pool, n == 0 ? 1 : n * sizeof(*list));
	size_t i;

	if (list == NULL) {
		build->failed = true;
		return BYTES_NONE;
	}
	for (i = 0; i < n; i++) {
		struct bytes parts[] = {
		    wire_der_put1(build, DER_OID, itavs[i].oid), itavs[i].value};

		list[i] = wire_der_put(build, DER_SEQUENCE, parts, 2);
	}
	return wire_der_put(build, DER_SEQUENCE, list, n);
}

struct bytes
wire_header_encode(struct pool *pool, const struct wire_header *header)
{
	struct wire_der_build build = {.pool = pool};
	struct bytes time = header->message_time_raw, parts[12] = {BYTES_NONE};

	if (header->sender.data == NULL || header->recipient.data == NULL) {
		return BYTES_NONE;
	}
	if (time.data == NULL && header->message_time != 0) {
		time = bytes_str(wire_time_encode(pool, header->message_time));
		build.failed = time.data == NULL;
	}
	parts[0] = wire_der_put_int(&build, header->pvno);
	parts[1] = header->sender;
	parts[2] = header->recipient;
	parts[3] = wire_der_put1(&build, DER_CONSTRUCTED(0),
	    wire_der_put1(&build, DER_GENERALIZED_TIME, time));
	parts[4] = wire_der_put1(&build, DER_CONSTRUCTED(1), header->protection_alg.der);
	parts[5] = put_octets(&build, 2, header->sender_kid);
	parts[6] = put_octets(&build, 3, header->recip_kid);
	parts[7] = put_octets(&build, 4, header->transaction_id);
	parts[8] = put_octets(&build, 5, header->sender_nonce);
	parts[9] = put_octets(&build, 6, header->recip_nonce);
	if (header->n_general_info != 0) {
		parts[11] = wire_der_put1(&build, DER_CONSTRUCTED(8),
		    wire_itavs_put(&build, header->general_info, header->n_general_info));
	}
	return build.failed ? BYTES_NONE : wire_der_put(&build, DER_SEQUENCE, parts, 12);
}

struct bytes
wire_general_name(struct pool *pool, struct bytes name)
{
	struct wire_der_build build = {.pool = pool};

	/* [4] is explicit: Name is a CHOICE. */
	return wire_der_put1(&build, DER_CONSTRUCTED(4), name);
}

struct bytes
wire_directory_name(struct bytes general_name)
{
	struct bytes content, rdns;

	if (der_only(general_name, DER_CONSTRUCTED(4), &content) != 0 ||
	    der_only(content, DER_SEQUENCE, &rdns) != 0) {
		return BYTES_NONE;
	}
	return content;
}
