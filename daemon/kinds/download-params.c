#include "daemon/kinds/download-params.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <strings.h>

#include "common/loopback.h"
#include "common/strv.h"
#include "common/text.h"

#define GIVE_UP_MS_MAX UINT64_C(604800000) /* a week */
#define GIVE_UP_MS UINT64_C(300000)
#define STALL_MS_MAX UINT64_C(3600000)
#define STALL_MS UINT64_C(30000)

static int wrong(const cJSON *value, const char *name, const char *wanted, char **ret_error) {
    _cleanup_free_ char *shown = kind_describe_value(value);

    return kind_params_error(ret_error, "parameter '%s' must be %s, not %s", name, wanted,
                             strempty(shown));
}

/* ---- urls ---- */

/* Bytes of a url are printable ASCII; anything else is written as %XX. */
static bool is_plain(const char *s) {
    for (; *s; s++)
        if (*s <= ' ' || *s == 0x7f || (unsigned char)*s > 0x7f)
            return false;
    return true;
}

/* The part behind "//", or NULL for a scheme that is not ours. */
static const char *authority_of(const char *url) {
    return strncasecmp(url, "http://", 7) == 0    ? url + 7
           : strncasecmp(url, "https://", 8) == 0 ? url + 8
                                                  : NULL;
}

static int check_url(const cJSON *value, const char *name, char **ret_error) {
    const char *url = cJSON_IsString(value) ? value->valuestring : "";
    const char *authority = authority_of(url);
    size_t n = authority ? strcspn(authority, "/?#") : 0;

    if (n == 0 || authority[0] == ':')
        return wrong(value, name, "a url that begins with http:// or https://", ret_error);
    if (strlen(url) > DOWNLOAD_URL_MAX)
        return kind_params_error(ret_error, "parameter '%s' has more than %zu bytes", name,
                                 DOWNLOAD_URL_MAX);
    if (!is_plain(url))
        return wrong(value, name, "a url, in which blanks and what is not ASCII are %XX",
                     ret_error);
    if (memchr(authority, '@', n))
        return kind_params_error(ret_error,
                                 "parameter '%s' has a user or password in it, which anybody who "
                                 "may list tasks could read: put it into a file, and name that in "
                                 "'credential'",
                                 name);
    return 0;
}

static int add_url(DownloadParams *p, size_t *n, const cJSON *value, const char *name,
                   char **ret_error) {
    int r = check_url(value, name, ret_error);

    if (r < 0)
        return r;
    p->urls[*n] = strdup(value->valuestring);
    if (!p->urls[*n])
        return -ENOMEM;
    (*n)++;
    return 0;
}

static int parse_urls(const cJSON *params, DownloadParams *p, char **ret_error) {
    const cJSON *url = cJSON_GetObjectItemCaseSensitive(params, "url"), *urls = NULL, *item;
    size_t n = 0;
    int r = 0;

    if (cJSON_GetObjectItemCaseSensitive(params, "urls"))
        r = kind_param_array(params, "urls", "urls", 1, DOWNLOAD_URLS_MAX, &urls, ret_error);
    if (r < 0)
        return r;
    if (!url == !urls)
        return kind_params_error(ret_error,
                                 url ? "parameters 'url' and 'urls' do not go together: put all "
                                       "of them into 'urls'"
                                     : "parameter 'url' is missing: where the file is, or 'urls': "
                                       "the same file at several places");
    p->urls = calloc(DOWNLOAD_URLS_MAX + 1, sizeof(char *));
    if (!p->urls)
        return -ENOMEM;
    if (url)
        return add_url(p, &n, url, "url", ret_error);
    cJSON_ArrayForEach (item, urls) {
        char name[32];
        snprintf(name, sizeof(name), "urls[%zu]", n);
        r = add_url(p, &n, item, name, ret_error);
        if (r < 0)
            return r;
    }
    return 0;
}

/* ---- paths ---- */

static int parse_path(const cJSON *params, const char *name, bool absolute, const char **ret,
                      char **ret_error) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(params, name);

    if (!value)
        return 0;
    if (!cJSON_IsString(value) || isempty(value->valuestring) ||
        (absolute && value->valuestring[0] != '/'))
        return wrong(value, name, absolute ? "an absolute path" : "a path", ret_error);
    if (strlen(value->valuestring) >= PATH_MAX)
        return kind_params_error(ret_error, "parameter '%s' is longer than %d bytes", name,
                                 PATH_MAX - 1);
    *ret = value->valuestring;
    return 0;
}

/* ---- what it must be ---- */

static int parse_sha256(const cJSON *params, DownloadParams *p, char **ret_error) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(params, "sha256");
    const char *hex = cJSON_IsString(value) ? value->valuestring : "";

    if (!value)
        return 0;
    if (strlen(hex) != DOWNLOAD_SHA256_SIZE - 1 ||
        strspn(hex, "0123456789abcdefABCDEF") != DOWNLOAD_SHA256_SIZE - 1)
        return wrong(value, "sha256", "64 hexadecimal digits, as sha256sum(1) prints them",
                     ret_error);
    for (size_t i = 0; i < DOWNLOAD_SHA256_SIZE; i++)
        p->sha256[i] = (char)tolower((unsigned char)hex[i]);
    return 0;
}

/* ---- headers ---- */

static bool is_token(const char *s) {
    static const char others[] = "!#$%&'*+-.^_`|~";

    if (*s == '\0')
        return false;
    for (; *s; s++)
        if (!isascii((unsigned char)*s) || (!isalnum((unsigned char)*s) && !strchr(others, *s)))
            return false;
    return true;
}

/* What a server needs to be told is up to this program, and secrets are no params. */
static int check_header_name(const char *name, char **ret_error) {
    static const char *const ours[] = {
        "Accept-Encoding", "Connection", "Content-Length",   "Host", "If-Range",
        "Range",           "TE",         "Transfer-Encoding"};
    static const char *const secrets[] = {"Authorization", "Cookie", "Proxy-Authorization"};

    for (size_t i = 0; i < ELEMENTSOF(ours); i++)
        if (strcasecmp(name, ours[i]) == 0)
            return kind_params_error(ret_error, "headers: %s is set by the download itself",
                                     ours[i]);
    for (size_t i = 0; i < ELEMENTSOF(secrets); i++)
        if (strcasecmp(name, secrets[i]) == 0)
            return kind_params_error(ret_error,
                                     "headers: %s would be read by anybody who may list tasks: "
                                     "put the secret into a file, and name that in 'credential'",
                                     secrets[i]);
    return 0;
}

static int take_header(const cJSON *item, char **ret, char **ret_error) {
    const char *value = cJSON_IsString(item) ? item->valuestring : NULL;
    int r;

    if (!is_token(item->string)) {
        _cleanup_free_ char *shown = text_clean(item->string, strlen(item->string), 50);
        return kind_params_error(ret_error, "headers: '%s' cannot be the name of a header",
                                 strempty(shown));
    }
    r = check_header_name(item->string, ret_error);
    if (r < 0)
        return r;
    for (const char *c = strempty(value); *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            value = NULL;
    if (isempty(value) || strlen(item->string) + strlen(value) > DOWNLOAD_HEADER_MAX)
        return kind_params_error(ret_error,
                                 "headers: %.50s must have one line of text, of up to %zu bytes",
                                 item->string, DOWNLOAD_HEADER_MAX);
    if (asprintf(ret, "%s: %s", item->string, value) < 0) {
        *ret = NULL;
        return -ENOMEM;
    }
    return 0;
}

static int parse_headers(const cJSON *params, DownloadParams *p, char **ret_error) {
    const cJSON *headers = cJSON_GetObjectItemCaseSensitive(params, "headers"), *item;
    size_t n = 0;

    if (!headers)
        return 0;
    if (!cJSON_IsObject(headers) || (size_t)cJSON_GetArraySize(headers) > DOWNLOAD_HEADERS_MAX)
        return kind_params_error(ret_error,
                                 "parameter 'headers' must be an object of up to %zu names and "
                                 "values: {\"Accept\": \"text/plain\"}",
                                 DOWNLOAD_HEADERS_MAX);
    p->headers = calloc(DOWNLOAD_HEADERS_MAX + 1, sizeof(char *));
    if (!p->headers)
        return -ENOMEM;
    cJSON_ArrayForEach (item, headers) {
        int r = take_header(item, &p->headers[n], ret_error);
        if (r < 0)
            return r;
        n++;
    }
    return 0;
}

/* ---- who we are ---- */

static size_t origin_size(const char *url) {
    const char *authority = authority_of(url);

    return (size_t)(authority - url) + strcspn(authority, "/?#");
}

/* A secret is one server's, and nobody on the way may read it. */
static int check_who_gets_it(const DownloadParams *p, char **ret_error) {
    size_t n = origin_size(p->urls[0]);

    for (char **url = p->urls; *url; url++) {
        if (origin_size(*url) != n || strncasecmp(*url, p->urls[0], n) != 0)
            return kind_params_error(ret_error,
                                     "parameter 'credential' is for one server: all urls "
                                     "must begin with the same scheme, host and port");
        if (strncasecmp(*url, "https://", 8) != 0 && !loopback_is_url(*url))
            return kind_params_error(ret_error,
                                     "parameter 'credential' would go over the network as it is: "
                                     "with it, the url must begin with https://");
    }
    return 0;
}

static int parse_credential(const cJSON *params, DownloadParams *p, char **ret_error) {
    static const char *const words[] = {"bearer", "basic", NULL};
    size_t auth = 0;
    int r = parse_path(params, "credential", true, &p->credential, ret_error);

    if (r >= 0)
        r = kind_param_choice(params, "auth", words, &auth, ret_error);
    if (r < 0)
        return r;
    if (cJSON_GetObjectItemCaseSensitive(params, "auth") && isempty(p->credential))
        return kind_params_error(ret_error, "parameter 'auth' wants 'credential' as well: the path "
                                            "of a file with the token, or with user:password");
    p->basic = auth == 1;
    return isempty(p->credential) ? 0 : check_who_gets_it(p, ret_error);
}

/* ---- all of it ---- */

static int parse_times(const cJSON *params, DownloadParams *p, char **ret_error) {
    uint64_t give_up_ms = GIVE_UP_MS, stall_ms = STALL_MS;
    int r = kind_param_u64(params, "give_up_after_ms", 0, GIVE_UP_MS_MAX, &give_up_ms, ret_error);

    if (r >= 0)
        r = kind_param_u64(params, "stall_timeout_ms", 100, STALL_MS_MAX, &stall_ms, ret_error);
    if (r < 0)
        return r;
    p->give_up_after_usec = give_up_ms * USEC_PER_MSEC;
    p->stall_timeout_usec = stall_ms * USEC_PER_MSEC;
    return 0;
}

typedef int (*Parse)(const cJSON *params, DownloadParams *p, char **ret_error);

int download_params_parse(const cJSON *params, DownloadParams *ret, char **ret_error) {
    static const char *const names[] = {"url",
                                        "urls",
                                        "path",
                                        "sha256",
                                        "size",
                                        "overwrite",
                                        "ca_file",
                                        "headers",
                                        "auth",
                                        "credential",
                                        "give_up_after_ms",
                                        "stall_timeout_ms",
                                        NULL};
    static const Parse parts[] = {parse_urls, parse_sha256, parse_headers, parse_credential,
                                  parse_times};
    int r = kind_check_names(params, names, ret_error);

    *ret = (DownloadParams){
        .path = "", .size = DOWNLOAD_SIZE_UNKNOWN, .ca_file = "", .credential = ""};
    for (size_t i = 0; r >= 0 && i < ELEMENTSOF(parts); i++)
        r = parts[i](params, ret, ret_error);
    if (r >= 0)
        r = parse_path(params, "path", false, &ret->path, ret_error);
    if (r >= 0)
        r = parse_path(params, "ca_file", true, &ret->ca_file, ret_error);
    if (r >= 0)
        r = kind_param_u64(params, "size", 0, DOWNLOAD_SIZE_MAX, &ret->size, ret_error);
    return r < 0 ? r : kind_param_bool(params, "overwrite", &ret->overwrite, ret_error);
}

void download_params_done(DownloadParams *p) {
    strv_free(p->urls);
    strv_free(p->headers);
}

static int download_check(const cJSON *params, char **ret_error) {
    DownloadParams p = {};
    int r = download_params_parse(params, &p, ret_error);

    download_params_done(&p);
    return r;
}

const Kind kind_download = {
    .name = "download",
    .description = "A file by HTTP, in a process of its own: goes on where it was cut off, and "
                   "checks what it got",
    .place = KIND_PLACE_PROCESS,
    .program = "longrun-download",
    .goes_on = true,
    .check = download_check,
};
