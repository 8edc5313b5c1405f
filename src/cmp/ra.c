#include <openssl/x509.h>
#include <string.h>

#include "cmp/endpoint.h"
#include "cmp/ra.h"
#include "cmp/usage.h"
#include "model/name.h"

const char *
ra_name_of_certificate(const struct cmp_endpoint *endpoint, const uint8_t sha256[DIGEST_SIZE])
{
	for (size_t i = 0; i < endpoint->n_ras; i++) {
		if (!memcmp(endpoint->ras[i].sha256, sha256, DIGEST_SIZE)) {
			return endpoint->ras[i].name;
		}
	}
	return NULL;
}

int
ra_name_of_subject(const struct cmp_endpoint *endpoint, struct pool *pool, struct bytes subject,
    const char **ret)
{
	for (size_t i = 0; i < endpoint->n_ras; i++) {
		if (name_equal(endpoint->ras[i].subject, subject)) {
			*ret = endpoint->ras[i].name;
			return 0;
		}
	}
	return name_to_text(pool, subject, ret);
}

const char *
ra_name_of_reference(const struct conf_endpoint *conf, const char *reference)
{
	for (size_t i = 0; i < conf->n_ras; i++) {
		if (conf->ras[i].reference && !strcmp(conf->ras[i].reference, reference)) {
			return conf->ras[i].name;
		}
	}
	return NULL;
}

static int
add_certificate(struct cmp_door *door, struct cmp_endpoint *ep, const struct conf_ra *conf, X509 *x,
    struct diag *diag)
{
	struct cmp_ra *ra = &ep->ras[ep->n_ras];
	const unsigned char *name = NULL;
	unsigned int len = 0;
	size_t name_len = 0;

	if (!usage_has(x, NID_cmcRA)) {
		return diag_set(diag, CMPD_ECONF,
		    "%s: the certificate of a registration authority needs the extended key usage "
		    "cmcRA",
		    conf->certificate);
	}
	if (!usage_signs(x)) {
		return diag_set(diag, CMPD_ECONF,
		    "%s: its keyUsage does not allow digitalSignature", conf->certificate);
	}
	if (X509_digest(x, EVP_sha256(), ra->sha256, &len) != 1 || len != DIGEST_SIZE ||
	    !X509_NAME_get0_der(X509_get_subject_name(x), &name, &name_len)) {
		return CMPD_ECRYPTO;
	}
	ra->name = conf->name;
	ra->subject = pool_bytes(door->pool, bytes_of(name, name_len));
	if (!ra->subject.data) {
		return CMPD_ENOMEM;
	}
	ep->n_ras++;
	return 0;
}

/* Makes room for n more. */
static int
more_ras(struct cmp_door *door, struct cmp_endpoint *ep, size_t n)
{
	struct cmp_ra *ras = pool_alloc(door->pool, (ep->n_ras + n + 1) * sizeof(*ras));

	if (!ras) {
		return CMPD_ENOMEM;
	}
	if (ep->n_ras > 0) {
		memcpy(ras, ep->ras, ep->n_ras * sizeof(*ras));
	}
	ep->ras = ras;
	return 0;
}

static int
load_certificates(struct cmp_door *door, struct cmp_endpoint *ep, const struct conf_ra *conf,
    struct diag *diag)
{
	STACK_OF(X509) *certs = NULL;
	int error = conf->certificate
			? issuer_load_certs(door->libctx, conf->certificate, &certs, diag)
			: 0;

	if (!error && conf->certificate) {
		error = more_ras(door, ep, (size_t)sk_X509_num(certs));
	}
	for (int i = 0; !error && i < sk_X509_num(certs); i++) {
		error = add_certificate(door, ep, conf, sk_X509_value(certs, i), diag);
	}
	sk_X509_pop_free(certs, X509_free);
	return error;
}

int
ra_load(struct cmp_door *door, struct cmp_endpoint *endpoint, struct diag *diag)
{
	const struct conf_endpoint *conf = endpoint->conf;
	int error = 0;

	for (size_t i = 0; i < conf->n_ras && !error; i++) {
		error = load_certificates(door, endpoint, &conf->ras[i], diag);
	}
	if (error || !conf->ra_trust || !conf->ra_trust[0]) {
		return error;
	}
	endpoint->ra_anchors = X509_STORE_new();
	if (!endpoint->ra_anchors) {
		return CMPD_ENOMEM;
	}
	for (size_t i = 0; conf->ra_trust[i] && !error; i++) {
		error = endpoint_add_anchors(door, endpoint->ra_anchors, conf->ra_trust[i], diag);
	}
	return error;
}
