#include "common/loopback.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "common/url-host.h"

bool loopback_is_name(const char *host) {
    static const char suffix[] = ".localhost";
    size_t n = strlen(host);

    return strcasecmp(host, "localhost") == 0 ||
           (n > strlen(suffix) && strcasecmp(host + n - strlen(suffix), suffix) == 0);
}

bool loopback_is_host(const char *host) {
    struct in6_addr v6;
    struct in_addr v4;

    if (inet_pton(AF_INET, host, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    if (inet_pton(AF_INET6, host, &v6) == 1)
        return IN6_IS_ADDR_LOOPBACK(&v6);
    return loopback_is_name(host);
}

bool loopback_is_url(const char *url) {
    char host[URL_HOST_MAX];

    url_host(url, host);
    return loopback_is_host(host);
}
