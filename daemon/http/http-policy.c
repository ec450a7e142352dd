#include "daemon/http/http-policy.h"

#include <errno.h>
#include <fcntl.h>
#include <strings.h>
#include <sys/socket.h>

#include "common/cleanup.h"
#include "common/loopback.h"
#include "version.h"

#define METHOD_MAX 32

/* ---- options ---- */

/* Sockets of libcurl would be handed on to whatever the program executes meanwhile. */
static curl_socket_t open_socket(void *userdata, curlsocktype purpose,
                                 struct curl_sockaddr *address) {
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static CURLcode set_limits(CURL *easy) {
    CURLcode r = curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");

    r = r ?: curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "https");
    r = r ?: curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    r = r ?: curl_easy_setopt(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    r = r ?: curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    /* A name that is being resolved is left to its thread; the loop does not wait for it. */
    r = r ?: curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    r = r ?: curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 1L);
    r = r ?: curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    return r ?: curl_easy_setopt(easy, CURLOPT_USERAGENT, "longrun/" LONGRUN_VERSION);
}

static CURLcode set_tls(CURL *easy, const HttpPolicy *p) {
    CURLcode r = curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);

    r = r ?: curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    /* Of the folder of certificates each connection would load its own; those of the file are
     * kept by the multi handle for all. */
    r = r ?: curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    if (!isempty(p->ca_file))
        r = r ?: curl_easy_setopt(easy, CURLOPT_CAINFO, p->ca_file);
    if (!isempty(p->client_cert))
        r = r ?: curl_easy_setopt(easy, CURLOPT_SSLCERT, p->client_cert);
    if (!isempty(p->client_key))
        r = r ?: curl_easy_setopt(easy, CURLOPT_SSLKEY, p->client_key);
    return r;
}

static CURLcode set_auth(CURL *easy, const HttpPolicy *p) {
    CURLcode r;

    if (p->auth == HTTP_AUTH_NONE || isempty(p->secret))
        return CURLE_OK;
    if (p->auth == HTTP_AUTH_BEARER) {
        r = curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
        return r ?: curl_easy_setopt(easy, CURLOPT_XOAUTH2_BEARER, p->secret);
    }
    r = curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    return r ?: curl_easy_setopt(easy, CURLOPT_USERPWD, p->secret);
}

int http_policy_apply(CURL *easy, const HttpPolicy *policy) {
    CURLcode r = set_limits(easy);

    r = r ?: set_tls(easy, policy);
    r = r ?: set_auth(easy, policy);
    if (loopback_is_url(policy->url))
        r = r ?: curl_easy_setopt(easy, CURLOPT_PROXY, "");
    return r == CURLE_OK ? 0 : -ENOMEM;
}

int http_policy_set_method(CURL *easy, const char *method, const void *body, size_t body_size) {
    bool sends = body || streq(method, "POST") || streq(method, "PUT") || streq(method, "PATCH");
    CURLcode r = CURLE_OK;

    if (streq(method, "HEAD"))
        return curl_easy_setopt(easy, CURLOPT_NOBODY, 1L) == CURLE_OK ? 0 : -ENOMEM;
    if (sends) {
        r = curl_easy_setopt(easy, CURLOPT_POST, 1L);
        r = r ?: curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body_size);
        r = r ?: curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body ?: "");
    }
    if (!streq(method, sends ? "POST" : "GET"))
        r = r ?: curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
    return r == CURLE_OK ? 0 : -ENOMEM;
}

/* ---- what may go into a request ---- */

static bool is_token_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

static size_t token_size(const char *s) {
    size_t n = 0;
    while (is_token_char(s[n]))
        n++;
    return n;
}

bool http_method_is_valid(const char *method) {
    size_t n = token_size(method);
    return n > 0 && n <= METHOD_MAX && method[n] == '\0';
}

static bool has_control(const char *s) {
    for (; *s; s++)
        if (((unsigned char)*s < ' ' && *s != '\t') || *s == 0x7f)
            return true;
    return false;
}

bool http_header_is_valid(const char *line) {
    size_t n = token_size(line);
    return n > 0 && line[n] == ':' && strlen(line) <= HTTP_HEADER_MAX && !has_control(line);
}

bool http_header_is(const char *line, const char *name) {
    size_t n = strlen(name);
    return strncasecmp(line, name, n) == 0 && line[n] == ':';
}

bool http_secret_is_valid(HttpAuthType auth, const char *secret) {
    if (isempty(secret) || has_control(secret) || strlen(secret) > HTTP_HEADER_MAX)
        return false;
    return auth != HTTP_AUTH_BASIC || strchr(secret, ':');
}
