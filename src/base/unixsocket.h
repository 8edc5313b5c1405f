/*
 * Paths of listening unix sockets.
 */
#pragma once

#include "base/error.h"

struct sockaddr_un;

/*
 * Makes place for a socket at this path: one that nobody listens on, left over from a process that
 * is gone, is removed. 0 also if there is nothing. CMPD_EEXIST: somebody listens there, or it is no
 * socket; CMPD_EIO. The reason, with the path, is in diag.
 */
int unixsocket_clear(const struct sockaddr_un *address, struct diag *diag) CMPD_MUST_CHECK;
