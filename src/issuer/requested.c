#include "issuer/requested.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "model/extension.h"

/* ---- subjectAltName ---- */

static bool
is_printable_ascii(struct bytes in)
{
	for (size_t i = 0; i < in.len; i++) {
		if (in.data[i] <= ' ' || in.data[i] >= 0x7f) {
			return false;
		}
	}
	return in.len > 0;
}

/* Letters, digits, "-", "_" and dots between labels; "*" only as the whole first label. */
static bool
san_dns_fits(struct bytes name)
{
	size_t label = 0;

	if (name.len == 0 || name.len > 253) {
		return false;
	}
	for (size_t i = 0; i < name.len; i++) {
		uint8_t c = name.data[i];

		if (c == '.') {
			if (label == 0) {
				return false;
			}
			label = 0;
			continue;
		}
		if (c == '*') {
			if (i != 0 || name.len < 3 || name.data[1] != '.') {
				return false;
			}
		} else if (!((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
			       c == '-' || c == '_')) {
			return false;
		}
		if (++label > 63) {
			return false;
		}
	}
	return label > 0;
}

static bool
san_email_fits(struct bytes value)
{
	const uint8_t *at = memchr(value.data, '@', value.len);

	return is_printable_ascii(value) && at != NULL && at != value.data &&
	       at != value.data + value.len - 1;
}

static bool
san_uri_fits(struct bytes value)
{
	const uint8_t *colon = memchr(value.data, ':', value.len);

	return is_printable_ascii(value) && colon != NULL && colon != value.data;
}

static bool
san_ip_fits(struct bytes value)
{
	return value.len == 4 || value.len == 16;
}

static bool
san_dir_name_fits(struct bytes value)
{
	return value.len > 2 && resolve_check_name(value) == 0;
}

/* The value may be anything: libcrypto must be able to read it, or the certificate would be called broken. */
static bool
san_other_fits(struct bytes value)
{
	struct buf sequence;
	const uint8_t *p;
	OTHERNAME *name = NULL;
	bool fits = false;

	buf_init(&sequence, ISSUER_EXTENSIONS_MAX + 8);
	der_put(&sequence, DER_SEQUENCE, value);
	if (buf_error(&sequence) == 0) {
		p = sequence.data;
		name = d2i_OTHERNAME(NULL, &p, (long)sequence.len);
		fits = name != NULL && p == sequence.data + sequence.len;
	}
	OTHERNAME_free(name);
	ERR_clear_error();
	buf_fini(&sequence);
	return fits;
}

static const struct san_rule {
	uint8_t tag;
	unsigned kind; /* number of the choice in GeneralName */
	const char *name;
	bool (*fits)(struct bytes value);
} san_rules[] = {
    {DER_PRIMITIVE(2), 2, "dns", san_dns_fits},
    {DER_PRIMITIVE(7), 7, "ip", san_ip_fits},
    {DER_PRIMITIVE(1), 1, "email", san_email_fits},
    {DER_PRIMITIVE(6), 6, "uri", san_uri_fits},
    {DER_CONSTRUCTED(4), 4, "dirName", san_dir_name_fits},
    {DER_CONSTRUCTED(0), 0, "otherName", san_other_fits},
};

static int
check_san(struct resolution *r, const struct der *name)
{
	const struct san_rule *rule = NULL;

	for (size_t i = 0; i < sizeof(san_rules) / sizeof(san_rules[0]); i++) {
		if (san_rules[i].tag == name->tag) {
			rule = &san_rules[i];
		}
	}
	if (rule == NULL) {
		return diag_set(r->diag, CMPD_EEXTENSION,
		    "subjectAltName holds a name of a kind that is never issued");
	}
	if ((r->profile->sans & 1u << rule->kind) == 0) {
		return diag_set(r->diag, CMPD_EEXTENSION,
		    "a subjectAltName of kind %s is not allowed by the profile", rule->name);
	}
	if (!rule->fits(name->value)) {
		return diag_set(r->diag, CMPD_EEXTENSION,
		    "a subjectAltName of kind %s is not well-formed", rule->name);
	}
	return 0;
}

static int
ask_alt_names(struct resolution *r, const struct extension *extension)
{
	struct bytes names;
	struct der name;
	size_t n = 0;

	if (der_only(extension->value, DER_SEQUENCE, &names) < 0 || names.len == 0) {
		return diag_set(r->diag, CMPD_EEXTENSION, "subjectAltName is empty or broken");
	}
	while (names.len > 0) {
		int result;

		if (der_next(&names, &name) < 0) {
			return diag_set(r->diag, CMPD_EEXTENSION, "subjectAltName is broken");
		}
		result = check_san(r, &name);
		if (result < 0) {
			return result;
		}
		if (++n > ISSUER_SANS) {
			return diag_set(r->diag, CMPD_EEXTENSION,
			    "subjectAltName holds more than %d names", ISSUER_SANS);
		}
	}
	r->sans = extension->value;
	return 0;
}

/* ---- what the profile decides, and may be asked for if it agrees ---- */

static int
ask_key_usage(struct resolution *r, const struct extension *extension)
{
	if (profile_parse_key_usage(extension->value, &r->key_usage) < 0) {
		return diag_set(r->diag, CMPD_EEXTENSION, "keyUsage does not decode");
	}
	if ((r->key_usage & ~r->profile->key_usage) != 0) {
		return diag_set(r->diag, CMPD_EEXTENSION,
		    "keyUsage goes beyond that of the profile");
	}
	r->asked_key_usage = true;
	return 0;
}

/* Is this OID among those of a DER SEQUENCE OF OBJECT IDENTIFIER? */
static bool
has_oid(struct bytes sequence, struct bytes oid)
{
	struct bytes list, one;

	if (der_only(sequence, DER_SEQUENCE, &list) < 0) {
		return false;
	}
	while (list.len > 0 && der_take(&list, DER_OID, &one) == 0) {
		if (bytes_equal(one, oid)) {
			return true;
		}
	}
	return false;
}

/* id-kp 27, 28, 32: their holders speak for the CA, so the reason says it plainly. */
static bool
is_cmp_role(struct bytes oid)
{
	static const uint8_t id_kp[] = {0x2b, 6, 1, 5, 5, 7, 3};

	return oid.len == sizeof(id_kp) + 1 && memcmp(oid.data, id_kp, sizeof(id_kp)) == 0 &&
	       (oid.data[7] == 27 || oid.data[7] == 28 || oid.data[7] == 32);
}

static int
ask_extended_key_usage(struct resolution *r, const struct extension *extension)
{
	struct bytes ours = buf_get0(&r->profile->eku), list, oid;

	if (der_only(extension->value, DER_SEQUENCE, &list) < 0 || list.len == 0) {
		return diag_set(r->diag, CMPD_EEXTENSION, "extendedKeyUsage is empty or broken");
	}
	while (list.len > 0) {
		char text[DER_OID_TEXT_MAX];

		if (der_take(&list, DER_OID, &oid) < 0 || der_oid_to_text(oid, text) < 0) {
			return diag_set(r->diag, CMPD_EEXTENSION, "extendedKeyUsage is broken");
		}
		if (!has_oid(ours, oid)) {
			return diag_set(r->diag, CMPD_EEXTENSION,
			    "extendedKeyUsage %s%s is not allowed by the profile", text,
			    is_cmp_role(oid) ? " (a role in CMP)" : "");
		}
	}
	if (!bytes_equal(extension->value, ours)) {
		resolve_note(r, "extendedKeyUsage is the profile's");
	}
	return 0;
}

static int
ask_basic_constraints(struct resolution *r, const struct extension *extension)
{
	struct bytes body, flag, length = BYTES_NONE;
	bool ca = false;

	if (der_only(extension->value, DER_SEQUENCE, &body) < 0) {
		goto broken;
	}
	if (der_peek(body, DER_BOOLEAN)) {
		if (der_take(&body, DER_BOOLEAN, &flag) < 0 || flag.len != 1) {
			goto broken;
		}
		ca = flag.data[0] != 0;
	}
	if (body.len > 0 && (der_only(body, DER_INTEGER, &length) < 0 || length.len == 0)) {
		goto broken;
	}
	if (ca && !r->profile->conf->allow_ca) {
		return diag_set(r->diag, CMPD_EEXTENSION,
		    "the profile issues no certificates of CAs");
	}
	if (ca && !(length.len == 1 && length.data[0] == 0)) {
		resolve_note(r, "basicConstraints has path length 0");
	}
	r->want_ca = ca;
	return 0;
broken:
	return diag_set(r->diag, CMPD_EEXTENSION, "basicConstraints does not decode");
}

/* ---- all of them ---- */

static const struct rule {
	const char *oid;
	int (*ask)(struct resolution *r, const struct extension *extension);
} rules[] = {
    {"\x55\x1d\x11", ask_alt_names},
    {"\x55\x1d\x0f", ask_key_usage},
    {"\x55\x1d\x25", ask_extended_key_usage},
    {"\x55\x1d\x13", ask_basic_constraints},
};

static const struct rule *
find_rule(struct bytes oid)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (bytes_equal(bytes_of(rules[i].oid, 3), oid)) {
			return &rules[i];
		}
	}
	return NULL;
}

int
requested_extensions(struct resolution *r)
{
	struct bytes seen[ISSUER_EXTENSIONS], list;
	size_t n = 0;

	if (r->requested->extensions.len > ISSUER_EXTENSIONS_MAX) {
		return diag_set(r->diag, CMPD_EEXTENSION, "the requested extensions are too long");
	}
	if (extensions_open(r->requested->extensions, &list) < 0) {
		return diag_set(r->diag, CMPD_EEXTENSION, "the extensions do not decode");
	}
	while (list.len > 0) {
		struct extension extension;
		const struct rule *rule;
		int result = 0;

		if (extension_next(&list, &extension) < 0) {
			return diag_set(r->diag, CMPD_EEXTENSION, "an extension does not decode");
		}
		for (size_t i = 0; i < n; i++) {
			if (bytes_equal(seen[i], extension.oid)) {
				return diag_set(r->diag, CMPD_EEXTENSION,
				    "an extension stands there twice");
			}
		}
		if (n == ISSUER_EXTENSIONS) {
			return diag_set(r->diag, CMPD_EEXTENSION, "more than %d extensions",
			    ISSUER_EXTENSIONS);
		}
		seen[n++] = extension.oid;
		rule = find_rule(extension.oid);
		if (rule != NULL) {
			result = rule->ask(r, &extension);
		}
		if (result < 0) {
			return result;
		}
	}
	return 0;
}

static void
extension_name(struct bytes oid, char out[DER_OID_TEXT_MAX])
{
	static const struct {
		struct bytes oid;
		const char *name;
	} names[] = {
	    {{(const uint8_t *)"\x55\x1d\x0e", 3}, "subjectKeyIdentifier"},
	    {{(const uint8_t *)"\x55\x1d\x23", 3}, "authorityKeyIdentifier"},
	    {{(const uint8_t *)"\x55\x1d\x1f", 3}, "cRLDistributionPoints"},
	    {{(const uint8_t *)"\x55\x1d\x20", 3}, "certificatePolicies"},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (bytes_equal(names[i].oid, oid)) {
			strcpy(out, names[i].name);
			return;
		}
	}
	if (der_oid_to_text(oid, out) < 0) {
		strcpy(out, "?");
	}
}

int
requested_leftovers(struct resolution *r)
{
	struct extension extension, ours;
	struct bytes list;

	if (extensions_open(r->requested->extensions, &list) < 0) {
		return CMPD_EEXTENSION;
	}
	while (list.len > 0) {
		char name[DER_OID_TEXT_MAX];

		if (extension_next(&list, &extension) < 0) {
			return CMPD_EEXTENSION;
		}
		if (find_rule(extension.oid) != NULL ||
		    (extension_find(r->out.extensions, extension.oid, &ours) == 0 &&
			bytes_equal(ours.value, extension.value))) {
			continue;
		}
		extension_name(extension.oid, name);
		if (extension.critical) {
			return diag_set(r->diag, CMPD_EEXTENSION,
			    "critical extension %s is not issued", name);
		}
		resolve_note(r, "%s is left out", name);
	}
	return 0;
}
