#include <string.h>

#include "store/record_fields.h"

/* A text with its NUL, and no other. */
static const char *
get_text(struct reader *in)
{
	struct bytes text = reader_string(in);

	if (text.data == NULL) {
		return NULL;
	}
	if (text.len == 0 || memchr(text.data, '\0', text.len) != text.data + text.len - 1) {
		in->error = CMPD_EFORMAT;
		return NULL;
	}
	return (const char *)text.data;
}

/* Always a list, perhaps an empty one. */
static int
get_list(struct reader *in, struct pool *pool, const char ***ret)
{
	size_t n = reader_u16(in);
	const char **list;

	/* Each text takes four bytes at least: no more memory than the record has. */
	if (in->error != 0 || n > RECORD_LIST_MAX || n > (size_t)(in->end - in->pos) / 4) {
		in->error = CMPD_EFORMAT;
		return 0;
	}
	list = pool_alloc(pool, (n + 1) * sizeof(*list));
	if (list == NULL) {
		return CMPD_ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		list[i] = get_text(in);
		if (list[i] == NULL) {
			in->error = CMPD_EFORMAT;
		}
	}
	*ret = list;
	return 0;
}

static void
get_ids(struct reader *in, struct txn *ret)
{
	size_t n = reader_u8(in);

	if (n > TXN_IDS_MAX) {
		in->error = CMPD_EFORMAT;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		ret->ids[i] = (int64_t)reader_u64(in);
	}
	ret->n_ids = n;
}

static void
get_int(struct reader *in, const struct record_field *field, uint8_t *to)
{
	int v = (int)reader_u32(in);

	if (v < field->min || (v >= 0 && (unsigned int)v > field->max)) {
		in->error = CMPD_EFORMAT;
		return;
	}
	memcpy(to, &v, sizeof(v));
}

static void
get_sized(struct reader *in, const struct record_field *field, uint8_t *to)
{
	uint8_t len = reader_u8(in);
	struct bytes data = reader_take(in, len);

	if (len > field->max) {
		in->error = CMPD_EFORMAT;
	} else if (data.data != NULL) {
		to[0] = len;
		memcpy(to + 1, data.data, len);
	}
}

static void
get_bytes(struct reader *in, const struct record_field *field, uint8_t *to)
{
	struct bytes data = reader_string(in);

	if (data.len > field->max) {
		in->error = CMPD_EFORMAT;
		return;
	}
	memcpy(to, &data, sizeof(data));
}

static int
get_field(struct reader *in, struct pool *pool, const struct record_field *field, uint8_t *to)
{
	struct bytes fixed;
	const char **list = NULL;
	const char *text;
	uint64_t u64;
	int error;

	switch (field->type) {
	case FIELD_U8:
		*to = reader_u8(in);
		return 0;
	case FIELD_BOOL:
		*to = reader_u8(in);
		if (*to > 1) {
			*to = 0;
			in->error = CMPD_EFORMAT;
		}
		return 0;
	case FIELD_INT:
		get_int(in, field, to);
		return 0;
	case FIELD_U64:
		u64 = reader_u64(in);
		memcpy(to, &u64, sizeof(u64));
		return 0;
	case FIELD_SIZED:
		get_sized(in, field, to);
		return 0;
	case FIELD_FIXED:
		fixed = reader_take(in, field->max);
		if (fixed.data != NULL) {
			memcpy(to, fixed.data, fixed.len);
		}
		return 0;
	case FIELD_BYTES:
		get_bytes(in, field, to);
		return 0;
	case FIELD_TEXT:
		text = get_text(in);
		memcpy(to, &text, sizeof(text));
		return 0;
	case FIELD_LIST:
		error = get_list(in, pool, &list);
		memcpy(to, &list, sizeof(list));
		return error;
	case FIELD_IDS:
		get_ids(in, (struct txn *)(void *)to);
		return 0;
	case FIELD_END:
		break;
	}
	return CMPD_EINVAL;
}

/* Lists are never NULL. */
static int
get_none(struct pool *pool, const struct record_field *field, uint8_t *to)
{
	const char **list = NULL;

	if (field->type != FIELD_LIST) {
		return 0;
	}
	list = pool_alloc(pool, sizeof(*list));
	if (list == NULL) {
		return CMPD_ENOMEM;
	}
	memcpy(to, &list, sizeof(list));
	return 0;
}

/* The fields of that format and then nothing more. */
static int
get_fields(struct reader *in, uint8_t format, struct pool *pool, const struct record_field *fields,
    void *record)
{
	for (; fields->type != FIELD_END && in->error == 0; fields++) {
		uint8_t *to = (uint8_t *)record + fields->at;
		int error = fields->since > format ? get_none(pool, fields, to)
						   : get_field(in, pool, fields, to);

		if (error != 0) {
			return error;
		}
	}
	return reader_end(in) != 0 ? CMPD_ECORRUPT : 0;
}

static int
get_head(struct reader *in, enum record_kind kind, struct record_head *ret)
{
	struct record_head head = {.kind = (enum record_kind)reader_u8(in)};
	struct bytes ident;

	head.format = reader_u8(in);
	if (in->error != 0 || head.kind != kind) {
		return CMPD_ECORRUPT;
	}
	if (head.format == 0 || head.format > RECORD_FORMAT) {
		return CMPD_EVERSION;
	}
	head.state = reader_u8(in);
	head.version = reader_u64(in);
	head.due = (int64_t)reader_u64(in);
	head.number = reader_u64(in);
	head.ident_len = reader_u8(in);
	ident = reader_take(in, head.ident_len);
	if (in->error != 0 || ident.len > sizeof(head.ident)) {
		return CMPD_ECORRUPT;
	}
	memcpy(head.ident, ident.data, ident.len);
	*ret = head;
	return 0;
}

int
record_get_head(struct bytes in, enum record_kind kind, struct record_head *ret)
{
	struct reader reader;

	reader_init(&reader, in);
	return get_head(&reader, kind, ret);
}

int
record_get_txn(struct bytes in, struct pool *pool, struct txn *ret)
{
	struct txn txn = {.version = 0};
	struct record_head head;
	struct reader reader;
	int error;

	reader_init(&reader, in);
	error = get_head(&reader, RECORD_TXN, &head);
	if (error == 0) {
		error = get_fields(&reader, head.format, pool, record_txn_fields, &txn);
	}
	if (error != 0) {
		return error;
	}
	if (head.state > 1 || head.ident_len != 1u + txn.key.id_len ||
	    head.ident[0] != txn.key.protocol ||
	    memcmp(head.ident + 1, txn.key.id, txn.key.id_len) != 0) {
		return CMPD_ECORRUPT;
	}
	txn.version = head.version;
	txn.due = head.due;
	txn.ended = head.state == 1;
	*ret = txn;
	return 0;
}

int
record_get_entry(struct bytes in, struct pool *pool, struct entry *ret)
{
	struct entry entry = {.number = 0};
	struct record_head head;
	struct reader reader;
	int error;

	reader_init(&reader, in);
	error = get_head(&reader, RECORD_ENTRY, &head);
	if (error == 0) {
		error = get_fields(&reader, head.format, pool, record_entry_fields, &entry);
	}
	if (error != 0) {
		return error;
	}
	if (head.state >= ENTRY_STATES || head.ident_len != ENTRY_ID_SIZE + 8 + DIGEST_SIZE) {
		return CMPD_ECORRUPT;
	}
	memcpy(entry.id, head.ident, sizeof(entry.id));
	entry.cert_req_id = record_id_unbiased(bytes_get_u64(head.ident + ENTRY_ID_SIZE));
	entry.number = head.number;
	entry.version = head.version;
	entry.state = (enum entry_state)head.state;
	entry.due = head.due;
	*ret = entry;
	return 0;
}

int
record_get_entry_brief(struct bytes in, int64_t *ret_received, const char **ret_subject)
{
	struct record_head head;
	struct reader reader;
	int64_t received;
	const char *subject;
	int error;

	reader_init(&reader, in);
	error = get_head(&reader, RECORD_ENTRY, &head);
	if (error != 0) {
		return error;
	}
	received = (int64_t)reader_u64(&reader);
	subject = get_text(&reader);
	if (reader.error != 0) {
		return CMPD_ECORRUPT;
	}
	*ret_received = received;
	*ret_subject = subject;
	return 0;
}

int
record_get_cert(struct bytes in, struct pool *pool, struct cert *ret)
{
	struct cert cert = {.number = 0};
	struct record_head head;
	struct reader reader;
	int error;

	reader_init(&reader, in);
	error = get_head(&reader, RECORD_CERT, &head);
	if (error == 0) {
		error = get_fields(&reader, head.format, pool, record_cert_fields, &cert);
	}
	if (error != 0) {
		return error;
	}
	if (head.state > CERT_HELD || head.ident_len <= CA_ID_SIZE ||
	    head.ident_len > CA_ID_SIZE + SERIAL_MAX) {
		return CMPD_ECORRUPT;
	}
	memcpy(cert.ca, head.ident, sizeof(cert.ca));
	/* The serial lies in the record itself, behind number and length. */
	cert.serial =
	    bytes_of(in.data + RECORD_NUMBER_AT + 9 + CA_ID_SIZE, head.ident_len - CA_ID_SIZE);
	cert.number = head.number;
	cert.version = head.version;
	cert.status = (enum cert_status)head.state;
	cert.due = head.due;
	*ret = cert;
	return 0;
}

int
record_get_crl(struct bytes in, struct pool *pool, struct crl *ret)
{
	struct crl crl = {.number = 0};
	struct record_head head;
	struct reader reader;
	int error;

	reader_init(&reader, in);
	error = get_head(&reader, RECORD_CRL, &head);
	if (error == 0) {
		error = get_fields(&reader, head.format, pool, record_crl_fields, &crl);
	}
	if (error != 0) {
		return error;
	}
	if (head.ident_len != CA_ID_SIZE || head.number == 0 || crl.der.data == NULL) {
		return CMPD_ECORRUPT;
	}
	memcpy(crl.ca, head.ident, sizeof(crl.ca));
	crl.number = head.number;
	crl.version = head.version;
	*ret = crl;
	return 0;
}

int
record_get_secret(struct bytes in, struct pool *pool, struct secret *ret)
{
	struct secret secret = {.id = 0};
	struct record_head head;
	struct reader reader;
	int error;

	reader_init(&reader, in);
	error = get_head(&reader, RECORD_SECRET, &head);
	if (error == 0) {
		error = get_fields(&reader, head.format, pool, record_secret_fields, &secret);
	}
	if (error != 0) {
		return error;
	}
	if (head.state > 1 || head.ident_len != 0 || secret.ref == NULL || secret.uses_left < -1) {
		return CMPD_ECORRUPT;
	}
	secret.id = head.number;
	secret.version = head.version;
	secret.removed = head.state == 1;
	secret.due = head.due;
	*ret = secret;
	return 0;
}

int
record_get_inventory(struct bytes in, struct pool *pool, struct inventory *ret)
{
	struct inventory row = {.number = 0};
	struct record_head head;
	struct reader reader;
	int error;

	reader_init(&reader, in);
	error = get_head(&reader, RECORD_INVENTORY, &head);
	if (error == 0) {
		error = get_fields(&reader, head.format, pool, record_inventory_fields, &row);
	}
	if (error != 0) {
		return error;
	}
	if (head.ident_len != INVENTORY_ID_SIZE || head.number == 0 || row.generation == 0 ||
	    (row.serial.data == NULL && row.subject == NULL)) {
		return CMPD_ECORRUPT;
	}
	row.number = head.number;
	*ret = row;
	return 0;
}

int
record_get_audit(struct bytes in, struct pool *pool, struct audit *ret)
{
	struct audit audit = {.number = 0};
	struct record_head head;
	struct reader reader;
	int error;

	reader_init(&reader, in);
	error = get_head(&reader, RECORD_AUDIT, &head);
	if (error == 0) {
		error = get_fields(&reader, head.format, pool, record_audit_fields, &audit);
	}
	if (error == 0) {
		audit.number = head.number;
		*ret = audit;
	}
	return error;
}

int
record_get_tally(struct bytes in, struct tally *ret)
{
	struct tally tally = {.last_entry = 0};
	struct record_head head;
	struct reader reader;
	int error;

	reader_init(&reader, in);
	error = get_head(&reader, RECORD_TALLY, &head);
	if (error != 0) {
		return error;
	}
	for (int i = 0; i < ENTRY_STATES; i++) {
		tally.entries[i] = reader_u64(&reader);
	}
	error = get_fields(&reader, head.format, NULL, record_tally_fields, &tally);
	if (error == 0) {
		*ret = tally;
	}
	return error;
}
