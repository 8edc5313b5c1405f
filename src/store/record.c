#include <string.h>

#include "store/record_fields.h"
#include "store/store.h"

static void
put_text(struct buf *out, const char *text)
{
	buf_put_string(out, text == NULL ? BYTES_NONE : bytes_of(text, strlen(text) + 1));
}

static int
put_list(struct buf *out, const char *const *list)
{
	size_t n = 0;

	while (list != NULL && list[n] != NULL) {
		n++;
	}
	if (n > RECORD_LIST_MAX) {
		return CMPD_EINVAL;
	}
	buf_put_u16(out, (uint16_t)n);
	for (size_t i = 0; i < n; i++) {
		put_text(out, list[i]);
	}
	return 0;
}

static int
put_ids(struct buf *out, const struct txn *txn)
{
	if (txn->n_ids > TXN_IDS_MAX) {
		return CMPD_EINVAL;
	}
	buf_put_u8(out, (uint8_t)txn->n_ids);
	for (size_t i = 0; i < txn->n_ids; i++) {
		buf_put_u64(out, (uint64_t)txn->ids[i]);
	}
	return 0;
}

static int
put_int(struct buf *out, const struct record_field *field, int v)
{
	if (v < field->min || (v >= 0 && (unsigned int)v > field->max)) {
		return CMPD_EINVAL;
	}
	buf_put_u32(out, (uint32_t)v);
	return 0;
}

static int
put_bytes(struct buf *out, const struct record_field *field, struct bytes v)
{
	if (v.len > field->max) {
		return CMPD_EINVAL;
	}
	buf_put_string(out, v);
	return 0;
}

static int
put_field(struct buf *out, const struct record_field *field, const uint8_t *from)
{
	uint64_t u64;
	const char *text;
	const char *const *list;
	struct bytes bytes;
	int v;

	switch (field->type) {
	case FIELD_U8:
	case FIELD_BOOL:
		buf_put_u8(out, *from);
		return 0;
	case FIELD_INT:
		memcpy(&v, from, sizeof(v));
		return put_int(out, field, v);
	case FIELD_U64:
		memcpy(&u64, from, sizeof(u64));
		buf_put_u64(out, u64);
		return 0;
	case FIELD_SIZED:
		if (*from > field->max) {
			return CMPD_EINVAL;
		}
		buf_put(out, from, 1u + *from);
		return 0;
	case FIELD_FIXED:
		buf_put(out, from, field->max);
		return 0;
	case FIELD_BYTES:
		memcpy(&bytes, from, sizeof(bytes));
		return put_bytes(out, field, bytes);
	case FIELD_TEXT:
		memcpy(&text, from, sizeof(text));
		put_text(out, text);
		return 0;
	case FIELD_LIST:
		memcpy(&list, from, sizeof(list));
		return put_list(out, list);
	case FIELD_IDS:
		return put_ids(out, (const struct txn *)(const void *)from);
	case FIELD_END:
		break;
	}
	return CMPD_EINVAL;
}

static int
put_fields(struct buf *out, const struct record_field *fields, const void *record)
{
	for (; fields->type != FIELD_END; fields++) {
		int error = put_field(out, fields, (const uint8_t *)record + fields->at);

		if (error != 0) {
			return error;
		}
	}
	return 0;
}

static void
put_head(struct buf *out, const struct record_head *head)
{
	buf_put_u8(out, (uint8_t)head->kind);
	buf_put_u8(out, RECORD_FORMAT);
	buf_put_u8(out, head->state);
	buf_put_u64(out, head->version);
	buf_put_u64(out, (uint64_t)head->due);
	buf_put_u64(out, head->number);
	buf_put_u8(out, (uint8_t)head->ident_len);
	buf_put(out, head->ident, head->ident_len);
}

static void
add_ident(struct record_head *head, const void *data, size_t len)
{
	memcpy(head->ident + head->ident_len, data, len);
	head->ident_len += len;
}

static void
add_ident_id(struct record_head *head, int64_t id)
{
	uint8_t out[8];

	bytes_put_u64(record_id_biased(id), out);
	add_ident(head, out, sizeof(out));
}

int
record_txn_hash(const struct txn_key *key, uint8_t ret[DIGEST_SIZE])
{
	uint8_t in[1 + TXN_ID_MAX];

	if (key->id_len > TXN_ID_MAX) {
		return CMPD_EINVAL;
	}
	in[0] = key->protocol;
	memcpy(in + 1, key->id, key->id_len);
	return digest_sha256(bytes_of(in, 1u + key->id_len), ret);
}

int
record_put_txn(struct buf *out, const struct txn *txn, uint64_t version)
{
	struct record_head head = {
	    .kind = RECORD_TXN, .state = txn->ended, .version = version, .due = txn->due};

	if (txn->key.id_len > TXN_ID_MAX) {
		return CMPD_EINVAL;
	}
	add_ident(&head, &txn->key.protocol, 1);
	add_ident(&head, txn->key.id, txn->key.id_len);
	put_head(out, &head);
	return put_fields(out, record_txn_fields, txn);
}

int
record_put_entry(struct buf *out, const struct entry *entry, uint64_t version)
{
	struct record_head head = {.kind = RECORD_ENTRY,
	    .state = (uint8_t)entry->state,
	    .version = version,
	    .due = entry->due,
	    .number = entry->number};
	uint8_t hash[DIGEST_SIZE];
	int error = record_txn_hash(&entry->txn, hash);

	if (error != 0 || (unsigned int)entry->state >= ENTRY_STATES) {
		return error != 0 ? error : CMPD_EINVAL;
	}
	add_ident(&head, entry->id, sizeof(entry->id));
	add_ident_id(&head, entry->cert_req_id);
	add_ident(&head, hash, sizeof(hash));
	put_head(out, &head);
	return put_fields(out, record_entry_fields, entry);
}

int
record_put_cert(struct buf *out, const struct cert *cert, uint64_t version)
{
	struct record_head head = {.kind = RECORD_CERT,
	    .state = (uint8_t)cert->status,
	    .version = version,
	    .due = cert->due,
	    .number = cert->number};

	if (cert->serial.len == 0 || cert->serial.len > SERIAL_MAX ||
	    (unsigned int)cert->status > CERT_HELD) {
		return CMPD_EINVAL;
	}
	add_ident(&head, cert->ca, sizeof(cert->ca));
	add_ident(&head, cert->serial.data, cert->serial.len);
	put_head(out, &head);
	return put_fields(out, record_cert_fields, cert);
}

int
record_put_crl(struct buf *out, const struct crl *crl, uint64_t version)
{
	struct record_head head = {.kind = RECORD_CRL, .version = version, .number = crl->number};

	if (crl->number == 0 || crl->der.data == NULL) {
		return CMPD_EINVAL;
	}
	add_ident(&head, crl->ca, sizeof(crl->ca));
	put_head(out, &head);
	return put_fields(out, record_crl_fields, crl);
}

int
record_put_secret(struct buf *out, const struct secret *secret, uint64_t version)
{
	struct record_head head = {.kind = RECORD_SECRET,
	    .state = secret->removed,
	    .version = version,
	    .due = secret->due,
	    .number = secret->id};

	if (secret->ref == NULL || secret->uses_left < -1) {
		return CMPD_EINVAL;
	}
	put_head(out, &head);
	return put_fields(out, record_secret_fields, secret);
}

int
record_put_inventory(struct buf *out, const struct inventory *row)
{
	struct record_head head = {.kind = RECORD_INVENTORY, .version = 1, .number = row->number};
	uint8_t id[INVENTORY_ID_SIZE];
	int error = store_inventory_id(row->serial, row->subject, row->issuer, id);

	if (error != 0 || row->number == 0 || row->generation == 0) {
		return error != 0 ? error : CMPD_EINVAL;
	}
	add_ident(&head, id, sizeof(id));
	put_head(out, &head);
	return put_fields(out, record_inventory_fields, row);
}

int
record_put_audit(struct buf *out, const struct audit *audit)
{
	struct record_head head = {.kind = RECORD_AUDIT, .number = audit->number};

	put_head(out, &head);
	return put_fields(out, record_audit_fields, audit);
}

int
record_put_tally(struct buf *out, const struct tally *tally)
{
	struct record_head head = {.kind = RECORD_TALLY};

	put_head(out, &head);
	for (int i = 0; i < ENTRY_STATES; i++) {
		buf_put_u64(out, tally->entries[i]);
	}
	return put_fields(out, record_tally_fields, tally);
}

void
record_set_number(uint8_t *record, uint64_t number)
{
	bytes_put_u64(number, record + RECORD_NUMBER_AT);
}
