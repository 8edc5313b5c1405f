#include "issuer/crl.h"

#include <openssl/err.h>
#include <stdlib.h>

#include "issuer/internal.h"
#include "model/der.h"

struct issuer_crl {
	struct issuer *issuer;
	struct ca *ca;
	uint64_t number;
	struct buf tbs;
	size_t mark; /* of tbs */
	size_t list; /* of revokedCertificates; 0: no entry yet, for an empty list is not allowed */
};

/* ---- parts ---- */

/* INTEGER of a number that is not negative, given big-endian without leading zeros. */
static void
put_unsigned(struct buf *out, struct bytes value)
{
	size_t mark = der_begin(out, DER_INTEGER);

	if (value.len == 0 || value.data[0] >= 0x80) {
		buf_put_u8(out, 0);
	}
	buf_put_bytes(out, value);
	der_end(out, mark);
}

static void
put_number(struct buf *out, uint64_t number)
{
	uint8_t value[8];
	size_t at = sizeof(value);

	for (; number > 0; number >>= 8) {
		value[--at] = (uint8_t)number;
	}
	put_unsigned(out, bytes_of(value + at, sizeof(value) - at));
}

/* Begins an extension that is not critical: its value follows, then two der_end. */
static void
begin_extension(struct buf *out, const uint8_t oid[3], size_t ret_marks[2])
{
	ret_marks[0] = der_begin(out, DER_SEQUENCE);
	der_put(out, DER_OID, bytes_of(oid, 3));
	ret_marks[1] = der_begin(out, DER_OCTET_STRING);
}

static void
end_extension(struct buf *out, const size_t marks[2])
{
	der_end(out, marks[1]);
	der_end(out, marks[0]);
}

/* RFC 5280 5.2.1 and 5.2.3: both must be there. */
static void
put_extensions(struct issuer_crl *crl)
{
	static const uint8_t authority[] = {0x55, 0x1d, 0x23}, crl_number[] = {0x55, 0x1d, 0x14};
	struct buf *out = &crl->tbs;
	size_t tag = der_begin(out, DER_CONSTRUCTED(0));
	size_t list = der_begin(out, DER_SEQUENCE), marks[2], key;

	begin_extension(out, authority, marks);
	key = der_begin(out, DER_SEQUENCE);
	der_put(out, DER_PRIMITIVE(0), bytes_of(crl->ca->key_id, crl->ca->key_id_len));
	der_end(out, key);
	end_extension(out, marks);
	begin_extension(out, crl_number, marks);
	put_number(out, crl->number);
	end_extension(out, marks);
	der_end(out, list);
	der_end(out, tag);
}

/* RFC 5280 5.3.1: no reasonCode at all rather than "unspecified". */
static int
reason_of(const struct revoked *row)
{
	if (row->status == CERT_HELD) {
		return REASON_CERTIFICATE_HOLD;
	}
	return crl_reason_is_final(row->reason) ? row->reason : REASON_UNSPECIFIED;
}

static void
put_reason(struct buf *out, int reason)
{
	const uint8_t extensions[] = {DER_SEQUENCE, 12, DER_SEQUENCE, 10, DER_OID, 3, 0x55, 0x1d,
	    0x15, DER_OCTET_STRING, 3, 0x0a, 1, (uint8_t)reason};

	buf_put(out, extensions, sizeof(extensions));
}

/* ---- the whole ---- */

int
issuer_crl_begin(struct issuer *issuer, const uint8_t id[CA_ID_SIZE], uint64_t number,
    int64_t this_update, int64_t next_update, struct issuer_crl **ret, struct diag *diag)
{
	static const uint8_t version[] = {DER_INTEGER, 1, 1};
	struct ca *ca = issuer_find_ca(issuer, id);
	struct issuer_crl *crl;

	if (ca == NULL || ca->key == NULL) {
		return diag_set(diag, CMPD_ENOENT,
		    "the key of this generation of the CA is not here");
	}
	crl = calloc(1, sizeof(*crl));
	if (crl == NULL) {
		return diag_set(diag, CMPD_ENOMEM, "%s", cmpd_strerror(CMPD_ENOMEM));
	}
	crl->issuer = issuer;
	crl->ca = ca;
	crl->number = number;
	buf_init(&crl->tbs, ISSUER_CRL_MAX);
	crl->mark = der_begin(&crl->tbs, DER_SEQUENCE);
	buf_put(&crl->tbs, version, sizeof(version));
	buf_put_bytes(&crl->tbs, ca->algorithm->identifier);
	buf_put_bytes(&crl->tbs, ca->subject);
	issuer_put_time(&crl->tbs, this_update);
	issuer_put_time(&crl->tbs, next_update);
	*ret = crl;
	return 0;
}

void
issuer_crl_add(struct issuer_crl *crl, const struct revoked *row)
{
	int reason = reason_of(row);
	size_t entry;

	if (crl->list == 0) {
		crl->list = der_begin(&crl->tbs, DER_SEQUENCE);
	}
	entry = der_begin(&crl->tbs, DER_SEQUENCE);
	put_unsigned(&crl->tbs, row->serial);
	issuer_put_time(&crl->tbs, row->revoked);
	if (reason != REASON_UNSPECIFIED) {
		put_reason(&crl->tbs, reason);
	}
	der_end(&crl->tbs, entry);
}

int
issuer_crl_end(struct issuer_crl *crl, struct buf *out, struct diag *diag)
{
	int result;

	if (crl->list != 0) {
		der_end(&crl->tbs, crl->list);
	}
	put_extensions(crl);
	der_end(&crl->tbs, crl->mark);
	result = buf_error(&crl->tbs);
	if (result < 0) {
		return diag_set(diag, result, "the CRL of CA %s: %s", crl->ca->conf->name,
		    cmpd_strerror(result));
	}
	result = issuer_put_signed(crl->issuer, crl->ca, buf_get0(&crl->tbs), out, diag);
	ERR_clear_error();
	if (result == 0 && buf_error(out) < 0) {
		result = diag_set(diag, buf_error(out), "the CRL of CA %s: %s", crl->ca->conf->name,
		    cmpd_strerror(buf_error(out)));
	}
	return result;
}

void
issuer_crl_free(struct issuer_crl *crl)
{
	if (crl != NULL) {
		buf_fini(&crl->tbs);
		free(crl);
	}
}
