/* Messages of a shim, and what commands say through them: numbers that are none are no reading. */

#include <errno.h>
#include <math.h>

#include "common/cleanup.h"
#include "common/fields.h"
#include "common/shim-protocol.h"
#include "daemon/exec/shim-message.h"
#include "tests/unit/unit.h"

/* ---- messages ---- */

/* What is not named is not in the message. */
#define NEWS(...)                                                                                  \
    { .fraction = -1, .paused = -1, .end = {.exit_code = -1}, __VA_ARGS__ }
#define END(...)                                                                                   \
    {                                                                                              \
        .fraction = -1, .paused = -1, .is_end = true, .end = { __VA_ARGS__ }                       \
    }

static const struct {
    const char *text;
    ShimMessage message;
} messages[] = {
    /* clang-format off */
    {"", NEWS()},
    {"\n\n", NEWS()},
    {"junk\n", NEWS()},
    {"UNKNOWN=1\n", NEWS()},
    {"started=1\n", NEWS()},

    {"STARTED=4711\n", NEWS(.started_pid = 4711)},
    {"STARTED=\n", NEWS()},
    {"STARTED=-1\n", NEWS()},
    {"STARTED=99999999999\n", NEWS()},
    {"STARTED=2147483647\n", NEWS(.started_pid = INT32_MAX)},
    {"STARTED=2147483648\n", NEWS()},
    {"LOG_SIZE=18446744073709551615\n", NEWS(.log_size = UINT64_MAX)},
    {"LOG_SIZE=18446744073709551616\n", NEWS()},
    {"LOG_SIZE=12x\n", NEWS()},
    {"MAIN_EXITED=3\n", NEWS(.left_behind = 3)},
    {"MAIN_EXITED=-3\n", NEWS()},

    {"STATUS=copying\n", NEWS(.status = "copying")},
    {"STATUS=\n", NEWS(.status = "")},
    {"STATUS=one\nSTATUS=two\n", NEWS(.status = "two")},
    {"X_LONGRUN_PHASE=scan\n", NEWS(.phase = "scan")},
    {"X_LONGRUN_FINAL_MESSAGE=done\n", NEWS(.final_message = "done")},
    {"X_LONGRUN_DONE=3\nX_LONGRUN_TOTAL=10\n", NEWS(.has_progress = true, .done = 3, .total = 10)},
    {"X_LONGRUN_DONE=3\n", NEWS(.has_progress = true, .done = 3)},
    {"X_LONGRUN_TOTAL=10\n", NEWS(.has_progress = true, .total = 10)},
    {"X_LONGRUN_DONE=3\nX_LONGRUN_TOTAL=many\n", NEWS(.has_progress = true, .done = 3)},
    {"X_LONGRUN_DONE=3\nX_LONGRUN_UNIT=bytes\nPROGRESS_SOURCE=counter\n",
     NEWS(.has_progress = true, .done = 3, .has_unit = true, .bytes = true,
          .source = PROGRESS_SOURCE_COUNTER)},
    {"X_LONGRUN_UNIT=\nPROGRESS_SOURCE=hearsay\n", NEWS(.has_unit = true)},
    {"X_LONGRUN_UNIT=bytes of it\n", NEWS(.has_unit = true)},
    {"X_LONGRUN_DONE=-3\n", NEWS()},
    {"X_LONGRUN_DONE=1e9\nX_LONGRUN_TOTAL=nan\n", NEWS()},
    {"X_LONGRUN_DONE=99999999999999999999\n", NEWS()},
    {"X_LONGRUN_PROGRESS=nan\n", NEWS()},
    {"X_LONGRUN_PROGRESS=1e308\n", NEWS()},
    {"X_LONGRUN_PROGRESS=\n", NEWS()},

    {"EXIT_CODE=0\n", END(.exit_code = 0)},
    {"EXIT_CODE=255\n", END(.exit_code = 255)},
    {"EXIT_SIGNAL=9\nCANCELLED=1\nKILLED=1\n",
     END(.exit_code = -1, .exit_signal = 9, .cancelled = true, .killed = true)},
    {"EXEC_ERRNO=2\nEXEC_STEP=chdir\n", END(.exit_code = -1, .exec_errno = 2, .exec_step = "chdir")},
    {"EXEC_ERRNO=2\nEXEC_STEP=a-step-with-a-long-name\n",
     END(.exit_code = -1, .exec_errno = 2, .exec_step = "a-step-with-a-l")},
    {"LOG_DROPPED=5\nLOG_ERRNO=28\nEXIT_CODE=1\n",
     END(.exit_code = 1, .log_dropped = 5, .log_errno = 28)},
    {"LOG_SIZE=7\nEXIT_CODE=1\n",
     {.fraction = -1, .paused = -1, .is_end = true, .log_size = 7, .end = {.exit_code = 1}}},
    {"CANCELLED=1\n", /* not the last by itself */
     {.fraction = -1, .paused = -1, .end = {.exit_code = -1, .cancelled = true}}},

    {"PAUSED=1\n", {.fraction = -1, .paused = 1, .end = {.exit_code = -1}}},
    {"PAUSED=0\n", {.fraction = -1, .paused = 0, .end = {.exit_code = -1}}},
    {"PAUSED=2\n", NEWS()},
    {"CPU_USEC=1500\n", NEWS(.has_usage = true, .usage = {.cpu_usec = 1500})},
    {"MEMORY_PEAK=4096\nLOG_SIZE=3\n",
     NEWS(.has_usage = true, .log_size = 3, .usage = {.memory_peak = 4096})},
    {"CPU_USEC=-1\nMEMORY_PEAK=much\n", NEWS()},

    {"MESSAGES_RECEIVED=7\nMESSAGES_TAKEN=5\n",
     NEWS(.has_inbox = true, .received = 7, .taken = 5)},
    {"MESSAGES_RECEIVED=0\nMESSAGES_TAKEN=0\nSTDIN_CLOSED=1\n",
     NEWS(.has_inbox = true, .stdin_closed = true)},
    {"MESSAGES_RECEIVED=0\nMESSAGES_TAKEN=0\nSTDIN_RECEIVED=9000000000\nSTDIN_TAKEN=8\n"
     "STDIN_ENDED=1\n",
     NEWS(.has_inbox = true, .has_stdin = true, .bytes_received = 9000000000, .bytes_taken = 8,
          .stdin_ended = true)},
    {"STDIN_RECEIVED=-1\nSTDIN_ENDED=0\n", NEWS()},
    {"MESSAGES_RECEIVED=many\nSTDIN_CLOSED=0\n", NEWS()},
    {"MESSAGES_DROPPED=3\n", NEWS(.messages_dropped = 3)},

    {"LOST=1\n", END(.exit_code = -1, .lost = true)},
    {"EXIT_SIGNAL=15\nSTOPPED=1\n", END(.exit_code = -1, .exit_signal = 15, .stopped = true)},
    {"EXIT_CODE=0\nLIMIT=idle-timeout\nLIMIT_REACHED=5000000\n",
     END(.exit_code = 0, .limit = "idle-timeout", .limit_reached = 5000000)},
    {"EXIT_CODE=0\nLIMIT=a-limit-with-a-long-name\nLIMIT_REACHED=x\n",
     END(.exit_code = 0, .limit = "a-limit-with-a-")},
    /* An exit record: what was told last, and the end. */
    {"STATUS=copying\nX_LONGRUN_DONE=3\nX_LONGRUN_TOTAL=10\nLOG_SIZE=7\nCPU_USEC=5\nEXIT_CODE=2\n",
     {.fraction = -1, .paused = -1, .is_end = true, .status = "copying", .has_progress = true,
      .done = 3, .total = 10, .log_size = 7, .has_usage = true, .usage = {.cpu_usec = 5},
      .end = {.exit_code = 2, .usage = {.cpu_usec = 5}}}},
    /* clang-format on */
};

static void expect_text(const char *text, const char *expected) {
    ck_assert_int_eq(!text, !expected);
    if (text)
        ck_assert_str_eq(text, expected);
}

START_TEST(test_message) {
    _cleanup_free_ char *data = strdup(messages[_i].text);
    const ShimMessage *e = &messages[_i].message;
    ShimMessage m;

    shim_message_parse(data, &m);
    ck_assert_int_eq(m.started_pid, e->started_pid);
    ck_assert_uint_eq(m.log_size, e->log_size);
    ck_assert_uint_eq(m.left_behind, e->left_behind);
    expect_text(m.phase, e->phase);
    expect_text(m.status, e->status);
    expect_text(m.final_message, e->final_message);
    ck_assert_int_eq(m.has_progress, e->has_progress);
    ck_assert_double_eq(m.fraction, e->fraction);
    ck_assert_uint_eq(m.done, e->done);
    ck_assert_uint_eq(m.total, e->total);
    ck_assert_int_eq(m.has_unit, e->has_unit);
    ck_assert_int_eq(m.bytes, e->bytes);
    ck_assert_int_eq(m.source, e->source);
    ck_assert_int_eq(m.is_end, e->is_end);
    ck_assert_int_eq(m.end.exit_code, e->end.exit_code);
    ck_assert_int_eq(m.end.exit_signal, e->end.exit_signal);
    ck_assert_int_eq(m.end.exec_errno, e->end.exec_errno);
    ck_assert_str_eq(m.end.exec_step, e->end.exec_step);
    ck_assert_int_eq(m.end.cancelled, e->end.cancelled);
    ck_assert_int_eq(m.end.killed, e->end.killed);
    ck_assert_uint_eq(m.end.log_dropped, e->end.log_dropped);
    ck_assert_int_eq(m.end.log_errno, e->end.log_errno);
    ck_assert_int_eq(m.paused, e->paused);
    ck_assert_int_eq(m.has_inbox, e->has_inbox);
    ck_assert_int_eq(m.has_stdin, e->has_stdin);
    ck_assert_uint_eq(m.bytes_received, e->bytes_received);
    ck_assert_uint_eq(m.bytes_taken, e->bytes_taken);
    ck_assert_int_eq(m.stdin_ended, e->stdin_ended);
    ck_assert_uint_eq(m.received, e->received);
    ck_assert_uint_eq(m.taken, e->taken);
    ck_assert_int_eq(m.stdin_closed, e->stdin_closed);
    ck_assert_uint_eq(m.messages_dropped, e->messages_dropped);
    ck_assert_int_eq(m.has_usage, e->has_usage);
    ck_assert_uint_eq(m.usage.cpu_usec, e->usage.cpu_usec);
    ck_assert_uint_eq(m.usage.memory_peak, e->usage.memory_peak);
    ck_assert_uint_eq(m.end.usage.cpu_usec, e->usage.cpu_usec);
    ck_assert_int_eq(m.end.lost, e->end.lost);
    ck_assert_int_eq(m.end.stopped, e->end.stopped);
    ck_assert_str_eq(m.end.limit, e->end.limit);
    ck_assert_uint_eq(m.end.limit_reached, e->end.limit_reached);
}
END_TEST

/* ---- exit records ---- */

static const struct {
    const char *text;
    int result;
} records[] = {
    {NULL, -ENOENT},       {"EXIT_CODE=3\n", 0}, {"STATUS=almost\nEXIT_CODE=3\n", 0},
    {"LOST=1\n", 0},       {"", -EBADMSG},       {"STATUS=almost\n", -EBADMSG},
    {"EXIT_CO", -EBADMSG},
};

START_TEST(test_record) {
    _cleanup_free_ char *data = NULL;
    ShimMessage m = {.log_size = 42};

    if (records[_i].text)
        unit_write("exit", records[_i].text, strlen(records[_i].text));
    ck_assert_int_eq(shim_record_read(unit_dir, &data, &m), records[_i].result);
    ck_assert_int_eq(!data, records[_i].result < 0);
    if (records[_i].result < 0)
        ck_assert_uint_eq(m.log_size, 42);
    else
        ck_assert(m.is_end && (m.end.exit_code == 3 || m.end.lost));
}
END_TEST

/* Of a folder that never was, of one that is none, and of a file that no shim wrote. */
START_TEST(test_no_record) {
    _cleanup_free_ char *data = NULL, *large = malloc(SHIM_EXIT_RECORD_MAX + 1);
    ShimMessage m;

    unit_write("file", "", 0);
    ck_assert_int_eq(shim_record_read(unit_path("none"), &data, &m), -ENOENT);
    ck_assert_int_eq(shim_record_read(unit_path("file"), &data, &m), -ENOENT);
    memset(large, '\n', SHIM_EXIT_RECORD_MAX + 1);
    unit_write("exit", large, SHIM_EXIT_RECORD_MAX + 1);
    ck_assert_int_eq(shim_record_read(unit_dir, &data, &m), -EBADMSG);
    ck_assert_ptr_null(data);
}
END_TEST

START_TEST(test_progress) {
    char data[] = "X_LONGRUN_PROGRESS=42%\nX_LONGRUN_PROGRESS=bad\nX_LONGRUN_DONE=x\n";
    ShimMessage m;

    shim_message_parse(data, &m);
    ck_assert(m.has_progress);
    ck_assert_double_eq(m.fraction, 0.42);
}
END_TEST

/* A status that says nothing true about how the exit code is to be read. */
static const char *const no_codes[] = {"EXIT_CODE=\n", "EXIT_CODE=x\n", "EXIT_CODE=-1\n",
                                       "EXIT_CODE=99999999999\n"};

/* Whoever cannot say how the command ended has not said that it succeeded. */
START_TEST(test_no_code) {
    _cleanup_free_ char *data = strdup(no_codes[_i]);
    ShimMessage m;

    shim_message_parse(data, &m);
    ck_assert_int_ne(m.end.exit_code, 0);
}
END_TEST

/* Any bytes at all: nothing is read past the end, and an empty message comes of it or good values.
 */
START_TEST(test_noise) {
    static const char *const words[] = {"STARTED", "EXIT_CODE", "STATUS", "X_LONGRUN_PROGRESS",
                                        "=",       "\n",        "1",      "%",
                                        "\xff",    "EXEC_STEP", "."};
    unsigned seed = 1;

    for (int i = 0; i < 20000; i++) {
        Fields f = {};
        while (f.size + 32 < 200) {
            const char *word = words[(size_t)rand_r(&seed) % ELEMENTSOF(words)];
            memcpy(f.data + f.size, word, strlen(word));
            f.size += strlen(word);
        }
        _cleanup_free_ char *data = strndup(f.data, f.size);
        ShimMessage m;
        shim_message_parse(data, &m);
        MUST(m.fraction == -1 || (m.fraction >= 0 && m.fraction <= 1));
        MUST(m.started_pid >= 0 && isfinite(m.fraction));
        MUST(!m.status || (m.status >= data && m.status <= data + f.size));
        MUST(strlen(m.end.exec_step) < sizeof(m.end.exec_step));
    }
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("shim-message");
    TCase *t = tcase_create("shim-message");

    tcase_add_loop_test(t, test_message, 0, ELEMENTSOF(messages));
    unit_use_dir(t);
    tcase_add_loop_test(t, test_record, 0, ELEMENTSOF(records));
    tcase_add_test(t, test_no_record);
    tcase_add_test(t, test_progress);
    tcase_add_loop_test(t, test_no_code, 0, ELEMENTSOF(no_codes));
    tcase_add_test(t, test_noise);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
