/* Requests on the event loop: what is answered, what fails and how that is told, what is dropped,
 * and that nothing is left behind. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "common/clock.h"
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

static void get(const char *path, const HttpRequest *request) {
    http_rig_get(&rig, &call, path, request);
    ck_assert_uint_eq(http_loop_calls(rig.loop), 0);
}

/* ---- answers ---- */

START_TEST(test_answer) {
    get("/ok", NULL);
    ck_assert_int_eq(call.error, 0);
    ck_assert_uint_eq(call.status, 200);
    ck_assert_str_eq(call.body, "hello");
    ck_assert_str_eq(call.text, "");
    ck_assert_str_eq(call.type, "text/plain");
    ck_assert_str_eq(call.url, http_rig_url(&rig, "/ok"));
    MUST(call.latency_usec > 0 && call.latency_usec < 10 * USEC_PER_SEC);
}
END_TEST

START_TEST(test_status_is_an_answer) {
    get("/status/503", NULL);
    ck_assert_int_eq(call.error, 0);
    ck_assert_uint_eq(call.status, 503);
    ck_assert_str_eq(call.body, "{\"error\": \"because\"}");
}
END_TEST

static const struct {
    const char *method, *body;
    const char *has[4], *has_not[4];
} requests[] = {
    {"GET", NULL, {"GET /echo HTTP/1.1\r\n", "\r\nX-A: b\r\n"}, {"Content-", "Authorization"}},
    {"POST", "{}", {"POST /echo ", "\r\nContent-Length: 2\r\n", "\r\n\r\n{}"}, {"Content-Type"}},
    {"POST", NULL, {"POST /echo ", "\r\nContent-Length: 0\r\n"}, {"Expect"}},
    {"PUT", "x", {"PUT /echo ", "\r\nContent-Length: 1\r\n", "\r\n\r\nx"}, {"Expect"}},
    {"PUT", NULL, {"PUT /echo ", "\r\nContent-Length: 0\r\n"}, {NULL}},
    {"PATCH", "x", {"PATCH /echo ", "\r\n\r\nx"}, {NULL}},
    {"DELETE", NULL, {"DELETE /echo "}, {"Content-Length"}},
    {"DELETE", "x", {"DELETE /echo ", "\r\n\r\nx"}, {NULL}},
    {"PURGE", NULL, {"PURGE /echo ", "\r\nUser-Agent: longrun/"}, {NULL}},
};

START_TEST(test_request) {
    const char *const headers[] = {"X-A: b", NULL};
    HttpRequest r = {.method = requests[_i].method, .headers = headers, .body = requests[_i].body};

    r.body_size = r.body ? strlen(r.body) : 0;
    get("/echo", &r);
    ck_assert_int_eq(call.error, 0);
    for (const char *const *s = requests[_i].has; *s; s++)
        ck_assert_msg(strstr(call.body, *s), "%s lacks %s", call.body, *s);
    for (const char *const *s = requests[_i].has_not; *s; s++)
        ck_assert_msg(!strstr(call.body, *s), "%s has %s", call.body, *s);
}
END_TEST

START_TEST(test_head) {
    HttpRequest r = {.method = "HEAD", .response_max = 10};

    get("/announce", &r);
    ck_assert_int_eq(call.error, 0);
    ck_assert_uint_eq(call.status, 200);
    ck_assert_uint_eq(call.body_size, 0);
}
END_TEST

START_TEST(test_large_body) {
    HttpRequest r = {.method = "POST", .body_size = 20000};
    char *body = malloc(r.body_size + 1);

    memset(body, 'y', r.body_size);
    body[r.body_size] = '\0';
    r.body = body;
    http_rig_start(&rig, &call, "/echo", &r);
    free(body); /* it was copied */
    http_rig_wait(&rig, &call);
    ck_assert_int_eq(call.error, 0);
    MUST(call.body_size > r.body_size);
    MUST(strstr(call.body, "\r\n\r\nyyyy"));
}
END_TEST

START_TEST(test_connections_are_kept) {
    for (unsigned i = 0; i < 20; i++)
        get(i % 2 == 0 ? "/ok" : "/chunks/3000", NULL);
    ck_assert_uint_eq(rig.requests, 20);
    ck_assert_uint_eq(rig.connections, 1);
    get("/keep-alive-off", NULL);
    get("/ok", NULL);
    ck_assert_uint_eq(rig.connections, 2);
}
END_TEST

/* The server closes what it was kept for long enough: it is no error of the next request. */
static bool none_open(HttpRig *r) {
    return r->open == 0;
}

START_TEST(test_kept_connection_is_closed) {
    get("/ok", NULL);
    http_rig_close(&rig);
    MUST(none_open(&rig));
    get("/ok", NULL);
    ck_assert_int_eq(call.error, 0);
    ck_assert_uint_eq(rig.connections, 2);
}
END_TEST

START_TEST(test_idle_connections_go) {
    http_loop_set_idle(rig.loop, 200 * USEC_PER_MSEC);
    get("/ok", NULL);
    get("/ok", NULL);
    ck_assert_uint_eq(rig.connections, 1);
    http_rig_until(&rig, none_open);
    get("/ok", NULL);
    ck_assert_int_eq(call.error, 0);
    ck_assert_uint_eq(rig.connections, 2);
    /* Not while a call is under way. */
    http_loop_set_idle(rig.loop, 1);
    get("/chunks/3000000", NULL);
    ck_assert_int_eq(call.error, 0);
}
END_TEST

/* ---- caps ---- */

static const struct {
    const char *path;
    uint64_t max;
    int error;
} sizes[] = {
    {"/size/1000", 1000, 0},          {"/size/1001", 1000, -EMSGSIZE},
    {"/chunks/100000", 100000, 0},    {"/chunks/100001", 100000, -EMSGSIZE},
    {"/endless", 1000000, -EMSGSIZE}, {"/announce", 0, -EMSGSIZE},
    {"/gzip", 0, -EMSGSIZE},          {"/gzip", 20971519, -EMSGSIZE},
    {"/gzip", 20971520, 0},           {"/size/8388608", 0, 0},
    {"/size/8388609", 0, -EMSGSIZE},  {"/size/0", 1, 0},
};

START_TEST(test_size) {
    HttpRequest r = {.response_max = sizes[_i].max};

    get(sizes[_i].path, &r);
    ck_assert_int_eq(call.error, sizes[_i].error);
    if (call.error < 0) {
        ck_assert_uint_eq(call.body_size, 0);
        ck_assert_uint_eq(call.status, 0);
        ck_assert_msg(strstr(call.text, "is larger than"), "%s", call.text);
    }
}
END_TEST

START_TEST(test_endless_headers) {
    get("/headers", NULL);
    MUST(call.error < 0);
}
END_TEST

static RigCall many[HTTP_CALLS_MAX];

START_TEST(test_calls_max) {
    HttpRequest r = {.method = "GET", .url = http_rig_url(&rig, "/hang")};
    HttpCall *one_more;

    for (size_t i = 0; i < HTTP_CALLS_MAX; i++)
        http_rig_start(&rig, &many[i], r.url, NULL);
    ck_assert_uint_eq(http_loop_calls(rig.loop), HTTP_CALLS_MAX);
    ck_assert_int_eq(http_call_start(rig.loop, &r, NULL, NULL, &one_more), -ENOBUFS);
    http_call_free(many[7].call);
    ck_assert_uint_eq(http_loop_calls(rig.loop), HTTP_CALLS_MAX - 1);
    http_rig_start(&rig, &many[7], r.url, NULL);
}
END_TEST

static const HttpRequest bad_requests[] = {
    {.method = "", .url = "http://h/"},
    {.method = "GET", .url = ""},
    {.method = "GE T", .url = "http://h/"},
    {.method = "GET\r\nX: y", .url = "http://h/"},
    {.method = "GET", .url = "http://h/", .headers = (const char *const[]){"a: b\r\nc: d", NULL}},
    {.method = "GET", .url = "http://h/", .headers = (const char *const[]){"a b: c", NULL}},
    {.method = "GET", .url = "http://h/", .headers = (const char *const[]){"no colon", NULL}},
    {.method = "GET", .url = "http://h/", .auth = HTTP_AUTH_BEARER},
    {.method = "GET", .url = "http://h/", .auth = HTTP_AUTH_BEARER, .secret = "a\nb"},
    {.method = "GET", .url = "http://h/", .auth = HTTP_AUTH_BASIC, .secret = "nocolon"},
};

START_TEST(test_no_request) {
    HttpCall *c = NULL;

    ck_assert_int_eq(http_call_start(rig.loop, &bad_requests[_i], NULL, NULL, &c), -EINVAL);
    ck_assert_ptr_null(c);
    ck_assert_uint_eq(http_loop_calls(rig.loop), 0);
}
END_TEST

/* ---- failures ---- */

static const struct {
    const char *path;
    int error;
    const char *text; /* a part of it */
} failures[] = {
    {"/reset", -ECONNRESET, "broke"},
    {"/cut", -ECONNRESET, "in the midst of the answer"},
    {"/close", -ECONNRESET, "without an answer"},
    {"/garbage", -EPROTO, "no HTTP from 127.0.0.1:"},
    {"http://127.0.0.1:1/", -ECONNREFUSED, "connection refused by 127.0.0.1:1"},
    {"http://nobody.invalid/", -ENOENT, "there is no host with the name of nobody.invalid:80"},
    {"ftp://127.0.0.1/x", -EINVAL, "http"},
    {"file:///etc/passwd", -EINVAL, "http"},
    {"http://user:secret@127.0.0.1/", -EINVAL, "user"},
    {"http://127.0.0.1:99999/", -EINVAL, "url"},
    {"http://a b/", -EINVAL, "url"},
    {"nonsense://", -EINVAL, "url"},
};

START_TEST(test_failure) {
    get(failures[_i].path, NULL);
    ck_assert_int_eq(call.error, failures[_i].error);
    ck_assert_msg(strstr(call.text, failures[_i].text), "%s", call.text);
    ck_assert_uint_eq(call.status, 0);
    ck_assert_str_eq(call.body, "");
    ck_assert_str_eq(call.type, "");
}
END_TEST

#define TIMEOUT (300 * USEC_PER_MSEC)

static const struct {
    const char *path;
    HttpRequest request;
    const char *text;
} timeouts[] = {
    {"/hang", {.timeout_usec = TIMEOUT}, "no answer from 127.0.0.1:%u within 300ms"},
    {"/hang-body", {.timeout_usec = TIMEOUT}, "no complete answer from 127.0.0.1:%u within 300ms"},
    {"/trickle", {.timeout_usec = TIMEOUT}, "no complete answer from 127.0.0.1:%u within 300ms"},
    {"/hang", {.stall_timeout_usec = TIMEOUT}, "nothing more from 127.0.0.1:%u for 300ms"},
    {"/hang-body", {.stall_timeout_usec = TIMEOUT}, "nothing more from 127.0.0.1:%u for 300ms"},
};

START_TEST(test_timeout) {
    uint64_t begin = clock_usec(CLOCK_MONOTONIC), passed;
    char expected[128];

    get(timeouts[_i].path, &timeouts[_i].request);
    passed = clock_usec(CLOCK_MONOTONIC) - begin;
    ck_assert_int_eq(call.error, -ETIMEDOUT);
    snprintf(expected, sizeof(expected), timeouts[_i].text, rig.port);
    ck_assert_str_eq(call.text, expected);
    MUST(passed >= TIMEOUT && passed < TIMEOUT + 5 * USEC_PER_SEC);
}
END_TEST

/* What moves does not stall, however slowly. */
START_TEST(test_no_stall) {
    HttpRequest r = {.stall_timeout_usec = TIMEOUT, .timeout_usec = 4 * TIMEOUT};

    get("/trickle", &r);
    ck_assert_int_eq(call.error, -ETIMEDOUT);
    MUST(strstr(call.text, "within"));
}
END_TEST

/* ---- who starts and drops what, and when ---- */

static RigCall second;

static void start_second(RigCall *c) {
    http_rig_start(&rig, &second, "/ok", NULL);
}

START_TEST(test_start_from_func) {
    call.hook = start_second;
    http_rig_get(&rig, &call, "/ok", NULL);
    http_rig_wait(&rig, &second);
    ck_assert_str_eq(second.body, "hello");
}
END_TEST

static void drop_second(RigCall *c) {
    second.call = http_call_free(second.call);
}

START_TEST(test_drop_from_func) {
    call.hook = drop_second;
    http_rig_start(&rig, &call, "/ok", NULL);
    http_rig_start(&rig, &second, "/hang", NULL);
    http_rig_wait(&rig, &call);
    ck_assert_uint_eq(http_loop_calls(rig.loop), 0);
    ck_assert_uint_eq(second.told, 0);
}
END_TEST

static HttpCall *itself;

static void drop_itself(RigCall *c) {
    ck_assert_ptr_null(http_call_free(itself));
}

START_TEST(test_drop_itself_from_func) {
    call.hook = drop_itself;
    http_rig_start(&rig, &call, "/ok", NULL);
    itself = call.call;
    http_rig_wait(&rig, &call);
    ck_assert_uint_eq(http_loop_calls(rig.loop), 0);
}
END_TEST

/* After so many turns of the loop: it is queued, connects, has sent, has an answer, ... */
START_TEST(test_drop_in_each_phase) {
    static const char *const paths[] = {"/ok", "/to/302/ok", "/endless", "http://localhost:1/"};

    for (size_t i = 0; i < ELEMENTSOF(paths); i++)
        for (int turns = 0; turns < 12; turns++) {
            http_rig_start(&rig, &call, paths[i], NULL);
            for (int t = 0; t < turns && call.told == 0; t++)
                http_rig_turn(&rig);
            if (call.told == 0)
                http_call_free(call.call);
            ck_assert_uint_eq(http_loop_calls(rig.loop), 0);
        }
    get("/ok", NULL);
    ck_assert_int_eq(call.error, 0);
}
END_TEST

START_TEST(test_loop_goes_with_calls) {
    static const char *const paths[] = {
        "/ok", "/hang", "/endless", "http://127.0.0.1:1/", "http://localhost:1/", "ftp://x"};

    for (int turns = 0; turns < 12; turns++) {
        RigCall calls[ELEMENTSOF(paths)] = {};
        HttpRig r;
        http_rig_setup(&r);
        for (size_t i = 0; i < ELEMENTSOF(paths); i++)
            http_rig_start(&r, &calls[i], paths[i], NULL);
        for (int t = 0; t < turns; t++)
            http_rig_turn(&r);
        http_rig_teardown(&r);
    }
}
END_TEST

START_TEST(test_free_null) {
    ck_assert_ptr_null(http_call_free(NULL));
    ck_assert_ptr_null(http_loop_free(NULL));
}
END_TEST

/* ---- nothing is left ---- */

static unsigned descriptors(void) {
    DIR *d = opendir("/proc/self/fd");
    unsigned n = 0;

    MUST(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

START_TEST(test_descriptors) {
    static const char *const paths[] = {"/ok",  "/reset", "/close",          "/endless", "/garbage",
                                        "/cut", "/hang",  "http://[::1]:1/", "/gzip"};
    unsigned before;

    http_rig_teardown(&rig);
    before = descriptors();
    http_rig_setup(&rig);
    for (size_t i = 0; i < 3 * ELEMENTSOF(paths); i++) {
        HttpRequest r = {.timeout_usec = 20 * USEC_PER_MSEC};
        http_rig_get(&rig, &call, paths[i % ELEMENTSOF(paths)], &r);
    }
    http_rig_teardown(&rig);
    ck_assert_uint_eq(descriptors(), before);
    http_rig_setup(&rig);
}
END_TEST

/* What programs of the daemon get with them on their way. */
START_TEST(test_descriptors_are_not_inherited) {
    char path[64];

    http_rig_get(&rig, &call, "/ok", NULL);
    for (int fd = 3; fd < 64; fd++) {
        int flags = fcntl(fd, F_GETFD);
        if (flags < 0 || (flags & FD_CLOEXEC))
            continue;
        char target[128] = "";
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        MUST(readlink(path, target, sizeof(target) - 1) > 0);
        ck_assert_msg(strncmp(target, "socket:", 7) != 0, "%d: %s", fd, target);
    }
}
END_TEST

int main(void) {
    Suite *s = suite_create("http-loop");
    TCase *t = tcase_create("http-loop");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_answer);
    tcase_add_test(t, test_status_is_an_answer);
    tcase_add_loop_test(t, test_request, 0, ELEMENTSOF(requests));
    tcase_add_test(t, test_head);
    tcase_add_test(t, test_large_body);
    tcase_add_test(t, test_connections_are_kept);
    tcase_add_test(t, test_kept_connection_is_closed);
    tcase_add_test(t, test_idle_connections_go);
    tcase_add_loop_test(t, test_size, 0, ELEMENTSOF(sizes));
    tcase_add_test(t, test_endless_headers);
    tcase_add_test(t, test_calls_max);
    tcase_add_loop_test(t, test_no_request, 0, ELEMENTSOF(bad_requests));
    tcase_add_loop_test(t, test_failure, 0, ELEMENTSOF(failures));
    tcase_add_loop_test(t, test_timeout, 0, ELEMENTSOF(timeouts));
    tcase_add_test(t, test_no_stall);
    tcase_add_test(t, test_start_from_func);
    tcase_add_test(t, test_drop_from_func);
    tcase_add_test(t, test_drop_itself_from_func);
    tcase_add_test(t, test_drop_in_each_phase);
    tcase_add_test(t, test_loop_goes_with_calls);
    tcase_add_test(t, test_free_null);
    tcase_add_test(t, test_descriptors);
    tcase_add_test(t, test_descriptors_are_not_inherited);
    suite_add_tcase(s, t);
    return unit_run(s);
}
