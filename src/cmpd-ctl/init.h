/*
 * cmpd-ctl init: a folder from which cmpd can run at once, with a CA of its own to play with.
 */
#pragma once

#include "base/error.h"

/*
 * Makes dir (mode 0700) or fills it if it is there and empty: cmpd.conf, ca/ca.pem and ca/ca.key (P-256), cmp/signer.pem and
 * cmp/signer.key, store.key, state/. Nothing is ever overwritten; on failure whatever was made is removed again.
 * cmpd.conf is written last; a run that was cut off is recognised by the next one.
 *
 * listen: "addr:port", "[v6]:port" or "unix:/path"; NULL: 127.0.0.1:8080.
 * CMPD_EINVAL (listen), CMPD_EEXIST (dir is not empty), CMPD_EACCES (it is somebody else's), CMPD_ELIMIT (path of the control socket would be too long),
 * CMPD_EIO, CMPD_ECRYPTO, CMPD_ENOMEM; the sentence for people is in diag. libcrypto's error queue is left empty.
 */
int init_run(const char *dir, const char *listen, struct diag *diag) CMPD_MUST_CHECK;
