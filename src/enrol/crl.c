#include "enrol/crl.h"

#include <string.h>

#include "base/buf.h"
#include "base/pool.h"
#include "conf/conf.h"
#include "issuer/crl.h"
#include "issuer/issuer.h"
#include "store/store.h"

#define PAGE	   1000
#define PAGE_LIMIT (1u << 20)

/* What it is made with beside certificates and time. */
static int
settings_of(const struct issuer_generation *generation, uint8_t ret[DIGEST_SIZE])
{
	struct buf in;
	int error;

	buf_init(&in, 1 << 20);
	buf_put_bytes(&in, generation->certificate);
	buf_put_u64(&in, (uint64_t)generation->conf->crl_validity);
	error = buf_error(&in);
	if (!error) {
		error = digest_sha256(buf_get0(&in), ret);
	}
	buf_fini(&in);
	return error;
}

int
desk_crl_is_due(struct desk *desk, const struct issuer_generation *generation,
    const struct crl *newest, bool *ret)
{
	uint8_t settings[DIGEST_SIZE];
	uint64_t changes, rows;
	int error;

	if (!generation->makes_crls || !newest) {
		*ret = generation->makes_crls;
		return 0;
	}
	error = settings_of(generation, settings);
	if (!error) {
		error = store_revoked_count(desk->reader, generation->id, &changes, &rows);
	}
	if (error) {
		return error;
	}
	*ret = changes > newest->covers || newest->this_update > desk->now ||
	       desk->now - newest->this_update >= generation->conf->crl_renew ||
	       desk->now >= newest->next_update ||
	       memcmp(settings, newest->settings, sizeof(settings)) != 0;
	return 0;
}

/* RFC 5280 3.3: it must have been on one CRL made beyond its validity. */
static bool
has_stood(const struct revoked *row, const struct crl *crl)
{
	return crl && row->change <= crl->covers && crl->this_update > row->not_after;
}

static int
add_rows(struct desk *desk, const struct crl *newest, struct issuer_crl *making, struct crl *crl)
{
	struct pool *pool = pool_new(PAGE_LIMIT);
	struct revoked *rows;
	uint64_t after = 0;
	size_t n;
	int error = pool ? 0 : CMPD_ENOMEM;

	while (!error) {
		pool_reset(pool);
		error =
		    store_revoked_list(desk->reader, pool, crl->ca, after, PAGE, &rows, &n, &after);
		for (size_t i = 0; !error && i < n; i++) {
			if (!has_stood(&rows[i], newest)) {
				issuer_crl_add(making, &rows[i]);
				crl->entries++;
			}
		}
		if (!after) {
			break;
		}
	}
	pool_free(pool);
	return error;
}

/* The changes are counted before the list is read: what comes in between is in the list, and makes one CRL more. */
static int
describe(struct desk *desk, const struct issuer_generation *generation, const struct crl *newest,
    struct crl *ret)
{
	int64_t now = desk->now - desk->now % 1000;
	struct crl crl = {.version = newest ? newest->version : 0,
	    .number = newest ? newest->number + 1 : 1,
	    .this_update = now,
	    .next_update = now + generation->conf->crl_validity};
	uint64_t rows;
	int error;

	memcpy(crl.ca, generation->id, sizeof(crl.ca));
	error = settings_of(generation, crl.settings);
	if (!error) {
		error = store_revoked_count(desk->reader, crl.ca, &crl.covers, &rows);
	}
	if (!error) {
		*ret = crl;
	}
	return error;
}

int
desk_crl_make(struct desk *desk, const struct issuer_generation *generation,
    const struct crl *newest, struct buf *out, struct crl *ret, struct diag *diag)
{
	struct issuer_crl *making = NULL;
	struct crl crl;
	int error = describe(desk, generation, newest, &crl);

	if (!error) {
		error = issuer_crl_begin(desk->issuer, crl.ca, crl.number, crl.this_update,
		    crl.next_update, &making, diag);
	}
	if (!error) {
		error = add_rows(desk, newest, making, &crl);
	}
	if (!error) {
		error = issuer_crl_end(making, out, diag);
	}
	issuer_crl_free(making);
	if (error) {
		if (!diag->text[0]) {
			diag_set(diag, error, "%s", cmpd_strerror(error));
		}
		return error;
	}
	crl.der = buf_get0(out);
	unit_put_crl(desk->unit, &crl);
	*ret = crl;
	return 0;
}

static int
row_of(struct desk *desk, const struct cert *cert, struct revoked *ret)
{
	struct revoked *rows;
	uint64_t after;
	size_t n;
	int error = store_revoked_list(desk->reader, desk->pool, cert->ca, cert->number - 1, 1,
	    &rows, &n, &after);

	if (!error && (n == 0 || rows[0].number != cert->number)) {
		error = CMPD_ENOENT;
	}
	if (!error) {
		*ret = rows[0];
	}
	return error;
}

int
desk_crl_with(struct desk *desk, const struct cert *cert, struct crl *ret)
{
	struct revoked row;
	struct crl crl;
	int error = row_of(desk, cert, &row);

	if (!error) {
		error = store_crl_info(desk->reader, cert->ca, &crl);
	}
	if (!error && row.change > crl.covers) {
		error = CMPD_ENOENT;
	}
	if (!error) {
		*ret = crl;
	}
	return error;
}

bool
desk_crl_needs(struct desk *desk, const struct cert *cert)
{
	struct issuer_generation generation;
	struct revoked row;
	struct crl crl;

	if (row_of(desk, cert, &row)) {
		return false;
	}
	for (size_t i = 0; !issuer_generation0(desk->issuer, i, &generation); i++) {
		if (!memcmp(generation.id, cert->ca, CA_ID_SIZE) && generation.makes_crls) {
			return store_crl_info(desk->reader, cert->ca, &crl) ||
			       !has_stood(&row, &crl);
		}
	}
	return false;
}
