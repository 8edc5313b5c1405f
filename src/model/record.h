/*
 * The nouns that are stored. All pointers in a record read from the store
 * lie in the pool given to the read. Texts are NUL-terminated UTF-8; NULL = none.
 * Times are wall-clock milliseconds UTC, 0 = none.
 *
 * version: 0 = new. A record that is changed carries the version it was read
 * with; the store refuses it with CMPD_ECONFLICT if somebody was first.
 *
 * due: when the sweep must look at the record next; 0 = never.
 */
#pragma once

#include "base/digest.h"
#include "model/identity.h"
#include "model/reason.h"
#include "model/state.h"
#include "model/template.h"

enum protocol { PROTOCOL_CMP = 1, PROTOCOL_SCEP = 2 };

/* PKIBody tags (RFC 9810 5.1.2) of what opens a transaction; the request's type in entries too. */
enum request_type {
	REQUEST_IR = 0,
	REQUEST_CR = 2,
	REQUEST_P10CR = 4,
	REQUEST_KUR = 7,
	REQUEST_RR = 11,
	REQUEST_GENM = 21
};
/* "ir", "cr", ...; NULL: no such type. */
const char *request_type_name(enum request_type type);
/* Does it ask for a certificate? rr and genm do not. */
bool request_type_enrols(enum request_type type);

/* ---- transaction ---- */

#define TXN_ID_MAX    64
#define TXN_NONCE_MAX 64
#define TXN_IDS_MAX   64

struct txn_key {
	uint8_t protocol;
	uint8_t id_len;
	uint8_t id[TXN_ID_MAX];
};

struct nonce {
	uint8_t len;
	uint8_t data[TXN_NONCE_MAX];
};

struct txn {
	struct txn_key key;
	uint64_t version;
	bool ended; /* a tombstone: only key, last_hash, answer and due count */
	const char *endpoint; /* path */
	struct identity identity;
	enum request_type type;
	bool implicit_confirm; /* asked for and allowed */
	uint8_t pvno;
	size_t n_ids; /* certReqIds in the order of the request */
	int64_t ids[TXN_IDS_MAX];
	uint64_t told; /* bit i: ids[i] has got its final answer (certificate or rejection) */
	struct nonce our_nonce; /* the senderNonce we sent last */
	struct nonce first_nonce; /* the client's first senderNonce */
	uint8_t last_hash[DIGEST_SIZE]; /* SHA-256 of the last request, whole message */
	struct bytes answer; /* the answer given to it, without extraCerts */
	/* n * 32 bytes: SHA-256 of its extraCerts, in order; see unit_put_blob */
	struct bytes answer_certs;
	/* the message that opened it, without extraCerts; absent when not needed later */
	struct bytes request;
	int64_t received;
	int64_t last_seen;
	int64_t deadline; /* the transaction ends then, whatever its state */
	int64_t due;
};

/* ---- entry: the queue ---- */

#define ENTRY_ID_SIZE 8 /* random; people see 16 hex digits and may shorten them */

enum pop_result { POP_NONE, POP_VERIFIED, POP_RA_VERIFIED, POP_NOT_NEEDED };

struct entry {
	uint64_t number; /* given by the store, in the order of arrival; 0 = new */
	uint8_t id[ENTRY_ID_SIZE];
	uint64_t version;
	enum entry_state state;
	struct txn_key txn;
	int64_t cert_req_id;
	enum request_type type;
	const char *endpoint; /* path */
	const char *profile;
	struct template requested;
	struct template resolved; /* what will be issued; present from approval on */
	const char *mods; /* what resolving changed, for grantedWithMods; NULL: nothing */
	const char *subject; /* of what is to be issued, name_to_text */
	const char **sans; /* NULL-ended list, name_sans_to_text */
	uint8_t spki_sha256[DIGEST_SIZE];
	enum pop_result pop;
	bool names_bound; /* subject and SANs are the requester's own, or need not be */
	/* authentication in words: "mac ref=dev1", "signature subject=/CN=a sha256=.." */
	const char *requester;
	uint64_t secret; /* the secret that opened it, 0: none */
	uint8_t signer_ca[CA_ID_SIZE]; /* kur: the certificate to be updated */
	struct bytes signer_serial;
	const char *wants; /* rr, genm: what is asked for, in words */
	const char
	    *make_key; /* kind of the key that is made here ("ec:P-256"); NULL: the client has it */
	const char *peer; /* address */
	int64_t received;
	int64_t decided;
	int64_t expires; /* a held or approved one is expired then */
	int64_t check_after; /* ms; told when polled */
	const char *reason; /* why it waits, told when polled */
	int fail_info; /* denied: enum failinfo */
	const char *text; /* denied, aborted, refused: why */
	const char *decided_by; /* "operator:root", "plugin:allow" */
	uint8_t approvals_needed;
	const char **approvals; /* who approved this version */
	const char **comments;
	uint8_t ca[CA_ID_SIZE]; /* of the certificate made: generation and serial */
	struct bytes serial;
	struct bytes cert_hash; /* what a certConf must carry (RFC 9810 5.3.18) */
	int64_t confirm_until; /* issued: revoked then, if not confirmed */
	int64_t due;
};

/* ---- certificate ---- */

#define SERIAL_MAX 20

enum cert_status { CERT_VALID = 0, CERT_REVOKED = 1, CERT_HELD = 2 };

/* Who asked for a hold: the numbers are those on disk. */
enum cert_holder { HOLDER_SECRET = 0, HOLDER_ITSELF = 1, HOLDER_RA = 2 };

struct cert {
	uint8_t ca[CA_ID_SIZE];
	struct bytes serial; /* big-endian, no leading zero byte */
	uint64_t number; /* given by the store, in the order of issuing; 0 = new */
	uint64_t version;
	struct bytes der;
	uint8_t sha256[DIGEST_SIZE];
	uint8_t spki_sha256[DIGEST_SIZE];
	const char *subject;
	const char *profile;
	uint8_t entry[ENTRY_ID_SIZE];
	int64_t not_before;
	int64_t not_after;
	enum cert_status status;
	int reason; /* enum crl_reason */
	int64_t revoked;
	bool updated; /* a later certificate has taken its place (kur) */
	uint8_t update[ENTRY_ID_SIZE]; /* the last request to update it; all 0: none */
	uint8_t holder; /* enum cert_holder, of a held one: desk_revocation says who revives it */
	bool confirmed;
	int64_t due; /* purged then */
};

/* One line of a CRL: what the store keeps at hand about each certificate that is revoked or on hold. */
struct revoked {
	uint64_t number; /* of the certificate */
	struct bytes serial;
	enum cert_status status;
	int reason; /* enum crl_reason */
	int64_t revoked;
	int64_t not_after;
	/* which of its generation's revocations, holds and revivals made it so: 1, 2, ... */
	uint64_t change;
};

/* ---- CRL: the newest of one generation ---- */

struct crl {
	uint8_t ca[CA_ID_SIZE];
	uint64_t version;
	uint64_t number; /* cRLNumber (RFC 5280 5.2.3) */
	int64_t this_update;
	int64_t next_update;
	uint64_t covers; /* changes of the generation that it knows: all up to this one */
	uint64_t entries;
	uint8_t settings
	    [DIGEST_SIZE]; /* of what it was made with beside the certificates; its maker's business */
	struct bytes der;
};

/* ---- secret ---- */

#define SECRET_SIZE_MAX 128

struct secret {
	uint64_t id; /* given by the store, never reused; 0 = new */
	uint64_t version;
	const char *ref; /* reference value: senderKID */
	struct bytes value; /* the secret itself, in the clear only in memory */
	const char *endpoint; /* path; NULL: any */
	const char *profile; /* NULL: the endpoint's */
	const char *subject; /* bound subject, name_to_text form; NULL: none */
	int64_t uses_left; /* -1: no limit */
	int64_t expires; /* 0: never */
	uint64_t open; /* transactions that still need it */
	bool removed; /* opens nothing any more */
	bool retiring; /* another one has taken its place; this one is good until it expires */
	bool
	    until_confirmed; /* removed when a certificate that was obtained with it is confirmed */
	int64_t created;
	int64_t due;
};

/* ---- inventory: devices that may come with a factory certificate ---- */

#define INVENTORY_SERIAL_MAX 64
/* Which device: SHA-256 of serial or subject, and of the issuer, of its factory certificate. */
#define INVENTORY_ID_SIZE 64

struct inventory {
	uint64_t generation; /* of the load that brought it */
	uint64_t number; /* line of the file, from 1 on */
	struct bytes
	    serial; /* big-endian, no leading zero byte; absent: any, and subject is there */
	const char *subject; /* name_to_text; NULL: any */
	const char *issuer; /* NULL: any */
	const char *new_subject; /* what it is to be called; NULL: as the endpoint says */
	const char **new_sans; /* empty: as the endpoint says */
	const char *profile; /* NULL: as the endpoint says */
};

/* ---- audit ---- */

struct audit {
	uint64_t number; /* given by the store, no gaps */
	int64_t time;
	const char *actor; /* "operator:root", "plugin:allow", "client", "cmpd" */
	const char *what; /* "entry.approved", "cert.revoked", ... */
	const char *object; /* entry id or serial, hex; NULL: none */
	const char *text;
	uint8_t hmac[DIGEST_SIZE]; /* over this line and the previous hmac, under the audit key */
};
