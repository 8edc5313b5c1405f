/*
 * One line per event, key=value, to stderr (systemd reads the level from the
 * "<N>" prefix when JOURNAL_STREAM is set; else time and level begin the line). A value
 * with anything but printable ASCII, or with a space or quote, is put in quotes; quotes,
 * backslashes, control bytes and non-ASCII are escaped (\", \\, \xHH), so foreign text may
 * be given as it is. Keys and events are ours.
 * Never a secret, never whole DER. Any thread; a line is written by one write(2).
 *
 *	struct log_line l;
 *	log_begin(&l, LOG_LEVEL_INFO, "enrol.held");
 *	log_hex(&l, "txn", id);
 *	log_str(&l, "subject", subject);
 *	log_end(&l);
 */
#pragma once

#include "base/bytes.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Lines above this level are dropped; INFO at the start. */
void log_set_level(enum log_level level);
/* Where lines go (default: file descriptor 2). Tests. */
void log_set_fd(int fd);

struct log_line {
	enum log_level level;
	bool cut; /* a value did not fit: the line says so */
	size_t len;
	char text[2048];
};

void log_begin(struct log_line *line, enum log_level level, const char *event);
void log_str(struct log_line *line, const char *key, const char *value); /* NULL: left out */
void log_bytes(struct log_line *line, const char *key, struct bytes text);
void log_hex(struct log_line *line, const char *key, struct bytes value);
void log_int(struct log_line *line, const char *key, int64_t value);
void log_end(struct log_line *line);

/* For lines with one text only: event and msg="...". */
void log_msg(enum log_level level, const char *event, const char *format, ...) CMPD_PRINTF(3, 4);
