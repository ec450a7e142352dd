/* The program longrun-worker, whose path is in $LONGRUN_WORKER: exit status, SIGTERM, result file,
 * messages on NOTIFY_SOCKET. */

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "common/clock.h"
#include "common/fd-io.h"
#include "common/fields.h"
#include "common/shim-protocol.h"
#include "common/strv.h"
#include "daemon/kinds/kind.h"

#define SKIP 77
#define DEADLINE_MS 30000 /* for what comes at once if all is well */
#define OUTPUT_MAX (16 * MIB)

static const char *program;

/* ---- a folder: made before each test forks, removed when all have ended ---- */

static char base[64];

static void make_base(void) {
    strcpy(base, "/tmp/longrun-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(base));
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw) {
    return remove(path);
}

static void remove_base(void) {
    nftw(base, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- a worker under way ---- */

typedef struct Worker {
    pid_t pid;
    int pidfd;
    int in, out, err; /* this end of its pipes; in is closed once the params are written */
} Worker;

/* Environment and arguments: VARIABLE=VALUE first, then those of the program, NULL at the end. */
static void exec_worker(const char *const *words, int in, int out, int err) {
    const char *argv[8] = {program};
    size_t n = 1;

    unsetenv("NOTIFY_SOCKET");
    unsetenv(WORKER_ENV_RESULT);
    unsetenv(WORKER_ENV_RESULT_MAX);
    for (; *words && strchr(*words, '='); words++)
        putenv((char *)*words);
    for (; *words && n < ELEMENTSOF(argv) - 1; words++)
        argv[n++] = *words;
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    execv(program, (char **)argv);
    _exit(127);
}

static Worker worker_start_with(const char *const *words) {
    int in[2], out[2], err[2];

    ck_assert_int_eq(pipe2(in, O_CLOEXEC), 0);
    ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
    ck_assert_int_eq(pipe2(err, O_CLOEXEC), 0);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0)
        exec_worker(words, in[0], out[1], err[1]);
    close(in[0]);
    close(out[1]);
    close(err[1]);
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    ck_assert_int_ge(pidfd, 0);
    return (Worker){.pid = pid, .pidfd = pidfd, .in = in[1], .out = out[0], .err = err[0]};
}

#define worker_start(...) worker_start_with((const char *const[]){__VA_ARGS__, NULL})

static void worker_give(Worker *w, const void *params, size_t size) {
    /* One that ends without reading is fine. */
    signal(SIGPIPE, SIG_IGN);
    fd_write_full(w->in, params, size);
    w->in = close_fd(w->in);
}

static void worker_params(Worker *w, const char *params) {
    worker_give(w, params, strlen(params));
}

/* Waits for its end, within the deadline; gives the status as waitpid(2) does. */
static int worker_wait(Worker *w) {
    struct pollfd pfd = {.fd = w->pidfd, .events = POLLIN};
    int status;

    ck_assert_msg(poll(&pfd, 1, DEADLINE_MS) == 1, "the worker does not end");
    ck_assert_int_eq(waitpid(w->pid, &status, 0), w->pid);
    return status;
}

static int worker_exit_code(Worker *w) {
    int status = worker_wait(w);

    ck_assert_msg(WIFEXITED(status), "status 0x%x", (unsigned)status);
    return WEXITSTATUS(status);
}

static char *read_rest(int fd) {
    char *text;

    ck_assert_int_eq(fd_read_all(fd, OUTPUT_MAX, &text, NULL), 0);
    close(fd);
    return text;
}

/* Reads byte for byte up to the end of a line and compares it. */
static void expect_line(int fd, const char *expected) {
    char line[256];
    size_t n = 0;

    for (;;) {
        struct pollfd pfd = {.fd = fd, .events = POLLIN};
        ck_assert_msg(poll(&pfd, 1, DEADLINE_MS) == 1, "no line comes");
        ck_assert_uint_lt(n, sizeof(line));
        ck_assert_int_eq(read(fd, line + n, 1), 1);
        if (line[n++] == '\n')
            break;
    }
    line[n - 1] = '\0';
    ck_assert_str_eq(line, expected);
}

static void worker_done(Worker *w) {
    close_fd(w->in);
    close_fd(w->out);
    close_fd(w->err);
    close_fd(w->pidfd);
}

/* A socket to listen at; the name is a path in the test's folder or, with '@', an abstract one. */
static int listen_at(const char *name, char ret_variable[160]) {
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    int n = name[0] == '@' ? snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", name)
                           : snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/%s", base, name);
    snprintf(ret_variable, 160, "NOTIFY_SOCKET=%s", sa.sun_path);
    if (name[0] == '@')
        sa.sun_path[0] = '\0';
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)n);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, size), 0);
    return fd;
}

/* ---- exit status ---- */

static const struct {
    const char *kind, *params;
    int code;
    const char *out, *err; /* NULL: empty; else a part */
} cases[] = {
    {"noop", "", 0, NULL, NULL},
    {"noop", "{}", 0, NULL, NULL},
    {"countdown", "{\"steps\":2,\"step_ms\":1}", 0,
     "Task started...\nCompleted step 1\nCompleted step 2\nTask finished successfully\n",
     "All work completed successfully!\n"},
    {"map", "{\"items\":[\"a\"],\"item_ms\":0}", 0,
     "[{\"id\":0,\"processed\":\"A\",\"thread\":", "1 item\n"},
    {"compute-e", "{\"seconds\":0,\"force_error\":true}", 1, NULL, "The error was forced"},
    {"checksum", "{\"paths\":[\"/nowhere at all\"]}", 1, "{}\n",
     "/nowhere at all: No such file or directory\n1 of 1 files could not be read"},
    {"sleep", "{}", 2, NULL, "unknown kind 'sleep', there are:\n  checksum "},
    {"countdown", "{\"steps\":0}", 2, NULL,
     "longrun-worker: countdown: parameter 'steps' must be a whole number from 1 to 1000000, not "
     "0"},
    {"countdown", "{\"steps\":", 2, NULL, "not JSON"},
    {"countdown", "7", 2, NULL, "must be a JSON object"},
    {"countdown", "{\"a\":\"\xff\"}", 2, NULL, "not valid UTF-8"},
    {"--version", "", 2, NULL, "unknown kind '--version'"},
    {"--help", "", 0, "Usage: longrun-worker [--messages] KIND < PARAMS", NULL},
};

static void expect_text(const char *text, const char *part) {
    if (part)
        ck_assert_msg(strstr(text, part) != NULL, "no '%s' in: %s", part, text);
    else
        ck_assert_str_eq(text, "");
}

START_TEST(test_exit_status) {
    Worker w = worker_start(cases[_i].kind);

    worker_params(&w, cases[_i].params);
    int code = worker_exit_code(&w);
    _cleanup_free_ char *out = read_rest(TAKE_FD(w.out)), *err = read_rest(TAKE_FD(w.err));
    expect_text(out, cases[_i].out);
    expect_text(err, cases[_i].err);
    ck_assert_msg(code == cases[_i].code, "exit status %d: %s", code, err);
    worker_done(&w);
}
END_TEST

static void expect_end(Worker *w, int code, const char *error) {
    ck_assert_int_eq(worker_exit_code(w), code);
    _cleanup_free_ char *err = read_rest(TAKE_FD(w->err));
    expect_text(err, error);
    worker_done(w);
}

START_TEST(test_usage) {
    Worker w = worker_start_with((const char *const[]){NULL});
    expect_end(&w, WORKER_EXIT_USAGE, "Usage:");

    w = worker_start("noop", "noop");
    expect_end(&w, WORKER_EXIT_USAGE, "Usage:");

    w = worker_start("LONGRUN_RESULT_MAX=1M", "noop");
    expect_end(&w, WORKER_EXIT_USAGE, "LONGRUN_RESULT_MAX=1M: must be a number of bytes");

    w = worker_start("noop");
    worker_give(&w, "{}\0{}", 5);
    expect_end(&w, WORKER_EXIT_USAGE, "NUL byte");
}
END_TEST

START_TEST(test_params_cap) {
    size_t size = 2 * MIB;
    _cleanup_free_ char *params = malloc(size + 1);

    memset(params, ' ', size + 1);
    memcpy(params, "{}", 2);
    Worker w = worker_start("noop");
    worker_give(&w, params, size + 1);
    expect_end(&w, WORKER_EXIT_USAGE, "the params are longer than 2097152 bytes");

    w = worker_start("noop");
    worker_give(&w, params, size);
    expect_end(&w, WORKER_EXIT_SUCCEEDED, NULL);
}
END_TEST

/* ---- cancel ---- */

static void cancel_and_expect(Worker *w, int signal) {
    ck_assert_int_eq(kill(w->pid, signal), 0);
    uint64_t sent = clock_usec(CLOCK_MONOTONIC);
    ck_assert_int_eq(worker_exit_code(w), WORKER_EXIT_CANCELLED);
    uint64_t took = clock_usec(CLOCK_MONOTONIC) - sent;
    ck_assert_msg(took < 100 * USEC_PER_MSEC, "the end came %d ms later",
                  (int)(took / USEC_PER_MSEC));
}

START_TEST(test_cancel_sleep) {
    Worker w = worker_start("countdown");

    worker_params(&w, "{\"step_ms\":3600000}");
    expect_line(w.out, "Task started...");
    cancel_and_expect(&w, _i);
    expect_line(w.out, "Task cancelled at step 1");
    _cleanup_free_ char *err = read_rest(TAKE_FD(w.err));
    ck_assert_str_eq(err, "Task was cancelled by user\n");
    worker_done(&w);
}
END_TEST

START_TEST(test_cancel_work) {
    char variable[160];
    int fd = listen_at("work", variable);
    Worker w = worker_start(variable, "compute-e");

    worker_params(&w, "{\"seconds\":3600}");
    /* Its first word: it is at work. */
    struct pollfd pfd = {.fd = fd, .events = POLLIN};
    ck_assert_int_eq(poll(&pfd, 1, DEADLINE_MS), 1);
    cancel_and_expect(&w, SIGTERM);
    worker_done(&w);
    close(fd);
}
END_TEST

/* ---- result ---- */

static size_t count_files(const char *name) {
    char pattern[128];
    glob_t found = {};

    snprintf(pattern, sizeof(pattern), "%s/%s*", base, name);
    glob(pattern, 0, NULL, &found);
    size_t n = found.gl_pathc;
    globfree(&found);
    return n;
}

START_TEST(test_result) {
    char path[128], variable[160];
    struct stat st;

    snprintf(path, sizeof(path), "%s/result", base);
    snprintf(variable, sizeof(variable), "LONGRUN_RESULT=%s", path);
    Worker w = worker_start(variable, "map");
    worker_params(&w, "{\"items\":[\"\u00e9\"],\"op\":\"uppercase\",\"item_ms\":0}");
    ck_assert_int_eq(worker_exit_code(&w), WORKER_EXIT_SUCCEEDED);
    _cleanup_free_ char *out = read_rest(TAKE_FD(w.out)), *result = NULL;
    ck_assert_str_eq(out, "");
    ck_assert_int_eq(file_read_all(path, MIB, &result, NULL), 0);
    expect_text(result, "[{\"id\":0,\"processed\":\"\u00c9\",\"thread\":");
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0600);
    ck_assert_uint_eq(count_files("result"), 1);
    worker_done(&w);
}
END_TEST

static const struct {
    const char *max, *path, *err;
} result_errors[] = {
    {"LONGRUN_RESULT_MAX=20", "", "raise the option result-max"},
    {"LONGRUN_RESULT_MAX=0", "", "raise the option result-max"},
    {"LONGRUN_RESULT_MAX=1000", "/no/such/folder",
     "could not be stored: No such file or directory"},
};

START_TEST(test_result_errors) {
    char path[128], variable[160];

    snprintf(path, sizeof(path), "%s/bad-result%s", base, result_errors[_i].path);
    snprintf(variable, sizeof(variable), "LONGRUN_RESULT=%s", path);
    Worker w = worker_start(variable, result_errors[_i].max, "map");
    worker_params(&w, "{\"items\":[\"a\"],\"item_ms\":0}");
    expect_end(&w, WORKER_EXIT_FAILED, result_errors[_i].err);
    ck_assert_uint_eq(count_files("bad-result"), 0);
}
END_TEST

/* ---- NOTIFY_SOCKET ---- */

typedef struct Heard {
    char **words; /* "KEY=VALUE", in order */
    size_t n;
    unsigned progress; /* messages with one */
} Heard;

static void take_message(Heard *h, char *message) {
    const char *key, *value;
    char *word;

    for (char *cursor = message; fields_next(&cursor, &key, &value);) {
        ck_assert_int_ge(asprintf(&word, "%s=%s", key, value), 0);
        ck_assert_int_eq(strv_push(&h->words, &h->n, word), 0);
        if (streq(key, NOTIFY_DONE))
            h->progress++;
    }
}

/* Reads all that there is. */
static void drain(Heard *h, int fd) {
    char message[FIELDS_MAX + 1];
    ssize_t n;

    while ((n = recv(fd, message, FIELDS_MAX, MSG_DONTWAIT)) > 0) {
        message[n] = '\0';
        take_message(h, message);
    }
}

/* Listens till the worker has ended. */
static Heard listen_to(Worker *w, int fd) {
    Heard h = {};

    for (;;) {
        struct pollfd pfds[] = {{.fd = fd, .events = POLLIN}, {.fd = w->pidfd, .events = POLLIN}};
        ck_assert_int_gt(poll(pfds, 2, DEADLINE_MS), 0);
        drain(&h, fd);
        if (pfds[1].revents)
            break;
    }
    /* What it sent right before its end. */
    drain(&h, fd);
    close(fd);
    return h;
}

START_TEST(test_notify) {
    static const char *const names[] = {"notify", "@longrun-test-%d"};
    static const char *const expected[] = {
        "STATUS=Initializing...",
        "X_LONGRUN_DONE=1",
        "X_LONGRUN_TOTAL=3",
        "STATUS=Processing step 1 of 3",
        "X_LONGRUN_DONE=2",
        "X_LONGRUN_TOTAL=3",
        "STATUS=Processing step 2 of 3",
        "X_LONGRUN_DONE=3",
        "X_LONGRUN_TOTAL=3",
        "STATUS=Processing step 3 of 3",
        "STATUS=Task completed!",
        "X_LONGRUN_FINAL_MESSAGE=All work completed successfully!",
    };
    char variable[160], name[64];

    snprintf(name, sizeof(name), names[_i], (int)getpid());
    int fd = listen_at(name, variable);
    Worker w = worker_start(variable, "countdown");
    worker_params(&w, "{\"steps\":3,\"step_ms\":30}");
    Heard h = listen_to(&w, fd);
    ck_assert_int_eq(worker_exit_code(&w), WORKER_EXIT_SUCCEEDED);
    for (size_t i = 0; i < ELEMENTSOF(expected); i++) {
        ck_assert_uint_lt(i, h.n);
        ck_assert_str_eq(h.words[i], expected[i]);
    }
    ck_assert_uint_eq(h.n, ELEMENTSOF(expected));
    _cleanup_free_ char *err = read_rest(TAKE_FD(w.err));
    ck_assert_str_eq(err, "");
    strv_free(h.words);
    worker_done(&w);
}
END_TEST

static bool heard(const Heard *h, const char *word) {
    for (size_t i = 0; i < h->n; i++)
        if (streq(h->words[i], word))
            return true;
    return false;
}

/* The params are the first line, each one after it is a message, and the last needs no end. */
START_TEST(test_messages) {
    static const char input[] = "{\"steps\": 1, \"step_ms\": 200}\none\n\ntwo words\nlast";
    Worker w = worker_start(WORKER_MESSAGES, "countdown");

    worker_give(&w, input, strlen(input));
    _cleanup_free_ char *out = read_rest(TAKE_FD(w.out)), *err = read_rest(TAKE_FD(w.err));
    ck_assert_int_eq(worker_exit_code(&w), WORKER_EXIT_SUCCEEDED);
    ck_assert_str_eq(out, "Task started...\nMessage received: one\nMessage received: \n"
                          "Message received: two words\nMessage received: last\n"
                          "Completed step 1\nTask finished successfully\n");
    ck_assert_str_eq(err, "All work completed successfully!\n");
    worker_done(&w);
}
END_TEST

/* A message that is waited for, and a cancel that comes meanwhile. */
START_TEST(test_message_while_it_waits) {
    static const char params[] = "{\"steps\": 1, \"step_ms\": 86400000}\n";
    char line[64];
    Worker w = worker_start(WORKER_MESSAGES, "countdown");
    _cleanup_fclose_ FILE *out = fdopen(TAKE_FD(w.out), "r");

    ck_assert_int_ge(fd_write_full(w.in, params, strlen(params)), 0);
    ck_assert_ptr_nonnull(fgets(line, sizeof(line), out)); /* it has begun */
    for (int i = 0; i < 3; i++) {
        ck_assert_int_ge(fd_write_full(w.in, "hel", 3), 0);
        ck_assert_int_ge(fd_write_full(w.in, "lo\n", 3), 0);
        ck_assert_ptr_nonnull(fgets(line, sizeof(line), out));
        ck_assert_str_eq(line, "Message received: hello\n");
    }
    kill(w.pid, SIGTERM);
    ck_assert_int_eq(worker_exit_code(&w), WORKER_EXIT_CANCELLED);
    worker_done(&w);
}
END_TEST

START_TEST(test_messages_without_params) {
    Worker w = worker_start(WORKER_MESSAGES, "map");

    worker_give(&w, "", 0);
    expect_end(&w, WORKER_EXIT_USAGE, "parameter 'items' is missing");
}
END_TEST

START_TEST(test_sends) {
    char variable[160];
    int fd = listen_at("messages", variable);
    unsigned n = 0;
    Worker w = worker_start(variable, "countdown");

    worker_params(&w, "{\"steps\":3,\"step_ms\":1,\"message\":\"a = b\"}");
    Heard h = listen_to(&w, fd);
    ck_assert_int_eq(worker_exit_code(&w), WORKER_EXIT_SUCCEEDED);
    for (size_t i = 0; i < h.n; i++)
        n += streq(h.words[i], "X_LONGRUN_MESSAGE=a = b");
    ck_assert_uint_eq(n, 3);
    strv_free(h.words);
    worker_done(&w);
}
END_TEST

/* The end of the work, when the last progress is held back: it comes with the closing words. */
START_TEST(test_notify_rate) {
    char variable[160];
    int fd = listen_at("rate", variable);

    uint64_t start = clock_usec(CLOCK_MONOTONIC);
    Worker w = worker_start(variable, "countdown");
    worker_params(&w, "{\"steps\":2000,\"step_ms\":0}");
    Heard h = listen_to(&w, fd);
    uint64_t took_ms = (clock_usec(CLOCK_MONOTONIC) - start) / USEC_PER_MSEC;
    ck_assert_int_eq(worker_exit_code(&w), WORKER_EXIT_SUCCEEDED);
    ck_assert_msg(h.progress <= took_ms / 20 + 2, "%u in %d ms", h.progress, (int)took_ms);
    ck_assert(heard(&h, "X_LONGRUN_DONE=2000"));
    ck_assert(heard(&h, "STATUS=Processing step 1000 of 2000"));
    ck_assert_str_eq(h.words[h.n - 1], "X_LONGRUN_FINAL_MESSAGE=All work completed successfully!");
    strv_free(h.words);
    worker_done(&w);
}
END_TEST

START_TEST(test_notify_phases) {
    char variable[160];
    int fd = listen_at("phases", variable);
    Worker w = worker_start(variable, "checksum");

    worker_params(&w, "{\"paths\":[\"/nowhere\"]}");
    Heard h = listen_to(&w, fd);
    ck_assert_int_eq(worker_exit_code(&w), WORKER_EXIT_FAILED);
    ck_assert_str_eq(h.words[0], "X_LONGRUN_PHASE=scan");
    ck_assert_str_eq(h.words[1], "X_LONGRUN_PHASE=hash");
    ck_assert_str_eq(h.words[2], "X_LONGRUN_FINAL_MESSAGE=1 of 1 files could not be read, the "
                                 "first: /nowhere: No such file or directory");
    ck_assert_uint_eq(h.n, 3);
    strv_free(h.words);
    worker_done(&w);
}
END_TEST

/* Somebody listens and never reads: the work goes on and ends, and not much later. */
START_TEST(test_notify_stuck) {
    char variable[160];
    int fd = listen_at("stuck", variable);
    Worker w = worker_start(variable, "countdown");

    worker_params(&w, "{\"steps\":5000,\"step_ms\":0}");
    _cleanup_free_ char *out = read_rest(TAKE_FD(w.out));
    expect_text(out, "Completed step 5000\n");
    expect_end(&w, WORKER_EXIT_SUCCEEDED, "All work completed successfully!\n");
    close(fd);
}
END_TEST

static const struct {
    const char *variable, *reason;
} bad_sockets[] = {
    {"NOTIFY_SOCKET=/nowhere/socket", "No such file or directory"},
    {"NOTIFY_SOCKET=relative", "Invalid argument"},
    {"NOTIFY_SOCKET=@longrun-test-nobody-listens", "Connection refused"},
};

START_TEST(test_notify_bad) {
    Worker w = worker_start(bad_sockets[_i].variable, "countdown");

    worker_params(&w, "{\"steps\":1,\"step_ms\":0}");
    ck_assert_int_eq(worker_exit_code(&w), WORKER_EXIT_SUCCEEDED);
    _cleanup_free_ char *err = read_rest(TAKE_FD(w.err));
    expect_text(err, bad_sockets[_i].reason);
    expect_text(err, ", ignoring\nAll work completed successfully!\n");
    worker_done(&w);
}
END_TEST

/* ---- the log of "checksum" is what sha256sum(1) reads ---- */

START_TEST(test_sha256sum) {
    static const char *const names[] = {"plain", "with space", "new\nline", "back\\slash",
                                        "r\rn",  "\xff",       "*star",     " "};
    char folder[100], path[160], result[160], params[256], command[256];

    snprintf(folder, sizeof(folder), "%s/tree", base);
    ck_assert_int_eq(mkdir(folder, 0700), 0);
    for (size_t i = 0; i < ELEMENTSOF(names); i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        ck_assert_int_eq(fd_write_full(fd, names[i], strlen(names[i])), 0);
        close(fd);
    }
    snprintf(result, sizeof(result), "LONGRUN_RESULT=%s/digests", base);
    snprintf(params, sizeof(params), "{\"paths\":[\"%s\"]}", folder);
    Worker w = worker_start(result, "checksum");
    worker_params(&w, params);
    _cleanup_free_ char *out = read_rest(TAKE_FD(w.out));
    ck_assert_int_eq(worker_exit_code(&w), WORKER_EXIT_SUCCEEDED);

    snprintf(command, sizeof(command), "sha256sum --check --strict --quiet >'%s/said' 2>&1", base);
    FILE *p = popen(command, "we");
    fputs(out, p);
    ck_assert_int_eq(pclose(p), 0);
    worker_done(&w);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("worker");
    TCase *t = tcase_create("worker");

    tcase_set_timeout(t, 120);
    tcase_add_unchecked_fixture(t, make_base, remove_base);
    tcase_add_loop_test(t, test_exit_status, 0, ELEMENTSOF(cases));
    tcase_add_test(t, test_usage);
    tcase_add_test(t, test_params_cap);
    tcase_add_loop_test(t, test_cancel_sleep, SIGTERM, SIGTERM + 1);
    tcase_add_loop_test(t, test_cancel_sleep, SIGINT, SIGINT + 1);
    tcase_add_test(t, test_cancel_work);
    tcase_add_test(t, test_result);
    tcase_add_loop_test(t, test_result_errors, 0, ELEMENTSOF(result_errors));
    tcase_add_loop_test(t, test_notify, 0, 2);
    tcase_add_test(t, test_notify_rate);
    tcase_add_test(t, test_messages);
    tcase_add_test(t, test_message_while_it_waits);
    tcase_add_test(t, test_messages_without_params);
    tcase_add_test(t, test_sends);
    tcase_add_test(t, test_notify_phases);
    tcase_add_test(t, test_notify_stuck);
    tcase_add_loop_test(t, test_notify_bad, 0, ELEMENTSOF(bad_sockets));
    tcase_add_test(t, test_sha256sum);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    program = getenv("LONGRUN_WORKER");
    if (!program) {
        puts("SKIP: LONGRUN_WORKER, the path of longrun-worker, is not set");
        return SKIP;
    }

    SRunner *runner = srunner_create(suite_new());
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
