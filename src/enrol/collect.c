#include <openssl/evp.h>
#include <string.h>

#include "enrol/internal.h"

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
collect_issued(struct desk *desk, struct desk_outcome *ret)
{
	const struct entry *entry = &ret->entry;
	struct cert cert;
	int error;

	if (entry->make_key) {
		desk_outcome_rejected(ret, FI_NONE,
		    "the key was sent with the certificate and is not kept: ask for another one");
		return 0;
	}
	error = store_cert_get(desk->reader, desk->pool, entry->ca, entry->serial, &cert);
	if (error) {
		return error;
	}
	desk_outcome_granted(ret, cert.der);
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
		if (!error) {
			desk_outcome_waiting(ret);
		}
		return error;
	}
	if (error) {
		return error;
	}
	desk_outcome_granted(ret, cert.der);
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
	desk_outcome_init(ret, entry->cert_req_id);
	ret->entry = *entry;
	switch (entry->state) {
	case ENTRY_PENDING:
		desk_outcome_waiting(ret);
		return 0;
	case ENTRY_APPROVED:
		if (request_type_enrols(entry->type)) {
			return collect_approved(desk, txn, ret);
		}
		ret->status = DESK_GRANTED;
		return 0;
	case ENTRY_ISSUED:
	case ENTRY_CONFIRMED:
		return collect_issued(desk, ret);
	case ENTRY_DENIED:
		desk_outcome_rejected(ret, entry->fail_info,
		    entry->text ? entry->text : "refused by the operator");
		return 0;
	case ENTRY_EXPIRED:
		desk_outcome_rejected(ret, FI_NONE,
		    "the request has expired before it was decided");
		return 0;
	case ENTRY_ABORTED:
		desk_outcome_rejected(ret, FI_NONE, "the request was aborted");
		return 0;
	case ENTRY_UNCONFIRMED:
		ret->error = CMPD_EREVOKED;
		desk_outcome_rejected(ret, FI_NONE,
		    "the certificate was not confirmed in time and is revoked");
		return 0;
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
