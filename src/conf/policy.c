/* The group of a plugin: we know its first key, all others are the plugin's. */
#include <string.h>

#include "conf/parse.h"

#define ARGS_MAX 1000

/* How many args the setting makes, or CMPD_ECONF. */
static int
count_args(struct conf_parser *parser, config_setting_t *setting)
{
	int n = conf_is_sequence(setting) ? config_setting_length(setting) : 1;

	if (n == 0) {
		/* The plugin would not see the key at all: a rule without its restriction. */
		return conf_fail(parser, setting, CMPD_ECONF, "%s: is an empty list",
		    config_setting_name(setting));
	}
	for (int i = 0; i < n; i++) {
		config_setting_t *one = conf_is_sequence(setting)
					    ? config_setting_get_elem(setting, (unsigned)i)
					    : setting;

		if (!config_setting_is_scalar(one)) {
			return conf_fail(parser, one, CMPD_ECONF,
			    "%s: wants a text, number or boolean, or a list of them",
			    config_setting_name(setting));
		}
	}
	return n;
}

static int
add_args(struct conf_parser *parser, config_setting_t *setting, struct conf_policy *policy)
{
	struct pool *pool = parser->source.pool;
	const char *key = pool_strdup(pool, config_setting_name(setting));
	int n = conf_is_sequence(setting) ? config_setting_length(setting) : 1;

	for (int i = 0; i < n; i++) {
		config_setting_t *one = conf_is_sequence(setting)
					    ? config_setting_get_elem(setting, (unsigned)i)
					    : setting;
		const char *value = conf_scalar_text(pool, one);

		if (key == NULL || value == NULL) {
			return CMPD_ENOMEM;
		}
		policy->args[policy->n_args++] = (struct conf_arg){key, value};
	}
	return 0;
}

static int
parse_plugin(struct conf_parser *parser, config_setting_t *setting, const char **ret)
{
	struct pool *pool = parser->source.pool;
	const char *text, *wanted;

	if (config_setting_type(setting) != CONFIG_TYPE_STRING) {
		return conf_fail(parser, setting, CMPD_ECONF, "plugin: wants a string: \"...\"");
	}
	text = config_setting_get_string(setting);
	wanted = strchr(text, '/') != NULL ? NULL : conf_check_name(text);
	if (wanted != NULL) {
		return conf_fail(parser, setting, CMPD_ECONF,
		    "plugin: %s is not allowed, wants the path of a file or a name of %s",
		    conf_quote(pool, text), wanted);
	}
	*ret = strchr(text, '/') != NULL ? conf_absolute(pool, parser->source.dir, text)
					 : pool_strdup(pool, text);
	return *ret == NULL ? CMPD_ENOMEM : 0;
}

int
conf_parse_policy(struct conf_parser *parser, config_setting_t *setting, struct conf_policy *ret)
{
	config_setting_t *plugin = config_setting_get_member(setting, "plugin");
	size_t total = 0;
	int error = 0;

	if (plugin == NULL) {
		return conf_fail(parser, setting, CMPD_ECONF, "plugin is missing");
	}
	for (int i = 0; i < config_setting_length(setting); i++) {
		int n = count_args(parser, config_setting_get_elem(setting, (unsigned)i));

		if (n < 0) {
			return n;
		}
		total += (size_t)n;
	}
	if (total > ARGS_MAX) {
		return conf_fail(parser, setting, CMPD_ECONF, "has more than %d values", ARGS_MAX);
	}
	ret->args = pool_alloc(parser->source.pool, total * sizeof(*ret->args));
	ret->where = conf_where(parser, setting);
	if (ret->args == NULL || ret->where == NULL) {
		return CMPD_ENOMEM;
	}
	for (int i = 0; error == 0 && i < config_setting_length(setting); i++) {
		config_setting_t *one = config_setting_get_elem(setting, (unsigned)i);

		error = one == plugin ? parse_plugin(parser, one, &ret->plugin)
				      : add_args(parser, one, ret);
	}
	return error;
}
