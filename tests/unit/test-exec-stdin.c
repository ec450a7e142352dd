/* What is written to the stdin of a command, seen from the daemon, with a stand-in for the shim. */

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/message-queue.h"
#include "common/shim-protocol.h"
#include "tests/unit/keeper-rig.h"
#include "tests/unit/unit.h"

#define INBOX "MESSAGES_RECEIVED=0\nMESSAGES_TAKEN=0\n"
#define READY "STARTED=4711\n" INBOX "STDIN_RECEIVED=0\nSTDIN_TAKEN=0\n"
#define PREFIX strlen(SHIM_STDIN "=")

static KeeperRig rig;
static ShimRigJob job;
static int control;

static void setup(void) {
    keeper_rig_setup(&rig);
}

static void teardown(void) {
    shim_rig_done(&job);
    keeper_rig_teardown(&rig);
}

/* The shim has said nothing yet. */
static void start(void) {
    control = keeper_rig_start_open(&rig, &job);
}

static void say(const char *text) {
    rig_shim_say(control, text);
    keeper_rig_settle(&rig);
}

static void begin(void) {
    start();
    say(READY);
}

static void end(void) {
    rig_shim_say(control, "EXIT_CODE=0\n");
    keeper_rig_until_ended(&rig, &job);
}

/* ---- writes ---- */

typedef struct Write {
    StdinWrite write;
    bool done;
    int error;
} Write;

static void on_done(StdinWrite *w, int error) {
    Write *write = CONTAINER_OF(w, Write, write);

    ck_assert(!write->done);
    write->done = true;
    write->error = error;
}

static int put(Write *w, const void *data, size_t size) {
    *w = (Write){.write = {.data = data, .size = size, .done = on_done}};
    return exec_job_write(job.job, &w->write);
}

static int put_end(Write *w) {
    *w = (Write){.write = {.close = true, .done = on_done}};
    return exec_job_write(job.job, &w->write);
}

static void expect_packet(const void *data, size_t size) {
    char packet[FIELDS_MAX];
    ssize_t n = recv(control, packet, sizeof(packet), MSG_DONTWAIT);

    ck_assert_int_eq(n, (ssize_t)size);
    ck_assert_mem_eq(packet, data, size);
}

static void expect_nothing(void) {
    char byte;

    ck_assert_int_eq(recv(control, &byte, 1, MSG_DONTWAIT), -1);
}

/* Reads bytes until there are none; gives how many. */
static size_t hear_bytes(void) {
    char packet[FIELDS_MAX];
    size_t size = 0;

    for (ssize_t n; (n = recv(control, packet, sizeof(packet), MSG_DONTWAIT)) > 0;) {
        ck_assert_mem_eq(packet, SHIM_STDIN "=", PREFIX);
        size += (size_t)n - PREFIX;
    }
    return size;
}

/* ---- tests ---- */

/* All of it waits until the shim has told that it takes bytes, and goes in its order. */
START_TEST(test_order) {
    Write one, two, last;

    start();
    ck_assert_int_eq(put(&one, "\0a", 2), 0);
    ck_assert_int_eq(exec_job_send(job.job, "line"), 0);
    ck_assert_int_eq(put(&two, "b\n", 2), 0);
    ck_assert_int_eq(put_end(&last), 0);
    expect_nothing();
    say(READY);
    ck_assert(one.done && one.error == 0 && two.done && two.error == 0 && last.done);
    expect_packet("STDIN=\0a", 8);
    expect_packet("MESSAGE=line\n", 13);
    expect_packet("STDIN=b\n", 8);
    expect_packet("STDIN_END=1\n", 12);
    expect_nothing();
    end();
    shim_rig_expect(&job, (const char *const[]){"started 4711", "stdin 2", "stdin 4",
                                                "ended succeeded 0 exit code 0", NULL});
}
END_TEST

START_TEST(test_at_once) {
    Write w;

    begin();
    ck_assert_int_eq(put(&w, "x", 1), 1);
    ck_assert_int_eq(put(&w, NULL, 0), 1);
    ck_assert_int_eq(put_end(&w), 1);
    expect_packet("STDIN=x", 7);
    expect_packet("STDIN_END=1\n", 12);
    expect_nothing();
    ck_assert(!w.done);
    /* Behind the end comes nothing, and to end it again does no harm. */
    ck_assert_int_eq(put(&w, "x", 1), -ESHUTDOWN);
    ck_assert_int_eq(exec_job_send(job.job, "line"), -ESHUTDOWN);
    ck_assert_int_eq(put_end(&w), 1);
    expect_nothing();
    end();
}
END_TEST

/* No more than the shim keeps; what is taken makes room for as much. */
START_TEST(test_window) {
    static char data[MIB];
    size_t heard = 0;
    char text[128];
    Write w, next;

    begin();
    ck_assert_int_eq(put(&w, data, sizeof(data)), 0);
    for (size_t n; (n = hear_bytes()) > 0; keeper_rig_settle(&rig))
        heard += n;
    ck_assert_uint_le(heard, SHIM_STDIN_MAX);
    ck_assert_uint_gt(heard, SHIM_STDIN_MAX - 4 * KIB);
    ck_assert_uint_eq(w.write.sent, heard);
    /* There would be room for it, but it is not its turn. */
    ck_assert_int_eq(put(&next, "x", 1), 0);
    ck_assert_uint_eq(hear_bytes(), 0);
    /* For a few bytes nobody is woken up. */
    say(INBOX "STDIN_RECEIVED=261952\nSTDIN_TAKEN=10\n");
    ck_assert_uint_eq(hear_bytes(), 0);
    for (size_t taken = 100000; !next.done; taken += 100000) {
        snprintf(text, sizeof(text), INBOX "STDIN_RECEIVED=%zu\nSTDIN_TAKEN=%zu\n", heard, taken);
        say(text);
        for (size_t n; (n = hear_bytes()) > 0; keeper_rig_settle(&rig))
            heard += n;
        ck_assert_uint_le(heard, taken + SHIM_STDIN_MAX);
    }
    ck_assert_uint_eq(heard, sizeof(data) + 1);
    ck_assert(w.done && w.error == 0 && next.error == 0);
    end();
}
END_TEST

START_TEST(test_too_many) {
    static char data[SHIM_STDIN_MAX];
    Write first, waiting[STDIN_WRITES_MAX], more;

    begin();
    while (put(&first, data, sizeof(data)) > 0)
        hear_bytes();
    for (size_t i = 1; i < STDIN_WRITES_MAX; i++)
        ck_assert_int_eq(put(&waiting[i], "x", 1), 0);
    ck_assert_int_eq(put(&more, "x", 1), -ENOBUFS);
    ck_assert_int_eq(put_end(&more), -ENOBUFS);
    /* Neither has it ended, nor do messages count among them. */
    ck_assert_int_eq(exec_job_send(job.job, "line"), 0);
    end();
    ck_assert(first.done && first.error == -ESRCH);
    ck_assert_uint_ge(first.write.sent, 1);
    for (size_t i = 1; i < STDIN_WRITES_MAX; i++)
        ck_assert(waiting[i].done && waiting[i].error == -ESRCH);
}
END_TEST

/* Whoever left is passed over, and what he had sent stays sent. */
START_TEST(test_drop) {
    Write one, two, last;

    start();
    ck_assert_int_eq(put(&one, "one", 3), 0);
    ck_assert_int_eq(put(&two, "two", 3), 0);
    ck_assert_int_eq(put_end(&last), 0);
    exec_job_drop_write(job.job, &one.write);
    exec_job_drop_write(job.job, &last.write);
    say(READY);
    expect_packet("STDIN=two", 9);
    expect_nothing();
    ck_assert(!one.done && two.done && !last.done);
    ck_assert_int_eq(put(&one, "x", 1), 1); /* it is not ended */
    end();
}
END_TEST

/* Who is told that it is closed can rely on that, whoever else has wanted it. */
START_TEST(test_drop_of_an_end) {
    Write one, late, first, second;

    start();
    ck_assert_int_eq(put(&one, "x", 1), 0);
    ck_assert_int_eq(put_end(&first), 0);
    ck_assert_int_eq(put_end(&second), 0);
    exec_job_drop_write(job.job, &first.write);
    ck_assert_int_eq(put(&late, "y", 1), -ESHUTDOWN);
    say(READY);
    ck_assert(second.done && second.error == 0);
    expect_packet("STDIN=x", 7);
    expect_packet("STDIN_END=1\n", 12);
    expect_nothing();
    ck_assert_int_eq(put_end(&first), 1);
    end();
}
END_TEST

START_TEST(test_closed) {
    Write one, two;

    start();
    ck_assert_int_eq(put(&one, "one", 3), 0);
    ck_assert_int_eq(exec_job_send(job.job, "line"), 0);
    say("STARTED=4711\n" INBOX "STDIN_RECEIVED=0\nSTDIN_TAKEN=0\nSTDIN_CLOSED=1\n");
    ck_assert(one.done && one.error == -EPIPE);
    expect_nothing();
    ck_assert_int_eq(put(&two, "x", 1), -EPIPE);
    ck_assert_int_eq(put_end(&two), 1);
    end();
}
END_TEST

/* Of a version that takes messages alone, and of one before that. */
static const char *const older[] = {"STARTED=4711\n" INBOX, "STARTED=4711\n"};

START_TEST(test_older_shim) {
    Write one, two;

    start();
    ck_assert_int_eq(put(&one, "one", 3), 0);
    ck_assert_int_eq(exec_job_send(job.job, "line"), 0);
    say(older[_i]);
    ck_assert(one.done && one.error == -EOPNOTSUPP);
    if (_i == 0)
        expect_packet("MESSAGE=line\n", 13);
    expect_nothing();
    ck_assert_int_eq(put(&two, "x", 1), -EOPNOTSUPP);
    ck_assert_int_eq(put_end(&two), -EOPNOTSUPP);
    end();
}
END_TEST

/* ---- the next daemon ---- */

static int adopt(void) {
    int listener = rig_task_listen(7);

    ck_assert_int_eq(shim_executor_connect(rig.executor), 0);
    ck_assert_int_eq(keeper_rig_adopt(&rig, &job, 7), 0);
    control = accept(listener, NULL, NULL);
    ck_assert_int_ge(control, 0);
    return listener;
}

/* It knows before anybody asks how much was written, and goes on from there. */
START_TEST(test_adopt) {
    int listener = adopt();
    Write w;

    rig_shim_say(control,
                 "STARTED=4711\n" INBOX "STDIN_RECEIVED=5000000000\nSTDIN_TAKEN=5000000000\n");
    shim_executor_learn_stdin(rig.executor, 20 * USEC_PER_SEC);
    ck_assert_str_eq(shim_rig_last(&job), "stdin 5000000000");
    ck_assert_int_eq(put(&w, "x", 1), 1);
    expect_packet("STDIN=x", 7);
    keeper_rig_until_event(&rig, &job, "started 4711");
    ck_assert_int_eq(put(&w, "y", 1), 1);
    end();
    shim_rig_expect(&job, (const char *const[]){"stdin 5000000000", "stdin 5000000001",
                                                "started 4711", "stdin 5000000002",
                                                "ended succeeded 0 exit code 0", NULL});
    close(control);
    close(listener);
}
END_TEST

/* A shim that says nothing is not waited for. */
START_TEST(test_adopt_silent) {
    int listener = adopt();
    Write w;

    shim_executor_learn_stdin(rig.executor, 0);
    ck_assert_str_eq(shim_rig_last(&job), "stdin 18446744073709551615");
    ck_assert_int_eq(put(&w, "x", 1), 0);
    say("STARTED=4711\n" INBOX "STDIN_RECEIVED=7\nSTDIN_TAKEN=0\nSTDIN_ENDED=1\n");
    ck_assert(w.done);
    ck_assert_int_eq(put(&w, "x", 1), -ESHUTDOWN);
    ck_assert_int_eq(put_end(&w), 1);
    end();
    close(control);
    close(listener);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("exec-stdin");
    TCase *t = tcase_create("exec-stdin");

    unit_use_dir(t);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_order);
    tcase_add_test(t, test_at_once);
    tcase_add_test(t, test_window);
    tcase_add_test(t, test_too_many);
    tcase_add_test(t, test_drop);
    tcase_add_test(t, test_drop_of_an_end);
    tcase_add_test(t, test_closed);
    tcase_add_loop_test(t, test_older_shim, 0, ELEMENTSOF(older));
    tcase_add_test(t, test_adopt);
    tcase_add_test(t, test_adopt_silent);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
