/*
 * Values of keys: from text to field and back. Private to the room.
 */
#pragma once

#include "base/buf.h"
#include "base/pool.h"
#include "conf/schema.h"

struct conf_source {
	struct pool *pool; /* all values live there */
	const char *dir; /* relative files are taken from here; NULL: they stay as they are */
	const char *state_dir; /* NULL until it is known */
};

/* A size in bytes is a number, or a number and one of these; each is so many of the one before. */
#define CONF_SIZE_UNIT	1024
#define CONF_SIZE_UNITS 5
extern const char *const conf_size_units[CONF_SIZE_UNITS];

/* The field of row in the section's struct at base. */
void *conf_field(const struct conf_row *row, void *base);
const void *conf_field0(const struct conf_row *row, const void *base);

/* Sets a field of a scalar or list type. n texts: one for scalars. CMPD_ECONF with what is wrong in diag (without
 * file, line and key), CMPD_ENOMEM. */
int conf_value_set(const struct conf_source *source, const struct conf_row *row, void *base,
    const char *const *texts, size_t n, struct diag *diag) CMPD_MUST_CHECK;
/* The default of the row. The same errors. */
int conf_value_set_initial(const struct conf_source *source, const struct conf_row *row, void *base,
    struct diag *diag) CMPD_MUST_CHECK;

/* Is there anything to print? (A string without a value has none.) */
bool conf_value_is_set(const struct conf_row *row, const void *base);
/* In libconfig's syntax; PINs are masked. */
void conf_value_print(const struct conf_row *row, const void *base, struct buf *out);
bool conf_value_equal(const struct conf_row *row, const void *a, const void *b);

/* A value of a numeric row. */
void conf_print_number(const struct conf_row *row, int64_t v, struct buf *out);
/* A string in quotes, in libconfig's syntax. */
void conf_print_string(const char *text, struct buf *out);
/* The same for messages: in pool, long ones cut. Never NULL. */
const char *conf_quote(struct pool *pool, const char *text);
/* name taken from dir if it is relative; NULL: out of memory. */
const char *conf_absolute(struct pool *pool, const char *dir, const char *name);
