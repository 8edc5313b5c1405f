#include "daemon/sweep.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/pool.h"
#include "conf/conf.h"
#include "enrol/desk.h"
#include "store/store.h"

#define SLICE	     256
#define SLICE_GRACE  4096 /* what must wait stays at the head of the list: look behind it */
#define SLICES	     16
#define POOL_LIMIT   (64u * 1024 * 1024)
#define JUMP_MS	     60000
#define ABANDONED_MS (15 * 60000) /* a load of the inventory that nobody goes on with */
#define COMPLAIN_MS  60000 /* between two log lines about the same trouble */

struct sweep {
	struct store *store;
	struct pool *list_pool;
	struct pool *pool;
	int64_t wall, mono; /* when we last looked */
	int64_t grace_until; /* monotonic */
	int64_t complained;
	bool started;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t all_done;
	size_t pending;
	size_t n_done;
	int error;
};

struct sweep *
sweep_new(struct store *store)
{
	struct sweep *sweep = calloc(1, sizeof(*sweep));

	if (sweep == NULL) {
		return NULL;
	}
	pthread_mutex_init(&sweep->lock, NULL);
	pthread_cond_init(&sweep->all_done, NULL);
	sweep->store = store;
	sweep->list_pool = pool_new(POOL_LIMIT);
	sweep->pool = pool_new(POOL_LIMIT);
	if (sweep->list_pool == NULL || sweep->pool == NULL) {
		sweep_free(sweep);
		return NULL;
	}
	return sweep;
}

void
sweep_free(struct sweep *sweep)
{
	if (sweep == NULL) {
		return;
	}
	pool_free(sweep->list_pool);
	pool_free(sweep->pool);
	pthread_cond_destroy(&sweep->all_done);
	pthread_mutex_destroy(&sweep->lock);
	free(sweep);
}

static void
on_committed(void *arg, int result)
{
	struct sweep *sweep = arg;

	pthread_mutex_lock(&sweep->lock);
	/* Somebody else changed it: if it is still due, the next pass finds it. */
	if (result == 0) {
		sweep->n_done++;
	} else if (result != CMPD_ECONFLICT && result != CMPD_ESTATE) {
		sweep->error = result;
	}
	if (--sweep->pending == 0) {
		pthread_cond_signal(&sweep->all_done);
	}
	pthread_mutex_unlock(&sweep->lock);
}

static int
sweep_one(struct sweep *sweep, struct desk *desk, const struct due *due, bool grace)
{
	int r;

	pool_reset(sweep->pool);
	desk->pool = sweep->pool;
	desk->unit = unit_new();
	if (desk->unit == NULL) {
		return CMPD_ENOMEM;
	}
	r = desk_sweep_one(desk, due, grace);
	if (r < 0 || unit_is_empty(desk->unit)) {
		unit_free(desk->unit);
		return r;
	}
	pthread_mutex_lock(&sweep->lock);
	sweep->pending++;
	pthread_mutex_unlock(&sweep->lock);
	store_commit(sweep->store, desk->unit, on_committed, sweep);
	return 0;
}

static void
complain(struct sweep *sweep, int error)
{
	int64_t now = clock_mono_ms();

	if (sweep->complained == 0 || now - sweep->complained >= COMPLAIN_MS) {
		sweep->complained = now;
		log_msg(LOG_LEVEL_ERROR, "sweep.failed", "%s", cmpd_strerror(error));
	}
}

/* The number of things done; 0: nothing is left that can be. */
static size_t
slice(struct sweep *sweep, struct desk *desk, bool grace)
{
	size_t limit = grace ? SLICE_GRACE : SLICE, n = 0;
	struct due *due = NULL;
	int r;

	pool_reset(sweep->list_pool);
	desk->now = clock_wall_ms();
	sweep->n_done = 0;
	sweep->error = store_due_list(desk->reader, sweep->list_pool, desk->now, limit, &due, &n);
	if (sweep->error < 0) {
		n = 0;
	}
	for (size_t i = 0; i < n; i++) {
		r = sweep_one(sweep, desk, &due[i], grace);
		if (r < 0) {
			/* One bad record must not keep the others. */
			pthread_mutex_lock(&sweep->lock);
			sweep->error = r;
			pthread_mutex_unlock(&sweep->lock);
		}
	}
	pthread_mutex_lock(&sweep->lock);
	while (sweep->pending > 0) {
		pthread_cond_wait(&sweep->all_done, &sweep->lock);
	}
	pthread_mutex_unlock(&sweep->lock);
	if (sweep->error < 0) {
		complain(sweep, sweep->error);
	}
	return n < limit ? 0 : sweep->n_done;
}

/* Rows that earlier loads of the inventory have left behind. */
static bool
purge_inventory(struct sweep *sweep, struct desk *desk)
{
	int64_t before = clock_wall_ms() - ABANDONED_MS;
	bool garbage = false;
	int r = store_inventory_garbage(desk->reader, before, &garbage);
	struct unit *unit = r == 0 && garbage ? unit_new() : NULL;

	if (r == 0 && garbage && unit == NULL) {
		r = CMPD_ENOMEM;
	}
	if (unit != NULL) {
		unit_purge_inventory(unit, before);
		r = store_commit_wait(sweep->store, unit);
	}
	if (r < 0) {
		complain(sweep, r);
	}
	return r == 0 && garbage;
}

static int64_t
longest_confirm_wait(const struct conf *conf)
{
	int64_t longest = 0;

	for (size_t i = 0; i < conf->n_endpoints; i++) {
		if (conf->endpoints[i].confirm_wait > longest) {
			longest = conf->endpoints[i].confirm_wait;
		}
	}
	return longest;
}

static bool
in_grace(struct sweep *sweep, const struct conf *conf)
{
	int64_t wall = clock_wall_ms(), mono = clock_mono_ms();
	int64_t jump = (wall - sweep->wall) - (mono - sweep->mono);

	if (!sweep->started) {
		sweep->started = true;
		sweep->grace_until = mono + longest_confirm_wait(conf);
	} else if (jump > JUMP_MS || jump < -JUMP_MS) {
		sweep->grace_until = mono + longest_confirm_wait(conf);
		log_msg(LOG_LEVEL_WARNING, "clock.jump",
		    "the wall clock moved by %lld s: nothing is revoked for lack of confirmation "
		    "until clients had their time",
		    (long long)(jump / 1000));
	}
	sweep->wall = wall;
	sweep->mono = mono;
	return mono < sweep->grace_until;
}

void
sweep_run(struct sweep *sweep, struct desk *desk)
{
	bool grace = in_grace(sweep, desk->conf);

	for (int i = 0; i < SLICES && slice(sweep, desk, grace) > 0; i++) {
	}
	for (int i = 0; i < SLICES && purge_inventory(sweep, desk); i++) {
	}
	desk->unit = NULL;
	desk->pool = NULL;
}
