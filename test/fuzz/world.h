/*
 * A whole door for fuzz targets: memory store, issuer, a secret, a device with a certificate, and endpoints that hold
 * ("/held") and that grant ("/granted"). What is always true of an answer is checked here; abort() says that it is not.
 */
#pragma once

#include "cmp/door.h"
#include "cmp/work.h"

/* An endpoint of the world. */
enum place { PLACE_HELD, PLACE_GRANTED };

#define WORLD_REFERENCE "fuzz"
#define WORLD_SECRET	"known to the target"

#define WORLD_ID_SIZE	  16 /* transactionID and nonces */
#define WORLD_SERIAL_SIZE 20
#define WORLD_HASH_SIZE	  32

struct world {
	struct pool *pool; /* of the input at hand */
	struct pool *answer_pool; /* of the message at hand */
	struct conf *conf;
	struct cmp_door *door;
	struct desk desk;
	struct store *store;
	uint64_t inputs, messages;
	bool is_over; /* time has passed: the next input needs a new store */
	int64_t now;
	EVP_PKEY *device_key, *signer_key, *ra_key;
	struct bytes device_name, ra_name; /* GeneralNames */
	struct cert device, ra; /* in the pool of the world itself */
};

/* Made at the first call. Every input begins with it: what lay in the pools is gone; the store is a new one now and then. */
struct world *world_begin(void);

/* One message as it shall be. */
struct letter {
	enum place place;
	int body_type; /* tag of the PKIBody */
	struct bytes content; /* what is inside of it */
	bool pvno3, sign; /* sign: with the device's key, else MAC under the secret */
	bool by_ra; /* signed by the registration authority */
	const uint8_t *nonce; /* its senderNonce; NULL: a new one */
	uint8_t txn[WORLD_ID_SIZE];
	struct bytes recip_nonce;
	size_t n_info;
	struct wire_itav info[4];
};
/* Header, protection and all, in the world's pool. */
struct bytes world_message(struct world *w, const struct letter *letter);

/* Gives a message to the door, commits what it wants stored, and checks the answer. authentic: it came from world_message. The answer is
 * valid until the next one. */
struct reply {
	struct wire_message message;
	bool stored;
};
struct reply world_hand_in(struct world *w, enum place place, struct bytes body, bool authentic);

/* Is a message, if it is MACed, MACed with the world's secret? */
bool world_is_authentic(struct world *w, const struct wire_message *m);

/* The operator approves the entry of a transaction, if it waits. */
void world_approve(struct world *w, const uint8_t txn[WORLD_ID_SIZE]);

/* Minutes, months and years go by, and the sweep comes: in the end transactions and entries are forgotten. The input ends with it. */
void world_pass_time(struct world *w);

/* A signature by the device (or by this key), in the world's pool. */
struct bytes world_sign(struct world *w, struct bytes data);
struct bytes world_sign_by(struct world *w, EVP_PKEY *key, struct bytes data);

/* world_popo.c: the body with each proof of possession signed anew, by the device. */
struct bytes world_sign_popo(struct world *w, int body_type, struct bytes content);
/* A CertReqMsg around a CertRequest; AlgorithmIdentifier and signature. */
void world_put_cert_req(struct world *w, struct buf *buf, struct bytes request);
void world_put_signature(struct world *w, struct buf *buf, struct bytes data);
/* What has been written, in the world's pool. */
struct bytes world_taken(struct world *w, struct buf *buf);
