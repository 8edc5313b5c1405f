#include "conf/conf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/parse.h"

/* Everything of a configuration, included files too. */
#define POOL_LIMIT (size_t)(256 * 1024 * 1024)

/* What a struct conf really is; it lies in its own pool. */
struct holder {
	struct conf conf;
	struct pool *pool;
};

static int
read_tree(struct conf_parser *parser, const char *text)
{
	struct pool *scratch = pool_new(POOL_LIMIT);
	const char *file;
	int error = scratch == NULL ? CMPD_ENOMEM
				    : conf_text_check(scratch, parser->name, parser->source.dir,
					  text, parser->diag);

	pool_free(scratch);
	if (error != 0) {
		return error;
	}
	if (parser->source.dir != NULL) {
		config_set_include_dir(&parser->config, parser->source.dir);
	}
	if (config_read_string(&parser->config, text) == CONFIG_TRUE) {
		return 0;
	}
	file = config_error_file(&parser->config);
	return diag_set(parser->diag, CMPD_ECONF, "%s:%d: %s", file == NULL ? parser->name : file,
	    config_error_line(&parser->config), config_error_text(&parser->config));
}

int
conf_parse(const char *text, const char *name, const char *dir, struct conf **ret,
    struct diag *diag)
{
	struct pool *pool = pool_new(POOL_LIMIT);
	struct holder *holder = pool == NULL ? NULL : pool_alloc(pool, sizeof(*holder));
	struct conf_parser parser = {
	    .source = {.pool = pool, .dir = dir}, .name = name, .diag = diag};
	int error;

	if (holder == NULL) {
		pool_free(pool);
		return CMPD_ENOMEM;
	}
	holder->pool = pool;
	parser.conf = &holder->conf;
	config_init(&parser.config);
	error = read_tree(&parser, text);
	if (error == 0) {
		error = conf_parse_group(&parser, &conf_root, config_root_setting(&parser.config),
		    parser.conf);
	}
	if (error == 0) {
		error = conf_check(&parser);
	}
	if (error == 0) {
		holder->conf.file = pool_strdup(pool, name);
		error = holder->conf.file == NULL ? CMPD_ENOMEM : 0;
	}
	config_destroy(&parser.config);
	if (error != 0) {
		pool_free(pool);
		return error == CMPD_ENOMEM ? diag_set(diag, error, "%s: out of memory", name)
					    : error;
	}
	*ret = &holder->conf;
	return 0;
}

int
conf_load(const char *file, struct conf **ret, struct diag *diag)
{
	struct pool *pool = pool_new(POOL_LIMIT);
	char *cwd = file[0] == '/' ? NULL : getcwd(NULL, 0);
	const char *text = NULL, *name;
	char *dir, *slash;
	int error = CMPD_ENOMEM;

	if (pool == NULL) {
		goto out;
	}
	if (file[0] != '/' && cwd == NULL) {
		error = diag_set(diag, CMPD_EIO, "the working directory: %s", strerror(errno));
		goto out;
	}
	name = conf_absolute(pool, cwd, file);
	dir = name == NULL ? NULL : pool_strdup(pool, name);
	if (dir == NULL) {
		goto out;
	}
	slash = strrchr(dir, '/');
	slash[slash == dir] = '\0';
	error = conf_text_read(pool, name, &text, diag);
	if (error == 0) {
		error = conf_parse(text, name, dir, ret, diag);
	}
out:
	free(cwd);
	pool_free(pool);
	return error;
}

void
conf_free(struct conf *conf)
{
	if (conf != NULL) {
		pool_free(((struct holder *)(void *)conf)->pool);
	}
}

static int
check_rows(const struct conf_section *section, const char *prefix, const void *old, const void *new,
    struct diag *diag)
{
	int error = 0;

	for (const struct conf_row *row = section->rows; error == 0 && row->name != NULL; row++) {
		if ((row->flags & CONF_RELOADABLE) != 0) {
			continue;
		}
		if (row->type == CONF_GROUP) {
			error = check_rows(row->section, row->section->name, conf_field0(row, old),
			    conf_field0(row, new), diag);
		} else if (!conf_value_equal(row, old, new)) {
			error = diag_set(diag, CMPD_ECONF,
			    "%s%s%s is another than before; that needs a restart", prefix,
			    prefix[0] == '\0' ? "" : ".", row->name);
		}
	}
	return error;
}

int
conf_check_reload(const struct conf *old, const struct conf *new, struct diag *diag)
{
	return check_rows(&conf_root, "", old, new, diag);
}

const struct conf_ca *
conf_ca_find(const struct conf *conf, const char *name)
{
	for (size_t i = 0; i < conf->n_cas; i++) {
		if (strcmp(conf->cas[i].name, name) == 0) {
			return &conf->cas[i];
		}
	}
	return NULL;
}

const struct conf_profile *
conf_profile_find(const struct conf *conf, const char *name)
{
	for (size_t i = 0; i < conf->n_profiles; i++) {
		if (strcmp(conf->profiles[i].name, name) == 0) {
			return &conf->profiles[i];
		}
	}
	return NULL;
}

const struct conf_endpoint *
conf_endpoint_find(const struct conf *conf, const char *path)
{
	for (size_t i = 0; i < conf->n_endpoints; i++) {
		if (strcmp(conf->endpoints[i].path, path) == 0) {
			return &conf->endpoints[i];
		}
	}
	return NULL;
}
