#include <string.h>

#include "store/internal.h"

const char *const table_names[TABLES] = {
    [TABLE_META] = "meta",
    [TABLE_TXN] = "txn",
    [TABLE_ENTRY] = "entry",
    [TABLE_ENTRY_TXN] = "entry_txn",
    [TABLE_ENTRY_ID] = "entry_id",
    [TABLE_ENTRY_STATE] = "entry_state",
    [TABLE_CERT] = "cert",
    [TABLE_CERT_SERIAL] = "cert_serial",
    [TABLE_CERT_KEY] = "cert_key",
    [TABLE_SECRET] = "secret",
    [TABLE_SECRET_REF] = "secret_ref",
    [TABLE_BLOB] = "blob",
    [TABLE_AUDIT] = "audit",
    [TABLE_DUE] = "due",
    [TABLE_REVOKED] = "revoked",
    [TABLE_CRL] = "crl",
    [TABLE_INVENTORY] = "inventory",
    [TABLE_INVENTORY_ID] = "inventory_id",
};

void
key_add(struct key *key, const void *data, size_t len)
{
	if (len > sizeof(key->data) - key->len) {
		len = sizeof(key->data) - key->len;
	}
	if (len > 0) {
		memcpy(key->data + key->len, data, len);
		key->len += len;
	}
}

void
key_add_u64(struct key *key, uint64_t number)
{
	uint8_t out[8];

	bytes_put_u64(number, out);
	key_add(key, out, sizeof(out));
}

struct key
key_u64(uint64_t number)
{
	struct key key = {.len = 0};

	key_add_u64(&key, number);
	return key;
}

struct key
key_bytes(const void *data, size_t len)
{
	struct key key = {.len = 0};

	key_add(&key, data, len);
	return key;
}

struct key
key_entry_state(unsigned int state, uint64_t number)
{
	uint8_t byte = (uint8_t)state;
	struct key key = key_bytes(&byte, 1);

	key_add_u64(&key, number);
	return key;
}

struct key
key_cert_serial(const uint8_t ca[CA_ID_SIZE], struct bytes serial)
{
	struct key key = key_bytes(serial.data, serial.len);

	key_add(&key, ca, CA_ID_SIZE);
	return key;
}

struct key
key_revoked(const uint8_t ca[CA_ID_SIZE], uint64_t number)
{
	struct key key = key_bytes(ca, CA_ID_SIZE);

	key_add_u64(&key, number);
	return key;
}

int
key_secret_ref(const char *ref, uint64_t id, struct key *ret)
{
	uint8_t hash[DIGEST_SIZE];
	int error = digest_sha256(bytes_str(ref), hash);

	if (error == 0) {
		*ret = key_bytes(hash, sizeof(hash));
		key_add_u64(ret, id);
	}
	return error;
}

struct key
key_due(enum due_kind kind, const struct record_head *head)
{
	uint8_t byte = (uint8_t)kind;
	struct key key = key_u64((uint64_t)head->due);

	key_add(&key, &byte, 1);
	if (kind == DUE_ENTRY || kind == DUE_SECRET) {
		key_add_u64(&key, head->number);
	} else {
		key_add(&key, head->ident, head->ident_len);
	}
	return key;
}

int
key_to_u64(struct bytes key, uint64_t *ret)
{
	if (key.len != 8) {
		return CMPD_ECORRUPT;
	}
	*ret = bytes_get_u64(key.data);
	return 0;
}
