/* A small configuration to which a test adds lines. */
#pragma once

#include <stdio.h>

#include "base/buf.h"
#include "conf/conf.h"

struct parts {
	const char *root; /* line 1, behind state_dir */
	const char *profile; /* line 3 */
	const char *endpoint; /* line 4 */
	const char *more; /* line 5 */
};

static inline const char *
part(const char *text)
{
	return text == NULL ? "" : text;
}

static inline int
parse_parts(const struct parts *parts, struct conf **ret, struct diag *diag)
{
	char text[8192];

	snprintf(text, sizeof(text),
	    "state_dir = \"/s\"; %s\n"
	    "cas = ( { name = \"main\"; certificate = \"ca.pem\"; key = \"ca.key\"; } );\n"
	    "profiles = ( { name = \"device\"; ca = \"main\"; %s } );\n"
	    "endpoints = ( { path = \"/.well-known/cmp\"; profile = \"device\"; "
	    "signer = { certificate = \"s.pem\"; key = \"s.key\"; }; %s } );\n"
	    "%s\n",
	    part(parts->root), part(parts->profile), part(parts->endpoint), part(parts->more));
	return conf_parse(text, "t.conf", "/etc/cmpd", ret, diag);
}
