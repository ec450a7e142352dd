/* Redirects: how far they are followed, with which method, and that no secret goes elsewhere. */

#include <errno.h>
#include <stdio.h>

#include "tests/unit/http-rig.h"
#include "tests/unit/unit.h"

static HttpRig rig;
static RigCall call;

static void setup(void) {
    http_rig_setup(&rig);
    call = (RigCall){};
}

static void teardown(void) {
    http_rig_teardown(&rig);
}

/* The path of a redirect to an url of another origin: the same server on [::1]. */
static const char *elsewhere(unsigned status, const char *path) {
    static char text[512];
    snprintf(text, sizeof(text), "/to/%u/http://[::1]:%u%s", status, rig.other, path);
    return text;
}

/* ---- how far ---- */

START_TEST(test_follow) {
    http_rig_get(&rig, &call, "/to/302/ok", NULL);
    ck_assert_int_eq(call.error, 0);
    ck_assert_uint_eq(call.status, 200);
    ck_assert_str_eq(call.body, "hello");
    ck_assert_str_eq(call.url, http_rig_url(&rig, "/ok"));
    ck_assert_uint_eq(rig.connections, 1);
}
END_TEST

START_TEST(test_keep) {
    HttpRequest r = {.keep_redirect = true};

    http_rig_get(&rig, &call, "/to/303/ok", &r);
    ck_assert_uint_eq(call.status, 303);
    ck_assert_str_eq(call.body, "moved");
}
END_TEST

START_TEST(test_loop) {
    http_rig_get(&rig, &call, "/loop/0", NULL);
    ck_assert_int_eq(call.error, -ELOOP);
    ck_assert_uint_eq(rig.requests, HTTP_REDIRECTS_MAX + 1);
    MUST(strstr(call.text, "more than 5 redirects"));
}
END_TEST

static const struct {
    const char *to;
    int error;
} places[] = {
    {"ftp://127.0.0.1/", -EPROTO},          {"file:///etc/passwd", -EPROTO},
    {"gopher://127.0.0.1:1/x", -EPROTO},    {"http://user:password@127.0.0.1:1/", -EPROTO},
    {"http://127.0.0.1:1/", -ECONNREFUSED}, {"https://127.0.0.1:1/", -ECONNREFUSED},
};

START_TEST(test_place) {
    char path[256];

    snprintf(path, sizeof(path), "/to/301/%s", places[_i].to);
    http_rig_get(&rig, &call, path, NULL);
    ck_assert_int_eq(call.error, places[_i].error);
}
END_TEST

/* Together they take no longer than one. */
START_TEST(test_timeout) {
    HttpRequest r = {.timeout_usec = 200 * USEC_PER_MSEC};

    http_rig_get(&rig, &call, "/to/302/hang", &r);
    ck_assert_int_eq(call.error, -ETIMEDOUT);
    MUST(strstr(call.text, "within 200ms"));
}
END_TEST

/* ---- methods ---- */

static const struct {
    unsigned status;
    const char *method, *becomes;
} methods[] = {
    {301, "GET", "GET"},    {302, "GET", "GET"},   {303, "GET", "GET"},  {307, "GET", "GET"},
    {308, "GET", "GET"},    {301, "POST", "GET"},  {302, "POST", "GET"}, {303, "POST", "GET"},
    {307, "POST", "POST"},  {308, "POST", "POST"}, {301, "PUT", "PUT"},  {302, "DELETE", "DELETE"},
    {303, "DELETE", "GET"}, {303, "PUT", "GET"},   {307, "PUT", "PUT"},
};

START_TEST(test_method) {
    HttpRequest r = {.method = methods[_i].method};
    char path[64], expected[64];
    bool has_body = !streq(r.method, "GET") && !streq(r.method, "DELETE");

    if (has_body) {
        r.body = "body";
        r.body_size = 4;
    }
    snprintf(path, sizeof(path), "/to/%u/echo", methods[_i].status);
    http_rig_get(&rig, &call, path, &r);
    snprintf(expected, sizeof(expected), "%s /echo ", methods[_i].becomes);
    ck_assert_msg(strncmp(call.body, expected, strlen(expected)) == 0, "%s", call.body);
    bool keeps = has_body && streq(methods[_i].method, methods[_i].becomes);
    ck_assert(keeps == !!strstr(call.body, "\r\n\r\nbody"));
}
END_TEST

/* ---- secrets ---- */

static const char *const headers[] = {"X-Api-Key: hidden", "Cookie: hidden", "Accept: text/plain",
                                      NULL};

static const HttpRequest with_secret[] = {
    {.auth = HTTP_AUTH_BEARER, .secret = "hidden", .headers = headers},
    {.auth = HTTP_AUTH_BASIC, .secret = "name:hidden", .headers = headers},
};

#define BASIC_HIDDEN "Basic bmFtZTpoaWRkZW4=" /* name:hidden */

START_TEST(test_secret_is_sent) {
    http_rig_get(&rig, &call, "/to/302/echo", &with_secret[_i]);
    MUST(strstr(call.body, _i == 0 ? "\r\nAuthorization: Bearer hidden\r\n"
                                   : "\r\nAuthorization: " BASIC_HIDDEN "\r\n"));
    MUST(strstr(call.body, "X-Api-Key: hidden"));
}
END_TEST

START_TEST(test_secret_stays) {
    if (rig.other == 0)
        return;
    http_rig_get(&rig, &call, elsewhere(307, "/echo"), &with_secret[_i]);
    ck_assert_int_eq(call.error, 0);
    MUST(strncmp(call.body, "GET /echo", 9) == 0);
    MUST(strstr(call.body, "Accept: text/plain"));
    MUST(!strstr(call.body, "hidden") && !strstr(call.body, "Authorization"));
}
END_TEST

/* There and back: who sent it back is not whom we trust. */
START_TEST(test_secret_stays_on_the_way_back) {
    char path[256];

    if (rig.other == 0)
        return;
    snprintf(path, sizeof(path), "/to/302/http://127.0.0.1:%u/echo", rig.port);
    http_rig_get(&rig, &call, elsewhere(302, path), &with_secret[_i]);
    MUST(strncmp(call.body, "GET /echo", 9) == 0);
    MUST(!strstr(call.body, "hidden") && !strstr(call.body, "Authorization"));
}
END_TEST

START_TEST(test_secret_is_in_no_error) {
    static const char *const paths[] = {"/garbage", "/reset", "/close", "/size/1000", "/headers"};

    for (size_t i = 0; i < ELEMENTSOF(paths); i++) {
        HttpRequest r = with_secret[_i];
        r.response_max = 10;
        http_rig_get(&rig, &call, paths[i], &r);
        MUST(call.error < 0);
        MUST(!strstr(call.text, "hidden") && !strstr(call.text, "bmFt"));
    }
}
END_TEST

/* ---- another secret ---- */

static unsigned asked;
static const char *answer;

static const char *renew(void *userdata, const char *url) {
    ck_assert_ptr_eq(userdata, &asked);
    asked++;
    return answer;
}

static const struct {
    const char *path, *answer;
    unsigned asked, status;
} renewals[] = {
    {"/secret/old", "new", 0, 200},       {"/secret/new", "new", 1, 200},
    {"/secret/new", NULL, 1, 401},        {"/secret/other", "new", 1, 401},
    {"/secret/new", "n\newline", 1, 401}, {"/to/302/secret/new", "new", 1, 200},
    {"/status/403", "new", 0, 403},
};

START_TEST(test_renew) {
    HttpRequest r = {
        .auth = HTTP_AUTH_BEARER, .secret = "old", .renew_secret = renew, .renew_userdata = &asked};

    asked = 0;
    answer = renewals[_i].answer;
    http_rig_get(&rig, &call, renewals[_i].path, &r);
    ck_assert_int_eq(call.error, 0);
    ck_assert_uint_eq(call.status, renewals[_i].status);
    ck_assert_uint_eq(asked, renewals[_i].asked);
}
END_TEST

START_TEST(test_renew_not_elsewhere) {
    HttpRequest r = {
        .auth = HTTP_AUTH_BEARER, .secret = "old", .renew_secret = renew, .renew_userdata = &asked};

    if (rig.other == 0)
        return;
    asked = 0;
    answer = "new";
    http_rig_get(&rig, &call, elsewhere(302, "/secret/new"), &r);
    ck_assert_uint_eq(call.status, 401);
    ck_assert_uint_eq(asked, 0);
}
END_TEST

int main(void) {
    Suite *s = suite_create("http-redirect");
    TCase *t = tcase_create("http-redirect");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_follow);
    tcase_add_test(t, test_keep);
    tcase_add_test(t, test_loop);
    tcase_add_loop_test(t, test_place, 0, ELEMENTSOF(places));
    tcase_add_test(t, test_timeout);
    tcase_add_loop_test(t, test_method, 0, ELEMENTSOF(methods));
    tcase_add_loop_test(t, test_secret_is_sent, 0, ELEMENTSOF(with_secret));
    tcase_add_loop_test(t, test_secret_stays, 0, ELEMENTSOF(with_secret));
    tcase_add_loop_test(t, test_secret_stays_on_the_way_back, 0, ELEMENTSOF(with_secret));
    tcase_add_loop_test(t, test_secret_is_in_no_error, 0, ELEMENTSOF(with_secret));
    tcase_add_loop_test(t, test_renew, 0, ELEMENTSOF(renewals));
    tcase_add_test(t, test_renew_not_elsewhere);
    suite_add_tcase(s, t);
    return unit_run(s);
}
