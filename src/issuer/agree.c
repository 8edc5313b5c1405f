#include <openssl/err.h>
#include <openssl/x509.h>
#include <string.h>
#include <time.h>

#include "issuer/issuer.h"
#include "model/der.h"
#include "model/name.h"

static bool
same_der(struct bytes named, int len, unsigned char *der)
{
	bool same = len > 0 && bytes_equal(named, bytes_of(der, (size_t)len));

	OPENSSL_free(der);
	return same;
}

static bool
subject_agrees(const X509 *x509, struct bytes named)
{
	const unsigned char *der = NULL;
	size_t len = 0;

	return X509_NAME_get0_der(X509_get_subject_name(x509), &der, &len) == 1 &&
	       name_equal(named, bytes_of(der, len));
}

static bool
key_agrees(const X509 *x509, struct bytes named)
{
	unsigned char *der = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x509), &der);

	return same_der(named, len, der);
}

static bool
time_agrees(const ASN1_TIME *time, int64_t named)
{
	struct tm tm;

	return ASN1_TIME_to_tm(time, &tm) == 1 && (int64_t)timegm(&tm) * 1000 == named;
}

static bool
extension_stands(const X509 *x509, struct bytes named)
{
	for (int i = 0; i < X509_get_ext_count(x509); i++) {
		unsigned char *der = NULL;
		int len = i2d_X509_EXTENSION(X509_get_ext(x509, i), &der);

		if (same_der(named, len, der)) {
			return true;
		}
	}
	return false;
}

static bool
extensions_agree(const X509 *x509, struct bytes named)
{
	struct bytes list;
	struct der one;

	if (der_only(named, DER_SEQUENCE, &list) < 0) {
		return false;
	}
	while (list.len > 0) {
		if (der_next(&list, &one) < 0 || !extension_stands(x509, one.whole)) {
			return false;
		}
	}
	return true;
}

int
issuer_agrees(struct bytes certificate, const struct template *named, struct diag *diag)
{
	const unsigned char *p = certificate.data;
	X509 *x509 = d2i_X509(NULL, &p, (long)certificate.len);
	const char *wrong = NULL;

	if (x509 == NULL) {
		ERR_clear_error();
		return CMPD_EFORMAT;
	}
	if (named->subject.data != NULL && !subject_agrees(x509, named->subject)) {
		wrong = "subject";
	} else if (named->spki.data != NULL && !key_agrees(x509, named->spki)) {
		wrong = "public key";
	} else if ((named->not_before != 0 &&
		       !time_agrees(X509_get0_notBefore(x509), named->not_before)) ||
		   (named->not_after != 0 &&
		       !time_agrees(X509_get0_notAfter(x509), named->not_after))) {
		wrong = "validity";
	} else if (named->extensions.data != NULL && !extensions_agree(x509, named->extensions)) {
		wrong = "extensions";
	}
	X509_free(x509);
	ERR_clear_error();
	return wrong == NULL ? 0
			     : diag_set(diag, CMPD_ECERTID,
				   "the certificate has another %s than was named", wrong);
}
