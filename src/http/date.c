#include <stdio.h>
#include <string.h>
#include <time.h>

#include "http/check.h"

static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char months[][4] = {
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

char *
http_date_format(int64_t ms, char out[HTTP_DATE_SIZE])
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm;

	if (gmtime_r(&seconds, &tm) == NULL || tm.tm_year < -1900 || tm.tm_year > 8099) {
		seconds = 0;
		gmtime_r(&seconds, &tm);
	}
	snprintf(out, HTTP_DATE_SIZE, "%s, %02u %s %04u %02u:%02u:%02u GMT", days[tm.tm_wday % 7],
	    (unsigned)tm.tm_mday % 32, months[tm.tm_mon % 12],
	    (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)tm.tm_hour % 24,
	    (unsigned)tm.tm_min % 60, (unsigned)tm.tm_sec % 61);
	return out;
}

int
http_date_parse(const char *text, int64_t *ret_ms)
{
	char month[4] = "", again[HTTP_DATE_SIZE];
	struct tm tm = {0};
	int64_t ms;

	if (strlen(text) != strlen("Sun, 06 Nov 1994 08:49:37 GMT") ||
	    sscanf(text + 4, " %2d %3s %4d %2d:%2d:%2d GMT", &tm.tm_mday, month, &tm.tm_year,
		&tm.tm_hour, &tm.tm_min, &tm.tm_sec) != 6) {
		return CMPD_EFORMAT;
	}
	while (tm.tm_mon < 12 && strcmp(months[tm.tm_mon], month) != 0) {
		tm.tm_mon++;
	}
	if (tm.tm_mon == 12) {
		return CMPD_EFORMAT;
	}
	tm.tm_year -= 1900;
	ms = (int64_t)timegm(&tm) * 1000;
	/* Days that there are not, and all else that scanf lets pass. */
	if (strcmp(http_date_format(ms, again), text) != 0) {
		return CMPD_EFORMAT;
	}
	*ret_ms = ms;
	return 0;
}

bool
http_check_etag(const char *list, const char *etag)
{
	size_t len = strlen(etag);

	while (*list != '\0') {
		list += strspn(list, " \t,");
		if (*list == '*') {
			return true;
		}
		if (strncmp(list, "W/", 2) == 0) {
			list += 2;
		}
		if (strncmp(list, etag, len) == 0) {
			return true;
		}
		/* To the end of this one: a comma may stand inside the quotes. */
		if (*list == '"') {
			list++;
			list += strcspn(list, "\"");
		}
		list += strcspn(list, ",");
	}
	return false;
}
