/*
 * See peer.c. Whoever uses evhttp with unix sockets names http_peer_linked, so that the linker takes peer.c along.
 */
#pragma once

extern int http_peer_linked;
