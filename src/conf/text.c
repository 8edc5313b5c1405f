/*
 * A look at the text before libconfig has it: libconfig 1.5 cuts numbers to 32 bits without a
 * word, says "cannot open include file" without its name, and ends the process if reading an
 * included file fails.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "conf/parse.h"

#define TEXT_MAX   (1024 * 1024)
#define DEPTH_MAX  8 /* of included files; libconfig's own limit is 10 */
#define FILES_MAX  100
#define DIGITS	   "0123456789"
#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_*"

struct scan {
	struct pool *pool;
	const char *name;
	const char *dir;
	const char *pos;
	unsigned line;
	unsigned depth;
	unsigned *files;
	struct diag *diag;
};

int
conf_text_read(struct pool *pool, const char *file, const char **ret, struct diag *diag)
{
	FILE *in = fopen(file, "re");
	char *text = NULL;
	struct stat st;
	size_t n = 0;
	int error = 0;

	if (in == NULL || fstat(fileno(in), &st) != 0) {
		error = diag_set(diag, CMPD_EIO, "%s: cannot be read: %s", file, strerror(errno));
	} else if (S_ISDIR(st.st_mode)) {
		error = diag_set(diag, CMPD_EIO, "%s: is a folder", file);
	} else if ((text = pool_alloc(pool, TEXT_MAX + 1)) == NULL) {
		error = CMPD_ENOMEM;
	} else {
		n = fread(text, 1, TEXT_MAX + 1, in);
		if (ferror(in) != 0) {
			error = diag_set(diag, CMPD_EIO, "%s: reading failed", file);
		} else if (n > TEXT_MAX) {
			error = diag_set(diag, CMPD_ECONF, "%s: larger than 1 MiB", file);
		} else if (memchr(text, '\0', n) != NULL) {
			error = diag_set(diag, CMPD_ECONF, "%s: is not text", file);
		}
	}
	if (in != NULL) {
		fclose(in);
	}
	if (error == 0) {
		*ret = text;
	}
	return error;
}

static int scan_text(struct scan *scan);

static int
scan_included(struct scan *scan, const char *name, size_t len)
{
	struct scan inner = *scan;
	const char *file, *text;
	struct stat st;
	int error;

	if (scan->dir == NULL) {
		return diag_set(scan->diag, CMPD_ECONF, "%s:%u: nothing can be included here",
		    scan->name, scan->line);
	}
	if (len >= PATH_MAX || memchr(name, '\\', len) != NULL) {
		return diag_set(scan->diag, CMPD_ECONF,
		    "%s:%u: the included file's name is too long or has a '\\' in it", scan->name,
		    scan->line);
	}
	if (++inner.depth > DEPTH_MAX || ++*scan->files > FILES_MAX) {
		return diag_set(scan->diag, CMPD_ECONF, "%s:%u: too many files included",
		    scan->name, scan->line);
	}
	file = pool_strndup(scan->pool, name, len);
	file = file == NULL ? NULL : conf_absolute(scan->pool, scan->dir, file);
	if (file == NULL) {
		return CMPD_ENOMEM;
	}
	if (stat(file, &st) == 0 && !S_ISREG(st.st_mode)) {
		return diag_set(scan->diag, CMPD_EIO, "%s:%u: %s is no regular file", scan->name,
		    scan->line, file);
	}
	error = conf_text_read(scan->pool, file, &text, scan->diag);
	if (error != 0) {
		diag_prefix(scan->diag, "%s:%u", scan->name, scan->line);
		return error;
	}
	inner.name = file;
	inner.pos = text;
	inner.line = 1;
	return scan_text(&inner);
}

/* At the '@' that comes first in a line. */
static int
scan_include(struct scan *scan)
{
	const char *name = scan->pos + strlen("@include");
	const char *end;

	if (strncmp(scan->pos, "@include", strlen("@include")) != 0) {
		scan->pos++;
		return 0;
	}
	name += strspn(name, " \t");
	if (*name != '"' || (end = strpbrk(name + 1, "\"\n")) == NULL || *end != '"') {
		scan->pos++;
		return 0;
	}
	scan->pos = end + 1;
	return scan_included(scan, name + 1, (size_t)(end - name - 1));
}

static int
scan_number(struct scan *scan)
{
	size_t n = strspn(scan->pos, DIGITS);
	const char *end = scan->pos + n;
	bool is_long = *end == 'L';
	long long v;

	if (n == 1 && scan->pos[0] == '0' && (*end == 'x' || *end == 'X')) {
		return diag_set(scan->diag, CMPD_ECONF, "%s:%u: write the number in decimal digits",
		    scan->name, scan->line);
	}
	if (*end == '.' || *end == 'e' || *end == 'E') {
		scan->pos = end + strspn(end, DIGITS ".eE+-");
		return 0;
	}
	errno = 0;
	v = strtoll(scan->pos, NULL, 10);
	if (errno != 0 || (!is_long && v > INT_MAX)) {
		return diag_set(scan->diag, CMPD_ECONF,
		    "%s:%u: %.*s is too large: write a unit (\"1GiB\", \"90d\") or an L behind it",
		    scan->name, scan->line, n > 30 ? 30 : (int)n, scan->pos);
	}
	scan->pos = end + strspn(end, "L");
	return 0;
}

/* Past the end mark (with a backslash, it does not count if escaped), or to the text's end. */
static void
skip_past(struct scan *scan, const char *end, bool escapes)
{
	for (; *scan->pos != '\0'; scan->pos++) {
		if (strncmp(scan->pos, end, strlen(end)) == 0) {
			scan->pos += strlen(end);
			return;
		}
		if (escapes && scan->pos[0] == '\\' && scan->pos[1] != '\0') {
			scan->pos++;
		}
		scan->line += *scan->pos == '\n';
	}
}

static int
scan_text(struct scan *scan)
{
	bool first = true; /* in its line, but for blanks */
	int error = 0;

	while (error == 0 && *scan->pos != '\0') {
		char c = *scan->pos;

		if (c == '\n') {
			scan->pos++;
			scan->line++;
		} else if (c == '"') {
			scan->pos++;
			skip_past(scan, "\"", true);
		} else if (c == '#' || strncmp(scan->pos, "//", 2) == 0) {
			scan->pos += strcspn(scan->pos, "\n");
		} else if (strncmp(scan->pos, "/*", 2) == 0) {
			scan->pos += 2;
			skip_past(scan, "*/", false);
		} else if (c == '@' && first) {
			error = scan_include(scan);
		} else if (c >= '0' && c <= '9') {
			error = scan_number(scan);
		} else {
			size_t n = strspn(scan->pos, NAME_CHARS);

			scan->pos += n > 0 && c != '-' ? n : 1;
		}
		first = c == '\n' || (first && (c == ' ' || c == '\t'));
	}
	return error;
}

/* Stricter than need be: also in comments. But it cannot be wrong. */
static bool
has_include_line(const char *text)
{
	for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line + strspn(line, " \t"), "@include", 8) == 0) {
			return true;
		}
	}
	return false;
}

int
conf_text_check(struct pool *pool, const char *name, const char *dir, const char *text,
    struct diag *diag)
{
	unsigned files = 0;
	struct scan scan = {.pool = pool,
	    .name = name,
	    .dir = dir,
	    .pos = text,
	    .line = 1,
	    .files = &files,
	    .diag = diag};
	int error = scan_text(&scan);

	if (error == 0 && dir == NULL && has_include_line(text)) {
		error = diag_set(diag, CMPD_ECONF, "%s: nothing can be included here", name);
	}
	return error;
}
