#include <string.h>

#include "enrol/internal.h"

static struct bytes
without_zeros(struct bytes serial)
{
	while (serial.len > 1 && serial.data[0] == 0) {
		serial.data++;
		serial.len--;
	}
	return serial;
}

/* Generations of a CA may share a name; the serial tells which one is meant. */
int
desk_cert_named(struct desk *desk, struct bytes issuer, struct bytes serial, struct cert *ret,
    struct diag *diag)
{
	uint8_t ca[CA_ID_SIZE];

	serial = without_zeros(serial);
	for (size_t nth = 0; issuer_ca_named(desk->issuer, issuer, nth, ca) == 0; nth++) {
		int error = store_cert_get(desk->reader, desk->pool, ca, serial, ret);

		if (error != CMPD_ENOENT) {
			return error;
		}
	}
	return diag_set(diag, CMPD_ECERTID, "there is no such certificate here");
}

/* A hold is ended by who asked for it, and by who stands above that one: an RA above the secret, and that above the certificate. */
static bool
may_revive(const struct desk_requester *requester, const struct cert *cert)
{
	return requester->ra || cert->holder == HOLDER_ITSELF ||
	       (requester->secret && cert->holder == HOLDER_SECRET);
}

static int
revive(const struct desk_requester *requester, struct cert *cert, struct diag *diag)
{
	if (cert->status != CERT_HELD) {
		return diag_set(diag, cert->status == CERT_REVOKED ? CMPD_EREVOKED : CMPD_ECERTID,
		    "the certificate is not on hold");
	}
	if (!may_revive(requester, cert)) {
		return diag_set(diag, CMPD_EACCES, "the certificate was not put on hold by %s",
		    requester->secret ? "itself or this secret" : "itself");
	}
	cert->status = CERT_VALID;
	cert->reason = REASON_NONE;
	cert->revoked = 0;
	cert->holder = HOLDER_SECRET;
	return 0;
}

static int
revoke(struct desk *desk, const struct desk_requester *requester, struct cert *cert, int reason,
    struct diag *diag)
{
	/* What somebody else holds an authority holds too from now on: nobody but one revives it. */
	if (cert->status == CERT_HELD && reason == REASON_CERTIFICATE_HOLD && requester->ra &&
	    cert->holder != HOLDER_RA) {
		cert->holder = HOLDER_RA;
		return 0;
	}
	if (cert->status == CERT_REVOKED ||
	    (cert->status == CERT_HELD && reason == REASON_CERTIFICATE_HOLD)) {
		return diag_set(diag, CMPD_EREVOKED, "the certificate is %s already",
		    cert->status == CERT_HELD ? "on hold" : "revoked");
	}
	/* One on hold cannot sign for anything but its revival. */
	if (requester->signer_revoked) {
		return diag_set(diag, CMPD_EREVOKED, "the certificate is on hold");
	}
	cert->holder = requester->ra	   ? HOLDER_RA
		       : requester->secret ? HOLDER_SECRET
					   : HOLDER_ITSELF;
	cert->status = reason == REASON_CERTIFICATE_HOLD ? CERT_HELD : CERT_REVOKED;
	cert->reason = reason;
	cert->revoked = desk->now;
	return 0;
}

int
desk_revocation_check(struct desk *desk, const struct desk_requester *requester,
    const struct conf_endpoint *endpoint, const struct desk_revocation *revocation,
    struct cert *ret, struct diag *diag)
{
	struct cert cert;
	int error;

	if (!revocation->issuer.data || !revocation->serial.data) {
		return diag_set(diag, CMPD_ENOINFO, "issuer and serialNumber must both be named");
	}
	error = desk_cert_named(desk, revocation->issuer, revocation->serial, &cert, diag);
	if (!error) {
		error = issuer_agrees(cert.der, &revocation->named, diag);
	}
	if (!error) {
		error = desk_may(desk, requester, endpoint, DESK_DEED_REVOKE, &cert, diag);
	}
	if (!error && (requester->signer_expired || desk->now > cert.not_after)) {
		error = diag_set(diag, CMPD_ECERTID, "the certificate has expired");
	}
	if (!error) {
		error = revocation->reason == REASON_REMOVE_FROM_CRL
			    ? revive(requester, &cert, diag)
			    : revoke(desk, requester, &cert, revocation->reason, diag);
	}
	if (!error) {
		*ret = cert;
	}
	return error;
}

int
desk_revocation(struct desk *desk, const struct desk_requester *requester,
    const struct conf_endpoint *endpoint, const struct desk_revocation *revocation,
    struct cert *ret, struct diag *diag)
{
	char serial[2 * SERIAL_MAX + 1];
	struct cert cert;
	int error = desk_revocation_check(desk, requester, endpoint, revocation, &cert, diag);

	if (error) {
		return error;
	}
	unit_put_cert(desk->unit, &cert);
	unit_audit(desk->unit, desk->now, "client",
	    cert.status == CERT_VALID  ? "cert.revived"
	    : cert.status == CERT_HELD ? "cert.held"
				       : "cert.revoked",
	    hex_encode(cert.serial, serial, sizeof(serial)), requester->words);
	*ret = cert;
	return 0;
}
