/* The configuration file: values over the defaults, what is refused, what is only warned of. */

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "daemon/config.h"
#include "tests/unit/unit.h"

static unsigned warnings;
static char last_warning[512];

static void on_log(int level, uint64_t task_id, const char *text) {
    ck_assert_int_eq(level, LOG_WARNING);
    warnings++;
    strncpy(last_warning, text, sizeof(last_warning) - 1);
}

static void setup(void) {
    log_set_sink(on_log);
}

/* Reads the text as a file. error: a part of the message, NULL when it is to be read. */
static Config load(const char *text, const char *error) {
    static const Config untouched = {.max_parallel = 4711};
    Config config = untouched;
    Error e = {};

    unit_write("longrun.conf", text, strlen(text));
    int r = config_load(unit_path("longrun.conf"), true, &config, &e);
    if (error) {
        ck_assert_int_eq(r, -EREMOTE);
        ck_assert_int_eq(e.code, ERROR_INVALID_OPTION);
        ck_assert_msg(strstr(e.message, error), "\"%s\" is not in: %s", error, e.message);
        ck_assert_msg(strstr(e.message, "longrun.conf"), "%s", e.message);
        ck_assert_mem_eq(&config, &untouched, sizeof(config));
    } else
        ck_assert_msg(r == 0, "%s", strempty(e.message));
    error_done(&e);
    return config;
}

static void expect_defaults(const Config *c) {
    ck_assert_uint_eq(c->max_parallel, (unsigned)sysconf(_SC_NPROCESSORS_ONLN));
    ck_assert_uint_eq(c->max_queued, 100000);
    ck_assert_uint_eq(c->history_max, 10000);
    ck_assert_uint_eq(c->stop_timeout_usec, 10 * USEC_PER_SEC);
    ck_assert_uint_eq(c->log_max, GIB);
    ck_assert_uint_eq(c->result_max, MIB);
    ck_assert_uint_eq(c->history_max_age_usec, 0);
    ck_assert_uint_eq(c->logs_max, 10 * GIB);
    ck_assert_uint_eq(c->min_free_disk, 64 * MIB);
    ck_assert_ptr_null(resource_next(&c->resources, NULL));
}

static const char *const empty[] = {
    "",
    "\n\n",
    "[Manager]\n",
    "# comment\n; comment\n[Manager]\n# MaxParallel=3\n",
    "[Manager]\n#                                                                       a long "
    "comment "
    "of more bytes than the reader of such files takes in one line, which is two hundred, and this "
    "one has well above that number, so that its end comes as a line\n",
};

START_TEST(test_empty) {
    Config c = load(empty[_i], NULL);

    expect_defaults(&c);
    ck_assert_uint_eq(warnings, 0);
}
END_TEST

START_TEST(test_all_keys) {
    Config c = load("[Manager]\n"
                    "MaxParallel=3\n"
                    "MaxQueued = 70\n"
                    "HistoryMax=5 ; not many\n"
                    "HistoryMaxAgeSec=30d\n"
                    "LogsMax=2G\n"
                    "MinFreeDisk=1.5G\n"
                    "StopTimeoutSec=1min 30s\r\n"
                    "  \n"
                    "Journal=on\n"
                    "LogMax=500M\n"
                    "ResultMax=64K",
                    NULL);

    ck_assert_uint_eq(c.max_parallel, 3);
    ck_assert(c.journal);
    ck_assert_uint_eq(c.max_queued, 70);
    ck_assert_uint_eq(c.history_max, 5);
    ck_assert_uint_eq(c.history_max_age_usec, 30 * USEC_PER_DAY);
    ck_assert_uint_eq(c.logs_max, 2 * GIB);
    ck_assert_uint_eq(c.min_free_disk, 1536 * MIB);
    ck_assert_uint_eq(c.stop_timeout_usec, 90 * USEC_PER_SEC);
    ck_assert_uint_eq(c.log_max, 500 * MIB);
    ck_assert_uint_eq(c.result_max, 64 * KIB);
    ck_assert_uint_eq(warnings, 0);
}
END_TEST

START_TEST(test_last_counts) {
    Config c = load("[Manager]\nMaxParallel=3\n[Other]\n[Manager]\nMaxParallel=0\n", NULL);

    ck_assert_uint_eq(c.max_parallel, 0);
    ck_assert_uint_eq(c.max_queued, 100000); /* the others keep their defaults */
}
END_TEST

/* ---- values ---- */

static const struct {
    const char *line, *error;
} lines[] = {
    {"MaxParallel=0", NULL},
    {"MaxParallel=4294967295", NULL},
    {"MaxParallel=4294967296",
     "MaxParallel=4294967296 is not valid, it wants a number of tasks, 0"},
    {"MaxParallel=", "MaxParallel= is not valid"},
    {"MaxParallel=-1", "MaxParallel=-1 is not valid"},
    {"MaxParallel=many", "MaxParallel=many is not valid"},
    {"MaxParallel=2 CPUs", "MaxParallel=2 CPUs is not valid"},
    {"MaxQueued=0", NULL},
    {"MaxQueued=1e3", "MaxQueued=1e3 is not valid, it wants a number of tasks"},
    {"HistoryMax=0", NULL},
    {"HistoryMax=x", "HistoryMax=x is not valid, it wants a number of ended tasks"},
    {"HistoryMaxAgeSec=0", NULL},
    {"HistoryMaxAgeSec=infinity", NULL},
    {"HistoryMaxAgeSec=36500d", NULL},
    {"HistoryMaxAgeSec=36501d",
     "HistoryMaxAgeSec=36501d is not valid, it wants a time span up to 100 years"},
    {"HistoryMaxAgeSec=a month", "HistoryMaxAgeSec=a month is not valid"},
    {"LogsMax=0", NULL},
    {"LogsMax=1024T", NULL},
    {"LogsMax=1025T", "LogsMax=1025T is not valid, it wants a size up to 1024T"},
    {"LogsMax=-1", "LogsMax=-1 is not valid"},
    {"MinFreeDisk=0", NULL},
    {"MinFreeDisk=1025T", "MinFreeDisk=1025T is not valid, it wants a size up to 1024T"},
    {"MinFreeDisk=5%", "MinFreeDisk=5% is not valid, it wants a size"},
    {"StopTimeoutSec=0", NULL},
    {"StopTimeoutSec=7d", NULL},
    {"StopTimeoutSec=7d 1us",
     "StopTimeoutSec=7d 1us is not valid, it wants a time span up to a week"},
    {"StopTimeoutSec=infinity", "it wants a time span up to a week"},
    {"StopTimeoutSec=10 parsecs", "it wants a time span up to a week"},
    {"Journal=yes", NULL},
    {"Journal=0", NULL},
    {"Journal=", "Journal= is not valid, it wants yes or no"},
    {"Journal=journald", "Journal=journald is not valid, it wants yes or no"},
    {"LogMax=0", NULL},
    {"LogMax=1024T", NULL},
    {"LogMax=1025T", "LogMax=1025T is not valid, it wants a size"},
    {"LogMax=8g", "LogMax=8g is not valid, it wants a size"},
    {"ResultMax=8M", NULL},
    {"ResultMax=65M", "ResultMax=65M is not valid, it wants a size"},
    {"ResultMax=-1", "ResultMax=-1 is not valid, it wants a size"},
    /* No line of such a file. */
    {"MaxParallel", "line 2 is neither [Section] nor Key=Value"},
    {"[Manager", "line 2 is neither [Section] nor Key=Value"},
    {"\xff\xfe", "line 2 is neither [Section] nor Key=Value"},
};

START_TEST(test_line) {
    char text[256];

    snprintf(text, sizeof(text), "[Manager]\n%s\n", lines[_i].line);
    (void)load(text, lines[_i].error);
    ck_assert_uint_eq(warnings, 0);
}
END_TEST

/* Both say that there is no limit, and it has one value. */
START_TEST(test_no_age) {
    Config c = load(
        _i ? "[Manager]\nHistoryMaxAgeSec=infinity\n" : "[Manager]\nHistoryMaxAgeSec=0\n", NULL);

    ck_assert_uint_eq(c.history_max_age_usec, 0);
}
END_TEST

/* A value of which the reader of such files would see a part. */
START_TEST(test_long_line) {
    char text[512] = "[Manager]\nMaxParallel=";

    memset(text + strlen(text), ' ', 300);
    strcat(text, "3\n");
    (void)load(text, "line 2 has more than");
}
END_TEST

/* The first thing that is wrong is the one that is told. */
START_TEST(test_first_error) {
    (void)load("[Manager]\nMaxQueued=x\nMaxParallel=y\nrubbish\n", "MaxQueued=x is not valid");
}
END_TEST

static const struct {
    const char *text, *warning;
} unknown[] = {
    {"[Manager]\nMaxParalel=3\n", "unknown key MaxParalel= in section [Manager], ignoring"},
    {"[Manager]\nmaxparallel=3\n", "unknown key maxparallel= in section [Manager], ignoring"},
    {"[resources]\ngpu=3\n", "unknown key gpu= in section [resources], ignoring"},
    {"[Backend]\nMaxParallel=3\n", "unknown key MaxParallel= in section [Backend], ignoring"},
    {"MaxParallel=3\n", "unknown key MaxParallel= in section [], ignoring"},
};

START_TEST(test_unknown) {
    Config c = load(unknown[_i].text, NULL);

    expect_defaults(&c);
    ck_assert_uint_eq(warnings, 1);
    ck_assert_msg(strstr(last_warning, unknown[_i].warning), "%s", last_warning);
}
END_TEST

/* ---- resources ---- */

START_TEST(test_resources) {
    Config c = load("[Resources]\ngpu = 2\nnet=1 ; of the lab\n"
                    "[Manager]\nMaxParallel=5\n"
                    "[Resources]\ntape.a-1=4294967295\nnet=3\n",
                    NULL);
    static const struct {
        const char *name;
        uint32_t capacity;
    } expected[] = {{"gpu", 2}, {"net", 3}, {"tape.a-1", UINT32_MAX}};
    const Resource *r = NULL;

    for (size_t i = 0; i < ELEMENTSOF(expected); i++) {
        r = resource_next(&c.resources, r);
        ck_assert_ptr_nonnull(r);
        ck_assert_str_eq(r->name, expected[i].name);
        ck_assert_uint_eq(r->capacity, expected[i].capacity);
        ck_assert_uint_eq(r->used, 0);
    }
    ck_assert_ptr_null(resource_next(&c.resources, r));
    ck_assert_uint_eq(c.max_parallel, 5);
    ck_assert_uint_eq(warnings, 0);
    config_done(&c);
}
END_TEST

static const struct {
    const char *line, *error;
} bad_resources[] = {
    {"gpu=0", "line 3: gpu=0 is not valid, it wants a number of tokens, at least 1"},
    {"gpu=", "line 3: gpu= is not valid"},
    {"gpu=-1", "line 3: gpu=-1 is not valid"},
    {"gpu=4294967296", "line 3: gpu=4294967296 is not valid"},
    {"gpu=two", "line 3: gpu=two is not valid"},
    {"gpu=1.5", "line 3: gpu=1.5 is not valid"},
    {"my gpu=1", "line 3: "},
    {"1=1", "line 3: "},
    {"gpu/0=1", "line 3: "},
    {"gpu", "line 3 is neither [Section] nor Key=Value"},
};

START_TEST(test_bad_resource) {
    char text[256];

    /* What was read before is not kept either. */
    snprintf(text, sizeof(text), "[Resources]\nnet=2\n%s\n", bad_resources[_i].line);
    (void)load(text, bad_resources[_i].error);
}
END_TEST

START_TEST(test_many_resources) {
    _cleanup_free_ char *text = calloc(RESOURCES_MAX + 2, 16);
    size_t n = (size_t)sprintf(text, "[Resources]\n");

    for (int i = 0; i < RESOURCES_MAX; i++)
        n += (size_t)sprintf(text + n, "r%d=1\n", i);
    Config c = load(text, NULL);
    config_done(&c);
    sprintf(text + n, "r0=2\n"); /* no new one */
    c = load(text, NULL);
    config_done(&c);
    sprintf(text + n, "x=1\n");
    (void)load(text, "line 1002: there are more than 1000 resources");
}
END_TEST

/* ---- the file ---- */

START_TEST(test_missing) {
    _cleanup_error_ Error e = {};
    Config c = {};

    ck_assert_int_eq(config_load(unit_path("none"), false, &c, &e), 0);
    expect_defaults(&c);
    ck_assert_int_eq(config_load(unit_path("none"), true, &c, &e), -EREMOTE);
    ck_assert(strstr(e.message, "/none: No such file or directory"));
}
END_TEST

static void expect_no_file(const char *path, bool required, const char *error) {
    _cleanup_error_ Error e = {};
    Config c = {};

    ck_assert_int_eq(config_load(path, required, &c, &e), -EREMOTE);
    ck_assert_msg(strstr(e.message, path) && strstr(e.message, error), "%s", e.message);
    ck_assert_uint_eq(c.max_queued, 0);
}

/* Something is there, but it is no file to read: whoever put it there wants to know. */
START_TEST(test_no_file) {
    bool required = _i;
    _cleanup_free_ char *large = calloc(1, 2 * MIB);

    expect_no_file(unit_dir, required, "Is a directory");
    ck_assert_int_eq(mkfifo(unit_path("fifo"), 0600), 0); /* nobody writes to it */
    expect_no_file(unit_path("fifo"), required, "Invalid argument");
    unit_write("large", large, 2 * MIB);
    expect_no_file(unit_path("large"), required, "File too large");
}
END_TEST

START_TEST(test_link) {
    _cleanup_error_ Error e = {};
    Config c = {};

    unit_write("elsewhere", "[Manager]\nMaxParallel=7\n", 24);
    ck_assert_int_eq(symlink("elsewhere", unit_path("longrun.conf")), 0);
    ck_assert_int_eq(config_load(unit_path("longrun.conf"), false, &c, &e), 0);
    ck_assert_uint_eq(c.max_parallel, 7);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("config");
    TCase *t = tcase_create("config");

    unit_use_dir(t);
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_loop_test(t, test_empty, 0, ELEMENTSOF(empty));
    tcase_add_test(t, test_all_keys);
    tcase_add_test(t, test_last_counts);
    tcase_add_loop_test(t, test_line, 0, ELEMENTSOF(lines));
    tcase_add_loop_test(t, test_no_age, 0, 2);
    tcase_add_test(t, test_long_line);
    tcase_add_test(t, test_first_error);
    tcase_add_loop_test(t, test_unknown, 0, ELEMENTSOF(unknown));
    tcase_add_test(t, test_resources);
    tcase_add_loop_test(t, test_bad_resource, 0, ELEMENTSOF(bad_resources));
    tcase_add_test(t, test_many_resources);
    tcase_add_test(t, test_missing);
    tcase_add_loop_test(t, test_no_file, 0, 2);
    tcase_add_test(t, test_link);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
