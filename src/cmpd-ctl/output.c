/*
 * Words for people and JSON for programs. Whatever comes from cmpd is made harmless again here.
 */
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmpd-ctl/tool.h"
#include "ctl/protocol.h"

#define TEXT_MAX    (64u * 1024)
#define LABEL_WIDTH 14

static bool ascii_only; /* the terminal knows no UTF-8 */

void
output_setup(void)
{
	(void)setlocale(LC_CTYPE, "");
	ascii_only = strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
}

char *
output_clean(const char *text)
{
	char *clean = ctl_text_clean(text ? text : "-", ascii_only, TEXT_MAX);

	if (!clean) {
		(void)fputs("cmpd-ctl: out of memory\n", stderr);
		exit(EXIT_ERROR);
	}
	return clean;
}

void
output_text(FILE *out, const char *text)
{
	char *clean = output_clean(text);

	(void)fputs(clean, out);
	free(clean);
}

int
tool_fail(int code, const char *format, ...)
{
	char text[2048];
	va_list args;

	va_start(args, format);
	if (vsnprintf(text, sizeof(text), format, args) < 0) {
		text[0] = '\0';
	}
	va_end(args);
	(void)fflush(stdout);
	(void)fputs("cmpd-ctl: ", stderr);
	output_text(stderr, text);
	(void)fputs("\n", stderr);
	return code;
}

const char *
json_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

const char *
json_word(const json_t *object, const char *key)
{
	const char *text = json_text(object, key);

	return text ? text : "?";
}

int64_t
json_number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

int64_t
json_time(const json_t *object, const char *key)
{
	const char *text = json_text(object, key);
	struct tm tm = {0};
	const char *end = text ? strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm) : NULL;

	return end && *end == '\0' ? (int64_t)timegm(&tm) * 1000 : 0;
}

char *
output_age(int64_t ms, char out[AGE_SIZE])
{
	static const struct {
		int64_t seconds; /* used below this age */
		int64_t unit;
		const char *letter;
	} units[] = {
	    {60, 1, "s"},
	    {3600, 60, "m"},
	    {86400, 3600, "h"},
	    {1000LL * 86400, 86400, "d"},
	    {INT64_MAX, 365LL * 86400, "y"},
	};
	int64_t seconds = ms > 0 ? ms / 1000 : 0;
	size_t i = 0;

	while (seconds >= units[i].seconds && units[i].seconds != INT64_MAX) {
		i++;
	}
	(void)snprintf(out, AGE_SIZE, "%lld%s", (long long)(seconds / units[i].unit),
	    units[i].letter);
	return out;
}

char *
json_join(const json_t *array)
{
	size_t len = 1;
	char *text, *p;

	for (size_t i = 0; i < json_array_size(array); i++) {
		len += json_string_length(json_array_get(array, i)) + 2;
	}
	text = calloc(1, len);
	if (!text) {
		(void)tool_fail(EXIT_ERROR, "out of memory");
		exit(EXIT_ERROR);
	}
	p = text;
	for (size_t i = 0; i < json_array_size(array); i++) {
		const char *item = json_string_value(json_array_get(array, i));

		p = stpcpy(p, i > 0 ? ", " : "");
		p = stpcpy(p, item ? item : "");
	}
	return text;
}

/* A copy in which no string can do harm. */
static json_t *
clean_json(const json_t *json)
{
	json_t *copy = NULL;
	char *text = NULL;

	if (json_is_string(json)) {
		text = ctl_text_clean(json_string_value(json), false, TEXT_MAX);
		copy = json_string(text);
		free(text);
	} else if (json_is_array(json)) {
		copy = json_array();
		for (size_t i = 0; i < json_array_size(json); i++) {
			(void)json_array_append_new(copy, clean_json(json_array_get(json, i)));
		}
	} else if (json_is_object(json)) {
		json_t *object = (json_t *)(uintptr_t)json;

		copy = json_object();
		for (void *i = json_object_iter(object); i; i = json_object_iter_next(object, i)) {
			text = ctl_text_clean(json_object_iter_key(i), true, TEXT_MAX);
			(void)json_object_set_new(copy, text ? text : "?",
			    clean_json(json_object_iter_value(i)));
			free(text);
		}
	} else {
		copy = json_deep_copy(json);
	}
	return copy;
}

void
output_json(const json_t *json, int indent)
{
	json_t *clean = clean_json(json);

	if (json_dumpf(clean, stdout,
		indent > 0 ? JSON_INDENT((size_t)indent) | JSON_ENCODE_ANY : JSON_ENCODE_ANY) < 0) {
		(void)tool_fail(EXIT_ERROR, "out of memory");
	}
	json_decref(clean);
}

int
output_flush(void)
{
	if (fflush(stdout) != 0 || ferror(stdout)) {
		if (errno != EPIPE) {
			(void)tool_fail(EXIT_ERROR, "standard output: %s", strerror(errno));
		}
		return EXIT_ERROR;
	}
	return EXIT_OK;
}

int
output_object(const json_t *json)
{
	output_json(json, 2);
	(void)putchar('\n');
	return output_flush();
}

void
output_field(const char *label, const char *value)
{
	if (value) {
		(void)printf("%-*s ", LABEL_WIDTH, label);
		output_text(stdout, value);
		(void)putchar('\n');
	}
}

bool
output_is_terminal(void)
{
	return isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;
}

bool
output_ask(const char *question)
{
	char *line = NULL;
	size_t size = 0;
	bool yes = false;

	(void)printf("%s [y/N] ", question);
	(void)fflush(stdout);
	if (getline(&line, &size, stdin) > 0) {
		yes = strcmp(line, "y\n") == 0 || strcmp(line, "yes\n") == 0;
	}
	free(line);
	return yes;
}
