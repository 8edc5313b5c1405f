/* What is read from a configuration, and that it prints as it is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "parts.h"

#define DAY INT64_C(86400000)

static const char full[] =
    "state_dir = \"state\";\n"
    "listen = [ \"127.0.0.1:8080\", \"[2001:db8::1]:443\", \"unix:http.sock\" ];\n"
    "health = \"127.0.0.1:8081\"; workers = 3; log_level = \"debug\";\n"
    "plugin_dir = \"./plugins\"; plugin_threads = 7;\n"
    "limits = { body_size = \"1MiB\"; header_size = 5000; connections = 10;\n"
    "  request_deadline = 1; idle_timeout = \"2m\"; queue = 3; parked = 4; control_connections = "
    "5; };\n"
    "control = { socket = \"/run/ctl\"; backup_dir = \"backup\"; admin_users = [ \"eve\" ];\n"
    "  admin_groups = ( \"adm\", \"pki\" ); };\n"
    "store = { map_size = 2147483648L; key = \"k\"; sync = false; };\n"
    "retention = { entry = \"1h\"; certificate = \"2h\"; };\n"
    "cas = ( { name = \"one\"; certificate = \"ca.pem\"; key = "
    "\"pkcs11:object=ca;pin-value=1234?x=y\"; chain = \"chain.pem\"; },\n"
    "  { name = \"two\"; certificate = \"/ca.pem\"; key = \"ca.key\"; crl_validity = \"2d\"; "
    "crl_renew = \"12h\"; publish = false; "
    "    previous = ( { certificate = \"old.pem\"; key = \"old.key\"; chain = \"c.pem\"; }, "
    "      { certificate = \"older.pem\"; } ); } );\n"
    "profiles = ( { name = \"p\"; ca = \"two\"; validity = \"12h\"; key_usage = [ \"keyAgreement\" "
    "];\n"
    "  extended_key_usage = [ \"clientAuth\", \"1.3.6.1.5.5.7.3.27\" ]; allowed_keys = [ "
    "\"rsa:3072\" ];\n"
    "  san = [ \"dns\", \"uri\" ]; crl_distribution_points = [ \"http://a/crl\" ]; ca_issuers = [ "
    "\"https://a/ca\" ];\n"
    "  names = \"any\"; allow_ca = true; } );\n"
    "endpoints = (\n"
    "  { path = \"/.well-known/cmp/p/lab\"; profile = \"p\";\n"
    "    signer = { certificate = \"s.pem\"; key = \"s.key\"; chain = \"s-chain.pem\"; };\n"
    "    trust = [ \"a.pem\", \"/b.pem\" ]; trust_own = false; bodies = [ \"ir\", \"rr\" ]; "
    "allow_mac = false;\n"
    "    check_after = 2; confirm = \"implicit\"; confirm_wait = \"1h\"; entry_ttl = \"2d\"; "
    "decide_wait = \"500ms\";\n"
    "    message_time_window = \"10m\"; message_time_required = true; strict = false; replay_keep "
    "= \"2h\";\n"
    "    max_requests = 64; max_extra_certs = 0; pbm_iterations_min = 500; pbm_iterations_max = "
    "500;\n"
    "    recip_nonce = \"request\"; p10cr_id_zero = true; rr_mac = true;\n"
    "    policy = ( { plugin = \"allow\"; subject = \"/CN=\\\"lab\\\"-*\"; n = 5; big = "
    "5000000000L; f = 0.1;\n"
    "      yes = true; list = ( \"a\", 2, false ); one = [ 1 ]; secret = \"hidden\"; "
    "},\n"
    "      { plugin = \"plugins/my.so\"; } ); },\n"
    "  { path = \"/pkix/\"; profile = \"p\"; signer = { certificate = \"s.pem\"; key = \"s.key\"; "
    "}; } );\n";

static struct conf *
parse(const char *text)
{
	struct conf *conf = NULL;
	struct diag diag = {""};
	int error = conf_parse(text, "t.conf", "/etc/cmpd", &conf, &diag);

	assert_string_equal(diag.text, "");
	assert_int_equal(error, 0);
	return conf;
}

static void
assert_list(const char **list, const char *a, const char *b)
{
	assert_string_equal(list[0], a);
	if (b != NULL) {
		assert_string_equal(list[1], b);
	}
	assert_null(list[b == NULL ? 1 : 2]);
}

static void
every_key_is_read(void **state)
{
	struct conf *conf = parse(full);

	(void)state;
	assert_string_equal(conf->file, "t.conf");
	assert_string_equal(conf->state_dir, "/etc/cmpd/state");
	assert_string_equal(conf->listen[1], "[2001:db8::1]:443");
	assert_string_equal(conf->listen[2], "unix:/etc/cmpd/http.sock");
	assert_null(conf->listen[3]);
	assert_string_equal(conf->health, "127.0.0.1:8081");
	assert_int_equal(conf->workers, 3);
	assert_string_equal(conf->log_level, "debug");
	assert_string_equal(conf->plugin_dir, "/etc/cmpd/plugins");
	assert_int_equal(conf->plugin_threads, 7);
	assert_int_equal(conf->limits.body_size, 1 << 20);
	assert_int_equal(conf->limits.header_size, 5000);
	assert_int_equal(conf->limits.connections, 10);
	assert_int_equal(conf->limits.request_deadline, 1000);
	assert_int_equal(conf->limits.idle_timeout, 120000);
	assert_int_equal(conf->limits.queue, 3);
	assert_int_equal(conf->limits.parked, 4);
	assert_int_equal(conf->limits.control_connections, 5);
	assert_string_equal(conf->control.socket, "/run/ctl");
	assert_string_equal(conf->control.backup_dir, "/etc/cmpd/backup");
	assert_list(conf->control.admin_users, "eve", NULL);
	assert_list(conf->control.admin_groups, "adm", "pki");
	assert_true(conf->store.map_size == INT64_C(2147483648));
	assert_string_equal(conf->store.key, "/etc/cmpd/k");
	assert_false(conf->store.sync);
	assert_int_equal(conf->retention.entry, 3600000);
	assert_int_equal(conf->retention.certificate, 7200000);
	conf_free(conf);
}

static void
every_key_of_cas_and_profiles_is_read(void **state)
{
	struct conf *conf = parse(full);
	const struct conf_profile *p = conf_profile_find(conf, "p");

	(void)state;
	assert_int_equal(conf->n_cas, 2);
	assert_string_equal(conf->cas[0].certificate, "/etc/cmpd/ca.pem");
	assert_string_equal(conf->cas[0].key, "pkcs11:object=ca;pin-value=1234?x=y");
	assert_string_equal(conf->cas[0].chain, "/etc/cmpd/chain.pem");
	assert_ptr_equal(conf_ca_find(conf, "two"), &conf->cas[1]);
	assert_string_equal(conf->cas[1].certificate, "/ca.pem");
	assert_string_equal(conf->cas[1].key, "/etc/cmpd/ca.key");
	assert_null(conf->cas[1].chain);
	assert_int_equal(conf->cas[0].crl_validity, 7 * DAY);
	assert_int_equal(conf->cas[0].crl_renew, DAY);
	assert_true(conf->cas[0].publish);
	assert_int_equal(conf->cas[0].n_previous, 0);
	assert_int_equal(conf->cas[1].crl_validity, 2 * DAY);
	assert_int_equal(conf->cas[1].crl_renew, DAY / 2);
	assert_false(conf->cas[1].publish);
	assert_int_equal(conf->cas[1].n_previous, 2);
	assert_string_equal(conf->cas[1].previous[0].certificate, "/etc/cmpd/old.pem");
	assert_string_equal(conf->cas[1].previous[0].key, "/etc/cmpd/old.key");
	assert_string_equal(conf->cas[1].previous[0].chain, "/etc/cmpd/c.pem");
	assert_string_equal(conf->cas[1].previous[1].certificate, "/etc/cmpd/older.pem");
	assert_null(conf->cas[1].previous[1].key);
	assert_null(conf_ca_find(conf, "three"));

	assert_int_equal(conf->n_profiles, 1);
	assert_string_equal(p->ca, "two");
	assert_true(p->validity == DAY / 2);
	assert_list(p->key_usage, "keyAgreement", NULL);
	assert_list(p->extended_key_usage, "clientAuth", "1.3.6.1.5.5.7.3.27");
	assert_list(p->allowed_keys, "rsa:3072", NULL);
	assert_list(p->san, "dns", "uri");
	assert_list(p->crl_distribution_points, "http://a/crl", NULL);
	assert_list(p->ca_issuers, "https://a/ca", NULL);
	assert_int_equal(p->names, CONF_NAMES_ANY);
	assert_true(p->allow_ca);
	assert_null(conf_profile_find(conf, "q"));
	conf_free(conf);
}

static void
every_key_of_endpoints_is_read(void **state)
{
	struct conf *conf = parse(full);
	const struct conf_endpoint *e = conf_endpoint_find(conf, "/.well-known/cmp/p/lab");

	(void)state;
	assert_int_equal(conf->n_endpoints, 2);
	assert_ptr_equal(e, &conf->endpoints[0]);
	assert_string_equal(e->profile, "p");
	assert_string_equal(e->signer_certificate, "/etc/cmpd/s.pem");
	assert_string_equal(e->signer_key, "/etc/cmpd/s.key");
	assert_string_equal(e->signer_chain, "/etc/cmpd/s-chain.pem");
	assert_list(e->trust, "/etc/cmpd/a.pem", "/b.pem");
	assert_false(e->trust_own);
	assert_int_equal(e->bodies, CONF_BODY(0) | CONF_BODY(11));
	assert_false(e->allow_mac);
	assert_int_equal(e->check_after, 2000);
	assert_int_equal(e->confirm, CONF_CONFIRM_IMPLICIT);
	assert_int_equal(e->confirm_wait, 3600000);
	assert_true(e->entry_ttl == 2 * DAY);
	assert_int_equal(e->decide_wait, 500);
	assert_int_equal(e->message_time_window, 600000);
	assert_true(e->message_time_required);
	assert_false(e->strict);
	assert_int_equal(e->replay_keep, 7200000);
	assert_int_equal(e->max_requests, 64);
	assert_int_equal(e->max_extra_certs, 0);
	assert_int_equal(e->pbm_iterations_min, 500);
	assert_int_equal(e->pbm_iterations_max, 500);
	assert_int_equal(e->recip_nonce, CONF_RECIP_NONCE_REQUEST);
	assert_true(e->p10cr_id_zero);
	assert_true(e->rr_mac);
	assert_string_equal(e->where, "t.conf:18");
	assert_string_equal(conf->endpoints[1].path, "/pkix/");
	assert_null(conf_endpoint_find(conf, "/pkix"));
	conf_free(conf);
}

static void
a_plugin_gets_all_other_keys_as_text(void **state)
{
	static const struct conf_arg want[] = {{"subject", "/CN=\"lab\"-*"}, {"n", "5"},
	    {"big", "5000000000"}, {"f", "0.1"}, {"yes", "true"}, {"list", "a"}, {"list", "2"},
	    {"list", "false"}, {"one", "1"}, {"secret", "hidden"}};
	struct conf *conf = parse(full);
	const struct conf_endpoint *e = &conf->endpoints[0];

	(void)state;
	assert_int_equal(e->n_policy, 2);
	assert_string_equal(e->policy[0].plugin, "allow");
	assert_string_equal(e->policy[0].where, "t.conf:25");
	assert_int_equal(e->policy[0].n_args, sizeof(want) / sizeof(want[0]));
	for (size_t i = 0; i < e->policy[0].n_args; i++) {
		assert_string_equal(e->policy[0].args[i].key, want[i].key);
		assert_string_equal(e->policy[0].args[i].value, want[i].value);
	}
	assert_string_equal(e->policy[1].plugin, "/etc/cmpd/plugins/my.so");
	assert_int_equal(e->policy[1].n_args, 0);
	assert_int_equal(conf->endpoints[1].n_policy, 0);
	conf_free(conf);
}

static void
what_is_not_given_is_safe(void **state)
{
	struct conf *conf = NULL;
	const struct conf_endpoint *e;

	(void)state;
	assert_int_equal(parse_parts(&(struct parts){NULL}, &conf, NULL), 0);
	assert_list(conf->listen, "127.0.0.1:8080", NULL);
	assert_null(conf->health);
	assert_string_equal(conf->control.socket, "/s/ctl.sock");
	assert_null(conf->control.backup_dir);
	assert_null(conf->control.admin_users[0]);
	assert_string_equal(conf->store.key, "/s/store.key");
	assert_true(conf->store.sync);
	assert_int_equal(conf->limits.body_size, 65536);
	assert_null(conf->profiles[0].san[0]);
	assert_int_equal(conf->profiles[0].names, CONF_NAMES_IDENTITY);
	assert_false(conf->profiles[0].allow_ca);
	e = &conf->endpoints[0];
	assert_int_equal(e->check_after, 60000);
	assert_int_equal(e->confirm, CONF_CONFIRM_EXPLICIT);
	assert_int_equal(e->confirm_wait, 300000);
	assert_true(e->entry_ttl == 30 * DAY);
	assert_int_equal(e->decide_wait, 1000);
	assert_int_equal(e->message_time_window, 300000);
	assert_true(e->message_time_required);
	assert_true(e->strict);
	assert_true(e->replay_keep == DAY);
	assert_int_equal(e->max_requests, 1);
	assert_int_equal(e->max_extra_certs, 10);
	assert_int_equal(e->pbm_iterations_min, 100);
	assert_int_equal(e->pbm_iterations_max, 10000);
	assert_int_equal(e->bodies, 1u << 0 | 1u << 2 | 1u << 4 | 1u << 7 | 1u << 11 | 1u << 21);
	assert_int_equal(e->n_policy, 0);
	conf_free(conf);
}

static void
without_message_time_there_is_replay_keep(void **state)
{
	struct conf *conf = NULL;

	(void)state;
	assert_int_equal(
	    parse_parts(&(struct parts){.endpoint = "replay_keep = \"7d\";"}, &conf, NULL), 0);
	assert_false(conf->endpoints[0].message_time_required);
	conf_free(conf);
	assert_int_equal(
	    parse_parts(&(struct parts){.endpoint =
					    "replay_keep = 0; message_time_required = true;"},
		&conf, NULL),
	    0);
	assert_true(conf->endpoints[0].message_time_required);
	conf_free(conf);
}

static char *
print(const struct conf *conf)
{
	struct buf out;
	char *text;

	buf_init(&out, 1 << 20);
	conf_print(conf, &out);
	assert_int_equal(buf_error(&out), 0);
	text = strndup((const char *)out.data, out.len);
	assert_non_null(text);
	buf_fini(&out);
	return text;
}

/* From another folder: nothing relative is left. */
static void
what_is_printed_is_read_the_same(void **state)
{
	struct conf *first = parse(full), *second = NULL;
	struct diag diag = {""};
	char *a = print(first), *b;

	(void)state;
	assert_int_equal(conf_parse(a, "a.conf", "/elsewhere", &second, &diag), 0);
	b = print(second);
	assert_string_equal(a, b);
	assert_int_equal(conf_check_reload(first, second, &diag), 0);
	free(a);
	free(b);
	conf_free(first);
	conf_free(second);
}

static void
what_could_be_secret_is_not_printed(void **state)
{
	struct conf *conf = parse(full);
	char *text = print(conf);

	(void)state;
	assert_null(strstr(text, "1234"));
	assert_non_null(strstr(text, "pkcs11:object=ca;pin-value=********?x=y"));
	assert_null(strstr(text, "hidden"));
	assert_non_null(strstr(text, "secret = \"********\""));
	free(text);
	conf_free(conf);
}

static void
a_buffer_too_small_is_an_error_of_the_buffer(void **state)
{
	struct conf *conf = parse(full);
	struct buf out;

	(void)state;
	buf_init(&out, 100);
	conf_print(conf, &out);
	assert_int_equal(buf_error(&out), CMPD_ELIMIT);
	buf_fini(&out);
	conf_free(conf);
	conf_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_key_is_read),
	    cmocka_unit_test(every_key_of_cas_and_profiles_is_read),
	    cmocka_unit_test(every_key_of_endpoints_is_read),
	    cmocka_unit_test(a_plugin_gets_all_other_keys_as_text),
	    cmocka_unit_test(what_is_not_given_is_safe),
	    cmocka_unit_test(without_message_time_there_is_replay_keep),
	    cmocka_unit_test(what_is_printed_is_read_the_same),
	    cmocka_unit_test(what_could_be_secret_is_not_printed),
	    cmocka_unit_test(a_buffer_too_small_is_an_error_of_the_buffer),
	};

	return cmocka_run_group_tests_name("conf_parse", tests, NULL, NULL);
}
