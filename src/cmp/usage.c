#include <openssl/x509v3.h>

#include "cmp/usage.h"

bool
usage_signs(X509 *certificate)
{
	return (X509_get_key_usage(certificate) & KU_DIGITAL_SIGNATURE) != 0;
}

bool
usage_has(const X509 *certificate, int purpose)
{
	EXTENDED_KEY_USAGE *usage = X509_get_ext_d2i(certificate, NID_ext_key_usage, NULL, NULL);
	bool found = false;

	for (int i = 0; usage && i < sk_ASN1_OBJECT_num(usage) && !found; i++) {
		found = OBJ_obj2nid(sk_ASN1_OBJECT_value(usage, i)) == purpose;
	}
	EXTENDED_KEY_USAGE_free(usage);
	return found;
}
