#include "cmpd-ctl/init.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include "cmpd-ctl/init_parts.h"

#define DEFAULT_LISTEN "127.0.0.1:8080"
#define MARKER	       "INIT-NOT-FINISHED"

/* What init makes, in this order; removed in the reverse order on failure. */
static const struct made {
	const char *name;
	bool folder;
} makes[] = {
    {MARKER, false},
    {"ca", true},
    {"ca/ca.key", false},
    {"ca/ca.pem", false},
    {"cmp", true},
    {"cmp/signer.key", false},
    {"cmp/signer.pem", false},
    {"store.key", false},
    {"state", true},
    {"cmpd.conf", false},
};

#define N_MAKES (sizeof(makes) / sizeof(makes[0]))

struct init {
	const char *dir;
	const char *listen;
	struct diag *diag;
	int fd; /* of dir */
	bool made_dir;
	unsigned made; /* bit per row of makes */
	EVP_PKEY *ca_key;
	X509 *ca;
};

static int
init_fail(struct init *init, const char *what)
{
	return diag_set(init->diag, CMPD_EIO, "%s/%s: %s", init->dir, what, strerror(errno));
}

static int
init_fail_crypto(struct init *init)
{
	const char *reason = ERR_reason_error_string(ERR_peek_error());

	diag_set(init->diag, CMPD_ECRYPTO, "keys and certificates cannot be made: %s",
	    reason != NULL ? reason : "out of memory");
	ERR_clear_error();
	return CMPD_ECRYPTO;
}

/* ---- files ---- */

static void
init_note(struct init *init, const char *name)
{
	for (size_t i = 0; i < N_MAKES; i++) {
		if (strcmp(makes[i].name, name) == 0) {
			init->made |= 1u << i;
		}
	}
}

static int
init_write(struct init *init, const char *name, mode_t mode, const void *data, size_t len)
{
	const char *pos = data;
	int fd = openat(init->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int result = 0;

	if (fd < 0) {
		return init_fail(init, name);
	}
	init_note(init, name);
	while (len > 0 && result == 0) {
		ssize_t n = write(fd, pos, len);

		if (n >= 0) {
			pos += n;
			len -= (size_t)n;
		} else if (errno != EINTR) {
			result = init_fail(init, name);
		}
	}
	if (result == 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0)) {
		result = init_fail(init, name);
	}
	if (close(fd) < 0 && result == 0) {
		result = init_fail(init, name);
	}
	return result;
}

static int
init_mkdir(struct init *init, const char *name)
{
	if (mkdirat(init->fd, name, 0700) < 0) {
		return init_fail(init, name);
	}
	init_note(init, name);
	return 0;
}

static int
init_sync(struct init *init, const char *name)
{
	int fd = openat(init->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result = 0;

	if (fd < 0 || fsync(fd) < 0) {
		result = init_fail(init, name);
	}
	if (fd >= 0) {
		close(fd);
	}
	return result;
}

static void
init_undo(struct init *init)
{
	for (size_t i = N_MAKES; i-- > 0;) {
		if ((init->made & 1u << i) != 0) {
			unlinkat(init->fd, makes[i].name, makes[i].folder ? AT_REMOVEDIR : 0);
		}
	}
	if (init->made_dir) {
		rmdir(init->dir);
	}
}

/* ---- the folder ---- */

static int
init_check_empty(struct init *init)
{
	int fd = dup(init->fd), result = 0;
	DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	bool empty = true;

	if (list == NULL) {
		result = init_fail(init, ".");
		if (fd >= 0) {
			close(fd);
		}
		return result;
	}
	while ((entry = readdir(list)) != NULL) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
			empty = false;
		}
	}
	closedir(list);
	if (empty) {
		return 0;
	}
	if (faccessat(init->fd, MARKER, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		return diag_set(init->diag, CMPD_EEXIST,
		    "%s: an earlier init was cut off here; remove the folder and try again",
		    init->dir);
	}
	return diag_set(init->diag, CMPD_EEXIST, "%s: the folder is not empty", init->dir);
}

/* cmpd puts its working directory before a relative path. */
static int
init_check_length(struct init *init)
{
	const size_t most = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1;
	char *cwd = init->dir[0] == '/' ? NULL : getcwd(NULL, 0);
	size_t len = strlen(init->dir) + strlen("/ctl.sock") + (cwd != NULL ? strlen(cwd) + 1 : 0);

	free(cwd);
	if (len > most) {
		return diag_set(init->diag, CMPD_ELIMIT,
		    "%s: the path of the control socket would have %zu bytes, and the system "
		    "allows %zu; choose a shorter one",
		    init->dir, len, most);
	}
	return 0;
}

/* Whoever owns the folder could take the keys out of it. */
static int
init_check_owner(struct init *init)
{
	struct stat status;

	if (fstat(init->fd, &status) < 0) {
		return init_fail(init, ".");
	}
	if (status.st_uid != geteuid()) {
		return diag_set(init->diag, CMPD_EACCES, "%s: the folder belongs to another user",
		    init->dir);
	}
	return 0;
}

static int
init_open(struct init *init)
{
	int result;

	if (mkdir(init->dir, 0700) == 0) {
		init->made_dir = true;
	} else if (errno != EEXIST) {
		return diag_set(init->diag, CMPD_EIO, "%s: cannot be made: %s", init->dir,
		    strerror(errno));
	}
	init->fd = open(init->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (init->fd < 0) {
		return diag_set(init->diag, CMPD_EIO, "%s: cannot be opened: %s", init->dir,
		    strerror(errno));
	}
	result = init_check_owner(init);
	if (result == 0) {
		result = init_check_empty(init);
	}
	if (result < 0) {
		return result;
	}
	if (fchmod(init->fd, 0700) < 0) {
		return init_fail(init, ".");
	}
	return 0;
}

/* ---- keys and certificates ---- */

static int
init_write_bio(struct init *init, const char *name, mode_t mode, BIO *bio, bool ok)
{
	char *data = NULL;
	long len = ok ? BIO_get_mem_data(bio, &data) : 0;

	if (len <= 0) {
		return init_fail_crypto(init);
	}
	return init_write(init, name, mode, data, (size_t)len);
}

static int
init_write_key(struct init *init, const char *name, EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	bool ok =
	    bio != NULL && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1;
	int result = init_write_bio(init, name, 0600, bio, ok);

	BIO_free(bio);
	return result;
}

static int
init_write_certificate(struct init *init, const char *name, X509 *x509)
{
	BIO *bio = BIO_new(BIO_s_mem());
	bool ok = bio != NULL && PEM_write_bio_X509(bio, x509) == 1;
	int result = init_write_bio(init, name, 0644, bio, ok);

	BIO_free(bio);
	return result;
}

static int
init_make_ca(struct init *init)
{
	char name[32];
	uint8_t mark[3];
	int result;

	/* The name differs from that of other demos: somebody will trust several. */
	if (RAND_bytes(mark, sizeof(mark)) != 1) {
		return init_fail_crypto(init);
	}
	snprintf(name, sizeof(name), "demo CA %02x%02x%02x", mark[0], mark[1], mark[2]);
	init->ca_key = EVP_EC_gen("P-256");
	if (init->ca_key != NULL) {
		init->ca = init_make_certificate(init->ca_key, name, NULL, init->ca_key);
	}
	if (init->ca == NULL) {
		return init_fail_crypto(init);
	}
	result = init_mkdir(init, "ca");
	if (result == 0) {
		result = init_write_key(init, "ca/ca.key", init->ca_key);
	}
	if (result == 0) {
		result = init_write_certificate(init, "ca/ca.pem", init->ca);
	}
	return result == 0 ? init_sync(init, "ca") : result;
}

/* A key of its own: that of a CA should not protect CMP messages (RFC 9810 8.6). */
static int
init_make_signer(struct init *init)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x509 = NULL;
	int result;

	if (key != NULL) {
		x509 = init_make_certificate(key, "CMP signer", init->ca, init->ca_key);
	}
	result = x509 != NULL ? init_mkdir(init, "cmp") : init_fail_crypto(init);
	if (result == 0) {
		result = init_write_key(init, "cmp/signer.key", key);
	}
	if (result == 0) {
		result = init_write_certificate(init, "cmp/signer.pem", x509);
	}
	if (result == 0) {
		result = init_sync(init, "cmp");
	}
	X509_free(x509);
	EVP_PKEY_free(key);
	return result;
}

/* ---- all of it ---- */

static int
init_make_store(struct init *init)
{
	uint8_t key[32];
	int result;

	if (RAND_priv_bytes(key, sizeof(key)) != 1) {
		return init_fail_crypto(init);
	}
	result = init_write(init, "store.key", 0600, key, sizeof(key));
	OPENSSL_cleanse(key, sizeof(key));
	return result == 0 ? init_mkdir(init, "state") : result;
}

static int
init_make_config(struct init *init)
{
	char *text = init_config(init->listen);
	int result = CMPD_ENOMEM;

	if (text != NULL) {
		result = init_write(init, "cmpd.conf", 0600, text, strlen(text));
	}
	free(text);
	return result;
}

static int
init_fill(struct init *init)
{
	static int (*const steps[])(struct init *) = {
	    init_make_ca, init_make_signer, init_make_store, init_make_config};
	static const char note[] = "cmpd-ctl init was cut off: remove this folder.\n";
	int result = init_write(init, MARKER, 0600, note, sizeof(note) - 1);

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && result == 0; i++) {
		result = steps[i](init);
	}
	if (result == 0) {
		result = init_sync(init, ".");
	}
	if (result == 0 && unlinkat(init->fd, MARKER, 0) < 0) {
		result = init_fail(init, MARKER);
	}
	return result == 0 ? init_sync(init, ".") : result;
}

static int
init_in_folder(struct init *init)
{
	int result = init_check_length(init);

	if (result < 0) {
		return result;
	}
	result = init_open(init);
	if (result == 0) {
		result = init_fill(init);
	}
	if (result < 0) {
		init_undo(init);
	}
	if (init->fd >= 0) {
		close(init->fd);
	}
	return result;
}

int
init_run(const char *dir, const char *listen, struct diag *diag)
{
	struct init init = {
	    .listen = listen != NULL ? listen : DEFAULT_LISTEN, .diag = diag, .fd = -1};
	char path[PATH_MAX];
	size_t len = strlen(dir);
	int result;

	while (len > 1 && dir[len - 1] == '/') {
		len--;
	}
	if (len == 0 || len >= sizeof(path)) {
		return diag_set(diag, CMPD_EINVAL, "no usable name of a folder");
	}
	memcpy(path, dir, len);
	path[len] = '\0';
	init.dir = path;
	if (!init_listen_fits(init.listen)) {
		return diag_set(diag, CMPD_EINVAL,
		    "cannot listen on this: give addr:port with a numeric address, [v6]:port or "
		    "unix:path");
	}
	result = init_in_folder(&init);
	X509_free(init.ca);
	EVP_PKEY_free(init.ca_key);
	ERR_clear_error();
	return result;
}
