#include "daemon/crls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/pool.h"
#include "conf/conf.h"
#include "daemon/shelf.h"
#include "enrol/crl.h"
#include "issuer/crl.h"
#include "issuer/issuer.h"
#include "store/store.h"

#define POOL_LIMIT  ((size_t)2 * ISSUER_CRL_MAX)
#define APART_MS    1000 /* between two CRLs of one generation */
#define RETRY_MS    10000 /* after a failure */
#define COMPLAIN_MS 60000 /* between two log lines about failures of one generation */
#define LOOK_MS	    1000

/* Caches may keep a file so long: a revocation should not wait for nextUpdate. */
#define CRL_FRESH_MS	     3600000
#define CERTIFICATE_FRESH_MS 86400000

/* One generation. */
struct kept {
	uint8_t id[CA_ID_SIZE];
	bool loaded, there; /* was the store asked; is there a CRL */
	struct crl crl; /* the newest, without der */
	struct shelf_file *file; /* of it */
	int64_t not_before; /* monotonic: no new one before */
	int64_t complained; /* monotonic, 0: not yet */
};

struct crls {
	struct store *store;
	void (*publish)(void *arg, struct shelf *shelf);
	void *arg;
	struct pool *pool;
	struct kept *kept;
	size_t n;
	bool changed; /* what is to be shown */
	bool is_new; /* the configuration */
};

struct crls *
crls_new(struct store *store, void (*publish)(void *arg, struct shelf *shelf), void *arg)
{
	struct crls *crls = calloc(1, sizeof(*crls));

	if (crls == NULL) {
		return NULL;
	}
	*crls = (struct crls){
	    .store = store, .publish = publish, .arg = arg, .changed = true, .is_new = true};
	crls->pool = pool_new(POOL_LIMIT);
	if (crls->pool == NULL) {
		crls_free(crls);
		return NULL;
	}
	return crls;
}

void
crls_free(struct crls *crls)
{
	if (crls == NULL) {
		return;
	}
	for (size_t i = 0; i < crls->n; i++) {
		shelf_file_put(crls->kept[i].file);
	}
	free(crls->kept);
	pool_free(crls->pool);
	free(crls);
}

void
crls_changed(struct crls *crls)
{
	crls->changed = crls->is_new = true;
}

/* One that is in no configuration any more is kept: there are few, and it may come back. NULL: out of memory. */
static struct kept *
kept_of(struct crls *crls, const uint8_t id[CA_ID_SIZE])
{
	struct kept *kept;

	for (size_t i = 0; i < crls->n; i++) {
		if (memcmp(crls->kept[i].id, id, CA_ID_SIZE) == 0) {
			return &crls->kept[i];
		}
	}
	kept = realloc(crls->kept, (crls->n + 1) * sizeof(*kept));
	if (kept == NULL) {
		return NULL;
	}
	crls->kept = kept;
	kept = &crls->kept[crls->n++];
	*kept = (struct kept){.loaded = false};
	memcpy(kept->id, id, CA_ID_SIZE);
	return kept;
}

static void
log_made(const struct issuer_generation *generation, const struct crl *crl)
{
	struct log_line line;

	log_begin(&line, LOG_LEVEL_INFO, "crl.made");
	log_str(&line, "ca", generation->conf->name);
	log_hex(&line, "generation", bytes_of(generation->id, CA_ID_SIZE));
	log_int(&line, "number", (int64_t)crl->number);
	log_int(&line, "entries", (int64_t)crl->entries);
	log_int(&line, "bytes", (int64_t)crl->der.len);
	log_end(&line);
}

static void
complain(struct kept *kept, const struct issuer_generation *generation, const struct diag *diag)
{
	int64_t now = clock_mono_ms();
	struct log_line line;

	kept->not_before = now + RETRY_MS;
	if (kept->complained != 0 && now - kept->complained < COMPLAIN_MS) {
		return;
	}
	kept->complained = now;
	log_begin(&line, LOG_LEVEL_ERROR, "crl.failed");
	log_str(&line, "ca", generation->conf->name);
	log_hex(&line, "generation", bytes_of(generation->id, CA_ID_SIZE));
	log_str(&line, "text", diag->text);
	log_end(&line);
}

/* What the store has now is what we know and show. */
static int
take(struct crls *crls, struct kept *kept, const struct crl *crl)
{
	int64_t fresh_until = crl->this_update + CRL_FRESH_MS;
	struct shelf_file *file;

	if (fresh_until > crl->next_update) {
		fresh_until = crl->next_update;
	}
	file = shelf_file_new(crl->der, "application/pkix-crl", crl->this_update, fresh_until);
	if (file == NULL) {
		return CMPD_ENOMEM;
	}
	shelf_file_put(kept->file);
	kept->file = file;
	kept->crl = *crl;
	kept->crl.der = BYTES_NONE;
	kept->there = kept->loaded = true;
	crls->changed = true;
	return 0;
}

static int
load(struct crls *crls, struct desk *desk, struct kept *kept)
{
	struct crl crl;
	int r;

	if (kept->loaded) {
		return 0;
	}
	pool_reset(crls->pool);
	r = store_crl_get(desk->reader, crls->pool, kept->id, &crl);
	if (r == 0) {
		r = take(crls, kept, &crl);
	} else if (r == CMPD_ENOENT) {
		kept->loaded = true;
		r = 0;
	}
	pool_reset(crls->pool);
	return r;
}

/* Only what is durable is shown. */
static int
make(struct crls *crls, struct desk *desk, const struct issuer_generation *generation,
    struct kept *kept, struct diag *diag)
{
	struct unit *unit = unit_new();
	struct buf der;
	struct crl crl;
	int r = CMPD_ENOMEM;

	if (unit == NULL) {
		return diag_set(diag, r, "out of memory");
	}
	buf_init(&der, ISSUER_CRL_MAX + 65536);
	desk->unit = unit;
	r = desk_crl_make(desk, generation, kept->there ? &kept->crl : NULL, &der, &crl, diag);
	desk->unit = NULL;
	if (r == 0) {
		r = store_commit_wait(crls->store, unit);
		unit = NULL;
		if (r == 0) {
			crl.version++;
			log_made(generation, &crl);
			r = take(crls, kept, &crl);
		}
		/* Whatever came of it: what the store says counts. */
		kept->loaded = r == 0;
		if (r < 0) {
			diag_set(diag, r, "the CRL cannot be stored: %s", cmpd_strerror(r));
		}
	}
	unit_free(unit);
	buf_fini(&der);
	kept->not_before = clock_mono_ms() + APART_MS;
	return r;
}

static int
keep(struct crls *crls, struct desk *desk, const struct issuer_generation *generation,
    struct kept *kept, struct diag *diag)
{
	bool due = false;
	int r = load(crls, desk, kept);

	if (r == 0) {
		r = desk_crl_is_due(desk, generation, kept->there ? &kept->crl : NULL, &due);
	}
	if (r < 0) {
		return diag_set(diag, r, "%s", cmpd_strerror(r));
	}
	return due ? make(crls, desk, generation, kept, diag) : 0;
}

/* ---- the shelf ---- */

static int
put_on_shelf(struct shelf *shelf, struct crls *crls, const struct issuer_generation *generation)
{
	struct kept *kept = kept_of(crls, generation->id);
	const char *name = generation->conf->name;
	struct shelf_file *certificate = shelf_file_new(generation->certificate,
	    "application/pkix-cert", generation->not_before, generation->not_after);
	char id[9], own[sizeof(id) + 1 + 255];
	int r = kept == NULL || certificate == NULL ? CMPD_ENOMEM : 0;

	hex_encode(bytes_of(generation->id, CA_ID_SIZE), id, sizeof(id));
	snprintf(own, sizeof(own), "%.250s-%s", name, id);
	for (int i = generation->current ? 0 : 1; r == 0 && i < 2; i++) {
		r = shelf_add(shelf, certificate, CONF_CA_PREFIX, i == 0 ? name : own, ".cer");
		if (r == 0 && kept->file != NULL) {
			r = shelf_add(shelf, kept->file, CONF_CRL_PREFIX, i == 0 ? name : own,
			    ".crl");
		}
	}
	shelf_file_put(certificate);
	return r;
}

/* Names without an id first: they are the ones in certificates. */
static int
fill(struct shelf *shelf, struct crls *crls, struct desk *desk)
{
	struct issuer_generation generation;
	int r = 0;

	for (int current = 1; current >= 0; current--) {
		for (size_t i = 0; r == 0 && issuer_generation0(desk->issuer, i, &generation) == 0;
		     i++) {
			if (generation.conf->publish && generation.current == current) {
				r = put_on_shelf(shelf, crls, &generation);
			}
		}
	}
	return r;
}

/* Not an error, but nobody should have to find out by a failed check. */
static void
warn(struct desk *desk)
{
	struct issuer_generation generation;

	for (size_t i = 0; issuer_generation0(desk->issuer, i, &generation) == 0; i++) {
		if (generation.current && !generation.makes_crls) {
			log_msg(LOG_LEVEL_WARNING, "crl.none",
			    "CA %s: its certificate's keyUsage lacks cRLSign, so it makes no CRLs",
			    generation.conf->name);
		}
	}
}

static void
show(struct crls *crls, struct desk *desk)
{
	struct shelf *shelf = shelf_new();

	if (shelf == NULL || fill(shelf, crls, desk) < 0) {
		log_msg(LOG_LEVEL_ERROR, "crl.failed", "out of memory: nothing new is published");
		shelf_free(shelf);
		return;
	}
	crls->changed = false;
	crls->publish(crls->arg, shelf);
}

/* ---- the whole ---- */

int64_t
crls_run(struct crls *crls, struct desk *desk)
{
	int64_t now = clock_mono_ms(), again = now + LOOK_MS;
	struct issuer_generation generation;

	for (size_t i = 0; issuer_generation0(desk->issuer, i, &generation) == 0; i++) {
		struct kept *kept = kept_of(crls, generation.id);
		struct diag diag = {""};

		if (kept != NULL && kept->not_before <= now) {
			desk->now = clock_wall_ms();
			if (keep(crls, desk, &generation, kept, &diag) < 0) {
				complain(kept, &generation, &diag);
			}
		} else if (kept != NULL && kept->not_before < again) {
			again = kept->not_before;
		}
	}
	if (crls->is_new) {
		crls->is_new = false;
		warn(desk);
	}
	if (crls->changed) {
		show(crls, desk);
	}
	return again;
}

int
crls_make(struct crls *crls, struct desk *desk, const uint8_t ca[CA_ID_SIZE], struct diag *diag)
{
	struct issuer_generation generation;
	struct kept *kept = NULL;
	int r = CMPD_ENOENT;

	for (size_t i = 0; kept == NULL && issuer_generation0(desk->issuer, i, &generation) == 0;
	     i++) {
		if (memcmp(generation.id, ca, CA_ID_SIZE) == 0 && generation.makes_crls) {
			kept = kept_of(crls, ca);
			r = kept == NULL ? CMPD_ENOMEM : load(crls, desk, kept);
		}
	}
	if (r == 0) {
		r = make(crls, desk, &generation, kept, diag);
	} else {
		diag_set(diag, r, "%s",
		    r == CMPD_ENOENT ? "no CRLs are made for this generation of the CA"
				     : cmpd_strerror(r));
	}
	if (crls->changed) {
		show(crls, desk);
	}
	return r;
}
