/*
 * Who is behind a proxy: it informs policy and audit, and replaces no protection. Pure functions.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>

struct evkeyvalq;

#define HTTP_PEER_SIZE INET6_ADDRSTRLEN

/*
 * The client's address for a request that came from peer ("unix", or an address): the rightmost address of
 * X-Forwarded-For that is not a listed proxy, if peer is one; else, or if what stands there is no address, peer itself. proxies: NULL-ended.
 */
void http_forwarded_peer(const struct evkeyvalq *headers, const char *peer,
    const char *const *proxies, char ret[HTTP_PEER_SIZE]);
