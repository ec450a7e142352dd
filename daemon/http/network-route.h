#pragma once

#include "common/macro.h"

/* Whether this machine is on a network at all. */

/* 0: there is a route to the host of this url, for all that the kernel knows, or this cannot be
 * told. -ENETUNREACH: there is none. Of a name that would have to be resolved first, whether there
 * is a route to anywhere. Sends nothing. */
int network_route_check(const char *url);
