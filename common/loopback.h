#pragma once

#include "common/macro.h"

/* Hosts that are this machine itself, whatever a name server says: what is sent to them is read by
 * nobody on the way. */

/* "localhost", and all names below it (RFC 6761, section 6.3). */
bool loopback_is_name(const char *host);
/* That, or an address of this machine alone; of IPv6 without brackets. */
bool loopback_is_host(const char *host);
/* The host of such an url, see url_host(). */
bool loopback_is_url(const char *url);
