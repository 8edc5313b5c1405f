#include "model/failinfo.h"

#include <string.h>

static const char *const names[FI_COUNT] = {
    [FI_BAD_ALG] = "badAlg",
    [FI_BAD_MESSAGE_CHECK] = "badMessageCheck",
    [FI_BAD_REQUEST] = "badRequest",
    [FI_BAD_TIME] = "badTime",
    [FI_BAD_CERT_ID] = "badCertId",
    [FI_BAD_DATA_FORMAT] = "badDataFormat",
    [FI_WRONG_AUTHORITY] = "wrongAuthority",
    [FI_INCORRECT_DATA] = "incorrectData",
    [FI_MISSING_TIME_STAMP] = "missingTimeStamp",
    [FI_BAD_POP] = "badPOP",
    [FI_CERT_REVOKED] = "certRevoked",
    [FI_CERT_CONFIRMED] = "certConfirmed",
    [FI_WRONG_INTEGRITY] = "wrongIntegrity",
    [FI_BAD_RECIPIENT_NONCE] = "badRecipientNonce",
    [FI_TIME_NOT_AVAILABLE] = "timeNotAvailable",
    [FI_UNACCEPTED_POLICY] = "unacceptedPolicy",
    [FI_UNACCEPTED_EXTENSION] = "unacceptedExtension",
    [FI_ADD_INFO_NOT_AVAILABLE] = "addInfoNotAvailable",
    [FI_BAD_SENDER_NONCE] = "badSenderNonce",
    [FI_BAD_CERT_TEMPLATE] = "badCertTemplate",
    [FI_SIGNER_NOT_TRUSTED] = "signerNotTrusted",
    [FI_TRANSACTION_ID_IN_USE] = "transactionIdInUse",
    [FI_UNSUPPORTED_VERSION] = "unsupportedVersion",
    [FI_NOT_AUTHORIZED] = "notAuthorized",
    [FI_SYSTEM_UNAVAIL] = "systemUnavail",
    [FI_SYSTEM_FAILURE] = "systemFailure",
    [FI_DUPLICATE_CERT_REQ] = "duplicateCertReq",
};

const char *
failinfo_name(int bit)
{
	return bit >= 0 && bit < FI_COUNT ? names[bit] : NULL;
}

int
failinfo_parse(const char *name)
{
	for (int bit = 0; bit < FI_COUNT; bit++) {
		if (!strcmp(names[bit], name)) {
			return bit;
		}
	}
	return FI_NONE;
}
