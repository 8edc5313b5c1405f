/* One CA: its certificate, its key, what it signs with. */
#include <stdlib.h>
#include <string.h>

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/digest.h"
#include "issuer/internal.h"

#define CA_RSA_BITS_MIN 2048

#define IDENTIFIER(string)                                                                         \
	{                                                                                          \
		(const uint8_t *)(string), sizeof(string) - 1                                      \
	}

static const struct ca_algorithm
    ecdsa_sha256 = {"SHA256", "SHA256", 32,
	IDENTIFIER("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02")},
    ecdsa_sha384 = {"SHA384", "SHA384", 48,
	IDENTIFIER("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03")},
    ecdsa_sha512 = {"SHA512", "SHA512", 64,
	IDENTIFIER("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x04")},
    rsa_sha256 = {"SHA256", "SHA256", 32,
	IDENTIFIER("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00")},
    ed25519 = {NULL, "SHA512", 64, IDENTIFIER("\x30\x05\x06\x03\x2b\x65\x70")},
    ed448 = {NULL, "SHAKE256", 64, IDENTIFIER("\x30\x05\x06\x03\x2b\x65\x71")},
    /* Clients say by hashAlg what certHash is made with; without one it is this. */
    ml_dsa_44 = {NULL, "SHA256", 32,
	IDENTIFIER("\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x11")},
    ml_dsa_65 = {NULL, "SHA256", 32,
	IDENTIFIER("\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x12")},
    ml_dsa_87 = {
	NULL, "SHA256", 32, IDENTIFIER("\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x13")};

/* By the certificate's key: a key in a token may not tell its kind. */
static const struct ca_algorithm *
ca_algorithm_of(const struct spki *spki)
{
	switch (spki->kind) {
	case SPKI_EC:
		return spki->bits <= 256   ? &ecdsa_sha256
		       : spki->bits <= 384 ? &ecdsa_sha384
					   : &ecdsa_sha512;
	case SPKI_RSA:
		return spki->bits >= CA_RSA_BITS_MIN ? &rsa_sha256 : NULL;
	case SPKI_ED25519:
		return &ed25519;
	case SPKI_ED448:
		return &ed448;
	case SPKI_ML_DSA_44:
		return &ml_dsa_44;
	case SPKI_ML_DSA_65:
		return &ml_dsa_65;
	case SPKI_ML_DSA_87:
		return &ml_dsa_87;
	default:
		return NULL;
	}
}

static int
ca_time(const ASN1_TIME *time, int64_t *ret_ms)
{
	ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
	int days, seconds, ok;

	ok = epoch != NULL && ASN1_TIME_diff(&days, &seconds, epoch, time) == 1;
	if (ok) {
		*ret_ms = ((int64_t)days * 86400 + seconds) * 1000;
	}
	ASN1_TIME_free(epoch);
	return ok ? 0 : CMPD_ECONF;
}

/* Is this a certificate that may sign others? */
static int
ca_check(struct ca *ca, struct diag *diag)
{
	const char *file = ca->files.certificate;

	if (X509_check_ca(ca->x509) != 1 ||
	    (X509_get_key_usage(ca->x509) & KU_KEY_CERT_SIGN) == 0) {
		return issuer_error(diag, CMPD_ECONF, "%s: not the certificate of a CA", file);
	}
	if (ca_time(X509_get0_notBefore(ca->x509), &ca->not_before) < 0 ||
	    ca_time(X509_get0_notAfter(ca->x509), &ca->not_after) < 0) {
		return issuer_error(diag, CMPD_ECONF, "%s: validity does not decode", file);
	}
	if (ca->key != NULL && X509_check_private_key(ca->x509, ca->key) != 1) {
		return issuer_error(diag, CMPD_ECONF, "%s does not belong to the certificate %s",
		    ca->files.key, file);
	}
	ca->may_issue_ca = X509_get_pathlen(ca->x509) != 0;
	return 0;
}

/* A generation is a name with a key: a certificate renewed for the same key is the same one, and so are its CRLs. */
static int
ca_identify(struct ca *ca, struct bytes spki)
{
	uint8_t digest[DIGEST_SIZE];
	struct buf in;
	int result;

	buf_init(&in, ISSUER_CERT_MAX);
	buf_put_bytes(&in, ca->subject);
	buf_put_bytes(&in, spki);
	buf_put_bytes(&in, bytes_of(ca->key_id, ca->key_id_len));
	result = buf_error(&in);
	if (result == 0) {
		result = digest_sha256(buf_get0(&in), digest);
	}
	buf_fini(&in);
	if (result == 0) {
		memcpy(ca->id, digest, sizeof(ca->id));
	}
	return result;
}

/* Encodings, generation id and key identifier. */
static int
ca_describe(struct issuer *issuer, struct ca *ca, struct diag *diag)
{
	const ASN1_OCTET_STRING *key_id = X509_get0_subject_key_id(ca->x509);
	uint8_t *der = NULL, *spki_der = NULL;
	int len = i2d_X509(ca->x509, &der);
	int spki_len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(ca->x509), &spki_der);
	struct spki spki;
	const uint8_t *name;
	size_t name_len;
	int result = CMPD_ECRYPTO;

	if (len <= 0 || spki_len <= 0 ||
	    X509_NAME_get0_der(X509_get_subject_name(ca->x509), &name, &name_len) != 1) {
		goto out;
	}
	ca->der = bytes_of(der, (size_t)len);
	der = NULL;
	ca->subject = bytes_of(name, name_len);
	result = spki_parse(bytes_of(spki_der, (size_t)spki_len), &spki, diag);
	if (result < 0) {
		diag_prefix(diag, "%s", ca->files.certificate);
		result = CMPD_ECONF;
		goto out;
	}
	ca->algorithm = ca_algorithm_of(&spki);
	if (ca->algorithm == NULL) {
		char kind[SPKI_TEXT_SIZE];

		result = diag_set(diag, CMPD_ECONF, "%s: a CA cannot have a key of kind %s",
		    ca->files.certificate, spki_to_text(&spki, kind));
		goto out;
	}
	if (key_id != NULL && ASN1_STRING_length(key_id) > 0 &&
	    ASN1_STRING_length(key_id) <= KEY_ID_MAX) {
		ca->key_id_len = (size_t)ASN1_STRING_length(key_id);
		memcpy(ca->key_id, ASN1_STRING_get0_data(key_id), ca->key_id_len);
	} else {
		ca->key_id_len = 20;
		result = issuer_key_id(issuer, spki.key, ca->key_id);
	}
	if (result == 0) {
		result = ca_identify(ca, bytes_of(spki_der, (size_t)spki_len));
	}
out:
	OPENSSL_free(der);
	OPENSSL_free(spki_der);
	return result;
}

/* Takes what belongs between the CA and the root: each certificate must have issued the one before. */
static int
ca_add_chain(struct ca *ca, const char *file, STACK_OF(X509) * certs, int first, struct diag *diag)
{
	X509 *below = ca->x509;

	ca->chain = calloc((size_t)sk_X509_num(certs) + 1, sizeof(*ca->chain));
	if (ca->chain == NULL) {
		return CMPD_ENOMEM;
	}
	for (int i = first; i < sk_X509_num(certs); i++) {
		X509 *x509 = sk_X509_value(certs, i);
		uint8_t *der = NULL;
		int len;

		if (X509_check_issued(x509, below) != X509_V_OK) {
			return issuer_error(diag, CMPD_ECONF,
			    "%s: certificate %d did not issue the one before it", file, i + 1);
		}
		if (X509_check_issued(x509, x509) == X509_V_OK) {
			break; /* the root */
		}
		len = i2d_X509(x509, &der);
		if (len <= 0) {
			return CMPD_ENOMEM;
		}
		ca->chain[ca->n_chain++] = bytes_of(der, (size_t)len);
		below = x509;
	}
	return 0;
}

/* From the file named as chain, else from what follows the certificate in its own file. */
static int
ca_load_chain(struct issuer *issuer, struct ca *ca, STACK_OF(X509) * own, struct diag *diag)
{
	STACK_OF(X509) *above = NULL;
	int result;

	if (ca->files.chain == NULL) {
		return ca_add_chain(ca, ca->files.certificate, own, 1, diag);
	}
	result = issuer_load_certs(issuer->libctx, ca->files.chain, &above, diag);
	if (result == 0) {
		/* Many such files begin with the certificate itself. */
		int first = X509_cmp(sk_X509_value(above, 0), ca->x509) == 0;

		result = ca_add_chain(ca, ca->files.chain, above, first, diag);
	}
	sk_X509_pop_free(above, X509_free);
	return result;
}

int
ca_load(struct issuer *issuer, const struct conf_ca *conf, const struct conf_previous *previous,
    struct ca *ca, struct diag *diag)
{
	STACK_OF(X509) *certs = NULL;
	int result;

	ca->conf = conf;
	ca->current = previous == NULL;
	ca->files = previous != NULL
			? *previous
			: (struct conf_previous){conf->certificate, conf->key, conf->chain};
	result = issuer_load_certs(issuer->libctx, ca->files.certificate, &certs, diag);
	if (result < 0) {
		goto out;
	}
	ca->x509 = sk_X509_value(certs, 0);
	X509_up_ref(ca->x509);
	if (ca->files.key != NULL) {
		result = issuer_load_key(issuer->libctx, ca->files.key, &ca->key, diag);
	}
	if (result == 0) {
		result = ca_check(ca, diag);
	}
	if (result == 0) {
		result = ca_describe(issuer, ca, diag);
	}
	if (result == 0) {
		result = ca_load_chain(issuer, ca, certs, diag);
	}
	if (result < 0) {
		goto out;
	}
	ca->sign = EVP_MD_CTX_new();
	ca->hash = EVP_MD_fetch(issuer->libctx, ca->algorithm->hash, NULL);
	if (ca->sign == NULL || ca->hash == NULL) {
		result = issuer_error(diag, CMPD_ECRYPTO, "no %s", ca->algorithm->hash);
	}
out:
	sk_X509_pop_free(certs, X509_free);
	if (result < 0) {
		diag_prefix(diag, "%s: CA %s", conf->where != NULL ? conf->where : "-", conf->name);
	}
	return result;
}

static void
ca_free_der(struct bytes der)
{
	/* OPENSSL_free wants what i2d gave, without const. */
	union {
		const uint8_t *in;
		void *out;
	} p = {.in = der.data};

	OPENSSL_free(p.out);
}

void
ca_fini(struct ca *ca)
{
	for (size_t i = 0; i < ca->n_chain; i++) {
		ca_free_der(ca->chain[i]);
	}
	free(ca->chain);
	ca_free_der(ca->der);
	EVP_MD_free(ca->hash);
	EVP_MD_CTX_free(ca->sign);
	EVP_PKEY_free(ca->key);
	X509_free(ca->x509);
	*ca = (struct ca){.conf = NULL};
}
