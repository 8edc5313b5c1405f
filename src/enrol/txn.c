/* Transactions as the desk opens and closes them; what that means for secrets. */
#include "enrol/internal.h"

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

static void
wipe(struct desk *desk, const struct secret *secret)
{
	unit_remove_secret(desk->unit, secret->id);
	unit_audit(desk->unit, desk->now, "cmpd", "secret.removed", NULL, secret->ref);
}

/* What it was rotated to, or what retires beside it: it is for the same device. */
static int
wipe_other(struct desk *desk, const struct secret *secret)
{
	struct secret other;
	int error = secret->retiring ? store_secret_find(desk->reader, desk->pool, secret->ref,
					   secret->endpoint, &other)
				     : store_secret_find_retiring(desk->reader, desk->pool,
					   secret->ref, secret->endpoint, &other);

	if (!error && other.until_confirmed && !other.endpoint == !secret->endpoint) {
		wipe(desk, &other);
	}
	return error == CMPD_ENOENT ? 0 : error;
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
	wipe(desk, &secret);
	return wipe_other(desk, &secret);
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
