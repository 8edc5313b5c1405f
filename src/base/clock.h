/*
 * The time. Wall clock: milliseconds since 1970 UTC. Monotonic clock:
 * milliseconds since some start. All of cmpd asks here, so that tests can
 * set the time. Any thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

int64_t clock_wall_ms(void);
int64_t clock_mono_ms(void);

/* Tests: both clocks are read through these from now on (NULL: the real one).
 * To be called before threads start. */
void clock_set_source(int64_t (*wall_ms)(void), int64_t (*mono_ms)(void));

/* "2026-01-31T12:00:00Z" (RFC 3339, seconds) into out; returns out. */
#define CLOCK_TEXT_SIZE 32
char *clock_format(int64_t wall_ms, char out[CLOCK_TEXT_SIZE]);

/* "90d", "12h", "30m", "30s", "500ms" or a plain number of seconds, to milliseconds.
 * CMPD_EFORMAT, or CMPD_ELIMIT past 1000 years. */
int clock_parse_duration(const char *text, int64_t *ret_ms) CMPD_MUST_CHECK;
/* In the largest unit that divides it; parse_duration reads the same value back. */
char *clock_format_duration(int64_t ms, char out[CLOCK_TEXT_SIZE]);
