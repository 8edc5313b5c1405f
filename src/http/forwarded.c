#include "http/forwarded.h"

#include <arpa/inet.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>

static bool
is_listed(const char *peer, const char *const *proxies)
{
	for (; *proxies != NULL; proxies++) {
		if (strcmp(peer, *proxies) == 0) {
			return true;
		}
	}
	return false;
}

/* In the one form that the system writes, so that it compares with what is listed and shown. */
static bool
read_address(const char *text, size_t len, char ret[HTTP_PEER_SIZE])
{
	static const int families[] = {AF_INET, AF_INET6};
	char copy[HTTP_PEER_SIZE];
	struct in6_addr address;

	if (len == 0 || len >= sizeof(copy)) {
		return false;
	}
	memcpy(copy, text, len);
	copy[len] = '\0';
	for (int i = 0; i < 2; i++) {
		if (inet_pton(families[i], copy, &address) == 1) {
			return inet_ntop(families[i], &address, ret, HTTP_PEER_SIZE) != NULL;
		}
	}
	return false;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* From the right, where the nearest proxy has written. */
static bool
walk(const char *value, const char *const *proxies, char ret[HTTP_PEER_SIZE])
{
	for (const char *end = value + strlen(value);;) {
		const char *start = end, *last = end, *begin;

		while (start > value && start[-1] != ',') {
			start--;
		}
		while (last > start && is_blank(last[-1])) {
			last--;
		}
		begin = start;
		while (begin < last && is_blank(*begin)) {
			begin++;
		}
		if (!read_address(begin, (size_t)(last - begin), ret)) {
			return false;
		}
		if (!is_listed(ret, proxies) || start == value) {
			return true;
		}
		end = start - 1;
	}
}

void
http_forwarded_peer(const struct evkeyvalq *headers, const char *peer, const char *const *proxies,
    char ret[HTTP_PEER_SIZE])
{
	const struct evkeyval *header, *found = NULL;
	char address[HTTP_PEER_SIZE];

	TAILQ_FOREACH (header, headers, next) {
		if (strcasecmp(header->key, "X-Forwarded-For") == 0) {
			found = header;
		}
	}
	if (found != NULL && is_listed(peer, proxies) && walk(found->value, proxies, address)) {
		peer = address;
	}
	snprintf(ret, HTTP_PEER_SIZE, "%s", peer);
}
