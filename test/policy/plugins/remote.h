/*
 * What the plugins "remote" and "remote-now" want from the test program.
 */
#pragma once

#include <cmpd/request.h>

CMPD_PLUGIN_EXPORT int remote_decide(const char *id, struct cmpd_request *request,
    struct cmpd_verdict *verdict);
CMPD_PLUGIN_EXPORT void remote_close(const char *id);
