/* What concerns more than one key: names, references, pairs of values. */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#include "conf/parse.h"

/* The setting of a key in the nth group of a list; the group if the key is not there. */
static config_setting_t *
at(struct conf_parser *parser, const char *list, size_t n, const char *key)
{
	config_setting_t *groups = config_lookup(&parser->config, list);
	config_setting_t *group =
	    groups == NULL ? NULL : config_setting_get_elem(groups, (unsigned)n);
	config_setting_t *setting = group == NULL ? NULL : config_setting_get_member(group, key);

	return setting != NULL ? setting : group;
}

static bool
is_given(struct conf_parser *parser, const char *list, size_t n, const char *key)
{
	config_setting_t *setting = at(parser, list, n, key);

	return setting != NULL && config_setting_name(setting) != NULL &&
	       strcmp(config_setting_name(setting), key) == 0;
}

static int
twice(struct conf_parser *parser, const char *list, const char *key, size_t first, size_t second,
    const char *value)
{
	const char *where = conf_where(parser, at(parser, list, first, key));

	return conf_fail(parser, at(parser, list, second, key), CMPD_ECONF,
	    "%s: %s is there already, at %s", key, conf_quote(parser->source.pool, value),
	    where == NULL ? "another place" : where);
}

/* An alias of one endpoint that is a path of the other too, or stands twice; NULL: none. */
static const char *
shared_alias(const struct conf_endpoint *a, const struct conf_endpoint *b)
{
	for (const char **alias = b->aliases; *alias != NULL; alias++) {
		if (strcmp(*alias, a->path) == 0) {
			return *alias;
		}
		for (const char **other = a->aliases; *other != NULL; other++) {
			if (other != alias && strcmp(*other, *alias) == 0) {
				return *alias;
			}
		}
	}
	return NULL;
}

static int
check_names(struct conf_parser *parser)
{
	const struct conf *conf = parser->conf;

	for (size_t i = 0; i < conf->n_cas; i++) {
		for (size_t j = 0; j < i; j++) {
			if (strcmp(conf->cas[i].name, conf->cas[j].name) == 0) {
				return twice(parser, "cas", "name", j, i, conf->cas[i].name);
			}
		}
	}
	for (size_t i = 0; i < conf->n_profiles; i++) {
		for (size_t j = 0; j < i; j++) {
			if (strcmp(conf->profiles[i].name, conf->profiles[j].name) == 0) {
				return twice(parser, "profiles", "name", j, i,
				    conf->profiles[i].name);
			}
		}
	}
	for (size_t i = 0; i < conf->n_endpoints; i++) {
		for (size_t j = 0; j < conf->n_endpoints; j++) {
			const struct conf_endpoint *a = &conf->endpoints[i];
			const struct conf_endpoint *b = &conf->endpoints[j];
			const char *alias = shared_alias(a, b);

			if (j < i && strcmp(a->path, b->path) == 0) {
				return twice(parser, "endpoints", "path", j, i, a->path);
			}
			if (alias != NULL) {
				return twice(parser, "endpoints", "aliases", j, i, alias);
			}
		}
	}
	return 0;
}

static int
check_ca(struct conf_parser *parser, size_t n)
{
	struct conf_ca *ca = &parser->conf->cas[n];

	ca->where = conf_where(parser, at(parser, "cas", n, "name"));
	if (ca->where == NULL) {
		return CMPD_ENOMEM;
	}
	if (ca->crl_renew >= ca->crl_validity) {
		return conf_fail(parser, at(parser, "cas", n, "crl_renew"), CMPD_ECONF,
		    "crl_renew: must be less than crl_validity, or there are times without a CRL");
	}
	return 0;
}

static int
check_profile(struct conf_parser *parser, size_t n)
{
	struct conf_profile *profile = &parser->conf->profiles[n];

	profile->where = conf_where(parser, at(parser, "profiles", n, "name"));
	if (profile->where == NULL) {
		return CMPD_ENOMEM;
	}
	if (conf_ca_find(parser->conf, profile->ca) == NULL) {
		return conf_fail(parser, at(parser, "profiles", n, "ca"), CMPD_ECONF,
		    "ca: there is no CA named \"%s\"", profile->ca);
	}
	if (profile->allowed_keys[0] == NULL) {
		return conf_fail(parser, at(parser, "profiles", n, "allowed_keys"), CMPD_ECONF,
		    "allowed_keys: must not be empty");
	}
	for (size_t i = 0; !profile->allow_ca && profile->key_usage[i] != NULL; i++) {
		if (strcmp(profile->key_usage[i], "keyCertSign") == 0) {
			return conf_fail(parser, at(parser, "profiles", n, "key_usage"), CMPD_ECONF,
			    "key_usage: \"keyCertSign\" needs allow_ca = true");
		}
	}
	return 0;
}

/* Where messageTime may be missing, only what is remembered stops a replay. */
static int
check_replay(struct conf_parser *parser, size_t n)
{
	struct conf_endpoint *endpoint = &parser->conf->endpoints[n];
	bool keep = is_given(parser, "endpoints", n, "replay_keep");

	if (!is_given(parser, "endpoints", n, "message_time_required")) {
		endpoint->message_time_required = !keep;
	}
	if (!endpoint->message_time_required && !keep) {
		return conf_fail(parser, at(parser, "endpoints", n, "message_time_required"),
		    CMPD_ECONF, "message_time_required: false needs replay_keep");
	}
	if (!endpoint->message_time_required && endpoint->replay_keep == 0) {
		return conf_fail(parser, at(parser, "endpoints", n, "replay_keep"), CMPD_ECONF,
		    "replay_keep: must not be 0 where messageTime may be missing");
	}
	return 0;
}

static bool
same_text(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static int
check_ras(struct conf_parser *parser, size_t n)
{
	const struct conf_endpoint *endpoint = &parser->conf->endpoints[n];
	config_setting_t *where = at(parser, "endpoints", n, "ras");

	for (size_t i = 0; i < endpoint->n_ras; i++) {
		const struct conf_ra *ra = &endpoint->ras[i];

		if ((ra->certificate == NULL) == (ra->reference == NULL)) {
			return conf_fail(parser, where, CMPD_ECONF,
			    "ras: \"%s\" wants either certificate or reference", ra->name);
		}
		if (ra->reference != NULL && !endpoint->allow_mac) {
			return conf_fail(parser, where, CMPD_ECONF,
			    "ras: \"%s\" has a reference, but allow_mac is false", ra->name);
		}
		for (size_t k = 0; k < i; k++) {
			if (same_text(endpoint->ras[k].name, ra->name) ||
			    same_text(endpoint->ras[k].reference, ra->reference)) {
				return conf_fail(parser, where, CMPD_ECONF,
				    "ras: name or reference of \"%s\" is there twice", ra->name);
			}
		}
	}
	return 0;
}

/* A subjectAltName ("DNS:...") is of a kind ("dns") that the profile lets in. */
static bool
san_allowed(const struct conf_profile *profile, const char *san)
{
	for (const char **kind = profile->san; *kind != NULL; kind++) {
		size_t len = strlen(*kind);

		if (strncasecmp(*kind, san, len) == 0 && san[len] == ':') {
			return true;
		}
	}
	return false;
}

static int
check_vendor_sans(struct conf_parser *parser, size_t n)
{
	const struct conf_endpoint *endpoint = &parser->conf->endpoints[n];
	const struct conf_profile *profile = conf_profile_find(parser->conf, endpoint->profile);

	for (const char **san = endpoint->vendor.san; *san != NULL; san++) {
		if (!san_allowed(profile, *san)) {
			return conf_fail(parser, at(parser, "endpoints", n, "vendor"), CMPD_ECONF,
			    "vendor: san: \"%s\" is of a kind that san of profile \"%s\" does "
			    "not have",
			    *san, profile->name);
		}
	}
	return 0;
}

/* Who they are is known, what they are to be called must be too. */
static int
check_vendor(struct conf_parser *parser, size_t n)
{
	const struct conf_vendor *vendor = &parser->conf->endpoints[n].vendor;
	bool named = vendor->subject != NULL || vendor->inventory;

	if (vendor->unknown == CONF_UNKNOWN_DENY && !vendor->inventory) {
		return conf_fail(parser, at(parser, "endpoints", n, "vendor"), CMPD_ECONF,
		    "vendor: unknown = \"deny\" needs inventory = true: without it every device is "
		    "known");
	}

	if (vendor->trust[0] != NULL && !named) {
		return conf_fail(parser, at(parser, "endpoints", n, "vendor"), CMPD_ECONF,
		    "vendor: trust needs subject, or inventory = true: what are its devices "
		    "called?");
	}
	if (vendor->trust[0] == NULL && (named || vendor->san[0] != NULL)) {
		return conf_fail(parser, at(parser, "endpoints", n, "vendor"), CMPD_ECONF,
		    "vendor: trust is empty, so the other keys mean nothing");
	}
	return check_vendor_sans(parser, n);
}

/* Can anybody be authenticated? */
static bool
knows_requesters(const struct conf_endpoint *endpoint)
{
	return endpoint->allow_mac || endpoint->trust_own || endpoint->trust[0] != NULL ||
	       endpoint->n_ras > 0 || endpoint->ra_trust[0] != NULL ||
	       endpoint->vendor.trust[0] != NULL;
}

static int
check_endpoint(struct conf_parser *parser, size_t n)
{
	struct conf_endpoint *endpoint = &parser->conf->endpoints[n];
	int error;

	endpoint->where = conf_where(parser, at(parser, "endpoints", n, "path"));
	if (endpoint->where == NULL) {
		return CMPD_ENOMEM;
	}
	if (conf_profile_find(parser->conf, endpoint->profile) == NULL) {
		return conf_fail(parser, at(parser, "endpoints", n, "profile"), CMPD_ECONF,
		    "profile: there is no profile named \"%s\"", endpoint->profile);
	}
	for (size_t i = 0; endpoint->profiles[i] != NULL; i++) {
		if (conf_profile_find(parser->conf, endpoint->profiles[i]) == NULL) {
			return conf_fail(parser, at(parser, "endpoints", n, "profiles"), CMPD_ECONF,
			    "profiles: there is no profile named \"%s\"", endpoint->profiles[i]);
		}
	}
	if (endpoint->pbkdf2_iterations_min > endpoint->pbkdf2_iterations_max) {
		return conf_fail(parser, at(parser, "endpoints", n, "pbkdf2_iterations_min"),
		    CMPD_ECONF, "pbkdf2_iterations_min: is more than pbkdf2_iterations_max");
	}
	if (endpoint->pbm_iterations_min > endpoint->pbm_iterations_max) {
		return conf_fail(parser, at(parser, "endpoints", n, "pbm_iterations_min"),
		    CMPD_ECONF, "pbm_iterations_min: is more than pbm_iterations_max");
	}
	if (!knows_requesters(endpoint)) {
		return conf_fail(parser, at(parser, "endpoints", n, "allow_mac"), CMPD_ECONF,
		    "nobody could be authenticated: allow_mac and trust_own are false, and there "
		    "is no "
		    "trust, ras, ra_trust or vendor.trust");
	}
	if (endpoint->central_key[0] != NULL &&
	    (endpoint->kga_certificate == NULL || endpoint->kga_key == NULL)) {
		return conf_fail(parser, at(parser, "endpoints", n, "central_key"), CMPD_ECONF,
		    "central_key: needs kga = { certificate; key; }, which signs the keys that are "
		    "made");
	}
	if (endpoint->max_nested > 0 && endpoint->n_ras == 0 && endpoint->ra_trust[0] == NULL) {
		return conf_fail(parser, at(parser, "endpoints", n, "max_nested"), CMPD_ECONF,
		    "max_nested: needs ras or ra_trust: only registration authorities nest "
		    "messages");
	}
	error = check_ras(parser, n);
	if (error == 0) {
		error = check_vendor(parser, n);
	}
	return error != 0 ? error : check_replay(parser, n);
}

static int
check_sockets(struct conf_parser *parser)
{
	const struct conf *conf = parser->conf;

	for (size_t i = 0; conf->health != NULL && conf->listen[i] != NULL; i++) {
		if (strcmp(conf->listen[i], conf->health) == 0 &&
		    strcmp(conf->health + strlen(conf->health) - 2, ":0") != 0) {
			return conf_fail(parser, config_lookup(&parser->config, "health"),
			    CMPD_ECONF, "health: \"%s\" is in listen already", conf->health);
		}
	}
	if (strlen(conf->control.socket) >= sizeof(((struct sockaddr_un *)NULL)->sun_path)) {
		return conf_fail(parser, config_lookup(&parser->config, "control.socket"),
		    CMPD_ECONF, "control.socket: %s is longer than a socket's path can be",
		    conf_quote(parser->source.pool, conf->control.socket));
	}
	return 0;
}

int
conf_check(struct conf_parser *parser)
{
	int error = check_sockets(parser);

	if (error == 0) {
		error = check_names(parser);
	}
	for (size_t i = 0; error == 0 && i < parser->conf->n_cas; i++) {
		error = check_ca(parser, i);
	}
	for (size_t i = 0; error == 0 && i < parser->conf->n_profiles; i++) {
		error = check_profile(parser, i);
	}
	for (size_t i = 0; error == 0 && i < parser->conf->n_endpoints; i++) {
		error = check_endpoint(parser, i);
	}
	return error;
}
