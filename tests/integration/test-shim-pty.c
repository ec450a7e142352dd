/* A terminal for the command. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "tests/integration/test-shim.h"

#define CANCEL_MESSAGE SHIM_CANCEL "=1\n"

static void prepare(const char *size) {
    rig_add(&rig, SHIM_SPEC_CWD, "%s", rig.dir);
    rig_add(&rig, SHIM_SPEC_ENV, "PATH=/usr/bin:/bin");
    rig_add(&rig, SHIM_SPEC_TERMINAL, "%s", size);
}

static void start_shell(const char *script) {
    prepare("80x24");
    rig_shell(&rig, script);
    rig_start(&rig);
}

/* All of it is of one stream. */
static void check_stdout_alone(void) {
    size_t n;
    _cleanup_free_ LogIndexEntry *index = rig_read_index(&rig, &n);

    for (size_t i = 0; i < n; i++)
        ck_assert_int_eq(log_index_entry_stream(&index[i]), LOG_STREAM_STDOUT);
}

/* ---- what the command finds ---- */

START_TEST(test_terminal) {
    start_shell("for fd in 0 1 2; do test -t $fd && echo $fd; done; echo error >&2; "
                "test \"$(tty <&2)\" = \"$(readlink /proc/self/fd/2)\" && echo same; "
                "cat; stty size </dev/tty; echo $TERM; echo to the terminal >/dev/tty; "
                "echo columns=$COLUMNS lines=$LINES");
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 0);
    rig_check_log(&rig,
                  "1\n2\nerror\nsame\n24 80\nxterm-256color\nto the terminal\ncolumns= lines=\n");
    check_stdout_alone();
}
END_TEST

static const struct {
    const char *terminal, *expected; /* NULL: that is none */
} sizes[] = {
    {"80x24", "24 80\n"}, {"1x1", "1 1\n"},  {"65535x65535", "65535 65535\n"},
    {"65536x24", NULL},   {"80x0", NULL},    {"0x24", NULL},
    {"80", NULL},         {"80x24x1", NULL}, {"-1x24", NULL},
    {"80x", NULL},        {"", NULL},
};

START_TEST(test_size) {
    prepare(sizes[_i].terminal);
    rig_shell(&rig, "stty size <&1");
    rig_start(&rig);
    rig_finish(&rig);
    if (sizes[_i].expected)
        rig_check_log(&rig, sizes[_i].expected);
    else
        rig_check_end(&rig, SHIM_EXEC_ERRNO, EINVAL);
}
END_TEST

static const char *const terms[][2] = {
    {"TERM=vt100", "vt100\n"},
    {"TERM=", "xterm-256color\n"},
    {"TERMINAL=vt100", "xterm-256color\n"},
};

START_TEST(test_term) {
    rig_add(&rig, SHIM_SPEC_ENV, "%s", terms[_i][0]);
    start_shell("echo $TERM");
    rig_finish(&rig);
    rig_check_log(&rig, terms[_i][1]);
}
END_TEST

START_TEST(test_no_other_descriptors) {
    prepare("80x24");
    rig_command(&rig, "fds", "");
    rig_start(&rig);
    rig_finish(&rig);
    rig_check_log(&rig, "0 1 2 ");
}
END_TEST

/* A job in the foreground has the terminal, the shell has it back after it, one in the background
 * goes on. */
START_TEST(test_job_control) {
    start_shell(
        "own() { read -r pid comm state parent group session tty front rest; "
        "test $group = $front && echo front || echo back; test $session = $1 && echo mine; }; "
        "set -m; "
        "sh -c 'exec cat /proc/$$/stat' | own $$; sh -c 'exec cat /proc/$$/stat' > stat; "
        "own $$ < stat; own $$ < /proc/$$/stat; sleep 0.01 & wait; echo waited; "
        "sh -c 'kill -STOP $$; echo went on'; fg >/dev/null; echo end");
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 0);
    size_t size;
    _cleanup_free_ char *log = rig_read_log(&rig, &size);
    ck_assert_msg(strncmp(log, "front\nmine\nfront\nmine\nfront\nmine\n", 33) == 0, "%s", log);
    const char *waited = strstr(log, "waited\n"), *on = strstr(log, "went on\n");
    ck_assert_msg(waited && on && strstr(on, "end\n"), "%s", log);
}
END_TEST

/* ---- its input ---- */

START_TEST(test_stdin_data) {
    rig.stdin_data = "one\ntwo";
    rig.stdin_size = strlen("one\ntwo");
    start_shell("test -t 0 || echo no; cat");
    rig_finish(&rig);
    rig_check_log(&rig, "no\none\ntwo");
}
END_TEST

/* What was the job's stdin is typed first; all is echoed, and can be edited. */
START_TEST(test_typing) {
    rig.stdin_data = "one\n";
    rig.stdin_size = strlen("one\n");
    rig_add(&rig, SHIM_SPEC_STDIN_OPEN, "1");
    start_shell("read -r x; test -t 0 && echo yes; echo \"[$x]\"; read -r y; echo \"[$y]\"; "
                "stty -echo; echo silent; read -r z </dev/tty; echo \"[$z]\"");
    rig_wait_log(&rig, strlen("one\nyes\n[one]\n"));
    rig_send_text(&rig, "twx\177o");
    rig_wait_log(&rig, strlen("one\nyes\n[one]\ntwx\b \bo\n[two]\nsilent\n"));
    rig_send_text(&rig, "three");
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 0);
    rig_check_log(&rig, "one\nyes\n[one]\ntwx\b \bo\n[two]\nsilent\n[three]\n");
}
END_TEST

/* ---- its output ---- */

static void check_pattern(size_t wanted) {
    size_t size;
    _cleanup_free_ char *log = rig_read_log(&rig, &size);

    ck_assert_uint_eq(size, wanted);
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)log[i] != rig_pattern(i))
            ck_abort_msg("byte %zu is another one", i);
}

static const size_t amounts[] = {1, 4095, 4096, 20000, 20000000};

/* Every byte, also of what the kernel still has when the last process ends. */
START_TEST(test_every_byte) {
    char amount[32];

    prepare("80x24");
    snprintf(amount, sizeof(amount), "%zu", amounts[_i]);
    rig_command(&rig, "pattern", amount);
    rig_start(&rig);
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 0);
    check_pattern(amounts[_i]);
    check_stdout_alone();
}
END_TEST

/* Nobody has the terminal open for a while: that is no end, and nothing to do. */
START_TEST(test_closed_for_a_while) {
    rig_make_fifo(&rig, "go");
    start_shell("echo bye; exec >/dev/null 2>&1; read x < go; echo back >/dev/tty");
    rig_wait_log(&rig, 4);
    rig_check_idle(&rig);
    rig_write_fifo(&rig, "go");
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 0);
    rig_check_log(&rig, "bye\nback\n");
}
END_TEST

/* The next daemon finds all of it. */
START_TEST(test_daemon_is_away) {
    rig_make_fifo(&rig, "go");
    rig_make_fifo(&rig, "end");
    start_shell("echo one; read x < go; echo two; read x < end; echo three; tty <&1 >/dev/null");
    rig_wait_log(&rig, 4);
    rig.control = close_fd(rig.control);
    rig_write_fifo(&rig, "go");
    rig_take_up(&rig);
    rig_wait_log(&rig, 8);
    rig_write_fifo(&rig, "end");
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 0);
    rig_check_log(&rig, "one\ntwo\nthree\n");
}
END_TEST

/* ---- its end ---- */

/* As when a terminal is closed: what is in the foreground ends with the leader. */
START_TEST(test_hangup) {
    start_shell("sleep 1000 & exit 4");
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 4);
}
END_TEST

/* What does not mind goes on, prints on, and is waited for. */
START_TEST(test_survivor) {
    rig_make_fifo(&rig, "end");
    rig_make_fifo(&rig, "go");
    start_shell("trap '' HUP; { read x < go; echo late; } & read x < end; echo main; exit 4");
    rig_wait_for(&rig, SHIM_STARTED);
    rig_write_fifo(&rig, "end");
    rig_wait_for(&rig, SHIM_MAIN_EXITED);
    rig_wait_log(&rig, 5);
    rig_check_idle(&rig);
    rig_write_fifo(&rig, "go");
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 4);
    rig_check_log(&rig, "main\nlate\n");
}
END_TEST

START_TEST(test_cancel) {
    start_shell("trap 'echo term; exit 6' TERM; setsid sh -c 'echo ready; exec sleep 1000' & "
                "while :; do sleep 0.01; done");
    rig_wait_log(&rig, 6);
    rig_send(&rig, CANCEL_MESSAGE);
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 6);
    rig_check_end(&rig, SHIM_CANCELLED, 1);
}
END_TEST

static void wait_paused(const char *value) {
    while (!rig_value(&rig, SHIM_PAUSED) || !streq(rig_value(&rig, SHIM_PAUSED), value))
        ck_assert(rig_receive(&rig));
}

START_TEST(test_kill_and_pause) {
    rig_make_fifo(&rig, "go");
    start_shell("trap 'echo int' INT; read x < go; echo $x on; kill -INT $$; exit 5");
    rig_wait_for(&rig, SHIM_STARTED);
    rig_send(&rig, SHIM_PAUSE "=1\n");
    rig_wait_for(&rig, SHIM_PAUSED);
    rig_check_idle(&rig);
    rig_send(&rig, SHIM_PAUSE "=0\n");
    rig_write_fifo(&rig, "go");
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 5);
    rig_check_log(&rig, "on\nint\n");
}
END_TEST

/* A shell does not take the stop of its job for ^Z. */
START_TEST(test_pause_of_a_job) {
    rig_make_fifo(&rig, "up");
    rig_make_fifo(&rig, "go");
    start_shell("set -m; sh -c 'read x < up; read x < go'; echo $?");
    rig_wait_for(&rig, SHIM_STARTED);
    rig_write_fifo(&rig, "up");
    for (int i = 0; i < 20; i++) {
        rig_send(&rig, SHIM_PAUSE "=1\n");
        wait_paused("1");
        rig_send(&rig, SHIM_PAUSE "=0\n");
        wait_paused("0");
    }
    rig_write_fifo(&rig, "go");
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 0);
    rig_check_log(&rig, "0\n");
}
END_TEST

/* Even one that hangs up its own terminal, as login(1) does, leaves nothing to turn in circles
 * about. */
START_TEST(test_hangs_up_itself) {
    rig_make_fifo(&rig, "go");
    rig_make_fifo(&rig, "up");
    rig_make_fifo(&rig, "done");
    if (geteuid() != 0) {
        fprintf(stderr, "SKIP test_hangs_up_itself: vhangup(2) needs root\n");
        return;
    }
    prepare("80x24");
    rig_command(&rig, "hang-up", "");
    rig_start(&rig);
    rig_wait_log(&rig, strlen("before\n"));
    rig_write_fifo(&rig, "up");
    rig_write_fifo(&rig, "done");
    rig_check_idle(&rig);
    rig_write_fifo(&rig, "go");
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 0);
    rig_check_log(&rig, "before\n");
}
END_TEST

/* ---- where there is none ---- */

static bool mount_on_pts(const char *type, const char *options) {
    if (unshare(CLONE_NEWNS) >= 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) >= 0 &&
        mount(type, "/dev/pts", type, 0, options) >= 0)
        return true;
    fprintf(stderr, "SKIP: another /dev/pts: %m\n");
    return false;
}

static void check_no_terminal(void) {
    start_shell("echo never");
    rig_finish(&rig);
    ck_assert_ptr_nonnull(rig_end(&rig, SHIM_EXEC_ERRNO));
    ck_assert_str_eq(strempty(rig_end(&rig, SHIM_EXEC_STEP)), SHIM_STEP_TERMINAL);
    rig_check_log(&rig, "");
}

/* There is one, and it is taken. */
START_TEST(test_no_more) {
    if (!mount_on_pts("devpts", "max=1"))
        return;
    _cleanup_close_ int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    check_no_terminal();
    rig_check_end(&rig, SHIM_EXEC_ERRNO, ENOSPC);
}
END_TEST

START_TEST(test_not_mounted) {
    if (mount_on_pts("tmpfs", NULL))
        check_no_terminal();
}
END_TEST

TCase *tcase_shim_pty(void) {
    TCase *tc = tcase_create("pty");

    tcase_add_test(tc, test_terminal);
    tcase_add_loop_test(tc, test_size, 0, ELEMENTSOF(sizes));
    tcase_add_loop_test(tc, test_term, 0, ELEMENTSOF(terms));
    tcase_add_test(tc, test_no_other_descriptors);
    tcase_add_test(tc, test_job_control);
    tcase_add_test(tc, test_stdin_data);
    tcase_add_test(tc, test_typing);
    tcase_add_loop_test(tc, test_every_byte, 0, ELEMENTSOF(amounts));
    tcase_add_test(tc, test_closed_for_a_while);
    tcase_add_test(tc, test_daemon_is_away);
    tcase_add_test(tc, test_hangup);
    tcase_add_test(tc, test_survivor);
    tcase_add_test(tc, test_cancel);
    tcase_add_test(tc, test_kill_and_pause);
    tcase_add_test(tc, test_pause_of_a_job);
    tcase_add_test(tc, test_hangs_up_itself);
    tcase_add_test(tc, test_no_more);
    tcase_add_test(tc, test_not_mounted);
    return tc;
}
