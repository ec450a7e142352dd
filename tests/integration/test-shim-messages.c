/* Messages to the command, through a stdin that stays open, and from it. */

#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/message-queue.h"
#include "tests/integration/test-shim.h"

/* ---- to the command ---- */

static void start_open(const char *script) {
    rig_add(&rig, SHIM_SPEC_STDIN_OPEN, "1");
    rig_start_shell(&rig, script);
}

START_TEST(test_lines) {
    start_open("while read -r line; do echo \"[$line]\"; [ \"$line\" = end ] && exit 3; done");
    rig_wait_for(&rig, SHIM_STARTED);
    ck_assert_uint_eq(rig.messages, 1);
    ck_assert_str_eq(strempty(rig_value(&rig, SHIM_MESSAGES_RECEIVED)), "0");
    ck_assert_str_eq(strempty(rig_value(&rig, SHIM_MESSAGES_TAKEN)), "0");
    rig_send_text(&rig, "one");
    rig_send_text(&rig, "a = b");
    rig_send_text(&rig, "");
    rig_wait_count(&rig, SHIM_MESSAGES_TAKEN, 3);
    rig_send_text(&rig, "end");
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 3);
    rig_check_log(&rig, "[one]\n[a = b]\n[]\n[end]\n");
}
END_TEST

/* The job's own stdin comes first, whole, however large it is. */
START_TEST(test_data_comes_first) {
    enum {
        SIZE = 300000
    };
    _cleanup_free_ char *data = malloc(SIZE);

    memset(data, 'x', SIZE);
    data[SIZE - 1] = '\n';
    rig.stdin_data = data;
    rig.stdin_size = SIZE;
    rig_make_fifo(&rig, "go");
    start_open("read x < go; read -r long; echo ${#long}; read -r line; echo $line");
    rig_wait_for(&rig, SHIM_STARTED);
    rig_send_text(&rig, "hello");
    rig_wait_count(&rig, SHIM_MESSAGES_RECEIVED, 1);
    ck_assert_uint_eq(rig_count(&rig, SHIM_MESSAGES_TAKEN), 0);
    rig_write_fifo(&rig, "go");
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 0);
    rig_check_log(&rig, "299999\nhello\n");
}
END_TEST

/* The pipe takes 64 KiB, and the shim keeps as many as are agreed upon: it goes on heeding orders,
 * and what is one too many is dropped. */
START_TEST(test_nobody_reads) {
    char text[MESSAGE_MAX + 1] = "";
    unsigned sent = 0;

    memset(text, 'x', MESSAGE_MAX);
    rig_make_fifo(&rig, "go");
    start_open("read x < go; wc");
    rig_wait_for(&rig, SHIM_STARTED);
    while (sent - rig_count(&rig, SHIM_MESSAGES_TAKEN) < MESSAGE_QUEUE_MAX) {
        rig_send_text(&rig, text);
        rig_wait_count(&rig, SHIM_MESSAGES_RECEIVED, ++sent);
    }
    uint64_t taken = rig_count(&rig, SHIM_MESSAGES_TAKEN);
    ck_assert_uint_ge(taken, 1);
    ck_assert_uint_lt(taken, 17);

    rig_send_text(&rig, "one too many");
    rig_wait_count(&rig, SHIM_MESSAGES_RECEIVED, sent + 1);
    ck_assert_uint_eq(rig_count(&rig, SHIM_MESSAGES_TAKEN), taken + 1);
    rig_write_fifo(&rig, "go");
    rig_wait_count(&rig, SHIM_MESSAGES_TAKEN, sent + 1);
    rig_send(&rig, SHIM_CANCEL "=1");
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_CANCELLED, 1);
}
END_TEST

START_TEST(test_reader_is_gone) {
    rig_make_fifo(&rig, "go");
    start_open("exec < /dev/null; read x < go");
    rig_wait_for(&rig, SHIM_STDIN_CLOSED);
    rig_send_text(&rig, "too late");
    rig_wait_count(&rig, SHIM_MESSAGES_RECEIVED, 1);
    ck_assert_uint_eq(rig_count(&rig, SHIM_MESSAGES_TAKEN), 1);
    ck_assert_str_eq(strempty(rig_value(&rig, SHIM_STDIN_CLOSED)), "1");
    rig_write_fifo(&rig, "go");
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 0);
}
END_TEST

/* As for a shim that knows nothing of messages. */
START_TEST(test_stdin_is_not_open) {
    rig_make_fifo(&rig, "go");
    rig_start_shell(&rig, "read x < go; wc -c");
    rig_wait_for(&rig, SHIM_STARTED);
    rig_send_text(&rig, "nobody reads it");
    rig_write_fifo(&rig, "go");
    rig_finish(&rig);
    rig_check_end(&rig, SHIM_EXIT_CODE, 0);
    ck_assert_ptr_null(rig_value(&rig, SHIM_MESSAGES_RECEIVED));
    rig_check_log(&rig, "0\n");
}
END_TEST

/* What the shim has is read though the daemon is gone, and the next one is told how many. */
START_TEST(test_messages_survive_the_daemon) {
    rig_make_fifo(&rig, "go");
    start_open("read x < go; read -r one; read -r two; read -r three; echo $one $two $three");
    rig_wait_for(&rig, SHIM_STARTED);
    rig_send_text(&rig, "one");
    rig_send_text(&rig, "two");
    rig_take_up(&rig);
    rig_wait_for(&rig, SHIM_STARTED);
    ck_assert_uint_eq(rig_count(&rig, SHIM_MESSAGES_RECEIVED), 2);
    rig_send_text(&rig, "three");
    rig_write_fifo(&rig, "go");
    rig_finish(&rig);
    rig_check_log(&rig, "one two three\n");
}
END_TEST

/* ---- from the command ---- */

static void start_command(const char *name, const char *arg) {
    rig_command(&rig, name, arg);
    rig_add(&rig, SHIM_SPEC_ENV, "PATH=/usr/bin:/bin");
    rig_start(&rig);
}

/* "1", "2", ... */
static void check_texts(size_t n) {
    ck_assert_uint_eq(rig.n_texts, n);
    for (size_t i = 0; i < n; i++)
        ck_assert_int_eq(atoi(rig.texts[i]), (int)i + 1);
}

/* In one datagram or in several: none takes the place of another. */
START_TEST(test_order) {
    static const char *const expected[] = {"1", "two words", "", "a=b", "4"};

    start_command("notify", "X_LONGRUN_MESSAGE=1\nSTATUS=on\nX_LONGRUN_MESSAGE=two words|"
                            "X_LONGRUN_MESSAGE=|STATUS=off\nX_LONGRUN_MESSAGE=a=b|"
                            "X_LONGRUN_MESSAGE=4");
    rig_finish(&rig);
    ck_assert_uint_eq(rig.n_texts, ELEMENTSOF(expected));
    for (size_t i = 0; i < ELEMENTSOF(expected); i++)
        ck_assert_str_eq(rig.texts[i], expected[i]);
    ck_assert_str_eq(strempty(rig_value(&rig, NOTIFY_STATUS)), "off");
    ck_assert_ptr_null(rig_value(&rig, SHIM_MESSAGES_DROPPED));
}
END_TEST

static const struct {
    const char *size;
    bool arrives;
} sizes[] = {{"4096", true}, {"4097", false}, {"8000", false}};

START_TEST(test_size) {
    start_command("long-message", sizes[_i].size);
    rig_finish(&rig);
    ck_assert_uint_eq(rig.n_texts, sizes[_i].arrives);
    if (sizes[_i].arrives)
        ck_assert_uint_eq(strlen(rig.texts[0]), MESSAGE_MAX);
    else
        ck_assert_uint_eq(rig_count(&rig, SHIM_MESSAGES_DROPPED), 1);
}
END_TEST

START_TEST(test_burst) {
    start_command("messages", "100");
    rig_finish(&rig);
    check_texts(100);
    ck_assert_ptr_null(rig_value(&rig, SHIM_MESSAGES_DROPPED));
}
END_TEST

/* The first ones come; after that so many a second, and it is told that there were more. */
START_TEST(test_flood) {
    uint64_t begin = clock_usec(CLOCK_MONOTONIC);

    start_command("messages", "20000");
    rig_finish(&rig);
    uint64_t used = clock_usec(CLOCK_MONOTONIC) - begin;
    rig_check_end(&rig, SHIM_EXIT_CODE, 0);
    ck_assert_uint_ge(rig.n_texts, MESSAGE_QUEUE_MAX);
    /* At the begin, while it ran, and what was left at the end. */
    ck_assert_uint_le(rig.n_texts, 2 * MESSAGE_QUEUE_MAX + 1 + used / NOTIFY_MESSAGE_INTERVAL_USEC);
    ck_assert_ptr_nonnull(rig_value(&rig, SHIM_MESSAGES_DROPPED));
    for (size_t i = 1; i < rig.n_texts; i++)
        ck_assert_int_lt(atoi(rig.texts[i - 1]), atoi(rig.texts[i]));
}
END_TEST

/* Not even at the end: the record tells the next daemon that there were some. */
START_TEST(test_nobody_there) {
    rig_make_fifo(&rig, "go");
    rig_make_fifo(&rig, "end");
    rig_start_shell(&rig, "read x < go; systemd-notify X_LONGRUN_MESSAGE=1; "
                          "systemd-notify X_LONGRUN_MESSAGE=2; read x < end");
    rig_wait_for(&rig, SHIM_STARTED);
    rig.control = close_fd(rig.control);
    rig_write_fifo(&rig, "go");
    rig_write_fifo(&rig, "end"); /* waits until the command has come there */
    rig_wait_record(&rig, RIG_TASK_ID);
    _cleanup_free_ char *record = rig_read_record(&rig, RIG_TASK_ID);
    ck_assert_ptr_nonnull(strstr(record, SHIM_MESSAGES_DROPPED "=2\n"));
}
END_TEST

/* The next daemon gets them. */
START_TEST(test_next_daemon) {
    rig_make_fifo(&rig, "go");
    rig_make_fifo(&rig, "sent");
    rig_make_fifo(&rig, "end");
    rig_start_shell(&rig, "read x < go; systemd-notify X_LONGRUN_MESSAGE=1; "
                          "systemd-notify X_LONGRUN_MESSAGE=2; read x < sent; read x < end");
    rig_wait_for(&rig, SHIM_STARTED);
    rig.control = close_fd(rig.control);
    rig_write_fifo(&rig, "go");
    rig_write_fifo(&rig, "sent");
    rig_take_up(&rig);
    while (rig.n_texts < 2)
        ck_assert(rig_receive(&rig));
    rig_write_fifo(&rig, "end");
    rig_finish(&rig);
    check_texts(2);
}
END_TEST

TCase *tcase_shim_messages(void) {
    TCase *tc = tcase_create("messages");

    tcase_add_test(tc, test_lines);
    tcase_add_test(tc, test_data_comes_first);
    tcase_add_test(tc, test_nobody_reads);
    tcase_add_test(tc, test_reader_is_gone);
    tcase_add_test(tc, test_stdin_is_not_open);
    tcase_add_test(tc, test_messages_survive_the_daemon);
    tcase_add_test(tc, test_order);
    tcase_add_loop_test(tc, test_size, 0, ELEMENTSOF(sizes));
    tcase_add_test(tc, test_burst);
    tcase_add_test(tc, test_flood);
    tcase_add_test(tc, test_nobody_there);
    tcase_add_test(tc, test_next_daemon);
    return tc;
}
