/* A job for longrun-shim: what is in it, and what of the daemon's environment gets to the command.
 */

#include <fcntl.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fd-io.h"
#include "common/shim-protocol.h"
#include "common/strv.h"
#include "daemon/exec/shim-spec.h"
#include "tests/unit/unit.h"

static char *const no_env[] = {NULL};
static char *const argv[] = {(char *)"sh", (char *)"-c", (char *)"a=b\nc", (char *)"", NULL};

static const ShimSpec plain = {
    .id = 42,
    .attempt = 3,
    .argv = argv,
    .env = no_env,
    .clear_env = true,
    .cwd = "/srv/a b",
    .umask = 0027,
    .stop_timeout_usec = 10000000,
    .log_dir = "/state/logs",
    .log_max = 8589934592,
    .result_max = 1048576,
    .runtime_dir = "/run/longrun/task-42",
};

/* The strings of the job. */
static char **job_of(const ShimSpec *spec) {
    _cleanup_free_ char *data = NULL;
    char **strings = NULL;
    size_t size, n = 0;
    _cleanup_close_ int fd = shim_spec_to_memfd(spec);

    MUST(fd >= 0);
    MUST(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    MUST(fd_read_all(fd, SHIM_SPEC_MAX, &data, &size) == 0);
    MUST(size > 0 && data[size - 1] == '\0');
    for (const char *p = data; p < data + size; p += strlen(p) + 1)
        MUST(strv_push(&strings, &n, strdup(p)) == 0);
    return strings;
}

static void expect_job(const ShimSpec *spec, const char *const *wanted) {
    _cleanup_(strv_freep) char **strings = job_of(spec);

    for (size_t i = 0; i < strv_length(strings); i++) {
        ck_assert_msg(wanted[i], "one too many: %s", strings[i]);
        ck_assert_str_eq(strings[i], wanted[i]);
    }
    ck_assert_ptr_null(wanted[strv_length(strings)]);
}

START_TEST(test_job) {
    static const char *const wanted[] = {
        "id=42",
        "runtime-dir=/run/longrun/task-42",
        "argv=sh",
        "argv=-c",
        "argv=a=b\nc",
        "argv=",
        "env=LONGRUN_TASK_ID=42",
        "env=LONGRUN_ATTEMPT=3",
        "env=LONGRUN_RESULT_MAX=1048576",
        "env=LONGRUN_RESULT=/run/longrun/task-42/result",
        "cwd=/srv/a b",
        "umask=23",
        "stop-timeout-usec=10000000",
        "log-dir=/state/logs",
        "log-max=8589934592",
        NULL,
    };

    expect_job(&plain, wanted);
}
END_TEST

/* Each is left out when there is none. */
static const struct {
    ShimSpec with;
    const char *wanted;
} limits[] = {
    {{.nofile = 1024}, "nofile=1024"},
    {{.nice = 19}, "nice=19"},
    {{.nice = -20}, "nice=-20"},
    {{.timeout_usec = 1000000}, "timeout-usec=1000000"},
    {{.idle_timeout_usec = 5}, "idle-timeout-usec=5"},
    {{.memory_max = UINT64_C(1) << 50}, "memory-max=1125899906842624"},
    {{.pids_max = 100}, "pids-max=100"},
    {{.cpu_weight = 10000}, "cpu-weight=10000"},
};

START_TEST(test_limit) {
    ShimSpec spec = plain, with = limits[_i].with;
    size_t without;
    unsigned found = 0;

    _cleanup_(strv_freep) char **before = job_of(&spec);
    without = strv_length(before);
    spec.nofile = with.nofile;
    spec.nice = with.nice;
    spec.timeout_usec = with.timeout_usec;
    spec.idle_timeout_usec = with.idle_timeout_usec;
    spec.memory_max = with.memory_max;
    spec.pids_max = with.pids_max;
    spec.cpu_weight = with.cpu_weight;
    _cleanup_(strv_freep) char **strings = job_of(&spec);
    STRV_FOREACH (s, strings)
        found += streq(*s, limits[_i].wanted);
    ck_assert_uint_eq(found, 1);
    ck_assert_uint_eq(strv_length(strings), without + 1);
}
END_TEST

static const char *const inputs[] = {"{\"steps\":\t1}\n", ""};

/* It comes last: its value runs up to the end. */
START_TEST(test_stdin) {
    ShimSpec spec = plain;

    spec.stdin_data = inputs[_i];
    spec.stdin_size = strlen(inputs[_i]);
    _cleanup_(strv_freep) char **strings = job_of(&spec);
    const char *last = strings[strv_length(strings) - 1];
    ck_assert(strncmp(last, "stdin=", 6) == 0);
    ck_assert_str_eq(last + 6, inputs[_i]);
}
END_TEST

START_TEST(test_stdin_open) {
    ShimSpec spec = plain;

    _cleanup_(strv_freep) char **closed = job_of(&spec);
    for (char **s = closed; *s; s++)
        ck_assert(strncmp(*s, "stdin", 5) != 0);
    spec.stdin_open = true;
    spec.stdin_data = "first";
    spec.stdin_size = 5;
    _cleanup_(strv_freep) char **strings = job_of(&spec);
    ck_assert_str_eq(strings[strv_length(strings) - 2], "stdin-open=1");
    ck_assert_str_eq(strings[strv_length(strings) - 1], "stdin=first");
}
END_TEST

START_TEST(test_stdin_file) {
    ShimSpec spec = plain;

    spec.stdin_file = "/srv/in put";
    _cleanup_(strv_freep) char **strings = job_of(&spec);
    ck_assert_str_eq(strings[strv_length(strings) - 1], "stdin-file=/srv/in put");
}
END_TEST

/* NULs and all: what comes behind the last key is its value. */
START_TEST(test_stdin_bytes) {
    static const char data[] = "a\0\xff\nargv=x\0";
    ShimSpec spec = plain;
    _cleanup_free_ char *job = NULL;
    size_t size;

    spec.stdin_data = data;
    spec.stdin_size = sizeof(data) - 1;
    _cleanup_close_ int fd = shim_spec_to_memfd(&spec);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fd_read_all(fd, MIB, &job, &size), 0);
    ck_assert_mem_eq(job + size - sizeof(data), data, sizeof(data));
    ck_assert_mem_eq(job + size - sizeof(data) - 6, "stdin=", 6);
}
END_TEST

START_TEST(test_terminal) {
    ShimSpec spec = plain;
    unsigned found = 0;

    spec.terminal = "132x50";
    _cleanup_(strv_freep) char **strings = job_of(&spec);
    STRV_FOREACH (s, strings)
        found += streq(*s, "terminal=132x50");
    ck_assert_uint_eq(found, 1);
}
END_TEST

START_TEST(test_journal) {
    ShimSpec spec = plain;

    spec.label = "a label";
    spec.identifier = "sh";
    _cleanup_(strv_freep) char **before = job_of(&spec);
    size_t without = strv_length(before);
    spec.journal = "/run/journal";
    _cleanup_(strv_freep) char **strings = job_of(&spec);
    ck_assert_uint_eq(strv_length(strings), without + 3);
    ck_assert_str_eq(strings[without], "journal=/run/journal");
    ck_assert_str_eq(strings[without + 1], "label=a label");
    ck_assert_str_eq(strings[without + 2], "identifier=sh");
}
END_TEST

/* ---- the environment ---- */

#define VARIABLES_MAX 20

static const struct {
    bool clear;
    const char *own[VARIABLES_MAX], *given[VARIABLES_MAX];
    const char *wanted[VARIABLES_MAX]; /* besides those of Longrun itself, which come last */
} envs[] = {
    {false, {NULL}, {NULL}, {NULL}},
    {false, {"A=1", "B=2"}, {NULL}, {"A=1", "B=2"}},
    {false, {NULL}, {"A=1", "B=2"}, {"A=1", "B=2"}},
    {false, {"A=1"}, {"B=2"}, {"A=1", "B=2"}},
    /* What is given goes before what was there. */
    {false, {"A=1", "B=2", "C=3"}, {"B=new"}, {"A=1", "C=3", "B=new"}},
    {false, {"A=1"}, {"A="}, {"A="}},
    {false, {"AB=1", "A=2"}, {"A=3"}, {"AB=1", "A=3"}},
    {false, {"A=1"}, {"AB=2"}, {"A=1", "AB=2"}},
    {false, {"A=x=y"}, {NULL}, {"A=x=y"}},
    /* Instead of it. */
    {true, {"A=1", "PATH=/bin"}, {NULL}, {NULL}},
    {true, {"A=1"}, {"B=2"}, {"B=2"}},
    /* What systemd gave to the daemon is not the task's. */
    {false,
     {"NOTIFY_SOCKET=/n", "WATCHDOG_PID=1", "WATCHDOG_USEC=1", "LISTEN_PID=1", "LISTEN_FDS=1",
      "LISTEN_FDNAMES=x", "MAINPID=1", "INVOCATION_ID=x", "JOURNAL_STREAM=8:1",
      "SYSTEMD_EXEC_PID=1", "MEMORY_PRESSURE_WATCH=/m", "MEMORY_PRESSURE_WRITE=x",
      "DBUS_STARTER_ADDRESS=x", "DBUS_STARTER_BUS_TYPE=session", "KEPT=1"},
     {NULL},
     {"KEPT=1"}},
    {false,
     {"NOTIFY_SOCKET_X=1", "XNOTIFY_SOCKET=1"},
     {NULL},
     {"NOTIFY_SOCKET_X=1", "XNOTIFY_SOCKET=1"}},
    {false,
     {"DBUS_SESSION_BUS_ADDRESS=unix:x", "XDG_RUNTIME_DIR=/r", "HOME=/h"},
     {NULL},
     {"DBUS_SESSION_BUS_ADDRESS=unix:x", "XDG_RUNTIME_DIR=/r", "HOME=/h"}},
    /* But who asks for such a variable gets it. */
    {false, {"LISTEN_FDS=1"}, {"LISTEN_FDS=2"}, {"LISTEN_FDS=2"}},
    /* LONGRUN_* is ours, wherever it comes from. */
    {false, {"LONGRUN_TASK_ID=1", "LONGRUN_X=1", "LONGRUNNER=1"}, {NULL}, {"LONGRUNNER=1"}},
    {false, {NULL}, {"LONGRUN_TASK_ID=1", "LONGRUN_RESULT=/x", "A=1"}, {"A=1"}},
    {true, {NULL}, {"LONGRUN_RESULT_MAX=9999999999", "A=1"}, {"A=1"}},
    /* No variable at all. */
    {false, {"JUNK", "", "A=1"}, {NULL}, {"A=1"}},
};

START_TEST(test_env) {
    ShimSpec spec = plain;
    size_t n = 0;

    environ = (char **)envs[_i].own;
    spec.env = (char *const *)envs[_i].given;
    spec.clear_env = envs[_i].clear;
    _cleanup_(strv_freep) char **strings = job_of(&spec);
    for (size_t i = 0; strings[i]; i++) {
        if (strncmp(strings[i], "env=", 4) != 0 || strncmp(strings[i], "env=LONGRUN_", 12) == 0)
            continue;
        ck_assert_msg(envs[_i].wanted[n], "one too many: %s", strings[i]);
        ck_assert_str_eq(strings[i] + 4, envs[_i].wanted[n++]);
    }
    ck_assert_ptr_null(envs[_i].wanted[n]);
}
END_TEST

/* Those of Longrun itself are there once, with its own values. */
START_TEST(test_own_variables) {
    char *const given[] = {(char *)"LONGRUN_TASK_ID=7", (char *)"LONGRUN_RESULT=/etc/x", NULL};
    static char *own[] = {(char *)"LONGRUN_TASK_ID=8", NULL};
    ShimSpec spec = plain;
    int found = 0;

    environ = own;
    spec.env = given;
    spec.clear_env = false;
    _cleanup_(strv_freep) char **strings = job_of(&spec);
    STRV_FOREACH (s, strings)
        if (strncmp(*s, "env=LONGRUN_", 12) == 0) {
            found++;
            ck_assert(streq(*s, "env=LONGRUN_TASK_ID=42") || streq(*s, "env=LONGRUN_ATTEMPT=3") ||
                      streq(*s, "env=LONGRUN_RESULT_MAX=1048576") ||
                      streq(*s, "env=LONGRUN_RESULT=/run/longrun/task-42/result"));
        }
    ck_assert_int_eq(found, 4);
}
END_TEST

START_TEST(test_large) {
    _cleanup_free_ char *text = malloc(MIB);
    char *large[] = {(char *)"echo", text, NULL};
    ShimSpec spec = plain;

    memset(text, 'x', MIB - 1);
    text[MIB - 1] = '\0';
    spec.argv = large;
    spec.stdin_data = text;
    spec.stdin_size = MIB - 1;
    _cleanup_(strv_freep) char **strings = job_of(&spec);
    ck_assert_uint_eq(strlen(strings[3]), strlen("argv=") + MIB - 1);
    ck_assert_uint_eq(strlen(strings[strv_length(strings) - 1]), strlen("stdin=") + MIB - 1);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("shim-spec");
    TCase *t = tcase_create("shim-spec");

    tcase_add_test(t, test_job);
    tcase_add_loop_test(t, test_limit, 0, ELEMENTSOF(limits));
    tcase_add_loop_test(t, test_stdin, 0, ELEMENTSOF(inputs));
    tcase_add_test(t, test_stdin_open);
    tcase_add_test(t, test_stdin_file);
    tcase_add_test(t, test_stdin_bytes);
    tcase_add_test(t, test_terminal);
    tcase_add_test(t, test_journal);
    tcase_add_loop_test(t, test_env, 0, ELEMENTSOF(envs));
    tcase_add_test(t, test_own_variables);
    tcase_add_test(t, test_large);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
