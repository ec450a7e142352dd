/* The STATUS= line for the service manager: the first at once, then at most one a second, and the
 * last one is never lost. */

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/clock.h"
#include "daemon/service-status.h"
#include "tests/unit/unit.h"

static sd_event *event;
static ServiceStatus status;
static int manager; /* the service manager's socket */

static void setup(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    MUST(manager >= 0);
    strcpy(address.sun_path, unit_path("notify"));
    MUST(bind(manager, (struct sockaddr *)&address, sizeof(address)) == 0);
    setenv("NOTIFY_SOCKET", address.sun_path, true);
    MUST(sd_event_new(&event) >= 0);
    MUST(service_status_init(&status, event) >= 0);
}

static void teardown(void) {
    service_status_done(&status);
    event = sd_event_unref(event);
    close(manager);
}

static void expect_message(const char *text) {
    char buf[256];
    ssize_t n = recv(manager, buf, sizeof(buf) - 1, 0);

    ck_assert_msg(n >= 0, "no message, but %s was to come", text);
    buf[n] = '\0';
    ck_assert_str_eq(buf, text);
}

static void expect_silence(void) {
    char buf[256];
    ssize_t n = recv(manager, buf, sizeof(buf) - 1, 0);

    ck_assert_msg(n < 0 && errno == EAGAIN, "%.*s", (int)n, buf);
}

START_TEST(test_rate) {
    uint64_t start = clock_usec(CLOCK_MONOTONIC);

    service_status_update(&status, 0, 0); /* as it was */
    expect_silence();
    service_status_update(&status, 1, 0);
    expect_message("STATUS=1 running, 0 queued");
    for (unsigned i = 1; i <= 100; i++)
        service_status_update(&status, 2, i);
    ck_assert_uint_lt(clock_usec(CLOCK_MONOTONIC) - start, USEC_PER_SEC);
    expect_silence();
    ck_assert_int_gt(sd_event_run(event, 10 * USEC_PER_SEC), 0);
    ck_assert_uint_ge(clock_usec(CLOCK_MONOTONIC) - start, USEC_PER_SEC);
    expect_message("STATUS=2 running, 100 queued");
    expect_silence();
    ck_assert_int_eq(sd_event_run(event, 0), 0); /* nothing wakes the loop up again */
}
END_TEST

START_TEST(test_same_again) {
    service_status_update(&status, 1, 5);
    expect_message("STATUS=1 running, 5 queued");
    service_status_update(&status, 1, 5);
    expect_silence();
    ck_assert_int_eq(sd_event_run(event, 0), 0);
}
END_TEST

/* Without a service manager there is nobody to tell. */
START_TEST(test_no_manager) {
    unsetenv("NOTIFY_SOCKET");
    service_status_update(&status, 1, 0);
    expect_silence();
    setenv("NOTIFY_SOCKET", unit_path("gone"), true);
    service_status_update(&status, 2, 0);
    ck_assert_int_ge(sd_event_run(event, 10 * USEC_PER_SEC), 0);
    expect_silence();
}
END_TEST

START_TEST(test_done_while_it_waits) {
    service_status_update(&status, 1, 0);
    service_status_update(&status, 2, 0);
    service_status_done(&status);
    ck_assert_int_eq(sd_event_run(event, 0), 0);
    expect_message("STATUS=1 running, 0 queued");
    expect_silence();
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("service-status");
    TCase *t = tcase_create("service-status");

    unit_use_dir(t);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 30);
    tcase_add_test(t, test_rate);
    tcase_add_test(t, test_same_again);
    tcase_add_test(t, test_no_manager);
    tcase_add_test(t, test_done_while_it_waits);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
