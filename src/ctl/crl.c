/*
 * Commands on CRLs: to fetch one, in pieces, and to have one made.
 */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "conf/conf.h"
#include "ctl/call.h"
#include "ctl/handlers.h"
#include "ctl/object.h"
#include "enrol/desk.h"
#include "issuer/issuer.h"
#include "store/store.h"

#define PIECE                                                                                      \
	(768u * 1024) /* of DER in one answer; divisible by 3, so that the pieces join as base64 */
#define ID_LEN 8 /* digits of a generation behind a name, as in URLs */

/* "main": its current generation; "main-0123abcd": that one. */
static bool
is_named(const struct issuer_generation *generation, const char *name)
{
	size_t len = strlen(generation->conf->name);
	char id[ID_LEN + 1];

	if (!name || strncmp(name, generation->conf->name, len) != 0) {
		return !name && generation->current;
	}
	hex_encode(bytes_of(generation->id, CA_ID_SIZE), id, sizeof(id));
	return name[len] == '\0' ? generation->current
				 : name[len] == '-' && strcmp(name + len + 1, id) == 0;
}

static int
generation_find(struct ctl_context *context, struct issuer_generation *ret)
{
	const char *name = ctl_arg_string(context, "ca");
	struct issuer_generation generation;
	int r = CMPD_ENOENT;

	for (size_t i = 0; !issuer_generation0(context->desk->issuer, i, &generation); i++) {
		if (!is_named(&generation, name)) {
			continue;
		}
		if (r == 0) {
			return diag_set(&context->diag, CMPD_EINVAL,
			    "there is more than one CA: give the name of one");
		}
		*ret = generation;
		r = 0;
	}
	return r == 0 ? 0
		      : diag_set(&context->diag, r, "there is no CA or generation of this name");
}

static json_t *
base64_json(struct pool *pool, struct bytes in)
{
	char *text = pool_alloc(pool, 4 * ((in.len + 2) / 3) + 1);

	if (!text) {
		return NULL;
	}
	(void)EVP_EncodeBlock((unsigned char *)text, in.data, (int)in.len);
	return json_string(text);
}

static json_t *
crl_json(struct pool *pool, const struct issuer_generation *generation, const struct crl *crl,
    size_t offset)
{
	size_t len = crl->der.len - offset < PIECE ? crl->der.len - offset : PIECE;
	struct ctl_object object;

	ctl_object_init(&object);
	ctl_object_text(&object, "ca", generation->conf->name);
	ctl_object_hex(&object, "generation", bytes_of(crl->ca, sizeof(crl->ca)));
	ctl_object_boolean(&object, "current", generation->current);
	ctl_object_integer(&object, "number", (int64_t)crl->number);
	ctl_object_time(&object, "this_update", crl->this_update);
	ctl_object_time(&object, "next_update", crl->next_update);
	ctl_object_integer(&object, "entries", (int64_t)crl->entries);
	ctl_object_integer(&object, "bytes", (int64_t)crl->der.len);
	ctl_object_json(&object, "der", base64_json(pool, bytes_of(crl->der.data + offset, len)));
	ctl_object_integer(&object, "after",
	    offset + len < crl->der.len ? (int64_t)(offset + len) : 0);
	return ctl_object_end(&object);
}

int
ctl_crl_get(struct ctl_context *context, json_t **ret_data)
{
	int64_t after = ctl_arg_integer(context, "after", 0);
	int64_t number = ctl_arg_integer(context, "number", 0);
	struct issuer_generation generation;
	struct crl crl;
	int r = generation_find(context, &generation);

	if (r < 0) {
		return r;
	}
	r = store_crl_get(context->desk->reader, context->desk->pool, generation.id, &crl);
	if (r == CMPD_ENOENT) {
		return diag_set(&context->diag, r, "there is no CRL of this generation of the CA");
	}
	if (r < 0) {
		return r;
	}
	if (number != 0 && (uint64_t)number != crl.number) {
		return diag_set(&context->diag, CMPD_ECONFLICT, "there is a newer CRL meanwhile");
	}
	if (after < 0 || (uint64_t)after >= crl.der.len || after % 3 != 0) {
		return diag_set(&context->diag, CMPD_EINVAL, "the CRL is shorter than that");
	}
	*ret_data = crl_json(context->desk->pool, &generation, &crl, (size_t)after);
	return *ret_data ? 0 : CMPD_ENOMEM;
}

int
ctl_crl_make(struct ctl_context *context, json_t **ret_data)
{
	const struct ctl_host *host = &context->core->host;
	struct issuer_generation generation;
	int r = generation_find(context, &generation);

	if (r == 0) {
		r = host->make_crl(host->arg, context->desk, generation.id, &context->diag);
	}
	if (r < 0) {
		return r;
	}
	*ret_data = json_object();
	return *ret_data ? 0 : CMPD_ENOMEM;
}
