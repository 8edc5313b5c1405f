/*
 * Plugins that must be refused; each macro is one way to be bad.
 */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmpd/plugin.h>

#if defined(BAD_CRASH) || defined(BAD_EXIT) || defined(BAD_HANG)
static void __attribute__((constructor)) on_load(void)
{
#ifdef BAD_CRASH
	raise(SIGSEGV);
#elif defined(BAD_EXIT)
	exit(0);
#else
	for (;;) {
		pause();
	}
#endif
}
#endif

#ifdef BAD_UNRESOLVED
int bad_is_nowhere(void);
#endif

#ifndef BAD_NODECIDE
static int
decide(void *instance, struct cmpd_request *request, struct cmpd_verdict *verdict)
{
	(void)instance, (void)request, (void)verdict;
#ifdef BAD_UNRESOLVED
	return bad_is_nowhere();
#else
	return 0;
#endif
}
#endif

#ifdef BAD_NOSYMBOL
#define SYMBOL elsewhere
extern const struct cmpd_plugin elsewhere;
#else
#define SYMBOL cmpd_plugin
#endif

CMPD_PLUGIN_EXPORT const struct cmpd_plugin SYMBOL = {
#ifdef BAD_MAJOR
    .abi_major = CMPD_PLUGIN_ABI_MAJOR + 1,
#else
    .abi_major = CMPD_PLUGIN_ABI_MAJOR,
#endif
    .abi_minor = CMPD_PLUGIN_ABI_MINOR,
#ifdef BAD_SHORT
    .struct_size = sizeof(struct cmpd_plugin) - 1,
#else
    .struct_size = sizeof(struct cmpd_plugin),
#endif
#ifndef BAD_NONAME
    .name = "bad",
#endif
#ifdef BAD_FLAGS
    .flags = 1u << 31,
#endif
#ifndef BAD_NODECIDE
    .decide = decide,
#endif
};
