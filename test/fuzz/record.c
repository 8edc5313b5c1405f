/* Whatever lies in the store's file is decoded as each kind of record; what decodes can be written again. */
#include <stdint.h>
#include <stdlib.h>

#include "store/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TRY(kind)                                                                                  \
	static void try_##kind(struct bytes in, struct pool *pool)                                 \
	{                                                                                          \
		struct kind record;                                                                \
		struct buf out;                                                                    \
                                                                                                   \
		if (record_get_##kind(in, pool, &record) != 0) {                                   \
			return;                                                                    \
		}                                                                                  \
		buf_init(&out, SIZE_MAX);                                                          \
		if (record_put_##kind(&out, &record, record.version) != 0 ||                       \
		    buf_error(&out) != 0 ||                                                        \
		    record_get_##kind(buf_get0(&out), pool, &record) != 0) {                       \
			abort();                                                                   \
		}                                                                                  \
		buf_fini(&out);                                                                    \
	}

TRY(txn)
TRY(entry)
TRY(cert)
TRY(secret)
TRY(crl)

static void
try_audit(struct bytes in, struct pool *pool)
{
	struct audit audit;
	struct buf out;

	if (record_get_audit(in, pool, &audit) != 0) {
		return;
	}
	buf_init(&out, SIZE_MAX);
	if (record_put_audit(&out, &audit) != 0 || buf_error(&out) != 0 ||
	    out.len < RECORD_AUDIT_TAIL) {
		abort();
	}
	buf_fini(&out);
}

static void
try_inventory(struct bytes in, struct pool *pool)
{
	struct inventory row;
	struct buf out;

	if (record_get_inventory(in, pool, &row) != 0) {
		return;
	}
	buf_init(&out, SIZE_MAX);
	if (record_put_inventory(&out, &row) != 0 || buf_error(&out) != 0 ||
	    record_get_inventory(buf_get0(&out), pool, &row) != 0) {
		abort();
	}
	buf_fini(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size);
	struct pool *pool = pool_new((size_t)1 << 20);
	const char *subject;
	struct tally tally;
	int64_t received;

	if (pool == NULL) {
		return 0;
	}
	try_txn(in, pool);
	try_entry(in, pool);
	try_cert(in, pool);
	try_secret(in, pool);
	try_crl(in, pool);
	try_inventory(in, pool);
	try_audit(in, pool);
	if (record_get_tally(in, &tally) == 0 && size < 100) {
		abort();
	}
	if (record_get_entry_brief(in, &received, &subject) == 0 && size < 28) {
		abort();
	}
	pool_free(pool);
	return 0;
}
