/*
 * The desk: the only place that decides the order of policy, store and issuer. Doors (CMP, later
 * SCEP), operators and the sweep come here. It knows certificates and requests, not messages.
 *
 * A struct desk is what one thread needs (its reader, its issuer); verbs read the store and add
 * changes to the caller's unit; nothing has happened before that unit is committed. If the commit
 * says CMPD_ECONFLICT the caller starts again from the read.
 */
#pragma once

#include <openssl/types.h>

#include "base/bytes.h"
#include "base/error.h"
#include "model/record.h"

struct conf;
struct conf_endpoint;
struct issuer;
struct policy;
struct policy_call;
struct policy_verdict;
struct pool;
struct store_reader;
struct unit;

struct desk {
	const struct conf *conf;
	struct issuer *issuer;
	const struct policy *policy;
	struct store_reader *reader;
	struct pool *pool; /* of the request at hand */
	struct unit *unit; /* of the request at hand */
	int64_t now; /* of the request at hand */
};

/* Who asks, as authenticated by the door. */
struct desk_requester {
	struct identity identity;
	const char
	    *words; /* "mac ref=dev1", "signature subject=/CN=a"; with ra=NAME behind the kind */
	/* name of the registration authority that it is, at this endpoint; NULL: none */
	const char *ra;
	/* The authority that brought the message in a nested one; NULL: it came by itself. */
	const char *carrier;
	const char *reference; /* MAC: reference value */
	const struct secret *secret; /* MAC: the secret (bound subject, profile) */
	struct bytes signer; /* signature: DER of the certificate */
	struct bytes signer_subject; /* signature: DER name */
	struct bytes signer_issuer; /* signature: DER name */
	/* signature: a factory certificate; what the device is called says the endpoint's
	 * conf_vendor */
	bool signer_vendor;
	struct bytes signer_extensions; /* signature: DER Extensions of the certificate */
	bool signer_ours; /* signature: one of our certificates: signer_ca, signer_serial */
	uint8_t signer_ca[CA_ID_SIZE];
	struct bytes signer_serial;
	/* One of ours that is revoked (or held) or expired: it is only told so, by rp or kup; a
	 * held one may revive itself. */
	bool signer_revoked, signer_expired;
	const char *peer;
};

/* Verdicts survive a redo of the message and outlive its parking: kept by the door's job, one per
 * certReqId. */
struct desk_verdict {
	int64_t cert_req_id;
	struct policy_call *call; /* NULL: not asked yet */
	int64_t asked; /* when: the entry is received then, whatever is done again */
	bool over; /* decide_wait has passed: hold */
	bool detach; /* held while the plugin still thinks: detach after the commit */
};

struct desk_request {
	const struct conf_endpoint *endpoint;
	/* asked for by name (certProfile); NULL: the secret's or the endpoint's */
	const char *profile;
	struct txn_key txn;
	uint64_t req; /* number of the HTTP request, for the log */
	enum request_type type;
	int64_t cert_req_id;
	struct template template;
	struct bytes raw; /* CertTemplate or CertificationRequest as sent */
	/* kur of an RA: the certificate to be updated, as in desk_revocation (oldCertID); absent:
	 * not named */
	struct bytes old_issuer, old_serial;
	enum pop_result pop;
	const char *key_type; /* filled by the desk */
	bool implicit_confirm; /* asked for and allowed */
};

/* What not everybody may do. */
enum desk_deed {
	DESK_DEED_RA_VERIFIED, /* say that the possession of a key was verified; cert: NULL */
	DESK_DEED_MADE_KEY, /* get a key that is made here; cert: NULL */
	DESK_DEED_UPDATE, /* ask for the update of cert */
	DESK_DEED_REVOKE /* ask for the revocation, hold or revival of cert */
};
/*
 * The only place where these rights are refused. A registration authority may do all of it, as far
 * as the CAs of the endpoint go, but not get keys that are others'. A certificate may ask for its
 * own update and revocation; a secret, where the endpoint says so, for the revocation of what was
 * obtained with it. CMPD_EACCES: not allowed, diag says why; errors of the store.
 */
int desk_may(struct desk *desk, const struct desk_requester *requester,
    const struct conf_endpoint *endpoint, enum desk_deed deed, const struct cert *cert,
    struct diag *diag) CMPD_MUST_CHECK;

/* May a requester choose this profile by name at this endpoint? */
bool desk_profile_offered(const struct conf_endpoint *endpoint, const char *name);

enum desk_status { DESK_GRANTED, DESK_GRANTED_WITH_MODS, DESK_REJECTED, DESK_WAITING };

/* What the door must tell the client about one certReqId. Memory in the desk's pool. */
struct desk_outcome {
	int64_t cert_req_id;
	enum desk_status status;
	int error; /* rejected by cmpd: the CMPD_E... that says why; 0: by a decision */
	int fail_info; /* rejected by a decision: enum failinfo */
	const char *text; /* rejected: why; granted with mods: what; waiting: reason. NULL: none */
	struct bytes certificate; /* granted: DER; absent: rr, genm */
	/* granted, and the key was made here in this very call: the door sends it, encrypted, and
	 * frees it. NULL: none */
	EVP_PKEY *made_key;
	struct bytes envelope; /* the door's own: made_key as it is sent */
	int64_t check_after; /* waiting: ms */
	bool confirmed; /* granted and implicitly confirmed */
	struct entry entry; /* as it will be stored, for the log */
};

/*
 * A new request: names, template, policy. Adds a new entry to the unit (rejected ones too) and,
 * when granted, the certificate. 0 with *ret, or CMPD_EPARKED: policy is thinking and will call
 * wake(arg); do the message again then. Other errors: nothing could be decided (store, memory), the
 * client shall try again.
 */
int desk_submit(struct desk *desk, const struct desk_requester *requester,
    const struct desk_request *request, struct desk_verdict *verdict, void (*wake)(void *arg),
    void *arg, struct desk_outcome *ret) CMPD_MUST_CHECK;

/* Do the templates of the endpoint's conf_vendor make sense? CMPD_ECONF. */
int desk_vendor_check(const struct conf_endpoint *endpoint, struct pool *pool,
    struct diag *diag) CMPD_MUST_CHECK;

/* Did the requester cause this error? Then it is told as a rejection; all others are ours. */
bool desk_is_fault(int error);

/* Opens a transaction for its first stored request: who may go on with it, and the use of the
 * secret. txn->n_ids is set. */
void desk_open_txn(struct desk *desk, const struct desk_requester *requester, struct txn *txn);

/* A request rejected for a fault, when others of the same message are stored: stored as denied,
 * with the failInfo of the outcome. */
int desk_file_rejected(struct desk *desk, const struct desk_requester *requester,
    const struct txn *txn, struct desk_outcome *outcome) CMPD_MUST_CHECK;

/* What became of an entry: makes the certificate if it is approved and not made yet. Idempotent: an
 * issued one gets the same certificate again, but for one whose key was made here: the key is not
 * kept, so that one is rejected. */
int desk_collect(struct desk *desk, const struct txn *txn, const struct entry *entry,
    struct desk_outcome *ret) CMPD_MUST_CHECK;

/* The client confirms (accepted) or refuses an issued certificate; the latter revokes it.
 * CMPD_EREVOKED: too late; CMPD_EEXIST: already confirmed; CMPD_ESTATE: nothing to confirm. *entry
 * is changed to what will be stored. */
int desk_confirm(struct desk *desk, struct entry *entry, bool accepted,
    const char *text) CMPD_MUST_CHECK;
/* The client's error message: everything of the transaction that is not final is aborted; issued
 * ones are refused and revoked. */
int desk_abort(struct desk *desk, const struct txn *txn, const char *text) CMPD_MUST_CHECK;

/* Closes a transaction if nothing of it is pending, approved or unconfirmed, as changed by this
 * unit, and the client has been told of all of it (txn->told: a denial between two of its messages
 * is not the end): the caller names the states its unit gives (same order as txn->ids). Sets ended,
 * due; gives back or releases the secret. Whether it closes or not, a secret that is good until a
 * certificate is confirmed is removed when one is. */
int desk_close_txn(struct desk *desk, struct txn *txn, const struct entry *entries,
    size_t n) CMPD_MUST_CHECK;

/* ---- decisions by operators, late verdicts ---- */

enum decision_kind { DECISION_APPROVE, DECISION_DENY, DECISION_COMMENT };
struct decision {
	enum decision_kind kind;
	const char *actor; /* "operator:root", "plugin:exec" */
	uint64_t version; /* the version looked at; 0: whatever it is */
	int fail_info; /* deny: enum failinfo */
	const char *text; /* deny: why; comment: what */
};
/* By store_entry_by_id. CMPD_ENOENT, CMPD_EEXIST (several), CMPD_ECONFLICT: changed since it was
 * looked at (also: decided already), CMPD_ESTATE: not to be decided any more (diag says why),
 * CMPD_ETEMPLATE...: cannot be issued like this. *ret as it will be stored. */
int desk_decide(struct desk *desk, const char *hex_id, const struct decision *decision,
    struct entry *ret, struct diag *diag) CMPD_MUST_CHECK;
/* A plugin's verdict that came after the message was answered; as desk_decide. CMPD_ENOENT: not
 * stored or gone. The client chooses the transactionID and may use it again when the transaction is
 * forgotten: the verdict counts only for the request that was received when it says. */
int desk_decide_late(struct desk *desk, const struct txn_key *txn, int64_t cert_req_id,
    const struct policy_verdict *verdict, struct entry *ret, struct diag *diag) CMPD_MUST_CHECK;
int desk_revoke(struct desk *desk, const char *hex_serial, int reason, const char *actor,
    struct cert *ret, struct diag *diag) CMPD_MUST_CHECK;

/* ---- revocation asked for by a client (RFC 9810 5.3.9) ---- */

struct desk_revocation {
	struct bytes issuer; /* DER Name; absent: not named */
	struct bytes serial; /* big-endian; absent: not named */
	struct template named; /* what else was named; must agree with the certificate */
	int reason; /* enum crl_reason */
};

/*
 * Revokes, holds or revives (reason removeFromCRL) a certificate. Who may: desk_may; a certificate
 * revives itself only if it asked for the hold, a secret not what a registration authority holds.
 * CMPD_ENOINFO: issuer or serial missing; CMPD_ECERTID: unknown, expired, not held, or named
 * wrongly; CMPD_EREVOKED: already; CMPD_EACCES: somebody else's; CMPD_EINVAL: a reason that makes
 * no sense. The reason is in diag. *ret as it will be stored.
 */
int desk_revocation_check(struct desk *desk, const struct desk_requester *requester,
    const struct conf_endpoint *endpoint, const struct desk_revocation *revocation,
    struct cert *ret, struct diag *diag) CMPD_MUST_CHECK;
/* The same, and adds it to the unit. */
int desk_revocation(struct desk *desk, const struct desk_requester *requester,
    const struct conf_endpoint *endpoint, const struct desk_revocation *revocation,
    struct cert *ret, struct diag *diag) CMPD_MUST_CHECK;

/* ---- requests for something else than a certificate (rr, genm) may have to wait too ---- */

/* One thing that is asked for. */
struct desk_matter {
	/* In the message, whatever else of it is asked about: its verdict has this place. */
	size_t index;
	const char *wants; /* in words */
	const char *subject; /* rr: of the certificate, name_to_text; NULL: none */
	const uint8_t *spki_sha256; /* rr: of its key; NULL: none */
	struct bytes raw; /* rr: CertTemplate; genm: the InfoTypeAndValues, as sent */
};

struct desk_inquiry {
	const struct conf_endpoint *endpoint;
	struct txn_key txn;
	uint64_t req;
	enum request_type type; /* REQUEST_RR, REQUEST_GENM */
	const struct desk_matter *matters;
	size_t n;
	bool only; /* the message asks for one thing */
};

/* The certReqId of such a request: the whole message is one entry (RFC 9810 5.3.22). */
#define DESK_WHOLE (-1)

/* Has anybody to be asked at all? */
bool desk_inquires(const struct conf_endpoint *endpoint, enum request_type type);
/*
 * Asks policy about each matter (verdicts: n slots). DESK_GRANTED: go on, nothing is in the unit.
 * DESK_WAITING, DESK_REJECTED: the new entry is in the unit. A message is denied if one of its
 * matters is, else held if one is. CMPD_EPARKED as desk_submit; CMPD_EUNAVAILABLE: too many wait
 * already (diag).
 */
int desk_inquire(struct desk *desk, const struct desk_requester *requester,
    const struct desk_inquiry *inquiry, struct desk_verdict *verdicts, void (*wake)(void *arg),
    void *arg, struct desk_outcome *ret, struct diag *diag) CMPD_MUST_CHECK;
/* An approved one was carried out; or could not be any more: then denied, with that enum failinfo
 * and text. *entry as it will be stored. */
int desk_done(struct desk *desk, struct entry *entry, bool done, int fail_info,
    const char *text) CMPD_MUST_CHECK;

/* ---- the sweep (housekeeping thread) ---- */

struct due;
/* Does what is due for one item: expires, revokes for lack of confirmation, ends and purges. grace:
 * after a start or a jump of the clock; nothing expires and nothing is revoked then. Nothing to do:
 * 0 and an empty unit. */
int desk_sweep_one(struct desk *desk, const struct due *due, bool grace) CMPD_MUST_CHECK;
