#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "cmpd-ctl/init_parts.h"

static const char config_text[] =
    "# cmpd.conf, made by cmpd-ctl init: a demo CA to play with.\n"
    "# Relative paths start in the folder of this file. cmpd.conf(5) explains all keys.\n"
    "\n"
    "state_dir = \"state\";\n"
    "listen = [ \"%s\" ];\n"
    "# health = \"127.0.0.1:8081\";             # /livez and /readyz, for supervisors\n"
    "\n"
    "control = { socket = \"ctl.sock\"; };       # where cmpd-ctl finds cmpd\n"
    "store = { key = \"store.key\"; };           # encrypts the secrets in the store: keep a copy\n"
    "\n"
    "cas = (\n"
    "  { name = \"main\"; certificate = \"ca/ca.pem\"; key = \"ca/ca.key\"; }\n"
    ");\n"
    "\n"
    "# What certificates look like.\n"
    "profiles = (\n"
    "  {\n"
    "    name = \"device\";\n"
    "    ca = \"main\";\n"
    "    validity = \"90d\";\n"
    "    key_usage = [ \"digitalSignature\" ];\n"
    "    extended_key_usage = [ \"clientAuth\", \"serverAuth\" ];\n"
    "    allowed_keys = [ \"ec:P-256\", \"ec:P-384\", \"ed25519\", \"rsa:2048\" ];\n"
    "    san = [ \"dns\", \"ip\", \"email\", \"uri\" ];    # kinds that may be asked for\n"
    "  }\n"
    ");\n"
    "\n"
    "# Where clients ask. Without a policy every request waits for an operator:\n"
    "# cmpd-ctl list, cmpd-ctl approve.\n"
    "endpoints = (\n"
    "  {\n"
    "    path = \"/.well-known/cmp\";\n"
    "    profile = \"device\";\n"
    "    signer = { certificate = \"cmp/signer.pem\"; key = \"cmp/signer.key\"; };\n"
    "    check_after = \"2s\";                    # who waits asks again this often\n"
    "    # policy = ( { plugin = \"allow\"; subject = \"/CN=lab-*\"; } );\n"
    "  }\n"
    ");\n";

/* Text that may stand in quotes in the configuration. */
static bool
is_plain(const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text <= ' ' || *text > '~' || *text == '"' || *text == '\\') {
			return false;
		}
	}
	return true;
}

static bool
is_port(const char *text)
{
	size_t len = strspn(text, "0123456789");

	return len > 0 && len <= 5 && text[len] == '\0' && atoi(text) <= 65535;
}

bool
init_listen_fits(const char *text)
{
	const char *colon = strrchr(text, ':');
	char host[INET6_ADDRSTRLEN + 2];
	uint8_t address[16];
	size_t len;

	if (!is_plain(text) || colon == NULL) {
		return false;
	}
	if (strncmp(text, "unix:", 5) == 0) {
		return text[5] != '\0' &&
		       strlen(text + 5) < sizeof(((struct sockaddr_un *)NULL)->sun_path);
	}
	len = (size_t)(colon - text);
	if (!is_port(colon + 1) || len == 0 || len >= sizeof(host)) {
		return false;
	}
	memcpy(host, text, len);
	host[len] = '\0';
	if (host[0] != '[') {
		return inet_pton(AF_INET, host, address) == 1;
	}
	host[len - 1] = '\0';
	return len > 2 && text[len - 1] == ']' && inet_pton(AF_INET6, host + 1, address) == 1;
}

char *
init_config(const char *listen)
{
	char *text;

	return asprintf(&text, config_text, listen) >= 0 ? text : NULL;
}
