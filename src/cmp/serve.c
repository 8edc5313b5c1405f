#include <string.h>

#include "base/clock.h"
#include "cmp/auth.h"
#include "cmp/seal.h"
#include "cmp/serve.h"

int
serve_index_of(const struct txn *txn, int64_t cert_req_id)
{
	for (size_t i = 0; i < txn->n_ids; i++) {
		if (txn->ids[i] == cert_req_id) {
			return (int)i;
		}
	}
	return -1;
}

int
serve_entries(struct cmp_work *work, struct entry **ret)
{
	const struct txn *txn = &work->txn;
	struct entry *entries = pool_alloc(work->desk->pool, (txn->n_ids + 1) * sizeof(*entries));

	if (!entries) {
		return CMPD_ENOMEM;
	}
	for (size_t i = 0; i < txn->n_ids; i++) {
		int error = store_entry_find(work->desk->reader, work->desk->pool, &txn->key,
		    txn->ids[i], &entries[i]);

		if (error) {
			return error == CMPD_ENOENT ? CMPD_ECORRUPT : error;
		}
	}
	*ret = entries;
	return 0;
}

/* A copy of this message that was faster is found by the door, as after any fault. */
int
serve_check_new(struct cmp_work *work, int64_t cert_req_id)
{
	struct entry entry;
	int error =
	    store_entry_find(work->desk->reader, work->desk->pool, &work->key, cert_req_id, &entry);

	if (error) {
		return error == CMPD_ENOENT ? 0 : error;
	}
	cmp_work_fault(work, "B3.4", FI_TRANSACTION_ID_IN_USE,
	    "transactionID has been used for another request");
	return 0;
}

struct wire_status_info
serve_status_of(const struct desk_outcome *outcome)
{
	struct wire_status_info info = {.fail_info = FI_NONE, .text = outcome->text};

	switch (outcome->status) {
	case DESK_GRANTED:
		info.status = WIRE_ACCEPTED;
		break;
	case DESK_GRANTED_WITH_MODS:
		info.status = WIRE_GRANTED_WITH_MODS;
		break;
	case DESK_WAITING:
		info.status = WIRE_WAITING;
		break;
	case DESK_REJECTED:
		info.status = WIRE_REJECTION;
		/* A rejection always names a bit: a decision without one is one of policy. */
		info.fail_info = outcome->error		   ? failinfo_of_error(outcome->error)
				 : outcome->fail_info >= 0 ? outcome->fail_info
							   : FI_NOT_AUTHORIZED;
		if (!info.text) {
			info.text = "rejected";
		}
		break;
	}
	return info;
}

void
serve_log_outcome(struct cmp_work *work, const struct desk_outcome *outcome)
{
	static const char *const events[] = {
	    [DESK_GRANTED] = "cmp.granted",
	    [DESK_GRANTED_WITH_MODS] = "cmp.granted",
	    [DESK_REJECTED] = "cmp.rejected",
	    [DESK_WAITING] = "cmp.held",
	};
	struct log_line *line = cmp_work_log(work, LOG_LEVEL_INFO, events[outcome->status]);
	const struct entry *entry = &outcome->entry;

	if (!line) {
		return;
	}
	if (entry->endpoint) {
		log_hex(line, "entry", bytes_of(entry->id, sizeof(entry->id)));
		log_str(line, "type", request_type_name(entry->type));
		log_str(line, "subject", entry->subject);
		log_str(line, "requester", entry->requester);
	} else if (work->verified) {
		log_str(line, "requester", auth_requester(work->verified)->words);
	}
	log_int(line, "certReqId", outcome->cert_req_id);
	if (outcome->certificate.data) {
		log_hex(line, "serial", entry->serial);
		log_str(line, "keyMade", entry->make_key);
	}
	if (outcome->status == DESK_REJECTED) {
		log_str(line, "failInfo", failinfo_name(serve_status_of(outcome).fail_info));
	}
	log_str(line, "text", outcome->text);
	log_str(line, "peer", work->request->peer);
}

static int
rep_tag(enum request_type type)
{
	return type == REQUEST_IR ? WIRE_IP : type == REQUEST_KUR ? WIRE_KUP : WIRE_CP;
}

/* All entries of the transaction as this unit leaves them; notes which have been told. */
static int
entries_after(struct cmp_work *work, const struct desk_outcome *outcomes, size_t n,
    bool after_polling, struct entry **ret)
{
	struct entry *entries = NULL;
	int error = 0;

	if (after_polling) {
		error = serve_entries(work, &entries);
	} else {
		entries = pool_alloc(work->desk->pool, n * sizeof(*entries));
		error = entries ? 0 : CMPD_ENOMEM;
	}
	for (size_t i = 0; !error && i < n; i++) {
		int index = serve_index_of(&work->txn, outcomes[i].cert_req_id);

		if (index < 0) {
			return CMPD_EINVAL;
		}
		entries[index] = outcomes[i].entry;
		if (outcomes[i].status != DESK_WAITING) {
			work->txn.told |= (uint64_t)1 << index;
		}
	}
	*ret = entries;
	return error;
}

int
serve_cert_rep(struct cmp_work *work, const struct desk_outcome *outcomes, size_t n,
    bool after_polling)
{
	const struct conf_endpoint *conf = work->endpoint->conf;
	struct wire_cert_response *responses = pool_alloc(work->desk->pool, n * sizeof(*responses));
	struct seal_options options = {.recip_nonce_first = false};
	enum request_type type =
	    work->has_txn ? work->txn.type : (enum request_type)work->in.body_type;
	bool mac = auth_protection(work->verified) == CMP_PROTECTION_MAC, granted = false;
	struct entry *entries = NULL;
	struct bytes body;
	int error;

	if (!responses) {
		return CMPD_ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		const struct desk_outcome *outcome = &outcomes[i];

		responses[i].cert_req_id = outcome->cert_req_id;
		if (type == REQUEST_P10CR && conf->p10cr_id_zero) {
			responses[i].cert_req_id = 0;
		}
		responses[i].status = serve_status_of(outcome);
		work->answer->waits = work->answer->waits || outcome->status == DESK_WAITING;
		responses[i].certificate = outcome->certificate;
		responses[i].private_key = outcome->envelope;
		serve_log_outcome(work, outcome);
		if (!outcome->certificate.data) {
			continue;
		}
		granted = true;
		options.implicit_confirm = outcome->confirmed;
		if (!outcome->confirmed && outcome->entry.confirm_until > options.confirm_until) {
			options.confirm_until = outcome->entry.confirm_until;
		}
	}
	options.recip_nonce_first = after_polling && conf->recip_nonce == CONF_RECIP_NONCE_REQUEST;
	body = wire_cert_rep_encode(work->desk->pool, rep_tag(type), &work->endpoint->ca_pub,
	    granted && mac && type == REQUEST_IR && work->endpoint->ca_pub.data ? 1 : 0, responses,
	    n);
	if (!body.data) {
		return CMPD_ENOMEM;
	}
	if (!work->txn.endpoint) {
		/* Only faults: nothing is stored, the same request may come again. */
		struct sealed sealed;

		error = seal_body(work, body, &options, &sealed);
		work->answer->body = error ? BYTES_NONE : sealed.message;
		work->answer->fault = true;
		return error;
	}
	error = entries_after(work, outcomes, n, after_polling, &entries);
	return error ? error : serve_finish(work, body, &options, entries);
}

void
serve_open_txn(struct cmp_work *work)
{
	const struct conf_endpoint *conf = work->endpoint->conf;
	const struct wire_header *header = &work->in.header;
	struct txn *txn = &work->txn;

	memset(txn, 0, sizeof(*txn));
	txn->key = work->key;
	txn->endpoint = conf->path;
	txn->type = (enum request_type)work->in.body_type;
	txn->pvno = (uint8_t)header->pvno;
	txn->first_nonce.len = (uint8_t)header->sender_nonce.len;
	memcpy(txn->first_nonce.data, header->sender_nonce.data, header->sender_nonce.len);
	txn->received = work->desk->now;
	txn->deadline = work->desk->now + conf->entry_ttl + conf->confirm_wait + conf->replay_keep;
}

int
serve_finish(struct cmp_work *work, struct bytes body, const struct seal_options *options,
    const struct entry *entries)
{
	struct sealed sealed;
	int error = seal_body(work, body, options, &sealed);

	if (!error) {
		error = seal_remember(work, &sealed);
	}
	if (!error) {
		error = desk_close_txn(work->desk, &work->txn, entries, work->txn.n_ids);
	}
	if (error) {
		return error;
	}
	if (!work->txn.ended) {
		work->txn.due = work->txn.deadline;
	}
	unit_put_txn(work->desk->unit, &work->txn);
	work->answer->body = sealed.message;
	return 0;
}
