/* What strings may look like, and which key somebody meant. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "conf/schema.h"

#define NAME_MAX_LEN 64
#define WELL_KNOWN   "/.well-known/cmp"

#define DIGITS	   "0123456789"
#define LOWER	   "abcdefghijklmnopqrstuvwxyz"
#define UPPER	   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define NAME_CHARS LOWER UPPER DIGITS "._-"

/* What follows the prefix; NULL: it is not there. */
static const char *
after(const char *value, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(value, prefix, len) == 0 ? value + len : NULL;
}

static bool
is_name(const char *value)
{
	size_t len = strlen(value);

	return len > 0 && len <= NAME_MAX_LEN && strspn(value, NAME_CHARS) == len;
}

/* Printable ASCII without space. */
static bool
is_graphic(const char *value)
{
	for (; *value != '\0'; value++) {
		if (*value <= ' ' || *value > '~') {
			return false;
		}
	}
	return true;
}

const char *
conf_check_name(const char *value)
{
	return is_name(value) ? NULL : "up to 64 letters, digits, '.', '_' and '-'";
}

/* Compared as text with what the HTTP side has made of an address, so there is one way to write it. */
const char *
conf_check_proxy(const char *value)
{
	static const int families[] = {AF_INET, AF_INET6};
	char text[INET6_ADDRSTRLEN] = "";
	struct in6_addr address;

	if (strcmp(value, "unix") == 0) {
		return NULL;
	}
	for (int i = 0; i < 2; i++) {
		if (inet_pton(families[i], value, &address) == 1 &&
		    inet_ntop(families[i], &address, text, sizeof(text)) != NULL &&
		    strcmp(text, value) == 0) {
			return NULL;
		}
	}
	return "\"unix\" or an address in its shortest form, without a port";
}

/* What the path of an endpoint must be is what the HTTP side compares: raw bytes (RFC 9811 names
 * the well-known ones). */
const char *
conf_check_path(const char *value)
{
	const char *under, *profile;

	if (value[0] != '/') {
		return "an absolute path, beginning with '/'";
	}
	if (strchr(value, '%') != NULL || strstr(value, "//") != NULL ||
	    strstr(value, "..") != NULL) {
		return "a path without '%', '//' and '..'";
	}
	if (strlen(value) > 255 || !is_graphic(value) || strpbrk(value, "?#\"\\") != NULL) {
		return "a path of at most 255 printable characters without spaces, quotes, '?', "
		       "'#' and '\\'";
	}
	if (after(value, CONF_CRL_PREFIX) != NULL || after(value, CONF_CA_PREFIX) != NULL) {
		return "a path outside of " CONF_CRL_PREFIX " and " CONF_CA_PREFIX
		       ", where CRLs and certificates are served";
	}
	under = after(value, WELL_KNOWN "/");
	profile = after(value, WELL_KNOWN "/p/");
	if (under != NULL && (profile == NULL || !is_name(profile))) {
		return WELL_KNOWN " or " WELL_KNOWN "/p/<name>, or a path elsewhere";
	}
	return NULL;
}

const char *
conf_check_url(const char *value)
{
	static const char *const schemes[] = {"http://", "https://", "ldap://"};

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		const char *rest = after(value, schemes[i]);

		if (rest != NULL && *rest != '\0' && is_graphic(rest)) {
			return NULL;
		}
	}
	return "a URL that begins with http://, https:// or ldap://";
}

const char *
conf_check_key_kind(const char *value)
{
	const char *curve = after(value, "ec:");
	const char *bits = after(value, "rsa:");

	static const char *const whole[] = {
	    "ed25519", "ed448", "ml-dsa-44", "ml-dsa-65", "ml-dsa-87", NULL};

	for (size_t i = 0; whole[i] != NULL; i++) {
		if (strcmp(value, whole[i]) == 0) {
			return NULL;
		}
	}
	if (curve != NULL && is_name(curve)) {
		return NULL;
	}
	if (bits != NULL && strspn(bits, DIGITS) == strlen(bits) && strlen(bits) <= 5 &&
	    atoi(bits) >= 1024 && atoi(bits) <= 16384) {
		return NULL;
	}
	return "\"ec:<curve>\", \"rsa:<bits>\" (1024 to 16384), \"ed25519\", \"ed448\", "
	       "\"ml-dsa-44\", \"ml-dsa-65\" or \"ml-dsa-87\"";
}

const char *
conf_check_made_key(const char *value)
{
	const char *curve = after(value, "ec:");
	const char *bits = after(value, "rsa:");

	if (strcmp(value, "ed25519") == 0 || strcmp(value, "ed448") == 0 ||
	    (curve != NULL && is_name(curve))) {
		return NULL;
	}
	if (bits != NULL && strspn(bits, DIGITS) == strlen(bits) && strlen(bits) <= 5 &&
	    atoi(bits) >= 2048 && atoi(bits) <= CONF_MADE_RSA_MAX) {
		return NULL;
	}
	return "\"ec:<curve>\", \"rsa:<bits>\" (2048 to 4096), \"ed25519\" or \"ed448\"";
}

const char *
conf_check_key_purpose(const char *value)
{
	size_t len = strlen(value);
	bool dotted = strspn(value, DIGITS ".") == len && strchr(value, '.') != NULL &&
		      value[0] != '.' && value[len - 1] != '.' && strstr(value, "..") == NULL;
	bool word = strspn(value, LOWER UPPER DIGITS "-") == len && len <= NAME_MAX_LEN &&
		    len > 0 && strspn(value, DIGITS) == 0;

	return (dotted && len < 200) || word ? NULL
					     : "a name such as \"clientAuth\" or a dotted OID";
}

static bool
is_port(const char *value)
{
	size_t len = strlen(value);

	return len > 0 && len <= 5 && strspn(value, DIGITS) == len && atoi(value) <= 65535;
}

const char *
conf_check_address(const char *value)
{
	const size_t longest = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1;
	const char *colon = strrchr(value, ':');
	const char *path = after(value, "unix:");
	uint8_t parsed[sizeof(struct in6_addr)];
	char host[INET6_ADDRSTRLEN + 2];
	size_t len;
	int family = AF_INET;

	if (path != NULL) {
		return *path == '\0' || strlen(path) > longest
			   ? "unix: and a path of at most 107 bytes"
			   : NULL;
	}
	len = colon == NULL ? sizeof(host) : (size_t)(colon - value);
	if (len >= sizeof(host) || !is_port(colon + 1)) {
		return "addr:port, [v6]:port or unix:path, the port from 0 to 65535";
	}
	memcpy(host, value, len);
	host[len] = '\0';
	if (len > 2 && host[0] == '[' && host[len - 1] == ']') {
		family = AF_INET6;
		host[len - 1] = '\0';
	}
	return inet_pton(family, family == AF_INET6 ? host + 1 : host, parsed) == 1
		   ? NULL
		   : "a numeric address, IPv6 in brackets";
}

const struct conf_row *
conf_row_find(const struct conf_section *section, const char *name)
{
	for (const struct conf_row *row = section->rows; row->name != NULL; row++) {
		if (strcmp(row->name, name) == 0) {
			return row;
		}
	}
	return NULL;
}

/* Edits (add, drop, replace a letter) that lead from a to b; both are short. */
static size_t
distance(const char *a, const char *b)
{
	size_t row[NAME_MAX_LEN + 1];
	size_t len = strlen(b);

	for (size_t j = 0; j <= len; j++) {
		row[j] = j;
	}
	for (size_t i = 1; a[i - 1] != '\0'; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= len; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best) {
				best = row[j] + 1;
			}
			if (row[j - 1] + 1 < best) {
				best = row[j - 1] + 1;
			}
			row[j] = best;
		}
	}
	return row[len];
}

const char *
conf_row_nearest(const struct conf_section *section, const char *name)
{
	const char *nearest = NULL;
	size_t best = 1 + strlen(name) / 3;

	if (strlen(name) > NAME_MAX_LEN) {
		return NULL;
	}
	for (const struct conf_row *row = section->rows; row->name != NULL; row++) {
		size_t edits = distance(name, row->name);

		if (edits <= best) {
			nearest = row->name;
			best = edits - 1;
		}
		if (edits <= 1) {
			break;
		}
	}
	return nearest;
}
