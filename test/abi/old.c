/*
 * A plugin of ABI version 1.0, made with the headers of then: it uses every function there was.
 */
#include <string.h>

#include <cmpd/request.h>

static int
check_config(const struct cmpd_config *config, char *error, size_t error_size)
{
	const char *key = cmpd_config_key(config, 0);

	if (key == NULL || cmpd_config_get(config, key, 0) == NULL) {
		strncpy(error, "wants one key", error_size);
		return -1;
	}
	return 0;
}

static int
decide(void *instance, struct cmpd_request *request, struct cmpd_verdict *verdict)
{
	const char **sans = cmpd_request_alloc(request, 2 * sizeof(*sans));
	struct cmpd_verdict later = CMPD_VERDICT_INIT;
	struct cmpd_kept *kept = cmpd_request_keep(request);
	size_t signer, spki, template;

	if (instance != NULL || sans == NULL || kept == NULL ||
	    verdict->struct_size < sizeof(*verdict) || verdict->fail_info != CMPD_FAIL_NONE ||
	    verdict->answer != CMPD_PASS || cmpd_kept_request(kept) != request ||
	    cmpd_request_signer(request, &signer) != NULL ||
	    cmpd_request_spki(request, &spki) == NULL ||
	    cmpd_request_template(request, &template) == NULL || signer != 0) {
		return -1;
	}
	cmpd_decide_later(kept, &later);
	cmpd_kept_free(cmpd_request_keep(request));
	sans[0] = cmpd_request_san(request, 0);
	verdict->answer = CMPD_GRANT;
	verdict->sans = sans;
	verdict->subject = cmpd_request_printf(request, "/O=%s %s %s %s %s %s/CN=%s %lld %lld",
	    cmpd_request_type(request), cmpd_request_profile(request),
	    cmpd_request_requester_kind(request), cmpd_request_reference(request),
	    cmpd_request_key_type(request), cmpd_request_peer(request), cmpd_request_txn(request),
	    cmpd_request_cert_req_id(request), (long long)cmpd_request_received(request));
	return cmpd_request_endpoint(request) != NULL && cmpd_request_subject(request) != NULL &&
		       cmpd_request_requester(request) != NULL &&
		       cmpd_request_signer_subject(request) == NULL
		   ? 0
		   : -1;
}

CMPD_PLUGIN_EXPORT const struct cmpd_plugin cmpd_plugin = {
    .abi_major = CMPD_PLUGIN_ABI_MAJOR,
    .abi_minor = CMPD_PLUGIN_ABI_MINOR,
    .struct_size = sizeof(struct cmpd_plugin),
    .name = "old",
    .flags = CMPD_PLUGIN_NONBLOCKING,
    .check_config = check_config,
    .decide = decide,
};
