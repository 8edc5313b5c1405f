#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "cmp/endpoint.h"
#include "cmp/keypackage.h"
#include "cmp/ra.h"

static struct bytes
certificate_der(struct pool *pool, const X509 *x)
{
	unsigned char *der = NULL;
	int len = i2d_X509(x, &der);
	struct bytes ret = BYTES_NONE;

	if (len > 0) {
		ret = pool_bytes(pool, bytes_of(der, (size_t)len));
	}
	OPENSSL_free(der);
	return ret;
}

static int
add_extra(struct cmp_door *door, struct cmp_endpoint *ep, const X509 *x, struct diag *diag)
{
	struct bytes der = certificate_der(door->pool, x);

	if (!der.data) {
		return CMPD_ENOMEM;
	}
	for (size_t i = 0; i < ep->n_extra; i++) {
		if (bytes_equal(ep->extra[i], der)) {
			return 0;
		}
	}
	if (ep->n_extra == CMP_EXTRA_MAX) {
		return diag_set(diag, CMPD_ECONF, "more than %d certificates to send in extraCerts",
		    CMP_EXTRA_MAX);
	}
	ep->extra[ep->n_extra] = der;
	return digest_sha256(der, ep->extra_sha256[ep->n_extra++]);
}

/* Roots are not sent, unless the endpoint says so: whoever does not have one already cannot trust one that comes like this. */
static int
add_chain(struct cmp_door *door, struct cmp_endpoint *ep, const char *file, struct diag *diag)
{
	STACK_OF(X509) *certs = NULL;
	int error = file ? issuer_load_certs(door->libctx, file, &certs, diag) : 0;

	for (int i = 0; !error && i < sk_X509_num(certs); i++) {
		if (ep->conf->extra_root || X509_self_signed(sk_X509_value(certs, i), 0) != 1) {
			error = add_extra(door, ep, sk_X509_value(certs, i), diag);
		}
	}
	sk_X509_pop_free(certs, X509_free);
	return error;
}

/* The root of the CA that issues here, from the files of that CA. */
static int
add_root(struct cmp_door *door, struct cmp_endpoint *ep, struct diag *diag)
{
	const struct conf_profile *profile = conf_profile_find(door->conf, ep->conf->profile);
	const struct conf_ca *ca = profile ? conf_ca_find(door->conf, profile->ca) : NULL;
	const char *file = !ca ? NULL : ca->chain ? ca->chain : ca->certificate;
	STACK_OF(X509) *certs = NULL;
	bool found = false;
	int error = file ? issuer_load_certs(door->libctx, file, &certs, diag) : CMPD_EINVAL;

	for (int i = 0; !error && i < sk_X509_num(certs); i++) {
		if (X509_self_signed(sk_X509_value(certs, i), 0) == 1) {
			found = true;
			error = add_extra(door, ep, sk_X509_value(certs, i), diag);
		}
	}
	sk_X509_pop_free(certs, X509_free);
	return error || found ? error
			      : diag_set(diag, CMPD_ECONF,
				    "extra_root: there is no root (self-signed) in %s", file);
}

static int
load_signer(struct cmp_door *door, struct cmp_endpoint *ep, struct diag *diag)
{
	STACK_OF(X509) *certs = NULL;
	int error = issuer_load_certs(door->libctx, ep->conf->signer_certificate, &certs, diag);

	if (!error && sk_X509_num(certs) < 1) {
		error = diag_set(diag, CMPD_ECONF, "%s: no certificate in it",
		    ep->conf->signer_certificate);
	}
	if (!error) {
		ep->signer = sk_X509_shift(certs);
	}
	sk_X509_pop_free(certs, X509_free);
	if (!error) {
		error = issuer_load_key(door->libctx, ep->conf->signer_key, &ep->signer_key, diag);
	}
	if (error) {
		return error;
	}
	if (X509_check_private_key(ep->signer, ep->signer_key) != 1) {
		return diag_set(diag, CMPD_ECONF, "%s: not the key of %s", ep->conf->signer_key,
		    ep->conf->signer_certificate);
	}
	if (!(X509_get_key_usage(ep->signer) & KU_DIGITAL_SIGNATURE)) {
		return diag_set(diag, CMPD_ECONF,
		    "%s: its keyUsage does not allow digitalSignature",
		    ep->conf->signer_certificate);
	}
	if (signing_key_init(&ep->signing, door->libctx, ep->signer_key, ep->conf->signer_pss,
		door->pool)) {
		return diag_set(diag, CMPD_ECONF, "%s: this key cannot sign", ep->conf->signer_key);
	}
	return 0;
}

static int
describe_signer(struct cmp_door *door, struct cmp_endpoint *ep)
{
	static const uint8_t empty_name[] = {0x30, 0x00};
	const ASN1_OCTET_STRING *kid = X509_get0_subject_key_id(ep->signer);
	const unsigned char *name = NULL;
	size_t len = 0;

	if (!X509_NAME_get0_der(X509_get_subject_name(ep->signer), &name, &len)) {
		return CMPD_ECRYPTO;
	}
	ep->signer_name = wire_general_name(door->pool, bytes_of(name, len));
	ep->null_name = wire_general_name(door->pool, bytes_of(empty_name, sizeof(empty_name)));
	if (kid) {
		ep->signer_kid = pool_bytes(door->pool,
		    bytes_of(ASN1_STRING_get0_data(kid), (size_t)ASN1_STRING_length(kid)));
	}
	return ep->signer_name.data && ep->null_name.data ? 0 : CMPD_ENOMEM;
}

/* Those before a roll-over too: what they signed is still in use. */
static int
trust_generations(struct cmp_door *door, struct cmp_endpoint *ep)
{
	const struct conf_profile *profile = conf_profile_find(door->conf, ep->conf->profile);
	struct issuer_generation g;

	for (size_t i = 0; profile && issuer_generation0(door->issuer, i, &g) == 0; i++) {
		if (!strcmp(g.conf->name, profile->ca) &&
		    !X509_STORE_add_cert(ep->anchors, g.x509)) {
			return CMPD_ECRYPTO;
		}
	}
	return 0;
}

int
endpoint_add_anchors(struct cmp_door *door, X509_STORE *anchors, const char *file,
    struct diag *diag)
{
	STACK_OF(X509) *certs = NULL;
	int error = issuer_load_certs(door->libctx, file, &certs, diag);

	for (int i = 0; !error && i < sk_X509_num(certs); i++) {
		if (!X509_STORE_add_cert(anchors, sk_X509_value(certs, i))) {
			error = CMPD_ECRYPTO;
		}
	}
	sk_X509_pop_free(certs, X509_free);
	return error;
}

static int
load_anchors(struct cmp_door *door, struct cmp_endpoint *ep, struct diag *diag)
{
	int own;

	ep->anchors = X509_STORE_new();
	if (!ep->anchors) {
		return CMPD_ENOMEM;
	}
	own = ep->conf->trust_own ? trust_generations(door, ep) : 0;
	if (own) {
		return own;
	}
	for (size_t i = 0; ep->conf->trust && ep->conf->trust[i]; i++) {
		int error = endpoint_add_anchors(door, ep->anchors, ep->conf->trust[i], diag);

		if (error) {
			return error;
		}
	}
	return 0;
}

static int
load_vendors(struct cmp_door *door, struct cmp_endpoint *ep, struct diag *diag)
{
	const char **files = ep->conf->vendor.trust;
	int error = desk_vendor_check(ep->conf, door->pool, diag);

	if (error || !files || !files[0]) {
		return error;
	}
	ep->vendor_anchors = X509_STORE_new();
	if (!ep->vendor_anchors) {
		return CMPD_ENOMEM;
	}
	for (size_t i = 0; !error && files[i]; i++) {
		error = endpoint_add_anchors(door, ep->vendor_anchors, files[i], diag);
	}
	return error;
}

static int
collect_extra(struct cmp_door *door, struct cmp_endpoint *ep, struct diag *diag)
{
	X509 *ca = issuer_ca0_x509(door->issuer, ep->conf->profile);
	size_t n = 0;
	const struct bytes *chain = issuer_ca0_chain(door->issuer, ep->conf->profile, &n);
	int error = add_extra(door, ep, ep->signer, diag);

	if (!error) {
		error = add_chain(door, ep, ep->conf->signer_chain, diag);
	}
	if (!error && ca && X509_self_signed(ca, 0) == 1) {
		ep->ca_pub = issuer_ca0_certificate(door->issuer, ep->conf->profile);
	} else if (!error && ca) {
		error = add_extra(door, ep, ca, diag);
	}
	for (size_t i = 0; !error && i < n; i++) {
		const unsigned char *p = chain[i].data;
		X509 *x = d2i_X509(NULL, &p, (long)chain[i].len);

		error = x ? add_extra(door, ep, x, diag) : CMPD_ECRYPTO;
		X509_free(x);
	}
	return !error && ep->conf->extra_root ? add_root(door, ep, diag) : error;
}

/* The one certificate of a file; NULL: none is wanted. */
static int
load_one(struct cmp_door *door, const char *file, struct bytes *ret, struct diag *diag)
{
	STACK_OF(X509) *certs = NULL;
	int error = file ? issuer_load_certs(door->libctx, file, &certs, diag) : 0;

	if (!error && file && sk_X509_num(certs) != 1) {
		error = diag_set(diag, CMPD_ECONF, "%s: one certificate is wanted here", file);
	}
	if (!error && file) {
		*ret = certificate_der(door->pool, sk_X509_value(certs, 0));
		error = ret->data ? 0 : CMPD_ENOMEM;
	}
	sk_X509_pop_free(certs, X509_free);
	return error;
}

static int
load_information(struct cmp_door *door, struct cmp_endpoint *ep, struct diag *diag)
{
	const struct conf_profile *profile = conf_profile_find(door->conf, ep->conf->profile);
	const struct conf_ca *ca = profile ? conf_ca_find(door->conf, profile->ca) : NULL;
	int error = load_one(door, ep->conf->prot_enc_cert, &ep->prot_enc_cert, diag);

	if (!error && ca) {
		error = load_one(door, ca->root_new_with_new, &ep->root_update.new_with_new, diag);
	}
	if (!error && ca) {
		error = load_one(door, ca->root_new_with_old, &ep->root_update.new_with_old, diag);
	}
	if (!error && ca) {
		error = load_one(door, ca->root_old_with_new, &ep->root_update.old_with_new, diag);
	}
	return error;
}

static int
load_kga(struct cmp_door *door, struct cmp_endpoint *ep, struct diag *diag)
{
	for (const char **kind = ep->conf->central_key; *kind; kind++) {
		if (!issuer_can_make_key(door->libctx, *kind)) {
			return diag_set(diag, CMPD_ECONF,
			    "central_key: keys of kind %s cannot be made", *kind);
		}
	}
	return kga_load(door->libctx, ep->conf, &ep->kga, diag);
}

int
endpoint_init(struct cmp_door *door, const struct conf_endpoint *conf, struct cmp_endpoint *ret,
    struct diag *diag)
{
	int error;

	memset(ret, 0, sizeof(*ret));
	ret->conf = conf;
	error = algorithm_set_parse((const char *const *)conf->protection_algorithms,
	    &ret->protection, diag);
	if (!error) {
		error = algorithm_set_parse((const char *const *)conf->popo_algorithms, &ret->popo,
		    diag);
	}
	if (!error) {
		error = load_signer(door, ret, diag);
	}
	if (!error) {
		error = describe_signer(door, ret);
	}
	if (!error) {
		error = load_anchors(door, ret, diag);
	}
	if (!error) {
		error = ra_load(door, ret, diag);
	}
	if (!error) {
		error = load_vendors(door, ret, diag);
	}
	if (!error) {
		error = collect_extra(door, ret, diag);
	}
	if (!error) {
		error = load_information(door, ret, diag);
	}
	if (!error && conf->central_key && conf->central_key[0]) {
		error = load_kga(door, ret, diag);
	}
	if (error && diag && !diag->text[0]) {
		diag_set(diag, error, "%s", cmpd_strerror(error));
	}
	if (error) {
		diag_prefix(diag, "%s: endpoint %s", conf->where ? conf->where : "-", conf->path);
	}
	ERR_clear_error();
	return error;
}

void
endpoint_fini(struct cmp_endpoint *endpoint)
{
	X509_free(endpoint->signer);
	EVP_PKEY_free(endpoint->signer_key);
	signing_key_fini(&endpoint->signing);
	X509_STORE_free(endpoint->anchors);
	X509_STORE_free(endpoint->ra_anchors);
	X509_STORE_free(endpoint->vendor_anchors);
	kga_free(endpoint->kga);
}
