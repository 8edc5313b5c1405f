#include <openssl/crmf.h>
#include <openssl/err.h>
#include <openssl/objects.h>

#include "cmp/mac.h"

#define SALT_MIN 8
#define SALT_MAX 128

static int
nid_of(struct bytes oid)
{
	ASN1_OBJECT *object = NULL;
	int nid;

	/* An OBJECT IDENTIFIER short enough for its length octet; all we know are. */
	uint8_t der[2 + 64];
	const unsigned char *p = der;

	if (!oid.data || oid.len > 64) {
		return NID_undef;
	}
	der[0] = V_ASN1_OBJECT;
	der[1] = (uint8_t)oid.len;
	for (size_t i = 0; i < oid.len; i++) {
		der[2 + i] = oid.data[i];
	}
	object = d2i_ASN1_OBJECT(NULL, &p, (long)oid.len + 2);
	nid = object ? OBJ_obj2nid(object) : NID_undef;
	ASN1_OBJECT_free(object);
	ERR_clear_error();
	return nid;
}

static bool
owf_allowed(int nid)
{
	return nid == NID_sha224 || nid == NID_sha256 || nid == NID_sha384 || nid == NID_sha512;
}

/* HMAC-SHA1 is what the stock client of OpenSSL sends unless told otherwise; as a MAC it is sound. */
static bool
mac_allowed(int nid)
{
	return nid == NID_hmac_sha1 || nid == NID_hmacWithSHA1 || nid == NID_hmacWithSHA224 ||
	       nid == NID_hmacWithSHA256 || nid == NID_hmacWithSHA384 || nid == NID_hmacWithSHA512;
}

int
mac_pbm_check(const struct conf_endpoint *endpoint, const struct wire_pbm *pbm, struct diag *why)
{
	if (!owf_allowed(nid_of(pbm->owf.oid))) {
		return diag_set(
		    why, CMPD_EALGORITHM, "the one-way function of the MAC is not allowed");
	}
	if (!mac_allowed(nid_of(pbm->mac.oid))) {
		return diag_set(why, CMPD_EALGORITHM, "the MAC algorithm is not allowed");
	}
	if (pbm->iterations < endpoint->pbm_iterations_min ||
	    pbm->iterations > endpoint->pbm_iterations_max) {
		return diag_set(why, CMPD_EALGORITHM,
		    "iterationCount %lld of the MAC is not within %lld..%lld",
		    (long long)pbm->iterations, (long long)endpoint->pbm_iterations_min,
		    (long long)endpoint->pbm_iterations_max);
	}
	if (pbm->salt.len < SALT_MIN || pbm->salt.len > SALT_MAX) {
		return diag_set(why, CMPD_EALGORITHM,
		    "the salt of the MAC has %zu bytes, not %d..%d", pbm->salt.len, SALT_MIN,
		    SALT_MAX);
	}
	return 0;
}

int
mac_pbm_compute(struct cmp_door *door, struct pool *pool, struct bytes parameters,
    struct bytes secret, struct bytes data, struct bytes *ret)
{
	OSSL_CRMF_PBMPARAMETER *pbm = NULL;
	const unsigned char *p = parameters.data;
	unsigned char *mac = NULL;
	size_t len = 0;
	int error = CMPD_ECRYPTO;

	pbm = d2i_OSSL_CRMF_PBMPARAMETER(NULL, &p, (long)parameters.len);
	if (!pbm || !OSSL_CRMF_pbm_new(door->libctx, NULL, pbm, data.data, data.len, secret.data,
			secret.len, &mac, &len)) {
		goto out;
	}
	*ret = pool_bytes(pool, bytes_of(mac, len));
	error = ret->data ? 0 : CMPD_ENOMEM;
out:
	OPENSSL_free(mac);
	OSSL_CRMF_PBMPARAMETER_free(pbm);
	ERR_clear_error();
	return error;
}
