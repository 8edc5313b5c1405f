/* The effective configuration, as text that can be read again. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "conf/value.h"

#define MASK "********"

static void
print_size(int64_t v, struct buf *out)
{
	char text[32];
	size_t u = 0;

	while (v != 0 && v % CONF_SIZE_UNIT == 0 && u + 1 < CONF_SIZE_UNITS) {
		v /= CONF_SIZE_UNIT;
		u++;
	}
	snprintf(text, sizeof(text), "\"%lld%s\"", (long long)v, conf_size_units[u]);
	buf_put(out, text, strlen(text));
}

void
conf_print_number(const struct conf_row *row, int64_t v, struct buf *out)
{
	char text[CLOCK_TEXT_SIZE + 2];
	char duration[CLOCK_TEXT_SIZE];

	if (row->type == CONF_SIZE) {
		print_size(v, out);
		return;
	}
	if (row->type == CONF_DURATION) {
		snprintf(text, sizeof(text), "\"%s\"", clock_format_duration(v, duration));
	} else {
		/* Without the L it would be cut to 32 bits. */
		snprintf(text, sizeof(text), "%lld%s", (long long)v, v > INT_MAX ? "L" : "");
	}
	buf_put(out, text, strlen(text));
}

bool
conf_value_is_set(const struct conf_row *row, const void *base)
{
	switch (row->type) {
	case CONF_STRING:
	case CONF_FILE:
	case CONF_KEY:
	case CONF_ADDRESS:
	case CONF_LIST:
		return *(const void *const *)conf_field0(row, base) != NULL;
	default:
		return true;
	}
}

void
conf_print_string(const char *text, struct buf *out)
{
	buf_put(out, "\"", 1);
	for (; *text != '\0'; text++) {
		uint8_t c = (uint8_t)*text;
		char hex[5];

		if (c < ' ' || c == 0x7f) {
			snprintf(hex, sizeof(hex), "\\x%02X", c);
			buf_put(out, hex, 4);
			continue;
		}
		if (c == '"' || c == '\\') {
			buf_put(out, "\\", 1);
		}
		buf_put(out, text, 1);
	}
	buf_put(out, "\"", 1);
}

/* RFC 7512 lets a PIN stand in the URI of a token's key. */
static void
print_key(const char *text, struct buf *out)
{
	static const char mark[] = "pin-value=";
	struct buf masked;

	buf_init(&masked, 2 * PATH_MAX);
	while (*text != '\0') {
		const char *pin = strstr(text, mark);
		size_t len = pin == NULL ? strlen(text) : (size_t)(pin - text) + strlen(mark);

		buf_put(&masked, text, len);
		text += len;
		if (pin != NULL) {
			buf_put(&masked, MASK, strlen(MASK));
			text += strcspn(text, "&;?");
		}
	}
	buf_put_u8(&masked, 0);
	conf_print_string(buf_error(&masked) == 0 ? (const char *)masked.data : "", out);
	buf_fini(&masked);
}

static void
print_list(const char *const *list, struct buf *out)
{
	buf_put(out, "[", 1);
	for (size_t i = 0; list[i] != NULL; i++) {
		buf_put(out, ", ", i == 0 ? 0 : 2);
		conf_print_string(list[i], out);
	}
	buf_put(out, "]", 1);
}

static void
print_words(const struct conf_row *row, uint32_t value, struct buf *out)
{
	bool bits = row->type == CONF_BITS;
	const char *comma = "";

	buf_put(out, "[", bits ? 1 : 0);
	for (const struct conf_word *w = row->words; w->name != NULL; w++) {
		if (bits ? (value & w->value) != 0 : value == w->value) {
			buf_put(out, comma, strlen(comma));
			conf_print_string(w->name, out);
			comma = ", ";
		}
	}
	buf_put(out, "]", bits ? 1 : 0);
}

void
conf_value_print(const struct conf_row *row, const void *base, struct buf *out)
{
	const void *field = conf_field0(row, base);
	uint32_t word;

	switch (row->type) {
	case CONF_LIST:
		print_list(*(const char *const *const *)field, out);
		break;
	case CONF_BITS:
	case CONF_ENUM:
		memcpy(&word, field, sizeof(word));
		print_words(row, word, out);
		break;
	case CONF_BOOL:
		buf_put_bytes(out, bytes_str(*(const bool *)field ? "true" : "false"));
		break;
	case CONF_INT:
	case CONF_SIZE:
	case CONF_DURATION:
		conf_print_number(row, *(const int64_t *)field, out);
		break;
	case CONF_KEY:
		print_key(*(const char *const *)field, out);
		break;
	default:
		conf_print_string(*(const char *const *)field, out);
		break;
	}
}

static void
indent(struct buf *out, size_t depth)
{
	while (depth-- > 0) {
		buf_put_u8(out, '\t');
	}
}

static void
put(struct buf *out, const char *text)
{
	buf_put_bytes(out, bytes_str(text));
}

/* Plugins have keys that we do not know. */
static bool
is_secret(const char *key)
{
	return strcasestr(key, "secret") != NULL || strcasestr(key, "passw") != NULL ||
	       strcasestr(key, "passphrase") != NULL || strcasestr(key, "token") != NULL ||
	       strcasecmp(key, "pin") == 0;
}

static void
print_arg(const struct conf_arg *arg, struct buf *out)
{
	conf_print_string(is_secret(arg->key) ? MASK : arg->value, out);
}

/* A key that is repeated was a list. */
static void
print_policy(const struct conf_policy *policy, size_t depth, struct buf *out)
{
	put(out, "{\n");
	indent(out, depth + 1);
	put(out, "plugin = ");
	conf_print_string(policy->plugin, out);
	put(out, ";\n");
	for (size_t i = 0, n; i < policy->n_args; i += n) {
		const struct conf_arg *args = policy->args + i;

		n = 1;
		while (i + n < policy->n_args && strcmp(args[n].key, args[0].key) == 0) {
			n++;
		}
		indent(out, depth + 1);
		put(out, args[0].key);
		put(out, n > 1 ? " = [" : " = ");
		for (size_t k = 0; k < n; k++) {
			put(out, k > 0 ? ", " : "");
			print_arg(&args[k], out);
		}
		put(out, n > 1 ? "];\n" : ";\n");
	}
	indent(out, depth);
	put(out, "}");
}

static void print_group(const struct conf_section *section, const void *base, size_t depth,
    struct buf *out);

static void
print_groups(const struct conf_row *row, const void *base, size_t depth, struct buf *out)
{
	const char *items = *(const char *const *)conf_field0(row, base);
	size_t n = *(const size_t *)(const void *)((const char *)base + row->count);

	put(out, "(");
	for (size_t i = 0; i < n; i++) {
		put(out, i > 0 ? ", " : "");
		if (row->type == CONF_POLICY) {
			const void *policy = items + i * sizeof(struct conf_policy);

			print_policy(policy, depth, out);
		} else {
			print_group(row->section, items + i * row->section->size, depth, out);
		}
	}
	put(out, ")");
}

static void
print_rows(const struct conf_section *section, const void *base, size_t depth, struct buf *out)
{
	for (const struct conf_row *row = section->rows; row->name != NULL; row++) {
		if (!conf_value_is_set(row, base)) {
			continue;
		}
		indent(out, depth);
		put(out, row->name);
		put(out, " = ");
		if (row->type == CONF_GROUP) {
			print_group(row->section, conf_field0(row, base), depth, out);
		} else if (row->type == CONF_GROUPS || row->type == CONF_POLICY) {
			print_groups(row, base, depth, out);
		} else {
			conf_value_print(row, base, out);
		}
		put(out, ";\n");
	}
}

static void
print_group(const struct conf_section *section, const void *base, size_t depth, struct buf *out)
{
	put(out, "{\n");
	print_rows(section, base, depth + 1, out);
	indent(out, depth);
	put(out, "}");
}

void
conf_print(const struct conf *conf, struct buf *out)
{
	print_rows(&conf_root, conf, 0, out);
}
