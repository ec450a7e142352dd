/* What an url is joined from, whose origin it has, and what may go into a request. */

#include <stdio.h>

#include "common/cleanup.h"
#include "daemon/http/http-policy.h"
#include "daemon/http/http-url.h"
#include "tests/unit/unit.h"

static const struct {
    const char *base, *reference, *expected; /* NULL: none */
} joins[] = {
    {"http://h/a/b?q=1", "c", "http://h/a/c"},
    {"http://h/a/b", "/c?d=e", "http://h/c?d=e"},
    {"http://h/a/b", "../c", "http://h/c"},
    {"http://h/a/b", "../../../c", "http://h/c"},
    {"http://h/a/b", "?x=y", "http://h/a/b?x=y"},
    {"https://h:8443/a", "//other/b", "https://other/b"},
    {"http://h/a", "https://other:1/b#part", "https://other:1/b"},
    {"http://h/a", "a b", "http://h/a%20b"},
    {"http://h/a", "HTTP://H/x", "http://H/x"},
    {"http://h/a", "ftp://h/", NULL},
    {"http://h/a", "file:///etc/passwd", NULL},
    {"http://h/a", "javascript:alert(1)", NULL},
    {"http://h/a", "http://u:p@h/", NULL},
    {"http://h/a", "http://u@h/", NULL},
    {"http://h/a", "http://h:99999/", NULL},
    {"http://h/a", "/x\r\nHost: y", NULL},
    {"no url", "/x", NULL},
    {"ftp://h/", "/x", NULL},
};

static void expect(char *got, const char *expected) {
    _cleanup_free_ char *text = got;

    if (!expected)
        ck_assert_msg(!text, "%s", text);
    else
        ck_assert_str_eq(text, expected);
}

START_TEST(test_join) {
    expect(http_url_join(joins[_i].base, joins[_i].reference), joins[_i].expected);
}
END_TEST

static const struct {
    const char *base, *path, *expected;
} belows[] = {
    {"http://h", "/api/friends?limit=3", "http://h/api/friends?limit=3"},
    {"http://h/", "/x", "http://h/x"},
    {"http://h:8080/base", "/x", "http://h:8080/base/x"},
    {"http://h/base/", "x", "http://h/base/x"},
    {"http://h/base", "", "http://h/base"},
    {"http://h", "", "http://h/"},
    {"http://h/base", "?a=b", "http://h/base?a=b"},
    {"http://h", "//evil/x", "http://h//evil/x"},
    {"http://h", "@evil/x", "http://h/@evil/x"},
    {"http://h", ".evil/x", "http://h/.evil/x"},
    {"http://h", ":99/x", "http://h/:99/x"},
    {"http://h", "/x#part", "http://h/x"},
    {"http://h", "https://other/x", "https://other/x"},
    {"http://h", "http://u:p@h/x", NULL},
    {"http://h", "/a b", NULL},
    {"http://h", "/a\nb", NULL},
};

START_TEST(test_below) {
    expect(http_url_below(belows[_i].base, belows[_i].path), belows[_i].expected);
}
END_TEST

static const struct {
    const char *a, *b;
    bool same;
} origins[] = {
    {"http://h/", "http://h/x?y", true},    {"http://h/", "http://H:80/", true},
    {"https://h/", "https://h:443/", true}, {"http://[::1]:8080/", "http://[::1]:8080/x", true},
    {"http://h/", "https://h/", false},     {"http://h:80/", "https://h:80/", false},
    {"http://h/", "http://h:81/", false},   {"http://h/", "http://h.evil/", false},
    {"http://h/", "http://evil/h", false},  {"http://h/", "http://h@evil/", false},
    {"http://h/", "nonsense", false},       {"", "", false},
};

START_TEST(test_same_origin) {
    ck_assert(http_url_same_origin(origins[_i].a, origins[_i].b) == origins[_i].same);
    ck_assert(http_url_same_origin(origins[_i].b, origins[_i].a) == origins[_i].same);
}
END_TEST

static const struct {
    const char *url, *name;
    unsigned port;
} names[] = {
    {"http://host.example/x", "host.example", 80},
    {"https://host", "host", 443},
    {"http://a-b_c:8080?x", "a-b_c", 8080},
    {"http://127.0.0.1/", NULL, 0},
    {"http://127.1:80/", NULL, 0},
    {"http://[::1]/", NULL, 0},
    {"http://host./", NULL, 0},
    {"http://localhost:80/", NULL, 0},
    {"https://a.LOCALHOST", NULL, 0},
    {"http://notlocalhost", "notlocalhost", 80},
    {"http://u@host/", NULL, 0},
    {"http://h%6fst/", NULL, 0},
    {"http://h\xc3\xb6st/", NULL, 0},
    {"http://host:0/", NULL, 0},
    {"http://host:99999/", NULL, 0},
    {"http://host:8x/", NULL, 0},
    {"http:///x", NULL, 0},
    {"ftp://host/", NULL, 0},
    {"host", NULL, 0},
};

START_TEST(test_name) {
    char name[HTTP_URL_HOST_MAX];
    unsigned port;

    bool is = http_url_name(names[_i].url, name, &port);
    ck_assert(is == !!names[_i].name);
    if (is) {
        ck_assert_str_eq(name, names[_i].name);
        ck_assert_uint_eq(port, names[_i].port);
    }
}
END_TEST

START_TEST(test_host) {
    char buf[HTTP_URL_HOST_MAX];

    ck_assert_str_eq(http_url_host("https://host/x", buf), "host:443");
    ck_assert_str_eq(http_url_host("http://[::1]:8080/x", buf), "[::1]:8080");
    ck_assert_str_eq(http_url_host("nonsense://", buf), "");
}
END_TEST

/* ---- what may go into a request ---- */

static const struct {
    const char *line;
    bool valid;
} headers[] = {
    {"Accept: text/plain", true},
    {"X-A:", true},
    {"X-A: b\tc", true},
    {"X-A: \xc3\xb6", true},
    {"", false},
    {":x", false},
    {"X A: b", false},
    {"X-A", false},
    {"X-A : b", false},
    {"X-A: b\r\nC: d", false},
    {"X-A: b\nC: d", false},
    {"X-A: \x01", false},
    {"X-A: \x7f", false},
    {"X\xc3\xb6: b", false},
};

START_TEST(test_header) {
    ck_assert(http_header_is_valid(headers[_i].line) == headers[_i].valid);
}
END_TEST

START_TEST(test_header_max) {
    char line[HTTP_HEADER_MAX + 2] = "A: ";

    memset(line + 3, 'x', HTTP_HEADER_MAX - 3);
    ck_assert(http_header_is_valid(line));
    line[HTTP_HEADER_MAX] = 'x';
    ck_assert(!http_header_is_valid(line));
}
END_TEST

START_TEST(test_header_is) {
    ck_assert(http_header_is("accept: x", "Accept"));
    ck_assert(!http_header_is("Accept-Language: x", "Accept"));
}
END_TEST

static const struct {
    const char *method;
    bool valid;
} methods[] = {
    {"GET", true},   {"M-SEARCH", true}, {"", false},
    {"GET ", false}, {"G\nT", false},    {"0123456789012345678901234567890123", false},
};

START_TEST(test_method) {
    ck_assert(http_method_is_valid(methods[_i].method) == methods[_i].valid);
}
END_TEST

static const struct {
    HttpAuthType auth;
    const char *secret;
    bool valid;
} secrets[] = {
    {HTTP_AUTH_BEARER, "abc", true},   {HTTP_AUTH_BASIC, "name:word", true},
    {HTTP_AUTH_BASIC, "name", false},  {HTTP_AUTH_BEARER, "", false},
    {HTTP_AUTH_BEARER, NULL, false},   {HTTP_AUTH_BEARER, "a\nb", false},
    {HTTP_AUTH_BEARER, "a\rb", false}, {HTTP_AUTH_BASIC, "a:\x01", false},
};

START_TEST(test_secret) {
    ck_assert(http_secret_is_valid(secrets[_i].auth, secrets[_i].secret) == secrets[_i].valid);
}
END_TEST

int main(void) {
    Suite *s = suite_create("http-url");
    TCase *t = tcase_create("http-url");

    tcase_add_loop_test(t, test_join, 0, ELEMENTSOF(joins));
    tcase_add_loop_test(t, test_below, 0, ELEMENTSOF(belows));
    tcase_add_loop_test(t, test_same_origin, 0, ELEMENTSOF(origins));
    tcase_add_loop_test(t, test_name, 0, ELEMENTSOF(names));
    tcase_add_test(t, test_host);
    tcase_add_loop_test(t, test_header, 0, ELEMENTSOF(headers));
    tcase_add_test(t, test_header_max);
    tcase_add_test(t, test_header_is);
    tcase_add_loop_test(t, test_method, 0, ELEMENTSOF(methods));
    tcase_add_loop_test(t, test_secret, 0, ELEMENTSOF(secrets));
    suite_add_tcase(s, t);
    return unit_run(s);
}
