#include "common/url-host.h"

#include <string.h>

void url_host(const char *url, char host[URL_HOST_MAX]) {
    const char *p = strstr(url, "://");
    size_t size;

    p = p ? p + strlen("://") : url;
    size = *p == '[' ? strcspn(++p, "]/") : strcspn(p, ":/?#");
    size = MIN(size, (size_t)URL_HOST_MAX - 1);
    memcpy(host, p, size);
    host[size] = '\0';
}
