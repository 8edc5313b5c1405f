#include "model/reason.h"

#include <string.h>

static const char *const names[] = {
    [REASON_UNSPECIFIED] = "unspecified",
    [REASON_KEY_COMPROMISE] = "keyCompromise",
    [REASON_CA_COMPROMISE] = "cACompromise",
    [REASON_AFFILIATION_CHANGED] = "affiliationChanged",
    [REASON_SUPERSEDED] = "superseded",
    [REASON_CESSATION_OF_OPERATION] = "cessationOfOperation",
    [REASON_CERTIFICATE_HOLD] = "certificateHold",
    [REASON_REMOVE_FROM_CRL] = "removeFromCRL",
    [REASON_PRIVILEGE_WITHDRAWN] = "privilegeWithdrawn",
    [REASON_AA_COMPROMISE] = "aACompromise",
};

#define N_NAMES ((int)(sizeof(names) / sizeof(names[0])))

const char *
crl_reason_name(int reason)
{
	return reason >= 0 && reason < N_NAMES ? names[reason] : NULL;
}

int
crl_reason_parse(const char *name, int *ret)
{
	for (int i = 0; i < N_NAMES; i++) {
		if (names[i] != NULL && strcmp(names[i], name) == 0) {
			*ret = i;
			return 0;
		}
	}
	return CMPD_EINVAL;
}

bool
crl_reason_is_final(int reason)
{
	return crl_reason_name(reason) != NULL && reason != REASON_CERTIFICATE_HOLD &&
	       reason != REASON_REMOVE_FROM_CRL;
}
