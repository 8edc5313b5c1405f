#include "store/record_fields.h"

#define ROW(type, name, member, min, max)                                                          \
	{                                                                                          \
		FIELD_##type, offsetof(struct name, member), min, max, 0                           \
	}
/* What a later format added. */
#define ROW_2(type, name, member, min, max)                                                        \
	{                                                                                          \
		FIELD_##type, offsetof(struct name, member), min, max, 2                           \
	}
#define BOOL_2(name, member)	    ROW_2(BOOL, name, member, 0, 0)
#define TEXT_2(name, member)	    ROW_2(TEXT, name, member, 0, 0)
#define INT(name, member, min, max) ROW(INT, name, member, min, max)
#define U64(name, member)	    ROW(U64, name, member, 0, 0)
#define U8(name, member)	    ROW(U8, name, member, 0, 0)
#define BOOL(name, member)	    ROW(BOOL, name, member, 0, 0)
#define TEXT(name, member)	    ROW(TEXT, name, member, 0, 0)
#define LIST(name, member)	    ROW(LIST, name, member, 0, 0)
#define BYTES(name, member, max)    ROW(BYTES, name, member, 0, max)
#define SIZED(name, member, max)    ROW(SIZED, name, member, 0, max)
#define FIXED(name, member)	    ROW(FIXED, name, member, 0, sizeof(((struct name *)0)->member))
#define TEMPLATE(name, member)                                                                     \
	BYTES(name, member.subject, UINT_MAX), BYTES(name, member.spki, UINT_MAX),                 \
	    BYTES(name, member.extensions, UINT_MAX), U64(name, member.not_before),                \
	    U64(name, member.not_after), U64(name, member.validity), FIXED(name, member.ca)
#define END                                                                                        \
	{                                                                                          \
		FIELD_END, 0, 0, 0, 0                                                              \
	}

/* Rows are what is on disk: a changed table is another RECORD_FORMAT, and new rows stand at the end with the format that
 * brought them. What the head has (version, due, number, state) is not repeated. */
const struct record_field record_txn_fields[] = {
    U8(txn, key.protocol),
    SIZED(txn, key.id_len, TXN_ID_MAX),
    TEXT(txn, endpoint),
    INT(txn, identity.kind, IDENTITY_NONE, IDENTITY_RA),
    U64(txn, identity.secret),
    FIXED(txn, identity.certificate),
    BYTES(txn, identity.name, UINT_MAX),
    INT(txn, type, 0, REQUEST_GENM),
    BOOL(txn, implicit_confirm),
    U8(txn, pvno),
    {FIELD_IDS, 0, 0, 0, 0},
    U64(txn, told),
    SIZED(txn, our_nonce, TXN_NONCE_MAX),
    SIZED(txn, first_nonce, TXN_NONCE_MAX),
    FIXED(txn, last_hash),
    BYTES(txn, answer, UINT_MAX),
    BYTES(txn, answer_certs, UINT_MAX),
    BYTES(txn, request, UINT_MAX),
    U64(txn, received),
    U64(txn, last_seen),
    U64(txn, deadline),
    END,
};

/* received and subject first: record_get_entry_brief reads no further. */
const struct record_field record_entry_fields[] = {
    U64(entry, received),
    TEXT(entry, subject),
    U8(entry, txn.protocol),
    SIZED(entry, txn.id_len, TXN_ID_MAX),
    INT(entry, type, 0, REQUEST_GENM),
    TEXT(entry, endpoint),
    TEXT(entry, profile),
    TEMPLATE(entry, requested),
    TEMPLATE(entry, resolved),
    TEXT(entry, mods),
    LIST(entry, sans),
    FIXED(entry, spki_sha256),
    INT(entry, pop, POP_NONE, POP_NOT_NEEDED),
    BOOL(entry, names_bound),
    TEXT(entry, requester),
    U64(entry, secret),
    FIXED(entry, signer_ca),
    BYTES(entry, signer_serial, UINT_MAX),
    TEXT(entry, peer),
    U64(entry, decided),
    U64(entry, expires),
    U64(entry, check_after),
    TEXT(entry, reason),
    INT(entry, fail_info, -1, INT_MAX),
    TEXT(entry, text),
    TEXT(entry, decided_by),
    U8(entry, approvals_needed),
    LIST(entry, approvals),
    LIST(entry, comments),
    FIXED(entry, ca),
    BYTES(entry, serial, SERIAL_MAX),
    BYTES(entry, cert_hash, UINT_MAX),
    U64(entry, confirm_until),
    TEXT_2(entry, wants),
    TEXT_2(entry, make_key),
    END,
};

const struct record_field record_cert_fields[] = {
    BYTES(cert, der, UINT_MAX),
    FIXED(cert, sha256),
    FIXED(cert, spki_sha256),
    TEXT(cert, subject),
    TEXT(cert, profile),
    FIXED(cert, entry),
    U64(cert, not_before),
    U64(cert, not_after),
    INT(cert, reason, -1, INT_MAX),
    U64(cert, revoked),
    BOOL(cert, confirmed),
    U8(cert, holder),
    BOOL(cert, updated),
    FIXED(cert, update),
    END,
};

const struct record_field record_crl_fields[] = {
    U64(crl, this_update),
    U64(crl, next_update),
    U64(crl, covers),
    U64(crl, entries),
    FIXED(crl, settings),
    BYTES(crl, der, UINT_MAX),
    END,
};

const struct record_field record_secret_fields[] = {
    TEXT(secret, ref),
    BYTES(secret, value, UINT_MAX),
    TEXT(secret, endpoint),
    TEXT(secret, profile),
    TEXT(secret, subject),
    U64(secret, uses_left),
    U64(secret, expires),
    U64(secret, open),
    U64(secret, created),
    BOOL_2(secret, retiring),
    BOOL_2(secret, until_confirmed),
    END,
};

const struct record_field record_inventory_fields[] = {
    U64(inventory, generation),
    BYTES(inventory, serial, INVENTORY_SERIAL_MAX),
    TEXT(inventory, subject),
    TEXT(inventory, issuer),
    TEXT(inventory, new_subject),
    LIST(inventory, new_sans),
    TEXT(inventory, profile),
    END,
};

const struct record_field record_audit_fields[] = {
    U64(audit, time),
    TEXT(audit, actor),
    TEXT(audit, what),
    TEXT(audit, object),
    TEXT(audit, text),
    FIXED(audit, hmac), /* the last one: RECORD_AUDIT_TAIL */
    END,
};

const struct record_field record_tally_fields[] = {
    U64(tally, last_entry),
    U64(tally, last_cert),
    U64(tally, last_secret),
    U64(tally, last_audit),
    FIXED(tally, audit_hmac),
    FIXED(tally, audit_head),
    U64(tally, txns),
    U64(tally, certs),
    U64(tally, secrets),
    END,
};
