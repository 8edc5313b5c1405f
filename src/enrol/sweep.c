#include "enrol/crl.h"
#include "enrol/internal.h"

/* How much later to look again at what could not be ended yet. */
#define SWEEP_AGAIN_MS 60000

/* Forgets an entry; but what its transaction can still be asked about stays until that is forgotten. */
static int
drop_entry(struct desk *desk, struct entry *entry)
{
	struct txn txn;
	int error = store_txn_get(desk->reader, desk->pool, &entry->txn, &txn);

	if (error == CMPD_ENOENT) {
		unit_drop_entry(desk->unit, entry->number, entry->version);
		return 0;
	}
	if (error) {
		return error;
	}
	entry->due = txn.due > desk->now + SWEEP_AGAIN_MS ? txn.due : desk->now + SWEEP_AGAIN_MS;
	unit_put_entry(desk->unit, entry, entry->state);
	return 0;
}

static int
sweep_entry(struct desk *desk, uint64_t number, bool grace)
{
	struct entry entry;
	int error = store_entry_get(desk->reader, desk->pool, number, &entry);

	if (error) {
		return error == CMPD_ENOENT ? 0 : error;
	}
	if (!entry.due || entry.due > desk->now) {
		return 0;
	}
	/* The clock may be wrong, or nobody could reach us: nothing ends for lack of time just now. */
	if (grace && !entry_state_is_final(entry.state)) {
		return 0;
	}
	switch (entry.state) {
	case ENTRY_PENDING:
	case ENTRY_APPROVED:
		desk_audit_entry(desk, &entry, "cmpd", "entry.expired", NULL);
		return desk_move_entry(desk, &entry, ENTRY_EXPIRED);
	case ENTRY_ISSUED:
		desk_audit_entry(desk, &entry, "cmpd", "entry.unconfirmed", NULL);
		error = desk_revoke_entry_cert(desk, &entry, REASON_CESSATION_OF_OPERATION, "cmpd");
		return error ? error : desk_move_entry(desk, &entry, ENTRY_UNCONFIRMED);
	default:
		return drop_entry(desk, &entry);
	}
}

static int
sweep_txn(struct desk *desk, const struct txn_key *key)
{
	struct entry entries[TXN_IDS_MAX];
	struct txn txn;
	uint64_t told;
	size_t n = 0;
	int error = store_txn_get(desk->reader, desk->pool, key, &txn);

	if (error) {
		return error == CMPD_ENOENT ? 0 : error;
	}
	if (!txn.due || txn.due > desk->now) {
		return 0;
	}
	if (txn.ended) {
		unit_drop_txn(desk->unit, key, txn.version);
		return 0;
	}
	for (size_t i = 0; i < txn.n_ids; i++) {
		error = store_entry_find(desk->reader, desk->pool, key, txn.ids[i], &entries[n]);
		if (!error) {
			n++;
		} else if (error != CMPD_ENOENT) {
			return error;
		}
	}
	/* Who has not come for it until the deadline is not waited for. */
	told = txn.told;
	txn.told = UINT64_MAX;
	error = desk_close_txn(desk, &txn, entries, n);
	if (error) {
		return error;
	}
	if (!txn.ended) {
		txn.told = told;
		txn.due = desk->now + SWEEP_AGAIN_MS;
	}
	unit_put_txn(desk->unit, &txn);
	return 0;
}

static int
sweep_cert(struct desk *desk, const struct due *due)
{
	struct cert cert;
	int error = store_cert_get(desk->reader, desk->pool, due->ca, due->serial, &cert);

	if (error) {
		return error == CMPD_ENOENT ? 0 : error;
	}
	if (cert.due && cert.due <= desk->now && desk_crl_needs(desk, &cert)) {
		cert.due = desk->now + SWEEP_AGAIN_MS;
		unit_put_cert(desk->unit, &cert);
	} else if (cert.due && cert.due <= desk->now) {
		unit_drop_cert(desk->unit, cert.ca, cert.serial, cert.version);
	}
	return 0;
}

int
desk_sweep_one(struct desk *desk, const struct due *due, bool grace)
{
	switch (due->kind) {
	case DUE_ENTRY:
		return sweep_entry(desk, due->number, grace);
	case DUE_TXN:
		return sweep_txn(desk, &due->txn);
	case DUE_CERT:
		return sweep_cert(desk, due);
	case DUE_SECRET:
		unit_remove_secret(desk->unit, due->number);
		return 0;
	}
	return CMPD_EINVAL;
}
