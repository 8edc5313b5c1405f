#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TICK 20 /* ms between looks at the child where the kernel has no pidfd */

enum { OUT, ERR, PIDFD, N_FDS };

struct child {
	pid_t pid;
	struct pollfd fds[N_FDS]; /* fd -1: closed */
	struct child_result *result;
	size_t err_len;
	bool too_much;
};

int64_t
child_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* A file in memory: the child may read it when and as often as it likes, and nobody has to feed a pipe. */
static int
open_input(const char *in, size_t len)
{
	int fd = memfd_create("cmpd-request", MFD_CLOEXEC);
	ssize_t n;

	while (fd >= 0 && len > 0) {
		n = write(fd, in, len);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			close(fd);
			return -1;
		}
		in += n;
		len -= (size_t)n;
	}
	if (fd >= 0 && lseek(fd, 0, SEEK_SET) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static int
spawn(char *const *argv, const int fds[3], pid_t *ret_pid)
{
	static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	static char lang[] = "LANG=C.UTF-8";
	char *const envp[] = {path, lang, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int rc = 0;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr,
	    POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	for (int i = 0; i < 3; i++) {
		rc |= posix_spawn_file_actions_adddup2(&actions, fds[i], i);
	}
	rc |= posix_spawn_file_actions_addclosefrom_np(&actions, 3);
	rc |= posix_spawn_file_actions_addchdir_np(&actions, "/");
	if (rc == 0) {
		rc = posix_spawn(ret_pid, argv[0], &actions, &attr, argv, envp);
	}
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return rc;
}

static void
close_fd(int *fd)
{
	if (*fd >= 0) {
		close(*fd);
		*fd = -1;
	}
}

static const char *
start(struct child *child, char *const *argv, const char *in, size_t in_len)
{
	int out[2] = {-1, -1}, err[2] = {-1, -1};
	int input = open_input(in, in_len);
	const char *error = "there are no descriptors for a child process";

	if (input < 0 || pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0 ||
	    fcntl(out[0], F_SETFL, O_NONBLOCK) != 0 || fcntl(err[0], F_SETFL, O_NONBLOCK) != 0) {
		goto out;
	}
	if (spawn(argv, (const int[]){input, out[1], err[1]}, &child->pid) != 0) {
		error = "the command cannot be started";
		goto out;
	}
	child->fds[OUT] = (struct pollfd){.fd = out[0], .events = POLLIN};
	child->fds[ERR] = (struct pollfd){.fd = err[0], .events = POLLIN};
	child->fds[PIDFD] =
	    (struct pollfd){.fd = (int)syscall(SYS_pidfd_open, child->pid, 0), .events = POLLIN};
	if (child->fds[PIDFD].fd >= 0) {
		fcntl(child->fds[PIDFD].fd, F_SETFD, FD_CLOEXEC);
	}
	out[0] = -1;
	err[0] = -1;
	error = NULL;
out:
	close_fd(&input);
	close_fd(&out[0]);
	close_fd(&out[1]);
	close_fd(&err[0]);
	close_fd(&err[1]);
	return error;
}

static void
read_out(struct child *child)
{
	struct child_result *to = child->result;
	char more;
	ssize_t n;

	do {
		n = to->out_len < CHILD_OUT_MAX ? read(child->fds[OUT].fd, to->out + to->out_len,
						      CHILD_OUT_MAX - to->out_len)
						: read(child->fds[OUT].fd, &more, 1);
		if (n > 0 && to->out_len == CHILD_OUT_MAX) {
			child->too_much = true;
			return;
		}
		to->out_len += n > 0 ? (size_t)n : 0;
	} while (n > 0);
	if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		close_fd(&child->fds[OUT].fd);
	}
}

/* The beginning is kept; the rest is read once per turn and thrown away, so that the child can go on. */
static void
read_err(struct child *child)
{
	char buf[4096];
	ssize_t n = read(child->fds[ERR].fd, buf, sizeof(buf));
	size_t room = CHILD_ERR_MAX - child->err_len;

	if (n > 0) {
		room = (size_t)n < room ? (size_t)n : room;
		memcpy(child->result->err + child->err_len, buf, room);
		child->err_len += room;
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		close_fd(&child->fds[ERR].fd);
	}
}

/* 1 or 0; -1: somebody else has reaped it. WNOWAIT: as long as it is not reaped, no other process group
 * can have its number. */
static int
has_ended(pid_t pid)
{
	siginfo_t info = {.si_pid = 0};

	if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0) {
		return -1;
	}
	return info.si_pid == pid ? 1 : 0;
}

static const char *
watch(struct child *child, int64_t deadline)
{
	int64_t left;

	while (has_ended(child->pid) == 0) {
		left = deadline - child_now();
		if (left <= 0) {
			return "the command did not end before the deadline";
		}
		if (child->fds[PIDFD].fd < 0 && left > TICK) {
			left = TICK;
		}
		if (poll(child->fds, N_FDS, (int)left) <= 0) {
			continue;
		}
		if (child->fds[OUT].revents != 0) {
			read_out(child);
		}
		if (child->fds[ERR].revents != 0) {
			read_err(child);
		}
		if (child->too_much) {
			return "the command wrote more than 64 KiB";
		}
	}
	return NULL;
}

const char *
child_run(char *const *argv, const char *in, size_t in_len, int64_t deadline,
    struct child_result *ret)
{
	struct child child = {.result = ret};
	const char *error;

	memset(ret, 0, sizeof(*ret));
	error = start(&child, argv, in, in_len);
	if (error != NULL) {
		return error;
	}
	error = watch(&child, deadline);
	if (has_ended(child.pid) < 0) {
		error = "the command was reaped by somebody else";
	} else {
		/* Also what it has left behind and what may hold its standard output. */
		kill(-child.pid, SIGKILL);
		kill(child.pid, SIGKILL);
		while (waitpid(child.pid, &ret->status, 0) < 0 && errno == EINTR) {
		}
	}
	if (error == NULL && child.fds[OUT].fd >= 0) {
		read_out(&child);
		error = child.too_much ? "the command wrote more than 64 KiB" : NULL;
	}
	if (child.fds[ERR].fd >= 0) {
		read_err(&child);
	}
	for (int i = 0; i < N_FDS; i++) {
		close_fd(&child.fds[i].fd);
	}
	return error;
}
