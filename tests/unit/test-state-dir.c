/* The daemon's folders: where they are, that one daemon has them, and what is cleaned in them. */

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/cleanup.h"
#include "daemon/state-dir.h"
#include "tests/unit/unit.h"

static void setup(void) {
    MUST(setenv("HOME", unit_path("home"), true) == 0);
    MUST(setenv("XDG_RUNTIME_DIR", unit_path("run"), true) == 0);
    MUST(unsetenv("XDG_STATE_HOME") == 0);
}

static StateDir open_good(const char *state) {
    Error e = {};
    StateDir d;
    int r = state_dir_open(&d, state, &e);

    ck_assert_msg(r == 0, "%s", strempty(e.message));
    return d;
}

/* error: a part of the message. */
static void open_bad(const char *state, const char *error) {
    _cleanup_error_ Error e = {};
    StateDir d;

    ck_assert_int_eq(state_dir_open(&d, state, &e), -EREMOTE);
    ck_assert_int_eq(e.code, ERROR_STORAGE);
    ck_assert_msg(strstr(e.message, error), "\"%s\" is not in: %s", error, e.message);
    /* Nothing is held. */
    ck_assert_ptr_null(d.state);
    ck_assert_int_lt(d.state_lock, 0);
    ck_assert_int_lt(d.runtime_lock, 0);
    state_dir_done(&d);
}

/* ---- where they are ---- */

static void expect_private(const char *path) {
    struct stat st;

    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert(S_ISDIR(st.st_mode));
    ck_assert_int_eq(st.st_mode & 07777, 0700);
}

static const struct {
    const char *state_home, *runtime, *given; /* below the test's folder; NULL: not set */
    const char *state, *run;
} places[] = {
    {NULL, "run", NULL, "home/.local/state/longrun", "run/longrun"},
    {"xdg", "run", NULL, "xdg/longrun", "run/longrun"},
    {"xdg", "run", "given", "given", "run/longrun"},
    {NULL, NULL, NULL, "home/.local/state/longrun", "home/.local/state/longrun/run"},
    {NULL, NULL, "given", "given", "given/run"},
};

static void set_or_not(const char *variable, const char *name) {
    if (name)
        setenv(variable, unit_path(name), true);
    else
        unsetenv(variable);
}

START_TEST(test_places) {
    char state[256], run[256], logs[300];

    umask(0);
    snprintf(state, sizeof(state), "%s", unit_path(places[_i].state));
    snprintf(run, sizeof(run), "%s", unit_path(places[_i].run));
    snprintf(logs, sizeof(logs), "%s/logs", state);
    set_or_not("XDG_STATE_HOME", places[_i].state_home);
    set_or_not("XDG_RUNTIME_DIR", places[_i].runtime);
    StateDir d = open_good(places[_i].given ? unit_path(places[_i].given) : NULL);
    ck_assert_str_eq(d.state, state);
    ck_assert_str_eq(d.runtime, run);
    ck_assert_str_eq(d.logs, logs);
    expect_private(d.state);
    expect_private(d.logs);
    expect_private(d.runtime);
    _cleanup_free_ char *task = state_dir_task_runtime(&d, UINT64_MAX);
    char wanted[300];
    snprintf(wanted, sizeof(wanted), "%s/task-18446744073709551615", run);
    ck_assert_str_eq(task, wanted);
    state_dir_done(&d);
    state_dir_done(&d);
}
END_TEST

START_TEST(test_bad_places) {
    open_bad("relative", "must be absolute: relative");
    open_bad("", "must be absolute");
    unit_write("file", "", 0);
    open_bad(unit_path("file"), "Cannot make the folder");
    open_bad(unit_path("file/below"), "Not a directory");
    setenv("XDG_STATE_HOME", "relative", true); /* as the specification says: ignored */
    StateDir d = open_good(NULL);
    ck_assert_str_eq(d.state, unit_path("home/.local/state/longrun"));
    state_dir_done(&d);
    unsetenv("HOME");
    open_bad(NULL, "set HOME or XDG_STATE_HOME");
}
END_TEST

/* A socket's path has 107 bytes, and the longest one below must fit. */
START_TEST(test_long_path) {
    size_t fits = 107 - strlen("/longrun/task-18446744073709551615/control");
    char path[200];
    size_t n = (size_t)snprintf(path, sizeof(path), "%s/", unit_dir);

    for (size_t size = fits; size <= fits + 1; size++) {
        memset(path + n, 'r', size - n);
        path[size] = '\0';
        setenv("XDG_RUNTIME_DIR", path, true);
        if (size > fits) {
            open_bad(NULL, "too long for sockets: set XDG_RUNTIME_DIR to a shorter one");
            continue;
        }
        StateDir d = open_good(NULL);
        state_dir_done(&d);
    }
}
END_TEST

/* ---- the locks ---- */

START_TEST(test_locks) {
    StateDir d = open_good(NULL);

    open_bad(NULL, "Another longrund uses");
    /* One of both is enough to be in the way. */
    open_bad(unit_path("other"), "Another longrund uses");
    setenv("XDG_RUNTIME_DIR", unit_path("other-run"), true);
    open_bad(NULL, "Another longrund uses");
    StateDir other = open_good(unit_path("other"));
    state_dir_done(&d);
    state_dir_done(&other);
    setenv("XDG_RUNTIME_DIR", unit_path("run"), true);
    d = open_good(NULL);
    state_dir_done(&d);
}
END_TEST

/* However the other one ended. */
START_TEST(test_lock_of_the_dead) {
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        (void)open_good(NULL);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    StateDir d = open_good(NULL);
    state_dir_done(&d);
}
END_TEST

/* ---- runtime folders of tasks ---- */

static bool is_odd(void *userdata, uint64_t id) {
    MUST(userdata == &is_odd);
    return id % 2 == 1;
}

static void make(const char *name) {
    MUST(mkdir(unit_path(name), 0700) == 0);
}

START_TEST(test_clean_runtime) {
    StateDir d = open_good(NULL);

    make("run/longrun/task-1");
    make("run/longrun/task-2");
    make("run/longrun/task-18446744073709551614");
    unit_write("run/longrun/task-1/exit", "x", 1);
    unit_write("run/longrun/task-2/result", "{}", 2);
    make("run/longrun/task-");
    make("run/longrun/task-4x");
    make("run/longrun/other-4");
    unit_write("run/longrun/keeper", "", 0);
    state_dir_clean_runtime(&d, is_odd, &is_odd);
    ck_assert(unit_exists("run/longrun/task-1/exit"));
    ck_assert(!unit_exists("run/longrun/task-2"));
    ck_assert(!unit_exists("run/longrun/task-18446744073709551614"));
    /* Not of ours, or not of a task. */
    ck_assert(unit_exists("run/longrun/task-"));
    ck_assert(unit_exists("run/longrun/task-4x"));
    ck_assert(unit_exists("run/longrun/other-4"));
    ck_assert(unit_exists("run/longrun/keeper"));
    state_dir_done(&d);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("state-dir");
    TCase *t = tcase_create("state-dir");

    unit_use_dir(t);
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_set_timeout(t, 30);
    tcase_add_loop_test(t, test_places, 0, ELEMENTSOF(places));
    tcase_add_test(t, test_bad_places);
    tcase_add_test(t, test_long_path);
    tcase_add_test(t, test_locks);
    tcase_add_test(t, test_lock_of_the_dead);
    tcase_add_test(t, test_clean_runtime);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
