#include <stdio.h>
#include <string.h>

#include "base/pool.h"
#include "cmp/wire_asn1.h"

const struct bytes wire_oid_pbm = {(const uint8_t *)"\x2a\x86\x48\x86\xf6\x7d\x07\x42\x0d", 9};
const struct bytes wire_oid_implicit_confirm = {
    (const uint8_t *)"\x2b\x06\x01\x05\x05\x07\x04\x0d", 8};
const struct bytes wire_oid_confirm_wait_time = {
    (const uint8_t *)"\x2b\x06\x01\x05\x05\x07\x04\x0e", 8};
const struct bytes wire_oid_cert_profile = {(const uint8_t *)"\x2b\x06\x01\x05\x05\x07\x04\x15", 8};

/* ---- times ---- */

/* Days since 1970-01-01 of a date in the Gregorian calendar; years are counted from March. */
static int64_t
days_from_date(int64_t year, int64_t month, int64_t day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t m = month <= 2 ? month + 9 : month - 3;

	return y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1 - 719468;
}

static int64_t
days_in_month(int64_t year, int64_t month)
{
	return month == 12 ? 31
			   : days_from_date(year, month + 1, 1) - days_from_date(year, month, 1);
}

int
wire_time_decode(struct bytes text, int64_t *ret_ms)
{
	static const uint8_t widths[] = {4, 2, 2, 2, 2, 2};
	int64_t part[6] = {0};
	const uint8_t *p = text.data;
	int i, j;

	if (text.len != 15 || p[14] != 'Z') {
		return CMPD_EFORMAT;
	}
	for (i = 0; i < 6; i++) {
		for (j = 0; j < widths[i]; j++, p++) {
			if (*p < '0' || *p > '9') {
				return CMPD_EFORMAT;
			}
			part[i] = part[i] * 10 + (*p - '0');
		}
	}
	if (part[0] < 1 || part[1] < 1 || part[1] > 12 || part[2] < 1 ||
	    part[2] > days_in_month(part[0], part[1]) || part[3] > 23 || part[4] > 59 ||
	    part[5] > 59) {
		return CMPD_EFORMAT;
	}
	*ret_ms = (days_from_date(part[0], part[1], part[2]) * 86400 + part[3] * 3600 +
		      part[4] * 60 + part[5]) *
		  1000;
	return 0;
}

const char *
wire_time_encode(struct pool *pool, int64_t ms)
{
	int64_t seconds = ms / 1000 - (ms % 1000 < 0 ? 1 : 0);
	int64_t day = seconds / 86400 - (seconds % 86400 < 0 ? 1 : 0);
	int64_t rest = seconds - day * 86400, year, month;

	/* The years that have four digits. */
	if (day < days_from_date(1, 1, 1) || day > days_from_date(9999, 12, 31)) {
		return NULL;
	}
	year = 1970 + day / 366 - (day < 0 ? 1 : 0);
	while (days_from_date(year + 1, 1, 1) <= day) {
		year++;
	}
	while (days_from_date(year, 1, 1) > day) {
		year--;
	}
	for (month = 1; month < 12 && days_from_date(year, month + 1, 1) <= day; month++) {
	}
	return pool_printf(pool, "%04d%02d%02d%02d%02d%02dZ", (int)year, (int)month,
	    (int)(day - days_from_date(year, month, 1)) + 1, (int)(rest / 3600),
	    (int)(rest / 60 % 60), (int)(rest % 60));
}

/* ---- parts ---- */

/* PKIFreeText of one line; absent if text is NULL. Whatever the text was, it leaves as UTF-8. */
static struct bytes
put_free_text(struct wire_der_build *build, const char *text)
{
	char *valid;

	if (text == NULL) {
		return BYTES_NONE;
	}
	valid = wire_text(build->pool, bytes_str(text));
	if (valid == NULL) {
		build->failed = true;
		return BYTES_NONE;
	}
	return wire_der_put1(build, DER_SEQUENCE,
	    wire_der_put1(build, DER_UTF8_STRING, bytes_str(valid)));
}

/* A named BIT STRING: no trailing zero bits. */
static struct bytes
put_fail_info(struct wire_der_build *build, int bit)
{
	uint8_t content[6] = {0};

	if (bit < 0) {
		return BYTES_NONE;
	}
	if (bit > 31) {
		build->failed = true;
		return BYTES_NONE;
	}
	content[0] = (uint8_t)(7 - bit % 8);
	content[1 + bit / 8] = (uint8_t)(0x80 >> (bit % 8));
	return wire_der_put1(build, DER_BIT_STRING, bytes_of(content, 2 + (size_t)bit / 8));
}

static struct bytes
put_status(struct wire_der_build *build, const struct wire_status_info *status)
{
	struct bytes parts[] = {wire_der_put_int(build, status->status),
	    put_free_text(build, status->text), put_fail_info(build, status->fail_info)};

	return wire_der_put(build, DER_SEQUENCE, parts, 3);
}

static struct bytes *
list_new(struct wire_der_build *build, size_t n)
{
	struct bytes *list = pool_alloc(build->pool, n == 0 ? 1 : n * sizeof(*list));

	if (list == NULL) {
		build->failed = true;
	}
	return list;
}

static struct bytes
put_body(struct wire_der_build *build, int tag, struct bytes content)
{
	struct bytes body = wire_der_put1(build, (uint8_t)DER_CONSTRUCTED(tag), content);

	return build->failed ? BYTES_NONE : body;
}

/* ---- bodies ---- */

/* CertifiedKeyPair: certOrEncCert certificate [0], privateKey [0] EncryptedKey, of which envelopedData is [0] again. */
static struct bytes
put_key_pair(struct wire_der_build *build, const struct wire_cert_response *response)
{
	struct bytes parts[2] = {
	    wire_der_put1(build, DER_CONSTRUCTED(0), response->certificate),
	    wire_der_put1(build, DER_CONSTRUCTED(0),
		wire_der_retag(build, DER_CONSTRUCTED(0), response->private_key)),
	};

	return parts[0].data ? wire_der_put(build, DER_SEQUENCE, parts, 2) : BYTES_NONE;
}

static struct bytes
put_cert_response(struct wire_der_build *build, const struct wire_cert_response *response)
{
	struct bytes parts[] = {wire_der_put_int(build, response->cert_req_id),
	    put_status(build, &response->status), put_key_pair(build, response)};

	return wire_der_put(build, DER_SEQUENCE, parts, 3);
}

struct bytes
wire_cert_rep_encode(struct pool *pool, int tag, const struct bytes *ca_pubs, size_t n_ca_pubs,
    const struct wire_cert_response *responses, size_t n)
{
	struct wire_der_build build = {.pool = pool};
	struct bytes parts[2] = {BYTES_NONE};
	struct bytes *list = list_new(&build, n);
	size_t i;

	if (tag != WIRE_IP && tag != WIRE_CP && tag != WIRE_KUP) {
		return BYTES_NONE;
	}
	if (n_ca_pubs > 0) {
		parts[0] = wire_der_put1(&build, DER_CONSTRUCTED(1),
		    wire_der_put(&build, DER_SEQUENCE, ca_pubs, n_ca_pubs));
	}
	for (i = 0; i < n && !build.failed; i++) {
		list[i] = put_cert_response(&build, &responses[i]);
	}
	if (build.failed) {
		return BYTES_NONE;
	}
	parts[1] = wire_der_put(&build, DER_SEQUENCE, list, n);
	return put_body(&build, tag, wire_der_put(&build, DER_SEQUENCE, parts, 2));
}

struct bytes
wire_poll_rep_encode(struct pool *pool, const struct wire_poll_rep *reps, size_t n)
{
	struct wire_der_build build = {.pool = pool};
	struct bytes *list = list_new(&build, n);
	size_t i;

	for (i = 0; i < n && !build.failed; i++) {
		struct bytes parts[] = {wire_der_put_int(&build, reps[i].cert_req_id),
		    wire_der_put_int(&build, reps[i].check_after),
		    put_free_text(&build, reps[i].reason)};

		list[i] = wire_der_put(&build, DER_SEQUENCE, parts, 3);
	}
	if (build.failed) {
		return BYTES_NONE;
	}
	return put_body(&build, WIRE_POLLREP, wire_der_put(&build, DER_SEQUENCE, list, n));
}

struct bytes
wire_pkiconf_encode(struct pool *pool)
{
	struct wire_der_build build = {.pool = pool};

	return put_body(&build, WIRE_PKICONF, wire_der_put(&build, DER_NULL, NULL, 0));
}

struct bytes
wire_error_encode(struct pool *pool, const struct wire_status_info *status)
{
	struct wire_der_build build = {.pool = pool};

	return put_body(&build, WIRE_ERROR,
	    wire_der_put1(&build, DER_SEQUENCE, put_status(&build, status)));
}

struct bytes
wire_rev_rep_encode(struct pool *pool, const struct wire_status_info *status, size_t n)
{
	struct wire_der_build build = {.pool = pool};
	struct bytes *list = list_new(&build, n);
	size_t i;

	for (i = 0; i < n && !build.failed; i++) {
		list[i] = put_status(&build, &status[i]);
	}
	if (build.failed) {
		return BYTES_NONE;
	}
	return put_body(&build, WIRE_RP,
	    wire_der_put1(&build, DER_SEQUENCE, wire_der_put(&build, DER_SEQUENCE, list, n)));
}

struct bytes
wire_genp_encode(struct pool *pool, const struct wire_itav *itavs, size_t n)
{
	struct wire_der_build build = {.pool = pool};

	return put_body(&build, WIRE_GENP, wire_itavs_put(&build, itavs, n));
}

struct bytes
wire_nested_encode(struct pool *pool, const struct bytes *messages, size_t n)
{
	struct wire_der_build build = {.pool = pool};

	return n == 0
		   ? BYTES_NONE
		   : put_body(&build, WIRE_NESTED, wire_der_put(&build, DER_SEQUENCE, messages, n));
}

/* ---- PBMParameter ---- */

int
wire_pbm_decode(struct pool *pool, struct bytes parameters, struct wire_pbm *ret)
{
	struct wire_take take = {.pool = pool};
	struct wire_pbm pbm = {.iterations = -1};
	struct asn1_pbm *asn1;
	int64_t iterations;
	int error;

	if (parameters.len == 0 || parameters.data[0] != DER_SEQUENCE) {
		return CMPD_EFORMAT;
	}
	error = wire_asn1_decode(ASN1_ITEM_rptr(wire_pbm_asn1), parameters, "the PBMParameter",
	    &asn1, NULL);
	if (error != 0) {
		return error;
	}
	pbm.salt = wire_take_string(&take, asn1->salt);
	wire_take_alg(&take, asn1->owf, &pbm.owf);
	iterations = wire_take_int(asn1->iterations);
	if (iterations >= 0 && iterations <= INT32_MAX) {
		pbm.iterations = iterations;
	}
	wire_take_alg(&take, asn1->mac, &pbm.mac);
	ASN1_item_free((ASN1_VALUE *)asn1, ASN1_ITEM_rptr(wire_pbm_asn1));
	if (take.error == 0) {
		*ret = pbm;
	}
	return take.error;
}

struct bytes
wire_pbm_alg_encode(struct pool *pool, const struct wire_pbm *pbm)
{
	struct wire_der_build build = {.pool = pool};
	struct bytes parts[] = {wire_der_put1(&build, DER_OCTET_STRING, pbm->salt), pbm->owf.der,
	    wire_der_put_int(&build, pbm->iterations), pbm->mac.der};
	struct bytes alg[2];

	if (pbm->salt.data == NULL || pbm->owf.der.data == NULL || pbm->mac.der.data == NULL) {
		return BYTES_NONE;
	}
	alg[0] = wire_der_put1(&build, DER_OID, wire_oid_pbm);
	alg[1] = wire_der_put(&build, DER_SEQUENCE, parts, 4);
	return build.failed ? BYTES_NONE : wire_der_put(&build, DER_SEQUENCE, alg, 2);
}
