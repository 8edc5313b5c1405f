/*
 * The scenario player: one text file is one story between CMP clients, an
 * operator and a cmpd of its own in a directory of its own. See doc at the
 * top of scenario.c for the verbs. Each scenario is a process: a fault is said once, with file
 * and line, and ends it, so nothing here returns errors.
 */
#pragma once

#include <sys/types.h>

#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/pool.h"
#include "cmp/wire.h"
#include "cmp/wire_asn1.h"
#include "cmp/wire_der.h"

#define WORDS_MAX   64
#define CLIENTS_MAX 256
#define NAMED_MAX   32
#define IDS_MAX	    66

/* The words of one line; "key=value" ones are found by key. */
struct words {
	int n;
	char *word[WORDS_MAX];
	const char *rest; /* the line behind the verb, as it is written */
};

/* A certificate with its key: of CA and CERT lines, or what a client got. */
struct credential {
	char name[32];
	X509 *certificate;
	EVP_PKEY *key;
};

struct known_secret {
	char ref[64];
	char value[256];
};

/* How a client signs; digest NULL: what fits the key. */
struct signing {
	const char *digest;
	bool pss;
};

/* How it makes MACs; NULL: the usual. */
struct mac_choice {
	bool pbmac1;
	const char *owf, *hmac, *prf, *iterations, *key_len;
};

/* A client and the transaction it is in. All bytes lie in the scenario's pool. */
struct client {
	char name[32];
	const char *ref; /* MAC: reference and secret */
	struct bytes secret;
	struct mac_choice mac;
	struct signing signing;
	struct credential signer; /* signature; empty: MAC */
	struct bytes transaction_id, first_nonce, nonce, server_nonce;
	int opened_by; /* body type */
	size_t n_ids;
	int64_t ids[IDS_MAX];
	struct credential got[IDS_MAX]; /* new key, and the certificate when it came */
	bool over[IDS_MAX]; /* has got its certificate or a rejection */
	int64_t waiting[IDS_MAX]; /* ids that the last answer left waiting */
	size_t n_waiting;
	struct bytes request, answer, answer_before;
	bool sent_decodes; /* request is a PKIMessage */
	struct wire_message sent, reply;
	bool has_reply;
	int http; /* status of the last answer */
};

struct player {
	const char *file;
	int line;
	const char *cmpd, *ctl;
	bool restarting; /* --restart */
	bool signing; /* --sign */
	char dir[64];
	bool made; /* the directory is filled */
	const char *conf; /* for cmpd-ctl; NULL: there is none */
	const char *host; /* in digits */
	int port;
	bool connected; /* to a cmpd that somebody else has started */
	int64_t retry_ms; /* so long a message that gets no answer is sent again */
	pid_t pid; /* 0: cmpd does not run */
	int64_t wall_ms, mono_ms; /* offsets of its clocks */
	struct pool *pool;
	X509 *ca;
	size_t n_clients, n_named, n_secrets, n_nonces;
	struct client clients[CLIENTS_MAX];
	struct credential named[NAMED_MAX];
	struct known_secret secrets[NAMED_MAX];
	struct bytes nonces[8192]; /* of all answers */
	char *output; /* of the last CTL */
	const char *remembered[8]; /* by place_remember */
	int64_t waited_us; /* for answers, since the last LAP */
	int posts; /* since then */
	long spent_ms; /* processor time of cmpd, up to then */
};

/* ---- scenario.c ---- */

/* Plays the file; comes back when all is well. */
void scenario_play(struct player *p);
/* One line of it. */
void scenario_line(struct player *p, const char *format, ...) CMPD_PRINTF(2, 3);
/* Says file:line and the text, stops cmpd, shows the end of its log, and exits. */
_Noreturn void fail(struct player *p, const char *format, ...) CMPD_PRINTF(2, 3);
/* As fail() when the condition does not hold: for what cannot go wrong in a right scenario. */
#define need(p, condition)                                                                         \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fail((p), "%s does not hold (%s:%d)", #condition, __FILE__, __LINE__);     \
		}                                                                                  \
	} while (0)

/* The value behind "key=", or NULL. */
const char *word_get(const struct words *words, const char *key);
/* The value behind "key:ID=" for this certReqId, or else behind "key=", or NULL. */
const char *word_get_for(const struct words *words, const char *key, int64_t id);
/* The value of "id=", or 0. */
int64_t word_id(const struct words *words);
/* The plain word stands behind the first three. */
bool word_has(const struct words *words, const char *word);
int64_t word_duration(struct player *p, const char *text); /* "-2h": ms */
struct bytes word_hex(struct player *p, const char *text);
/* The word at this place, which must be there. */
const char *word_at(struct player *p, const struct words *words, int i);

/* ---- client.c ---- */

struct client *client_find(struct player *p, const char *name);
/* What the client has under this certReqId (of a p10cr it is the only one); NULL: nothing. */
struct credential *client_got(struct client *client, int64_t id);
struct credential *credential_find(struct player *p, const char *name);
/* CLIENT, CLIENTS, TAKE, SECRET */
void client_make(struct player *p, const struct words *words);
void client_make_many(struct player *p, const struct words *words);
void client_take(struct player *p, const struct words *words);
void client_secret(struct player *p, const struct words *words);

/* ---- made.c: keys that cmpd makes ---- */

/* publicKey of a template that wants a key "made:ec:P-384"; "made": absent. */
struct bytes made_wish(struct player *p, const char *spec);
/* The key in an EnvelopedData, opened by what the client protects its messages with. */
EVP_PKEY *made_open(struct player *p, const struct client *client, struct bytes enveloped);

/* ---- place.c: directory, configuration, daemon, operator ---- */

void place_make(struct player *p);
/* Not a cmpd of its own: CONNECT HOST:PORT ca=FILE [conf=FILE] [retry=60s]. */
void place_connect(struct player *p, const struct words *words);
void place_config(struct player *p, const char *assignment);
void place_start(struct player *p);
/* By this signal; waits for its end. */
void place_stop(struct player *p, int signal);
void place_clock(struct player *p, int64_t wall_ms, int64_t mono_ms);
/* Runs cmpd-ctl; its output (both streams) goes to p->output, its exit status is returned. */
int place_ctl(struct player *p, const char *const *args);
void place_secret(struct player *p, const struct words *words);
/* The id of the entry of the client's transaction, and its state. NULL: none. */
const char *place_entry(struct player *p, const struct client *client, int64_t id,
    const char **ret_state);
/* The same with --json, which must succeed. */
json_t *place_ctl_json(struct player *p, const char *const *args);
/* remember.c: keeps what operators see of the store: entries, certificates, secrets and counts; and compares it with now. */
void place_remember(struct player *p);
void place_unchanged(struct player *p);
/* DIR/name, in the pool. */
char *place_path(struct player *p, const char *name);
void place_write(struct player *p, const char *path, const void *data, size_t len);

/* ---- http.c ---- */

struct http_request {
	const char *method, *path, *content_type;
	struct bytes body;
	int copies; /* the same request over as many connections at once */
};
/* Fills status and body of each copy. */
struct http_answer {
	int status;
	struct bytes body;
};
void http_send(struct player *p, const struct http_request *request, struct http_answer *ret);
/* LAP lines. */
void http_lap(struct player *p, const struct words *words);

/* ---- credential.c: keys, certificates, protection ---- */

EVP_PKEY *key_new(struct player *p, const char *spec); /* "ec:P-256", "rsa:2048", "ed25519" */
X509_NAME *name_new(struct player *p, const char *text); /* "/CN=x/O=y" */
/* The Name as DER. */
struct bytes name_der(struct player *p, const char *text);
struct bytes object_der(struct player *p, const void *value, const ASN1_ITEM *item);
/* CA and CERT lines. */
void credential_make(struct player *p, const struct words *words, bool ca);
/* LOAD lines. */
void credential_load(struct player *p, const struct words *words);
/* With its key, as PATH.pem and PATH.key. */
void credential_write(struct player *p, const struct credential *credential, const char *path);
/* ---- protect.c ---- */

struct bytes alg_der(struct player *p, int nid, bool null_parameters);
/* AlgorithmIdentifier of the signature. */
struct bytes sign_alg(struct player *p, EVP_PKEY *key, const struct signing *how);
struct bytes sign(struct player *p, EVP_PKEY *key, const struct signing *how, struct bytes data);
/* AlgorithmIdentifier of a new MAC: what the client does, but for the faults. */
struct bytes mac_alg(struct player *p, const struct mac_choice *own, const struct words *words);
/* The MAC over data by an AlgorithmIdentifier; absent if it cannot be computed. */
struct bytes mac_over(struct player *p, const struct wire_alg *alg, struct bytes secret,
    struct bytes data);
bool alg_is_pbmac1(const struct wire_alg *alg);

/* ---- verify.c ---- */

/* The signature of the whole message by the first of its extraCerts, which leads to the CA. */
void verify_signature(struct player *p, const struct wire_message *message);
void verify_mac(struct player *p, const struct client *client);
/* Once more by OpenSSL's client code, if it can. */
void verify_by_openssl(struct player *p, const struct client *client);

/* ---- request.c ---- */

/* A body type by its name ("ir"), or -1. */
int body_type(const char *name);
const char *body_name(int type);
/* The PKIBody that the words ask for; new keys and ids go into the client. */
struct bytes request_body(struct player *p, struct client *client, int type,
    const struct words *words);
size_t read_ids(const struct words *words, const char *key, int64_t ids[IDS_MAX]);
/* general.c */
struct bytes rr_der(struct player *p, const struct client *client, const struct words *words);
struct bytes genm_der(struct player *p, const struct words *words);
/* The PKIStatusInfos of an rp. */
size_t rev_rep_statuses(struct player *p, struct bytes body, struct der *ret, size_t max);
void status_decode(struct player *p, const struct der *info, struct wire_status_info *ret);
void expect_genp(struct player *p, const struct words *words, const struct client *client);
/* enrol.c: what is inside the tag of ir, cr, kur and of p10cr. */
struct bytes cert_reqs_der(struct player *p, struct client *client, int type,
    const struct words *words);
struct bytes spki_der(struct player *p, EVP_PKEY *key);
struct bytes p10_der(struct player *p, struct client *client, const struct words *words);

/* ---- send.c, fault.c, expect.c ---- */

void send_message(struct player *p, const struct words *words);
void make_only(struct player *p, const struct words *words);
/* What came for a client: checked, and kept by it. */
void take_answer(struct player *p, struct client *client, const struct http_answer *answer);
void header_add_info(struct player *p, struct wire_header *header, struct bytes oid,
    struct bytes value);
/* What goes wrong on purpose: each "fault=name[:value]". */
void fault_header(struct player *p, const struct words *words, struct wire_header *header);
/* The finished parts; protection absent if it should be. */
struct parts {
	struct bytes header, body, protection;
	const struct bytes *certs;
	size_t n_certs;
};
void fault_parts(struct player *p, const struct words *words, struct parts *parts);
struct bytes fault_message(struct player *p, const struct words *words, struct bytes message);
/* Value of a fault ("" if it has none), NULL if it is not asked for. */
const char *fault_get(const struct words *words, const char *name);
bool fault_is(const struct words *words, const char *name, const char *value);

/* nest.c */
bool name_fits(const char *pattern, const char *name); /* "c*": all that begin with c */
struct bytes nest_body(struct player *p, const struct words *words);
void nest_header(struct player *p, const struct words *words, struct wire_header *header);
void nest_answer(struct player *p, struct client *ra, const struct words *words,
    const struct http_answer *answer);

/* answer.c: what is true of every answer. */
void answer_check(struct player *p, struct client *client);
bool is_cert_rep(int type);
/* "mac", "signature" or "none". */
const char *protection_of(const struct wire_message *m);
void expect(struct player *p, const struct words *words);
/* "accepted", "badRequest"; -1 of the latter: "none". */
const char *status_name(int64_t status);
const char *fail_info_name(int bit);
/* finish.c: FINISH, SHOW and SAVE. */
void finish(struct player *p, const struct words *words);
void show(struct player *p, const struct words *words);
void save(struct player *p, const struct words *words);
/* What an answer is, in words, for messages. */
const char *answer_describe(struct player *p, struct bytes answer);
