/* What the shim reads from the command's output, and what comes of NOTIFY_SOCKET beside it. */

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "tests/integration/test-shim.h"

/* Until it waits for somebody to write to "go". */
static void start_waiting(const char *script) {
    char text[2048];

    ck_assert_int_lt(snprintf(text, sizeof(text), "%s; read x < go", script), (int)sizeof(text));
    rig_make_fifo(&rig, "go");
    rig_start_shell(&rig, text);
}

static void check_told(const char *source, double fraction, const char *phase) {
    rig_wait_for(&rig, SHIM_PROGRESS_SOURCE);
    while (atof(strempty(rig_value(&rig, NOTIFY_PROGRESS))) < fraction - 1e-6)
        ck_assert(rig_receive(&rig));
    ck_assert_str_eq(rig_value(&rig, SHIM_PROGRESS_SOURCE), source);
    ck_assert_double_eq_tol(atof(rig_value(&rig, NOTIFY_PROGRESS)), fraction, 1e-6);
    ck_assert_str_eq(strempty(rig_value(&rig, NOTIFY_PHASE)), phase);
    ck_assert_ptr_null(rig_value(&rig, SHIM_EXIT_CODE));
}

static void finish(void) {
    rig_write_fifo(&rig, "go");
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 0);
}

static void check_record_has(const char *line) {
    _cleanup_free_ char *record = rig_read_record(&rig, RIG_TASK_ID);

    if (!strstr(record, line))
        ck_abort_msg("no \"%s\" in \"%s\"", line, record);
}

static const struct {
    const char *script, *source;
    double fraction;
    const char *phase;
} scripts[] = {
    {"echo 10%; echo 20%", "percent", 0.2, ""},
    {"printf '\\r10%%'; printf '\\r20%%'", "percent", 0.2, ""}, /* in a line that has no end yet */
    {"echo '[1/4]' >&2; echo noise; echo '[3/4]' >&2; echo more noise", "counter", 0.75, ""},
    {"printf '\\033]9;4;1;30\\033\\\\'", "osc", 0.3, ""},
    {"printf '\\033]9;4;1;30\\a'; echo 80%; echo 90%", "osc", 0.3, ""},
    {"printf '50%%\\n100%%\\n100%%\\n0%%\\n5%%\\n'", "percent", 0.05, "part 2"},
    {"echo 10%; echo 20%; systemd-notify X_LONGRUN_PROGRESS=60", "notify", 0.6, ""},
    {"systemd-notify X_LONGRUN_PHASE=fetch; echo 10%; echo 20%", "percent", 0.2, "fetch"},
};

START_TEST(test_scripts) {
    char line[64];

    start_waiting(scripts[_i].script);
    check_told(scripts[_i].source, scripts[_i].fraction, scripts[_i].phase);
    /* To whoever comes, too. */
    rig_take_up(&rig);
    check_told(scripts[_i].source, scripts[_i].fraction, scripts[_i].phase);
    finish();
    snprintf(line, sizeof(line), "\n" NOTIFY_PROGRESS "=%.6f\n", scripts[_i].fraction);
    check_record_has(line);
}
END_TEST

/* The last word may come with the last byte. */
START_TEST(test_end) {
    rig_start_shell(&rig, "printf '[1/4]\\n[2/4]\\n[3/4]'");
    rig_finish(&rig);
    check_record_has(NOTIFY_DONE "=3\n");
    check_record_has(SHIM_PROGRESS_SOURCE "=counter\n");
    check_record_has(NOTIFY_TOTAL "=4\n");
    ck_assert_str_eq(rig_value(&rig, NOTIFY_DONE), "3");
}
END_TEST

START_TEST(test_nothing) {
    rig_start_shell(&rig, "echo hello; echo world; systemd-notify --status=x");
    rig_finish(&rig);
    ck_assert_ptr_null(rig_value(&rig, SHIM_PROGRESS_SOURCE));
    ck_assert_ptr_null(rig_value(&rig, NOTIFY_PROGRESS));
}
END_TEST

/* Before, within and behind so much output that most of it is not looked at. */
START_TEST(test_flood) {
    start_waiting("echo 10%; echo 20%; yes 'a line of a log, number 7' | head -c 40000000; "
                  "echo; echo 30%; yes | head -c 40000000; echo 40%");
    check_told("percent", 0.4, "");
    finish();
}
END_TEST

/* Every change is not told, but 20 a second. */
START_TEST(test_is_coalesced) {
    uint64_t begin = clock_usec(CLOCK_MONOTONIC);

    rig_start_shell(&rig,
                    "i=0; while [ $i -lt 1000 ]; do i=$((i + 1)); printf '\\r[%d/1000]' $i; done");
    rig_finish(&rig);
    uint64_t used = clock_usec(CLOCK_MONOTONIC) - begin;
    check_record_has(NOTIFY_DONE "=1000\n");
    /* Start, end, the rest, and 20 a second of each: the size of the log, and progress. */
    ck_assert_uint_le(rig.messages, 5 + 2 * used / (50 * USEC_PER_MSEC));
}
END_TEST

/* ---- sd_notify(3) ---- */

/* It waits until it was heard, and up to 5 s if nobody says so; so that a shell that ends at once
 * does not say it to nobody. */
START_TEST(test_systemd_notify) {
    uint64_t begin = clock_usec(CLOCK_MONOTONIC);

    rig_start_shell(&rig, "systemd-notify --ready --status=done X_LONGRUN_DONE=3 X_LONGRUN_TOTAL=4 "
                          "X_LONGRUN_UNIT=bytes X_LONGRUN_PHASE=second");
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 0);
    ck_assert_uint_lt(clock_usec(CLOCK_MONOTONIC) - begin, 4 * USEC_PER_SEC);
    ck_assert_str_eq(strempty(rig_value(&rig, NOTIFY_STATUS)), "done");
    ck_assert_str_eq(strempty(rig_value(&rig, NOTIFY_DONE)), "3");
    ck_assert_str_eq(strempty(rig_value(&rig, NOTIFY_TOTAL)), "4");
    ck_assert_str_eq(strempty(rig_value(&rig, NOTIFY_UNIT)), NOTIFY_UNIT_BYTES);
    ck_assert_str_eq(strempty(rig_value(&rig, NOTIFY_PHASE)), "second");
    ck_assert_str_eq(strempty(rig_value(&rig, SHIM_PROGRESS_SOURCE)), "notify");
}
END_TEST

/* Whichever process of the task says it. */
START_TEST(test_any_process) {
    rig_start_shell(&rig, "(setsid sh -c '(systemd-notify --status=far X_LONGRUN_PROGRESS=30)' &)");
    rig_finish(&rig);
    ck_assert_str_eq(strempty(rig_value(&rig, NOTIFY_STATUS)), "far");
    ck_assert_str_eq(strempty(rig_value(&rig, NOTIFY_PROGRESS)), "0.300000");
}
END_TEST

static const char *const timeouts[] = {SHIM_SPEC_TIMEOUT, SHIM_SPEC_IDLE_TIMEOUT};

START_TEST(test_extended_timeout) {
    rig_add(&rig, timeouts[_i], "400000");
    rig_start_shell(&rig, "systemd-notify EXTEND_TIMEOUT_USEC=600000000; sleep 0.6");
    rig_finish(&rig);
    ck_assert_ptr_null(rig_value(&rig, SHIM_LIMIT));
    rig_check_end(&rig, SHIM_EXIT_CODE, 0);
}
END_TEST

/* It holds for as long as it was asked for. */
START_TEST(test_extension_ends) {
    rig_add(&rig, SHIM_SPEC_IDLE_TIMEOUT, "100000");
    rig_start_shell(&rig, "systemd-notify EXTEND_TIMEOUT_USEC=500000; exec sleep 1000");
    rig_finish(&rig);
    ck_assert_str_eq(strempty(rig_value(&rig, SHIM_LIMIT)), "idle-timeout");
    ck_assert_int_ge(atoi(strempty(rig_value(&rig, SHIM_LIMIT_REACHED))), 500000);
}
END_TEST

START_TEST(test_extended_stop) {
    rig_add(&rig, SHIM_SPEC_STOP_TIMEOUT, "400000");
    rig_start_shell(
        &rig,
        "trap 'systemd-notify EXTEND_TIMEOUT_USEC=600000000; sleep 0.6; exit 3' TERM; echo ready; "
        "while :; do sleep 0.01; done");
    rig_wait_log(&rig, 6);
    rig_send(&rig, SHIM_CANCEL "=1\n");
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 3);
    ck_assert_ptr_null(rig_value(&rig, SHIM_KILLED));
}
END_TEST

static void say(const char *text) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s/task-%d/" SHIM_NOTIFY_NAME, rig.run,
             RIG_TASK_ID);
    ck_assert_int_eq(
        sendto(fd, text, strlen(text), 0, (struct sockaddr *)&address, sizeof(address)),
        (int)strlen(text));
}

/* What was asked for before the cancel, though both are read at once, is no time to end. */
START_TEST(test_extended_before_stop) {
    rig_add(&rig, SHIM_SPEC_STOP_TIMEOUT, "100000");
    rig_start_shell(&rig, "trap '' TERM; echo ready; exec sleep 1000");
    rig_wait_log(&rig, 6);
    kill(rig.shim, SIGSTOP);
    rig_wait_state(rig.shim, 'T');
    say(NOTIFY_EXTEND_TIMEOUT "=600000000");
    rig_send(&rig, SHIM_CANCEL "=1\n");
    kill(rig.shim, SIGCONT);
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_KILLED, 1);
}
END_TEST

TCase *tcase_shim_progress(void) {
    TCase *tc = tcase_create("progress");

    tcase_add_loop_test(tc, test_scripts, 0, ELEMENTSOF(scripts));
    tcase_add_test(tc, test_end);
    tcase_add_test(tc, test_nothing);
    tcase_add_test(tc, test_flood);
    tcase_add_test(tc, test_is_coalesced);
    tcase_add_test(tc, test_systemd_notify);
    tcase_add_test(tc, test_any_process);
    tcase_add_loop_test(tc, test_extended_timeout, 0, ELEMENTSOF(timeouts));
    tcase_add_test(tc, test_extension_ends);
    tcase_add_test(tc, test_extended_stop);
    tcase_add_test(tc, test_extended_before_stop);
    return tc;
}
