#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

/* Kept free behind the last value, for a closing quote and this. */
#define TAIL	  "\" cut=1\n"
#define TAIL_SIZE sizeof(TAIL)

static const struct {
	const char *name;
	const char *prefix; /* sd-daemon(3) */
} levels[] = {
    [LOG_LEVEL_ERROR] = {"error", "<3>"},
    [LOG_LEVEL_WARNING] = {"warning", "<4>"},
    [LOG_LEVEL_INFO] = {"info", "<6>"},
    [LOG_LEVEL_DEBUG] = {"debug", "<7>"},
};

static _Atomic int log_level = LOG_LEVEL_INFO;
static _Atomic int log_fd = 2;

void
log_set_level(enum log_level level)
{
	atomic_store(&log_level, (int)level);
}

void
log_set_fd(int fd)
{
	atomic_store(&log_fd, fd);
}

/* All or nothing. */
static bool
add(struct log_line *line, const char *text, size_t len)
{
	if (line->cut || line->len + len > sizeof(line->text) - TAIL_SIZE) {
		line->cut = true;
		return false;
	}
	memcpy(line->text + line->len, text, len);
	line->len += len;
	return true;
}

static void
add_key(struct log_line *line, const char *key)
{
	size_t start = line->len;

	if (!add(line, " ", 1) || !add(line, key, strlen(key)) || !add(line, "=", 1)) {
		line->len = start;
	}
}

/* A line below the level has no text at all: everything is dropped early. */
static bool
dropped(const struct log_line *line)
{
	return line->len == 0;
}

void
log_begin(struct log_line *line, enum log_level level, const char *event)
{
	char now[CLOCK_TEXT_SIZE];

	line->level = level;
	line->cut = false;
	line->len = 0;
	if ((int)level > atomic_load(&log_level)) {
		return;
	}
	if (getenv("JOURNAL_STREAM") != NULL) {
		add(line, levels[level].prefix, 3);
	} else {
		clock_format(clock_wall_ms(), now);
		add(line, now, strlen(now));
		add(line, " ", 1);
		add(line, levels[level].name, strlen(levels[level].name));
		add(line, " ", 1);
	}
	add(line, event, strlen(event));
}

static bool
is_plain(uint8_t c)
{
	return c > ' ' && c < 0x7f && c != '"' && c != '\\';
}

static bool
needs_quotes(struct bytes text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (!is_plain(text.data[i])) {
			return true;
		}
	}
	return text.len == 0;
}

void
log_bytes(struct log_line *line, const char *key, struct bytes text)
{
	char out[5];
	bool quoted;

	if (dropped(line) || text.data == NULL) {
		return;
	}
	add_key(line, key);
	quoted = needs_quotes(text);
	if (quoted && !add(line, "\"", 1)) {
		return;
	}
	for (size_t i = 0; i < text.len && !line->cut; i++) {
		uint8_t c = text.data[i];
		size_t len = 0;

		if (c == ' ' || is_plain(c)) {
			out[len++] = (char)c;
		} else if (c == '"' || c == '\\') {
			out[len++] = '\\';
			out[len++] = (char)c;
		} else {
			len = (size_t)snprintf(out, sizeof(out), "\\x%02x", c);
		}
		add(line, out, len);
	}
	if (quoted) {
		/* Space for it is in the tail, also when the value was cut. */
		line->text[line->len++] = '"';
	}
}

void
log_str(struct log_line *line, const char *key, const char *value)
{
	log_bytes(line, key, bytes_str(value));
}

void
log_hex(struct log_line *line, const char *key, struct bytes value)
{
	char out[3];

	if (dropped(line) || value.data == NULL) {
		return;
	}
	add_key(line, key);
	for (size_t i = 0; i < value.len && !line->cut; i++) {
		add(line, hex_encode(bytes_of(value.data + i, 1), out, sizeof(out)), 2);
	}
}

void
log_int(struct log_line *line, const char *key, int64_t value)
{
	char out[24];

	if (dropped(line)) {
		return;
	}
	add_key(line, key);
	snprintf(out, sizeof(out), "%" PRId64, value);
	add(line, out, strlen(out));
}

void
log_end(struct log_line *line)
{
	const char *end = line->cut ? " cut=1\n" : "\n";
	ssize_t n;

	if (dropped(line)) {
		return;
	}
	memcpy(line->text + line->len, end, strlen(end));
	line->len += strlen(end);
	do {
		n = write(atomic_load(&log_fd), line->text, line->len);
	} while (n < 0 && errno == EINTR);
}

void
log_msg(enum log_level level, const char *event, const char *format, ...)
{
	struct log_line line;
	char text[1024];
	va_list args;

	log_begin(&line, level, event);
	if (dropped(&line)) {
		return;
	}
	va_start(args, format);
	if (vsnprintf(text, sizeof(text), format, args) < 0) {
		text[0] = '\0';
	}
	va_end(args);
	log_str(&line, "msg", text);
	log_end(&line);
}
