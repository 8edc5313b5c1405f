/* Certificates from resolved templates: encode, sign, describe. */
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/rand.h>

#include "base/digest.h"
#include "base/pool.h"
#include "issuer/internal.h"
#include "model/extension.h"
#include "model/name.h"

/* time(2) lags behind the precise clock by some milliseconds: who looks at once must not find "not yet valid". */
#define CLOCK_SLACK 1000 /* ms */

struct span {
	int64_t from, to; /* ms, whole seconds */
};

/* ---- is it still possible? ---- */

/* The template was made for a CA: still the same one? */
static int
sign_check_ca(const struct profile *profile, const struct template *resolved, struct diag *diag)
{
	static const uint8_t any[CA_ID_SIZE];
	const struct ca *ca = profile->ca;
	struct extension authority;
	struct bytes body, key_id;

	if (extension_find(resolved->extensions, EXTENSION_AUTHORITY_KEY_ID, &authority) < 0 ||
	    der_only(authority.value, DER_SEQUENCE, &body) < 0 ||
	    der_take(&body, DER_PRIMITIVE(0), &key_id) < 0) {
		return diag_set(diag, CMPD_ETEMPLATE, "the template was not resolved");
	}
	if ((memcmp(resolved->ca, any, sizeof(any)) != 0 &&
		memcmp(resolved->ca, ca->id, sizeof(any)) != 0) ||
	    !bytes_equal(key_id, bytes_of(ca->key_id, ca->key_id_len))) {
		return diag_set(diag, CMPD_ETEMPLATE,
		    "the CA has changed since the request was approved");
	}
	return 0;
}

static int
sign_check_parts(const struct template *resolved, struct diag *diag)
{
	struct bytes in;

	if (der_only(resolved->subject, DER_SEQUENCE, &in) < 0 ||
	    der_only(resolved->spki, DER_SEQUENCE, &in) < 0 ||
	    der_only(resolved->extensions, DER_SEQUENCE, &in) < 0) {
		return diag_set(diag, CMPD_ETEMPLATE, "the template is not complete");
	}
	return 0;
}

static int
sign_span(const struct profile *profile, const struct template *resolved, int64_t now,
    struct span *ret, struct diag *diag)
{
	const struct ca *ca = profile->ca;
	int64_t validity = resolved->validity > 0 ? resolved->validity : profile->conf->validity;
	int64_t from = now - CLOCK_SLACK, to;

	if (from < ca->not_before && now >= ca->not_before) {
		from = ca->not_before;
	}
	if (resolved->not_before > now) {
		from = resolved->not_before;
	}
	from -= from % 1000;
	to = from + validity;
	if (resolved->not_after != 0 && resolved->not_after < to) {
		to = resolved->not_after;
	}
	if (to > ca->not_after) {
		to = ca->not_after;
	}
	to -= to % 1000;
	if (from < ca->not_before) {
		return diag_set(diag, CMPD_ETEMPLATE, "the CA is not yet valid");
	}
	if (to <= from) {
		return diag_set(diag, CMPD_ETEMPLATE,
		    from >= ca->not_after ? "the CA has expired" : "notAfter has passed");
	}
	*ret = (struct span){from, to};
	return 0;
}

/* ---- encoding ---- */

static void
put_digits(char *out, int value, int width)
{
	while (width-- > 0) {
		out[width] = (char)('0' + value % 10);
		value /= 10;
	}
}

/* UTCTime up to 2049, GeneralizedTime from 2050 on (RFC 5280 4.1.2.5). */
void
issuer_put_time(struct buf *out, int64_t ms)
{
	time_t seconds = (time_t)(ms / 1000);
	char text[15];
	struct tm tm;
	int year;

	if (gmtime_r(&seconds, &tm) == NULL || tm.tm_year + 1900 > 9999) {
		out->error = CMPD_ELIMIT;
		return;
	}
	year = tm.tm_year + 1900;
	put_digits(text, year, 4);
	put_digits(text + 4, tm.tm_mon + 1, 2);
	put_digits(text + 6, tm.tm_mday, 2);
	put_digits(text + 8, tm.tm_hour, 2);
	put_digits(text + 10, tm.tm_min, 2);
	put_digits(text + 12, tm.tm_sec, 2);
	text[14] = 'Z';
	if (year >= 1950 && year < 2050) {
		der_put(out, DER_UTC_TIME, bytes_of(text + 2, 13));
	} else {
		der_put(out, DER_GENERALIZED_TIME, bytes_of(text, 15));
	}
}

/* 159 random bits. The few numbers that would need fewer than 20 bytes are drawn again. */
static int
make_serial(struct issuer *issuer, uint8_t out[SERIAL_MAX])
{
	do {
		if (RAND_bytes_ex(issuer->libctx, out, SERIAL_MAX, 0) != 1) {
			return CMPD_ECRYPTO;
		}
		out[0] &= 0x7f;
	} while (out[0] == 0);
	return 0;
}

/* TBSCertificate (RFC 5280 4.1); the key is copied as it was sent. */
static void
put_tbs(struct buf *out, const struct ca *ca, const struct template *resolved, struct span span,
    const uint8_t serial[SERIAL_MAX])
{
	static const uint8_t version[] = {DER_CONSTRUCTED(0), 3, DER_INTEGER, 1, 2};
	size_t tbs = der_begin(out, DER_SEQUENCE), validity, extensions;

	buf_put(out, version, sizeof(version));
	der_put(out, DER_INTEGER, bytes_of(serial, SERIAL_MAX));
	buf_put_bytes(out, ca->algorithm->identifier);
	buf_put_bytes(out, ca->subject);
	validity = der_begin(out, DER_SEQUENCE);
	issuer_put_time(out, span.from);
	issuer_put_time(out, span.to);
	der_end(out, validity);
	buf_put_bytes(out, resolved->subject);
	buf_put_bytes(out, resolved->spki);
	extensions = der_begin(out, DER_CONSTRUCTED(3));
	buf_put_bytes(out, resolved->extensions);
	der_end(out, extensions);
	der_end(out, tbs);
}

/* ---- signing ---- */

static int
make_signature(struct issuer *issuer, struct ca *ca, struct bytes tbs,
    uint8_t out[CA_SIGNATURE_MAX], size_t *ret_len)
{
	size_t len = CA_SIGNATURE_MAX;

	if (EVP_MD_CTX_reset(ca->sign) != 1 ||
	    EVP_DigestSignInit_ex(ca->sign, NULL, ca->algorithm->digest, issuer->libctx, NULL,
		ca->key, NULL) != 1 ||
	    EVP_DigestSign(ca->sign, out, &len, tbs.data, tbs.len) != 1) {
		return CMPD_ECRYPTO;
	}
	*ret_len = len;
	return 0;
}

int
issuer_put_signed(struct issuer *issuer, struct ca *ca, struct bytes tbs, struct buf *out,
    struct diag *diag)
{
	uint8_t signature[1 + CA_SIGNATURE_MAX];
	size_t mark, len;
	int result;

	signature[0] = 0; /* unused bits */
	result = make_signature(issuer, ca, tbs, signature + 1, &len);
	if (result < 0) {
		return issuer_error(diag, result, "CA %s cannot sign", ca->conf->name);
	}
	mark = der_begin(out, DER_SEQUENCE);
	buf_put_bytes(out, tbs);
	buf_put_bytes(out, ca->algorithm->identifier);
	der_put(out, DER_BIT_STRING, bytes_of(signature, 1 + len));
	der_end(out, mark);
	return 0;
}

static int
make_certificate(struct issuer *issuer, struct ca *ca, struct bytes tbs, struct pool *pool,
    struct bytes *ret, struct diag *diag)
{
	struct buf out;
	int result;

	buf_init(&out, ISSUER_CERT_MAX);
	result = issuer_put_signed(issuer, ca, tbs, &out, diag);
	if (result == 0) {
		result = buf_error(&out);
	}
	if (result == 0) {
		*ret = pool_bytes(pool, buf_get0(&out));
		result = ret->data != NULL ? 0 : CMPD_ENOMEM;
	}
	buf_fini(&out);
	return result;
}

/* ---- describing ---- */

static int
make_cert_hash(struct issuer *issuer, const struct ca *ca, const struct cert *cert,
    struct pool *pool, struct bytes *ret)
{
	const struct ca_algorithm *algorithm = ca->algorithm;
	uint8_t hash[EVP_MAX_MD_SIZE];
	int ok;

	if (algorithm->hash_size == DIGEST_SIZE) {
		memcpy(hash, cert->sha256, DIGEST_SIZE);
	} else {
		ok = EVP_DigestInit_ex(issuer->digest, ca->hash, NULL) == 1 &&
		     EVP_DigestUpdate(issuer->digest, cert->der.data, cert->der.len) == 1;
		if (EVP_MD_get_flags(ca->hash) & EVP_MD_FLAG_XOF) {
			ok = ok &&
			     EVP_DigestFinalXOF(issuer->digest, hash, algorithm->hash_size) == 1;
		} else {
			ok = ok && EVP_DigestFinal_ex(issuer->digest, hash, NULL) == 1;
		}
		if (!ok) {
			return CMPD_ECRYPTO;
		}
	}
	*ret = pool_bytes(pool, bytes_of(hash, algorithm->hash_size));
	return ret->data != NULL ? 0 : CMPD_ENOMEM;
}

/* Everything of the record that follows from what was made. */
static int
describe(const struct profile *profile, const struct template *resolved, struct span span,
    const uint8_t serial[SERIAL_MAX], struct pool *pool, struct cert *cert)
{
	int result = digest_sha256(cert->der, cert->sha256);

	if (result == 0) {
		result = digest_sha256(resolved->spki, cert->spki_sha256);
	}
	if (result == 0) {
		result = name_to_text(pool, resolved->subject, &cert->subject);
	}
	if (result < 0) {
		return result;
	}
	memcpy(cert->ca, profile->ca->id, CA_ID_SIZE);
	cert->serial = pool_bytes(pool, bytes_of(serial, SERIAL_MAX));
	cert->profile = pool_strdup(pool, profile->conf->name);
	cert->not_before = span.from;
	cert->not_after = span.to;
	cert->status = CERT_VALID;
	cert->reason = -1;
	return cert->serial.data != NULL && cert->profile != NULL ? 0 : CMPD_ENOMEM;
}

static int
sign_encode(struct issuer *issuer, const struct profile *profile, const struct template *resolved,
    struct span span, const uint8_t serial[SERIAL_MAX], struct diag *diag)
{
	struct buf *tbs = &issuer->scratch;

	tbs->len = 0;
	tbs->error = 0;
	put_tbs(tbs, profile->ca, resolved, span, serial);
	if (buf_error(tbs) == CMPD_ELIMIT) {
		return diag_set(diag, CMPD_ETEMPLATE, "the certificate would be too large");
	}
	return buf_error(tbs);
}

static int
sign_checked(struct issuer *issuer, const struct profile *profile, const struct template *resolved,
    struct span span, struct pool *pool, struct cert *ret, struct bytes *ret_cert_hash,
    struct diag *diag)
{
	struct cert cert = {.number = 0};
	uint8_t serial[SERIAL_MAX];
	struct bytes hash;
	int result;

	result = make_serial(issuer, serial);
	if (result < 0) {
		return issuer_error(diag, result, "no random bytes");
	}
	result = sign_encode(issuer, profile, resolved, span, serial, diag);
	if (result == 0) {
		result = make_certificate(issuer, profile->ca, buf_get0(&issuer->scratch), pool,
		    &cert.der, diag);
	}
	if (result == 0) {
		result = describe(profile, resolved, span, serial, pool, &cert);
	}
	if (result == 0) {
		result = make_cert_hash(issuer, profile->ca, &cert, pool, &hash);
	}
	if (result < 0) {
		ERR_clear_error();
		return result;
	}
	*ret = cert;
	*ret_cert_hash = hash;
	return 0;
}

int
issuer_sign(struct issuer *issuer, const char *name, const struct template *resolved, int64_t now,
    struct pool *pool, struct cert *ret, struct bytes *ret_cert_hash, struct diag *diag)
{
	const struct profile *profile = issuer_find(issuer, name);
	struct span span;
	int result;

	if (profile == NULL) {
		return diag_set(diag, CMPD_ENOENT, "no profile is named \"%s\"",
		    name != NULL ? name : "");
	}
	result = sign_check_parts(resolved, diag);
	if (result == 0) {
		result = sign_check_ca(profile, resolved, diag);
	}
	if (result == 0) {
		result = sign_span(profile, resolved, now, &span, diag);
	}
	if (result < 0) {
		return result;
	}
	return sign_checked(issuer, profile, resolved, span, pool, ret, ret_cert_hash, diag);
}
