#include "model/name_template.h"

#include <string.h>

#include "base/buf.h"
#include "base/pool.h"
#include "base/utf8.h"
#include "model/attribute.h"
#include "model/der.h"
#include "model/escape.h"
#include "model/name.h"

#define TEMPLATE_MAX (16 * 1024) /* of a text made here */
/* All that could mean something in the text of a name. */
#define VALUE_SPECIALS "/=+#"
#define ISSUER	       "issuer."
#define SERIAL	       "serial"

/* facts NULL: to see whether the template makes sense, each variable is SAMPLE: fit for any name, address and host. */
#define SAMPLE "10.0.0.1"

struct expansion {
	const struct name_facts *facts;
	bool san;
	struct buf out;
	struct diag *diag;
};

/* ---- values ---- */

static bool
is_plain(struct bytes value)
{
	for (size_t i = 0; i < value.len; i++) {
		uint8_t c = value.data[i];

		if (!((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
			c == '.' || c == '-' || c == '_')) {
			return false;
		}
	}
	return true;
}

/* Text that people can read: no control characters, nothing that hides or turns around what stands beside it. */
static bool
is_shown(struct bytes value)
{
	while (value.len > 0) {
		uint32_t c;
		size_t n = utf8_decode(value, &c);

		if (n == 0 || utf8_is_harmful(c)) {
			return false;
		}
		value.data += n;
		value.len -= n;
	}
	return true;
}

static int
put_value(struct expansion *e, const char *variable, struct bytes value)
{
	if (value.len == 0 || value.len > NAME_VALUE_MAX || !is_shown(value)) {
		return diag_set(e->diag, CMPD_ENOENT,
		    "%s of the factory certificate is empty, too long, or not made of characters "
		    "that can be shown",
		    variable);
	}
	if (e->san && !is_plain(value)) {
		return diag_set(e->diag, CMPD_ENOENT,
		    "%s of the factory certificate has other characters than a subjectAltName can "
		    "be made of",
		    variable);
	}
	escape_utf8(&e->out, value, e->san ? "" : VALUE_SPECIALS);
	return buf_error(&e->out);
}

/* Strings that are ASCII or UTF-8; others are too seldom to be worth a conversion here. */
static bool
is_text(uint8_t tag)
{
	return tag == DER_UTF8_STRING || tag == DER_PRINTABLE_STRING || tag == DER_IA5_STRING ||
	       tag == DER_NUMERIC_STRING || tag == DER_VISIBLE_STRING;
}

/* All attributes of the type; *ret: the last of them. */
static int
find_attribute(struct bytes name, struct bytes oid, struct der *ret, size_t *ret_n)
{
	struct bytes rdns, rdn, attribute, type;

	*ret_n = 0;
	if (der_only(name, DER_SEQUENCE, &rdns) < 0) {
		return CMPD_EFORMAT;
	}
	while (rdns.len > 0) {
		if (der_take(&rdns, DER_SET, &rdn) < 0) {
			return CMPD_EFORMAT;
		}
		while (rdn.len > 0) {
			struct der value;

			if (der_take(&rdn, DER_SEQUENCE, &attribute) < 0 ||
			    der_take(&attribute, DER_OID, &type) < 0 ||
			    der_next(&attribute, &value) < 0) {
				return CMPD_EFORMAT;
			}
			if (bytes_equal(type, oid)) {
				*ret = value;
				++*ret_n;
			}
		}
	}
	return 0;
}

static int
put_attribute(struct expansion *e, const char *variable, struct bytes name,
    const struct attribute *attribute)
{
	struct der value = {.tag = 0};
	size_t n = 0;

	if (find_attribute(name, attribute->oid, &value, &n) < 0 || n == 0) {
		return diag_set(e->diag, CMPD_ENOENT, "the factory certificate has no %s",
		    variable);
	}
	if (n > 1) {
		return diag_set(e->diag, CMPD_ENOENT,
		    "the factory certificate has %s more than once", variable);
	}
	if (!is_text(value.tag)) {
		return diag_set(e->diag, CMPD_ENOENT,
		    "%s of the factory certificate is not a string of ASCII or UTF-8", variable);
	}
	return put_value(e, variable, value.value);
}

static int
put_serial(struct expansion *e)
{
	if (e->facts->serial.len == 0) {
		return diag_set(e->diag, CMPD_ENOENT, "the factory certificate has no serial");
	}
	buf_put_hex(&e->out, e->facts->serial);
	return buf_error(&e->out);
}

/* ---- templates ---- */

static int
put_variable(struct expansion *e, const char *name, size_t len)
{
	char variable[64];
	const struct attribute *attribute;
	const char *type = variable;
	bool issuer;

	if (len >= sizeof(variable)) {
		return diag_set(e->diag, CMPD_EFORMAT, "a variable has a name that long");
	}
	memcpy(variable, name, len);
	variable[len] = '\0';
	issuer = strncmp(variable, ISSUER, strlen(ISSUER)) == 0;
	if (issuer) {
		type += strlen(ISSUER);
	}
	attribute = attribute_by_name(bytes_str(type));
	if (attribute == NULL && strcmp(variable, SERIAL) != 0) {
		return diag_set(e->diag, CMPD_EFORMAT, "there is no variable %%{%s}", variable);
	}
	if (e->facts == NULL) {
		buf_put_bytes(&e->out, bytes_str(SAMPLE));
		return buf_error(&e->out);
	}
	if (attribute == NULL) {
		return put_serial(e);
	}
	return put_attribute(e, variable, issuer ? e->facts->issuer : e->facts->subject, attribute);
}

static int
expand(struct expansion *e, const char *template)
{
	while (*template != '\0') {
		const char *end;
		int error;

		/* A backslash goes with what stands behind it, or it would escape the first byte of a value. */
		if (*template == '\\' && template[1] != '\0') {
			buf_put(&e->out, template, 2);
			template += 2;
			continue;
		}
		if (strncmp(template, "%{", 2) != 0) {
			buf_put_u8(&e->out, (uint8_t) * template ++);
			continue;
		}
		end = strchr(template, '}');
		if (end == NULL) {
			return diag_set(e->diag, CMPD_EFORMAT, "%%{ without }");
		}
		error = put_variable(e, template + 2, (size_t)(end - template) - 2);
		if (error < 0) {
			return error;
		}
		template = end + 1;
	}
	return buf_error(&e->out);
}

static int
make(struct pool *pool, const char *template, const struct name_facts *facts, bool san,
    const char **ret, struct diag *diag)
{
	struct expansion e = {.facts = facts, .san = san, .diag = diag};
	const char *text = NULL;
	int error;

	buf_init(&e.out, TEMPLATE_MAX);
	error = expand(&e, template);
	if (error == 0) {
		buf_put_u8(&e.out, 0);
		error = buf_error(&e.out);
	}
	if (error == 0) {
		text = pool_strdup(pool, (const char *)e.out.data);
		error = text != NULL ? 0 : CMPD_ENOMEM;
	}
	if (error == 0) {
		*ret = text;
	} else if (error == CMPD_ELIMIT) {
		error = diag_set(diag, CMPD_ENOENT, "the name would be too long");
	}
	buf_fini(&e.out);
	return error;
}

int
name_template_check(struct pool *pool, const char *template, struct diag *diag)
{
	const char *text;
	struct bytes der;
	int error = make(pool, template, NULL, false, &text, diag);

	if (error == 0) {
		error = name_from_text(pool, text, &der);
	}
	if (error == CMPD_EFORMAT && diag != NULL && diag->text[0] == '\0') {
		return diag_set(diag, error, "not a name such as /O=x/CN=%%{CN}");
	}
	return error;
}

int
name_template_check_san(struct pool *pool, const char *template, struct diag *diag)
{
	const char *sans[] = {NULL, NULL};
	struct bytes der;
	int error = make(pool, template, NULL, true, &sans[0], diag);

	if (error == 0) {
		error = name_sans_replace(pool, BYTES_NONE, sans, false, &der);
	}
	if (error == CMPD_EFORMAT && diag != NULL && diag->text[0] == '\0') {
		return diag_set(diag, error, "not a name such as DNS:%%{CN}.example");
	}
	return error;
}

int
name_template_expand(struct pool *pool, const char *template, const struct name_facts *facts,
    const char **ret, struct diag *diag)
{
	return make(pool, template, facts, false, ret, diag);
}

int
name_template_expand_san(struct pool *pool, const char *template, const struct name_facts *facts,
    const char **ret, struct diag *diag)
{
	return make(pool, template, facts, true, ret, diag);
}
