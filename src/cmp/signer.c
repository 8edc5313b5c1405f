#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/clock.h"
#include "cmp/ra.h"
#include "cmp/signer.h"
#include "cmp/usage.h"
#include "model/certificate.h"

/* Direct-mapped in sets of four: a stranger can displace four signers with one hash prefix, no more. */
#define CACHE_SETS 256
#define CACHE_WAYS 4

struct signer_cache {
	struct signer *slots[CACHE_SETS][CACHE_WAYS];
	unsigned next[CACHE_SETS];
	struct signer *loose; /* the last one loaded that is not in the cache */
};

static void
signer_free(struct signer *signer)
{
	if (!signer) {
		return;
	}
	X509_free(signer->certificate);
	pool_free(signer->pool);
	free(signer);
}

struct signer_cache *
signer_cache_new(void)
{
	return calloc(1, sizeof(struct signer_cache));
}

void
signer_cache_free(struct signer_cache *cache)
{
	if (!cache) {
		return;
	}
	for (size_t i = 0; i < CACHE_SETS; i++) {
		for (size_t k = 0; k < CACHE_WAYS; k++) {
			signer_free(cache->slots[i][k]);
		}
	}
	signer_free(cache->loose);
	free(cache);
}

static size_t
set_of(const uint8_t *sha256)
{
	return sha256[0] % CACHE_SETS;
}

static struct signer *
cache_find(struct signer_cache *cache, const struct cmp_endpoint *endpoint, const uint8_t *sha256)
{
	size_t set = set_of(sha256);

	for (size_t k = 0; k < CACHE_WAYS; k++) {
		struct signer *signer = cache->slots[set][k];

		if (!signer || signer->endpoint != endpoint ||
		    memcmp(signer->sha256, sha256, DIGEST_SIZE)) {
			continue;
		}
		if (clock_mono_ms() - signer->validated < SIGNER_TTL_MS) {
			return signer;
		}
		signer_free(signer);
		cache->slots[set][k] = NULL;
	}
	return NULL;
}

/* Moves the loose signer into its set. */
static void
cache_keep(struct signer_cache *cache, struct signer *signer)
{
	size_t set = set_of(signer->sha256);
	unsigned way = cache->next[set]++ % CACHE_WAYS;

	if (cache->loose != signer) {
		return;
	}
	cache->loose = NULL;
	signer_free(cache->slots[set][way]);
	cache->slots[set][way] = signer;
}

static int
time_ms(const ASN1_TIME *time, int64_t *ret)
{
	struct tm tm;

	if (!ASN1_TIME_to_tm(time, &tm)) {
		return CMPD_EFORMAT;
	}
	*ret = (int64_t)timegm(&tm) * 1000;
	return 0;
}

static struct bytes
name_der(struct pool *pool, const X509_NAME *name)
{
	const unsigned char *der = NULL;
	size_t len = 0;

	if (!X509_NAME_get0_der(name, &der, &len)) {
		return BYTES_NONE;
	}
	return pool_bytes(pool, bytes_of(der, len));
}

static int
extensions_der(struct signer *signer)
{
	const STACK_OF(X509_EXTENSION) *list = X509_get0_extensions(signer->certificate);
	unsigned char *der = NULL;
	int len;

	if (!list || sk_X509_EXTENSION_num(list) == 0) {
		return 0;
	}
	len = i2d_X509_EXTENSIONS(list, &der);
	if (len <= 0) {
		return CMPD_ENOMEM;
	}
	signer->extensions = pool_bytes(signer->pool, bytes_of(der, (size_t)len));
	OPENSSL_free(der);
	return signer->extensions.data ? 0 : CMPD_ENOMEM;
}

static int
spki_describe(struct signer *signer)
{
	unsigned char *der = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(signer->certificate), &der);
	struct bytes copy = BYTES_NONE;

	if (len > 0) {
		copy = pool_bytes(signer->pool, bytes_of(der, (size_t)len));
	}
	OPENSSL_free(der);
	return copy.data ? spki_parse(copy, &signer->spki, NULL) : CMPD_ENOMEM;
}

static int
describe(struct cmp_door *door, struct signer *signer)
{
	X509 *x = signer->certificate;
	const ASN1_OCTET_STRING *kid = X509_get0_subject_key_id(x);
	const ASN1_INTEGER *serial = X509_get0_serialNumber(x);
	struct bytes number =
	    bytes_of(ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial));
	int error;

	/* Cached bits of the certificate, so that later look-ups do not touch it. */
	signer->may_sign = usage_signs(x);
	signer->has_ra_usage = usage_has(x, NID_cmcRA);
	signer->key = X509_get0_pubkey(x);
	if (!signer->key || (X509_get_extension_flags(x) & EXFLAG_INVALID)) {
		return CMPD_EFORMAT;
	}
	while (number.len > 1 && number.data[0] == 0) {
		number.data++;
		number.len--;
	}
	signer->serial = pool_bytes(signer->pool, number);
	signer->subject = name_der(signer->pool, X509_get_subject_name(x));
	signer->issuer = name_der(signer->pool, X509_get_issuer_name(x));
	if (kid) {
		signer->kid = pool_bytes(signer->pool,
		    bytes_of(ASN1_STRING_get0_data(kid), (size_t)ASN1_STRING_length(kid)));
	}
	if (!signer->serial.data || !signer->subject.data || !signer->issuer.data) {
		return CMPD_ENOMEM;
	}
	error = time_ms(X509_get0_notBefore(x), &signer->not_before);
	if (!error) {
		error = time_ms(X509_get0_notAfter(x), &signer->not_after);
	}
	if (!error) {
		error = extensions_der(signer);
	}
	if (!error) {
		error = spki_describe(signer);
	}
	if (error) {
		return error;
	}
	signer->ours = issuer_ca_of(door->issuer, x, signer->ca) == 0;
	return 0;
}

/*
 * The key of a certificate, seen before libcrypto decodes it: a stranger can send one that takes libcrypto 140 ms, a
 * curve of his own with a compressed point, or one that takes it milliseconds to verify with.
 */
static int
certificate_key(struct bytes der, struct spki *ret)
{
	struct certificate_parts parts;
	int error = certificate_read(der, &parts);

	if (!error) {
		error = spki_parse(parts.spki, ret, NULL);
	}
	if (error) {
		return error;
	}
	return (ret->kind == SPKI_RSA || ret->kind == SPKI_RSA_PSS) && ret->bits > SIGNER_RSA_MAX
		   ? CMPD_EALGORITHM
		   : 0;
}

static X509 *
certificate_decode(struct cmp_door *door, struct bytes der)
{
	X509 *x = X509_new_ex(door->libctx, NULL);
	const unsigned char *p = der.data;

	if (!x || !d2i_X509(&x, &p, (long)der.len) || p != der.data + der.len) {
		X509_free(x);
		return NULL;
	}
	return x;
}

int
signer_load(struct cmp_door *door, const struct cmp_endpoint *endpoint, struct bytes der,
    struct signer **ret)
{
	struct signer_cache *cache = door->signers;
	uint8_t sha256[DIGEST_SIZE];
	struct signer *signer = NULL;
	struct spki key;
	int error = digest_sha256(der, sha256);

	if (error) {
		return error;
	}
	signer = cache_find(cache, endpoint, sha256);
	if (signer) {
		*ret = signer;
		return 0;
	}
	error = certificate_key(der, &key);
	if (error) {
		return error;
	}
	signer = calloc(1, sizeof(*signer));
	if (!signer) {
		return CMPD_ENOMEM;
	}
	signer_free(cache->loose);
	cache->loose = signer;
	memcpy(signer->sha256, sha256, sizeof(sha256));
	signer->endpoint = endpoint;
	signer->pool = pool_new(256 * 1024);
	if (!signer->pool) {
		return CMPD_ENOMEM;
	}
	signer->certificate = certificate_decode(door, der);
	error = signer->certificate ? describe(door, signer) : CMPD_EFORMAT;
	ERR_clear_error();
	if (!error) {
		*ret = signer;
	}
	return error;
}

/* The chain is only as long valid as each of its certificates. */
static int
narrow_validity(struct signer *signer, const STACK_OF(X509) * chain)
{
	for (int i = 0; i < sk_X509_num(chain); i++) {
		const X509 *x = sk_X509_value(chain, i);
		int64_t from, to;

		if (time_ms(X509_get0_notBefore(x), &from) || time_ms(X509_get0_notAfter(x), &to)) {
			return CMPD_EFORMAT;
		}
		if (from > signer->not_before) {
			signer->not_before = from;
		}
		if (to < signer->not_after) {
			signer->not_after = to;
		}
	}
	return 0;
}

static STACK_OF(X509) * decode_others(struct cmp_door *door, const struct bytes *others, size_t n)
{
	STACK_OF(X509) *untrusted = sk_X509_new_null();

	for (size_t i = 0; untrusted && i < n; i++) {
		struct spki key;
		X509 *x =
		    certificate_key(others[i], &key) ? NULL : certificate_decode(door, others[i]);

		/* One that does not decode cannot help; the chain says whether it was needed. */
		if (x && !sk_X509_push(untrusted, x)) {
			X509_free(x);
			sk_X509_pop_free(untrusted, X509_free);
			return NULL;
		}
	}
	return untrusted;
}

/* Is there a chain to one of these anchors? Narrows the signer's validity to it, or says why not. */
static int
find_chain(struct cmp_door *door, struct signer *signer, X509_STORE *anchors,
    STACK_OF(X509) * untrusted, bool *ret)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new_ex(door->libctx, NULL);
	int error = CMPD_ENOMEM;

	if (!ctx || !X509_STORE_CTX_init(ctx, anchors, signer->certificate, untrusted)) {
		goto out;
	}
	/* Time is judged by whoever opens a transaction, with the clock of cmpd. */
	X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_NO_CHECK_TIME | X509_V_FLAG_PARTIAL_CHAIN);
	X509_STORE_CTX_set_depth(ctx, 8);
	error = 0;
	*ret = X509_verify_cert(ctx) == 1;
	if (*ret) {
		error = narrow_validity(signer, X509_STORE_CTX_get0_chain(ctx));
	} else {
		signer->why_not = X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx));
	}
out:
	X509_STORE_CTX_free(ctx);
	return error;
}

/* Anchors for RAs make nobody else trusted, and the usage makes nobody an RA under other anchors. */
static int
find_trust(struct cmp_door *door, struct signer *signer, STACK_OF(X509) * untrusted)
{
	const struct cmp_endpoint *ep = signer->endpoint;
	int error = 0;

	if (ep->ra_anchors && signer->has_ra_usage) {
		error = find_chain(door, signer, ep->ra_anchors, untrusted, &signer->trusted);
		if (!error && signer->trusted) {
			return ra_name_of_subject(ep, signer->pool, signer->subject, &signer->ra);
		}
	}
	if (!error) {
		error = find_chain(door, signer, ep->anchors, untrusted, &signer->trusted);
	}
	if (!error && !signer->trusted && ep->vendor_anchors) {
		error = find_chain(door, signer, ep->vendor_anchors, untrusted, &signer->trusted);
		signer->vendor = signer->trusted;
	}
	if (!error && !signer->trusted && ep->ra_anchors && !signer->has_ra_usage) {
		error =
		    find_chain(door, signer, ep->ra_anchors, untrusted, &signer->lacks_ra_usage);
	}
	return error;
}

int
signer_validate(struct cmp_door *door, struct signer *signer, const struct bytes *others,
    size_t n_others)
{
	STACK_OF(X509) *untrusted = NULL;
	int error = 0;

	if (signer->trusted) {
		return 0;
	}
	/* One that is configured needs nobody to vouch for it. */
	signer->ra = ra_name_of_certificate(signer->endpoint, signer->sha256);
	signer->trusted = signer->ra != NULL;
	if (!signer->trusted) {
		untrusted = decode_others(door, others, n_others);
		error = untrusted ? find_trust(door, signer, untrusted) : CMPD_ENOMEM;
	}
	if (!error && signer->trusted) {
		signer->validated = clock_mono_ms();
		cache_keep(door->signers, signer);
	}
	sk_X509_pop_free(untrusted, X509_free);
	ERR_clear_error();
	return error;
}
