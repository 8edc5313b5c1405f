/*
 * evhttp asks getnameinfo() for the peer of each connection it accepts and ends the process when
 * that fails. For unix sockets it does: glibc gives back the path of the peer's socket, which may be longer than evhttp's
 * buffer, and for the usual nameless peer it reads what accept() never wrote. So this program has a getnameinfo of its
 * own, which shared libraries find before glibc's: numbers only, "unix" for unix sockets, and it cannot fail for
 * the families we listen on.
 *
 * Some builds of libevent, that of Debian 13 for one, also copy the peer's address to where only an IPv6 address has
 * room, and end the process when it is longer. So this program has an accept4 of its own too: nobody here wants the
 * path of a peer, and it is as if the peer had none.
 */
#include "http/peer.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int http_peer_linked;

static const void *
address_of(const struct sockaddr *sa, socklen_t len, unsigned *ret_port)
{
	if (sa->sa_family == AF_INET && len >= sizeof(struct sockaddr_in)) {
		const struct sockaddr_in *in = (const void *)sa;

		*ret_port = ntohs(in->sin_port);
		return &in->sin_addr;
	}
	if (sa->sa_family == AF_INET6 && len >= sizeof(struct sockaddr_in6)) {
		const struct sockaddr_in6 *in6 = (const void *)sa;

		*ret_port = ntohs(in6->sin6_port);
		return &in6->sin6_addr;
	}
	return NULL;
}

__attribute__((visibility("default"))) int
getnameinfo(const struct sockaddr *restrict sa, socklen_t salen, char *restrict host,
    socklen_t hostlen, char *restrict serv, socklen_t servlen, int flags)
{
	char text[INET6_ADDRSTRLEN] = "unix";
	unsigned port = 0;
	const void *address = NULL;

	(void)flags;
	if (sa == NULL || salen < sizeof(sa_family_t)) {
		return EAI_FAMILY;
	}
	address = address_of(sa, salen, &port);
	if (address == NULL && sa->sa_family != AF_UNIX) {
		return EAI_FAMILY;
	}
	if (address != NULL && inet_ntop(sa->sa_family, address, text, sizeof(text)) == NULL) {
		return EAI_FAIL;
	}
	if (host != NULL && hostlen > 0 && snprintf(host, hostlen, "%s", text) >= (int)hostlen) {
		return EAI_OVERFLOW;
	}
	if (serv != NULL && servlen > 0 && snprintf(serv, servlen, "%u", port) >= (int)servlen) {
		return EAI_OVERFLOW;
	}
	return 0;
}

/* Under a name of its own: with _GNU_SOURCE the address of glibc's prototype is a union. */
__attribute__((visibility("default"))) int peer_accept4(int fd, struct sockaddr *sa, socklen_t *len,
    int flags) __asm__("accept4");

int
peer_accept4(int fd, struct sockaddr *sa, socklen_t *len, int flags)
{
	int accepted = (int)syscall(SYS_accept4, fd, sa, len, flags);

	if (accepted >= 0 && sa != NULL && len != NULL && *len > sizeof(sa_family_t) &&
	    sa->sa_family == AF_UNIX) {
		*len = sizeof(sa_family_t);
	}
	return accepted;
}
