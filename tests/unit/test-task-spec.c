/* Requests held against the rules: each cap with what just fits and what does not, what makes a
 * command and a built-in kind, the label that is made up. */

#include <errno.h>

#include "common/strv.h"
#include "daemon/core/task-spec.h"
#include "tests/unit/unit-task.h"

#define MAX_USEC (7 * USEC_PER_DAY)

static EnvTable *envs;
static TaskSpec *spec; /* a good command: "true" */

static const TaskDefaults defaults = {
    .cwd = "/srv", .stop_timeout_usec = 10, .log_max = 20, .result_max = 30};

static void set_argv(const char *const *argv) {
    size_t n = 0;

    spec->argv = strv_free(spec->argv);
    for (; *argv; argv++)
        MUST(strv_push(&spec->argv, &n, strdup(*argv)) == 0);
}

static void set_env(char *const *env) {
    spec->env = env_block_unref(spec->env);
    spec->env = env_table_intern(envs, env);
    MUST(spec->env);
}

static void setup(void) {
    envs = env_table_new();
    spec = task_spec_new(TASK_KIND_COMMAND, &defaults);
    MUST(envs && spec);
    set_argv((const char *const[]){"true", NULL});
}

static void teardown(void) {
    spec = task_spec_free(spec);
    envs = env_table_free(envs);
}

static void be_built_in(void) {
    spec->argv = strv_free(spec->argv);
    unit_set(&spec->kind, "noop");
}

/* error: a part of the message, NULL for a request that is good. */
static void expect(const char *error) {
    _cleanup_error_ Error e = {};
    int r = task_spec_check(spec, &e);

    if (!error) {
        ck_assert_msg(r == 0, "%s", strempty(e.message));
        ck_assert(!isempty(spec->label));
        return;
    }
    ck_assert_int_eq(r, -EREMOTE);
    ck_assert_int_eq(e.code, ERROR_INVALID_OPTION);
    ck_assert_msg(strstr(e.message, error), "\"%s\" is not in: %s", error, e.message);
}

START_TEST(test_defaults) {
    ck_assert_str_eq(spec->kind, "command");
    ck_assert_str_eq(spec->group, "default");
    ck_assert_str_eq(spec->label, "");
    ck_assert_str_eq(spec->unique, "");
    ck_assert_str_eq(spec->params, "");
    ck_assert_str_eq(spec->cwd, "/srv");
    ck_assert_uint_eq(spec->umask, 0022);
    ck_assert_uint_eq(spec->stop_timeout_usec, 10);
    ck_assert_uint_eq(spec->log_max, 20);
    ck_assert_uint_eq(spec->result_max, 30);
    ck_assert_ptr_null(spec->env);
    ck_assert(!spec->clear_env && !spec->isolate);
    expect(NULL);
    ck_assert_ptr_null(task_spec_free(NULL));
}
END_TEST

/* ---- kinds ---- */

START_TEST(test_command) {
    set_argv((const char *const[]){NULL});
    expect("argv is empty");
    set_argv((const char *const[]){"", "x", NULL});
    expect("argv is empty");
    spec->argv = strv_free(spec->argv);
    expect("argv is empty");
    set_argv((const char *const[]){"true", "", NULL}); /* an argument may be empty */
    expect(NULL);
    unit_set(&spec->params, "{}");
    expect("params is for built-in kinds");
    unit_set(&spec->params, "");
    spec->isolate = true;
    expect("isolate is for built-in kinds");
}
END_TEST

START_TEST(test_built_in) {
    be_built_in();
    expect(NULL);
    ck_assert_str_eq(spec->label, "noop");
    spec->isolate = true;
    unit_set(&spec->params, "{\"any\": 1}");
    expect(NULL);
    set_argv((const char *const[]){"true", NULL});
    expect("argv is for tasks of kind \"command\"; kind \"noop\" takes params");
}
END_TEST

/* ---- caps ---- */

/* A string at its cap is good, one byte above it is not. */
static void expect_cap(char **field, char first, size_t max, const char *error) {
    for (size_t size = max; size <= max + 1; size++) {
        _cleanup_free_ char *text = unit_repeat('x', size);
        text[0] = first;
        unit_set(field, text);
        expect(size > max ? error : NULL);
    }
}

START_TEST(test_strings) {
    expect_cap(&spec->label, 'x', TASK_LABEL_MAX, "label has more than 4096 bytes");
    unit_set(&spec->label, "");
    expect_cap(&spec->unique, 'x', TASK_UNIQUE_MAX, "unique has more than 1024 bytes");
    unit_set(&spec->unique, "");
    expect_cap(&spec->cwd, '/', TASK_PATH_MAX - 1, "cwd has more than 4095 bytes");
    unit_set(&spec->cwd, "/");
    be_built_in();
    expect_cap(&spec->params, '{', TASK_PARAMS_MAX, "params has more than 1024 KiB");
}
END_TEST

/* argv of `n` strings of `size` bytes each, the NUL among them. */
static void set_large_argv(size_t n, size_t size) {
    _cleanup_free_ char *text = unit_repeat('a', size - 1);
    size_t count = 0;

    spec->argv = strv_free(spec->argv);
    while (count < n)
        MUST(strv_push(&spec->argv, &count, strdup(text)) == 0);
}

START_TEST(test_argv_caps) {
    size_t fits = TASK_ARGV_MAX / TASK_STRING_MAX;

    set_large_argv(1, TASK_STRING_MAX);
    expect(NULL);
    set_large_argv(1, TASK_STRING_MAX + 1);
    expect("argv[0] has 131072 bytes; the system takes at most 131071");
    set_large_argv(fits, TASK_STRING_MAX);
    expect(NULL);
    set_large_argv(fits + 1, TASK_STRING_MAX);
    expect("argv has more than 1024 KiB altogether");
    /* Each counts with its NUL. */
    set_large_argv(TASK_ARGV_MAX / 2, 2);
    expect(NULL);
    set_large_argv(TASK_ARGV_MAX / 2 + 1, 2);
    expect("argv has more than 1024 KiB altogether");
}
END_TEST

START_TEST(test_env_caps) {
    size_t fits = TASK_ENV_MAX / TASK_STRING_MAX;
    char *env[8] = {};

    for (size_t size = TASK_STRING_MAX; size <= TASK_STRING_MAX + 1; size++) {
        _cleanup_free_ char *variable = unit_repeat('V', size - 1);
        variable[1] = '=';
        env[0] = variable;
        set_env(env);
        expect(size > TASK_STRING_MAX ? "env[0] has 131072 bytes" : NULL);
    }
    _cleanup_free_ char *variable = unit_repeat('V', TASK_STRING_MAX - 1);
    variable[1] = '=';
    for (size_t i = 0; i <= fits; i++) {
        env[i] = variable;
        set_env(env);
        expect(i == fits ? "env has more than 512 KiB altogether" : NULL);
    }
}
END_TEST

static const struct {
    const char *variable, *error;
} variables[] = {
    {"A=1", NULL},
    {"A=", NULL},
    {"A==", NULL},
    {"A B=1", NULL}, /* odd, but execve(2) takes it */
    {"A", "env[1] is not VARIABLE=VALUE: \"A\""},
    {"", "env[1] is not VARIABLE=VALUE: \"\""},
    {"=1", "env[1] is not VARIABLE=VALUE: \"=1\""},
    {"LONGRUN_RESULT=/x",
     "env[1]: variables LONGRUN_* are set by longrund itself: LONGRUN_RESULT=/x"},
    {"LONGRUNNER=1", NULL},
};

START_TEST(test_variable) {
    set_env((char *[]){(char *)"GOOD=1", (char *)variables[_i].variable, NULL});
    expect(variables[_i].error);
}
END_TEST

static const struct {
    size_t field;
    bool wide; /* uint64_t, else uint32_t */
    uint64_t max;
    const char *error;
} numbers[] = {
    {offsetof(TaskSpec, umask), false, 0777, "umask 1000 is above 0777"},
    {offsetof(TaskSpec, stop_timeout_usec), true, MAX_USEC, "stop-timeout is above 7d 0h"},
    {offsetof(TaskSpec, result_max), true, 8 * MIB, "result-max is above 8.0M"},
    {offsetof(TaskSpec, log_max), true, UINT64_C(1) << 50, "log-max is above 1024T"},
};

START_TEST(test_number) {
    void *field = (char *)spec + numbers[_i].field;
    uint64_t values[] = {0, numbers[_i].max, numbers[_i].max + 1, UINT64_MAX};

    for (size_t i = 0; i < ELEMENTSOF(values); i++) {
        if (numbers[_i].wide)
            *(uint64_t *)field = values[i];
        else
            *(uint32_t *)field = (uint32_t)values[i];
        expect(i < 2 ? NULL : i == 2 ? numbers[_i].error : "is above");
    }
}
END_TEST

static const struct {
    const char *cwd, *error;
} cwds[] = {
    {"/", NULL},
    {"/no such folder", NULL}, /* that is for the world to tell */
    {"", "is not absolute"},
    {".", "is not absolute"},
    {"srv", "cwd \"srv\" is not absolute"},
    {"~", "is not absolute"},
};

START_TEST(test_cwd) {
    unit_set(&spec->cwd, cwds[_i].cwd);
    expect(cwds[_i].error);
}
END_TEST

/* ---- stdin ---- */

static void set_stdin(size_t size) {
    _cleanup_free_ char *data = unit_repeat('x', size);

    free(TAKE_PTR(spec->stdin_data));
    MUST(bytes_new(&spec->stdin_data, data, size) == 0);
}

START_TEST(test_stdin) {
    set_stdin(TASK_STDIN_MAX);
    expect(NULL);
    spec->stdin_open = true;
    expect(NULL);
    set_stdin(TASK_STDIN_MAX + 1);
    expect("stdin has more than 1024 KiB: put it into a file");
    set_stdin(1);
    unit_set(&spec->stdin_file, "/srv/in");
    expect("stdin and stdin-file do not go together");
    unit_set(&spec->stdin_file, "");
    be_built_in();
    spec->isolate = true;
    expect("stdin is for commands: a task of kind \"noop\" takes params");
}
END_TEST

START_TEST(test_stdin_file) {
    expect_cap(&spec->stdin_file, '/', TASK_PATH_MAX - 1, "stdin-file has more than 4095 bytes");
    unit_set(&spec->stdin_file, "in");
    expect("stdin-file \"in\" is not absolute");
    unit_set(&spec->stdin_file, "/srv/in");
    expect(NULL);
    spec->stdin_open = true;
    expect("stdin-file and stdin-open do not go together");
    spec->stdin_open = false;
    be_built_in();
    expect("stdin-file is for commands");
}
END_TEST

/* ---- the label ---- */

static const struct {
    const char *label, *error;
} labels[] = {
    {"nightly build", NULL},
    {"pri\xc3\xa8re \xe2\x82\xac", NULL},
    {"two\nlines", "label has a control character"},
    {"a\ttab", "label has a control character"},
    {"\x1b[31mred", "label has a control character"},
    {"del\x7f", "label has a control character"},
};

START_TEST(test_label) {
    _cleanup_error_ Error e = {};

    ck_assert_int_eq(task_label_check(labels[_i].label, &e), labels[_i].error ? -EREMOTE : 0);
    unit_set(&spec->label, labels[_i].label);
    expect(labels[_i].error);
    ck_assert_str_eq(spec->label, labels[_i].label);
}
END_TEST

static const struct {
    const char *argv[5];
    const char *label;
} made_up[] = {
    {{"true"}, "true"},
    {{"make", "-j8", "all"}, "make -j8 all"},
    {{"echo", "", "x"}, "echo  x"},
    {{"sh", "-c", "a\nb\r\nc"}, "sh -c a b  c"},
    {{"printf", "\x1b[31mred\x1b[0m\a"}, "printf red"},
    {{"bad", "\xff\xc3"}, "bad \xef\xbf\xbd\xef\xbf\xbd"},
    {{"pri\xc3\xa8re"}, "pri\xc3\xa8re"},
};

START_TEST(test_made_up_label) {
    set_argv(made_up[_i].argv);
    expect(NULL);
    ck_assert_str_eq(spec->label, made_up[_i].label);
}
END_TEST

/* A program's name that leaves nothing to show still gives a label. */
static const char *const invisible[] = {"\x01", "\x1b[0m", "\n"};

START_TEST(test_label_of_nothing) {
    set_argv((const char *const[]){invisible[_i], NULL});
    expect(NULL);
}
END_TEST

START_TEST(test_long_label) {
    set_large_argv(10, 30000);
    expect(NULL);
    ck_assert_uint_eq(strlen(spec->label), 200 + strlen("…"));

    set_large_argv(100, 2);
    unit_set(&spec->label, "");
    expect(NULL);
    ck_assert_uint_eq(strlen(spec->label), 199); /* "a a ... a" */
    set_large_argv(101, 2);
    unit_set(&spec->label, "");
    expect(NULL);
    ck_assert_uint_eq(strlen(spec->label), 200 + strlen("…"));

    /* Cut in the middle of a character, at the cap of what is looked at. */
    _cleanup_free_ char *text = unit_repeat('\xe2', 3000);
    for (size_t i = 0; i + 2 < 3000; i += 3)
        memcpy(text + i, "\xe2\x82\xac", 3);
    set_argv((const char *const[]){text, NULL});
    unit_set(&spec->label, "");
    expect(NULL);
    ck_assert_uint_eq(strlen(spec->label), 198 + strlen("…"));
}
END_TEST

START_TEST(test_size) {
    size_t before = task_spec_size(spec);

    unit_set(&spec->label, "12345");
    ck_assert_uint_eq(task_spec_size(spec), before + 5);
    set_argv((const char *const[]){"true", "123", NULL});
    ck_assert_uint_eq(task_spec_size(spec), before + 5 + 4 + sizeof(char *));
    be_built_in();
    before = task_spec_size(spec);
    unit_set(&spec->params, "{\"steps\":10}");
    ck_assert_uint_eq(task_spec_size(spec), before + 12 + 1);
    set_stdin(MIB);
    ck_assert_uint_ge(task_spec_size(spec), before + MIB);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("task-spec");
    TCase *t = tcase_create("rules");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_defaults);
    tcase_add_test(t, test_command);
    tcase_add_test(t, test_built_in);
    tcase_add_test(t, test_strings);
    tcase_add_test(t, test_argv_caps);
    tcase_add_test(t, test_env_caps);
    tcase_add_loop_test(t, test_variable, 0, ELEMENTSOF(variables));
    tcase_add_loop_test(t, test_number, 0, ELEMENTSOF(numbers));
    tcase_add_loop_test(t, test_cwd, 0, ELEMENTSOF(cwds));
    tcase_add_test(t, test_stdin);
    tcase_add_test(t, test_stdin_file);
    tcase_add_test(t, test_size);
    suite_add_tcase(s, t);

    t = tcase_create("label");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, test_label, 0, ELEMENTSOF(labels));
    tcase_add_loop_test(t, test_made_up_label, 0, ELEMENTSOF(made_up));
    tcase_add_loop_test(t, test_label_of_nothing, 0, ELEMENTSOF(invisible));
    tcase_add_test(t, test_long_label);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
