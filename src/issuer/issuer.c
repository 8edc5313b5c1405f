#include "issuer/issuer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "issuer/internal.h"
#include "model/extension.h"
#include "model/name.h"

int
issuer_error(struct diag *diag, int error, const char *format, ...)
{
	unsigned long code = ERR_peek_error();
	const char *reason = NULL;
	char text[sizeof(diag->text)];
	va_list args;

	if (code != 0) {
		reason = ERR_SYSTEM_ERROR(code) ? strerror(ERR_GET_REASON(code))
						: ERR_reason_error_string(code);
	}
	va_start(args, format);
	if (vsnprintf(text, sizeof(text), format, args) < 0) {
		text[0] = '\0';
	}
	va_end(args);
	if (reason != NULL) {
		diag_set(diag, error, "%s (%s)", text, reason);
	} else {
		diag_set(diag, error, "%s", text);
	}
	ERR_clear_error();
	return error;
}

int
issuer_key_id(struct issuer *issuer, struct bytes key, uint8_t ret[20])
{
	if (EVP_DigestInit_ex(issuer->digest, issuer->sha1, NULL) != 1 ||
	    EVP_DigestUpdate(issuer->digest, key.data, key.len) != 1 ||
	    EVP_DigestFinal_ex(issuer->digest, ret, NULL) != 1) {
		ERR_clear_error();
		return CMPD_ECRYPTO;
	}
	return 0;
}

int
issuer_put_key_id(struct issuer *issuer, struct bytes key, struct buf *out, struct diag *diag)
{
	uint8_t value[2 + 20] = {DER_OCTET_STRING, 20};
	int result = issuer_key_id(issuer, key, value + 2);

	if (result < 0) {
		return diag_set(diag, result, "the key identifier cannot be computed");
	}
	extension_put(out, EXTENSION_SUBJECT_KEY_ID, false, bytes_of(value, sizeof(value)));
	return 0;
}

static size_t
count_generations(const struct conf *conf)
{
	size_t n = 0;

	for (size_t i = 0; i < conf->n_cas; i++) {
		n += 1 + conf->cas[i].n_previous;
	}
	return n;
}

static int
load_generation(struct issuer *issuer, const struct conf_ca *conf,
    const struct conf_previous *previous, struct diag *diag)
{
	struct ca *ca = &issuer->cas[issuer->n_cas];
	int result;

	issuer->n_cas++;
	result = ca_load(issuer, conf, previous, ca, diag);
	for (struct ca *other = issuer->cas; result == 0 && other < ca; other++) {
		if (memcmp(other->id, ca->id, CA_ID_SIZE) == 0) {
			return diag_set(diag, CMPD_ECONF,
			    "CA %s: %s has the same name and key as %s", conf->name,
			    ca->files.certificate, other->files.certificate);
		}
	}
	return result;
}

static int
load_cas(struct issuer *issuer, struct diag *diag)
{
	const struct conf *conf = issuer->conf;
	int result = 0;

	for (size_t i = 0; result == 0 && i < conf->n_cas; i++) {
		const struct conf_ca *ca = &conf->cas[i];

		result = load_generation(issuer, ca, NULL, diag);
		for (size_t k = 0; result == 0 && k < ca->n_previous; k++) {
			result = load_generation(issuer, ca, &ca->previous[k], diag);
		}
	}
	return result;
}

static int
issuer_load(struct issuer *issuer, struct diag *diag)
{
	const struct conf *conf = issuer->conf;
	int result;

	issuer->cas = calloc(count_generations(conf) + 1, sizeof(*issuer->cas));
	issuer->profiles = calloc(conf->n_profiles + 1, sizeof(*issuer->profiles));
	issuer->sha1 = EVP_MD_fetch(issuer->libctx, "SHA1", NULL);
	issuer->digest = EVP_MD_CTX_new();
	if (issuer->cas == NULL || issuer->profiles == NULL || issuer->digest == NULL) {
		return CMPD_ENOMEM;
	}
	if (issuer->sha1 == NULL) {
		return issuer_error(diag, CMPD_ECRYPTO, "no SHA-1 for key identifiers");
	}
	result = load_cas(issuer, diag);
	if (result < 0) {
		return result;
	}
	for (size_t i = 0; i < conf->n_profiles; i++) {
		issuer->n_profiles++;
		result = profile_prepare(issuer, &conf->profiles[i], &issuer->profiles[i], diag);
		if (result < 0) {
			return result;
		}
	}
	return 0;
}

int
issuer_new(const struct conf *conf, OSSL_LIB_CTX *libctx, struct issuer **ret, struct diag *diag)
{
	struct issuer *issuer = calloc(1, sizeof(*issuer));
	int result;

	if (issuer == NULL) {
		return diag_set(diag, CMPD_ENOMEM, "%s", cmpd_strerror(CMPD_ENOMEM));
	}
	issuer->conf = conf;
	issuer->libctx = libctx;
	buf_init(&issuer->scratch, ISSUER_CERT_MAX);
	result = issuer_load(issuer, diag);
	ERR_clear_error();
	if (result < 0) {
		issuer_free(issuer);
		return result;
	}
	*ret = issuer;
	return 0;
}

void
issuer_free(struct issuer *issuer)
{
	if (issuer == NULL) {
		return;
	}
	for (size_t i = 0; i < issuer->n_profiles; i++) {
		profile_fini(&issuer->profiles[i]);
	}
	for (size_t i = 0; i < issuer->n_cas; i++) {
		ca_fini(&issuer->cas[i]);
	}
	free(issuer->profiles);
	free(issuer->cas);
	EVP_MD_CTX_free(issuer->digest);
	EVP_MD_free(issuer->sha1);
	buf_fini(&issuer->scratch);
	free(issuer);
}

struct profile *
issuer_find(struct issuer *issuer, const char *name)
{
	for (size_t i = 0; name != NULL && i < issuer->n_profiles; i++) {
		if (strcmp(issuer->profiles[i].conf->name, name) == 0) {
			return &issuer->profiles[i];
		}
	}
	return NULL;
}

int
issuer_profile_usage(struct issuer *issuer, const char *name, struct buf *out)
{
	struct profile *profile = issuer_find(issuer, name);
	struct buf usage;

	if (profile == NULL) {
		return CMPD_ENOENT;
	}
	if (profile->key_usage != 0) {
		buf_init(&usage, ISSUER_EXTENSIONS_MAX);
		profile_put_key_usage(&usage, profile->key_usage);
		extension_put(out, EXTENSION_KEY_USAGE, true, buf_get0(&usage));
		buf_fini(&usage);
	}
	if (profile->eku.len > 0) {
		extension_put(out, EXTENSION_EXTENDED_KEY_USAGE, false, buf_get0(&profile->eku));
	}
	return buf_error(out);
}

struct bytes
issuer_ca0_certificate(struct issuer *issuer, const char *name)
{
	struct profile *profile = issuer_find(issuer, name);

	return profile != NULL ? profile->ca->der : BYTES_NONE;
}

int
issuer_ca_id(struct issuer *issuer, const char *name, uint8_t ret_ca[CA_ID_SIZE])
{
	struct profile *profile = issuer_find(issuer, name);

	if (profile == NULL) {
		return CMPD_ENOENT;
	}
	memcpy(ret_ca, profile->ca->id, CA_ID_SIZE);
	return 0;
}

const struct bytes *
issuer_ca0_chain(struct issuer *issuer, const char *name, size_t *ret_n)
{
	struct profile *profile = issuer_find(issuer, name);

	*ret_n = profile != NULL ? profile->ca->n_chain : 0;
	return profile != NULL ? profile->ca->chain : NULL;
}

X509 *
issuer_ca0_x509(struct issuer *issuer, const char *name)
{
	struct profile *profile = issuer_find(issuer, name);

	return profile != NULL ? profile->ca->x509 : NULL;
}

struct ca *
issuer_find_ca(struct issuer *issuer, const uint8_t id[CA_ID_SIZE])
{
	for (size_t i = 0; i < issuer->n_cas; i++) {
		if (memcmp(issuer->cas[i].id, id, CA_ID_SIZE) == 0) {
			return &issuer->cas[i];
		}
	}
	return NULL;
}

int
issuer_generation0(struct issuer *issuer, size_t n, struct issuer_generation *ret)
{
	const struct ca *ca;

	if (n >= issuer->n_cas) {
		return CMPD_ENOENT;
	}
	ca = &issuer->cas[n];
	*ret = (struct issuer_generation){.conf = ca->conf,
	    .current = ca->current,
	    .makes_crls = ca->key != NULL && (X509_get_key_usage(ca->x509) & KU_CRL_SIGN) != 0,
	    .certificate = ca->der,
	    .x509 = ca->x509,
	    .chain = ca->chain,
	    .n_chain = ca->n_chain,
	    .not_before = ca->not_before,
	    .not_after = ca->not_after};
	memcpy(ret->id, ca->id, sizeof(ret->id));
	return 0;
}

/* The key identifier of the issuer as the certificate tells it; absent: it does not. */
static struct bytes
certificate_authority_key(const X509 *certificate)
{
	const STACK_OF(X509_EXTENSION) *extensions = X509_get0_extensions(certificate);
	int at = X509v3_get_ext_by_NID(extensions, NID_authority_key_identifier, -1);
	X509_EXTENSION *extension = at >= 0 ? X509v3_get_ext(extensions, at) : NULL;
	const ASN1_OCTET_STRING *value;
	struct bytes body, key_id;

	if (extension == NULL) {
		return BYTES_NONE;
	}
	value = X509_EXTENSION_get_data(extension);
	body = bytes_of(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));
	if (der_only(body, DER_SEQUENCE, &body) < 0 ||
	    der_take(&body, DER_PRIMITIVE(0), &key_id) < 0) {
		return BYTES_NONE;
	}
	return key_id;
}

int
issuer_ca_of(struct issuer *issuer, const X509 *certificate, uint8_t ret_ca[CA_ID_SIZE])
{
	const X509_NAME *name = X509_get_issuer_name(certificate);
	struct bytes key_id = certificate_authority_key(certificate);
	int result = CMPD_ENOENT;

	for (size_t i = 0; i < issuer->n_cas && result < 0; i++) {
		const struct ca *ca = &issuer->cas[i];

		if (X509_NAME_cmp(X509_get_subject_name(ca->x509), name) == 0 &&
		    (key_id.data == NULL ||
			bytes_equal(key_id, bytes_of(ca->key_id, ca->key_id_len)))) {
			memcpy(ret_ca, ca->id, CA_ID_SIZE);
			result = 0;
		}
	}
	ERR_clear_error();
	return result;
}

int
issuer_ca_named(struct issuer *issuer, struct bytes name, size_t nth, uint8_t ret_ca[CA_ID_SIZE])
{
	for (size_t i = 0; i < issuer->n_cas; i++) {
		const struct ca *ca = &issuer->cas[i];

		if (name_equal(ca->subject, name) && nth-- == 0) {
			memcpy(ret_ca, ca->id, CA_ID_SIZE);
			return 0;
		}
	}
	return CMPD_ENOENT;
}

int
issuer_key_type(struct bytes spki_der, char ret[ISSUER_KEY_TYPE_SIZE])
{
	struct bytes body, id, oid;
	char dotted[DER_OID_TEXT_MAX];
	struct spki spki;
	int result = spki_parse(spki_der, &spki, NULL);

	if (result == 0) {
		spki_to_text(&spki, ret);
		return 0;
	}
	if (result != CMPD_EALGORITHM || der_only(spki_der, DER_SEQUENCE, &body) < 0 ||
	    der_take(&body, DER_SEQUENCE, &id) < 0 || der_take(&id, DER_OID, &oid) < 0 ||
	    der_oid_to_text(oid, dotted) < 0) {
		return CMPD_EFORMAT;
	}
	snprintf(ret, ISSUER_KEY_TYPE_SIZE, "other:%.70s", dotted);
	return 0;
}
