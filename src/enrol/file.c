#include <string.h>

#include "enrol/internal.h"

bool
desk_is_fault(int error)
{
	switch (error) {
	case CMPD_EPOP:
	case CMPD_ETEMPLATE:
	case CMPD_EEXTENSION:
	case CMPD_EALGORITHM:
	case CMPD_ECERTID:
	case CMPD_ENOINFO:
	case CMPD_EACCES:
	case CMPD_EREVOKED:
	case CMPD_ELIMIT:
	case CMPD_EINVAL:
	case CMPD_EFORMAT:
		return true;
	default:
		return false;
	}
}

void
desk_open_txn(struct desk *desk, const struct desk_requester *requester, struct txn *txn)
{
	txn->identity = requester->identity;
	if (!requester->secret || txn->n_ids == 0) {
		return;
	}
	if (request_type_enrols(txn->type)) {
		unit_use_secret(desk->unit, requester->secret->id, desk->now);
	} else {
		unit_need_secret(desk->unit, requester->secret->id);
	}
}

void
desk_file_rejected(struct desk *desk, const struct desk_requester *requester, const struct txn *txn,
    struct desk_outcome *outcome)
{
	struct entry *entry = &outcome->entry;

	memset(entry, 0, sizeof(*entry));
	random_bytes(entry->id, sizeof(entry->id));
	entry->state = ENTRY_DENIED;
	entry->txn = txn->key;
	entry->cert_req_id = outcome->cert_req_id;
	entry->type = txn->type;
	entry->endpoint = txn->endpoint;
	entry->profile = desk_endpoint_find(desk, txn->endpoint)->profile;
	entry->subject = "/";
	entry->requester = requester->words;
	entry->peer = requester->peer;
	entry->received = desk->now;
	entry->decided = desk->now;
	entry->decided_by = "cmpd";
	entry->fail_info = outcome->fail_info;
	entry->text = outcome->text;
	entry->due = desk_entry_due(desk, entry);
	desk_audit_entry(desk, entry, "cmpd", "entry.denied", entry->text);
	unit_put_entry(desk->unit, entry, ENTRY_RECEIVED);
}
