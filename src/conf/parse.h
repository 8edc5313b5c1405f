/*
 * A configuration being read. Private to the room.
 */
#pragma once

#include <libconfig.h>

#include "conf/value.h"

struct conf_parser {
	struct conf_source source;
	const char *name; /* of the file, for messages */
	config_t config;
	struct conf *conf;
	struct diag *diag;
};

/* Returns error after putting "file:line: " of the setting and the text into diag. NULL: the file only. */
int conf_fail(const struct conf_parser *parser, const config_setting_t *setting, int error,
    const char *format, ...) CMPD_PRINTF(4, 5);

/* "file:line" in pool; NULL: out of memory. */
const char *conf_where(const struct conf_parser *parser, const config_setting_t *setting);

/* ( ... ) or [ ... ] */
static inline bool
conf_is_sequence(const config_setting_t *setting)
{
	return config_setting_is_list(setting) || config_setting_is_array(setting);
}

/* The text of a scalar in pool; NULL: no scalar, or out of memory. */
const char *conf_scalar_text(struct pool *pool, const config_setting_t *setting);

/* Fills base with the keys of setting (NULL: all defaults). */
int conf_parse_group(struct conf_parser *parser, const struct conf_section *section,
    config_setting_t *setting, void *base) CMPD_MUST_CHECK;
/* One plugin of a chain. */
int conf_parse_policy(struct conf_parser *parser, config_setting_t *setting,
    struct conf_policy *ret) CMPD_MUST_CHECK;
/* What concerns more than one key. */
int conf_check(struct conf_parser *parser) CMPD_MUST_CHECK;

/* The whole file in pool, with a NUL. CMPD_EIO, CMPD_ECONF (too large, a NUL in it), CMPD_ENOMEM. */
int conf_text_read(struct pool *pool, const char *file, const char **ret,
    struct diag *diag) CMPD_MUST_CHECK;
/*
 * Finds in the text what libconfig would not tell: numbers it cuts to 32 bits, and included files
 * that cannot be read. pool: for a while. CMPD_ECONF, CMPD_EIO, CMPD_ENOMEM with file:line in diag. dir NULL: nothing may be included.
 */
int conf_text_check(struct pool *pool, const char *name, const char *dir, const char *text,
    struct diag *diag) CMPD_MUST_CHECK;
