/* The connection to a keeper: the answer to the hello, in however many messages, and connections
 * that come to nothing. On the other end is a socket that the test drives. */

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/fields.h"
#include "common/shim-protocol.h"
#include "daemon/exec/keeper-client.h"
#include "tests/unit/unit.h"

static sd_event *event;
static KeeperClient *client;
static int listen_fd = -EBADF, fd = -EBADF;
static unsigned readies, writables, n_lost;
static uint64_t last_lost;
static int gone_error; /* 0: not gone */

static void on_ready(void *userdata) {
    readies++;
}

static void on_lost(void *userdata, uint64_t id) {
    n_lost++;
    last_lost = id;
}

static void on_writable(void *userdata) {
    writables++;
}

static void on_gone(void *userdata, int error) {
    gone_error = error;
    client = keeper_client_free(client);
}

static const KeeperClientEvents events = {
    .ready = on_ready, .lost = on_lost, .writable = on_writable, .gone = on_gone};

static void start_listening(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    strcpy(address.sun_path, unit_path(KEEPER_SOCKET));
    listen_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    MUST(listen_fd >= 0);
    MUST(bind(listen_fd, (struct sockaddr *)&address, sizeof(address)) == 0);
    MUST(listen(listen_fd, 1) == 0);
}

static int try_connect(void) {
    return keeper_client_connect(&client, event, unit_dir, &events, NULL);
}

static void take_connection(void) {
    char data[FIELDS_MAX + 1];

    fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
    MUST(fd >= 0);
    ssize_t n = recv(fd, data, FIELDS_MAX, 0);
    MUST(n > 0);
    data[n] = '\0';
    MUST(strncmp(data, "HELLO=", 6) == 0 && strlen(data) > 7);
}

static void connect_both(void) {
    start_listening();
    ck_assert_int_eq(try_connect(), 0);
    take_connection();
}

static void say(const char *text) {
    MUST(send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text));
}

static void run(void) {
    int r;

    do
        r = sd_event_run(event, 0);
    while (r > 0);
    MUST(r == 0);
}

static void run_until_gone(void) {
    uint64_t deadline = clock_usec(CLOCK_MONOTONIC) + 20 * USEC_PER_SEC;

    while (gone_error == 0) {
        MUST(clock_usec(CLOCK_MONOTONIC) < deadline);
        MUST(sd_event_run(event, USEC_PER_SEC) >= 0);
    }
}

static void setup(void) {
    MUST(sd_event_new(&event) >= 0);
}

static void teardown(void) {
    client = keeper_client_free(client);
    fd = close_fd(fd);
    listen_fd = close_fd(listen_fd);
    event = sd_event_unref(event);
}

/* ---- the answer ---- */

START_TEST(test_answer) {
    connect_both();
    run();
    ck_assert(!keeper_client_is_ready(client));
    say("VERSION=1.2.3\nISOLATION=cgroup\nCGROUP=/sys/fs/cgroup/x y\nCONTROLLERS=memory pids\n"
        "NEWER=1\n");
    say("LIVE=9\nLIVE=3\n");
    say("LIVE=7\nLIVE=\nLIVE=x\n");
    run();
    ck_assert_uint_eq(readies, 0);
    say(_i ? "LIVE=5\nLIVE_END=1\n" : "LIVE_END=1\n");
    run();
    ck_assert_uint_eq(readies, 1);
    ck_assert(keeper_client_is_ready(client));
    ck_assert_str_eq(keeper_client_version(client), "1.2.3");
    ck_assert_str_eq(keeper_client_isolation(client), ISOLATION_CGROUP);
    ck_assert_str_eq(keeper_client_cgroup(client), "/sys/fs/cgroup/x y");
    ck_assert_str_eq(keeper_client_controllers(client), "memory pids");
    for (uint64_t id = 0; id < 12; id++)
        ck_assert_int_eq(keeper_client_has(client, id),
                         id == 3 || id == 7 || id == 9 || (_i && id == 5));
    say("LOST=1\nLOST=2\nLOST=x\n");
    say("LOST=3\n");
    run();
    ck_assert_uint_eq(n_lost, 3);
    ck_assert_uint_eq(last_lost, 3);
}
END_TEST

START_TEST(test_no_shims) {
    connect_both();
    say("VERSION=1\nISOLATION=process-group\nCGROUP=\nCONTROLLERS=\nLIVE_END=1\n");
    run();
    ck_assert(keeper_client_is_ready(client));
    ck_assert(!keeper_client_has(client, 0) && !keeper_client_has(client, 1));
    ck_assert_str_eq(keeper_client_cgroup(client), "");
}
END_TEST

static void *say_live(void *arg) {
    uint64_t n = *(uint64_t *)arg;
    Fields f = {};

    for (uint64_t id = 1; id <= n; id++) {
        fields_addf(&f, KEEPER_LIVE, "%" PRIu64, id);
        if (f.size > FIELDS_MAX - 64 || id == n) {
            if (send(fd, f.data, f.size, MSG_NOSIGNAL) < 0)
                return NULL;
            f.size = 0;
        }
    }
    (void)send(fd, "LIVE_END=1\n", 11, MSG_NOSIGNAL);
    return NULL;
}

/* As many as it may have, and one more. */
START_TEST(test_cap) {
    uint64_t n = KEEPER_LIVE_MAX + (uint64_t)_i;
    pthread_t thread;

    connect_both();
    MUST(pthread_create(&thread, NULL, say_live, &n) == 0);
    while (readies == 0 && gone_error == 0)
        MUST(sd_event_run(event, USEC_PER_SEC) >= 0);
    ck_assert_int_eq(gone_error, _i ? -E2BIG : 0);
    if (!_i)
        ck_assert(keeper_client_has(client, KEEPER_LIVE_MAX));
    MUST(pthread_join(thread, NULL) == 0);
}
END_TEST

/* ---- without the loop ---- */

START_TEST(test_wait) {
    connect_both();
    say("VERSION=1\n");
    ck_assert_int_eq(keeper_client_wait(client, 20 * USEC_PER_MSEC), -ETIMEDOUT);
    say("LIVE=7\n");
    say("LIVE_END=1\n");
    say("LOST=7\n");
    ck_assert_int_eq(keeper_client_wait(client, 20 * USEC_PER_SEC), 0);
    ck_assert(keeper_client_has(client, 7));
    ck_assert_uint_eq(readies, 0); /* no events from within, nor later for what was waited for */
    ck_assert_uint_eq(n_lost, 0);
    run();
    ck_assert_uint_eq(readies, 0);
    ck_assert_uint_eq(n_lost, 1);
}
END_TEST

START_TEST(test_wait_for_nobody) {
    connect_both();
    say("VERSION=1\n");
    fd = close_fd(fd);
    ck_assert_int_eq(keeper_client_wait(client, 20 * USEC_PER_SEC), -ECONNRESET);
    ck_assert_int_eq(gone_error, 0);
}
END_TEST

/* ---- no connection ---- */

START_TEST(test_nobody) {
    ck_assert_int_eq(try_connect(), -ENOENT);
    start_listening();
    listen_fd = close_fd(listen_fd); /* the socket's file stays */
    ck_assert_int_eq(try_connect(), -ECONNREFUSED);
    ck_assert_ptr_null(client);
}
END_TEST

/* One that takes no connections does not hold the daemon up. */
START_TEST(test_busy) {
    KeeperClient *others[16] = {};
    size_t n = 0;
    int r;

    start_listening();
    while ((r = keeper_client_connect(&others[n], event, unit_dir, &events, NULL)) == 0)
        MUST(++n < ELEMENTSOF(others));
    ck_assert_int_eq(r, -EAGAIN);
    for (size_t i = 0; i < n; i++)
        keeper_client_free(others[i]);
}
END_TEST

START_TEST(test_long_path) {
    char path[256];

    memset(path, 'x', sizeof(path) - 1);
    path[0] = '/';
    path[sizeof(path) - 1] = '\0';
    ck_assert_int_eq(keeper_client_connect(&client, event, path, &events, NULL), -ENAMETOOLONG);
}
END_TEST

/* What it said before it went is heard, also when it went with our words unread. */
START_TEST(test_gone) {
    connect_both();
    say("LIVE_END=1\n");
    run();
    ck_assert_int_eq(keeper_client_spawn(client, 7, STDIN_FILENO, STDERR_FILENO), 0);
    say("LOST=7\n");
    fd = close_fd(fd);
    run_until_gone();
    ck_assert_int_eq(gone_error, -ECONNRESET);
    ck_assert_uint_eq(n_lost, 1);
    ck_assert_ptr_null(client);
}
END_TEST

START_TEST(test_no_answer) {
    connect_both();
    run_until_gone();
    ck_assert_int_eq(gone_error, -ETIMEDOUT);
}
END_TEST

/* ---- orders ---- */

START_TEST(test_full) {
    size_t sent = 0;
    char data[64];
    int r;

    connect_both();
    say("LIVE_END=1\n");
    run();
    while ((r = keeper_client_spawn(client, 7, STDIN_FILENO, STDERR_FILENO)) == 0)
        sent++;
    ck_assert_int_eq(r, -EAGAIN);
    ck_assert_uint_ge(sent, 10);
    run();
    ck_assert_uint_eq(writables, 0);
    for (size_t i = 0; i < sent; i++)
        MUST(recv(fd, data, sizeof(data), 0) == 8);
    run();
    ck_assert_uint_eq(writables, 1);
    ck_assert_int_eq(keeper_client_spawn(client, 7, STDIN_FILENO, STDERR_FILENO), 0);
}
END_TEST

START_TEST(test_bad_descriptor) {
    connect_both();
    ck_assert_int_eq(keeper_client_spawn(client, 7, STDIN_FILENO, 4711), -EBADF);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("keeper-client");
    TCase *t = tcase_create("keeper-client");

    unit_use_dir(t);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, test_answer, 0, 2);
    tcase_add_test(t, test_no_shims);
    tcase_add_loop_test(t, test_cap, 0, 2);
    tcase_add_test(t, test_wait);
    tcase_add_test(t, test_wait_for_nobody);
    tcase_add_test(t, test_nobody);
    tcase_add_test(t, test_busy);
    tcase_add_test(t, test_long_path);
    tcase_add_test(t, test_gone);
    tcase_add_test(t, test_no_answer);
    tcase_add_test(t, test_full);
    tcase_add_test(t, test_bad_descriptor);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
