#include <string.h>

#include "cmp/info.h"
#include "model/der.h"
#include "model/name.h"
#include "model/spki.h"

#define OID_BYTES(...)                                                                             \
	bytes_of((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

int
info_ca_prot_enc_cert(const struct info_question *question, struct buf *out, struct diag *why)
{
	(void)why;
	buf_put_bytes(out, question->work->endpoint->prot_enc_cert);
	return 0;
}

static int
key_pair_types(const struct info_question *question, bool encryption, struct buf *out)
{
	const struct conf_profile *profile = question->profile;
	size_t mark = der_begin(out, DER_SEQUENCE), before = out->len;

	for (const char **word = profile->allowed_keys; *word; word++) {
		if (encryption ? spki_word_encrypts(*word) : spki_word_signs(*word)) {
			spki_word_algorithm(*word, out);
		}
	}
	if (out->len == before) {
		return CMPD_ENOENT;
	}
	der_end(out, mark);
	return 0;
}

int
info_sign_key_pair_types(const struct info_question *question, struct buf *out, struct diag *why)
{
	(void)why;
	return key_pair_types(question, false, out);
}

int
info_enc_key_pair_types(const struct info_question *question, struct buf *out, struct diag *why)
{
	(void)why;
	return key_pair_types(question, true, out);
}

/* id-aes256-CBC: what every peer has for encrypting to us. */
int
info_preferred_symm_alg(const struct info_question *question, struct buf *out, struct diag *why)
{
	size_t mark = der_begin(out, DER_SEQUENCE);

	(void)question;
	(void)why;
	der_put(out, DER_OID, OID_BYTES(0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2a));
	der_end(out, mark);
	return 0;
}

/* CAKeyUpdAnnContent (RFC 9810 5.3.13): oldWithNew, newWithOld, newWithNew. */
int
info_ca_key_update_info(const struct info_question *question, struct buf *out, struct diag *why)
{
	const struct cmp_root_update *update = &question->work->endpoint->root_update;
	size_t mark;

	(void)why;
	if (!update->old_with_new.data || !update->new_with_old.data ||
	    !update->new_with_new.data) {
		return CMPD_ENOENT;
	}
	mark = der_begin(out, DER_SEQUENCE);
	buf_put_bytes(out, update->old_with_new);
	buf_put_bytes(out, update->new_with_old);
	buf_put_bytes(out, update->new_with_new);
	der_end(out, mark);
	return 0;
}

/* RootCaKeyUpdateContent: newWithNew, [0] newWithOld, [1] oldWithNew; no value when the client's root is the newest. */
int
info_root_ca_key_update(const struct info_question *question, struct buf *out, struct diag *why)
{
	const struct cmp_root_update *update = &question->work->endpoint->root_update;
	struct bytes certificate;
	size_t mark;

	if (question->value.data && der_only(question->value, DER_SEQUENCE, &certificate) < 0) {
		return diag_set(why, CMPD_EFORMAT, "rootCaCert is no certificate");
	}
	if (!update->new_with_new.data ||
	    (question->value.data && bytes_equal(question->value, update->new_with_new))) {
		return 0;
	}
	mark = der_begin(out, DER_SEQUENCE);
	buf_put_bytes(out, update->new_with_new);
	if (update->new_with_old.data) {
		der_put(out, DER_CONSTRUCTED(0), update->new_with_old);
	}
	if (update->old_with_new.data) {
		der_put(out, DER_CONSTRUCTED(1), update->old_with_new);
	}
	der_end(out, mark);
	return 0;
}

/* One of the languages question->value for (RFC 9810 5.3.19.13): texts here are English. */
int
info_supp_lang_tags(const struct info_question *question, struct buf *out, struct diag *why)
{
	struct bytes list, tag;
	bool english = !question->value.data;
	size_t mark;

	if (question->value.data && der_only(question->value, DER_SEQUENCE, &list) < 0) {
		return diag_set(why, CMPD_EFORMAT, "suppLangTags are no list of texts");
	}
	while (question->value.data && list.len > 0) {
		if (der_take(&list, DER_UTF8_STRING, &tag) < 0) {
			return diag_set(why, CMPD_EFORMAT, "suppLangTags are no list of texts");
		}
		english = english ||
			  (tag.len >= 2 && (tag.data[0] | 0x20) == 'e' &&
			      (tag.data[1] | 0x20) == 'n' && (tag.len == 2 || tag.data[2] == '-'));
	}
	if (!english) {
		return diag_set(why, CMPD_EINVAL, "only English is spoken here");
	}
	mark = der_begin(out, DER_SEQUENCE);
	der_put(out, DER_UTF8_STRING, bytes_str("en"));
	der_end(out, mark);
	return 0;
}

int
info_ca_certs(const struct info_question *question, struct buf *out, struct diag *why)
{
	const struct conf_profile *profile = question->profile;
	size_t n = 0, mark = der_begin(out, DER_SEQUENCE);
	const struct bytes *chain =
	    issuer_ca0_chain(question->work->door->issuer, profile->name, &n);

	(void)why;
	buf_put_bytes(out, issuer_ca0_certificate(question->work->door->issuer, profile->name));
	for (size_t i = 0; i < n; i++) {
		buf_put_bytes(out, chain[i]);
	}
	der_end(out, mark);
	return 0;
}

/* keySpec: one control per kind of key, algId or rsaKeyLen (RFC 9810 5.3.19.16). */
static void
key_spec(const struct conf_profile *profile, struct buf *out)
{
	size_t mark = der_begin(out, DER_SEQUENCE);

	for (const char **word = profile->allowed_keys; *word; word++) {
		size_t control = der_begin(out, DER_SEQUENCE);
		unsigned bits = spki_word_rsa_bits(*word);
		uint8_t number[2] = {(uint8_t)(bits >> 8), (uint8_t)bits};

		if (bits > 0) {
			der_put(out, DER_OID,
			    OID_BYTES(0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x05, 0x01, 0x0c));
			der_put(out, DER_INTEGER, bytes_of(number, sizeof(number)));
		} else {
			der_put(out, DER_OID,
			    OID_BYTES(0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x05, 0x01, 0x0b));
			spki_word_algorithm(*word, out);
		}
		der_end(out, control);
	}
	der_end(out, mark);
}

/* CertReqTemplateContent: what a request for this profile looks like; the subject is the client's to fill in. */
int
info_cert_req_template(const struct info_question *question, struct buf *out, struct diag *why)
{
	static const uint8_t empty_name[] = {0x30, 0x00};
	const struct conf_profile *profile = question->profile;
	size_t mark = der_begin(out, DER_SEQUENCE), template = der_begin(out, DER_SEQUENCE);
	struct buf extensions;
	int error;

	(void)why;
	der_put(out, DER_CONSTRUCTED(5), bytes_of(empty_name, sizeof(empty_name)));
	buf_init(&extensions, 64 * 1024);
	error = issuer_profile_usage(question->work->door->issuer, profile->name, &extensions);
	if (!error && extensions.len > 0) {
		der_put(out, DER_CONSTRUCTED(9), buf_get0(&extensions));
	}
	buf_fini(&extensions);
	der_end(out, template);
	key_spec(profile, out);
	der_end(out, mark);
	return error;
}
