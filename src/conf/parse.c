/* From libconfig's tree to the structs, driven by the rows. */
#include "conf/parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GROUPS_MAX 10000

const char *
conf_where(const struct conf_parser *parser, const config_setting_t *setting)
{
	const char *file = config_setting_source_file(setting);

	return pool_printf(parser->source.pool, "%s:%u", file == NULL ? parser->name : file,
	    (unsigned)config_setting_source_line(setting));
}

int
conf_fail(const struct conf_parser *parser, const config_setting_t *setting, int error,
    const char *format, ...)
{
	struct diag text;
	const char *where = setting == NULL ? parser->name : conf_where(parser, setting);
	va_list args;

	va_start(args, format);
	if (vsnprintf(text.text, sizeof(text.text), format, args) < 0) {
		text.text[0] = '\0';
	}
	va_end(args);
	return diag_set(parser->diag, error, "%s: %s", where == NULL ? parser->name : where,
	    text.text);
}

const char *
conf_scalar_text(struct pool *pool, const config_setting_t *setting)
{
	char text[40];
	double v;

	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		return pool_printf(pool, "%lld", config_setting_get_int64(setting));
	case CONFIG_TYPE_BOOL:
		return config_setting_get_bool(setting) != 0 ? "true" : "false";
	case CONFIG_TYPE_FLOAT:
		v = config_setting_get_float(setting);
		snprintf(text, sizeof(text), "%.15g", v);
		if (strtod(text, NULL) != v) {
			snprintf(text, sizeof(text), "%.17g", v);
		}
		return pool_strdup(pool, text);
	case CONFIG_TYPE_STRING:
		return pool_strdup(pool, config_setting_get_string(setting));
	default:
		return NULL;
	}
}

/* NULL if the setting has the form that the row wants, else what that is. */
static const char *
wrong_form(const struct conf_row *row, const config_setting_t *setting)
{
	int type = config_setting_type(setting);
	bool number = type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64;

	switch (row->type) {
	case CONF_BOOL:
		return type == CONFIG_TYPE_BOOL ? NULL : "true or false, without quotes";
	case CONF_INT:
		return number ? NULL : "a whole number, without quotes";
	case CONF_SIZE:
		return number || type == CONFIG_TYPE_STRING
			   ? NULL
			   : "a size: bytes, or \"64KiB\", \"1MiB\", \"1GiB\", \"1TiB\"";
	case CONF_DURATION:
		return number || type == CONFIG_TYPE_STRING
			   ? NULL
			   : "a duration: \"90d\", \"12h\", \"30m\", \"30s\", \"500ms\" or seconds";
	case CONF_LIST:
	case CONF_BITS:
		return conf_is_sequence(setting) ? NULL : "a list of strings: [ \"a\", \"b\" ]";
	case CONF_GROUP:
		return config_setting_is_group(setting) ? NULL : "a group: { ... }";
	case CONF_GROUPS:
	case CONF_POLICY:
		return config_setting_is_list(setting) ? NULL : "a list of groups: ( { ... } )";
	default:
		return type == CONFIG_TYPE_STRING ? NULL : "a string: \"...\"";
	}
}

static int
parse_value(struct conf_parser *parser, const struct conf_row *row, config_setting_t *setting,
    void *base)
{
	bool list = row->type == CONF_LIST || row->type == CONF_BITS;
	size_t n = list ? (size_t)config_setting_length(setting) : 1;
	const char **texts = pool_alloc(parser->source.pool, (n + 1) * sizeof(*texts));
	struct diag why = {""};
	int error;

	if (texts == NULL) {
		return CMPD_ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		config_setting_t *one =
		    list ? config_setting_get_elem(setting, (unsigned)i) : setting;

		if (list && config_setting_type(one) != CONFIG_TYPE_STRING) {
			return conf_fail(parser, one, CMPD_ECONF,
			    "%s: wants a list of strings: [ \"a\", \"b\" ]", row->name);
		}
		texts[i] = conf_scalar_text(parser->source.pool, one);
		if (texts[i] == NULL) {
			return CMPD_ENOMEM;
		}
	}
	error = conf_value_set(&parser->source, row, base, texts, n, &why);
	return error == 0 ? 0 : conf_fail(parser, setting, error, "%s: %s", row->name, why.text);
}

static int
parse_groups(struct conf_parser *parser, const struct conf_row *row, config_setting_t *setting,
    void *base)
{
	size_t n = setting == NULL ? 0 : (size_t)config_setting_length(setting);
	bool policy = row->type == CONF_POLICY;
	size_t size = policy ? sizeof(struct conf_policy) : row->section->size;
	char *items = NULL;

	if (n == 0 && (row->flags & CONF_REQUIRED) != 0) {
		return conf_fail(parser, setting, CMPD_ECONF, "%s: wants at least one", row->name);
	}
	if (n > GROUPS_MAX) {
		return conf_fail(parser, setting, CMPD_ECONF, "%s: has more than %d groups",
		    row->name, GROUPS_MAX);
	}
	items = pool_alloc(parser->source.pool, n * size);
	if (items == NULL) {
		return CMPD_ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		config_setting_t *one = config_setting_get_elem(setting, (unsigned)i);
		void *item = items + i * size;
		int error;

		if (!config_setting_is_group(one)) {
			return conf_fail(parser, one, CMPD_ECONF,
			    "%s: wants a list of groups: ( { ... } )", row->name);
		}
		error = policy ? conf_parse_policy(parser, one, item)
			       : conf_parse_group(parser, row->section, one, item);
		if (error != 0) {
			return error;
		}
	}
	*(void **)conf_field(row, base) = items;
	*(size_t *)(void *)((char *)base + row->count) = n;
	return 0;
}

static bool
is_group(const struct conf_row *row)
{
	return row->type == CONF_GROUP || row->type == CONF_GROUPS || row->type == CONF_POLICY;
}

static int
parse_row(struct conf_parser *parser, const struct conf_row *row, config_setting_t *group,
    void *base)
{
	config_setting_t *setting =
	    group == NULL ? NULL : config_setting_get_member(group, row->name);
	const char *wanted = setting == NULL ? NULL : wrong_form(row, setting);
	struct diag why = {""};
	int error;

	if (setting == NULL && (row->flags & CONF_REQUIRED) != 0) {
		return conf_fail(parser,
		    group == NULL || config_setting_is_root(group) ? NULL : group, CMPD_ECONF,
		    "%s is missing", row->name);
	}
	if (wanted != NULL) {
		return conf_fail(parser, setting, CMPD_ECONF, "%s: wants %s", row->name, wanted);
	}
	if (row->type == CONF_GROUP) {
		return conf_parse_group(parser, row->section, setting, conf_field(row, base));
	}
	if (is_group(row)) {
		return parse_groups(parser, row, setting, base);
	}
	if (setting != NULL) {
		return parse_value(parser, row, setting, base);
	}
	error = conf_value_set_initial(&parser->source, row, base, &why);
	return error == 0 ? 0 : conf_fail(parser, NULL, error, "%s: %s", row->name, why.text);
}

static int
refuse_unknown(struct conf_parser *parser, const struct conf_section *section,
    config_setting_t *group)
{
	for (int i = 0; i < config_setting_length(group); i++) {
		config_setting_t *one = config_setting_get_elem(group, (unsigned)i);
		const char *name = config_setting_name(one);
		const char *nearest;

		if (conf_row_find(section, name) != NULL) {
			continue;
		}
		nearest = conf_row_nearest(section, name);
		return conf_fail(parser, one, CMPD_ECONF, "unknown key %s%s%s%s",
		    conf_quote(parser->source.pool, name),
		    nearest == NULL ? "" : " (did you mean \"", nearest == NULL ? "" : nearest,
		    nearest == NULL ? "" : "\"?)");
	}
	return 0;
}

int
conf_parse_group(struct conf_parser *parser, const struct conf_section *section,
    config_setting_t *setting, void *base)
{
	int error = setting == NULL ? 0 : refuse_unknown(parser, section, setting);

	/* Groups last: state_dir is in some of their defaults. */
	for (int groups = 0; groups <= 1; groups++) {
		for (const struct conf_row *row = section->rows; error == 0 && row->name != NULL;
		     row++) {
			if (is_group(row) == groups) {
				error = parse_row(parser, row, setting, base);
			}
		}
		parser->source.state_dir = parser->conf->state_dir;
	}
	return error;
}
