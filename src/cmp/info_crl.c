#include <openssl/asn1.h>
#include <openssl/err.h>
#include <string.h>
#include <time.h>

#include "cmp/info.h"
#include "model/der.h"
#include "model/name.h"

static int
put_crl(struct cmp_work *work, const uint8_t ca[CA_ID_SIZE], int64_t newer_than, struct buf *out)
{
	struct crl crl;
	int error = store_crl_get(work->desk->reader, work->desk->pool, ca, &crl);

	if (error) {
		return error == CMPD_ENOENT ? 0 : error;
	}
	if (crl.this_update > newer_than) {
		buf_put_bytes(out, crl.der);
	}
	return 0;
}

static int
current_ca(const struct info_question *question, uint8_t ret_ca[CA_ID_SIZE])
{
	return issuer_ca_id(question->work->door->issuer, question->profile->name, ret_ca);
}

int
info_current_crl(const struct info_question *question, struct buf *out, struct diag *why)
{
	uint8_t ca[CA_ID_SIZE];
	int error = current_ca(question, ca);

	(void)why;
	return error ? error : put_crl(question->work, ca, 0, out);
}

/* Of a CA of ours by its name: the CRL of each generation that is newer. */
static int
crls_of_issuer(const struct info_question *question, struct bytes name, int64_t newer_than,
    struct buf *out)
{
	uint8_t ca[CA_ID_SIZE];
	int error = 0;

	for (size_t i = 0;
	     !error && issuer_ca_named(question->work->door->issuer, name, i, ca) == 0; i++) {
		error = put_crl(question->work, ca, newer_than, out);
	}
	return error;
}

static bool
is_our_point(const struct info_question *question, struct bytes uri)
{
	for (const char **url = question->profile->crl_distribution_points; url && *url; url++) {
		if (bytes_equal(uri, bytes_str(*url))) {
			return true;
		}
	}
	return false;
}

/* GeneralNames: directoryNames are issuers, URIs distribution points. */
static int
crls_of_names(const struct info_question *question, struct bytes names, int64_t newer_than,
    struct buf *out)
{
	struct der name;
	int error = 0;

	while (!error && names.len > 0) {
		if (der_next(&names, &name) < 0) {
			return CMPD_EFORMAT;
		}
		if (name.tag == DER_CONSTRUCTED(4)) {
			error = crls_of_issuer(question, name.value, newer_than, out);
		} else if (name.tag == DER_PRIMITIVE(6) && is_our_point(question, name.value)) {
			uint8_t ca[CA_ID_SIZE];

			error = current_ca(question, ca);
			if (!error) {
				error = put_crl(question->work, ca, newer_than, out);
			}
		}
	}
	return error;
}

static int
time_of(struct der time, int64_t *ret)
{
	const unsigned char *p = time.whole.data;
	ASN1_TIME *asn1 = d2i_ASN1_TIME(NULL, &p, (long)time.whole.len);
	struct tm tm;
	bool good = asn1 && ASN1_TIME_to_tm(asn1, &tm) == 1;

	ASN1_TIME_free(asn1);
	ERR_clear_error();
	if (good) {
		*ret = (int64_t)timegm(&tm) * 1000;
	}
	return good ? 0 : CMPD_EFORMAT;
}

/* CRLStatus (RFC 9810 5.3.19.17): source [0] DistributionPointName or [1] GeneralNames, thisUpdate OPTIONAL. */
static int
crls_of_status(const struct info_question *question, struct bytes status, struct buf *out)
{
	struct der source, time;
	struct bytes names;
	int64_t newer_than = 0;

	if (der_next(&status, &source) < 0) {
		return CMPD_EFORMAT;
	}
	if (status.len > 0 &&
	    (der_next(&status, &time) < 0 || status.len > 0 || time_of(time, &newer_than) < 0)) {
		return CMPD_EFORMAT;
	}
	if (source.tag == DER_CONSTRUCTED(1)) {
		return der_only(source.value, DER_SEQUENCE, &names) < 0
			   ? CMPD_EFORMAT
			   : crls_of_names(question, names, newer_than, out);
	}
	if (source.tag != DER_CONSTRUCTED(0)) {
		return CMPD_EFORMAT;
	}
	/* A name relative to the issuer ([1]) is never used here: there is no CRL for it. */
	return der_only(source.value, DER_CONSTRUCTED(0), &names) < 0
		   ? 0
		   : crls_of_names(question, names, newer_than, out);
}

int
info_crls(const struct info_question *question, struct buf *out, struct diag *why)
{
	struct bytes list, status;
	size_t mark = der_begin(out, DER_SEQUENCE), before = out->len;
	int error = 0;

	if (der_only(question->value, DER_SEQUENCE, &list) < 0 || list.len == 0) {
		return diag_set(why, CMPD_EFORMAT, "crlStatusList is no list of CRLStatus");
	}
	while (!error && list.len > 0) {
		error = der_take(&list, DER_SEQUENCE, &status);
		if (!error) {
			error = crls_of_status(question, status, out);
		}
	}
	if (error == CMPD_EFORMAT) {
		return diag_set(why, error, "crlStatusList is no list of CRLStatus");
	}
	if (!error && out->len == before) {
		/* None is newer: no value. */
		out->len = 0;
		return 0;
	}
	der_end(out, mark);
	return error;
}
