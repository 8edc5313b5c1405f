/*
 * What systemd is told, if it started us and libsystemd was there at build time. Any thread.
 */
#pragma once

#include <stdint.h>

void notify_ready(void);
void notify_reloading(void);
void notify_stopping(void);
void notify_watchdog(void);
/* How often notify_watchdog is expected, in ms; 0: never. */
int64_t notify_watchdog_interval(void);
