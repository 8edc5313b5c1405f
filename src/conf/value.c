#include "conf/value.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#define LIST_LIMIT 1000

const char *const conf_size_units[CONF_SIZE_UNITS] = {"", "KiB", "MiB", "GiB", "TiB"};

void *
conf_field(const struct conf_row *row, void *base)
{
	return (char *)base + row->offset;
}

const void *
conf_field0(const struct conf_row *row, const void *base)
{
	return (const char *)base + row->offset;
}

const char *
conf_absolute(struct pool *pool, const char *dir, const char *name)
{
	if (name[0] == '/' || dir == NULL) {
		return pool_strdup(pool, name);
	}
	while (strncmp(name, "./", 2) == 0) {
		name += 2;
	}
	return pool_printf(pool, "%s%s%s", dir, strcmp(dir, "/") == 0 ? "" : "/", name);
}

const char *
conf_quote(struct pool *pool, const char *text)
{
	char shown[80];
	size_t n = 0;
	const char *out;

	for (; *text != '\0' && n < sizeof(shown) - 4; text++) {
		uint8_t c = (uint8_t)*text;

		shown[n++] = c < ' ' || c == 0x7f || c == '"' ? '?' : *text;
	}
	if (*text != '\0') {
		memcpy(shown + n, "...", 3);
		n += 3;
	}
	shown[n] = '\0';
	out = pool_printf(pool, "\"%s\"", shown);
	return out == NULL ? "\"\"" : out;
}

/* Does it begin like "pkcs11:"? */
static bool
is_uri(const char *text)
{
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789+.-");

	return len > 1 && text[len] == ':';
}

static int
set_string(const struct conf_source *source, const struct conf_row *row, enum conf_type type,
    const char *text, const char **ret, struct diag *diag)
{
	const char *wanted = row->check != NULL ? row->check(text) : NULL;
	const char *out = text;

	if (text[0] == '\0') {
		return diag_set(diag, CMPD_ECONF, "must not be empty");
	}
	if (strlen(text) >= PATH_MAX) {
		wanted = "a shorter text";
	}
	if (type == CONF_ADDRESS && strncmp(text, "unix:", 5) == 0) {
		out = conf_absolute(source->pool, source->dir, text + 5);
		out = out == NULL ? NULL : pool_printf(source->pool, "unix:%s", out);
	} else if (type == CONF_FILE || (type == CONF_KEY && !is_uri(text))) {
		out = conf_absolute(source->pool, source->dir, text);
	} else {
		out = pool_strdup(source->pool, text);
	}
	if (out == NULL) {
		return CMPD_ENOMEM;
	}
	if (wanted == NULL && type == CONF_ADDRESS) {
		wanted = conf_check_address(out);
	}
	if (wanted != NULL) {
		return diag_set(diag, CMPD_ECONF, "%s is not allowed, wants %s",
		    conf_quote(source->pool, text), wanted);
	}
	*ret = out;
	return 0;
}

/* The number in text with one of the units behind it; false: none, or beyond int64_t. */
static bool
parse_number(const char *text, const char *const *units, size_t n_units, int64_t *ret)
{
	bool negative = text[0] == '-';
	const char *digits = text + negative;
	size_t n = strspn(digits, "0123456789");
	int64_t v = 0;
	size_t u = 0;

	while (u < n_units && strcmp(digits + n, units[u]) != 0) {
		u++;
	}
	if (n == 0 || u == n_units) {
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, digits[i] - '0', &v)) {
			return false;
		}
	}
	for (; u > 0; u--) {
		if (__builtin_mul_overflow(v, CONF_SIZE_UNIT, &v)) {
			return false;
		}
	}
	*ret = negative ? -v : v;
	return true;
}

/* What the limits of a row are, in its own units. */
static int
out_of_range(const struct conf_row *row, struct diag *diag)
{
	struct buf low, high;

	buf_init(&low, 64);
	buf_init(&high, 64);
	conf_print_number(row, row->min, &low);
	conf_print_number(row, row->max, &high);
	diag_set(diag, CMPD_ECONF, "must be from %.*s to %.*s", (int)low.len,
	    (const char *)low.data, (int)high.len, (const char *)high.data);
	buf_fini(&low);
	buf_fini(&high);
	return CMPD_ECONF;
}

static int
set_number(const struct conf_source *source, const struct conf_row *row, const char *text,
    int64_t *ret, struct diag *diag)
{
	const char *wanted = NULL;
	int64_t v = 0;
	int error = 0;

	if (row->type == CONF_DURATION) {
		error = clock_parse_duration(text, &v);
		wanted =
		    error == CMPD_EFORMAT
			? "a duration: \"90d\", \"12h\", \"30m\", \"30s\", \"500ms\" or seconds"
			: NULL;
	} else if (row->type == CONF_SIZE) {
		wanted = parse_number(text, conf_size_units, CONF_SIZE_UNITS, &v)
			     ? NULL
			     : "a size: bytes, or \"64KiB\", \"1MiB\", \"1GiB\", \"1TiB\"";
	} else if (!parse_number(text, conf_size_units, 1, &v)) {
		wanted = "a whole number";
	}
	if (wanted != NULL) {
		return diag_set(diag, CMPD_ECONF, "%s is not allowed, wants %s",
		    conf_quote(source->pool, text), wanted);
	}
	if (error != 0 || v < row->min || v > row->max) {
		return out_of_range(row, diag);
	}
	*ret = v;
	return 0;
}

/* ENUM and BITS. */
static int
set_word(const struct conf_source *source, const struct conf_row *row, const char *text,
    uint32_t *ret, struct diag *diag)
{
	struct diag list = {""};

	for (const struct conf_word *w = row->words; w->name != NULL; w++) {
		size_t len = strlen(list.text);

		if (strcmp(w->name, text) == 0) {
			*ret = w->value;
			return 0;
		}
		snprintf(list.text + len, sizeof(list.text) - len, "%s\"%s\"",
		    w == row->words ? "" : ", ", w->name);
	}
	return diag_set(diag, CMPD_ECONF, "%s is not allowed, wants one of %s",
	    conf_quote(source->pool, text), list.text);
}

static int
set_list(const struct conf_source *source, const struct conf_row *row, const char ***ret,
    const char *const *texts, size_t n, struct diag *diag)
{
	const char **list;
	int error;

	if (n > LIST_LIMIT) {
		return diag_set(diag, CMPD_ECONF, "has more than %d elements", LIST_LIMIT);
	}
	list = pool_alloc(source->pool, (n + 1) * sizeof(*list));
	if (list == NULL) {
		return CMPD_ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		uint32_t value;

		error = row->words != NULL ? set_word(source, row, texts[i], &value, diag) : 0;
		if (error == 0) {
			error = set_string(source, row, row->element, texts[i], &list[i], diag);
		}
		if (error != 0) {
			return error;
		}
		for (size_t j = 0; j < i; j++) {
			if (strcmp(list[i], list[j]) == 0) {
				return diag_set(diag, CMPD_ECONF, "%s stands there twice",
				    conf_quote(source->pool, texts[i]));
			}
		}
	}
	*ret = list;
	return 0;
}

static int
set_bits(const struct conf_source *source, const struct conf_row *row, uint32_t *ret,
    const char *const *texts, size_t n, struct diag *diag)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < n; i++) {
		uint32_t bit = 0;
		int error = set_word(source, row, texts[i], &bit, diag);

		if (error != 0) {
			return error;
		}
		bits |= bit;
	}
	/* A list that is empty by default may be left empty. */
	if (bits == 0 && row->initial[0] != '\0') {
		return diag_set(diag, CMPD_ECONF, "must not be empty");
	}
	*ret = bits;
	return 0;
}

int
conf_value_set(const struct conf_source *source, const struct conf_row *row, void *base,
    const char *const *texts, size_t n, struct diag *diag)
{
	void *field = conf_field(row, base);
	uint32_t word;
	int error;

	switch (row->type) {
	case CONF_LIST:
		return set_list(source, row, field, texts, n, diag);
	case CONF_BITS:
		return set_bits(source, row, field, texts, n, diag);
	case CONF_BOOL:
		*(bool *)field = strcmp(texts[0], "true") == 0;
		return 0;
	case CONF_INT:
	case CONF_SIZE:
	case CONF_DURATION:
		return set_number(source, row, texts[0], field, diag);
	case CONF_ENUM:
		error = set_word(source, row, texts[0], &word, diag);
		if (error == 0) {
			memcpy(field, &word, sizeof(word));
		}
		return error;
	default:
		error = row->words != NULL ? set_word(source, row, texts[0], &word, diag) : 0;
		return error != 0 ? error
				  : set_string(source, row, row->type, texts[0], field, diag);
	}
}

int
conf_value_set_initial(const struct conf_source *source, const struct conf_row *row, void *base,
    struct diag *diag)
{
	static const char mark[] = "$state_dir";
	const char *texts[32];
	size_t n = 0;
	char *text;

	if (row->initial == NULL) {
		return 0;
	}
	if (strncmp(row->initial, mark, sizeof(mark) - 1) == 0 && source->state_dir != NULL) {
		text = pool_printf(source->pool, "%s%s", source->state_dir,
		    row->initial + sizeof(mark) - 1);
	} else {
		text = pool_strdup(source->pool, row->initial);
	}
	if (text == NULL) {
		return CMPD_ENOMEM;
	}
	if (row->type != CONF_LIST && row->type != CONF_BITS) {
		texts[n++] = text;
	} else {
		for (char *rest = NULL, *t = strtok_r(text, " ", &rest);
		     t != NULL && n < sizeof(texts) / sizeof(texts[0]);
		     t = strtok_r(NULL, " ", &rest)) {
			texts[n++] = t;
		}
	}
	return conf_value_set(source, row, base, texts, n, diag);
}

static bool
same_string(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool
same_list(const char *const *a, const char *const *b)
{
	size_t i = 0;

	while (a[i] != NULL && same_string(a[i], b[i])) {
		i++;
	}
	return a[i] == b[i];
}

bool
conf_value_equal(const struct conf_row *row, const void *a, const void *b)
{
	const void *fa = conf_field0(row, a), *fb = conf_field0(row, b);

	switch (row->type) {
	case CONF_LIST:
		return same_list(*(const char *const *const *)fa, *(const char *const *const *)fb);
	case CONF_BITS:
	case CONF_ENUM:
		return memcmp(fa, fb, sizeof(uint32_t)) == 0;
	case CONF_BOOL:
		return *(const bool *)fa == *(const bool *)fb;
	case CONF_INT:
	case CONF_SIZE:
	case CONF_DURATION:
		return *(const int64_t *)fa == *(const int64_t *)fb;
	default:
		return same_string(*(const char *const *)fa, *(const char *const *)fb);
	}
}
