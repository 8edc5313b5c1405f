/*
 * player [--restart] [--sign] CMPD CMPD-CTL SCENARIO...: TAP, one test for each scenario (-: standard input).
 * PLAYER_KEEP=1 leaves the directories. The options are at the top of scenario.c.
 */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "player.h"

#define POOL_LIMIT (256u << 20)

/* The first comment line says what the scenario shows. */
static void
read_title(const char *file, char *title, size_t size)
{
	FILE *f = strcmp(file, "-") == 0 ? NULL : fopen(file, "r");
	char line[512] = "";

	snprintf(title, size, "%s", file);
	if (f == NULL) {
		return;
	}
	if (fgets(line, sizeof(line), f) != NULL && line[0] == '#') {
		snprintf(title, size, "%.*s", (int)strcspn(line + 1, "\n"), line + 1);
		title += strspn(title, " ");
	}
	fclose(f);
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static bool
play(struct player *p)
{
	pid_t pid;
	int status = 0;

	snprintf(p->dir, sizeof(p->dir), "/tmp/cmpd-play.XXXXXX");
	if (mkdtemp(p->dir) == NULL) {
		perror(p->dir);
		return false;
	}
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		p->pool = pool_new(POOL_LIMIT);
		scenario_play(p);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		perror("fork");
		return false;
	}
	if (WIFSIGNALED(status)) {
		printf("# the player was ended by signal %d\n", WTERMSIG(status));
	}
	if (getenv("PLAYER_KEEP") == NULL) {
		nftw(p->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	} else {
		printf("# %s\n", p->dir);
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int
main(int argc, char **argv)
{
	static struct player player;
	bool good = true, restarting = false, signing = false;
	char title[512];
	int i;

	for (; argc > 1 && strncmp(argv[1], "--", 2) == 0; argc--, argv++) {
		restarting = restarting || strcmp(argv[1], "--restart") == 0;
		signing = signing || strcmp(argv[1], "--sign") == 0;
	}
	if (argc < 4) {
		fprintf(stderr, "usage: player [--restart] [--sign] CMPD CMPD-CTL SCENARIO...\n");
		return 2;
	}
	printf("1..%d\n", argc - 3);
	for (i = 3; i < argc; i++) {
		bool ok;

		memset(&player, 0, sizeof(player));
		player.cmpd = argv[1];
		player.ctl = argv[2];
		player.file = argv[i];
		player.restarting = restarting;
		player.signing = signing;
		read_title(argv[i], title, sizeof(title));
		ok = play(&player);
		printf("%sok %d -%s%s\n", ok ? "" : "not ", i - 2, title[0] == ' ' ? "" : " ",
		    title);
		good = good && ok;
	}
	return good ? 0 : 1;
}
