#include "model/extension.h"

int
extensions_open(struct bytes der, struct bytes *ret_list)
{
	if (der.data == NULL) {
		*ret_list = BYTES_NONE;
		return 0;
	}
	return der_only(der, DER_SEQUENCE, ret_list);
}

int
extension_next(struct bytes *list, struct extension *ret)
{
	struct bytes in = *list, body, flag = BYTES_NONE;
	struct extension found = {.critical = false};
	struct der element;

	if (der_next(&in, &element) < 0 || element.tag != DER_SEQUENCE) {
		return CMPD_EFORMAT;
	}
	body = element.value;
	found.whole = element.whole;
	if (der_take(&body, DER_OID, &found.oid) < 0 || !der_oid_valid(found.oid)) {
		return CMPD_EFORMAT;
	}
	if (der_peek(body, DER_BOOLEAN)) {
		/* FALSE should be left out, but some clients write it. */
		if (der_take(&body, DER_BOOLEAN, &flag) < 0 || flag.len != 1 ||
		    (flag.data[0] != 0xff && flag.data[0] != 0)) {
			return CMPD_EFORMAT;
		}
		found.critical = flag.data[0] != 0;
	}
	if (der_only(body, DER_OCTET_STRING, &found.value) < 0) {
		return CMPD_EFORMAT;
	}
	*ret = found;
	*list = in;
	return 0;
}

int
extension_find(struct bytes der, struct bytes oid, struct extension *ret)
{
	struct bytes list;
	struct extension extension, found;
	size_t n = 0;

	if (extensions_open(der, &list) < 0) {
		return CMPD_EFORMAT;
	}
	while (list.len > 0) {
		if (extension_next(&list, &extension) < 0) {
			return CMPD_EFORMAT;
		}
		if (bytes_equal(extension.oid, oid)) {
			found = extension;
			n++;
		}
	}
	if (n == 1) {
		*ret = found;
	}
	return n == 1 ? 0 : n == 0 ? CMPD_ENOENT : CMPD_EFORMAT;
}

void
extension_put(struct buf *out, struct bytes oid, bool critical, struct bytes value)
{
	static const uint8_t yes = 0xff;
	size_t mark = der_begin(out, DER_SEQUENCE);

	der_put(out, DER_OID, oid);
	if (critical) {
		der_put(out, DER_BOOLEAN, bytes_of(&yes, 1));
	}
	der_put(out, DER_OCTET_STRING, value);
	der_end(out, mark);
}
