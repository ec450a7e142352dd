#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bus/bus-rig.h"

/* WriteStdin and CloseStdin: what a call may bring, and how many may wait. Who leaves the bus in
 * the middle is tested with a real one. */

static BusRig rig;
static FakeDaemon fake;
static struct StdinWriteQueue waiting;
static size_t n_waiting, n_dropped;
static int result; /* of a write: 1, 0 to wait */
static char path[64];

static int write_stdin(void *userdata, Task *t, StdinWrite *w, Error *error) {
    if (result < 0)
        return stdin_write_error(t->id, w, result, error);
    if (result > 0)
        return result;
    TAILQ_INSERT_TAIL(&waiting, w, link);
    n_waiting++;
    return 0;
}

static void drop_stdin(void *userdata, Task *t, StdinWrite *w) {
    TAILQ_REMOVE(&waiting, w, link);
    n_waiting--;
    n_dropped++;
}

static void finish_first(int error) {
    StdinWrite *w = TAILQ_FIRST(&waiting);

    TAILQ_REMOVE(&waiting, w, link);
    n_waiting--;
    w->done(w, error);
}

static void setup(void) {
    bus_rig_setup_fake(&rig, &fake);
    fake.api.write_stdin = write_stdin;
    fake.api.drop_stdin = drop_stdin;
    TAILQ_INIT(&waiting);
    n_waiting = n_dropped = 0;
    result = 1;
    bus_rig_task_path(path, fake_daemon_add_running(&fake)->id);
}

static void teardown(void) {
    size_t left = n_waiting;

    n_dropped = 0;
    bus_rig_teardown(&rig);
    ck_assert_uint_eq(n_dropped, left);
}

/* ---- calls that are not waited for ---- */

typedef struct Reply {
    bool came;
    char error[64], text[256];
} Reply;

static int on_reply(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    const sd_bus_error *e = sd_bus_message_get_error(m);
    Reply *r = userdata;

    ck_assert(!r->came);
    r->came = true;
    if (e) {
        snprintf(r->error, sizeof(r->error), "%s", strrchr(e->name, '.') + 1);
        snprintf(r->text, sizeof(r->text), "%s", e->message);
    }
    return 0;
}

static void send_call(Reply *r, const char *member, const void *data, size_t size) {
    sd_bus_message *m;

    *r = (Reply){};
    ck_assert_int_ge(sd_bus_message_new_method_call(rig.client, &m, LONGRUN_BUS_NAME, path,
                                                    LONGRUN_TASK_INTERFACE, member),
                     0);
    if (data)
        ck_assert_int_ge(sd_bus_message_append_array(m, 'y', data, size), 0);
    ck_assert_int_ge(sd_bus_call_async(rig.client, NULL, m, on_reply, r, UINT64_MAX), 0);
    sd_bus_message_unref(m);
}

static bool has_come(void *userdata) {
    return ((const Reply *)userdata)->came;
}

static bool waits(void *userdata) {
    return n_waiting >= *(const size_t *)userdata;
}

static void expect(Reply *r, const char *error, const char *part) {
    bus_rig_run_until(&rig, has_come, r);
    ck_assert_str_eq(r->error, error);
    ck_assert_msg(strstr(r->text, part), "%s: %s", part, r->text);
}

static void send_waiting(Reply *r, const void *data, size_t size) {
    size_t wanted = n_waiting + 1;

    result = 0;
    send_call(r, "WriteStdin", data, size);
    bus_rig_run_until(&rig, waits, &wanted);
    ck_assert(!r->came);
}

/* ---- tests ---- */

START_TEST(what_is_done_is_answered) {
    Reply r;

    send_call(&r, "WriteStdin", "x", 1);
    expect(&r, "", "");
    send_call(&r, "CloseStdin", NULL, 0);
    expect(&r, "", "");
    send_waiting(&r, "a\0b", 3);
    ck_assert_uint_eq(TAILQ_FIRST(&waiting)->size, 3);
    ck_assert_mem_eq(TAILQ_FIRST(&waiting)->data, "a\0b", 3);
    ck_assert(!TAILQ_FIRST(&waiting)->close);
    finish_first(0);
    expect(&r, "", "");
}
END_TEST

static const struct {
    int error;
    const char *name, *part;
} errors[] = {
    {-EPIPE, "StdinClosed", "the command has closed it (2 of 4 bytes were taken)"},
    {-ESHUTDOWN, "StdinClosed", "it was closed by CloseStdin (2 of 4"},
    {-ESRCH, "StdinClosed", "the command has ended (2 of 4"},
    {-EOPNOTSUPP, "InvalidOption", "is of a version that takes no bytes"},
    {-ENOBUFS, "QueueFull", "16 calls wait to write"},
};

START_TEST(errors_come_when_they_do) {
    Reply r;

    send_waiting(&r, "abcd", 4);
    TAILQ_FIRST(&waiting)->sent = 2;
    finish_first(errors[_i].error);
    expect(&r, errors[_i].name, errors[_i].part);
    result = errors[_i].error;
    send_call(&r, "CloseStdin", NULL, 0);
    expect(&r, errors[_i].name, "");
}
END_TEST

START_TEST(pieces_are_of_one_mebibyte) {
    char *data = calloc(1, STDIN_WRITE_MAX + 1);
    Reply r;

    send_call(&r, "WriteStdin", data, STDIN_WRITE_MAX);
    expect(&r, "", "");
    send_call(&r, "WriteStdin", data, STDIN_WRITE_MAX + 1);
    expect(&r, "InvalidOption", "at most 1.0M in a call, this one has 1048577 bytes");
    free(data);
}
END_TEST

/* Of all tasks together; what was answered makes room. */
START_TEST(calls_have_a_limit) {
    Reply *replies = calloc(STDIN_WRITES_ALL_MAX, sizeof(Reply)), more;

    for (size_t i = 0; i < STDIN_WRITES_ALL_MAX; i++)
        send_waiting(&replies[i], "", 0);
    send_call(&more, "WriteStdin", "", 0);
    expect(&more, "QueueFull", "1000 calls");
    finish_first(0);
    expect(&replies[0], "", "");
    send_waiting(&replies[0], "", 0);
    while (n_waiting > 0)
        finish_first(-ESRCH);
    bus_rig_run_until(&rig, has_come, &replies[0]);
    free(replies);
}
END_TEST

START_TEST(bytes_have_a_limit) {
    const size_t n = STDIN_WRITES_BYTES_MAX / STDIN_WRITE_MAX;
    Reply *replies = calloc(n, sizeof(Reply)), more;
    char *data = calloc(1, STDIN_WRITE_MAX);

    for (size_t i = 0; i < n; i++)
        send_waiting(&replies[i], data, STDIN_WRITE_MAX);
    send_call(&more, "WriteStdin", "x", 1);
    expect(&more, "QueueFull", "64 calls with 64.0M wait");
    finish_first(0);
    send_waiting(&more, data, STDIN_WRITE_MAX);
    while (n_waiting > 0)
        finish_first(0);
    bus_rig_run_until(&rig, has_come, &more);
    free(data);
    free(replies);
}
END_TEST

/* Nobody is answered any more; teardown looks that they are dropped. */
START_TEST(the_bus_goes) {
    static Reply replies[3];

    for (size_t i = 0; i < 3; i++)
        send_waiting(&replies[i], "x", 1);
}
END_TEST

int main(void) {
    Suite *s = suite_create("bus-stdin");
    TCase *t = tcase_create("calls");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, what_is_done_is_answered);
    tcase_add_loop_test(t, errors_come_when_they_do, 0, (int)(sizeof(errors) / sizeof(errors[0])));
    tcase_add_test(t, pieces_are_of_one_mebibyte);
    tcase_add_test(t, calls_have_a_limit);
    tcase_add_test(t, bytes_have_a_limit);
    tcase_add_test(t, the_bus_goes);
    suite_add_tcase(s, t);
    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
