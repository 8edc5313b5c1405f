/*
 * What evhttp lets pass and we do not (RFC 9112, RFC 9811). Pure functions.
 */
#pragma once

#include "base/bytes.h"

struct evkeyvalq;

/* Why a request is not acceptable as HTTP; NULL: it is. Two lengths, a length beside Transfer-Encoding, codings other than chunked
 * and names with strange characters let two parsers see two different requests: the connection must be closed after the
 * answer. */
const char *http_check_framing(const struct evkeyvalq *headers, bool http11);

/* Neither Content-Length nor Transfer-Encoding. */
bool http_check_no_length(const struct evkeyvalq *headers);

/* An absolute path that says the same to everybody who compares it byte by byte: no escapes, no query, no "//", no "..". */
bool http_check_path(const char *uri);

/* Does the list of If-None-Match name this entity tag (given with its quotes)? Weak and strong ones compare as equal. */
bool http_check_etag(const char *list, const char *etag);

#define HTTP_DATE_SIZE 32
/* "Sun, 06 Nov 1994 08:49:37 GMT"; returns out. */
char *http_date_format(int64_t ms, char out[HTTP_DATE_SIZE]);
/* That form only; CMPD_EFORMAT. */
int http_date_parse(const char *text, int64_t *ret_ms) CMPD_MUST_CHECK;

/* application/pkixcmp, whatever its parameters; also application/pkixcmp-poll of old clients. NULL is none. */
bool http_check_content_type(const char *value);
