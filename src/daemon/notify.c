#include "daemon/notify.h"

#ifdef HAVE_SYSTEMD
#include <inttypes.h>
#include <systemd/sd-daemon.h>
#include <time.h>

void
notify_ready(void)
{
	(void)sd_notify(0, "READY=1\nSTATUS=serving");
}

void
notify_reloading(void)
{
	struct timespec now = {0};

	/* systemd's own clock, not the one tests may move. */
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	(void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64 "\nSTATUS=reloading",
	    (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
}

void
notify_stopping(void)
{
	(void)sd_notify(0, "STOPPING=1\nSTATUS=finishing what is under way");
}

void
notify_watchdog(void)
{
	(void)sd_notify(0, "WATCHDOG=1");
}

int64_t
notify_watchdog_interval(void)
{
	uint64_t usec = 0;

	if (sd_watchdog_enabled(0, &usec) <= 0) {
		return 0;
	}
	return usec < 4000 ? 1 : (int64_t)(usec / 2000);
}

#else

void
notify_ready(void)
{
}

void
notify_reloading(void)
{
}

void
notify_stopping(void)
{
}

void
notify_watchdog(void)
{
}

int64_t
notify_watchdog_interval(void)
{
	return 0;
}

#endif
