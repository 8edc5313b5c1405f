#include "model/der.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/objects.h>

/* Reads tag and length, which may be more than what is there. */
static int
der_header(struct bytes in, size_t *ret_header, size_t *ret_len)
{
	size_t len, n;

	/* Tags above 30 take several bytes: nothing that we read has them. 0 is no tag of DER. */
	if (in.len < 2 || (in.data[0] & 0x1f) == 0x1f || in.data[0] == 0) {
		return CMPD_EFORMAT;
	}
	if (in.data[1] < 0x80) {
		*ret_header = 2;
		*ret_len = in.data[1];
		return 0;
	}
	n = in.data[1] & 0x7f;
	if (n == 0 || n > 4 || in.len - 2 < n || in.data[2] == 0) {
		return CMPD_EFORMAT;
	}
	len = 0;
	for (size_t i = 0; i < n; i++) {
		len = len << 8 | in.data[2 + i];
	}
	if (len < 0x80) {
		return CMPD_EFORMAT;
	}
	*ret_header = 2 + n;
	*ret_len = len;
	return 0;
}

int
der_next_cut(struct bytes *in, struct der *ret, bool *ret_cut)
{
	size_t header, len, have;

	if (in->data == NULL || der_header(*in, &header, &len) < 0) {
		return CMPD_EFORMAT;
	}
	have = in->len - header;
	*ret_cut = len > have;
	if (len > have) {
		len = have;
	}
	ret->tag = in->data[0];
	ret->value = bytes_of(in->data + header, len);
	ret->whole = bytes_of(in->data, header + len);
	in->data += header + len;
	in->len -= header + len;
	return 0;
}

int
der_next(struct bytes *in, struct der *ret)
{
	struct bytes left = *in;
	struct der element;
	bool cut;

	if (der_next_cut(&left, &element, &cut) < 0 || cut) {
		return CMPD_EFORMAT;
	}
	*in = left;
	*ret = element;
	return 0;
}

int
der_take_element(struct bytes *in, uint8_t tag, struct der *ret)
{
	return der_peek(*in, tag) ? der_next(in, ret) : CMPD_EFORMAT;
}

int
der_take(struct bytes *in, uint8_t tag, struct bytes *ret_value)
{
	struct der element;

	if (der_take_element(in, tag, &element) < 0) {
		return CMPD_EFORMAT;
	}
	*ret_value = element.value;
	return 0;
}

int
der_only(struct bytes in, uint8_t tag, struct bytes *ret_value)
{
	struct bytes value;

	if (der_take(&in, tag, &value) < 0 || in.len > 0) {
		return CMPD_EFORMAT;
	}
	*ret_value = value;
	return 0;
}

bool
der_peek(struct bytes in, uint8_t tag)
{
	return in.data != NULL && in.len > 0 && in.data[0] == tag;
}

static void
der_put_header(struct buf *buf, uint8_t tag, size_t len)
{
	uint8_t header[6];
	size_t n = 0;

	if (len > UINT32_MAX) {
		buf->error = CMPD_ELIMIT;
		return;
	}
	header[n++] = tag;
	if (len < 0x80) {
		header[n++] = (uint8_t)len;
	} else {
		size_t width = len > 0xffffff ? 4 : len > 0xffff ? 3 : len > 0xff ? 2 : 1;

		header[n++] = (uint8_t)(0x80 | width);
		while (width-- > 0) {
			header[n++] = (uint8_t)(len >> 8 * width);
		}
	}
	buf_put(buf, header, n);
}

void
der_put(struct buf *buf, uint8_t tag, struct bytes value)
{
	der_put_header(buf, tag, value.len);
	buf_put_bytes(buf, value);
}

size_t
der_begin(struct buf *buf, uint8_t tag)
{
	der_put_header(buf, tag, 0);
	return buf->len;
}

/* The header was written for an empty element; make room if the length needs more bytes. */
void
der_end(struct buf *buf, size_t mark)
{
	static const uint8_t room[4];
	size_t len, width;

	if (buf->error != 0) {
		return;
	}
	len = buf->len - mark;
	if (len < 0x80) {
		buf->data[mark - 1] = (uint8_t)len;
		return;
	}
	if (len > UINT32_MAX) {
		buf->error = CMPD_ELIMIT;
		return;
	}
	width = len > 0xffffff ? 4 : len > 0xffff ? 3 : len > 0xff ? 2 : 1;
	buf_put(buf, room, width);
	if (buf->error != 0) {
		return;
	}
	memmove(buf->data + mark + width, buf->data + mark, len);
	buf->data[mark - 1] = (uint8_t)(0x80 | width);
	for (size_t i = 0; i < width; i++) {
		buf->data[mark + i] = (uint8_t)(len >> 8 * (width - 1 - i));
	}
}

bool
der_oid_valid(struct bytes oid)
{
	bool first = true; /* byte of a number */

	for (size_t i = 0; i < oid.len; i++) {
		if (first && oid.data[i] == 0x80) {
			return false; /* a leading zero */
		}
		first = (oid.data[i] & 0x80) == 0;
	}
	return first && oid.len > 0 && oid.len <= DER_OID_MAX;
}

int
der_oid_to_text(struct bytes oid, char out[DER_OID_TEXT_MAX])
{
	uint8_t der[2 + DER_OID_MAX];
	const uint8_t *p = der;
	ASN1_OBJECT *object;
	int n = -1;

	if (!der_oid_valid(oid)) {
		return CMPD_EFORMAT;
	}
	der[0] = DER_OID;
	der[1] = (uint8_t)oid.len;
	memcpy(der + 2, oid.data, oid.len);
	object = d2i_ASN1_OBJECT(NULL, &p, (long)oid.len + 2);
	if (object != NULL) {
		n = OBJ_obj2txt(out, DER_OID_TEXT_MAX, object, 1);
	}
	ASN1_OBJECT_free(object);
	ERR_clear_error();
	return n > 0 && n < DER_OID_TEXT_MAX ? 0 : CMPD_EFORMAT;
}

int
der_oid_from_text(const char *text, bool names, uint8_t out[DER_OID_MAX], size_t *ret_len)
{
	ASN1_OBJECT *object;
	int result = CMPD_EFORMAT;

	if (strlen(text) >= DER_OID_TEXT_MAX) {
		return CMPD_EFORMAT;
	}
	object = OBJ_txt2obj(text, names ? 0 : 1);
	if (object != NULL && OBJ_length(object) > 0 && OBJ_length(object) <= DER_OID_MAX) {
		*ret_len = OBJ_length(object);
		memcpy(out, OBJ_get0_data(object), *ret_len);
		result = 0;
	}
	ASN1_OBJECT_free(object);
	ERR_clear_error();
	return result;
}
