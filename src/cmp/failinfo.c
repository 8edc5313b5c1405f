#include "cmp/failinfo.h"

static const struct {
	int error;
	enum failinfo bit;
} rows[] = {
    {CMPD_EFORMAT, FI_BAD_DATA_FORMAT},
    {CMPD_EPOP, FI_BAD_POP},
    {CMPD_ETEMPLATE, FI_BAD_CERT_TEMPLATE},
    {CMPD_EEXTENSION, FI_UNACCEPTED_EXTENSION},
    {CMPD_EALGORITHM, FI_BAD_ALG},
    {CMPD_EREVOKED, FI_CERT_REVOKED},
    {CMPD_ECERTID, FI_BAD_CERT_ID},
    {CMPD_ENOINFO, FI_ADD_INFO_NOT_AVAILABLE},
    {CMPD_EACCES, FI_NOT_AUTHORIZED},
    {CMPD_EEXIST, FI_CERT_CONFIRMED},
    {CMPD_EINVAL, FI_BAD_REQUEST},
    {CMPD_ELIMIT, FI_BAD_REQUEST},
    {CMPD_ESTATE, FI_BAD_REQUEST},
    {CMPD_ENOENT, FI_BAD_REQUEST},
    {CMPD_EAUTH, FI_BAD_MESSAGE_CHECK},
    {CMPD_EUNAVAILABLE, FI_SYSTEM_UNAVAIL},
    {CMPD_EIO, FI_SYSTEM_UNAVAIL},
    {CMPD_ENOSPC, FI_SYSTEM_UNAVAIL},
    {CMPD_ENOMEM, FI_SYSTEM_UNAVAIL},
    {CMPD_ECONFLICT, FI_SYSTEM_UNAVAIL},
};

int
failinfo_of_error(int error)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].error == error) {
			return rows[i].bit;
		}
	}
	return FI_SYSTEM_FAILURE;
}
