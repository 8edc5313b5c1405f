/*
 * The rows of the configuration: what parses, prints, compares and documents
 * a key is driven by these tables alone. Private to the room.
 */
#pragma once

#include "conf/conf.h"

enum conf_type {
	CONF_STRING, /* const char *; one of words, if there are any */
	CONF_FILE, /* const char *, made absolute */
	CONF_KEY, /* const char *: a file, made absolute, or a URI; a PIN in it is never printed */
	CONF_ADDRESS, /* const char *: addr:port, [v6]:port, unix:path (made absolute) */
	CONF_BOOL, /* bool */
	CONF_INT, /* int64_t */
	CONF_SIZE, /* int64_t, bytes */
	CONF_DURATION, /* int64_t, ms */
	CONF_ENUM, /* an enum, by words */
	CONF_BITS, /* uint32_t: the values of all words given, or-ed */
	CONF_LIST, /* const char **, NULL at its end; elements are of type element */
	CONF_GROUP, /* the keys of section, within this struct */
	CONF_GROUPS, /* an array of structs of section and, at count, its size_t */
	CONF_POLICY /* as CONF_GROUPS, of struct conf_policy; takes any key */
};

enum { CONF_REQUIRED = 1, CONF_RELOADABLE = 2 };

struct conf_word {
	const char *name;
	uint32_t value;
};

struct conf_row {
	const char *name;
	enum conf_type type;
	enum conf_type element; /* CONF_LIST */
	int flags;
	size_t offset; /* of the field in the section's struct */
	size_t count; /* CONF_GROUPS, CONF_POLICY */
	/* Default as text, the elements of a list parted by spaces; NULL: none. "$state_dir" at
	 * its start is replaced. */
	const char *initial;
	int64_t min, max; /* numbers, sizes, durations: both are allowed values */
	const struct conf_word *words; /* ended by a NULL name */
	/* Strings: NULL if good, else what is wanted, as in "wants ...". */
	const char *(*check)(const char *value);
	const struct conf_section *section;
	const char *help; /* sentences for the manual, in scdoc's markup */
};

struct conf_section {
	const char *name;
	const char *help;
	size_t size; /* of the struct */
	const struct conf_row *rows; /* ended by a NULL name */
};

extern const struct conf_section conf_root;

/* NULL: no such key. */
const struct conf_row *conf_row_find(const struct conf_section *section, const char *name);
/* The key of the section that looks most like name, NULL if none does. */
const char *conf_row_nearest(const struct conf_section *section, const char *name);

/* For schema.check, in names.c: */
const char *conf_check_name(const char *value);
const char *conf_check_proxy(const char *value);
const char *conf_check_path(const char *value);
const char *conf_check_url(const char *value);
const char *conf_check_key_kind(const char *value);
const char *conf_check_made_key(const char *value);
const char *conf_check_key_purpose(const char *value);
/* "addr:port", "[v6]:port", "unix:path". */
const char *conf_check_address(const char *value);
