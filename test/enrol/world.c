#include "world.h"

struct world *
world_new(int64_t now)
{
	struct world *w = calloc(1, sizeof(*w));
	struct store_options options = {.dir = NULL};
	struct diag diag = {""};

	fixture_init(&w->f, "P-256", 3650);
	assert_int_equal(fixture_issuer(&w->f), 0);
	w->endpoint = (struct conf_endpoint){.path = "/.well-known/cmp",
	    .profile = w->f.profile.name,
	    .check_after = 2000,
	    .confirm_wait = 60000,
	    .entry_ttl = 3600000,
	    .replay_keep = 1000,
	    .message_time_window = 1000};
	w->f.conf.endpoints = &w->endpoint;
	w->f.conf.n_endpoints = 1;
	w->f.conf.limits.pending = 100;
	w->f.conf.retention.entry = 10 * DAY;
	w->f.conf.plugin_threads = 1;
	assert_int_equal(store_open(&options, &w->store, &diag), 0);
	assert_int_equal(store_reader_open(w->store, &w->reader), 0);
	assert_int_equal(policy_new(&w->f.conf, &w->policy, &diag), 0);
	w->desk = (struct desk){.conf = &w->f.conf,
	    .issuer = w->f.issuer,
	    .policy = w->policy,
	    .reader = w->reader,
	    .pool = w->f.pool,
	    .now = now};
	w->requester = (struct desk_requester){
	    .words = "mac ref=dev1", .reference = "dev1", .peer = "127.0.0.1"};
	w->txn = (struct txn){.key = {PROTOCOL_CMP, 16, "0123456789abcde"},
	    .endpoint = w->endpoint.path,
	    .type = REQUEST_IR,
	    .n_ids = 1,
	    .received = now,
	    .deadline = now + DAY,
	    .due = now + DAY};
	return w;
}

void
world_free(struct world *w)
{
	policy_free(w->policy);
	store_reader_close(w->reader);
	store_close(w->store);
	fixture_fini(&w->f);
	free(w);
}

void
world_begin(struct world *w, int64_t now)
{
	w->desk.now = now;
	w->desk.unit = unit_new();
	assert_non_null(w->desk.unit);
}

void
world_commit(struct world *w)
{
	assert_int_equal(store_commit_wait(w->store, w->desk.unit), 0);
}

static void
wake(void *arg)
{
	(void)arg;
}

struct desk_outcome
world_submit(struct world *w, const struct template *template, enum pop_result pop)
{
	struct desk_request request = {.endpoint = &w->endpoint,
	    .txn = w->txn.key,
	    .type = REQUEST_IR,
	    .template = *template,
	    .pop = pop};
	struct desk_verdict verdict = {.cert_req_id = 0};
	struct desk_outcome outcome;

	assert_int_equal(
	    desk_submit(&w->desk, &w->requester, &request, &verdict, wake, NULL, &outcome), 0);
	policy_call_free(verdict.call);
	return outcome;
}
