#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define SECOND	INT64_C(1000)
#define DAY	(86400 * SECOND)
#define LONGEST (365250 * DAY) /* 1000 years */

static int64_t (*wall_source)(void);
static int64_t (*mono_source)(void);

/* Largest first; a plain number is seconds. */
static const struct {
	const char *name;
	int64_t ms;
} units[] = {
    {"d", DAY}, {"h", 3600 * SECOND}, {"m", 60 * SECOND}, {"s", SECOND}, {"ms", 1}, {"", SECOND}};

#define N_UNITS (sizeof(units) / sizeof(units[0]))

static int64_t
read_clock(clockid_t id)
{
	struct timespec now = {0};

	(void)clock_gettime(id, &now);
	return (int64_t)now.tv_sec * SECOND + now.tv_nsec / 1000000;
}

int64_t
clock_wall_ms(void)
{
	return wall_source != NULL ? wall_source() : read_clock(CLOCK_REALTIME);
}

int64_t
clock_mono_ms(void)
{
	return mono_source != NULL ? mono_source() : read_clock(CLOCK_MONOTONIC);
}

void
clock_set_source(int64_t (*wall_ms)(void), int64_t (*mono_ms)(void))
{
	wall_source = wall_ms;
	mono_source = mono_ms;
}

char *
clock_format(int64_t wall_ms, char out[CLOCK_TEXT_SIZE])
{
	/* Rounds down also before 1970. */
	time_t seconds = (time_t)(wall_ms / SECOND - (wall_ms % SECOND < 0));
	struct tm tm;

	if (gmtime_r(&seconds, &tm) == NULL ||
	    strftime(out, CLOCK_TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0) {
		snprintf(out, CLOCK_TEXT_SIZE, "invalid");
	}
	return out;
}

int
clock_parse_duration(const char *text, int64_t *ret_ms)
{
	size_t digits = strspn(text, "0123456789");
	int64_t n = 0;
	size_t u = 0;

	while (u < N_UNITS && strcmp(text + digits, units[u].name) != 0) {
		u++;
	}
	if (digits == 0 || u == N_UNITS) {
		return CMPD_EFORMAT;
	}
	for (size_t i = 0; i < digits; i++) {
		n = n * 10 + (text[i] - '0');
		if (n > LONGEST / units[u].ms) {
			return CMPD_ELIMIT;
		}
	}
	*ret_ms = n * units[u].ms;
	return 0;
}

char *
clock_format_duration(int64_t ms, char out[CLOCK_TEXT_SIZE])
{
	size_t u = 0;

	if (ms == 0) {
		u = 3; /* "0s", not "0d" */
	}
	while (ms % units[u].ms != 0) {
		u++;
	}
	snprintf(out, CLOCK_TEXT_SIZE, "%" PRId64 "%s", ms / units[u].ms, units[u].name);
	return out;
}
