#include "cmpd-ctl/init_parts.h"

#include <stdint.h>

#include <openssl/rand.h>
#include <openssl/x509v3.h>

#define DAYS (10 * 365)

static bool
add_extension(X509 *x509, X509 *issuer, int nid, const char *value)
{
	X509_EXTENSION *extension;
	X509V3_CTX ctx;
	bool ok;

	X509V3_set_ctx(&ctx, issuer, x509, NULL, NULL, 0);
	extension = X509V3_EXT_nconf_nid(NULL, &ctx, nid, value);
	ok = extension != NULL && X509_add_ext(x509, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	return ok;
}

static bool
set_serial(X509 *x509)
{
	uint8_t bytes[20];
	BIGNUM *number = NULL;
	bool ok = false;

	if (RAND_bytes(bytes, sizeof(bytes)) == 1) {
		bytes[0] = (uint8_t)((bytes[0] & 0x3f) | 0x40); /* positive, never shorter */
		number = BN_bin2bn(bytes, sizeof(bytes), NULL);
		ok = number != NULL &&
		     BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509)) != NULL;
	}
	BN_free(number);
	return ok;
}

static bool
add_name(X509_NAME *name, const char *type, const char *value)
{
	return X509_NAME_add_entry_by_txt(name, type, MBSTRING_UTF8, (const unsigned char *)value,
		   -1, -1, 0) == 1;
}

X509 *
init_make_certificate(EVP_PKEY *key, const char *common_name, X509 *ca, EVP_PKEY *ca_key)
{
	X509 *x509 = X509_new(), *issuer = ca != NULL ? ca : x509;
	X509_NAME *name = x509 != NULL ? X509_get_subject_name(x509) : NULL;
	bool ok = x509 != NULL && X509_set_version(x509, X509_VERSION_3) == 1 && set_serial(x509) &&
		  X509_gmtime_adj(X509_getm_notBefore(x509), 0) != NULL &&
		  X509_time_adj_ex(X509_getm_notAfter(x509), DAYS, 0, NULL) != NULL &&
		  add_name(name, "O", "cmpd demo") && add_name(name, "CN", common_name) &&
		  X509_set_issuer_name(x509, X509_get_subject_name(issuer)) == 1 &&
		  X509_set_pubkey(x509, key) == 1 &&
		  add_extension(x509, issuer, NID_basic_constraints,
		      ca == NULL ? "critical,CA:TRUE" : "critical,CA:FALSE") &&
		  add_extension(x509, issuer, NID_key_usage,
		      ca == NULL ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature") &&
		  add_extension(x509, issuer, NID_subject_key_identifier, "hash") &&
		  (ca == NULL ||
		      (add_extension(x509, issuer, NID_authority_key_identifier, "keyid:always") &&
			  /* RFC 9810 4.5: the CA lets it speak CMP in its place. */
			  add_extension(x509, issuer, NID_ext_key_usage, "cmcCA")));

	if (ok && ca != NULL) {
		/* Not beyond the CA, which was made a moment ago. */
		ok = X509_set1_notAfter(x509, X509_get0_notAfter(ca)) == 1;
	}
	if (!ok || X509_sign(x509, ca_key, EVP_sha256()) <= 0) {
		X509_free(x509);
		return NULL;
	}
	return x509;
}
