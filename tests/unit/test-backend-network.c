/* When it is this machine that is offline. Each test has a network of its own, in which there is
 * nothing at first; who may not make one skips. */

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/loopback.h"
#include "daemon/http/network-route.h"
#include "tests/unit/unit.h"
#include "tests/unit/watch-rig.h"

#define STATUS "{\"status\":\"online\"}"
#define ELSEWHERE "192.0.2.1"

/* ---- networks ---- */

static bool can_unshare;

static void setup(void) {
    can_unshare = unshare(CLONE_NEWNET) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;
    if (can_unshare)
        rig_setup();
}

static void teardown(void) {
    if (can_unshare)
        rig_teardown();
}

/* Checked at the beginning of each test; it counts as passed. */
#define NEED_NETWORK()                                                                             \
    do {                                                                                           \
        if (!can_unshare) {                                                                        \
            fprintf(stderr, "SKIP: a network of our own cannot be made\n");                        \
            return;                                                                                \
        }                                                                                          \
    } while (false)

static void bring_up(void) {
    _cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq r = {.ifr_name = "lo"};

    MUST(fd >= 0);
    MUST(ioctl(fd, SIOCGIFFLAGS, &r) == 0);
    r.ifr_flags |= IFF_UP;
    MUST(ioctl(fd, SIOCSIFFLAGS, &r) == 0);
}

/* "0.0.0.0": none. */
static void set_address(const char *interface, const char *address) {
    _cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in a = {.sin_family = AF_INET};
    struct ifreq r = {};

    MUST(fd >= 0 && inet_pton(AF_INET, address, &a.sin_addr) == 1);
    strcpy(r.ifr_name, interface);
    memcpy(&r.ifr_addr, &a, sizeof(a));
    MUST(ioctl(fd, SIOCSIFADDR, &r) == 0);
}

/* An address that is not one of loopback, though it leads back here. */
static void add_elsewhere(void) {
    set_address("lo:1", ELSEWHERE);
}

static const char *at_elsewhere(const char *settings) {
    static char text[512];

    snprintf(text, sizeof(text), "Url=http://" ELSEWHERE ":%u %s", rig.port, settings);
    return text;
}

static void set_probe(const char *path) {
    char url[256];

    snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", rig.port, path);
    MUST(backend_watches_set_probe(rig.watches, url) == 0);
}

/* ---- routes ---- */

START_TEST(test_route) {
    NEED_NETWORK();
    ck_assert_int_eq(network_route_check("http://127.0.0.1:80/x"), -ENETUNREACH);
    ck_assert_int_eq(network_route_check("http://localhost:80"), -ENETUNREACH);
    ck_assert_int_eq(network_route_check("http://[::1]"), -ENETUNREACH);
    ck_assert_int_eq(network_route_check("http://" ELSEWHERE), -ENETUNREACH);
    ck_assert_int_eq(network_route_check("https://example.org"), -ENETUNREACH);
    bring_up();
    ck_assert_int_eq(network_route_check("http://127.0.0.1:80/x"), 0);
    ck_assert_int_eq(network_route_check("http://localhost"), 0);
    ck_assert_int_eq(network_route_check("http://" ELSEWHERE), -ENETUNREACH);
    ck_assert_int_eq(network_route_check("http://example.org"), -ENETUNREACH);
    add_elsewhere();
    ck_assert_int_eq(network_route_check("http://" ELSEWHERE), 0);
    ck_assert_int_eq(network_route_check("http://example.org:8080/a"), 0);
}
END_TEST

static const struct {
    const char *url;
    bool is_loopback;
} urls[] = {
    {"http://localhost", true},     {"http://LOCALHOST:80/x", true},
    {"http://a.localhost/", true},  {"http://127.1.2.3:80", true},
    {"https://[::1]:80/x", true},   {"http://localhost.example.org", false},
    {"http://128.0.0.1", false},    {"http://[2001:db8::1]", false},
    {"http://notlocalhost", false},
};

START_TEST(test_loopback) {
    ck_assert_msg(loopback_is_url(urls[_i].url) == urls[_i].is_loopback, "%s", urls[_i].url);
}
END_TEST

/* ---- without a route ---- */

START_TEST(test_no_route) {
    uint64_t begun;
    Backend *b;

    NEED_NETWORK();
    rig_answer("/status", 200, "", STATUS);
    rig_answer("/news", 200, "", "[1]");
    b = rig_add("b", "PollPath=/news StatusIntervalSec=1h BackoffMaxSec=1h FailureThreshold=3 "
                     "TimeoutSec=200ms");
    rig_wait_for("b checked no");
    ck_assert_int_eq(b->state, BACKEND_UNKNOWN);
    ck_assert_str_eq(b->reason, "this machine is offline: there is no route to the backend");
    ck_assert_str_eq(rig_check_now(b) + strlen("check b no BackendOffline: "),
                     b->last_error + strlen("Failed to load status: "));
    ck_assert_uint_eq(rig_count("b state"), 0);

    /* A route comes, and it is asked long before the hour is over. */
    begun = clock_usec(CLOCK_MONOTONIC);
    bring_up();
    rig_wait_for("b state online");
    ck_assert_uint_lt(clock_usec(CLOCK_MONOTONIC) - begun, 10 * USEC_PER_SEC);
    rig_wait_for("b updated /news [1]");
    ck_assert_str_eq(b->reason, "");

    /* It goes again: unknown at once, however many failures it takes to be offline. */
    rig_forget();
    set_address("lo", "0.0.0.0");
    rig_check_now(b);
    ck_assert_uint_eq(rig_count("b state unknown: this machine is offline"), 1);
    ck_assert_uint_eq(rig_count("b checked no"), 1);
    ck_assert_str_eq(b->status, STATUS);
    set_address("lo", "127.0.0.1");
    rig_wait_for("b state online");
    rig_remove(b);
}
END_TEST

/* Who refuses the connection is there, and so is this machine. */
START_TEST(test_refused) {
    Backend *b;

    NEED_NETWORK();
    bring_up();
    rig_close_server();
    b = rig_add("b", "");
    rig_wait_for("b state offline");
    rig_remove(b);
}
END_TEST

/* ---- the probe ---- */

static bool is_probed(void *path) {
    return rig_requests(path) > 0;
}

static const struct {
    unsigned status;
    bool works;
} probes[] = {
    {204, true}, {200, true}, {302, false}, {404, false}, {503, false},
};

START_TEST(test_probe) {
    Backend *b, *here, *refused;

    NEED_NETWORK();
    bring_up();
    add_elsewhere();
    rig_answer("/probe", probes[_i].status, "Location: /login\r\n", "");
    rig_answer("/login", 200, "", "");
    set_probe("/probe");
    rig_hang("/status");
    /* Neither of what is on this machine, nor of who answers, is it asked. */
    here = rig_add("here", "TimeoutSec=50ms");
    rig_answer("/broken", 500, "", "");
    refused = rig_add("refused", at_elsewhere("StatusPath=/broken"));
    rig_wait_for("here state offline");
    rig_wait_for("refused state offline");
    ck_assert_uint_eq(rig_requests("/probe"), 0);

    b = rig_add("b", at_elsewhere("TimeoutSec=50ms"));
    rig_wait_for("b checked no");
    ck_assert_uint_eq(rig_requests("/probe"), 1);
    ck_assert_uint_eq(rig_requests("/login"), 0);
    if (probes[_i].works) {
        ck_assert_int_eq(b->state, BACKEND_OFFLINE);
    } else {
        ck_assert_int_eq(b->state, BACKEND_UNKNOWN);
        ck_assert_str_eq(b->reason, "this machine is offline: the network probe has failed");
    }
    rig_remove(b);
    rig_remove(here);
    rig_remove(refused);
}
END_TEST

/* One probe for all, and one that goes while it is under way. */
START_TEST(test_probe_shared) {
    Backend *list[10];

    NEED_NETWORK();
    bring_up();
    add_elsewhere();
    rig_answer("/probe", 503, "", "");
    rig_delay("/probe", 2 * USEC_PER_SEC);
    set_probe("/probe");
    rig_hang("/status");
    for (unsigned i = 0; i < ELEMENTSOF(list); i++) {
        char name[16];
        snprintf(name, sizeof(name), "b%u", i);
        list[i] = rig_add(name, at_elsewhere("TimeoutSec=50ms"));
        ck_assert_int_eq(rig_check(list[i]), 0);
    }
    rig_wait_until(is_probed, (char *)"/probe");
    rig_run(100 * USEC_PER_MSEC);
    rig_remove(list[0]);
    ck_assert_uint_eq(rig_count("check b0 no NoSuchBackend"), 1);
    for (unsigned i = 1; i < ELEMENTSOF(list); i++) {
        char line[32];
        snprintf(line, sizeof(line), "check b%u no BackendOffline", i);
        rig_wait_for(line);
        ck_assert_int_eq(list[i]->state, BACKEND_UNKNOWN);
        rig_remove(list[i]);
    }
    ck_assert_uint_eq(rig_requests("/probe"), 1);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("backend-network");
    TCase *t = tcase_create("network");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_route);
    tcase_add_loop_test(t, test_loopback, 0, ELEMENTSOF(urls));
    tcase_add_test(t, test_no_route);
    tcase_add_test(t, test_refused);
    tcase_add_loop_test(t, test_probe, 0, ELEMENTSOF(probes));
    tcase_add_test(t, test_probe_shared);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
