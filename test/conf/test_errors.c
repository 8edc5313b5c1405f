/* One row per message: what is wrong, and what is said about it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "parts.h"

static void
assert_message(struct parts parts, const char *want)
{
	struct conf *conf = NULL;
	struct diag diag = {""};

	assert_int_equal(parse_parts(&parts, &conf, &diag), CMPD_ECONF);
	assert_null(conf);
	assert_string_equal(diag.text, want);
}

static void
assert_text_message(const char *text, const char *want)
{
	struct conf *conf = NULL;
	struct diag diag = {""};

	assert_int_equal(conf_parse(text, "t.conf", NULL, &conf, &diag), CMPD_ECONF);
	assert_string_equal(diag.text, want);
}

struct row {
	const char *text;
	const char *want;
};

#define N(rows) (sizeof(rows) / sizeof((rows)[0]))

static void
what_stands_outside_of_groups(void **state)
{
	static const struct row rows[] = {
	    {"worker = 1;", "t.conf:1: unknown key \"worker\" (did you mean \"workers\"?)"},
	    {"bananas = 1;", "t.conf:1: unknown key \"bananas\""},
	    {"state_dir = \"/t\";", "t.conf:1: duplicate setting name"},
	    {"workers = ;", "t.conf:1: syntax error"},
	    {"workers = \"2\";", "t.conf:1: workers: wants a whole number, without quotes"},
	    {"workers = -1;", "t.conf:1: workers: must be from 0 to 1024"},
	    {"workers = 1025;", "t.conf:1: workers: must be from 0 to 1024"},
	    {"workers = 0x10;", "t.conf:1: write the number in decimal digits"},
	    {"workers = 4294967297;",
		"t.conf:1: 4294967297 is too large: write a unit (\"1GiB\", \"90d\") or an L "
		"behind it"},
	    {"workers = 99999999999999999999L;",
		"t.conf:1: 99999999999999999999 is too large: write a unit (\"1GiB\", \"90d\") or "
		"an L behind it"},
	    {"log_level = \"loud\";",
		"t.conf:1: log_level: \"loud\" is not allowed, wants one of \"error\", "
		"\"warning\", \"info\", \"debug\""},
	    {"proxies = [ \"10.0.0.1:80\" ];", "t.conf:1: proxies: \"10.0.0.1:80\" is not allowed, "
					       "wants \"unix\" or an address in "
					       "its shortest form, without a port"},
	    {"proxies = [ \"0:0::1\" ];",
		"t.conf:1: proxies: \"0:0::1\" is not allowed, wants \"unix\" or an address in its "
		"shortest form, without a port"},
	    {"log_level = 3;", "t.conf:1: log_level: wants a string: \"...\""},
	    {"plugin_dir = \"\";", "t.conf:1: plugin_dir: must not be empty"},
	    {"limits = 7;", "t.conf:1: limits: wants a group: { ... }"},
	    {"limits = { body_size = 1.5; };",
		"t.conf:1: body_size: wants a size: bytes, or \"64KiB\", \"1MiB\", \"1GiB\", "
		"\"1TiB\""},
	    {"limits = { body_size = \"64 KiB\"; };",
		"t.conf:1: body_size: \"64 KiB\" is not allowed, wants a size: bytes, or "
		"\"64KiB\", \"1MiB\", \"1GiB\", \"1TiB\""},
	    {"limits = { body_size = \"64GiB\"; };",
		"t.conf:1: body_size: must be from \"1KiB\" to \"16MiB\""},
	    {"limits = { body_size = \"99999999999TiB\"; };",
		"t.conf:1: body_size: \"99999999999TiB\" is not allowed, wants a size: bytes, or "
		"\"64KiB\", \"1MiB\", \"1GiB\", \"1TiB\""},
	    {"limits = { idle_timeout = \"5w\"; };",
		"t.conf:1: idle_timeout: \"5w\" is not allowed, wants a duration: \"90d\", "
		"\"12h\", \"30m\", \"30s\", \"500ms\" or seconds"},
	    {"limits = { idle_timeout = true; };",
		"t.conf:1: idle_timeout: wants a duration: \"90d\", \"12h\", \"30m\", \"30s\", "
		"\"500ms\" or seconds"},
	    {"limits = { idle_timeout = \"999999d\"; };",
		"t.conf:1: idle_timeout: must be from \"1s\" to \"1d\""},
	    {"limits = { idle_timeot = 5; };",
		"t.conf:1: unknown key \"idle_timeot\" (did you mean \"idle_timeout\"?)"},
	    {"store = { sync = 1; };", "t.conf:1: sync: wants true or false, without quotes"},
	    {"store = { sync = \"true\"; };",
		"t.conf:1: sync: wants true or false, without quotes"},
	    {"control = { admin_users = \"root\"; };",
		"t.conf:1: admin_users: wants a list of strings: [ \"a\", \"b\" ]"},
	    {"control = { admin_users = [ \"a\", \"a\" ]; };",
		"t.conf:1: admin_users: \"a\" stands there twice"},
	    {"control = { admin_users = [ \"a b\" ]; };",
		"t.conf:1: admin_users: \"a b\" is not allowed, wants up to 64 letters, digits, "
		"'.', '_' and '-'"},
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		assert_message((struct parts){.root = rows[i].text}, rows[i].want);
	}
}

static void
addresses_that_do_not_parse(void **state)
{
	static const char form[] = "addr:port, [v6]:port or unix:path, the port from 0 to 65535";
	static const char numeric[] = "a numeric address, IPv6 in brackets";
	static const struct row rows[] = {{"8080", form}, {"127.0.0.1", form}, {"127.0.0.1:", form},
	    {"127.0.0.1:65536", form}, {"127.0.0.1:http", form}, {"127.0.0.1:-1", form},
	    {":8080", numeric}, {"localhost:8080", numeric}, {"127.0.0:8080", numeric},
	    {"127.0.0.1.5:8080", numeric}, {"::1:8080", numeric}, {"[::1:8080", numeric},
	    {"[127.0.0.1]:80", numeric}, {"[::1]8080", form}, {"[]:80", numeric}};
	char text[200], want[300];

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		snprintf(text, sizeof(text), "listen = [ \"%s\" ];", rows[i].text);
		snprintf(want, sizeof(want), "t.conf:1: listen: \"%s\" is not allowed, wants %s",
		    rows[i].text, rows[i].want);
		assert_message((struct parts){.root = text}, want);
	}
	assert_message((struct parts){.root = "listen = [ 80 ];"},
	    "t.conf:1: listen: wants a list of strings: [ \"a\", \"b\" ]");
	snprintf(text, sizeof(text), "listen = [ \"unix:/%0110d\" ];", 0);
	snprintf(want, sizeof(want),
	    "t.conf:1: listen: \"unix:/%070d...\" is not allowed, wants unix: and a path of at "
	    "most 107 bytes",
	    0);
	assert_message((struct parts){.root = text}, want);
	assert_message((struct parts){.root = "listen = [\"[::1]:80\"]; health = \"[::1]:80\";"},
	    "t.conf:1: health: \"[::1]:80\" is in listen already");
}

static void
profiles_that_make_no_sense(void **state)
{
	static const struct row rows[] = {
	    {"validity = \"0d\";", "t.conf:3: validity: must be from \"1s\" to \"365000d\""},
	    {"key_usage = [ \"sign\" ];",
		"t.conf:3: key_usage: \"sign\" is not allowed, wants one of \"digitalSignature\", "
		"\"nonRepudiation\", \"keyEncipherment\", \"dataEncipherment\", \"keyAgreement\", "
		"\"keyCertSign\", \"cRLSign\", \"encipherOnly\", \"decipherOnly\""},
	    {"key_usage = [ \"keyCertSign\" ];",
		"t.conf:3: key_usage: \"keyCertSign\" needs allow_ca = true"},
	    {"extended_key_usage = [ \"1.2.\" ];",
		"t.conf:3: extended_key_usage: \"1.2.\" is not allowed, wants a name such as "
		"\"clientAuth\" or a dotted OID"},
	    {"allowed_keys = [ \"rsa:512\" ];",
		"t.conf:3: allowed_keys: \"rsa:512\" is not allowed, wants \"ec:<curve>\", "
		"\"rsa:<bits>\" (1024 to 16384), \"ed25519\", \"ed448\", "
		"\"ml-dsa-44\", \"ml-dsa-65\" or \"ml-dsa-87\""},
	    {"allowed_keys = [ ];", "t.conf:3: allowed_keys: must not be empty"},
	    {"san = [ \"dns\", \"name\" ];",
		"t.conf:3: san: \"name\" is not allowed, wants one of \"dns\", \"ip\", \"email\", "
		"\"uri\", \"dirName\", \"otherName\""},
	    {"ca_issuers = [ \"ftp://x\" ];",
		"t.conf:3: ca_issuers: \"ftp://x\" is not allowed, wants a URL that begins with "
		"http://, https:// or ldap://"},
	    {"names = \"all\";",
		"t.conf:3: names: \"all\" is not allowed, wants one of \"identity\", \"any\""},
	    {"}, { name = \"x\"; ca = \"other\";", "t.conf:3: ca: there is no CA named \"other\""},
	    {"}, { name = \"device\"; ca = \"main\";",
		"t.conf:3: name: \"device\" is there already, at t.conf:3"},
	    {"}, { ca = \"main\";", "t.conf:3: name is missing"},
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		assert_message((struct parts){.profile = rows[i].text}, rows[i].want);
	}
}

static void
endpoints_that_make_no_sense(void **state)
{
	static const struct row rows[] = {
	    {"confirm = \"maybe\";",
		"t.conf:4: confirm: \"maybe\" is not allowed, wants one of \"explicit\", "
		"\"implicit\""},
	    {"bodies = [ \"ir\", \"nested\" ];", "t.conf:4: bodies: \"nested\" is not allowed, "
						 "wants one of \"ir\", \"cr\", \"kur\", "
						 "\"p10cr\", \"rr\", \"genm\""},
	    {"bodies = [ ];", "t.conf:4: bodies: must not be empty"},
	    {"max_requests = 65;", "t.conf:4: max_requests: must be from 1 to 64"},
	    {"pbm_iterations_min = 20000;",
		"t.conf:4: pbm_iterations_min: is more than pbm_iterations_max"},
	    {"message_time_required = false;",
		"t.conf:4: message_time_required: false needs replay_keep"},
	    {"message_time_required = false; replay_keep = 0;",
		"t.conf:4: replay_keep: must not be 0 where messageTime may be missing"},
	    {"allow_mac = false; trust_own = false;",
		"t.conf:4: nobody could be authenticated: allow_mac and trust_own are false, and "
		"there "
		"is no trust, ras, ra_trust or vendor.trust"},
	    {"vendor = { trust = [ \"v.pem\" ]; };",
		"t.conf:4: vendor: trust needs subject, or inventory = true: what are its devices "
		"called?"},
	    {"vendor = { subject = \"/CN=x\"; };",
		"t.conf:4: vendor: trust is empty, so the other keys mean nothing"},
	    {"vendor = { trust = [ \"v.pem\" ]; subject = \"/CN=x\"; unknown = \"deny\"; };",
		"t.conf:4: vendor: unknown = \"deny\" needs inventory = true: without it every "
		"device is known"},
	    {"vendor = { trust = [ \"v.pem\" ]; subject = \"/CN=x\"; san = [ \"DNS:a\" ]; };",
		"t.conf:4: vendor: san: \"DNS:a\" is of a kind that san of profile \"device\" does "
		"not "
		"have"},
	    {"max_nested = 5;",
		"t.conf:4: max_nested: needs ras or ra_trust: only registration authorities nest "
		"messages"},
	    {"vendor = { inventory = true; };",
		"t.conf:4: vendor: trust is empty, so the other keys mean nothing"},
	    {"vendor = { trust = [ \"v.pem\" ]; inventory = true; unknown = \"grant\"; };",
		"t.conf:4: unknown: \"grant\" is not allowed, wants one of \"hold\", \"deny\""},
	    {"central_key = [ \"ec:P-256\" ];",
		"t.conf:4: central_key: needs kga = { certificate; key; }, which signs the keys "
		"that are made"},
	    {"central_key = [ \"ec:P-256\" ]; kga = { certificate = \"k.pem\"; };",
		"t.conf:4: central_key: needs kga = { certificate; key; }, which signs the keys "
		"that are made"},
	    {"central_key = [ \"rsa:8192\" ];",
		"t.conf:4: central_key: \"rsa:8192\" is not allowed, wants \"ec:<curve>\", "
		"\"rsa:<bits>\" (2048 to 4096), \"ed25519\" or \"ed448\""},
	    {"central_key = [ \"rsa:1024\" ];",
		"t.conf:4: central_key: \"rsa:1024\" is not allowed, wants \"ec:<curve>\", "
		"\"rsa:<bits>\" (2048 to 4096), \"ed25519\" or \"ed448\""},
	    {"ras = ( { name = \"a\"; } );",
		"t.conf:4: ras: \"a\" wants either certificate or reference"},
	    {"ras = ( { name = \"a\"; certificate = \"a.pem\"; reference = \"a\"; } );",
		"t.conf:4: ras: \"a\" wants either certificate or reference"},
	    {"ras = ( { name = \"a\"; reference = \"x\"; }, { name = \"b\"; reference = \"x\"; } "
	     ");",
		"t.conf:4: ras: name or reference of \"b\" is there twice"},
	    {"ras = ( { name = \"a\"; reference = \"x\"; }, { name = \"a\"; reference = \"y\"; } "
	     ");",
		"t.conf:4: ras: name or reference of \"a\" is there twice"},
	    {"allow_mac = false; ras = ( { name = \"a\"; reference = \"x\"; } );",
		"t.conf:4: ras: \"a\" has a reference, but allow_mac is false"},
	    {"ras = ( { certificate = \"a.pem\"; } );", "t.conf:4: name is missing"},
	    {"chek_after = 60;",
		"t.conf:4: unknown key \"chek_after\" (did you mean \"check_after\"?)"},
	    {"policy = { plugin = \"allow\"; };",
		"t.conf:4: policy: wants a list of groups: ( { ... } )"},
	    {"policy = ( \"allow\" );", "t.conf:4: policy: wants a list of groups: ( { ... } )"},
	    {"policy = ( { subject = \"x\"; } );", "t.conf:4: plugin is missing"},
	    {"policy = ( { plugin = 5; } );", "t.conf:4: plugin: wants a string: \"...\""},
	    {"policy = ( { plugin = \"a b\"; } );",
		"t.conf:4: plugin: \"a b\" is not allowed, wants the path of a file or a name of "
		"up to 64 letters, digits, '.', '_' and '-'"},
	    {"policy = ( { plugin = \"a\"; x = { y = 1; }; } );",
		"t.conf:4: x: wants a text, number or boolean, or a list of them"},
	    {"policy = ( { plugin = \"a\"; x = [ ]; } );", "t.conf:4: x: is an empty list"},
	    {"policy = ( { plugin = \"a\"; x = ( ( 1 ) ); } );",
		"t.conf:4: x: wants a text, number or boolean, or a list of them"},
	    {"}, { path = \"/x\"; profile = \"device\";", "t.conf:4: signer is missing"},
	    {"}, { path = \"/x\"; profile = \"device\"; signer = { certificate = \"c\"; };",
		"t.conf:4: key is missing"},
	    {"}, { path = \"/x\"; profile = \"none\"; signer = { certificate = \"c\"; key = \"k\"; "
	     "};",
		"t.conf:4: profile: there is no profile named \"none\""},
	    {"}, { path = \"/.well-known/cmp\"; profile = \"device\"; signer = { certificate = "
	     "\"c\"; key = \"k\"; };",
		"t.conf:4: path: \"/.well-known/cmp\" is there already, at t.conf:4"},
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		assert_message((struct parts){.endpoint = rows[i].text}, rows[i].want);
	}
}

static void
paths_are_raw_and_absolute(void **state)
{
	static const char marks[] = "a path without '%', '//' and '..'";
	static const char known[] =
	    "/.well-known/cmp or /.well-known/cmp/p/<name>, or a path elsewhere";
	static const char served[] =
	    "a path outside of /crl/ and /ca/, where CRLs and certificates are served";
	static const struct row rows[] = {{"cmp", "an absolute path, beginning with '/'"},
	    {"http://a/cmp", "an absolute path, beginning with '/'"}, {"/a%20b", marks},
	    {"/a//b", marks}, {"//a", marks}, {"/a/../b", marks}, {"/.well-known/cmp/", known},
	    {"/.well-known/cmp/p/", known}, {"/.well-known/cmp/p/a/b", known},
	    {"/.well-known/cmp/initialization", known}, {"/crl/x", served}, {"/ca/", served},
	    {"/a b",
		"a path of at most 255 printable characters without spaces, quotes, '?', '#' and "
		"'\\'"},
	    {"/a?b=c",
		"a path of at most 255 printable characters without spaces, quotes, '?', '#' and "
		"'\\'"}};
	char text[300], want[300];

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		snprintf(text, sizeof(text),
		    "}, { profile = \"device\"; signer = { certificate = \"c\"; key = \"k\"; }; "
		    "path = \"%s\";",
		    rows[i].text);
		snprintf(want, sizeof(want), "t.conf:4: path: \"%s\" is not allowed, wants %s",
		    rows[i].text, rows[i].want);
		assert_message((struct parts){.endpoint = text}, want);
	}
}

static void
names_of_cas_are_told_apart(void **state)
{
	(void)state;
	assert_text_message(
	    "state_dir = \"/s\"; endpoints = ( { path = \"/a\"; profile = \"p\"; signer = { "
	    "certificate = \"c\"; key = \"k\"; }; } );\ncas = ( { name = \"a\"; certificate = "
	    "\"c\"; key = \"k\"; },\n{ name = \"a\"; certificate = \"c\"; key = \"k\"; } );",
	    "t.conf:3: name: \"a\" is there already, at t.conf:2");
}

static void
crls_are_renewed_before_they_end(void **state)
{
	static const char head[] = "state_dir = \"/s\"; endpoints = ( { path = \"/a\"; profile = "
				   "\"p\"; signer = { certificate = \"c\"; key = \"k\"; }; } );\n";
	static const struct row rows[] = {
	    {"crl_validity = \"1h\";",
		"t.conf:2: crl_renew: must be less than crl_validity, or there are times without "
		"a CRL"},
	    {"crl_renew = \"7d\";",
		"t.conf:2: crl_renew: must be less than crl_validity, or there are times without "
		"a CRL"},
	    {"previous = { };", "t.conf:2: previous: wants a list of groups: ( { ... } )"},
	    {"previous = ( { key = \"k\"; } );", "t.conf:2: certificate is missing"},
	    {"publish = 1;", "t.conf:2: publish: wants true or false, without quotes"}};
	char text[600];

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		snprintf(text, sizeof(text),
		    "%scas = ( { name = \"a\"; certificate = \"c\"; key = \"k\"; %s } );", head,
		    rows[i].text);
		assert_text_message(text, rows[i].want);
	}
}

static void
what_must_be_there(void **state)
{
	(void)state;
	assert_text_message("", "t.conf: state_dir is missing");
	assert_text_message("state_dir = \"/s\";", "t.conf: endpoints is missing");
	assert_text_message("state_dir = \"/s\";\nendpoints = ( );",
	    "t.conf:2: endpoints: wants at least one");
}

static void
text_alone_includes_nothing(void **state)
{
	(void)state;
	assert_text_message("x = 1;\n \t@include \"/etc/passwd\"\n",
	    "t.conf:2: nothing can be included here");
	assert_text_message("/*\n@include \"x\"\n*/", "t.conf: nothing can be included here");
	assert_text_message("x = \"\n@include \\\"x\\\"\n\";",
	    "t.conf: nothing can be included here");
}

static void
messages_show_no_control_bytes(void **state)
{
	(void)state;
	assert_message((struct parts){.root = "log_level = \"a\\x1b[2Jb\\nc\";"},
	    "t.conf:1: log_level: \"a?[2Jb?c\" is not allowed, wants one of \"error\", "
	    "\"warning\", \"info\", \"debug\"");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_stands_outside_of_groups),
	    cmocka_unit_test(addresses_that_do_not_parse),
	    cmocka_unit_test(profiles_that_make_no_sense),
	    cmocka_unit_test(endpoints_that_make_no_sense),
	    cmocka_unit_test(paths_are_raw_and_absolute),
	    cmocka_unit_test(names_of_cas_are_told_apart),
	    cmocka_unit_test(crls_are_renewed_before_they_end),
	    cmocka_unit_test(what_must_be_there),
	    cmocka_unit_test(text_alone_includes_nothing),
	    cmocka_unit_test(messages_show_no_control_bytes),
	};

	return cmocka_run_group_tests_name("conf_errors", tests, NULL, NULL);
}
