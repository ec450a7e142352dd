/* Ten thousand requests to a server that fails in each way there is, some of them dropped at any
 * moment: each is told once or not at all, and nothing is left, neither memory (under ASan) nor
 * descriptors nor connections. LONGRUN_HTTP_SEED and LONGRUN_HTTP_REQUESTS do the same once more,
 * or more of it. */

#include <dirent.h>
#include <errno.h>
#include <stdio.h>

#include "common/clock.h"
#include "tests/unit/http-rig.h"
#include "tests/unit/unit.h"

#define AT_ONCE 100

static HttpRig rig;

static const char *const paths[] = {
    "/ok",
    "/ok",
    "/ok",
    "/echo",
    "/status/500",
    "/status/204",
    "/to/302/ok",
    "/to/308/echo",
    "/loop/0",
    "/size/100000",
    "/chunks/100000",
    "/endless",
    "/announce",
    "/reset",
    "/cut",
    "/close",
    "/hang",
    "/hang-body",
    "/trickle",
    "/garbage",
    "/keep-alive-off",
    "/to/302/reset",
    "/to/307/hang",
    "/secret/x",
    "http://127.0.0.1:1/",
    "http://nobody.invalid/",
    "ftp://x/",
    "/to/301/ftp://x/",
};

typedef struct Slot {
    RigCall call;
    unsigned drop_in; /* turns; 0 = never */
} Slot;

static Slot slots[AT_ONCE];
static unsigned long begun, told, dropped, good;

static const char *renew(void *userdata, const char *url) {
    return rand() % 2 == 0 ? "x" : NULL;
}

static void begin(Slot *s) {
    static const char *const methods[] = {"GET", "GET", "POST", "PUT", "DELETE", "HEAD"};
    HttpRequest r = {
        .method = methods[(size_t)rand() % ELEMENTSOF(methods)],
        .timeout_usec = (uint64_t)(20 + rand() % 60) * USEC_PER_MSEC,
        .response_max = rand() % 4 == 0 ? 50000 : 200000,
        .auth = HTTP_AUTH_BEARER,
        .secret = "y",
        .renew_secret = renew,
    };

    if (r.method[0] == 'P') {
        r.body = "some body";
        r.body_size = strlen(r.body);
    }
    const char *path = paths[(size_t)rand() % ELEMENTSOF(paths)];
    /* Some have time enough on any machine. */
    if (rand() % 50 == 0) {
        path = "/ok";
        r.timeout_usec = 60 * USEC_PER_SEC;
    }
    http_rig_start(&rig, &s->call, path, &r);
    s->drop_in = rand() % 5 == 0 ? 1 + (unsigned)rand() % 200 : 0;
    begun++;
}

static void look_at(Slot *s) {
    if (s->call.told > 0) {
        MUST(s->call.told == 1);
        MUST(s->call.error <= 0 && (s->call.error == 0) == (s->call.status > 0));
        MUST((s->call.error == 0) == (s->call.text[0] == '\0'));
        MUST(!strstr(s->call.text, "Bearer"));
        told++;
        good += s->call.error == 0;
        s->call = (RigCall){};
    } else if (s->drop_in > 0 && --s->drop_in == 0) {
        http_call_free(s->call.call);
        dropped++;
        s->call = (RigCall){};
    }
}

static void run_all(unsigned long requests) {
    uint64_t deadline = clock_usec(CLOCK_MONOTONIC) + 120 * USEC_PER_SEC;
    size_t active;

    do {
        active = 0;
        for (size_t i = 0; i < AT_ONCE; i++) {
            if (slots[i].call.call || slots[i].call.told > 0)
                look_at(&slots[i]);
            if (!slots[i].call.call && slots[i].call.told == 0 && begun < requests)
                begin(&slots[i]);
            active += slots[i].call.call || slots[i].call.told > 0;
        }
        http_rig_turn(&rig);
        MUST(clock_usec(CLOCK_MONOTONIC) < deadline);
    } while (active > 0);
}

static unsigned descriptors(void) {
    DIR *d = opendir("/proc/self/fd");
    unsigned n = 0;

    MUST(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static unsigned long number_of(const char *name, unsigned long otherwise) {
    const char *text = getenv(name);
    return text ? strtoul(text, NULL, 10) : otherwise;
}

START_TEST(test_faults) {
    unsigned long seed = number_of("LONGRUN_HTTP_SEED", (unsigned long)clock_usec(CLOCK_REALTIME));
    unsigned long requests = number_of("LONGRUN_HTTP_REQUESTS", 10000);
    unsigned before = descriptors();

    printf("LONGRUN_HTTP_SEED=%lu\n", seed);
    fflush(stdout);
    srand((unsigned)seed);
    http_rig_setup(&rig);
    run_all(requests);
    ck_assert_uint_eq(begun, requests);
    ck_assert_uint_eq(told + dropped, begun);
    ck_assert_uint_eq(http_loop_calls(rig.loop), 0);
    MUST(good > 0 && dropped > 0);
    http_rig_teardown(&rig);
    ck_assert_uint_eq(descriptors(), before);
}
END_TEST

int main(void) {
    Suite *s = suite_create("http-faults");
    TCase *t = tcase_create("http-faults");

    tcase_set_timeout(t, 120);
    tcase_add_test(t, test_faults);
    suite_add_tcase(s, t);
    return unit_run(s);
}
