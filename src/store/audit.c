#include <string.h>

#include "store/internal.h"

/* So many lines in one view, then another: a long chain must not keep old pages from being used again. */
#define SLICE 1000u

struct chain_visitor {
	struct visitor visitor;
	struct seal_chain *chain;
	uint64_t next; /* the number that must come */
	uint64_t stop; /* not this one and not those behind it */
	uint8_t hmac[DIGEST_SIZE]; /* of the line before it */
};

static int
visit(struct visitor *visitor, struct bytes key, struct bytes value)
{
	struct chain_visitor *v = (struct chain_visitor *)(void *)visitor;
	uint8_t hmac[DIGEST_SIZE];
	struct record_head head;
	uint64_t number;
	size_t len;
	int error;

	if (v->next == v->stop) {
		return 1;
	}
	if (key_to_u64(key, &number) != 0 || number != v->next ||
	    record_get_head(value, RECORD_AUDIT, &head) != 0 || head.number != number ||
	    value.len < RECORD_AUDIT_TAIL) {
		return CMPD_ECORRUPT;
	}
	len = value.len - RECORD_AUDIT_TAIL;
	error = seal_chain_line(v->chain, bytes_of(value.data, len), v->hmac, hmac);
	if (error != 0) {
		return error;
	}
	if (!bytes_equal_secret(bytes_of(hmac, sizeof(hmac)),
		bytes_of(value.data + len, sizeof(hmac)))) {
		return CMPD_ECORRUPT;
	}
	memcpy(v->hmac, hmac, sizeof(hmac));
	v->next++;
	return 0;
}

/* The lines from v->next on; *ret_over: up to the last one the store says it has. */
static int
verify_slice(struct store_reader *reader, struct chain_visitor *v, bool *ret_over)
{
	const struct backend *backend = reader->view.store->backend;
	struct key from = key_u64(v->next);
	struct tally tally;
	int error = backend->read_begin(&reader->view);

	if (error != 0) {
		return error;
	}
	error = tally_load(&reader->view, &tally);
	if (error == 0) {
		error = tally_check(&tally, &reader->view.store->seal);
	}
	if (error == 0) {
		v->stop = v->next + SLICE;
		error = backend->each(&reader->view, TABLE_AUDIT, key_get0(&from), &v->visitor);
	}
	backend->read_end(&reader->view);
	if (error != 0) {
		return error;
	}
	if (v->next <= tally.last_audit) {
		/* A line is missing at the end, unless the slice was just over. */
		return v->next == v->stop ? 0 : CMPD_ECORRUPT;
	}
	*ret_over = true;
	return v->next == tally.last_audit + 1 &&
		       memcmp(v->hmac, tally.audit_hmac, sizeof(v->hmac)) == 0
		   ? 0
		   : CMPD_ECORRUPT;
}

int
store_audit_verify(struct store_reader *reader, uint64_t *ret_bad)
{
	struct chain_visitor v = {.visitor = {visit}, .next = 1};
	bool over = false;
	int error = 0;

	v.chain = seal_chain_new(&reader->view.store->seal);
	if (v.chain == NULL) {
		return CMPD_ENOMEM;
	}
	while (error == 0 && !over) {
		error = verify_slice(reader, &v, &over);
	}
	seal_chain_free(v.chain);
	if (error == CMPD_ECORRUPT) {
		*ret_bad = v.next;
	}
	return error;
}
