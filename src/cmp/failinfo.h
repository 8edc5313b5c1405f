/*
 * Which bit of PKIFailureInfo an error of another room means. Nowhere else is a bit chosen for an error.
 */
#pragma once

#include "base/error.h"
#include "model/failinfo.h"

/* The bit that tells a client what a CMPD_E... means. */
int failinfo_of_error(int error);
