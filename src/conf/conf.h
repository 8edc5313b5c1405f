/*
 * The configuration: one libconfig file, read into one checked, immutable
 * struct conf. schema.c has one table row per key (name, type, range,
 * default, reloadable, help); nothing else parses, prints or documents a key.
 *
 * All memory belongs to the struct conf. File names are absolute after
 * loading (relative ones are taken from the file's folder). Durations are
 * milliseconds. Lists end with a NULL pointer or carry a count.
 */
#pragma once

#include "base/bytes.h"
#include "base/error.h"

/* Body types an endpoint serves (conf_endpoint.bodies), by PKIBody tag: 1 << tag. Only the
 * requests ir, cr, kur, p10cr, rr, genm have bits; what belongs to them is always served. */
#define CONF_BODY(tag) (1u << (tag))

/* A CA as it was before a roll-over: it signs no certificates any more. */
struct conf_previous {
	const char *certificate; /* PEM or DER file */
	const char *key; /* as of a conf_ca; NULL: no CRL is made for it */
	const char *chain; /* PEM file with the certificates above; NULL: none */
};

struct conf_ca {
	const char *name;
	const char *certificate; /* PEM or DER file */
	const char *key; /* absolute file, or a URI for OSSL_STORE ("pkcs11:...") */
	const char *chain; /* PEM file with the certificates above; NULL: none */
	/* Announced root update (RFC 9810 5.3.19.15): files; NULL: none. */
	const char *root_new_with_new;
	const char *root_new_with_old;
	const char *root_old_with_new;
	struct conf_previous *previous; /* the newest first */
	size_t n_previous;
	int64_t crl_validity; /* from thisUpdate to nextUpdate of a CRL */
	/* a CRL is made anew after this time at the latest: less than crl_validity */
	int64_t crl_renew;
	bool publish; /* CRLs and the certificate can be had by HTTP: true */
	const char *where; /* "file:line" for messages */
};

/* Where they can be had: the prefix, the name of the CA and ".crl" or ".cer". No endpoint lies there. */
#define CONF_CRL_PREFIX "/crl/"
#define CONF_CA_PREFIX	"/ca/"

enum conf_names { CONF_NAMES_IDENTITY, CONF_NAMES_ANY };

struct conf_profile {
	const char *name;
	const char *ca; /* name of a conf_ca */
	int64_t validity; /* ms; also the longest a template may ask for */
	const char **key_usage; /* "digitalSignature", ... X.509 names */
	const char **extended_key_usage; /* "clientAuth", ... or dotted OIDs */
	const char **allowed_keys; /* "ec:P-256", "rsa:2048" (at least), "ed25519" ... */
	/* kinds that may be asked for: "dns", "ip", "email", "uri", "dirName", "otherName"; empty: none */
	const char **san;
	const char **crl_distribution_points; /* URLs */
	const char **ca_issuers; /* AIA URLs */
	enum conf_names names; /* names = "identity" | "any", see design: names are bound */
	bool allow_ca; /* may issue CA certificates: false */
	const char *where; /* "file:line" for messages */
};

/* One plugin in the chain of an endpoint. args: every key of the group but "plugin",
 * lists repeat the key. Numbers and booleans are given as text. */
struct conf_policy {
	const char *plugin; /* name ("allow") or path of the .so */
	struct conf_arg {
		const char *key;
		const char *value;
	} * args;
	size_t n_args;
	const char *where; /* "file:line" for messages */
};

/* A registration authority of an endpoint: either of the two is there. */
struct conf_ra {
	const char *name;
	const char *certificate; /* PEM or DER file; several while it is being renewed */
	const char *reference; /* of a secret */
};

/* What becomes of a device that the inventory does not know. */
enum conf_unknown { CONF_UNKNOWN_HOLD, CONF_UNKNOWN_DENY };

/* Devices with a certificate of their maker: it signs their first request, and what they are called is ours to say. */
struct conf_vendor {
	const char **trust; /* PEM files of the makers' roots; empty: there are none */
	const char *subject; /* template (model/name_template.h); NULL: none */
	const char **san; /* templates */
	bool inventory; /* only what the inventory knows */
	enum conf_unknown unknown;
};

enum conf_confirm { CONF_CONFIRM_EXPLICIT, CONF_CONFIRM_IMPLICIT };
enum conf_recip_nonce { CONF_RECIP_NONCE_POLL, CONF_RECIP_NONCE_REQUEST };

/* Bits of an RSA key made here: one takes a worker a second on the average, a larger one many. */
#define CONF_MADE_RSA_MAX 4096

struct conf_endpoint {
	const char *path; /* "/.well-known/cmp", "/.well-known/cmp/p/<name>" or a legacy path */
	const char *profile;
	const char **aliases; /* more paths of the same endpoint */
	bool short_labels; /* operations also as /ir, /kur, ... */
	const char **profiles; /* that a requester may choose by certProfile, besides profile */
	const char *prot_enc_cert; /* file, told for caProtEncCert; NULL: none */
	const char *signer_certificate;
	const char *signer_key;
	bool signer_pss; /* RSA: sign with RSASSA-PSS */
	const char *signer_chain; /* PEM file, NULL: none */
	/* kinds of keys made for who asks for that ("ec:P-256"); empty: none */
	const char **central_key;
	const char *kga_certificate; /* PEM file: who signs the keys made here, and its chain */
	const char *kga_key;
	bool kga_bare_key; /* quirk: a key is sent as PrivateKeyInfo, not as AsymmetricKeyPackage */
	/* PEM files of anchors for requesters; CAs of cmpd are added by trust_own */
	const char **trust;
	struct conf_vendor vendor;
	bool extra_root; /* extraCerts of answers have the root too: false */
	bool trust_own; /* certificates issued by this endpoint's CA authenticate: true */
	struct conf_ra *ras;
	size_t n_ras;
	/* PEM files of anchors: who is under them and has the extended key usage cmcRA is an RA */
	const char **ra_trust;
	uint32_t bodies; /* CONF_BODY bits */
	bool allow_mac; /* secrets authenticate: true */
	int64_t check_after; /* told to who waits; ms, sent in whole seconds */
	enum conf_confirm confirm; /* implicit: granted if asked for */
	int64_t confirm_wait; /* confirmWaitTime */
	int64_t entry_ttl; /* a held request expires after this */
	int64_t decide_wait; /* how long a message is parked for a slow plugin */
	int64_t message_time_window;
	bool message_time_required;
	bool strict; /* transactionID and senderNonce exactly 16 bytes, one request has id 0 */
	bool sender_is_reference; /* MAC: sender is CN=reference: false */
	int64_t replay_keep; /* tombstones stay at least this long */
	int64_t max_requests; /* certReqIds in one message: 1 */
	int64_t max_extra_certs;
	int64_t max_nested; /* messages in a nested one; 0: not served */
	/* of signatures over messages: words of cmp/algorithm.c */
	const char **protection_algorithms;
	const char **popo_algorithms; /* of proofs of possession */
	/* kinds of keys that may sign messages, as allowed_keys of a profile */
	const char **signer_keys;
	const char **mac_algorithms; /* "pbm", "pbmac1" */
	const char **mac_hmacs; /* HMACs inside them: "hmac-sha256", ... */
	int64_t pbm_iterations_min, pbm_iterations_max;
	int64_t pbkdf2_iterations_min, pbkdf2_iterations_max;
	int64_t mac_iterations_per_second; /* that one address may make us compute in vain */
	int64_t wrong_macs_per_minute; /* for one reference from one address */
	enum conf_recip_nonce recip_nonce; /* of the answer that ends polling */
	bool p10cr_id_zero; /* quirk: answer p10cr with certReqId 0 instead of -1 */
	/* CONF_BODY bits of rr, genm: wait for an operator unless policy decides */
	uint32_t hold;
	/* CONF_BODY bits: requests that may ask for a key that has a certificate already */
	uint32_t same_key;
	/* the old certificate is revoked (superseded) when its update is confirmed */
	bool revoke_updated;
	bool rr_mac; /* a secret may revoke the certificates it obtained: false */
	/* a second revocation gets revocationWarning instead of certRevoked */
	bool rr_again_warning;
	struct conf_policy *policy;
	size_t n_policy;
	const char *where; /* "file:line" */
};

struct conf_limits {
	int64_t body_size; /* bytes of an HTTP body */
	int64_t header_size; /* bytes of all HTTP headers */
	int64_t connections;
	int64_t request_deadline; /* from the first byte of a request to its last */
	int64_t idle_timeout; /* of a kept connection */
	int64_t queue; /* requests waiting for a worker; over it: 503 */
	int64_t parked; /* requests waiting for a plugin */
	int64_t control_connections;
	int64_t pending; /* entries that wait for a decision */
	int64_t open_per_secret; /* transactions that have not ended */
	int64_t open_per_certificate;
	int64_t open_per_ra;
};

struct conf_control {
	const char *socket;
	const char *backup_dir; /* NULL: no backup */
	const char **admin_users; /* besides root and the daemon's own user */
	const char **admin_groups;
};

struct conf_store {
	int64_t map_size; /* bytes */
	const char *key; /* file with 32 bytes, mode 0600; default state_dir/store.key */
	bool sync; /* false only in tests of speed: never in service */
};

struct conf_retention {
	int64_t entry; /* ended entries */
	int64_t certificate; /* after notAfter */
};

struct conf {
	const char *file;
	const char *state_dir;
	const char **listen; /* "addr:port", "[v6]:port", "unix:/path"; may be empty */
	const char *health; /* listener of /livez, /readyz: "127.0.0.1:8081"; NULL: none */
	const char **proxies; /* peers whose X-Forwarded-For is believed: addresses, "unix" */
	int64_t workers; /* 0: one per core */
	const char *log_level;
	const char *plugin_dir;
	int64_t plugin_threads;
	struct conf_limits limits;
	struct conf_control control;
	struct conf_store store;
	struct conf_retention retention;
	struct conf_ca *cas;
	size_t n_cas;
	struct conf_profile *profiles;
	size_t n_profiles;
	struct conf_endpoint *endpoints;
	size_t n_endpoints;
};

/*
 * Reads and checks the file. CMPD_ECONF with "file:line: what" in diag,
 * CMPD_EIO if it cannot be read, CMPD_ENOMEM. Unknown keys are errors.
 * What needs keys, certificates or plugins is checked by the rooms that use them.
 */
int conf_load(const char *file, struct conf **ret, struct diag *diag) CMPD_MUST_CHECK;
/* The same from text; name stands in messages, dir is where relative paths start (and names of
 * included files). dir NULL: they stay relative, and @include is an error. */
int conf_parse(const char *text, const char *name, const char *dir, struct conf **ret,
    struct diag *diag) CMPD_MUST_CHECK;
void conf_free(struct conf *conf);

/* CMPD_ECONF and the key's name if a key that is not reloadable differs. */
int conf_check_reload(const struct conf *old, const struct conf *new,
    struct diag *diag) CMPD_MUST_CHECK;

/* The effective configuration in libconfig syntax (cmpd -T), all keys with their values; PINs in key
 * URIs and args of plugins that sound secret are masked. Look at buf_error. */
struct buf;
void conf_print(const struct conf *conf, struct buf *out);

const struct conf_ca *conf_ca_find(const struct conf *conf, const char *name);
const struct conf_profile *conf_profile_find(const struct conf *conf, const char *name);
const struct conf_endpoint *conf_endpoint_find(const struct conf *conf, const char *path);
