#include <string.h>

#include "store/reading.h"

int
read_record(struct store_reader *reader, struct pool *pool, enum table table, struct key key,
    struct bytes *ret)
{
	const struct backend *backend = reader->view.store->backend;
	struct bytes value;
	int error = backend->get(&reader->view, table, key_get0(&key), &value);

	if (error != 0) {
		return error;
	}
	value = pool_bytes(pool, value);
	if (value.data == NULL) {
		return CMPD_ENOMEM;
	}
	*ret = value;
	return 0;
}

static int
get_number(struct store_reader *reader, enum table table, struct key key, uint64_t *ret)
{
	struct bytes value;
	int error = reader->view.store->backend->get(&reader->view, table, key_get0(&key), &value);

	return error != 0 ? error : key_to_u64(value, ret);
}

/* ---- transactions, blobs ---- */

int
store_txn_get(struct store_reader *reader, struct pool *pool, const struct txn_key *key,
    struct txn *ret)
{
	uint8_t hash[DIGEST_SIZE];
	struct bytes record;
	int error = record_txn_hash(key, hash);

	if (error == 0) {
		error = read_begin(reader);
	}
	if (error != 0) {
		return error;
	}
	error = read_end(reader,
	    read_record(reader, pool, TABLE_TXN, key_bytes(hash, sizeof(hash)), &record));
	return error != 0 ? error : record_get_txn(record, pool, ret);
}

int
store_blob_get(struct store_reader *reader, struct pool *pool, const uint8_t sha256[DIGEST_SIZE],
    struct bytes *ret)
{
	int error = read_begin(reader);

	if (error != 0) {
		return error;
	}
	return read_end(reader,
	    read_record(reader, pool, TABLE_BLOB, key_bytes(sha256, DIGEST_SIZE), ret));
}

/* ---- entries ---- */

int
store_entry_get(struct store_reader *reader, struct pool *pool, uint64_t number, struct entry *ret)
{
	struct bytes record;
	int error = read_begin(reader);

	if (error != 0) {
		return error;
	}
	error = read_end(reader, read_record(reader, pool, TABLE_ENTRY, key_u64(number), &record));
	return error != 0 ? error : record_get_entry(record, pool, ret);
}

int
store_entry_find(struct store_reader *reader, struct pool *pool, const struct txn_key *txn,
    int64_t cert_req_id, struct entry *ret)
{
	uint8_t hash[DIGEST_SIZE];
	struct bytes record;
	struct key key;
	uint64_t number;
	int error = record_txn_hash(txn, hash);

	if (error == 0) {
		error = read_begin(reader);
	}
	if (error != 0) {
		return error;
	}
	key = key_bytes(hash, sizeof(hash));
	key_add_u64(&key, record_id_biased(cert_req_id));
	error = get_number(reader, TABLE_ENTRY_TXN, key, &number);
	if (error == 0) {
		error = must_be(read_record(reader, pool, TABLE_ENTRY, key_u64(number), &record));
	}
	read_end(reader, 0);
	return error != 0 ? error : record_get_entry(record, pool, ret);
}

/* ---- by the first digits ---- */

struct prefix_visitor {
	struct visitor visitor;
	size_t cut; /* so many bytes at the end of the key do not count */
	size_t digits;
	struct key from; /* an odd number of digits: the last half byte is 0 */
	size_t n;
	uint64_t number;
};

static int
prefix_parse(struct prefix_visitor *v, const char *hex, size_t max)
{
	char even[2 * KEY_MAX + 1];
	size_t len = strlen(hex);
	int error;

	if (len == 0 || len > 2 * max) {
		return CMPD_EINVAL;
	}
	memcpy(even, hex, len);
	if (len % 2 != 0) {
		even[len] = '0';
	}
	even[len + len % 2] = '\0';
	error = hex_decode(even, v->from.data, max, &v->from.len);
	v->digits = len;
	return error != 0 ? CMPD_EINVAL : 0;
}

static bool
begins_like(const struct prefix_visitor *v, struct bytes key)
{
	size_t whole = v->digits / 2;

	if (key.len < v->from.len || memcmp(key.data, v->from.data, whole) != 0) {
		return false;
	}
	return v->digits % 2 == 0 || (key.data[whole] & 0xf0) == v->from.data[whole];
}

static int
prefix_visit(struct visitor *visitor, struct bytes key, struct bytes value)
{
	struct prefix_visitor *v = (struct prefix_visitor *)(void *)visitor;

	if (!begins_like(v, key)) {
		return 1;
	}
	if (key.len < v->cut || key.len - v->cut < v->from.len) {
		return 0; /* the digits run into what does not count */
	}
	v->n++;
	return v->n > 1 ? CMPD_EEXIST : key_to_u64(value, &v->number);
}

/* The one record whose key in index begins with these digits. */
static int
get_by_prefix(struct store_reader *reader, struct pool *pool, enum table index, enum table table,
    struct prefix_visitor *v, struct bytes *ret)
{
	int error = read_begin(reader);

	if (error != 0) {
		return error;
	}
	error = reader->view.store->backend->each(&reader->view, index, key_get0(&v->from),
	    &v->visitor);
	if (error == 0 && v->n == 0) {
		error = CMPD_ENOENT;
	}
	if (error == 0) {
		error = must_be(read_record(reader, pool, table, key_u64(v->number), ret));
	}
	return read_end(reader, error);
}

int
store_entry_by_id(struct store_reader *reader, struct pool *pool, const char *hex_prefix,
    struct entry *ret)
{
	struct prefix_visitor v = {.visitor = {prefix_visit}};
	struct bytes record;
	int error = prefix_parse(&v, hex_prefix, ENTRY_ID_SIZE);

	if (error == 0) {
		error = get_by_prefix(reader, pool, TABLE_ENTRY_ID, TABLE_ENTRY, &v, &record);
	}
	return error != 0 ? error : record_get_entry(record, pool, ret);
}

/* ---- certificates ---- */

int
store_cert_get(struct store_reader *reader, struct pool *pool, const uint8_t ca[CA_ID_SIZE],
    struct bytes serial, struct cert *ret)
{
	struct bytes record;
	uint64_t number;
	int error;

	if (serial.len == 0 || serial.len > SERIAL_MAX) {
		return CMPD_ENOENT;
	}
	error = read_begin(reader);
	if (error != 0) {
		return error;
	}
	error = get_number(reader, TABLE_CERT_SERIAL, key_cert_serial(ca, serial), &number);
	if (error == 0) {
		error = must_be(read_record(reader, pool, TABLE_CERT, key_u64(number), &record));
	}
	read_end(reader, 0);
	return error != 0 ? error : record_get_cert(record, pool, ret);
}

int
store_cert_by_serial(struct store_reader *reader, struct pool *pool, const char *hex_prefix,
    struct cert *ret)
{
	struct prefix_visitor v = {.visitor = {prefix_visit}, .cut = CA_ID_SIZE};
	struct bytes record;
	int error = prefix_parse(&v, hex_prefix, SERIAL_MAX);

	if (error == 0) {
		error = get_by_prefix(reader, pool, TABLE_CERT_SERIAL, TABLE_CERT, &v, &record);
	}
	return error != 0 ? error : record_get_cert(record, pool, ret);
}

/* The newest numbers under one key. */
#define KEY_LOOKS 16

struct key_visitor {
	struct visitor visitor;
	struct key prefix;
	uint64_t numbers[KEY_LOOKS];
	size_t n;
};

static int
key_visit(struct visitor *visitor, struct bytes key, struct bytes value)
{
	struct key_visitor *v = (struct key_visitor *)(void *)visitor;

	(void)value;
	if (key.len != v->prefix.len + 8 || memcmp(key.data, v->prefix.data, v->prefix.len) != 0) {
		return 1;
	}
	return key_to_u64(bytes_of(key.data + v->prefix.len, 8), &v->numbers[v->n++ % KEY_LOOKS]);
}

static int
key_newest(struct store_reader *reader, struct pool *pool, struct key_visitor *v, struct cert *ret)
{
	for (size_t i = 0; i < v->n && i < KEY_LOOKS; i++) {
		struct bytes record;
		struct cert cert;
		int error = must_be(read_record(reader, pool, TABLE_CERT,
		    key_u64(v->numbers[(v->n - 1 - i) % KEY_LOOKS]), &record));

		if (error == 0) {
			error = record_get_cert(record, pool, &cert);
		}
		if (error != 0) {
			return error;
		}
		if (cert.status != CERT_REVOKED) {
			*ret = cert;
			return 0;
		}
	}
	return CMPD_ENOENT;
}

int
store_cert_by_key(struct store_reader *reader, struct pool *pool,
    const uint8_t spki_sha256[DIGEST_SIZE], struct cert *ret)
{
	struct key_visitor v = {
	    .visitor = {key_visit}, .prefix = key_bytes(spki_sha256, DIGEST_SIZE)};
	int error = read_begin(reader);

	if (error != 0) {
		return error;
	}
	error = reader->view.store->backend->each(&reader->view, TABLE_CERT_KEY,
	    key_get0(&v.prefix), &v.visitor);
	if (error == 0) {
		error = key_newest(reader, pool, &v, ret);
	}
	return read_end(reader, error);
}

int
store_crl_get(struct store_reader *reader, struct pool *pool, const uint8_t ca[CA_ID_SIZE],
    struct crl *ret)
{
	struct bytes record;
	int error = read_begin(reader);

	if (error != 0) {
		return error;
	}
	error = read_end(reader,
	    read_record(reader, pool, TABLE_CRL, key_bytes(ca, CA_ID_SIZE), &record));
	return error != 0 ? error : record_get_crl(record, pool, ret);
}

int
store_crl_info(struct store_reader *reader, const uint8_t ca[CA_ID_SIZE], struct crl *ret)
{
	struct key key = key_bytes(ca, CA_ID_SIZE);
	struct bytes record;
	struct crl crl;
	int error = read_begin(reader);

	if (error != 0) {
		return error;
	}
	error = reader->view.store->backend->get(&reader->view, TABLE_CRL, key_get0(&key), &record);
	if (error == 0) {
		error = record_get_crl(record, NULL, &crl);
	}
	if (error == 0) {
		crl.der.data = NULL;
		*ret = crl;
	}
	return read_end(reader, error);
}
