#include <arpa/inet.h>
#include <pthread.h>
#include <string.h>

#include "base/digest.h"
#include "cmp/mac.h"

/* Iterations computed in vain, by hashed address, as a bucket that leaks per_second each second. */
#define SLOTS 4096

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t seed;
static struct {
	int64_t spent;
	int64_t when; /* monotonic ms of the last change */
} slots[SLOTS];

/* Of an IPv6 address the network: who has one address of it has all. */
static struct bytes
owner_of(const char *peer, struct in6_addr *address)
{
	if (inet_pton(AF_INET6, peer, address) != 1 || IN6_IS_ADDR_V4MAPPED(address)) {
		return bytes_str(peer);
	}
	return bytes_of(address->s6_addr, 8);
}

static size_t
slot_of(const char *peer)
{
	struct in6_addr address;
	struct bytes owner = owner_of(peer, &address);
	uint64_t h;

	/* Nobody outside knows which addresses meet in a slot. */
	while (seed == 0) {
		random_bytes(&seed, sizeof(seed));
	}
	h = seed;
	for (size_t i = 0; i < owner.len; i++) {
		h = (h ^ owner.data[i]) * UINT64_C(0x100000001b3);
	}
	return (size_t)((h ^ h >> 32) % SLOTS);
}

static int64_t
spent_now(size_t slot, int64_t per_second, int64_t now)
{
	int64_t away = now - slots[slot].when;
	int64_t left = slots[slot].spent;

	if (away >= 1000000 || left <= 0) {
		return 0;
	}
	left -= away * per_second / 1000;
	return left > 0 ? left : 0;
}

bool
mac_budget_left(const char *peer, int64_t per_second, int64_t now_mono_ms)
{
	bool left;

	pthread_mutex_lock(&lock);
	left = spent_now(slot_of(peer), per_second, now_mono_ms) < per_second;
	pthread_mutex_unlock(&lock);
	return left;
}

void
mac_budget_spend(const char *peer, int64_t iterations, int64_t per_second, int64_t now_mono_ms)
{
	size_t slot;

	pthread_mutex_lock(&lock);
	slot = slot_of(peer);
	slots[slot].spent = spent_now(slot, per_second, now_mono_ms) + iterations;
	slots[slot].when = now_mono_ms;
	pthread_mutex_unlock(&lock);
}
