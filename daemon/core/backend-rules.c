#include "daemon/core/backend-rules.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <strings.h>

#include "common/loopback.h"
#include "common/parse.h"
#include "common/text.h"

/* ---- numbers and strings ---- */

static const char *format_value(const BackendSetting *s, char buf[FORMAT_MAX], uint64_t value) {
    if (s->flags & BACKEND_SETTING_SPAN)
        return format_span(buf, value);
    if (s->flags & BACKEND_SETTING_SIZE)
        return format_size(buf, value);
    snprintf(buf, FORMAT_MAX, "%" PRIu64, value);
    return buf;
}

int backend_number_check(const BackendSetting *setting, const char *name, uint64_t value,
                         Error *error) {
    char min[FORMAT_MAX], max[FORMAT_MAX];

    if (value >= setting->min && value <= setting->max)
        return 0;
    return error_set(error, ERROR_INVALID_OPTION, "%s is out of bounds: it can be from %s to %s",
                     name, format_value(setting, min, setting->min),
                     format_value(setting, max, setting->max));
}

static int check_text(const char *name, const char *text, Error *error) {
    if (strlen(text) > BACKEND_TEXT_MAX)
        return error_set(error, ERROR_INVALID_OPTION, "%s has more than %d bytes", name,
                         BACKEND_TEXT_MAX);
    if (!utf8_is_valid(text))
        return error_set(error, ERROR_INVALID_OPTION, "%s is not UTF-8", name);
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return error_set(error, ERROR_INVALID_OPTION, "there is a control character in %s",
                             name);
    return 0;
}

static int check_each(const BackendSettings *s, Error *error) {
    for (const BackendSetting *i = backend_settings(); i->name; i++) {
        const void *field = (const char *)s + i->offset;
        int r = 0;

        if (streq(i->type, "s"))
            r = check_text(i->name, *(char *const *)field, error);
        else if (streq(i->type, "t"))
            r = backend_number_check(i, i->name, *(const uint64_t *)field, error);
        else if (streq(i->type, "u"))
            r = backend_number_check(i, i->name, *(const uint32_t *)field, error);
        if (r < 0)
            return r;
    }
    return 0;
}

/* ---- where it is ---- */

typedef struct Host {
    bool is_https;
    char name[256]; /* without the brackets of an IPv6 address */
} Host;

/* What has an '@' in it may have a password, and is not shown. */
static int bad_url(const char *url, const char *why, Error *error) {
    if (strchr(url, '@'))
        return error_set(error, ERROR_INVALID_OPTION,
                         "the url is not valid: %s. It is like http://localhost:8080/api", why);
    return error_set(error, ERROR_INVALID_OPTION,
                     "the url \"%.200s\" is not valid: %s. It is like http://localhost:8080/api",
                     url, why);
}

/* A port, and the end or a path behind it. */
static bool is_port(const char *p) {
    size_t digits = strspn(p, "0123456789");
    unsigned long port = strtoul(p, NULL, 10);

    return digits > 0 && digits <= 5 && port > 0 && port <= UINT16_MAX &&
           (p[digits] == '\0' || p[digits] == '/');
}

static bool is_name(const char *name) {
    for (; *name; name++)
        if (!isascii(*name) || (!isalnum((unsigned char)*name) && !strchr("-._", *name)))
            return false;
    return true;
}

/* The host and port, behind the scheme. NULL, or what is wrong with it. */
static const char *read_authority(const char *p, Host *h) {
    bool is_ipv6 = *p == '[';
    size_t size = is_ipv6 ? strcspn(++p, "]/") : strcspn(p, ":/");
    struct in6_addr address;

    if (size == 0)
        return "there is no host in it";
    if (size >= sizeof(h->name))
        return "the name of the host is too long";
    memcpy(h->name, p, size);
    h->name[size] = '\0';
    p += size;
    if (is_ipv6 && (*p++ != ']' || inet_pton(AF_INET6, h->name, &address) != 1))
        return "this is no IPv6 address";
    if (!is_ipv6 && !is_name(h->name))
        return "the host is a name of letters, digits, '-', '_' and '.', or an address";
    if (*p == ':' ? !is_port(p + 1) : *p && *p != '/')
        return "the port is a number from 1 to 65535";
    return NULL;
}

static int read_url(const char *url, Host *h, Error *error) {
    const char *colon = strstr(url, "://"), *wrong;
    size_t scheme = colon ? (size_t)(colon - url) : 0;

    h->is_https = scheme == 5 && strncasecmp(url, "https", 5) == 0;
    if (!h->is_https && (scheme != 4 || strncasecmp(url, "http", 4) != 0))
        return bad_url(url, "it begins with neither http:// nor https://", error);
    if (memchr(colon + 3, '@', strcspn(colon + 3, "/")))
        return error_set(error, ERROR_INVALID_OPTION,
                         "there is a user or password in the url: put it into a file of its own, "
                         "named by credential");
    if (url[strcspn(url, "?#")])
        return bad_url(url, "a query or fragment is for paths", error);
    for (const char *c = url; *c; c++)
        if (!isgraph((unsigned char)*c) || strchr("\\\"<>^`{|}", *c))
            return bad_url(url, "there is a character in it that is written as %XX", error);
    wrong = read_authority(colon + 3, h);
    return wrong ? bad_url(url, wrong, error) : 0;
}

/* ---- whom it trusts, and who we are ---- */

static int check_file(const char *name, const char *path, Error *error) {
    if (isempty(path) || path[0] == '/')
        return 0;
    return error_set(error, ERROR_INVALID_OPTION,
                     "%s \"%.200s\" is not absolute: give a path that begins with /", name, path);
}

static int check_files(const BackendSettings *s, const Host *h, Error *error) {
    if (check_file("ca-file", s->ca_file, error) < 0 ||
        check_file("client-cert", s->client_cert, error) < 0 ||
        check_file("client-key", s->client_key, error) < 0)
        return -EREMOTE;
    if (*s->client_key && !*s->client_cert)
        return error_set(error, ERROR_INVALID_OPTION, "client-key is for a client-cert");
    if (!h->is_https && (*s->ca_file || *s->client_cert))
        return error_set(error, ERROR_INVALID_OPTION, "%s is for an url that begins with https://",
                         *s->ca_file ? "ca-file" : "client-cert");
    return 0;
}

static bool is_credential_name(const char *name) {
    return !strchr(name, '/') && !streq(name, ".") && !streq(name, "..") && strlen(name) <= 255;
}

static int check_auth(const BackendSettings *s, const Host *h, Error *error) {
    if (*s->auth && !streq(s->auth, "bearer") && !streq(s->auth, "basic"))
        return error_set(error, ERROR_INVALID_OPTION,
                         "auth is bearer or basic, or empty for none, not \"%.100s\"", s->auth);
    if (!*s->auth != !*s->credential)
        return error_set(error, ERROR_INVALID_OPTION,
                         *s->auth ? "auth needs a credential: the path of the file with the secret"
                                  : "credential is for auth: say auth is bearer or basic");
    if (!*s->auth)
        return 0;
    if (s->credential[0] != '/' && !is_credential_name(s->credential))
        return error_set(error, ERROR_INVALID_OPTION,
                         "credential is an absolute path, or the name of a credential of systemd");
    if (!h->is_https && !loopback_is_host(h->name))
        return error_set(error, ERROR_INVALID_OPTION,
                         "a credential would go to %s for all to read: use https://", h->name);
    return 0;
}

/* ---- what is asked, and what is expected ---- */

static int check_path(const char *name, const char *path, Error *error) {
    if (*path && *path != '/')
        return error_set(error, ERROR_INVALID_OPTION,
                         "%s \"%.200s\" does not begin with /: it is a path under the url", name,
                         path);
    for (const char *c = path; *c; c++)
        if (!isgraph((unsigned char)*c) || strchr("#\\\"<>^`{|}", *c))
            return error_set(error, ERROR_INVALID_OPTION,
                             "there is a character in %s \"%.200s\" that is written as %%XX", name,
                             path);
    return 0;
}

static int check_expectations(const BackendSettings *s, Error *error) {
    size_t n = 0;

    if (status_ranges_check(s->expect_status) < 0)
        return error_set(error, ERROR_INVALID_OPTION,
                         "expect-status \"%.100s\" is not valid: it is of codes and ranges, as "
                         "200-299,304",
                         s->expect_status);
    for (char **e = s->expect; e && *e; e++, n++)
        if (check_text("expect", *e, error) < 0 || expectation_check(*e, error) < 0)
            return -EREMOTE;
    if (n > BACKEND_EXPECT_MAX)
        return error_set(error, ERROR_INVALID_OPTION, "there are more than %d expectations",
                         BACKEND_EXPECT_MAX);
    return 0;
}

/* ---- all of them ---- */

static const struct {
    const char *name, *status_path;
} types[] = {
    {BACKEND_TYPE_JSON, ""}, /* the url itself */
    {BACKEND_TYPE_MESSENGER, "/api/status"},
};

/* What the type has for what is not said. */
static int fill_in(BackendSettings *s, Error *error) {
    for (size_t i = 0; i < ELEMENTSOF(types); i++) {
        if (!streq(s->type, types[i].name))
            continue;
        if (*s->status_path)
            return 0;
        free(s->status_path);
        s->status_path = strdup(types[i].status_path);
        if (s->status_path)
            return 0;
        /* No setting is NULL, also when memory is short. */
        s->status_path = strdup("");
        return -ENOMEM;
    }
    return error_set(error, ERROR_INVALID_OPTION,
                     "there is no type \"%.100s\" of backends, but json and messenger", s->type);
}

static void strip_slashes(char *url) {
    size_t n = strlen(url);

    while (n > 0 && url[n - 1] == '/')
        url[--n] = '\0';
}

int backend_settings_check(BackendSettings *s, Error *error) {
    Host host = {};

    if (check_each(s, error) < 0)
        return -EREMOTE;
    if (isempty(s->url))
        return error_set(error, ERROR_INVALID_OPTION,
                         "there is no url: where is the backend? It is like http://localhost:8080");
    if (read_url(s->url, &host, error) < 0 || check_files(s, &host, error) < 0 ||
        check_auth(s, &host, error) < 0 || check_path("status-path", s->status_path, error) < 0 ||
        check_path("poll-path", s->poll_path, error) < 0 || check_expectations(s, error) < 0)
        return -EREMOTE;
    strip_slashes(s->url);
    return fill_in(s, error);
}
