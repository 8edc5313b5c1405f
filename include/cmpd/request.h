/*
 * What a plugin can see of a request. All strings are NUL-terminated UTF-8, one line, and live
 * until decide returns, or as long as the request is kept. NULL = there is none. Any thread.
 */
#ifndef CMPD_REQUEST_H
#define CMPD_REQUEST_H

#include <cmpd/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

/* "ir", "cr", "kur", "p10cr", "rr", "genm" */
CMPD_PLUGIN_EXPORT const char *cmpd_request_type(const struct cmpd_request *request);
/* rr, genm: what is asked for, in words ("revoke 01ab (keyCompromise)"; "caCerts, crlStatusList"). For an rr subject is that of the
 * certificate; a genm has none; both have no key. Passing (or no plugin) means that they are answered at once, unless the endpoint holds them. Since 1.1. */
CMPD_PLUGIN_EXPORT const char *cmpd_request_wants(const struct cmpd_request *request);
/* Path of the endpoint, name of the profile. */
CMPD_PLUGIN_EXPORT const char *cmpd_request_endpoint(const struct cmpd_request *request);
CMPD_PLUGIN_EXPORT const char *cmpd_request_profile(const struct cmpd_request *request);
/* Requested subject, "/C=DE/CN=a"; "/" = empty. */
CMPD_PLUGIN_EXPORT const char *cmpd_request_subject(const struct cmpd_request *request);
/* The n-th requested subjectAltName ("DNS:a", "IP:10.0.0.1", "email:..", "URI:.."). */
CMPD_PLUGIN_EXPORT const char *cmpd_request_san(const struct cmpd_request *request, size_t n);
/* Authentication: in words, its kind ("mac", "signature"), reference value, subject of the signer's certificate. */
CMPD_PLUGIN_EXPORT const char *cmpd_request_requester(const struct cmpd_request *request);
CMPD_PLUGIN_EXPORT const char *cmpd_request_requester_kind(const struct cmpd_request *request);
CMPD_PLUGIN_EXPORT const char *cmpd_request_reference(const struct cmpd_request *request);
CMPD_PLUGIN_EXPORT const char *cmpd_request_signer_subject(const struct cmpd_request *request);
/* "ec:P-256", "rsa:2048", "ed25519", ...: of the key there is, or of the one that cmpd shall make (no spki then) */
CMPD_PLUGIN_EXPORT const char *cmpd_request_key_type(const struct cmpd_request *request);
/* Address of the peer; "unix". */
CMPD_PLUGIN_EXPORT const char *cmpd_request_peer(const struct cmpd_request *request);
/* Lower-case hex. */
CMPD_PLUGIN_EXPORT const char *cmpd_request_txn(const struct cmpd_request *request);
CMPD_PLUGIN_EXPORT long long cmpd_request_cert_req_id(const struct cmpd_request *request);
/* Milliseconds UTC. */
CMPD_PLUGIN_EXPORT int64_t cmpd_request_received(const struct cmpd_request *request);

/* DER. NULL and length 0 = there is none. */
CMPD_PLUGIN_EXPORT const unsigned char *cmpd_request_signer(const struct cmpd_request *request,
    size_t *ret_len);
CMPD_PLUGIN_EXPORT const unsigned char *cmpd_request_spki(const struct cmpd_request *request,
    size_t *ret_len);
CMPD_PLUGIN_EXPORT const unsigned char *cmpd_request_template(const struct cmpd_request *request,
    size_t *ret_len);

/* A string that lives as long as the request; NULL: out of memory. */
CMPD_PLUGIN_EXPORT const char *cmpd_request_printf(struct cmpd_request *request, const char *format,
    ...) __attribute__((format(printf, 2, 3)));
/* Zeroed memory that lives as long as the request; NULL: out of memory. Both share 256 KiB. */
CMPD_PLUGIN_EXPORT void *cmpd_request_alloc(struct cmpd_request *request, size_t size);

/*
 * To decide later: keep the request while decide runs, answer HOLD, and call cmpd_decide_later once from
 * any thread (also before decide has returned), which also gives the kept request back, as does cmpd_kept_free.
 * GRANT and DENY count, unless decide then did not answer HOLD or an operator was first; other answers change nothing.
 * Everything kept must be given back before close returns. The accessors work on cmpd_kept_request. After
 * a restart or reload of the daemon the request stays held, and an operator decides.
 */
CMPD_PLUGIN_EXPORT struct cmpd_kept *cmpd_request_keep(struct cmpd_request *request);
CMPD_PLUGIN_EXPORT struct cmpd_request *cmpd_kept_request(struct cmpd_kept *kept);
CMPD_PLUGIN_EXPORT void cmpd_decide_later(struct cmpd_kept *kept,
    const struct cmpd_verdict *verdict);
CMPD_PLUGIN_EXPORT void cmpd_kept_free(struct cmpd_kept *kept);

#ifdef __cplusplus
}
#endif
#endif
