#include "daemon/http/download-name.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/text.h"

#define PARTIAL ".longrun-part"

/* ---- from a url ---- */

static int hex_digit(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Reads %XX in place; what is none stays as it is. Gives the size: a %00 may be in it. */
static size_t unescape(char *s, size_t size) {
    char *out = s;

    for (size_t i = 0; i < size; i++) {
        int high = i + 2 < size && s[i] == '%' ? hex_digit(s[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(s[i + 2]) : -1;
        *out++ = low < 0 ? s[i] : (char)(high << 4 | low);
        i += low < 0 ? 0 : 2;
    }
    return (size_t)(out - s);
}

/* Each byte that no name should have becomes an underscore. */
static void make_fit(char *s, size_t size) {
    for (size_t i = 0; i < size;) {
        size_t n = utf8_size(s + i, size - i);
        bool control = (unsigned char)s[i] < ' ' || s[i] == 0x7f;
        if (n == 0 || control || s[i] == '/') {
            s[i] = '_';
            n = 1;
        }
        i += n;
    }
    if (size > 0 && s[0] == '.')
        s[0] = '_';
}

/* At the end of a character. */
static size_t cut(const char *s, size_t size, size_t max) {
    if (size <= max)
        return size;
    while (max > 0 && ((unsigned char)s[max] & 0xc0) == 0x80)
        max--;
    return max;
}

char *download_name_from_url(const char *url) {
    const char *authority = strstr(url, "://");
    const char *path = authority ? strchr(authority + 3, '/') : NULL;
    size_t length = path ? strcspn(path, "?#") : 0;
    size_t begin = length;

    while (begin > 0 && path[begin - 1] != '/')
        begin--;
    if (begin == length ||
        (authority && strcspn(authority + 3, "?#") < (size_t)(path - authority - 3)))
        return NULL;
    char *name = strndup(path + begin, length - begin);
    if (!name)
        return NULL;
    size_t size = unescape(name, length - begin);
    make_fit(name, size);
    name[cut(name, size, DOWNLOAD_NAME_MAX)] = '\0';
    return name;
}

/* ---- beside it ---- */

/* FNV-1a. */
static uint64_t number_of(const char *s) {
    uint64_t n = UINT64_C(0xcbf29ce484222325);

    for (; *s; s++)
        n = (n ^ (unsigned char)*s) * UINT64_C(0x100000001b3);
    return n;
}

void download_name_partial(const char *name, const char *suffix, char ret[DOWNLOAD_NAME_MAX + 1]) {
    /* As if there were the longest suffix, so that both have the same beginning. */
    if (strlen(name) + strlen("." PARTIAL ".state.new") <= DOWNLOAD_NAME_MAX)
        snprintf(ret, DOWNLOAD_NAME_MAX + 1, ".%s%s%s", name, PARTIAL, suffix);
    else
        snprintf(ret, DOWNLOAD_NAME_MAX + 1, ".%016" PRIx64 "%s%s", number_of(name), PARTIAL,
                 suffix);
}

void download_name_host(const char *url, char *ret, size_t size) {
    const char *authority = strstr(url, "://");

    authority = authority ? authority + 3 : "";
    snprintf(ret, size, "%.*s", (int)MIN(strcspn(authority, "/?#"), size), authority);
}
