#include "cmp/budget.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <string.h>

#include "base/digest.h"

/* A payer has its bucket in one of the places of one row. */
#define ROWS   1024
#define PLACES 8

struct bucket {
	uint64_t payer; /* 0: nobody */
	int64_t spent;
	int64_t when; /* monotonic ms of the last change */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t seed;
static struct bucket buckets[BUDGETS][ROWS][PLACES];

/* Of an IPv6 address the network. */
static struct bytes
owner_of(const char *peer, struct in6_addr *address)
{
	if (inet_pton(AF_INET6, peer, address) != 1 || IN6_IS_ADDR_V4MAPPED(address)) {
		return bytes_str(peer);
	}
	return bytes_of(address->s6_addr, 8);
}

static uint64_t
mix(uint64_t h, struct bytes data)
{
	for (size_t i = 0; i < data.len; i++) {
		h = (h ^ data.data[i]) * UINT64_C(0x100000001b3);
		h ^= h >> 29;
	}
	/* The length too: "a" and "b" are not "ab" and "". */
	h = (h ^ data.len) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 32;
}

uint64_t
budget_payer(const char *peer, const char *name)
{
	struct in6_addr address;
	uint64_t h;

	/* Nobody outside knows which payers meet in a row. */
	pthread_mutex_lock(&lock);
	while (seed == 0) {
		random_bytes(&seed, sizeof(seed));
	}
	h = seed;
	pthread_mutex_unlock(&lock);
	h = mix(mix(h, owner_of(peer, &address)), bytes_str(name));
	return h ? h : 1;
}

static int64_t
spent_now(const struct bucket *bucket, int64_t per_second, int64_t now)
{
	int64_t away = now - bucket->when;
	int64_t left = bucket->spent;

	if (bucket->payer == 0 || left <= 0 || away >= left / per_second * 1000 + 1000) {
		return 0;
	}
	left -= away > 0 ? away * per_second / 1000 : 0;
	return left > 0 ? left : 0;
}

/* The payer's own bucket; NULL: it has none. */
static struct bucket *
find(struct bucket row[PLACES], uint64_t payer)
{
	for (size_t i = 0; i < PLACES; i++) {
		if (row[i].payer == payer) {
			return &row[i];
		}
	}
	return NULL;
}

static struct bucket *
emptiest(struct bucket row[PLACES], int64_t per_second, int64_t now)
{
	struct bucket *best = &row[0];
	int64_t least = spent_now(best, per_second, now);

	for (size_t i = 1; i < PLACES && least > 0; i++) {
		int64_t spent = spent_now(&row[i], per_second, now);

		if (spent < least) {
			best = &row[i];
			least = spent;
		}
	}
	return best;
}

bool
budget_left(enum budget budget, uint64_t payer, const struct budget_rule *rule, int64_t now_mono_ms)
{
	const struct bucket *bucket;
	bool left;

	pthread_mutex_lock(&lock);
	bucket = find(buckets[budget][payer % ROWS], payer);
	left = !bucket || spent_now(bucket, rule->per_second, now_mono_ms) < rule->holds;
	pthread_mutex_unlock(&lock);
	return left;
}

void
budget_spend(enum budget budget, uint64_t payer, int64_t cost, const struct budget_rule *rule,
    int64_t now_mono_ms)
{
	struct bucket *row = buckets[budget][payer % ROWS];
	struct bucket *bucket;

	pthread_mutex_lock(&lock);
	bucket = find(row, payer);
	if (!bucket) {
		bucket = emptiest(row, rule->per_second, now_mono_ms);
		*bucket = (struct bucket){.payer = payer};
	}
	bucket->spent = spent_now(bucket, rule->per_second, now_mono_ms) + cost;
	bucket->when = now_mono_ms;
	pthread_mutex_unlock(&lock);
}
