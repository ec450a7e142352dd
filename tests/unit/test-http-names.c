/* Names of hosts: nobody waits for one that is not resolved, neither other calls nor the end. The
 * getaddrinfo(3) here is of this program: names that begin with "hang" have no answer until the
 * gate is opened. */

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>

#include "common/clock.h"
#include "daemon/http/http-names.h"
#include "tests/unit/http-rig.h"
#include "tests/unit/unit.h"

static HttpRig rig;
static RigCall call;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool gate_open;
static unsigned asked, waiting;

/* In one piece, as freeaddrinfo(3) wants it. */
static struct addrinfo *address(void) {
    struct {
        struct addrinfo info;
        struct sockaddr_in in;
    } *a = calloc(1, sizeof(*a));

    MUST(a);
    a->in = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    a->info = (struct addrinfo){.ai_family = AF_INET,
                                .ai_socktype = SOCK_STREAM,
                                .ai_addrlen = sizeof(a->in),
                                .ai_addr = (struct sockaddr *)&a->in};
    return &a->info;
}

int getaddrinfo(const char *restrict node, const char *restrict service,
                const struct addrinfo *restrict hints, struct addrinfo **restrict ret) {
    pthread_mutex_lock(&lock);
    asked++;
    waiting++;
    pthread_cond_broadcast(&changed);
    while (strncmp(node, "hang", 4) == 0 && !gate_open)
        pthread_cond_wait(&changed, &lock);
    waiting--;
    pthread_mutex_unlock(&lock);
    if (strncmp(node, "nobody", 6) == 0)
        return EAI_NONAME;
    if (strncmp(node, "later", 5) == 0)
        return EAI_AGAIN;
    if (strncmp(node, "memory", 6) == 0)
        return EAI_MEMORY;
    *ret = address();
    return 0;
}

static void open_gate(void) {
    pthread_mutex_lock(&lock);
    gate_open = true;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

/* Until so many threads are in there. */
static void wait_for_threads(unsigned n) {
    pthread_mutex_lock(&lock);
    while (waiting < n)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

static unsigned asked_now(void) {
    pthread_mutex_lock(&lock);
    unsigned n = asked;
    pthread_mutex_unlock(&lock);
    return n;
}

static void setup(void) {
    http_rig_setup(&rig);
    call = (RigCall){};
}

/* Threads that hang end with the process. */
static void teardown(void) {
    http_rig_teardown(&rig);
}

static const char *url_of(const char *host) {
    static char urls[4][300];
    static unsigned next;
    char *url = urls[next++ % ELEMENTSOF(urls)];

    snprintf(url, sizeof(urls[0]), "http://%s:%u/ok", host, rig.port);
    return url;
}

START_TEST(test_name) {
    for (unsigned i = 0; i < 3; i++) {
        http_rig_get(&rig, &call, url_of("there.example"), NULL);
        ck_assert_int_eq(call.error, 0);
        ck_assert_str_eq(call.body, "hello");
    }
    ck_assert_uint_eq(asked_now(), 1);
    ck_assert_uint_eq(rig.connections, 1);
}
END_TEST

static const struct {
    const char *host;
    int error;
    const char *text;
} failures[] = {
    {"nobody.example", -ENOENT, "there is no host with the name of nobody.example:"},
    {"later.example", -EAGAIN, "cannot be resolved now"},
    {"memory.example", -ENOMEM, "cannot be resolved"},
};

START_TEST(test_failure) {
    http_rig_get(&rig, &call, url_of(failures[_i].host), NULL);
    ck_assert_int_eq(call.error, failures[_i].error);
    ck_assert_msg(strstr(call.text, failures[_i].text), "%s", call.text);
}
END_TEST

START_TEST(test_addresses_are_not_asked_for) {
    char path[64];

    http_rig_get(&rig, &call, "/ok", NULL);
    snprintf(path, sizeof(path), "http://[::1]:%u/ok", rig.other);
    if (rig.other > 0)
        http_rig_get(&rig, &call, path, NULL);
    ck_assert_int_eq(call.error, 0);
    ck_assert_uint_eq(asked_now(), 0);
}
END_TEST

START_TEST(test_hang) {
    HttpRequest r = {.timeout_usec = 300 * USEC_PER_MSEC};
    uint64_t begin = clock_usec(CLOCK_MONOTONIC);
    RigCall other = {};

    http_rig_start(&rig, &call, url_of("hang.example"), &r);
    http_rig_get(&rig, &other, "/ok", NULL);
    ck_assert_int_eq(other.error, 0);
    ck_assert_uint_eq(call.told, 0);
    http_rig_wait(&rig, &call);
    ck_assert_int_eq(call.error, -EAGAIN);
    MUST(strstr(call.text, "was not resolved within 300ms"));
    MUST(clock_usec(CLOCK_MONOTONIC) - begin < 5 * USEC_PER_SEC);
}
END_TEST

/* One thread, however many want to know. */
START_TEST(test_many_for_one) {
    static RigCall many[50];

    for (size_t i = 0; i < ELEMENTSOF(many); i++)
        http_rig_start(&rig, &many[i], url_of("hang.example"), NULL);
    http_rig_get(&rig, &call, "/ok", NULL);
    wait_for_threads(1);
    open_gate();
    for (size_t i = 0; i < ELEMENTSOF(many); i++) {
        http_rig_wait(&rig, &many[i]);
        ck_assert_int_eq(many[i].error, 0);
    }
    ck_assert_uint_eq(asked_now(), 1);
}
END_TEST

#define THREADS_MAX 64 /* of http-names.c */

START_TEST(test_threads_max) {
    static RigCall many[2 * THREADS_MAX];
    char name[64];

    for (size_t i = 0; i < ELEMENTSOF(many); i++) {
        snprintf(name, sizeof(name), "hang%zu.example", i);
        http_rig_start(&rig, &many[i], url_of(name), NULL);
    }
    http_rig_get(&rig, &call, "/ok", NULL);
    wait_for_threads(THREADS_MAX);
    ck_assert_uint_eq(asked_now(), THREADS_MAX);
    open_gate();
    for (size_t i = 0; i < ELEMENTSOF(many); i++) {
        http_rig_wait(&rig, &many[i]);
        ck_assert_int_eq(many[i].error, 0);
    }
    ck_assert_uint_eq(asked_now(), 2 * THREADS_MAX);
}
END_TEST

/* Neither a call nor the loop waits for the thread, and what it finds when all is gone is dropped.
 */
START_TEST(test_free_while_it_hangs) {
    uint64_t begin = clock_usec(CLOCK_MONOTONIC);
    RigCall other = {};
    HttpRig r;

    http_rig_setup(&r);
    http_rig_start(&r, &call, url_of("hang.example"), NULL);
    http_rig_start(&r, &other, url_of("hang.example"), NULL);
    while (asked_now() == 0)
        http_rig_turn(&r);
    http_call_free(call.call);
    ck_assert_uint_eq(http_loop_calls(r.loop), 1);
    http_rig_teardown(&r);
    MUST(clock_usec(CLOCK_MONOTONIC) - begin < 5 * USEC_PER_SEC);
    ck_assert_uint_eq(other.told, 0);
    wait_for_threads(1);
    open_gate();
    http_rig_get(&rig, &call, url_of("there.example"), NULL);
    ck_assert_int_eq(call.error, 0);
}
END_TEST

/* With a proxy libcurl resolves its name; and that is not waited for either. */
START_TEST(test_free_while_the_proxy_hangs) {
    uint64_t begin = clock_usec(CLOCK_MONOTONIC);
    HttpRig r;

    setenv("http_proxy", "http://hang.example:3128", 1);
    http_rig_setup(&r);
    http_rig_start(&r, &call, "http://there.example/", NULL);
    while (asked_now() == 0)
        http_rig_turn(&r);
    http_call_free(call.call);
    http_rig_start(&r, &call, "http://there.example/", NULL);
    while (asked_now() == 1)
        http_rig_turn(&r);
    http_rig_teardown(&r);
    MUST(clock_usec(CLOCK_MONOTONIC) - begin < 5 * USEC_PER_SEC);
}
END_TEST

/* ---- the proxy of the environment ---- */

START_TEST(test_proxy) {
    char proxy[64];
    HttpRig r;

    snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%u", rig.port);
    setenv("http_proxy", proxy, 1);
    setenv("no_proxy", "direct.example", 1);
    http_rig_setup(&r);
    r.port = rig.port;
    http_rig_start(&r, &call, "http://far.example/echo", NULL);
    while (call.told == 0) {
        MUST(sd_event_run(r.event, 1000) >= 0);
        MUST(sd_event_run(rig.event, 1000) >= 0);
    }
    ck_assert_int_eq(call.error, 0);
    MUST(strncmp(call.body, "GET http://far.example/echo HTTP/1.1\r\n", 38) == 0);
    ck_assert_uint_eq(asked_now(), 0);
    http_rig_teardown(&r);
    unsetenv("http_proxy");
}
END_TEST

/* A proxy elsewhere would read what is not to leave this machine, and could not reach it. */
START_TEST(test_no_proxy_to_this_machine) {
    char url[64];
    HttpRig r;

    setenv("http_proxy", "http://proxy.example:3128", 1);
    http_rig_setup(&r);
    snprintf(url, sizeof(url), "http://a.localhost:%u/secret/hidden", r.port);
    HttpRequest request = {.auth = HTTP_AUTH_BEARER, .secret = "hidden", .url = url};
    http_rig_start(&r, &call, url, &request);
    http_rig_wait(&r, &call);
    ck_assert_msg(call.error == 0, "%s", call.text);
    ck_assert_uint_eq(call.status, 200);
    http_rig_teardown(&r);
    unsetenv("http_proxy");
}
END_TEST

/* Whatever a name server says: what goes there may be for nobody else. */
START_TEST(test_localhost_is_not_asked_for) {
    char url[64];

    snprintf(url, sizeof(url), "http://a.localhost:%u/ok", rig.port);
    http_rig_get(&rig, &call, url, NULL);
    ck_assert_msg(call.error == 0, "%s", call.text);
    ck_assert_uint_eq(asked_now(), 0);
}
END_TEST

int main(void) {
    Suite *s = suite_create("http-names");
    TCase *t = tcase_create("http-names");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_name);
    tcase_add_loop_test(t, test_failure, 0, ELEMENTSOF(failures));
    tcase_add_test(t, test_addresses_are_not_asked_for);
    tcase_add_test(t, test_hang);
    tcase_add_test(t, test_many_for_one);
    tcase_add_test(t, test_threads_max);
    tcase_add_test(t, test_free_while_it_hangs);
    tcase_add_test(t, test_free_while_the_proxy_hangs);
    tcase_add_test(t, test_proxy);
    tcase_add_test(t, test_no_proxy_to_this_machine);
    tcase_add_test(t, test_localhost_is_not_asked_for);
    suite_add_tcase(s, t);
    return unit_run(s);
}
