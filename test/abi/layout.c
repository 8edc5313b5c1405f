/*
 * What plugins of ABI version 1 were compiled with, in numbers: compiled against the frozen headers of v1/ and
 * against those of today. A field may be added at the end; nothing else may change.
 */
#include <cmpd/request.h>

#define AT(type, field, offset)                                                                    \
	_Static_assert(offsetof(struct type, field) == (offset), #type "." #field " has moved")
#define IS(name, value) _Static_assert((name) == (value), #name " has another value")

_Static_assert(CMPD_PLUGIN_ABI_MAJOR == 1, "a new major needs a frozen copy of its own");

#if UINTPTR_MAX == UINT64_MAX
AT(cmpd_plugin, abi_major, 0);
AT(cmpd_plugin, abi_minor, 2);
AT(cmpd_plugin, struct_size, 4);
AT(cmpd_plugin, name, 8);
AT(cmpd_plugin, flags, 16);
AT(cmpd_plugin, check_config, 24);
AT(cmpd_plugin, open, 32);
AT(cmpd_plugin, decide, 40);
AT(cmpd_plugin, close, 48);
_Static_assert(sizeof(struct cmpd_plugin) >= 56, "cmpd_plugin has shrunk");

AT(cmpd_verdict, struct_size, 0);
AT(cmpd_verdict, answer, 8);
AT(cmpd_verdict, fail_info, 12);
AT(cmpd_verdict, text, 16);
AT(cmpd_verdict, check_after_ms, 24);
AT(cmpd_verdict, approvals, 32);
AT(cmpd_verdict, subject, 40);
AT(cmpd_verdict, sans, 48);
AT(cmpd_verdict, validity_ms, 56);
AT(cmpd_verdict, profile, 64);
_Static_assert(sizeof(struct cmpd_verdict) >= 72, "cmpd_verdict has shrunk");
#endif

IS(CMPD_PLUGIN_NONBLOCKING, 1);
IS(CMPD_PASS, 0);
IS(CMPD_GRANT, 1);
IS(CMPD_DENY, 2);
IS(CMPD_HOLD, 3);
IS(CMPD_FAIL_NONE, -1);
IS(CMPD_FAIL_BAD_ALG, 0);
IS(CMPD_FAIL_BAD_REQUEST, 2);
IS(CMPD_FAIL_BAD_CERT_ID, 4);
IS(CMPD_FAIL_UNACCEPTED_POLICY, 15);
IS(CMPD_FAIL_UNACCEPTED_EXTENSION, 16);
IS(CMPD_FAIL_BAD_CERT_TEMPLATE, 19);
IS(CMPD_FAIL_SIGNER_NOT_TRUSTED, 20);
IS(CMPD_FAIL_NOT_AUTHORIZED, 23);
IS(CMPD_FAIL_DUPLICATE_CERT_REQ, 26);

/* Each function exists and has the type it had: an initializer of another type does not compile. */
extern const struct layout_functions layout_functions;
const struct layout_functions {
	const char *(*texts[11])(const struct cmpd_request *request);
	const char *(*san)(const struct cmpd_request *request, size_t n);
	long long (*cert_req_id)(const struct cmpd_request *request);
	int64_t (*received)(const struct cmpd_request *request);
	const unsigned char *(*ders[3])(const struct cmpd_request *request, size_t *ret_len);
	const char *(*print)(struct cmpd_request *request, const char *format, ...);
	void *(*alloc)(struct cmpd_request *request, size_t size);
	struct cmpd_kept *(*keep)(struct cmpd_request *request);
	struct cmpd_request *(*kept_request)(struct cmpd_kept *kept);
	void (*decide_later)(struct cmpd_kept *kept, const struct cmpd_verdict *verdict);
	void (*kept_free)(struct cmpd_kept *kept);
	const char *(*get)(const struct cmpd_config *config, const char *key, size_t n);
	const char *(*key)(const struct cmpd_config *config, size_t n);
} layout_functions = {
    .texts = {cmpd_request_type, cmpd_request_endpoint, cmpd_request_profile, cmpd_request_subject,
	cmpd_request_requester, cmpd_request_requester_kind, cmpd_request_reference,
	cmpd_request_signer_subject, cmpd_request_key_type, cmpd_request_peer, cmpd_request_txn},
    .san = cmpd_request_san,
    .cert_req_id = cmpd_request_cert_req_id,
    .received = cmpd_request_received,
    .ders = {cmpd_request_signer, cmpd_request_spki, cmpd_request_template},
    .print = cmpd_request_printf,
    .alloc = cmpd_request_alloc,
    .keep = cmpd_request_keep,
    .kept_request = cmpd_kept_request,
    .decide_later = cmpd_decide_later,
    .kept_free = cmpd_kept_free,
    .get = cmpd_config_get,
    .key = cmpd_config_key,
};
