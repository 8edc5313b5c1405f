/*
 * What the files of the desk share.
 */
#pragma once

#include "base/clock.h"
#include "base/pool.h"
#include "conf/conf.h"
#include "enrol/desk.h"
#include "issuer/issuer.h"
#include "model/failinfo.h"
#include "policy/policy.h"
#include "store/store.h"

/* Moves entry to state, keeps the store's conditions, puts it into the unit. CMPD_ESTATE: not a
 * legal move. Sets due by the new state. *entry carries the new state, still with the version it
 * was read with. */
int desk_move_entry(struct desk *desk, struct entry *entry, enum entry_state to) CMPD_MUST_CHECK;

/* When the sweep has to look at an entry in its state. */
int64_t desk_entry_due(const struct desk *desk, const struct entry *entry);

/* Signs the certificate of an approved entry (new or stored), which becomes issued or confirmed;
 * adds both to the unit. The key is made first, if that is wanted: *ret_key is the caller's, NULL:
 * none was. CMPD_ETEMPLATE: the certificate cannot be made any more (diag says why). */
int desk_make_certificate(struct desk *desk, struct entry *entry,
    const struct conf_endpoint *endpoint, bool implicit_confirm, struct cert *ret,
    EVP_PKEY **ret_key, struct diag *diag) CMPD_MUST_CHECK;

/* A certificate whose update is confirmed: it is not updated again, and revoked where the endpoint
 * says so. Changes *old; the caller puts it. */
void desk_supersede(struct desk *desk, struct cert *old, const struct conf_endpoint *endpoint);
/* The same for the certificate that a stored kur updates, put into the unit. Others: nothing. */
int desk_supersede_of(struct desk *desk, const struct entry *entry) CMPD_MUST_CHECK;

/* Revokes the certificate that an entry issued. reason: CRLReason. One that is gone or revoked
 * already is fine. */
int desk_revoke_entry_cert(struct desk *desk, const struct entry *entry, int reason,
    const char *actor) CMPD_MUST_CHECK;

/* The certificate that an issuer (DER Name) and a serial number name. CMPD_ECERTID: there is
 * none. */
int desk_cert_named(struct desk *desk, struct bytes issuer, struct bytes serial, struct cert *ret,
    struct diag *diag) CMPD_MUST_CHECK;

/* Are subject and SANs the requester's own? *ret_bound false: *ret_why says what is not. */
int desk_names_check(struct desk *desk, const struct desk_requester *requester,
    const struct conf_profile *profile, struct bytes subject, struct bytes extensions,
    bool *ret_bound, const char **ret_why) CMPD_MUST_CHECK;

/*
 * Policy's verdict on one request. question: what is asked about; what concerns endpoint and
 * requester is filled in here. 0 with *ret (strings live as long as slot->call), or CMPD_EPARKED as
 * desk_submit. When decide_wait is over: HOLD.
 */
int desk_ask_policy(struct desk *desk, const struct desk_requester *requester,
    const struct conf_endpoint *endpoint, struct policy_request *question,
    struct desk_verdict *slot, void (*wake)(void *arg), void *arg,
    struct policy_verdict *ret) CMPD_MUST_CHECK;

/* ---- new entries ---- */

/* What every entry begins with: received, of that requester at that endpoint and its profile.
 * Strings are borrowed. */
void desk_entry_init(struct desk *desk, const struct desk_requester *requester,
    const struct conf_endpoint *endpoint, struct entry *ret);
/* outcome->entry waits for a decision, and outcome says so: reason, and what the verdict wants if
 * it is one to hold. CMPD_EUNAVAILABLE: too many wait (diag). */
int desk_hold_entry(struct desk *desk, const struct policy_verdict *verdict, const char *reason,
    struct desk_outcome *outcome, struct diag *diag) CMPD_MUST_CHECK;
/* outcome->entry is refused by policy, and outcome says so. */
int desk_deny_entry(struct desk *desk, const struct policy_verdict *verdict,
    struct desk_outcome *outcome) CMPD_MUST_CHECK;

/* ---- outcomes; but for the first they follow from outcome->entry ---- */

void desk_outcome_init(struct desk_outcome *ret, int64_t cert_req_id);
void desk_outcome_granted(struct desk_outcome *ret, struct bytes certificate);
void desk_outcome_waiting(struct desk_outcome *ret);
/* fail_info: enum failinfo. */
void desk_outcome_rejected(struct desk_outcome *ret, int fail_info, const char *text);

/* An audit line about an entry, its id as object. */
void desk_audit_entry(struct desk *desk, const struct entry *entry, const char *actor,
    const char *what, const char *text);

/* Endpoint of a stored path; one that is no longer configured: NULL. */
const struct conf_endpoint *desk_endpoint_find(const struct desk *desk, const char *path);
