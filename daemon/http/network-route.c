#include "daemon/http/network-route.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "common/cleanup.h"
#include "common/loopback.h"
#include "common/url-host.h"

/* connect(2) of a UDP socket asks the kernel for a route, and sends nothing. */
static int try_connect(const struct sockaddr *address, socklen_t size) {
    _cleanup_close_ int fd = socket(address->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return errno == EAFNOSUPPORT ? -ENETUNREACH : -errno;
    if (connect(fd, address, size) < 0)
        return -errno;
    return 0;
}

/* -EINVAL: this is no address. */
static int check_address(const char *host) {
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(9)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(9)};

    if (inet_pton(AF_INET, host, &v4.sin_addr) == 1)
        return try_connect((const struct sockaddr *)&v4, sizeof(v4));
    if (inet_pton(AF_INET6, host, &v6.sin6_addr) == 1)
        return try_connect((const struct sockaddr *)&v6, sizeof(v6));
    return -EINVAL;
}

static bool is_unreachable(int r) {
    return r == -ENETUNREACH || r == -EHOSTUNREACH || r == -EADDRNOTAVAIL;
}

int network_route_check(const char *url) {
    /* For what has a name: addresses that are for documentation, and so in no network. */
    const char *v4 = "192.0.2.1", *v6 = "2001:db8::1";
    char host[URL_HOST_MAX];
    int r;

    url_host(url, host);
    r = check_address(host);
    if (r != -EINVAL)
        return is_unreachable(r) ? -ENETUNREACH : 0;
    if (loopback_is_name(host)) {
        v4 = "127.0.0.1";
        v6 = "::1";
    }
    return is_unreachable(check_address(v4)) && is_unreachable(check_address(v6)) ? -ENETUNREACH
                                                                                  : 0;
}
