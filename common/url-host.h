#pragma once

#include "common/macro.h"

#define URL_HOST_MAX 256

/* The host in an http or https url that has neither user nor password, of IPv6 without brackets;
 * cut when it is longer than any can be. */
void url_host(const char *url, char host[URL_HOST_MAX]);
