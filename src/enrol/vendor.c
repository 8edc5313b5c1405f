/*
 * First requests of devices with a factory certificate: what the device is called says the operator, by templates over
 * the certificate (endpoint: vendor).
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

int
submission_find_vendor(struct submission *s)
{
	const struct desk_requester *requester = s->requester;
	const struct name_facts facts = {
	    .subject = requester->signer_subject,
	    .issuer = requester->signer_issuer,
	    .serial = requester->signer_serial,
	};
	int error;

	s->owner = *requester;
	memset(&s->vendor, 0, sizeof(s->vendor));
	if (!requester->signer_vendor) {
		return 0;
	}
	s->vendor.source = "template";
	error = expand_subject(s, &facts);
	return error ? error : expand_sans(s, &facts);
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

	if (s->vendor.subject) {
		error = take_subject(s);
	}
	if (!error && s->vendor.sans) {
		error = take_sans(s);
	}
	return error;
}
