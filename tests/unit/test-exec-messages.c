/* Messages to a command and from it, seen from the daemon, with a stand-in for the shim. */

#include <errno.h>

#include "common/cleanup.h"
#include "common/message-queue.h"
#include "tests/unit/keeper-rig.h"
#include "tests/unit/unit.h"

static KeeperRig rig;
static ShimRigJob job;

static void setup(void) {
    keeper_rig_setup(&rig);
}

static void teardown(void) {
    shim_rig_done(&job);
    keeper_rig_teardown(&rig);
}

static void expect_heard(int fd, const char *text) {
    _cleanup_free_ char *heard = rig_shim_hear(fd);

    if (text)
        ck_assert_str_eq(strempty(heard), text);
    else
        ck_assert_ptr_null(heard);
}

/* They wait until the shim has told that it takes some, then come in their order. */
START_TEST(test_send) {
    int control = keeper_rig_start_open(&rig, &job);

    ck_assert_int_eq(exec_job_send(job.job, "one"), 0);
    keeper_rig_settle(&rig);
    expect_heard(control, NULL);
    rig_shim_say(control, "STARTED=4711\nMESSAGES_RECEIVED=0\nMESSAGES_TAKEN=0\n");
    keeper_rig_until_event(&rig, &job, "started 4711");
    expect_heard(control, "MESSAGE=one\n");
    ck_assert_int_eq(exec_job_send(job.job, "two = 2"), 0);
    expect_heard(control, "MESSAGE=two = 2\n");
    rig_shim_say(control, "EXIT_CODE=0\n");
    keeper_rig_until_ended(&rig, &job);
}
END_TEST

static void fill(unsigned n) {
    for (unsigned i = 0; i < n; i++)
        ck_assert_int_eq(exec_job_send(job.job, "text"), 0);
    ck_assert_int_eq(exec_job_send(job.job, "one too many"), -ENOBUFS);
}

START_TEST(test_inbox_is_full) {
    int control = keeper_rig_start_open(&rig, &job);

    fill(MESSAGE_QUEUE_MAX); /* here */
    rig_shim_say(control, "STARTED=4711\nMESSAGES_RECEIVED=0\nMESSAGES_TAKEN=0\n");
    keeper_rig_until_event(&rig, &job, "started 4711");
    ck_assert_int_eq(exec_job_send(job.job, "one too many"), -ENOBUFS); /* there */
    rig_shim_say(control, "MESSAGES_RECEIVED=100\nMESSAGES_TAKEN=3\n");
    rig_shim_say(control, "STATUS=told\n");
    keeper_rig_until_event(&rig, &job, "status told");
    fill(3);
    /* What the pipe cannot take is of no use when nobody reads it. */
    rig_shim_say(control, "MESSAGES_RECEIVED=103\nMESSAGES_TAKEN=103\nSTDIN_CLOSED=1\n");
    rig_shim_say(control, "STATUS=closed\n");
    keeper_rig_until_event(&rig, &job, "status closed");
    ck_assert_int_eq(exec_job_send(job.job, "text"), -EPIPE);
    rig_shim_say(control, "EXIT_CODE=0\n");
    keeper_rig_until_ended(&rig, &job);
}
END_TEST

START_TEST(test_takes_no_messages) {
    int control = keeper_rig_start_ordered(&rig, &job);

    ck_assert_int_eq(exec_job_send(job.job, "text"), -EOPNOTSUPP);
    rig_shim_say(control, "EXIT_CODE=0\n");
    keeper_rig_until_ended(&rig, &job);
}
END_TEST

/* A shim of a version before that tells nothing of an inbox: it would pass over what it is sent. */
START_TEST(test_older_shim) {
    int control = keeper_rig_start_open(&rig, &job);

    ck_assert_int_eq(exec_job_send(job.job, "text"), 0);
    rig_shim_say(control, "STARTED=4711\n");
    keeper_rig_until_event(&rig, &job, "started 4711");
    expect_heard(control, NULL);
    ck_assert_int_eq(exec_job_send(job.job, "text"), -EOPNOTSUPP);
    rig_shim_say(control, "EXIT_CODE=0\n");
    keeper_rig_until_ended(&rig, &job);
}
END_TEST

START_TEST(test_messages) {
    int control = keeper_rig_start_ordered(&rig, &job);

    rig_shim_say(control, "STARTED=4711\n");
    rig_shim_say(control, "X_LONGRUN_MESSAGE=one\nX_LONGRUN_MESSAGE=\nX_LONGRUN_MESSAGE=a=b\n"
                          "X_LONGRUN_MESSAGE=no UTF-8: \xff\n");
    rig_shim_say(control, "MESSAGES_DROPPED=3\n");
    rig_shim_say(control, "EXIT_CODE=0\n");
    keeper_rig_until_ended(&rig, &job);
    shim_rig_expect(&job, (const char *const[]){"started 4711", "message one", "message ",
                                                "message a=b", "message no UTF-8: \uFFFD",
                                                "ended succeeded 0 exit code 0", NULL});
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("exec-messages");
    TCase *t = tcase_create("exec-messages");

    unit_use_dir(t);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_send);
    tcase_add_test(t, test_inbox_is_full);
    tcase_add_test(t, test_takes_no_messages);
    tcase_add_test(t, test_older_shim);
    tcase_add_test(t, test_messages);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
