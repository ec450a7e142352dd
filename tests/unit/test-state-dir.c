/* The daemon's folders: where they are, that one daemon has them, and ids that are never given out
 * twice. */

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
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

static uint64_t next_id(StateDir *d) {
    Error e = {};
    uint64_t id = 0;
    int r = state_dir_next_id(d, &id, &e);

    ck_assert_msg(r == 0, "%s", strempty(e.message));
    return id;
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
    size_t fits = 107 - strlen("/longrun/task-18446744073709551615/notify");
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
        StateDir d = open_good(NULL);
        for (uint64_t id = 1; id <= 5; id++)
            MUST(next_id(&d) == id);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    /* How many it gave out nobody knows: what was reserved is skipped. */
    StateDir d = open_good(NULL);
    ck_assert_uint_gt(next_id(&d), 5);
    state_dir_done(&d);
}
END_TEST

/* ---- ids ---- */

/* Without a gap, over ends in good order. */
START_TEST(test_ids_rise) {
    uint64_t last = 0;

    for (int round = 0; round < 5; round++) {
        StateDir d = open_good(NULL);
        for (int i = 0; i < 1500; i++) { /* more than are reserved at once */
            uint64_t id = next_id(&d);
            MUST(id == last + 1);
            last = id;
        }
        state_dir_done(&d);
    }
}
END_TEST

/* What is on disk is always above what was given out, at every moment. */
START_TEST(test_reserved_first) {
    StateDir d = open_good(unit_path("state"));

    ck_assert(!unit_exists("state/next-id"));
    for (int i = 0; i < 2500; i++) {
        uint64_t id = next_id(&d), on_disk = 0;
        _cleanup_free_ char *text = unit_read("state/next-id", NULL);
        MUST(sscanf(text, "%" SCNu64, &on_disk) == 1 && on_disk > id);
    }
    ck_assert(!unit_exists("state/next-id.new"));
    state_dir_done(&d);
}
END_TEST

static const struct {
    const char *text;
    uint64_t next; /* 0: refused */
} files[] = {
    {"1000\n", 1000},
    {"1000", 1000},
    {"1\n", 1},
    {"7\nrest", 7},
    {"", 0},
    {"\n", 0},
    {"0\n", 0},
    {"-5\n", 0},
    {"12x\n", 0},
    {" 12\n", 0},
    {"many\n", 0},
    {"99999999999999999999\n", 0},
    {"0000000000000000000000000000000000000000000000000000000000000000000000000000001\n", 0},
};

START_TEST(test_next_id_file) {
    StateDir d = open_good(unit_path("state"));
    state_dir_done(&d);

    unit_write("state/next-id", files[_i].text, strlen(files[_i].text));
    if (files[_i].next == 0) {
        open_bad(unit_path("state"), "next-id");
        return;
    }
    d = open_good(unit_path("state"));
    ck_assert_uint_eq(next_id(&d), files[_i].next);
    state_dir_done(&d);
}
END_TEST

/* Where the numbers end, no id is given out twice and none is 0. */
START_TEST(test_last_ids) {
    _cleanup_error_ Error e = {};
    StateDir d = open_good(unit_path("state"));
    uint64_t id = 0, last;
    state_dir_done(&d);

    unit_write("state/next-id", "18446744073709551000\n", 21);
    if (state_dir_open(&d, unit_path("state"), &e) < 0)
        return; /* that is an answer, too */
    last = UINT64_C(18446744073709550999);
    for (int i = 0; i < 2000 && state_dir_next_id(&d, &id, &e) == 0; i++) {
        ck_assert_uint_gt(id, last);
        last = id;
    }
    state_dir_done(&d);
}
END_TEST

/* The disk takes no more: no id is given out that is not reserved, and it goes on when there is
 * room.
 */
START_TEST(test_disk_full) {
    _cleanup_error_ Error e = {};
    struct rlimit limit, none;
    StateDir d = open_good(unit_path("state"));
    uint64_t id = 4711;

    getrlimit(RLIMIT_FSIZE, &limit);
    none = limit;
    none.rlim_cur = 0;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &none);
    int r = state_dir_next_id(&d, &id, &e);
    setrlimit(RLIMIT_FSIZE, &limit);
    ck_assert_int_eq(r, -EREMOTE);
    ck_assert_int_eq(e.code, ERROR_STORAGE);
    ck_assert(strstr(e.message, "Make room or rights there, then try again"));
    ck_assert_uint_eq(id, 4711);
    ck_assert_uint_eq(next_id(&d), 1);
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
    tcase_add_test(t, test_ids_rise);
    tcase_add_test(t, test_reserved_first);
    tcase_add_loop_test(t, test_next_id_file, 0, ELEMENTSOF(files));
    tcase_add_test(t, test_last_ids);
    tcase_add_test(t, test_disk_full);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
