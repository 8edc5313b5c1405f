/*
 * Who is at the other end of the operators' socket, and what he may do.
 */
#pragma once

#include <sys/types.h>

#include "base/bytes.h"
#include "base/error.h"

struct conf;

/* Every command needs one of these, and who has one has those before it. */
enum ctl_privilege { CTL_PUBLIC, CTL_VIEW, CTL_DECIDE, CTL_ADMIN };

struct ctl_peer {
	uid_t uid;
	pid_t pid;
	bool known; /* false: nothing at all is answered */
	enum ctl_privilege privilege;
};

/* Users and groups by number, resolved once. */
struct ctl_roles {
	uid_t *users;
	size_t n_users;
	gid_t *groups;
	size_t n_groups;
};

/* control.admin_users and control.admin_groups. CMPD_ECONF: names in diag who does not exist; ret is usable then and lacks
 * them. CMPD_ENOMEM. May ask a directory service. */
int ctl_roles_init(struct ctl_roles *ret, const struct conf *conf,
    struct diag *diag) CMPD_MUST_CHECK;
void ctl_roles_fini(struct ctl_roles *roles);

/* From the kernel's knowledge of a connected unix socket; asks no directory. CMPD_EIO. */
int ctl_peer_get(int fd, const struct ctl_roles *roles, struct ctl_peer *ret) CMPD_MUST_CHECK;

/* "operator:NAME", or "operator:uid-1000" for a user without a name. May ask a directory service. */
#define CTL_ACTOR_SIZE 96
void ctl_peer_actor(const struct ctl_peer *peer, char ret[CTL_ACTOR_SIZE]);
