#include <string.h>

#include "base/buf.h"
#include "cmp/auth.h"
#include "cmp/delayed.h"
#include "cmp/engine.h"
#include "cmp/genm.h"
#include "cmp/info.h"
#include "cmp/seal.h"
#include "model/der.h"

/* id-it 1.3.6.1.5.5.7.4; the last byte is the infoType. */
static const uint8_t id_it[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x04};

enum info_type {
	IT_CA_PROT_ENC_CERT = 1,
	IT_SIGN_KEY_PAIR_TYPES = 2,
	IT_ENC_KEY_PAIR_TYPES = 3,
	IT_PREFERRED_SYMM_ALG = 4,
	IT_CA_KEY_UPDATE_INFO = 5,
	IT_CURRENT_CRL = 6,
	IT_UNSUPPORTED_OIDS = 7,
	IT_SUPP_LANG_TAGS = 16,
	IT_CA_CERTS = 17,
	IT_ROOT_CA_KEY_UPDATE = 18,
	IT_CERT_REQ_TEMPLATE = 19,
	IT_ROOT_CA_CERT = 20,
	IT_CRL_STATUS_LIST = 22,
	IT_CRLS = 23
};

/* answer: the infoType that answers it; takes_value: whether the question may carry one. */
static const struct handler {
	const char *name;
	enum info_type asked;
	enum info_type answer;
	bool takes_value;
	int (*tell)(const struct info_question *question, struct buf *out, struct diag *why);
} handlers[] = {
    {"caProtEncCert", IT_CA_PROT_ENC_CERT, IT_CA_PROT_ENC_CERT, false, info_ca_prot_enc_cert},
    {"signKeyPairTypes", IT_SIGN_KEY_PAIR_TYPES, IT_SIGN_KEY_PAIR_TYPES, false,
	info_sign_key_pair_types},
    {"encKeyPairTypes", IT_ENC_KEY_PAIR_TYPES, IT_ENC_KEY_PAIR_TYPES, false,
	info_enc_key_pair_types},
    {"preferredSymmAlg", IT_PREFERRED_SYMM_ALG, IT_PREFERRED_SYMM_ALG, false,
	info_preferred_symm_alg},
    {"caKeyUpdateInfo", IT_CA_KEY_UPDATE_INFO, IT_CA_KEY_UPDATE_INFO, false,
	info_ca_key_update_info},
    {"currentCRL", IT_CURRENT_CRL, IT_CURRENT_CRL, false, info_current_crl},
    {"suppLangTags", IT_SUPP_LANG_TAGS, IT_SUPP_LANG_TAGS, true, info_supp_lang_tags},
    {"caCerts", IT_CA_CERTS, IT_CA_CERTS, false, info_ca_certs},
    {"certReqTemplate", IT_CERT_REQ_TEMPLATE, IT_CERT_REQ_TEMPLATE, false, info_cert_req_template},
    {"rootCaCert", IT_ROOT_CA_CERT, IT_ROOT_CA_KEY_UPDATE, true, info_root_ca_key_update},
    {"crlStatusList", IT_CRL_STATUS_LIST, IT_CRLS, true, info_crls},
};

/* What the whole genp is made of. */
struct telling {
	struct wire_itav asked[GENM_MAX];
	size_t n_asked;
	struct wire_itav told[GENM_MAX + 1];
	size_t n_told;
	struct buf unsupported; /* OIDs, DER */
};

static const struct handler *
handler_of(struct bytes oid)
{
	if (oid.len != sizeof(id_it) + 1 || memcmp(oid.data, id_it, sizeof(id_it)) != 0) {
		return NULL;
	}
	for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++) {
		if (handlers[i].asked == oid.data[sizeof(id_it)]) {
			return &handlers[i];
		}
	}
	return NULL;
}

static struct bytes
oid_of(struct pool *pool, enum info_type type)
{
	uint8_t oid[sizeof(id_it) + 1];

	memcpy(oid, id_it, sizeof(id_it));
	oid[sizeof(id_it)] = (uint8_t)type;
	return pool_bytes(pool, bytes_of(oid, sizeof(oid)));
}

static int
add_told(struct cmp_work *work, struct telling *t, enum info_type type, struct bytes value)
{
	struct wire_itav *itav = &t->told[t->n_told++];

	itav->oid = oid_of(work->desk->pool, type);
	itav->value = value.len > 0 ? pool_bytes(work->desk->pool, value) : BYTES_NONE;
	return itav->oid.data && (value.len == 0 || itav->value.data) ? 0 : CMPD_ENOMEM;
}

static bool
is_null(struct bytes value)
{
	return value.len == 2 && value.data[0] == DER_NULL;
}

/* certProfile chooses by position, as for requests (RFC 9810 5.1.1.4). */
static int
question_of(struct cmp_work *work, size_t index, const struct wire_itav *asked,
    struct info_question *ret)
{
	const struct conf_endpoint *endpoint = work->endpoint->conf;
	const char *name = work->cert_profiles[index];

	ret->work = work;
	ret->value = asked->value;
	ret->profile = conf_profile_find(work->door->conf, name ? name : endpoint->profile);
	if (name && !desk_profile_offered(endpoint, name)) {
		cmp_work_fault(work, "B3.14", FI_BAD_CERT_TEMPLATE,
		    "certProfile \"%s\" is not offered here", name);
		return 0;
	}
	return ret->profile ? 0 : CMPD_ENOENT;
}

static int
tell_one(struct cmp_work *work, struct telling *t, size_t index)
{
	const struct wire_itav *asked = &t->asked[index];
	const struct handler *handler = handler_of(asked->oid);
	struct info_question question;
	struct diag why = {""};
	struct buf out;
	int error;

	if (!handler) {
		der_put(&t->unsupported, DER_OID, asked->oid);
		return 0;
	}
	if (!handler->takes_value && asked->value.data && !is_null(asked->value)) {
		cmp_work_fault(work, "B4.6", FI_BAD_REQUEST,
		    "infoType %d is asked for without a value", handler->asked);
		return 0;
	}
	error = question_of(work, index, asked, &question);
	if (error || work->fault.id) {
		return error;
	}
	buf_init(&out, 8 * 1024 * 1024);
	error = handler->tell(&question, &out, &why);
	if (!error) {
		error = buf_error(&out);
	}
	if (!error) {
		error = add_told(work, t, handler->answer, buf_get0(&out));
	} else if (error == CMPD_ENOENT) {
		der_put(&t->unsupported, DER_OID, asked->oid);
		error = 0;
	} else if (error == CMPD_EFORMAT || error == CMPD_EINVAL) {
		cmp_work_fault(work, "B4.6", failinfo_of_error(error), "%s",
		    why.text[0] ? why.text : "the value does not decode");
		error = 0;
	}
	buf_fini(&out);
	return error;
}

static int
run_tell(struct engine_call *call)
{
	struct telling *t = call->arg;
	struct cmp_work *work = call->work;
	int error = 0;

	for (size_t i = 0; i < t->n_asked && !error && !work->fault.id; i++) {
		error = tell_one(work, t, i);
	}
	if (!error && !work->fault.id && t->unsupported.len > 0) {
		struct buf list;

		buf_init(&list, 64 * 1024);
		der_put(&list, DER_SEQUENCE, buf_get0(&t->unsupported));
		error = buf_error(&list);
		if (!error) {
			error = add_told(work, t, IT_UNSUPPORTED_OIDS, buf_get0(&list));
		}
		buf_fini(&list);
	}
	return error;
}

static int
tell(struct cmp_work *work, struct telling *t, struct bytes *ret)
{
	struct engine_call call = {
	    .work = work, .verified = work->verified, .run = run_tell, .arg = t};
	struct log_line *line = NULL;
	int error = engine_genm(&call);

	if (error || work->fault.id) {
		return error;
	}
	*ret = wire_genp_encode(work->desk->pool, t->told, t->n_told);
	if (!ret->data) {
		return CMPD_ENOMEM;
	}
	line = cmp_work_log(work, LOG_LEVEL_INFO, "cmp.told");
	if (line) {
		log_int(line, "infoTypes", (int64_t)t->n_asked);
		log_str(line, "requester", auth_requester(work->verified)->words);
		log_str(line, "peer", work->request->peer);
	}
	return 0;
}

/* Faults are remembered. */
static int
decode(struct cmp_work *work, struct bytes in, struct wire_itav **ret, size_t *ret_n)
{
	struct diag why = {""};
	int error = wire_itavs_decode(work->desk->pool, in, GENM_MAX, ret, ret_n, &why);

	if (error == CMPD_EFORMAT) {
		cmp_work_fault(work, "B3.1", FI_BAD_DATA_FORMAT, "the genm does not decode: %s",
		    why.text);
		return 0;
	}
	if (error == CMPD_ELIMIT) {
		cmp_work_fault(work, "B3.12", FI_BAD_REQUEST, "more than %d infoTypes", GENM_MAX);
		return 0;
	}
	if (!error && work->n_cert_profiles > *ret_n) {
		cmp_work_fault(work, "B3.14", FI_BAD_REQUEST,
		    "certProfile has more names than there are infoTypes");
	}
	return error;
}

int
genm_carry_out(struct cmp_work *work, struct bytes in, struct bytes *ret)
{
	struct telling *t = pool_alloc(work->desk->pool, sizeof(*t));
	struct wire_itav *asked = NULL;
	int error;

	if (!t) {
		return CMPD_ENOMEM;
	}
	error = decode(work, in, &asked, &t->n_asked);
	if (error || work->fault.id) {
		return error;
	}
	memcpy(t->asked, asked, t->n_asked * sizeof(*asked));
	buf_init(&t->unsupported, 64 * 1024);
	error = tell(work, t, ret);
	buf_fini(&t->unsupported);
	return error;
}

/* "caCerts, crlStatusList" */
static const char *
in_words(struct pool *pool, const struct wire_itav *asked, size_t n)
{
	const char *words = n == 0 ? "nothing" : "";

	for (size_t i = 0; words && i < n; i++) {
		const struct handler *handler = handler_of(asked[i].oid);

		words = pool_printf(pool, "%s%s%s", words, i > 0 ? ", " : "",
		    handler ? handler->name : "an unknown infoType");
	}
	return words;
}

/* Must somebody be asked? *ret_begun: then it waits (or was denied), and that is the answer. */
static int
ask(struct cmp_work *work, bool *ret_begun)
{
	struct desk_matter matter = {.raw = work->in.body};
	struct wire_itav *asked = NULL;
	size_t n = 0;
	int error = decode(work, work->in.body, &asked, &n);

	*ret_begun = false;
	if (error || work->fault.id) {
		return error;
	}
	matter.wants = in_words(work->desk->pool, asked, n);
	return matter.wants ? delayed_ask(work, &matter, 1, 1, ret_begun) : CMPD_ENOMEM;
}

int
serve_genm(struct cmp_work *work)
{
	struct seal_options options = {.implicit_confirm = false};
	struct bytes body = BYTES_NONE;
	struct sealed sealed;
	bool begun = false;
	int error = 0;

	if (desk_inquires(work->endpoint->conf, REQUEST_GENM)) {
		error = ask(work, &begun);
	}
	if (!error && !begun && !work->fault.id) {
		error = genm_carry_out(work, work->in.body, &body);
	}
	if (error || begun || work->fault.id) {
		return error;
	}
	error = seal_body(work, body, &options, &sealed);
	if (!error) {
		work->answer->body = sealed.message;
	}
	return error;
}
