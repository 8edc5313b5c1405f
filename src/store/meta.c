#include <stdlib.h>
#include <string.h>

#include "store/internal.h"

static int
put(struct view *view, const char *name, struct bytes value)
{
	return view->store->backend->put(view, TABLE_META, bytes_str(name), value, false);
}

static int
get(struct view *view, const char *name, struct bytes *ret)
{
	return view->store->backend->get(view, TABLE_META, bytes_str(name), ret);
}

int
tally_load(struct view *view, struct tally *ret)
{
	struct bytes value;
	int error = get(view, META_TALLY, &value);

	if (error != 0) {
		return error == CMPD_ENOENT ? CMPD_ECORRUPT : error;
	}
	return record_get_tally(value, ret);
}

int
tally_save(struct view *view, struct tally *tally, struct seal_chain *chain)
{
	struct buf out;
	int error = seal_chain_head(chain, tally->last_audit, tally->audit_hmac, tally->audit_head);

	buf_init(&out, 4096);
	if (error == 0) {
		error = record_put_tally(&out, tally);
	}
	if (error == 0) {
		error = buf_error(&out);
	}
	if (error == 0) {
		error = put(view, META_TALLY, buf_get0(&out));
	}
	buf_fini(&out);
	return error;
}

int
tally_check(const struct tally *tally, const struct seal *seal)
{
	struct seal_chain *chain = seal_chain_new(seal);
	uint8_t head[DIGEST_SIZE];
	int error = CMPD_ENOMEM;

	if (chain != NULL) {
		error = seal_chain_head(chain, tally->last_audit, tally->audit_hmac, head);
	}
	if (error == 0 && memcmp(head, tally->audit_head, sizeof(head)) != 0) {
		error = CMPD_ECORRUPT;
	}
	seal_chain_free(chain);
	return error;
}

int
meta_create(struct view *view, const struct seal *seal)
{
	struct seal_chain *chain = seal_chain_new(seal);
	struct tally tally = {.last_entry = 0};
	struct buf schema;
	int error;

	buf_init(&schema, 64);
	buf_put_bytes(&schema, bytes_str(SCHEMA_TEXT));
	buf_put_u32(&schema, SCHEMA);
	error = chain == NULL ? CMPD_ENOMEM : buf_error(&schema);
	if (error == 0) {
		error = put(view, META_SCHEMA, buf_get0(&schema));
	}
	if (error == 0) {
		error = put(view, META_CHECK, bytes_of(seal->check, sizeof(seal->check)));
	}
	if (error == 0) {
		error = tally_save(view, &tally, chain);
	}
	seal_chain_free(chain);
	buf_fini(&schema);
	return error;
}

static int
check_schema(struct view *view, struct diag *diag)
{
	const size_t len = strlen(SCHEMA_TEXT);
	struct reader in;
	struct bytes value;
	uint32_t schema;
	int error = get(view, META_SCHEMA, &value);

	if (error != 0 && error != CMPD_ENOENT) {
		return error;
	}
	if (error != 0 || value.len != len + 4 || memcmp(value.data, SCHEMA_TEXT, len) != 0) {
		return diag_set(diag, CMPD_ECORRUPT, "the file is not a store of cmpd");
	}
	reader_init(&in, bytes_of(value.data + len, 4));
	schema = reader_u32(&in);
	if (schema != SCHEMA) {
		return diag_set(diag, CMPD_EVERSION,
		    "the store was written by another version of cmpd: it has schema %u, this one "
		    "reads %u",
		    schema, SCHEMA);
	}
	return 0;
}

int
meta_check(struct view *view, const struct seal *seal, struct diag *diag)
{
	struct tally tally;
	struct bytes value;
	int error = check_schema(view, diag);

	if (error != 0) {
		return error;
	}
	error = get(view, META_CHECK, &value);
	if (error != 0 || !bytes_equal(value, bytes_of(seal->check, sizeof(seal->check)))) {
		return diag_set(diag, CMPD_EAUTH,
		    "the store was written with another store key than the one configured");
	}
	error = tally_load(view, &tally);
	if (error == 0) {
		error = tally_check(&tally, seal);
	}
	if (error != 0) {
		return diag_set(diag, error, "the store's record of itself was changed");
	}
	return 0;
}
