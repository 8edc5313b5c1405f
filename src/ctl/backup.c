/*
 * Backups of the running store.
 */
#include "ctl/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "ctl/call.h"
#include "ctl/protocol.h"
#include "store/store.h"

#define NAME_MAX_LEN 200

struct ctl_backup {
	struct store *store;
	pthread_mutex_t mutex;
	pthread_t thread;
	bool started; /* thread is to be joined */
	bool running;
	/* Of the one that runs. */
	struct ctl_call *call;
	char *file;
	char *part; /* written first, so that file is always complete */
};

struct ctl_backup *
ctl_backup_new(struct store *store)
{
	struct ctl_backup *backup = calloc(1, sizeof(*backup));

	if (backup) {
		backup->store = store;
		(void)pthread_mutex_init(&backup->mutex, NULL);
	}
	return backup;
}

void
ctl_backup_free(struct ctl_backup *backup)
{
	if (!backup) {
		return;
	}
	ctl_backup_join(backup);
	(void)pthread_mutex_destroy(&backup->mutex);
	free(backup);
}

void
ctl_backup_join(struct ctl_backup *backup)
{
	if (backup->started) {
		(void)pthread_join(backup->thread, NULL);
		backup->started = false;
	}
}

/* Letters, digits and -._ and not hidden: what is harmless in every shell and listing. */
static bool
name_is_plain(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= NAME_MAX_LEN && name[0] != '.' && name[0] != '-' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._") ==
		   len;
}

/* Gives the finished copy its name, unless somebody else took that meanwhile. */
static int
backup_publish(const struct ctl_backup *backup, struct diag *diag)
{
	if (link(backup->part, backup->file) < 0) {
		return diag_set(diag, errno == EEXIST ? CMPD_EEXIST : CMPD_EIO, "%s: %s",
		    backup->file, strerror(errno));
	}
	(void)unlink(backup->part);
	return 0;
}

static json_t *
backup_data(const struct ctl_backup *backup)
{
	struct stat st;

	if (stat(backup->file, &st) < 0) {
		st.st_size = 0;
	}
	return json_pack("{s:s, s:I}", "file", backup->file, "bytes", (json_int_t)st.st_size);
}

static void *
backup_main(void *arg)
{
	struct ctl_backup *backup = arg;
	struct ctl_call *call = backup->call;
	struct diag diag = {0};
	json_t *data = NULL;
	int r = store_backup(backup->store, backup->part, &diag);

	if (r == 0) {
		r = backup_publish(backup, &diag);
	}
	if (r == 0) {
		data = backup_data(backup);
	} else if (r != CMPD_EEXIST) {
		(void)unlink(backup->part);
	}
	free(backup->file);
	free(backup->part);
	backup->file = NULL;
	backup->part = NULL;
	backup->call = NULL;
	(void)pthread_mutex_lock(&backup->mutex);
	backup->running = false;
	(void)pthread_mutex_unlock(&backup->mutex);
	ctl_call_end(call, r, data, diag.text);
	return NULL;
}

static bool
backup_is_running(struct ctl_backup *backup)
{
	bool running;

	(void)pthread_mutex_lock(&backup->mutex);
	running = backup->running;
	(void)pthread_mutex_unlock(&backup->mutex);
	return running;
}

int
ctl_backup_start(struct ctl_backup *backup, struct ctl_call *call, const char *dir,
    const char *name, struct diag *diag)
{
	struct stat st;
	int r = CMPD_ENOMEM;

	if (!name_is_plain(name)) {
		return diag_set(diag, CMPD_EINVAL,
		    "give a plain file name (letters, digits, '-', '.', '_'); it is made in %s",
		    dir);
	}
	if (backup_is_running(backup)) {
		return diag_set(diag, CMPD_EUNAVAILABLE, "another backup is running");
	}
	ctl_backup_join(backup);
	if (asprintf(&backup->file, "%s/%s", dir, name) < 0) {
		backup->file = NULL;
	}
	if (asprintf(&backup->part, "%s/.%s.part", dir, name) < 0) {
		backup->part = NULL;
	}
	if (!backup->file || !backup->part) {
		goto out;
	}
	if (lstat(backup->file, &st) == 0) {
		r = diag_set(diag, CMPD_EEXIST, "%s exists already", backup->file);
		goto out;
	}
	/* What an interrupted one left; nobody else writes names like this. */
	(void)unlink(backup->part);
	backup->call = call;
	backup->running = true;
	if (pthread_create(&backup->thread, NULL, backup_main, backup) == 0) {
		backup->started = true;
		return CMPD_EPARKED;
	}
	backup->running = false;
	r = diag_set(diag, CMPD_EUNAVAILABLE, "no thread for the backup");
out:
	free(backup->file);
	free(backup->part);
	backup->file = NULL;
	backup->part = NULL;
	return r;
}
