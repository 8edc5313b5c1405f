/*
 * First requests of devices with a factory certificate: what the device is called says the operator, by the inventory
 * and by templates over the certificate (endpoint: vendor).
 */
#include <string.h>

#include "enrol/submission.h"
#include "model/name.h"
#include "model/name_template.h"

static const struct conf_vendor *
vendor_of(const struct submission *s)
{
	return &s->request->endpoint->vendor;
}

int
desk_vendor_check(const struct conf_endpoint *endpoint, struct pool *pool, struct diag *diag)
{
	const struct conf_vendor *vendor = &endpoint->vendor;
	int error = vendor->subject ? name_template_check(pool, vendor->subject, diag) : 0;

	if (error) {
		diag_prefix(diag, "vendor.subject");
	}
	for (size_t i = 0; !error && vendor->san && vendor->san[i]; i++) {
		error = name_template_check_san(pool, vendor->san[i], diag);
		if (error) {
			diag_prefix(diag, "vendor.san");
		}
	}
	return error == CMPD_EFORMAT ? CMPD_ECONF : error;
}

/* ---- templates ---- */

static int
template_fault(struct submission *s, int error)
{
	return error == CMPD_ENOENT ? diag_set(&s->diag, CMPD_ETEMPLATE, "%s", s->diag.text)
				    : error;
}

static int
expand_subject(struct submission *s, const struct name_facts *facts)
{
	const char *template = vendor_of(s)->subject;

	if (s->vendor.subject || !template) {
		return 0;
	}
	return template_fault(s,
	    name_template_expand(s->desk->pool, template, facts, &s->vendor.subject, &s->diag));
}

static int
expand_sans(struct submission *s, const struct name_facts *facts)
{
	const char **templates = vendor_of(s)->san, **sans = NULL;
	size_t n = 0;

	if (s->vendor.sans) {
		return 0;
	}
	while (templates && templates[n]) {
		n++;
	}
	sans = pool_alloc(s->desk->pool, (n + 1) * sizeof(*sans));
	if (!sans) {
		return CMPD_ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		int error = name_template_expand_san(s->desk->pool, templates[i], facts, &sans[i],
		    &s->diag);

		if (error) {
			return template_fault(s, error);
		}
	}
	s->vendor.sans = sans;
	return 0;
}

static int
expand(struct submission *s)
{
	const struct name_facts facts = {
	    .subject = s->requester->signer_subject,
	    .issuer = s->requester->signer_issuer,
	    .serial = s->requester->signer_serial,
	};
	int error = expand_subject(s, &facts);

	/* Nothing says what it is called: an operator sees what it asks for. */
	if (!error && !s->vendor.subject && s->vendor.unknown) {
		return 0;
	}
	if (!error && !s->vendor.subject) {
		return diag_set(&s->diag, CMPD_ETEMPLATE,
		    "the inventory does not say what the device is called");
	}
	return error ? error : expand_sans(s, &facts);
}

/* ---- inventory ---- */

static int
set_unknown(struct submission *s, const char *why)
{
	if (vendor_of(s)->unknown == CONF_UNKNOWN_DENY) {
		return diag_set(&s->diag, CMPD_EACCES, "%s", why);
	}
	s->vendor.unknown = why;
	return 0;
}

static int
take_row(struct submission *s, const struct inventory *row)
{
	s->vendor.source =
	    pool_printf(s->desk->pool, "inventory line=%llu", (unsigned long long)row->number);
	if (!s->vendor.source) {
		return CMPD_ENOMEM;
	}
	s->vendor.subject = row->new_subject;
	s->vendor.profile = row->profile;
	if (row->new_sans[0]) {
		s->vendor.sans = row->new_sans;
	}
	return 0;
}

static int
look_up(struct submission *s)
{
	const struct desk_requester *requester = s->requester;
	struct pool *pool = s->desk->pool;
	const char *subject = NULL, *issuer = NULL;
	struct inventory row;
	int error = name_to_text(pool, requester->signer_subject, &subject);

	if (!error) {
		error = name_to_text(pool, requester->signer_issuer, &issuer);
	}
	if (!error) {
		error = store_inventory_find(s->desk->reader, pool, requester->signer_serial,
		    subject, issuer, &row);
	}
	if (error == CMPD_ENOENT) {
		return set_unknown(s, "the inventory does not know the device");
	}
	if (error) {
		return error;
	}
	if (row.subject && strcmp(row.subject, subject) != 0) {
		return set_unknown(s,
		    "the inventory has another subject for the serial number of the device");
	}
	return take_row(s, &row);
}

int
submission_find_vendor(struct submission *s)
{
	int error = 0;

	s->owner = *s->requester;
	memset(&s->vendor, 0, sizeof(s->vendor));
	if (!s->requester->signer_vendor) {
		return 0;
	}
	s->vendor.source = "template";
	if (vendor_of(s)->inventory) {
		error = look_up(s);
	}
	return error ? error : expand(s);
}

/* ---- in place of what was asked for ---- */

static bool
is_asked(struct bytes name)
{
	return name.data && name.len > 2; /* the empty name has two bytes */
}

static int
take_subject(struct submission *s)
{
	struct bytes asked = s->wanted.subject;
	int error = name_from_text(s->desk->pool, s->vendor.subject, &s->owner.signer_subject);

	if (error == CMPD_EFORMAT) {
		return diag_set(&s->diag, CMPD_ETEMPLATE,
		    "what the factory certificate says makes no subject: %s", s->vendor.subject);
	}
	if (error) {
		return error;
	}
	if (is_asked(asked) && name_equal(asked, s->owner.signer_subject)) {
		return 0;
	}
	if (is_asked(asked)) {
		s->vendor.mods = "names as the operator has them";
	}
	s->wanted.subject = s->owner.signer_subject;
	return 0;
}

static bool
same_list(const char **a, const char **b)
{
	while (*a && *b && !strcmp(*a, *b)) {
		a++;
		b++;
	}
	return !*a && !*b;
}

/* An operator who approves it later finds them by mods: so names that were not asked for are a modification too. */
static int
take_sans(struct submission *s)
{
	const char *const *sans = (const char *const *)s->vendor.sans;
	const char **asked = NULL, **given = NULL;
	int error =
	    name_sans_replace(s->desk->pool, BYTES_NONE, sans, false, &s->owner.signer_extensions);

	if (error == CMPD_EFORMAT) {
		return diag_set(&s->diag, CMPD_ETEMPLATE,
		    "what the factory certificate says makes no subjectAltName");
	}
	if (!error) {
		error = name_sans_to_text(s->desk->pool, s->wanted.extensions, &asked);
	}
	if (!error) {
		error = name_sans_to_text(s->desk->pool, s->owner.signer_extensions, &given);
	}
	if (error || same_list(asked, given)) {
		return error;
	}
	s->vendor.mods = "names as the operator has them";
	return name_sans_replace(s->desk->pool, s->wanted.extensions, sans, false,
	    &s->wanted.extensions);
}

int
submission_take_vendor(struct submission *s)
{
	int error = 0;

	if (s->vendor.unknown && !s->vendor.subject && !is_asked(s->wanted.subject)) {
		s->wanted.subject = s->requester->signer_subject;
	}
	if (s->vendor.subject) {
		error = take_subject(s);
	}
	if (!error && s->vendor.sans) {
		error = take_sans(s);
	}
	return error;
}
