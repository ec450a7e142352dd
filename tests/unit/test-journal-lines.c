/* Output as lines of the journal: what is sent, to a socket of the test's own, and what is not. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/journal-lines.h"
#include "tests/unit/unit.h"

static int journald = -EBADF;

static const char *address(void) {
    return unit_path("journal");
}

static void listen_there(void) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};

    strcpy(a.sun_path, address());
    close_fd(journald);
    (void)unlink(address());
    journald = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    MUST(bind(journald, (struct sockaddr *)&a, sizeof(a)) == 0);
}

static void stop_listening(void) {
    journald = close_fd(journald);
}

static JournalLines *open_lines(void) {
    JournalTask task = {.socket = address(), .id = 42, .label = "a label", .identifier = "command"};
    JournalLines *j;

    ck_assert_int_eq(journal_lines_new(&j, &task), 0);
    return j;
}

/* The next message; "" when there is none. */
static const char *receive(void) {
    static char message[64 * KIB];
    ssize_t n = recv(journald, message, sizeof(message) - 1, 0);

    message[MAX(n, 0)] = '\0';
    return message;
}

/* The value of a field of it; the next call has another one. */
static const char *field(const char *message, const char *key) {
    static char value[64 * KIB];
    size_t size = strlen(key);

    for (const char *p = message; *p; p = strchrnul(p, '\n') + 1) {
        size_t line = strcspn(p, "\n");
        if (strncmp(p, key, size) != 0 || p[size] != '=')
            continue;
        memcpy(value, p + size + 1, line - size - 1);
        value[line - size - 1] = '\0';
        return value;
    }
    return NULL;
}

static void expect(const char *text) {
    ck_assert_str_eq(strempty(field(receive(), "MESSAGE")), text);
}

static void feed(JournalLines *j, const char *text) {
    journal_lines_feed(j, LOG_STREAM_STDOUT, text, strlen(text));
}

/* ---- what is sent ---- */

START_TEST(test_fields) {
    JournalLines *j = open_lines();

    feed(j, "hello\n");
    journal_lines_feed(j, LOG_STREAM_STDERR, "error\n", 6);
    ck_assert_str_eq(receive(), "SYSLOG_IDENTIFIER=command\nTASK_ID=42\nTASK_LABEL=a label\n"
                                "PRIORITY=6\nTASK_STREAM=stdout\nMESSAGE=hello\n");
    ck_assert_str_eq(receive(), "SYSLOG_IDENTIFIER=command\nTASK_ID=42\nTASK_LABEL=a label\n"
                                "PRIORITY=4\nTASK_STREAM=stderr\nMESSAGE=error\n");
    journal_lines_free(j);
    expect("");
}
END_TEST

/* Nobody gets a field of his own into the journal by a name. */
START_TEST(test_hostile_names) {
    JournalTask task = {
        .socket = address(), .id = 1, .label = "a\nPRIORITY=0\x1b[31m", .identifier = "x\nUNIT=y"};
    JournalLines *j;

    ck_assert_int_eq(journal_lines_new(&j, &task), 0);
    feed(j, "m\n");
    const char *message = receive();
    ck_assert_str_eq(field(message, "TASK_LABEL"), "aPRIORITY=0");
    ck_assert_str_eq(field(message, "SYSLOG_IDENTIFIER"), "xUNIT=y");
    ck_assert_str_eq(field(message, "PRIORITY"), "6");
    ck_assert_ptr_null(field(message, "UNIT"));
    journal_lines_free(j);
}
END_TEST

START_TEST(test_no_names) {
    JournalTask task = {.socket = address(), .id = 1};
    JournalLines *j;

    ck_assert_int_eq(journal_lines_new(&j, &task), 0);
    feed(j, "m\n");
    ck_assert_str_eq(field(receive(), "SYSLOG_IDENTIFIER"), "longrun");
    journal_lines_free(j);
}
END_TEST

static const struct {
    const char *output;
    const char *lines[5];
} outputs[] = {
    {"", {}},
    {"one\n", {"one"}},
    {"one\ntwo\nthree", {"one", "two", "three"}},
    {"a=b\n", {"a=b"}},
    {"\n\n  \n\t\n\r\n", {}},
    {"trailing \t \n  leading\n", {"trailing", "  leading"}},
    {"tab\there\n", {"tab\there"}},
    {"dos\r\nlines\r\r\n", {"dos", "lines"}},
    /* What is written over is not to be seen. */
    {" 10%\r 50%\r100%\n", {"100%"}},
    {" 10%\r 50%\r100%\r\n", {"100%"}},
    {" 10%\r 50%", {" 50%"}},
    {" 10%\r 50%\r", {" 50%"}},
    {"gone\r\x1b[K\n", {}},
    /* Escape sequences and bytes that are no text. */
    {"\x1b[1;31mred\x1b[0m\n", {"red"}},
    {"\x1b]0;title\x07shown\n", {"shown"}},
    {"\x1b[0m\n", {}},
    {"caf\xe9\n", {"caf\xef\xbf\xbd"}},
    {"bell\x07\x01\n", {"bell"}},
};

static void check_lines(const char *const *lines) {
    for (const char *const *line = lines; *line; line++)
        expect(*line);
    expect("");
}

START_TEST(test_output) {
    JournalLines *j = open_lines();

    feed(j, outputs[_i].output);
    journal_lines_free(j);
    check_lines(outputs[_i].lines);
}
END_TEST

/* The same wherever it is cut, with the other stream in between. */
START_TEST(test_output_in_pieces) {
    size_t size = strlen(outputs[_i].output);

    for (size_t first = 1; first <= size; first++) {
        JournalLines *j = open_lines();
        for (size_t at = 0; at < size; at += first) {
            journal_lines_feed(j, LOG_STREAM_STDOUT, outputs[_i].output + at,
                               MIN(first, size - at));
            journal_lines_feed(j, LOG_STREAM_STDERR, "\r", 1);
        }
        journal_lines_free(j);
        check_lines(outputs[_i].lines);
    }
}
END_TEST

/* ---- long lines ---- */

static const size_t sizes[] = {4095, 4096, 4097, 10000, 100000};

/* How many bytes of it have been sent as messages, all of them whole characters. */
static size_t receive_pieces(void) {
    size_t total = 0, n;

    for (const char *message; *(message = strempty(field(receive(), "MESSAGE"))); total += n) {
        n = strlen(message);
        ck_assert_uint_le(n, JOURNAL_LINE_MAX);
        ck_assert_ptr_null(strstr(message, "\xef\xbf\xbd"));
    }
    return total;
}

/* More than the socket takes at once. */
START_TEST(test_long_line) {
    _cleanup_free_ char *text = malloc(sizes[_i] + 1);
    JournalLines *j = open_lines();
    size_t total = 0;

    memset(text, 'x', sizes[_i]);
    for (size_t done = 0, n; done < sizes[_i]; done += n) {
        n = MIN(sizes[_i] - done, (size_t)5000);
        journal_lines_feed(j, LOG_STREAM_STDOUT, text + done, n);
        total += receive_pieces();
    }
    ck_assert_uint_ge(total + JOURNAL_LINE_MAX, sizes[_i]);
    feed(j, "\nnext\n");
    total += receive_pieces();
    ck_assert_uint_eq(total, sizes[_i] + strlen("next"));
    journal_lines_free(j);
    expect("");
}
END_TEST

static const char *const characters[] = {"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};

/* No character is cut, wherever the pieces come. */
START_TEST(test_long_line_of_characters) {
    const char *c = characters[_i];

    for (size_t shift = 0; shift < 4; shift++) {
        JournalLines *j = open_lines();
        for (size_t i = 0; i < shift; i++)
            feed(j, "x");
        for (int i = 0; i < 5000; i++)
            feed(j, c);
        journal_lines_free(j);
        ck_assert_uint_eq(receive_pieces(), shift + 5000 * strlen(c));
    }
}
END_TEST

/* A progress that is written over for hours is one line, the last. */
START_TEST(test_endless_progress) {
    JournalLines *j = open_lines();
    char text[32];

    for (int i = 0; i < 100000; i++) {
        snprintf(text, sizeof(text), "at %d\r", i);
        feed(j, text);
    }
    expect("");
    feed(j, "\n");
    expect("at 99999");
    journal_lines_free(j);
    expect("");
}
END_TEST

/* ---- what is refused ---- */

/* Whoever does not read takes hardly any time; the last line says how many were lost. */
START_TEST(test_nobody_reads) {
    JournalLines *j = open_lines();
    uint64_t begin = clock_usec(CLOCK_MONOTONIC), taken = 0, refused = 0;

    for (int i = 0; i < 5000; i++)
        feed(j, "line\n");
    ck_assert_uint_lt(clock_usec(CLOCK_MONOTONIC) - begin, USEC_PER_SEC);
    while (streq(strempty(field(receive(), "MESSAGE")), "line"))
        taken++;
    ck_assert_uint_gt(taken, 0);
    ck_assert_uint_lt(taken, 5000);
    journal_lines_free(j);
    const char *message = receive();
    ck_assert_str_eq(strempty(field(message, "TASK_STREAM")), "longrun");
    ck_assert_str_eq(strempty(field(message, "PRIORITY")), "4");
    ck_assert_int_eq(sscanf(strempty(field(message, "MESSAGE")),
                            "%" SCNu64 " lines were not taken by the journal", &refused),
                     1);
    ck_assert_uint_eq(taken + refused, 5000);
}
END_TEST

/* Of a flood so many are sent, whether they would be taken or not. */
START_TEST(test_flood) {
    enum {
        LINES = 3 * JOURNAL_RATE
    };
    JournalLines *j = open_lines();
    uint64_t taken = 0, refused = 0;

    for (int i = 0; i < LINES / 5; i++) {
        feed(j, "line\nline\nline\nline\nline\n");
        while (streq(strempty(field(receive(), "MESSAGE")), "line"))
            taken++;
    }
    journal_lines_free(j);
    sscanf(strempty(field(receive(), "MESSAGE")), "%" SCNu64, &refused);
    ck_assert_uint_ge(taken, JOURNAL_RATE);
    ck_assert_uint_gt(refused, 0);
    ck_assert_uint_eq(taken + refused, LINES);
}
END_TEST

/* There is another journald now. */
START_TEST(test_restart) {
    JournalLines *j = open_lines();

    feed(j, "one\n");
    expect("one");
    stop_listening();
    feed(j, "two\n");
    listen_there();
    feed(j, "three\n");
    expect("three");
    journal_lines_free(j);
    expect("1 lines were not taken by the journal, the log has them");
}
END_TEST

START_TEST(test_none) {
    JournalTask task = {.socket = unit_path("none"), .id = 1};
    JournalLines *j;

    ck_assert_int_eq(journal_lines_new(&j, &task), -ENOENT);
    char path[200];
    memset(path, 'x', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    task.socket = path;
    ck_assert_int_eq(journal_lines_new(&j, &task), -ENAMETOOLONG);
    journal_lines_feed(NULL, LOG_STREAM_STDOUT, "x\n", 2);
    ck_assert_ptr_null(journal_lines_free(NULL));
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("journal-lines");
    TCase *t = tcase_create("journal-lines");

    unit_use_dir(t);
    tcase_add_checked_fixture(t, listen_there, stop_listening);
    tcase_add_test(t, test_fields);
    tcase_add_test(t, test_hostile_names);
    tcase_add_test(t, test_no_names);
    tcase_add_loop_test(t, test_output, 0, ELEMENTSOF(outputs));
    tcase_add_loop_test(t, test_output_in_pieces, 0, ELEMENTSOF(outputs));
    tcase_add_loop_test(t, test_long_line, 0, ELEMENTSOF(sizes));
    tcase_add_loop_test(t, test_long_line_of_characters, 0, ELEMENTSOF(characters));
    tcase_add_test(t, test_endless_progress);
    tcase_add_test(t, test_nobody_reads);
    tcase_add_test(t, test_flood);
    tcase_add_test(t, test_restart);
    tcase_add_test(t, test_none);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
