#include "http/check.h"

#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>

static bool
is_token(const char *name)
{
	static const char allowed[] = "!#$%&'*+-.^_`|~0123456789"
				      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t len = strlen(name);

	return len > 0 && strspn(name, allowed) == len;
}

static bool
is_number(const char *value)
{
	size_t len = strlen(value);

	return len > 0 && len <= 18 && strspn(value, "0123456789") == len;
}

const char *
http_check_framing(const struct evkeyvalq *headers, bool http11)
{
	const struct evkeyval *header;
	unsigned lengths = 0, codings = 0;

	TAILQ_FOREACH (header, headers, next) {
		if (!is_token(header->key)) {
			return "malformed header name";
		}
		if (strcasecmp(header->key, "Content-Length") == 0) {
			lengths++;
			if (!is_number(header->value)) {
				return "malformed Content-Length";
			}
		} else if (strcasecmp(header->key, "Transfer-Encoding") == 0) {
			codings++;
			if (strcasecmp(header->value, "chunked") != 0) {
				return "unknown Transfer-Encoding";
			}
		}
	}
	if (lengths > 1) {
		return "more than one Content-Length";
	}
	if (codings > 1 || (codings == 1 && lengths == 1)) {
		return "Transfer-Encoding beside another length";
	}
	if (codings == 1 && !http11) {
		return "Transfer-Encoding in HTTP/1.0";
	}
	return NULL;
}

bool
http_check_no_length(const struct evkeyvalq *headers)
{
	return evhttp_find_header(headers, "Content-Length") == NULL &&
	       evhttp_find_header(headers, "Transfer-Encoding") == NULL;
}

bool
http_check_path(const char *uri)
{
	if (uri[0] != '/') {
		return false;
	}
	for (const char *p = uri; *p != '\0'; p++) {
		if (*p <= ' ' || *p >= 0x7f || strchr("%?#\\", *p) != NULL) {
			return false;
		}
	}
	return strstr(uri, "//") == NULL && strstr(uri, "..") == NULL;
}

bool
http_check_content_type(const char *value)
{
	size_t len;

	if (value == NULL) {
		return false;
	}
	value += strspn(value, " \t");
	len = strcspn(value, "; \t");
	if (value[len + strspn(value + len, " \t")] != '\0' &&
	    value[len + strspn(value + len, " \t")] != ';') {
		return false;
	}
	return (len == strlen("application/pkixcmp") &&
		   strncasecmp(value, "application/pkixcmp", len) == 0) ||
	       (len == strlen("application/pkixcmp-poll") &&
		   strncasecmp(value, "application/pkixcmp-poll", len) == 0);
}
