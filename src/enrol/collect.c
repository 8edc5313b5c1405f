#include <openssl/evp.h>
#include <string.h>

#include "enrol/internal.h"

const struct conf_endpoint *
desk_endpoint_find(const struct desk *desk, const char *path)
{
	return conf_endpoint_find(desk->conf, path);
}

void
desk_audit_entry(struct desk *desk, const struct entry *entry, const char *actor, const char *what,
    const char *text)
{
	char id[2 * ENTRY_ID_SIZE + 1];

	hex_encode(bytes_of(entry->id, sizeof(entry->id)), id, sizeof(id));
	unit_audit(desk->unit, desk->now, actor, what, id, text);
}

int64_t
desk_entry_due(const struct desk *desk, const struct entry *entry)
{
	switch (entry->state) {
	case ENTRY_PENDING:
	case ENTRY_APPROVED:
		return entry->expires;
	case ENTRY_ISSUED:
		return entry->confirm_until;
	default:
		return desk->now + desk->conf->retention.entry;
	}
}

int
desk_move_entry(struct desk *desk, struct entry *entry, enum entry_state to)
{
	enum entry_state from = entry->state;

	if (!entry_state_can_move(from, to)) {
		return CMPD_ESTATE;
	}
	entry->state = to;
	entry->due = desk_entry_due(desk, entry);
	unit_put_entry(desk->unit, entry, from);
	return 0;
}

static void
audit_cert(struct desk *desk, const struct cert *cert, const char *actor, const char *what,
    const char *text)
{
	char serial[2 * SERIAL_MAX + 1];

	hex_encode(cert->serial, serial, sizeof(serial));
	unit_audit(desk->unit, desk->now, actor, what, serial, text);
}

/* The key of who has none: made when its certificate is, and never stored. */
static int
make_key(struct desk *desk, struct entry *entry, EVP_PKEY **ret, struct diag *diag)
{
	struct template wanted = entry->resolved;
	int error;

	if (!entry->make_key) {
		return 0;
	}
	wanted.make_key = entry->make_key;
	error = issuer_make_key(desk->issuer, &wanted, desk->pool, &entry->resolved, ret, diag);
	if (!error) {
		desk_audit_entry(desk, entry, "cmpd", "key.made", entry->make_key);
	}
	return error;
}

int
desk_make_certificate(struct desk *desk, struct entry *entry, const struct conf_endpoint *endpoint,
    bool implicit_confirm, struct cert *ret, EVP_PKEY **ret_key, struct diag *diag)
{
	EVP_PKEY *key = NULL;
	struct cert cert;
	int error = make_key(desk, entry, &key, diag);

	if (!error) {
		error = issuer_sign(desk->issuer, entry->profile, &entry->resolved, desk->now,
		    desk->pool, &cert, &entry->cert_hash, diag);
	}
	if (error) {
		EVP_PKEY_free(key);
		return error;
	}
	memcpy(entry->spki_sha256, cert.spki_sha256, sizeof(entry->spki_sha256));
	memcpy(cert.entry, entry->id, sizeof(cert.entry));
	cert.number = 0;
	cert.version = 0;
	cert.confirmed = implicit_confirm;
	cert.due = cert.not_after + desk->conf->retention.certificate;
	memcpy(entry->ca, cert.ca, sizeof(entry->ca));
	entry->serial = cert.serial;
	entry->state = implicit_confirm ? ENTRY_CONFIRMED : ENTRY_ISSUED;
	entry->confirm_until = implicit_confirm ? 0 : desk->now + endpoint->confirm_wait;
	entry->due = desk_entry_due(desk, entry);
	unit_put_cert(desk->unit, &cert);
	unit_put_entry(desk->unit, entry, ENTRY_APPROVED);
	audit_cert(desk, &cert, entry->decided_by ? entry->decided_by : "cmpd", "cert.issued",
	    entry->subject);
	*ret = cert;
	*ret_key = key;
	return 0;
}

int
desk_revoke_entry_cert(struct desk *desk, const struct entry *entry, int reason, const char *actor)
{
	struct cert cert;
	int error = store_cert_get(desk->reader, desk->pool, entry->ca, entry->serial, &cert);

	if (error == CMPD_ENOENT) {
		return 0;
	}
	if (error || cert.status == CERT_REVOKED) {
		return error;
	}
	cert.status = CERT_REVOKED;
	cert.reason = reason;
	cert.revoked = desk->now;
	unit_put_cert(desk->unit, &cert);
	audit_cert(desk, &cert, actor, "cert.revoked", entry->subject);
	return 0;
}

void
desk_supersede(struct desk *desk, struct cert *old, const struct conf_endpoint *endpoint)
{
	old->updated = true;
	if (!endpoint || !endpoint->revoke_updated || old->status == CERT_REVOKED) {
		return;
	}
	old->status = CERT_REVOKED;
	old->reason = REASON_SUPERSEDED;
	old->revoked = desk->now;
	audit_cert(desk, old, "cmpd", "cert.revoked", "superseded");
}

int
desk_supersede_of(struct desk *desk, const struct entry *entry)
{
	struct cert old;
	int error;

	if (entry->type != REQUEST_KUR) {
		return 0;
	}
	error =
	    store_cert_get(desk->reader, desk->pool, entry->signer_ca, entry->signer_serial, &old);
	if (error) {
		return error == CMPD_ENOENT ? 0 : error;
	}
	desk_supersede(desk, &old, desk_endpoint_find(desk, entry->endpoint));
	unit_put_cert(desk->unit, &old);
	return 0;
}

static int
tell_waiting(struct desk_outcome *ret)
{
	ret->status = DESK_WAITING;
	ret->check_after = ret->entry.check_after;
	ret->text = ret->entry.reason;
	return 0;
}

static int
tell_rejected(struct desk_outcome *ret, int fail_info, const char *text)
{
	ret->status = DESK_REJECTED;
	ret->fail_info = fail_info;
	ret->text = text;
	return 0;
}

static int
tell_certificate(struct desk *desk, struct desk_outcome *ret)
{
	const struct entry *entry = &ret->entry;
	struct cert cert;
	int error;

	if (entry->make_key) {
		return tell_rejected(ret, -1,
		    "the key was sent with the certificate and is not kept: ask for another one");
	}
	error = store_cert_get(desk->reader, desk->pool, entry->ca, entry->serial, &cert);
	if (error) {
		return error;
	}
	ret->status = entry->mods ? DESK_GRANTED_WITH_MODS : DESK_GRANTED;
	ret->text = entry->mods;
	ret->certificate = cert.der;
	ret->confirmed = entry->state == ENTRY_CONFIRMED;
	return 0;
}

static int
collect_approved(struct desk *desk, const struct txn *txn, struct desk_outcome *ret)
{
	const struct conf_endpoint *endpoint = desk_endpoint_find(desk, txn->endpoint);
	struct diag diag = {""};
	struct cert cert;
	int error;

	if (!endpoint) {
		return CMPD_ENOENT;
	}
	error = desk_make_certificate(desk, &ret->entry, endpoint, txn->implicit_confirm, &cert,
	    &ret->made_key, &diag);
	if (error == CMPD_ETEMPLATE || error == CMPD_ENOENT || error == CMPD_EALGORITHM) {
		/* The promise cannot be kept as it was given: an operator must look again. */
		memset(&ret->entry.resolved, 0, sizeof(ret->entry.resolved));
		ret->entry.approvals = NULL;
		ret->entry.reason = pool_strdup(desk->pool, diag.text);
		desk_audit_entry(desk, &ret->entry, "cmpd", "entry.back", diag.text);
		error = desk_move_entry(desk, &ret->entry, ENTRY_PENDING);
		return error ? error : tell_waiting(ret);
	}
	if (error) {
		return error;
	}
	ret->status = ret->entry.mods ? DESK_GRANTED_WITH_MODS : DESK_GRANTED;
	ret->text = ret->entry.mods;
	ret->certificate = cert.der;
	ret->confirmed = ret->entry.state == ENTRY_CONFIRMED;
	error = ret->confirmed ? desk_supersede_of(desk, &ret->entry) : 0;
	if (error) {
		EVP_PKEY_free(ret->made_key);
		ret->made_key = NULL;
	}
	return error;
}

int
desk_collect(struct desk *desk, const struct txn *txn, const struct entry *entry,
    struct desk_outcome *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->cert_req_id = entry->cert_req_id;
	ret->fail_info = -1;
	ret->entry = *entry;
	switch (ret->entry.state) {
	case ENTRY_PENDING:
		return tell_waiting(ret);
	case ENTRY_APPROVED:
		if (!request_type_enrols(entry->type)) {
			ret->status = DESK_GRANTED;
			return 0;
		}
		return collect_approved(desk, txn, ret);
	case ENTRY_ISSUED:
	case ENTRY_CONFIRMED:
		return tell_certificate(desk, ret);
	case ENTRY_DENIED:
		return tell_rejected(ret, entry->fail_info,
		    entry->text ? entry->text : "refused by the operator");
	case ENTRY_EXPIRED:
		return tell_rejected(ret, -1, "the request has expired before it was decided");
	case ENTRY_ABORTED:
		return tell_rejected(ret, -1, "the request was aborted");
	case ENTRY_UNCONFIRMED:
		ret->error = CMPD_EREVOKED;
		return tell_rejected(ret, -1,
		    "the certificate was not confirmed in time and is revoked");
	default:
		return CMPD_ESTATE;
	}
}

int
desk_confirm(struct desk *desk, struct entry *entry, bool accepted, const char *text)
{
	struct cert cert;
	int error;

	switch (entry->state) {
	case ENTRY_ISSUED:
		break;
	case ENTRY_CONFIRMED:
		return CMPD_EEXIST;
	case ENTRY_UNCONFIRMED:
	case ENTRY_REFUSED:
		return CMPD_EREVOKED;
	default:
		return CMPD_ESTATE;
	}
	if (!accepted) {
		entry->text = text;
		desk_audit_entry(desk, entry, "client", "entry.refused", text);
		error =
		    desk_revoke_entry_cert(desk, entry, REASON_CESSATION_OF_OPERATION, "client");
		return error ? error : desk_move_entry(desk, entry, ENTRY_REFUSED);
	}
	error = store_cert_get(desk->reader, desk->pool, entry->ca, entry->serial, &cert);
	if (error) {
		return error;
	}
	if (cert.status == CERT_REVOKED) {
		return CMPD_EREVOKED;
	}
	cert.confirmed = true;
	unit_put_cert(desk->unit, &cert);
	desk_audit_entry(desk, entry, "client", "entry.confirmed", NULL);
	error = desk_supersede_of(desk, entry);
	return error ? error : desk_move_entry(desk, entry, ENTRY_CONFIRMED);
}

int
desk_abort(struct desk *desk, const struct txn *txn, const char *text)
{
	for (size_t i = 0; i < txn->n_ids; i++) {
		struct entry entry;
		int error =
		    store_entry_find(desk->reader, desk->pool, &txn->key, txn->ids[i], &entry);

		if (error) {
			return error;
		}
		if (entry_state_is_final(entry.state)) {
			continue;
		}
		if (entry.state == ENTRY_ISSUED) {
			error = desk_confirm(desk, &entry, false, text);
		} else {
			entry.text = text;
			desk_audit_entry(desk, &entry, "client", "entry.aborted", text);
			error = desk_move_entry(desk, &entry, ENTRY_ABORTED);
		}
		if (error) {
			return error;
		}
	}
	return 0;
}

/* A secret that is good until a certificate is confirmed has done its work. Others of its transactions still end. */
static int
wipe_confirmed(struct desk *desk, const struct txn *txn, const struct entry *entries, size_t n)
{
	struct secret secret;
	bool confirmed = false;
	int error;

	for (size_t i = 0; i < n; i++) {
		confirmed = confirmed || entries[i].state == ENTRY_CONFIRMED;
	}
	if (!confirmed || txn->identity.kind != IDENTITY_SECRET) {
		return 0;
	}
	error = store_secret_get(desk->reader, desk->pool, txn->identity.secret, &secret);
	if (error || !secret.until_confirmed || secret.removed) {
		return error == CMPD_ENOENT ? 0 : error;
	}
	unit_remove_secret(desk->unit, secret.id);
	unit_audit(desk->unit, desk->now, "cmpd", "secret.removed", NULL, secret.ref);
	return 0;
}

int
desk_close_txn(struct desk *desk, struct txn *txn, const struct entry *entries, size_t n)
{
	const struct conf_endpoint *endpoint = desk_endpoint_find(desk, txn->endpoint);
	int64_t keep = 0;
	bool fruit = false;
	int error = txn->ended ? 0 : wipe_confirmed(desk, txn, entries, n);

	if (error || txn->ended) {
		return error;
	}
	for (size_t i = 0; i < n; i++) {
		if (!entry_state_is_final(entries[i].state) || !(txn->told & (uint64_t)1 << i)) {
			return 0;
		}
		fruit = fruit || entries[i].serial.data;
	}
	if (endpoint) {
		keep = 2 * endpoint->message_time_window;
		if (endpoint->replay_keep > keep) {
			keep = endpoint->replay_keep;
		}
	}
	txn->ended = true;
	txn->request = BYTES_NONE;
	txn->due = desk->now + keep;
	/* Only enrolments use a secret up. */
	if (txn->identity.kind == IDENTITY_SECRET && n > 0) {
		unit_release_secret(desk->unit, txn->identity.secret,
		    !fruit && request_type_enrols(txn->type));
	}
	return 0;
}
