/*
 * Between requests, verdicts and what a program reads and writes.
 */
#pragma once

#include <cmpd/request.h>

#include "child.h"

/* The request as one JSON object with a newline; to be freed by free(). NULL: out of memory. */
char *answer_request_to_json(const struct cmpd_request *request);

/* What the ended program has decided. NULL, or a sentence that says why that cannot be told. Strings live as
 * long as the request. */
const char *answer_to_verdict(const struct child_result *result, struct cmpd_request *request,
    struct cmpd_verdict *ret);

/* "90d", "12h", "30m", "10s", "500ms" or seconds, to milliseconds; -1: not a duration, or past 1000 years. */
int64_t answer_duration(const char *text);
