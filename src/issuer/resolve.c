/* From what was asked for to what will be issued. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/pool.h"
#include "base/utf8.h"
#include "issuer/internal.h"
#include "issuer/requested.h"
#include "model/extension.h"

#define NOT_BEFORE_GRACE (5 * 60 * 1000)

void
resolve_note(struct resolution *r, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (r->mods.len > 0) {
		buf_put(&r->mods, "; ", 2);
	}
	buf_put_bytes(&r->mods, bytes_str(text));
}

/* ---- subject ---- */

/* A value that is text, not empty, without NUL, and in its type's encoding (types that libcrypto takes). */
static bool
subject_value_fits(const struct der *value)
{
	struct bytes in = value->value;

	switch (value->tag) {
	case DER_UTF8_STRING:
		if (!utf8_valid(in)) {
			return false;
		}
		break;
	case DER_PRINTABLE_STRING:
	case DER_IA5_STRING:
	case DER_NUMERIC_STRING:
	case DER_T61_STRING:
		break;
	case DER_BMP_STRING:
		for (size_t i = 0; i + 1 < in.len; i += 2) {
			if ((in.data[i] == 0 && in.data[i + 1] == 0) ||
			    (in.data[i] & 0xf8) == 0xd8) {
				return false;
			}
		}
		return in.len > 0 && in.len % 2 == 0;
	default:
		return false;
	}
	return in.len > 0 && memchr(in.data, 0, in.len) == NULL;
}

static int
subject_check_set(struct bytes set)
{
	struct bytes attribute, oid;
	struct der value;

	if (set.len == 0) {
		return CMPD_ETEMPLATE;
	}
	while (set.len > 0) {
		if (der_take(&set, DER_SEQUENCE, &attribute) < 0 ||
		    der_take(&attribute, DER_OID, &oid) < 0 || der_next(&attribute, &value) < 0 ||
		    attribute.len > 0 || !der_oid_valid(oid) || !subject_value_fits(&value)) {
			return CMPD_ETEMPLATE;
		}
	}
	return 0;
}

int
resolve_check_name(struct bytes der)
{
	struct bytes name, set;

	if (der.len > ISSUER_SUBJECT_MAX || der_only(der, DER_SEQUENCE, &name) < 0) {
		return CMPD_ETEMPLATE;
	}
	while (name.len > 0) {
		if (der_take(&name, DER_SET, &set) < 0 || subject_check_set(set) < 0) {
			return CMPD_ETEMPLATE;
		}
	}
	return 0;
}

static int
resolve_subject(struct resolution *r)
{
	static const uint8_t empty[] = {DER_SEQUENCE, 0};

	r->out.subject = r->requested->subject;
	if (r->out.subject.data == NULL) {
		r->out.subject = bytes_of(empty, sizeof(empty));
	}
	if (resolve_check_name(r->out.subject) < 0) {
		return diag_set(r->diag, CMPD_ETEMPLATE,
		    "the subject does not decode, is too long, or holds an empty or unreadable "
		    "value");
	}
	r->empty_subject = r->out.subject.len == 2;
	return 0;
}

/* ---- key ---- */

/* The key that is there, or the kind of the one to be made. */
static int
read_key(struct resolution *r)
{
	struct bytes der = r->requested->spki;

	if (r->requested->make_key != NULL) {
		return spki_of_word(r->requested->make_key, &r->spki) == 0
			   ? 0
			   : diag_set(r->diag, CMPD_EALGORITHM, "keys of kind %s cannot be made",
				 r->requested->make_key);
	}
	if (der.data == NULL) {
		return diag_set(r->diag, CMPD_ETEMPLATE, "no public key");
	}
	if (der.len > ISSUER_SPKI_MAX) {
		return diag_set(r->diag, CMPD_ETEMPLATE, "the public key is too large");
	}
	return spki_parse(der, &r->spki, r->diag);
}

static int
resolve_key(struct resolution *r)
{
	const char **allowed = r->profile->conf->allowed_keys;
	static const char *usual[] = {
	    "ec:P-256", "ec:P-384", "ec:P-521", "rsa:2048", "ed25519", "ed448", NULL};
	char kind[SPKI_TEXT_SIZE];
	int result = read_key(r);

	if (result < 0) {
		return result == CMPD_EFORMAT ? CMPD_ETEMPLATE : result;
	}
	if (allowed == NULL || allowed[0] == NULL) {
		allowed = usual;
	}
	while (*allowed != NULL && !spki_fits(&r->spki, *allowed)) {
		allowed++;
	}
	if (*allowed == NULL) {
		return diag_set(r->diag, CMPD_ETEMPLATE,
		    "a key of kind %s is not allowed by the profile", spki_to_text(&r->spki, kind));
	}
	r->out.make_key = r->requested->make_key;
	r->out.spki = r->out.make_key != NULL ? BYTES_NONE : r->requested->spki;
	return 0;
}

/* ---- validity ---- */

static int
resolve_start(struct resolution *r, int64_t now)
{
	int64_t wanted = r->requested->not_before;

	if (wanted > now) {
		if (wanted - now > r->out.validity) {
			return diag_set(r->diag, CMPD_ETEMPLATE, "notBefore is too far away");
		}
		r->out.not_before = wanted;
	} else if (wanted != 0 && wanted < now - NOT_BEFORE_GRACE) {
		resolve_note(r, "notBefore is the time of issuing");
	}
	return 0;
}

static int
resolve_validity(struct resolution *r)
{
	const struct template *requested = r->requested;
	int64_t now = clock_wall_ms(), start, last;

	r->out.validity = r->profile->conf->validity;
	if (requested->validity > 0 && requested->validity < r->out.validity) {
		r->out.validity = requested->validity;
	}
	if (requested->not_before < 0 || requested->not_after < 0 ||
	    (requested->not_after != 0 && requested->not_after <= requested->not_before)) {
		return diag_set(r->diag, CMPD_ETEMPLATE, "notAfter is not behind notBefore");
	}
	if (requested->not_after != 0 && requested->not_after <= now) {
		return diag_set(r->diag, CMPD_ETEMPLATE, "notAfter has passed");
	}
	if (resolve_start(r, now) < 0) {
		return CMPD_ETEMPLATE;
	}
	start = r->out.not_before != 0 ? r->out.not_before : now;
	last = start + r->out.validity;
	if (requested->not_after > last) {
		resolve_note(r, "notAfter is shortened to what the profile allows");
	} else {
		r->out.not_after = requested->not_after;
		last = requested->not_after != 0 ? requested->not_after : last;
	}
	if (start >= r->profile->ca->not_after) {
		return diag_set(r->diag, CMPD_ETEMPLATE, "the CA expires before that");
	}
	if (last > r->profile->ca->not_after) {
		resolve_note(r, "notAfter is shortened to that of the CA");
	}
	return 0;
}

/* ---- extensions ---- */

static void
put_basic_constraints(struct buf *out, bool ca)
{
	/* An issued CA has end entities below it and no further CA: path length 0. */
	static const uint8_t yes[] = {DER_SEQUENCE, 6, DER_BOOLEAN, 1, 0xff, DER_INTEGER, 1, 0};
	static const uint8_t no[] = {DER_SEQUENCE, 0};

	extension_put(out, EXTENSION_BASIC_CONSTRAINTS, true,
	    ca ? bytes_of(yes, sizeof(yes)) : bytes_of(no, sizeof(no)));
}

static int
put_key_usage(struct resolution *r, struct buf *out)
{
	unsigned bits = r->profile->key_usage & profile_usable(r->spki.kind);
	char kind[SPKI_TEXT_SIZE];
	struct buf value;

	if (!r->want_ca) {
		bits &= ~(KEY_USAGE_CERT_SIGN | KEY_USAGE_CRL_SIGN);
	}
	if (bits == 0 && r->profile->key_usage != 0) {
		return diag_set(r->diag, CMPD_ETEMPLATE,
		    "no key usage of the profile fits a key of kind %s",
		    spki_to_text(&r->spki, kind));
	}
	if (r->asked_key_usage && r->key_usage != bits) {
		resolve_note(r, "keyUsage is the profile's");
	}
	if (bits == 0) {
		return 0;
	}
	buf_init(&value, 16);
	profile_put_key_usage(&value, bits);
	extension_put(out, EXTENSION_KEY_USAGE, true, buf_get0(&value));
	buf_fini(&value);
	return 0;
}

static int
put_key_id(struct resolution *r, struct buf *out)
{
	return issuer_put_key_id(r->issuer, r->spki.key, out, r->diag);
}

/* All that the certificate will carry, so that approving it is approving this. */
static int
resolve_extensions(struct resolution *r)
{
	struct buf *out = &r->issuer->scratch;
	size_t mark;
	int result;

	out->len = 0;
	out->error = 0;
	mark = der_begin(out, DER_SEQUENCE);
	put_basic_constraints(out, r->want_ca);
	result = put_key_usage(r, out);
	/* That of a key to be made is added when it is. */
	if (result == 0 && r->out.make_key == NULL) {
		result = put_key_id(r, out);
	}
	if (result < 0) {
		return result;
	}
	buf_put_bytes(out, buf_get0(&r->profile->fixed));
	if (r->sans.data != NULL) {
		extension_put(out, EXTENSION_SUBJECT_ALT_NAME, r->empty_subject, r->sans);
	}
	der_end(out, mark);
	if (buf_error(out) < 0) {
		return diag_set(r->diag, CMPD_ETEMPLATE, "the certificate would be too large");
	}
	r->out.extensions = pool_bytes(r->pool, buf_get0(out));
	return r->out.extensions.data != NULL ? 0 : CMPD_ENOMEM;
}

/* ---- all of it ---- */

static int
resolve_names(struct resolution *r)
{
	if (r->empty_subject && r->sans.data == NULL) {
		return diag_set(r->diag, CMPD_ETEMPLATE, "neither subject nor subjectAltName");
	}
	return 0;
}

static int
resolve_all(struct resolution *r)
{
	static int (*const steps[])(struct resolution *) = {resolve_key, resolve_subject,
	    requested_extensions, resolve_names, resolve_validity, resolve_extensions,
	    requested_leftovers};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		int result = steps[i](r);

		if (result < 0) {
			return result;
		}
	}
	return 0;
}

/* Hands over copies, so that the result does not depend on the request's memory. */
static int
resolve_finish(struct resolution *r, struct template *ret, const char **ret_mods)
{
	const char *mods = NULL;

	memcpy(r->out.ca, r->profile->ca->id, sizeof(r->out.ca));
	r->out.subject = pool_bytes(r->pool, r->out.subject);
	r->out.spki = pool_bytes(r->pool, r->out.spki);
	if (r->out.make_key != NULL) {
		r->out.make_key = pool_strdup(r->pool, r->out.make_key);
	}
	if (r->mods.len > 0) {
		mods = pool_strndup(r->pool, r->mods.data, r->mods.len);
	}
	if (r->out.subject.data == NULL || (r->out.spki.data == NULL && r->out.make_key == NULL) ||
	    buf_error(&r->mods) < 0 || (r->mods.len > 0 && mods == NULL)) {
		return diag_set(r->diag, CMPD_ENOMEM, "%s", cmpd_strerror(CMPD_ENOMEM));
	}
	*ret = r->out;
	*ret_mods = mods;
	return 0;
}

int
issuer_resolve(struct issuer *issuer, const char *name, const struct template *requested,
    struct pool *pool, struct template *ret, const char **ret_mods, struct diag *diag)
{
	struct resolution r = {.issuer = issuer,
	    .profile = issuer_find(issuer, name),
	    .requested = requested,
	    .pool = pool,
	    .diag = diag};
	int result;

	if (r.profile == NULL) {
		return diag_set(diag, CMPD_ENOENT, "no profile is named \"%s\"",
		    name != NULL ? name : "");
	}
	buf_init(&r.mods, 4096);
	result = resolve_all(&r);
	if (result == 0) {
		result = resolve_finish(&r, ret, ret_mods);
	}
	buf_fini(&r.mods);
	return result;
}
