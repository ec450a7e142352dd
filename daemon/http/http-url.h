#pragma once

#include "common/macro.h"

/* Urls, by what libcurl makes of them, so that nobody reads one in two ways. */

/* The url of a reference (RFC 3986, section 5) in an answer that came from base: "/operations/7",
 * "../x", "https://other/". Without its fragment. To be freed; NULL when memory is short, or it is
 * no url of http or https, or one with a user in it. */
char *http_url_join(const char *base, const char *reference);

/* That of a path below an url: "http://host/api" and "/status?x=1" are
 * "http://host/api/status?x=1". An absolute one is taken as it is. NULL as above. */
char *http_url_below(const char *base, const char *path);

/* Scheme, host and port (RFC 6454). False also for what is no url. */
bool http_url_same_origin(const char *a, const char *b);
bool http_url_is_https(const char *url);

/* "host:port" for people, in buf. "" when it is no url. */
#define HTTP_URL_HOST_MAX 300
char *http_url_host(const char *url, char buf[HTTP_URL_HOST_MAX]);

/* The host of an url, where it is a name to be resolved as it stands there: no address, no name
 * that is to be encoded, none of this machine ("localhost"). False for others, and libcurl looks at
 * them itself. */
bool http_url_name(const char *url, char name[HTTP_URL_HOST_MAX], unsigned *ret_port);
