#include <string.h>

#include "model/certificate.h"
#include "model/der.h"

/* issuerUniqueID, subjectUniqueID and extensions, of which only the last says anything to us. */
static int
read_rest(struct bytes tbs, struct bytes *ret_extensions)
{
	struct bytes list;
	struct der field;

	while (tbs.len > 0) {
		if (der_next(&tbs, &field) < 0) {
			return CMPD_EFORMAT;
		}
		if (field.tag != DER_CONSTRUCTED(3)) {
			continue;
		}
		if (der_only(field.value, DER_SEQUENCE, &list) < 0) {
			return CMPD_EFORMAT;
		}
		*ret_extensions = field.value;
	}
	return 0;
}

int
certificate_read(struct bytes der, struct certificate_parts *ret)
{
	struct certificate_parts parts;
	struct bytes certificate, tbs;
	/* Behind serialNumber and signature: issuer, validity, subject, subjectPublicKeyInfo. */
	struct bytes *const wanted[] = {
	    NULL, NULL, &parts.issuer, NULL, &parts.subject, &parts.spki};
	struct der field;

	memset(&parts, 0, sizeof(parts));
	if (der_only(der, DER_SEQUENCE, &certificate) < 0 ||
	    der_take(&certificate, DER_SEQUENCE, &tbs) < 0) {
		return CMPD_EFORMAT;
	}
	/* version may be left out. */
	if (der_peek(tbs, DER_CONSTRUCTED(0)) && der_next(&tbs, &field) < 0) {
		return CMPD_EFORMAT;
	}
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		if (der_next(&tbs, &field) < 0) {
			return CMPD_EFORMAT;
		}
		if (wanted[i]) {
			*wanted[i] = field.whole;
		}
	}
	if (read_rest(tbs, &parts.extensions) < 0) {
		return CMPD_EFORMAT;
	}
	*ret = parts;
	return 0;
}
