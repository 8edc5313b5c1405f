/*
 * Credentials of the other end of a unix socket.
 */
#include "ctl/peer.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conf/conf.h"

#define NSS_BUFFER_SIZE (64 * 1024)
#define GROUPS_MAX	65536 /* NGROUPS_MAX of the kernel */

static size_t
list_len(const char *const *list)
{
	size_t n = 0;

	while (list && list[n]) {
		n++;
	}
	return n;
}

static int
find_user(const char *name, uid_t *ret)
{
	struct passwd entry, *found = NULL;
	char *buffer = malloc(NSS_BUFFER_SIZE);

	if (!buffer) {
		return CMPD_ENOMEM;
	}
	if (getpwnam_r(name, &entry, buffer, NSS_BUFFER_SIZE, &found) == 0 && found) {
		*ret = found->pw_uid;
	}
	free(buffer);
	return found ? 0 : CMPD_ENOENT;
}

static int
find_group(const char *name, gid_t *ret)
{
	struct group entry, *found = NULL;
	char *buffer = malloc(NSS_BUFFER_SIZE);

	if (!buffer) {
		return CMPD_ENOMEM;
	}
	if (getgrnam_r(name, &entry, buffer, NSS_BUFFER_SIZE, &found) == 0 && found) {
		*ret = found->gr_gid;
	}
	free(buffer);
	return found ? 0 : CMPD_ENOENT;
}

int
ctl_roles_init(struct ctl_roles *ret, const struct conf *conf, struct diag *diag)
{
	const char *const *users = (const char *const *)conf->control.admin_users;
	const char *const *groups = (const char *const *)conf->control.admin_groups;
	int result = 0;

	*ret = (struct ctl_roles){0};
	ret->users = calloc(list_len(users) + 1, sizeof(*ret->users));
	ret->groups = calloc(list_len(groups) + 1, sizeof(*ret->groups));
	if (!ret->users || !ret->groups) {
		ctl_roles_fini(ret);
		return CMPD_ENOMEM;
	}
	for (; users && *users; users++) {
		if (find_user(*users, &ret->users[ret->n_users]) == 0) {
			ret->n_users++;
		} else {
			result = diag_set(diag, CMPD_ECONF, "control.admin_users: no such user: %s",
			    *users);
		}
	}
	for (; groups && *groups; groups++) {
		if (find_group(*groups, &ret->groups[ret->n_groups]) == 0) {
			ret->n_groups++;
		} else {
			result = diag_set(diag, CMPD_ECONF,
			    "control.admin_groups: no such group: %s", *groups);
		}
	}
	return result;
}

void
ctl_roles_fini(struct ctl_roles *roles)
{
	free(roles->users);
	free(roles->groups);
	*roles = (struct ctl_roles){0};
}

static bool
has_group(const struct ctl_roles *roles, gid_t group)
{
	for (size_t i = 0; i < roles->n_groups; i++) {
		if (roles->groups[i] == group) {
			return true;
		}
	}
	return false;
}

/* The supplementary groups the peer had when it connected; older kernels do not tell: then none. */
static bool
has_peer_group(int fd, const struct ctl_roles *roles)
{
	bool found = false;
	gid_t *groups;
	socklen_t len = 0;

	if (roles->n_groups == 0 || getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &len) == 0 ||
	    errno != ERANGE || len > GROUPS_MAX * sizeof(gid_t)) {
		return false;
	}
	groups = malloc(len);
	if (groups && getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) == 0) {
		for (size_t i = 0; i < len / sizeof(gid_t) && !found; i++) {
			found = has_group(roles, groups[i]);
		}
	}
	free(groups);
	return found;
}

static bool
is_admin(int fd, const struct ctl_roles *roles, const struct ucred *cred)
{
	if (cred->uid == 0 || cred->uid == geteuid()) {
		return true;
	}
	for (size_t i = 0; i < roles->n_users; i++) {
		if (roles->users[i] == cred->uid) {
			return true;
		}
	}
	return has_group(roles, cred->gid) || has_peer_group(fd, roles);
}

int
ctl_peer_get(int fd, const struct ctl_roles *roles, struct ctl_peer *ret)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0 || len != sizeof(cred)) {
		return CMPD_EIO;
	}
	*ret = (struct ctl_peer){.uid = cred.uid, .pid = cred.pid};
	if (is_admin(fd, roles, &cred)) {
		ret->known = true;
		ret->privilege = CTL_ADMIN;
	}
	return 0;
}

void
ctl_peer_actor(const struct ctl_peer *peer, char ret[CTL_ACTOR_SIZE])
{
	struct passwd entry, *found = NULL;
	char *buffer = malloc(NSS_BUFFER_SIZE);

	if (buffer && getpwuid_r(peer->uid, &entry, buffer, NSS_BUFFER_SIZE, &found) == 0 &&
	    found) {
		(void)snprintf(ret, CTL_ACTOR_SIZE, "operator:%s", entry.pw_name);
	} else {
		(void)snprintf(ret, CTL_ACTOR_SIZE, "operator:uid-%lu", (unsigned long)peer->uid);
	}
	free(buffer);
}
