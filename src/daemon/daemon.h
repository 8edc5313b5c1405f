/*
 * The running daemon: from a loaded configuration to the last answer.
 */
#pragma once

#include "base/error.h"

struct conf;

/* Checks what a start would need and changes nothing (cmpd -t): keys, plugins, store, addresses. Takes conf over. */
int daemon_check(struct conf *conf, struct diag *diag) CMPD_MUST_CHECK;

/*
 * Runs in the foreground until SIGTERM or SIGINT. Takes conf over. 0: an orderly end. Otherwise it did not come up, and diag says why.
 */
int daemon_run(struct conf *conf, struct diag *diag) CMPD_MUST_CHECK;
