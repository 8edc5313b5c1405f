/*
 * The parent's side of trying a plugin: code that crashes, hangs or ends the
 * process when it is loaded must do so in a child.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "policy/load.h"

struct policy_limits policy_limits = {
    .stuck = 30 * 1000,
    .replacements = 4,
    .load = 10 * 1000,
};

/* The file rather than the link in /proc, where it is still there: under valgrind that link means valgrind. */
static const char *
get_program(char *buf, size_t size)
{
	static const char self[] = "/proc/self/exe";
	ssize_t len;

	if (policy_limits.program != NULL) {
		return policy_limits.program;
	}
	len = readlink(self, buf, size);
	if (len <= 0 || (size_t)len >= size) {
		return self;
	}
	buf[len] = '\0';
	return access(buf, X_OK) == 0 ? buf : self;
}

/* A process group of its own, no signals blocked or ignored, no descriptors but 0, 1 and 2. */
static int
spawn(const char *file, int out, pid_t *ret_pid)
{
	char *argv[] = {(char[]){"cmpd"}, (char[]){"--plugin-try"}, NULL, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, all;
	char path[4096], self[4096];
	int rc;

	if ((size_t)snprintf(path, sizeof(path), "%s", file) >= sizeof(path)) {
		return CMPD_ELIMIT;
	}
	argv[2] = path;
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr,
	    POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	rc = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	rc |= posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	rc |= posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	rc |= posix_spawn_file_actions_addclosefrom_np(&actions, 3);
	if (rc == 0) {
		rc = posix_spawn(ret_pid, get_program(self, sizeof(self)), &actions, &attr, argv,
		    environ);
	}
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return rc != 0 ? CMPD_EIO : 0;
}

/* Reads to the end of the pipe; false if the deadline came first. */
static bool
read_answer(int fd, int64_t deadline, char *out, size_t size)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};
	char waste[256];
	size_t len = 0;
	int64_t left;
	ssize_t n;

	out[0] = '\0';
	while ((left = deadline - clock_mono_ms()) > 0) {
		if (poll(&pfd, 1, (int)left) <= 0) {
			continue;
		}
		n = len < size - 1 ? read(fd, out + len, size - 1 - len)
				   : read(fd, waste, sizeof(waste));
		if (n <= 0) {
			return true;
		}
		if (len < size - 1) {
			len += (size_t)n;
			out[len] = '\0';
		}
	}
	return false;
}

/* 0: ended by itself before the deadline; CMPD_ETIMEOUT: killed, with all it has started. */
static int
reap(pid_t pid, int64_t deadline, int *ret_status)
{
	const struct timespec pause = {.tv_nsec = 2 * 1000 * 1000};
	siginfo_t info;
	bool ended = false;

	do {
		info.si_pid = 0;
		/* WNOWAIT: as long as it is not reaped its process group cannot be another's. */
		if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0) {
			return CMPD_EIO;
		}
		ended = info.si_pid == pid;
	} while (!ended && clock_mono_ms() < deadline && nanosleep(&pause, NULL) == 0);
	kill(-pid, SIGKILL);
	if (waitpid(pid, ret_status, 0) != pid) {
		return CMPD_EIO;
	}
	return ended ? 0 : CMPD_ETIMEOUT;
}

static int
judge(const char *file, int rc, int status, const char *answer, struct diag *diag)
{
	if (rc == CMPD_ETIMEOUT) {
		return diag_set(diag, CMPD_ECONF, "%s does not load within %lld ms", file,
		    (long long)policy_limits.load);
	}
	if (rc != 0) {
		return diag_set(diag, rc, "%s: the child process that tries it was lost", file);
	}
	if (WIFSIGNALED(status)) {
		return diag_set(diag, CMPD_ECONF, "%s crashes when it is loaded (%s)", file,
		    strsignal(WTERMSIG(status)));
	}
	if (WEXITSTATUS(status) != 0 || answer[0] == '\0') {
		return diag_set(diag, CMPD_ECONF,
		    "%s ends the process when it is loaded (exit status %d)", file,
		    WEXITSTATUS(status));
	}
	if (strcmp(answer, "ok") != 0) {
		return diag_set(diag, CMPD_ECONF, "%s", answer);
	}
	return 0;
}

int
policy_plugin_try(const char *file, struct diag *diag)
{
	int64_t deadline = clock_mono_ms() + policy_limits.load;
	char answer[sizeof(diag->text)];
	int pipe_fds[2], status = 0, rc;
	pid_t pid;

	if (pipe2(pipe_fds, O_CLOEXEC) != 0) {
		return diag_set(diag, CMPD_EIO, "no pipe: %s", strerror(errno));
	}
	rc = spawn(file, pipe_fds[1], &pid);
	close(pipe_fds[1]);
	if (rc != 0) {
		close(pipe_fds[0]);
		return diag_set(diag, rc, "%s cannot be started to try %s",
		    policy_limits.program != NULL ? policy_limits.program : "/proc/self/exe", file);
	}
	if (!read_answer(pipe_fds[0], deadline, answer, sizeof(answer))) {
		deadline = 0;
	}
	rc = reap(pid, deadline, &status);
	close(pipe_fds[0]);
	return judge(file, rc, status, answer, diag);
}
