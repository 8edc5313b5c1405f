#include "base/unixsocket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int
system_error(const struct sockaddr_un *address, struct diag *diag)
{
	return diag_set(diag, CMPD_EIO, "%s: %s", address->sun_path, strerror(errno));
}

int
unixsocket_clear(const struct sockaddr_un *address, struct diag *diag)
{
	struct stat status;
	int fd, r, error;

	if (lstat(address->sun_path, &status) < 0) {
		return errno == ENOENT ? 0 : system_error(address, diag);
	}
	if (!S_ISSOCK(status.st_mode)) {
		return diag_set(diag, CMPD_EEXIST, "%s exists and is not a socket",
		    address->sun_path);
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		return system_error(address, diag);
	}
	r = connect(fd, (const struct sockaddr *)address, sizeof(*address));
	error = r < 0 ? errno : 0;
	(void)close(fd);
	if (error != ECONNREFUSED) {
		return diag_set(diag, CMPD_EEXIST, "%s: somebody listens there already",
		    address->sun_path);
	}
	return unlink(address->sun_path) < 0 ? system_error(address, diag) : 0;
}
