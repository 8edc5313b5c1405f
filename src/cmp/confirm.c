#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "cmp/auth.h"
#include "cmp/engine.h"
#include "cmp/seal.h"
#include "cmp/serve.h"

struct confirmation {
	struct entry *entries;
	struct entry *entry; /* the one meant */
	bool accepted;
	const char *text;
};

static int
run_confirm(struct engine_call *call)
{
	struct confirmation *c = call->arg;

	return desk_confirm(call->work->desk, c->entry, c->accepted, c->text);
}

/* An empty certConf: the client wants none of what it got (RFC 9810 5.3.18). */
static int
run_refuse_all(struct engine_call *call)
{
	struct confirmation *c = call->arg;

	for (size_t i = 0; i < call->work->txn.n_ids; i++) {
		int error;

		if (c->entries[i].state != ENTRY_ISSUED) {
			continue;
		}
		error = desk_confirm(call->work->desk, &c->entries[i], false, c->text);
		if (error) {
			return error;
		}
	}
	return 0;
}

/* hashAlg instead of the digest of the certificate's signature (RFC 9810 5.3.18); needs pvno 3. */
static int
hash_by_alg(struct cmp_work *work, const struct wire_cert_conf *conf, const struct entry *entry,
    struct bytes *ret)
{
	const unsigned char *p = conf->hash_alg.der.data;
	X509_ALGOR *alg = d2i_X509_ALGOR(NULL, &p, (long)conf->hash_alg.der.len);
	const ASN1_OBJECT *oid = NULL;
	unsigned char out[EVP_MAX_MD_SIZE];
	unsigned int len = 0;
	char name[80] = "";
	EVP_MD *md = NULL;
	struct cert cert;
	int error =
	    store_cert_get(work->desk->reader, work->desk->pool, entry->ca, entry->serial, &cert);

	if (alg) {
		X509_ALGOR_get0(&oid, NULL, NULL, alg);
	}
	if (!error && oid && OBJ_obj2txt(name, sizeof(name), oid, 1) > 0) {
		md = EVP_MD_fetch(work->door->libctx, name, NULL);
	}
	if (!error && (!md || EVP_MD_get_size(md) < 28)) {
		error = CMPD_EALGORITHM;
	}
	if (!error && !EVP_Digest(cert.der.data, cert.der.len, out, &len, md, NULL)) {
		error = CMPD_ECRYPTO;
	}
	if (!error) {
		*ret = pool_bytes(work->desk->pool, bytes_of(out, len));
	}
	EVP_MD_free(md);
	X509_ALGOR_free(alg);
	ERR_clear_error();
	return error;
}

/* Remembers a fault, or finds the entry that a CertStatus means. */
static int
find_confirmed(struct cmp_work *work, const struct wire_cert_conf *conf, struct confirmation *c)
{
	const struct txn *txn = &work->txn;
	int index = serve_index_of(txn, conf->cert_req_id);
	struct bytes hash;
	int error = 0;

	if (index < 0 && txn->type == REQUEST_P10CR && conf->cert_req_id == 0) {
		index = 0;
	}
	if (index < 0) {
		cmp_work_fault(work, "B3.17", FI_BAD_REQUEST,
		    "there is no certReqId %lld in this transaction", (long long)conf->cert_req_id);
		return 0;
	}
	c->entry = &c->entries[index];
	switch (c->entry->state) {
	case ENTRY_ISSUED:
		break;
	case ENTRY_CONFIRMED:
		cmp_work_fault(work, "B3.17", FI_CERT_CONFIRMED,
		    "the certificate is confirmed already");
		return 0;
	case ENTRY_UNCONFIRMED:
	case ENTRY_REFUSED:
		cmp_work_fault(work, "B3.17", FI_CERT_REVOKED,
		    "too late: the certificate is revoked");
		return 0;
	default:
		cmp_work_fault(work, "B3.17", FI_BAD_REQUEST,
		    "no certificate was sent under certReqId %lld", (long long)conf->cert_req_id);
		return 0;
	}
	hash = c->entry->cert_hash;
	if (conf->hash_alg.der.data) {
		error = hash_by_alg(work, conf, c->entry, &hash);
	}
	if (error == CMPD_EALGORITHM) {
		cmp_work_fault(work, "B3.17", FI_BAD_ALG, "hashAlg is not known or too weak");
		return 0;
	}
	if (error) {
		return error;
	}
	if (!bytes_equal(hash, conf->cert_hash)) {
		cmp_work_fault(work, "B3.17", FI_BAD_CERT_ID,
		    "certHash is not the hash of the certificate sent");
	}
	return 0;
}

/* What a CertStatus may say at all (RFC 9810 5.3.18). */
static bool
check_status(struct cmp_work *work, const struct wire_cert_conf *conf)
{
	int64_t status = conf->has_status ? conf->status.status : WIRE_ACCEPTED;

	if (status != WIRE_ACCEPTED && status != WIRE_GRANTED_WITH_MODS &&
	    status != WIRE_REJECTION) {
		return cmp_work_fault(work, "B3.17", FI_BAD_REQUEST,
		    "PKIStatus %lld neither accepts nor rejects a certificate", (long long)status);
	}
	if (status != WIRE_REJECTION && conf->has_status && conf->status.fail_info >= 0) {
		return cmp_work_fault(work, "B3.17", FI_BAD_REQUEST,
		    "a failInfo with a status that accepts the certificate");
	}
	if (conf->hash_alg.der.data && work->in.header.pvno < 3) {
		return cmp_work_fault(work, "B3.17", FI_BAD_REQUEST,
		    "hashAlg needs pvno 3 in the header");
	}
	return true;
}

static bool
has_certificate(const struct entry *entry)
{
	return entry->state == ENTRY_ISSUED || entry->state == ENTRY_CONFIRMED ||
	       entry->state == ENTRY_REFUSED || entry->state == ENTRY_UNCONFIRMED;
}

/* Faults of the whole list, before any of it counts. */
static bool
check_list(struct cmp_work *work, const struct wire_cert_conf *confs, size_t n,
    const struct entry *entries)
{
	size_t sent = 0;

	for (size_t i = 0; i < work->txn.n_ids; i++) {
		sent += has_certificate(&entries[i]);
	}
	if (n > sent) {
		return cmp_work_fault(work, "B3.17", FI_BAD_REQUEST,
		    "%zu CertStatus, but %zu certificates were sent", n, sent);
	}
	for (size_t i = 0; i < n; i++) {
		if (!check_status(work, &confs[i])) {
			return false;
		}
		for (size_t k = 0; k < i; k++) {
			if (confs[k].cert_req_id == confs[i].cert_req_id) {
				return cmp_work_fault(work, "B3.17", FI_BAD_REQUEST,
				    "certReqId %lld is there twice",
				    (long long)confs[i].cert_req_id);
			}
		}
	}
	return true;
}

static bool
is_accepted(const struct wire_cert_conf *conf)
{
	return !conf->has_status || conf->status.status == WIRE_ACCEPTED ||
	       conf->status.status == WIRE_GRANTED_WITH_MODS;
}

static void
log_confirm(struct cmp_work *work, const struct entry *entry, const char *event)
{
	struct log_line *line = cmp_work_log(work, LOG_LEVEL_INFO, event);

	if (!line) {
		return;
	}
	log_hex(line, "entry", bytes_of(entry->id, sizeof(entry->id)));
	log_hex(line, "serial", entry->serial);
	log_str(line, "text", entry->text);
}

static int
confirm_one(struct cmp_work *work, const struct wire_cert_conf *conf, struct entry *entries)
{
	struct confirmation c = {.entries = entries, .accepted = is_accepted(conf)};
	struct engine_call call = {
	    .work = work, .verified = work->verified, .run = run_confirm, .arg = &c};
	int error = find_confirmed(work, conf, &c);

	if (error || work->fault.id) {
		return error;
	}
	if (!c.accepted) {
		c.text = conf->status.text ? conf->status.text : "refused by the client";
	}
	error = engine_cert_conf(&call, conf);
	if (error == CMPD_EREVOKED) {
		cmp_work_fault(work, "B3.17", FI_CERT_REVOKED,
		    "too late: the certificate is revoked");
		return 0;
	}
	if (!error) {
		log_confirm(work, c.entry, c.accepted ? "cmp.confirmed" : "cmp.refused");
	}
	return error;
}

/* Certificates that were sent but have no CertStatus are refused (RFC 9810 5.3.18). */
static int
refuse_rest(struct cmp_work *work, struct entry *entries, bool none_named)
{
	struct confirmation c = {
	    .entries = entries, .text = "refused by the client: no CertStatus"};
	struct engine_call call = {
	    .work = work, .verified = work->verified, .run = run_refuse_all, .arg = &c};

	if (none_named) {
		return engine_cert_conf(&call, NULL);
	}
	return run_refuse_all(&call);
}

int
serve_cert_conf(struct cmp_work *work)
{
	struct seal_options options = {.implicit_confirm = false};
	struct wire_cert_conf *confs = NULL;
	struct entry *entries = NULL;
	struct diag why = {""};
	size_t n = 0, due = 0;
	int error =
	    wire_cert_confs_decode(work->desk->pool, work->in.body, TXN_IDS_MAX, &confs, &n, &why);

	if (error == CMPD_EFORMAT || error == CMPD_ELIMIT) {
		cmp_work_fault(work, "B3.1", FI_BAD_DATA_FORMAT, "the certConf does not decode: %s",
		    why.text);
		return 0;
	}
	if (!error) {
		error = serve_entries(work, &entries);
	}
	if (error) {
		return error;
	}
	for (size_t i = 0; i < work->txn.n_ids; i++) {
		due += entries[i].state == ENTRY_ISSUED;
	}
	if (!check_list(work, confs, n, entries)) {
		return 0;
	}
	for (size_t i = 0; i < n && !error && !work->fault.id; i++) {
		error = confirm_one(work, &confs[i], entries);
	}
	if (!error && !work->fault.id && n == 0 && due == 0) {
		cmp_work_fault(work, "B3.17", FI_BAD_REQUEST,
		    "no certificate waits for a confirmation");
	}
	if (!error && !work->fault.id) {
		error = refuse_rest(work, entries, n == 0);
	}
	if (error || work->fault.id) {
		return error;
	}
	return serve_finish(work, wire_pkiconf_encode(work->desk->pool), &options, entries);
}

static int
run_abort(struct engine_call *call)
{
	return desk_abort(call->work->desk, &call->work->txn, call->arg);
}

int
serve_error(struct cmp_work *work)
{
	struct engine_call call = {.work = work, .verified = work->verified, .run = run_abort};
	struct seal_options options = {.implicit_confirm = false};
	struct wire_status_info status;
	struct entry *entries = NULL;
	struct log_line *line = NULL;
	struct diag why = {""};
	int error = wire_error_decode(work->desk->pool, work->in.body, &status, &why);

	if (error == CMPD_EFORMAT) {
		cmp_work_fault(work, "B3.1", FI_BAD_DATA_FORMAT,
		    "the error message does not decode: %s", why.text);
		return 0;
	}
	if (error) {
		return error;
	}
	call.arg = pool_printf(work->desk->pool, "aborted by the client: %s",
	    status.text ? status.text : "no reason given");
	if (!call.arg) {
		return CMPD_ENOMEM;
	}
	error = work->txn.ended ? 0 : engine_error(&call);
	if (error == CMPD_EFORMAT && !call.called) {
		cmp_work_fault(work, "B3.1", FI_BAD_DATA_FORMAT,
		    "the error message does not decode: a text or number makes no sense");
		return 0;
	}
	if (!error) {
		error = serve_entries(work, &entries);
	}
	if (error) {
		return error;
	}
	/* As the unit leaves them: nothing of it is open any more, and the client asks for nothing more. */
	work->txn.told = UINT64_MAX;
	for (size_t i = 0; i < work->txn.n_ids; i++) {
		if (!entry_state_is_final(entries[i].state)) {
			entries[i].state =
			    entries[i].state == ENTRY_ISSUED ? ENTRY_REFUSED : ENTRY_ABORTED;
		}
	}
	line = cmp_work_log(work, LOG_LEVEL_INFO, "cmp.aborted");
	if (line) {
		log_str(line, "text", call.arg);
	}
	return serve_finish(work, wire_pkiconf_encode(work->desk->pool), &options, entries);
}
