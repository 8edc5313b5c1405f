/*
 * Commands on certificates: list, show, revoke.
 */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "ctl/handlers.h"
#include "ctl/object.h"
#include "enrol/crl.h"
#include "enrol/desk.h"
#include "store/store.h"

#define PEM_LINE 64

static const char *const status_names[] = {
    [CERT_VALID] = "valid",
    [CERT_REVOKED] = "revoked",
    [CERT_HELD] = "held",
};

static const char *
status_name(enum cert_status status)
{
	return (size_t)status < sizeof(status_names) / sizeof(status_names[0])
		   ? status_names[status]
		   : "unknown";
}

static int
status_parse(const char *name, int *ret)
{
	for (size_t i = 0; i < sizeof(status_names) / sizeof(status_names[0]); i++) {
		if (strcmp(status_names[i], name) == 0) {
			*ret = (int)i;
			return 0;
		}
	}
	return CMPD_EINVAL;
}

static void
put_cert(struct ctl_object *object, const struct cert *cert)
{
	ctl_object_hex(object, "serial", cert->serial);
	ctl_object_text(object, "status", status_name(cert->status));
	ctl_object_text(object, "subject", cert->subject);
	ctl_object_text(object, "profile", cert->profile);
	ctl_object_time(object, "not_before", cert->not_before);
	ctl_object_time(object, "not_after", cert->not_after);
	ctl_object_boolean(object, "confirmed", cert->confirmed);
	ctl_object_text(object, "reason",
	    cert->status == CERT_VALID ? NULL : crl_reason_name(cert->reason));
	ctl_object_time(object, "revoked", cert->revoked);
	ctl_object_hex(object, "entry", bytes_of(cert->entry, sizeof(cert->entry)));
	ctl_object_hex(object, "ca", bytes_of(cert->ca, sizeof(cert->ca)));
	ctl_object_hex(object, "sha256", bytes_of(cert->sha256, sizeof(cert->sha256)));
	ctl_object_hex(object, "spki_sha256",
	    bytes_of(cert->spki_sha256, sizeof(cert->spki_sha256)));
}

int
ctl_cert_list(struct ctl_context *context, json_t **ret_data)
{
	struct desk *desk = context->desk;
	const char *name = ctl_arg_string(context, "status");
	struct cert *certs = NULL;
	uint64_t next = 0;
	size_t n = 0;
	int status = -1;
	json_t *items;
	int r;

	if (name && status_parse(name, &status) < 0) {
		return diag_set(&context->diag, CMPD_EINVAL, "a status is valid, revoked or held");
	}
	r = store_cert_list(desk->reader, desk->pool, status,
	    (uint64_t)ctl_arg_integer(context, "after", 0), ctl_arg_limit(context), &certs, &n,
	    &next);
	if (r < 0) {
		return r;
	}
	items = json_array();
	for (size_t i = 0; r == 0 && i < n; i++) {
		struct ctl_object object;

		ctl_object_init(&object);
		put_cert(&object, &certs[i]);
		r = ctl_object_append(&object, items);
		ctl_object_fini(&object);
	}
	if (r < 0) {
		json_decref(items);
		return r;
	}
	*ret_data = ctl_page_new(items, next);
	return *ret_data ? 0 : CMPD_ENOMEM;
}

static int
cert_find(struct ctl_context *context, struct cert *ret)
{
	struct desk *desk = context->desk;

	return ctl_explain_find(context, "certificate", "serial", 2 * SERIAL_MAX,
	    store_cert_by_serial(desk->reader, desk->pool, ctl_arg_string(context, "serial"), ret));
}

/* RFC 7468 text. */
static json_t *
pem_json(struct pool *pool, struct bytes der)
{
	static const char head[] = "-----BEGIN CERTIFICATE-----\n";
	static const char tail[] = "-----END CERTIFICATE-----\n";
	size_t base64 = 4 * ((der.len + 2) / 3);
	char *raw = pool_alloc(pool, base64 + 1);
	char *text = pool_alloc(pool, sizeof(head) + sizeof(tail) + base64 + base64 / PEM_LINE + 2);
	char *p = text;

	if (!raw || !text) {
		return NULL;
	}
	(void)EVP_EncodeBlock((unsigned char *)raw, der.data, (int)der.len);
	p = stpcpy(p, head);
	for (size_t i = 0; i < base64; i += PEM_LINE) {
		size_t n = base64 - i < PEM_LINE ? base64 - i : PEM_LINE;

		p = mempcpy(p, raw + i, n);
		*p++ = '\n';
	}
	(void)stpcpy(p, tail);
	return json_string(text);
}

/* Can it be seen already that it is revoked? */
static void
put_crl(struct ctl_object *object, struct desk *desk, const struct cert *cert)
{
	struct crl crl = {.number = 0};

	if (cert->status != CERT_VALID && desk_crl_with(desk, cert, &crl) == 0) {
		ctl_object_integer(object, "crl_number", (int64_t)crl.number);
		ctl_object_time(object, "crl_made", crl.this_update);
	}
}

int
ctl_cert_show(struct ctl_context *context, json_t **ret_data)
{
	struct ctl_object object;
	struct cert cert;
	int r = cert_find(context, &cert);

	if (r < 0) {
		return r;
	}
	ctl_object_init(&object);
	put_cert(&object, &cert);
	put_crl(&object, context->desk, &cert);
	ctl_object_json(&object, "pem", pem_json(context->desk->pool, cert.der));
	*ret_data = ctl_object_end(&object);
	return *ret_data ? 0 : CMPD_ENOMEM;
}

int
ctl_cert_revoke(struct ctl_context *context, json_t **ret_data)
{
	const char *name = ctl_arg_string(context, "reason");
	struct ctl_object object;
	struct cert cert;
	int reason = 0;
	int r = cert_find(context, &cert);

	if (r < 0) {
		return r;
	}
	/* A hold is undone by another command than revoke. */
	if (name && (crl_reason_parse(name, &reason) < 0 || !crl_reason_is_final(reason))) {
		return diag_set(&context->diag, CMPD_EINVAL,
		    "no such reason; RFC 5280 has keyCompromise, superseded, cessationOfOperation, "
		    "...");
	}
	r = desk_revoke(context->desk, ctl_arg_string(context, "serial"), reason, context->actor,
	    &cert, &context->diag);
	if (r < 0) {
		return r;
	}
	ctl_object_init(&object);
	put_cert(&object, &cert);
	*ret_data = ctl_object_end(&object);
	return *ret_data ? 0 : CMPD_ENOMEM;
}
