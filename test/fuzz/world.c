#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmpd/plugin.h>
#include <cmpd/request.h>

#include "base/clock.h"
#include "cmp/mac.h"
#include "enrol/crl.h"
#include "issuer/fixture.h"
#include "model/der.h"
#include "policy/chain.h"
#include "world.h"
#include "world_check.h"

#define STORE_INPUTS 400 /* then a new store, so that memory is bounded */
#define POOL_MAX     (8u << 20) /* as a worker of the daemon has it */
#define CENTURY	     "36500d"

/* ECPrivateKey of P-256 without the public key: libcrypto works it out. Constant, so that seeds can hold the public one. */
static const uint8_t device_key_der[] = {0x30, 0x31, 0x02, 0x01, 0x01, 0x04, 0x20, 0x11, 0x11, 0x11,
    0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11,
    0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0xa0, 0x0a, 0x06,
    0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};

#define CONSTANT(array) bytes_of(array, sizeof(array))

static struct world *the_world;
static int64_t wall, mono;

static int64_t
world_wall(void)
{
	return wall;
}

/* Never so busy that a budget is used up. */
static int64_t
world_mono(void)
{
	return mono += 10000;
}

static void
must(bool what, const char *words)
{
	if (!what) {
		fprintf(stderr, "the world cannot be made: %s\n", words);
		abort();
	}
}

/* ---- policy: grants, unless the subject asks for something else ---- */

static int
decide(void *instance, struct cmpd_request *request, struct cmpd_verdict *verdict)
{
	static const char *const sans[] = {"DNS:changed.example", "IP:192.0.2.7", NULL};
	const char *subject = cmpd_request_subject(request);

	(void)instance;
	verdict->answer = strstr(subject, "deny")   ? CMPD_DENY
			  : strstr(subject, "hold") ? CMPD_HOLD
			  : strstr(subject, "pass") ? CMPD_PASS
						    : CMPD_GRANT;
	if (strstr(subject, "change")) {
		verdict->subject = "/CN=changed by policy";
		verdict->sans = sans;
		verdict->validity_ms = 3600000;
	}
	return 0;
}

static const struct cmpd_plugin grants = {.abi_major = CMPD_PLUGIN_ABI_MAJOR,
    .struct_size = sizeof(grants),
    .name = "grants",
    .flags = CMPD_PLUGIN_NONBLOCKING,
    .decide = decide};
static struct policy_plugin plugin = {.file = "grants", .api = &grants};
static struct policy_link links[] = {{.plugin = &plugin, .open = true}};

static void
make_policy(struct world *w)
{
	struct diag diag = {""};
	struct policy *policy = NULL;

	must(policy_new(w->conf, &policy, &diag) == 0, diag.text);
	policy->chains[PLACE_GRANTED].links = links;
	policy->chains[PLACE_GRANTED].n_links = 1;
	w->desk.policy = policy;
}

/* ---- keys, certificates, configuration ---- */

static const char *
conf_text(struct pool *pool, const struct fixture *f)
{
	static const char endpoint[] =
	    "{ path = \"/%s\"; profile = \"device\"; profiles = [ \"other\" ]; "
	    "signer = { certificate = \"%s/signer.pem\"; key = \"%s/signer.key\"; }; "
	    "prot_enc_cert = \"%s/signer.pem\"; "
	    "message_time_window = \"1d\"; message_time_required = false; replay_keep = \"1h\"; "
	    "strict = false; max_nested = 8; "
	    "ras = ( { name = \"plant\"; certificate = \"%s/ra.pem\"; } ); max_requests = 8; "
	    "confirm = \"implicit\"; "
	    "same_key = [ \"ir\", \"cr\", \"kur\", \"p10cr\" ]; rr_mac = true; "
	    "mac_iterations_per_second = 1000000000; wrong_macs_per_minute = 1000000; "
	    "revoke_updated = true; central_key = [ \"ec:P-256\", \"ed25519\" ]; "
	    "kga = { certificate = \"%s/kga.pem\"; key = \"%s/signer.key\"; }; }";
	char *held =
	    pool_printf(pool, endpoint, "held", f->dir, f->dir, f->dir, f->dir, f->dir, f->dir);
	char *granted =
	    pool_printf(pool, endpoint, "granted", f->dir, f->dir, f->dir, f->dir, f->dir, f->dir);

	return pool_printf(pool,
	    "state_dir = \"/nowhere\"; "
	    "cas = ( { name = \"main\"; certificate = \"%s\"; key = \"%s\"; "
	    "root_new_with_new = \"%s\"; root_new_with_old = \"%s\"; } ); "
	    "profiles = ( { name = \"device\"; ca = \"main\"; names = \"any\"; "
	    "extended_key_usage = [ \"clientAuth\" ]; "
	    "key_usage = [ \"digitalSignature\", \"keyAgreement\" ]; "
	    "san = [ \"dns\", \"ip\", \"email\", \"uri\", \"dirName\", \"otherName\" ]; "
	    "crl_distribution_points = [ \"http://ca.example/main.crl\" ]; }, "
	    "{ name = \"other\"; ca = \"main\"; allow_ca = true; "
	    "key_usage = [ \"digitalSignature\", \"keyCertSign\" ]; }, "
	    "{ name = \"ra\"; ca = \"main\"; names = \"any\"; "
	    "san = [ \"dns\", \"ip\", \"email\", \"uri\" ]; "
	    "extended_key_usage = [ \"cmcRA\" ]; }, "
	    "{ name = \"kga\"; ca = \"main\"; names = \"any\"; "
	    "san = [ \"dns\", \"ip\", \"email\", \"uri\" ]; "
	    "extended_key_usage = [ \"1.3.6.1.5.5.7.3.32\" ]; } ); "
	    "endpoints = ( %s, %s );",
	    f->cert_file, f->key_file, f->cert_file, f->cert_file, held, granted);
}

/* A certificate by the issuer itself. */
static struct cert
certificate_for(struct world *w, struct fixture *f, const char *profile, const char *name,
    EVP_PKEY *key)
{
	static const char *const names[] = {
	    "subjectAltName=DNS:device.example,IP:10.0.0.1,email:a@example,URI:urn:device", NULL};
	struct template wanted = {.subject = name_of(f, name),
	    .spki = spki_of(f, key),
	    .extensions = extensions_of(f, names)},
			resolved;
	struct cert cert = {.number = 0};
	const char *mods = NULL;
	struct bytes hash;

	must(issuer_resolve(w->desk.issuer, profile, &wanted, f->pool, &resolved, &mods,
		 &f->diag) == 0,
	    f->diag.text);
	must(issuer_sign(w->desk.issuer, profile, &resolved, w->now, f->pool, &cert, &hash,
		 &f->diag) == 0,
	    f->diag.text);
	return cert;
}

static void
write_certificate(const char *file, const struct cert *cert)
{
	const unsigned char *p = cert->der.data;
	X509 *x509 = d2i_X509(NULL, &p, (long)cert->der.len);

	must(x509 != NULL, file);
	write_pem(file, x509, NULL);
	X509_free(x509);
}

static void
make_issuer(struct world *w, struct fixture *f)
{
	char file[4][96];
	struct cert signer, kga;

	must(issuer_new(w->conf, NULL, &w->desk.issuer, &f->diag) == 0, f->diag.text);
	w->signer_key = make_key("P-256");
	signer = certificate_for(w, f, "device", "/CN=signer", w->signer_key);
	snprintf(file[0], sizeof(file[0]), "%s/signer.pem", f->dir);
	snprintf(file[1], sizeof(file[1]), "%s/signer.key", f->dir);
	snprintf(file[2], sizeof(file[2]), "%s/ra.pem", f->dir);
	write_certificate(file[0], &signer);
	write_pem(file[1], NULL, w->signer_key);
	w->ra_key = make_key("P-256");
	w->ra = certificate_for(w, f, "ra", "/CN=plant", w->ra_key);
	w->ra.confirmed = true;
	w->ra_name = wire_general_name(f->pool, name_of(f, "/CN=plant"));
	write_certificate(file[2], &w->ra);
	/* It signs with the same key, under another certificate. */
	kga = certificate_for(w, f, "kga", "/CN=kga", w->signer_key);
	snprintf(file[3], sizeof(file[3]), "%s/kga.pem", f->dir);
	write_certificate(file[3], &kga);
	must(cmp_door_new(w->conf, NULL, w->desk.issuer, &w->door, &f->diag) == 0, f->diag.text);
	/* Everything is loaded; the process may end at any time. */
	unlink(file[0]);
	unlink(file[1]);
	unlink(file[2]);
	unlink(file[3]);
	unlink(f->cert_file);
	unlink(f->key_file);
	rmdir(f->dir);
}

static void
make_device(struct world *w, struct fixture *f)
{
	const unsigned char *p = device_key_der;

	w->device_key = d2i_PrivateKey(EVP_PKEY_EC, NULL, &p, sizeof(device_key_der));
	must(w->device_key != NULL, "device key");
	w->device = certificate_for(w, f, "device", "/CN=device", w->device_key);
	w->device.confirmed = true;
	w->device_name = wire_general_name(f->pool, name_of(f, "/CN=device"));
}

static struct world *
world_new(void)
{
	struct world *w = calloc(1, sizeof(*w));
	static struct fixture f;

	must(w != NULL, "memory");
	/* $WORLD_LOG tells what an input does. */
	log_set_level(getenv("WORLD_LOG") ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR);
	w->now = wall = clock_wall_ms() / 1000 * 1000;
	clock_set_source(world_wall, world_mono);
	fixture_init(&f, "P-256", 36500);
	issuer_free(f.issuer);
	f.issuer = NULL;
	must(conf_parse(conf_text(f.pool, &f), "world", "/", &w->conf, &f.diag) == 0, f.diag.text);
	make_issuer(w, &f);
	make_device(w, &f);
	make_policy(w);
	w->pool = pool_new(64u << 20);
	w->answer_pool = pool_new(POOL_MAX);
	must(w->pool && w->answer_pool, "memory");
	w->desk.conf = w->conf;
	w->desk.pool = w->answer_pool;
	w->desk.now = w->now;
	return w;
}

/* ---- the store ---- */

static void
fill_store(struct world *w)
{
	struct secret secret = {.ref = WORLD_REFERENCE,
	    .value = bytes_str(WORLD_SECRET),
	    .uses_left = -1,
	    .created = w->now};
	struct issuer_generation generation;
	struct diag diag = {""};
	struct buf der;
	struct crl crl;

	w->desk.unit = unit_new();
	must(w->desk.unit != NULL, "memory");
	unit_add_secret(w->desk.unit, &secret);
	unit_put_cert(w->desk.unit, &w->device);
	unit_put_cert(w->desk.unit, &w->ra);
	buf_init(&der, 1 << 20);
	must(issuer_generation0(w->desk.issuer, 0, &generation) == 0 &&
		 desk_crl_make(&w->desk, &generation, NULL, &der, &crl, &diag) == 0,
	    diag.text);
	must(store_commit_wait(w->store, w->desk.unit) == 0, "store");
	w->desk.unit = NULL;
	buf_fini(&der);
}

static void
open_store(struct world *w)
{
	struct store_options options = {.dir = NULL};
	struct diag diag = {""};

	if (w->store) {
		store_reader_close(w->desk.reader);
		store_close(w->store);
	}
	must(store_open(&options, &w->store, &diag) == 0, diag.text);
	must(store_reader_open(w->store, &w->desk.reader) == 0, "reader");
	fill_store(w);
}

/* The device may have revoked its certificate. */
static bool
device_is_good(struct world *w)
{
	struct cert cert;

	return store_cert_get(w->desk.reader, w->pool, w->device.ca, w->device.serial, &cert) ==
		   0 &&
	       cert.version == 1;
}

struct world *
world_begin(void)
{
	if (!the_world) {
		the_world = world_new();
	}
	the_world->desk.now = wall = the_world->now;
	if (the_world->inputs++ % STORE_INPUTS == 0 || the_world->is_over ||
	    !device_is_good(the_world)) {
		open_store(the_world);
	}
	the_world->is_over = false;
	pool_reset(the_world->pool);
	return the_world;
}

/* ---- time ---- */

static void
sweep_one(struct world *w, const struct due *due)
{
	pool_reset(w->answer_pool);
	w->desk.unit = unit_new();
	must(w->desk.unit != NULL, "memory");
	check(desk_sweep_one(&w->desk, due, false) == 0, "the sweep does what is due");
	if (unit_is_empty(w->desk.unit)) {
		unit_free(w->desk.unit);
	} else {
		check(store_commit_wait(w->store, w->desk.unit) == 0,
		    "what the sweep wants can be stored");
	}
	w->desk.unit = NULL;
}

/* Until nothing is due any more. */
static void
sweep(struct world *w)
{
	struct due *due = NULL;
	size_t n = 1;

	for (unsigned round = 0; n > 0; round++) {
		check(round < 4, "the sweep comes to an end");
		check(store_due_list(w->desk.reader, w->pool, w->desk.now, 1000, &due, &n) == 0,
		    "what is due can be listed");
		for (size_t i = 0; i < n; i++) {
			sweep_one(w, &due[i]);
		}
	}
	check_no_errors_left();
}

void
world_pass_time(struct world *w)
{
	static const int64_t steps[] = {
	    10 * 60000, 2 * 3600000, 40 * DAY, 400 * DAY, 400 * DAY, 400 * DAY, 400 * DAY};
	struct store_stats stats;

	w->is_over = true;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		w->desk.now = wall += steps[i];
		sweep(w);
	}
	must(store_stats(w->desk.reader, &stats) == 0, "statistics");
	check(stats.txns == 0, "transactions are forgotten");
	for (size_t i = 0; i < ENTRY_STATES; i++) {
		check(stats.entries[i] == 0, "entries are forgotten");
	}
}
