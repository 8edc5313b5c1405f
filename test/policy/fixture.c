#include "fixture.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"

void
fixture_init(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	f->conf.plugin_dir = PLUGIN_DIR;
	f->conf.plugin_threads = 4;
	f->conf.limits.parked = 8;
	f->conf.endpoints = &f->endpoint;
	f->conf.n_endpoints = 1;
	f->conf.profiles = &f->profile;
	f->conf.n_profiles = 1;
	f->profile.name = "device";
	f->endpoint.path = "/.well-known/cmp";
	f->endpoint.policy = f->links;
	log_set_level(LOG_LEVEL_ERROR);
}

void
fixture_add(struct fixture *f, const char *plugin, ...)
{
	size_t i = f->endpoint.n_policy++;
	const char *key;
	va_list ap;

	assert_true(i < FIXTURE_LINKS);
	f->links[i].plugin = plugin;
	f->links[i].where = "test.conf:3";
	f->links[i].args = f->args[i];
	va_start(ap, plugin);
	while ((key = va_arg(ap, const char *)) != NULL) {
		assert_true(f->links[i].n_args < FIXTURE_ARGS);
		f->args[i][f->links[i].n_args].key = key;
		f->args[i][f->links[i].n_args++].value = va_arg(ap, const char *);
	}
	va_end(ap);
}

void
fixture_open(struct fixture *f)
{
	struct diag diag = {.text = ""};

	if (policy_new(&f->conf, &f->policy, &diag) != 0) {
		fail_msg("%s", diag.text);
	}
	f->chain = policy_chain_get0(f->policy, &f->endpoint);
	assert_non_null(f->chain);
}

void
fixture_close(struct fixture *f)
{
	policy_free(f->policy);
	f->policy = NULL;
}

struct policy_request
fixture_request(void)
{
	static const char *sans[] = {"DNS:a.example.org", "IP:10.0.0.1", NULL};

	return (struct policy_request){
	    .txn = {.protocol = PROTOCOL_CMP, .id_len = 2, .id = {1, 2}},
	    .cert_req_id = 7,
	    .type = REQUEST_IR,
	    .endpoint = "/.well-known/cmp",
	    .profile = "device",
	    .subject = "/C=DE/CN=lab-1",
	    .sans = sans,
	    .requester = "mac ref=dev1",
	    .requester_kind = "mac",
	    .reference = "dev1",
	    .spki = bytes_of("spki", 4),
	    .template = bytes_of("template", 8),
	    .key_type = "ec:P-256",
	    .peer = "127.0.0.1",
	    .pop = POP_VERIFIED,
	    .received = INT64_C(1767225600000),
	};
}

struct policy_call *
fixture_ask(struct fixture *f, void (*wake)(void *arg), void *arg, int *ret_rc)
{
	struct policy_request request = fixture_request();
	struct policy_call *call = policy_call_new(f->chain, &request);

	assert_non_null(call);
	*ret_rc = policy_call_run(call, wake, arg);
	return call;
}

static void
no_wake(void *arg)
{
	(void)arg;
	abort();
}

struct policy_call *
fixture_ask_now(struct fixture *f, struct policy_verdict *ret)
{
	int rc;
	struct policy_call *call = fixture_ask(f, no_wake, NULL, &rc);

	assert_int_equal(rc, 0);
	assert_int_equal(policy_call_verdict(call, ret), 0);
	return call;
}

void
fixture_sleep(int ms)
{
	const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

	nanosleep(&pause, NULL);
}
