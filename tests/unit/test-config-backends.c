/* Backends in the configuration: sections of longrun.conf, and the files of backend.d. */

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "common/log.h"
#include "daemon/config.h"
#include "tests/unit/unit.h"

static unsigned warnings, errors;
static char last[1024];

static void on_log(int level, uint64_t task_id, const char *text) {
    if (level == LOG_WARNING)
        warnings++;
    else {
        ck_assert_int_eq(level, LOG_ERR);
        errors++;
    }
    snprintf(last, sizeof(last), "%s", text);
}

static void setup(void) {
    log_set_sink(on_log);
    ck_assert_int_eq(mkdir(unit_path(CONFIG_BACKEND_DIR), 0700), 0);
}

static void write_text(const char *name, const char *text) {
    unit_write(name, text, strlen(text));
}

static Config load(void) {
    _cleanup_error_ Error e = {};
    Config c;

    ck_assert_msg(config_load(unit_path("longrun.conf"), false, &c, &e) == 0, "%s",
                  strempty(e.message));
    return c;
}

static void load_refused(const char *text, const char *error) {
    _cleanup_error_ Error e = {};
    Config c = {.max_parallel = 4711}, untouched = c;

    write_text("longrun.conf", text);
    ck_assert_int_eq(config_load(unit_path("longrun.conf"), true, &c, &e), -EREMOTE);
    ck_assert_int_eq(e.code, ERROR_INVALID_OPTION);
    ck_assert_msg(strstr(e.message, error), "\"%s\" is not in: %s", error, e.message);
    ck_assert_msg(strstr(e.message, "longrun.conf: "), "%s", e.message);
    ck_assert_mem_eq(&c, &untouched, sizeof(c));
}

static const BackendSettings *settings(const Config *c, const char *name) {
    const ConfigBackend *b = config_backend_find(&c->backends, name);

    ck_assert_ptr_nonnull(b);
    ck_assert_ptr_nonnull(b->settings);
    return b->settings;
}

/* ---- longrun.conf ---- */

START_TEST(test_section) {
    write_text("longrun.conf", "[Backend home]\n"
                               "Url=http://127.0.0.1:8080/api/\n"
                               "Type=messenger\n"
                               "StatusIntervalSec=1min 30s\n"
                               "ResponseMax=2M\n"
                               "FailureThreshold=3\n"
                               "Polling=no\n"
                               "Expect=/status == \"online\"\n"
                               "Expect=/free == 7\n"
                               "[Manager]\n"
                               "MaxParallel=3\n"
                               "[Backend\twork.1]\n"
                               "Url=https://example.org\n"
                               "[Backend home]\n"
                               "TimeoutSec=7\n");
    Config c = load();

    ck_assert_uint_eq(warnings + errors, 0);
    ck_assert_uint_eq(c.max_parallel, 3);
    const BackendSettings *s = settings(&c, "home");
    ck_assert_str_eq(s->url, "http://127.0.0.1:8080/api");
    ck_assert_str_eq(s->type, BACKEND_TYPE_MESSENGER);
    ck_assert_str_eq(s->status_path, "/api/status"); /* of the type */
    ck_assert_uint_eq(s->status_interval_usec, 90 * USEC_PER_SEC);
    ck_assert_uint_eq(s->response_max, 2 * MIB);
    ck_assert_uint_eq(s->failure_threshold, 3);
    ck_assert(!s->polling);
    ck_assert_str_eq(s->expect[1], "/free == 7");
    ck_assert_uint_eq(s->timeout_usec, 7 * USEC_PER_SEC);
    ck_assert_str_eq(settings(&c, "work.1")->url, "https://example.org");

    /* By name. */
    const ConfigBackend *b = config_backend_next(&c.backends, NULL);
    ck_assert_str_eq(b->name, "home");
    ck_assert_str_eq(b->origin, unit_path("longrun.conf"));
    b = config_backend_next(&c.backends, b);
    ck_assert_str_eq(b->name, "work.1");
    ck_assert_ptr_null(config_backend_next(&c.backends, b));
    config_done(&c);
}
END_TEST

#define GOOD "Url=http://localhost\n"

static const struct {
    const char *text, *error;
} refused[] = {
    {"[Backend home]\n", "backend home: there is no url"},
    {"[Backend home]\n[Backend b]\n" GOOD, "backend home: there is no url"},
    {"[Backend home]\nUrl=ftp://localhost\n", "backend home: the url \"ftp://localhost\""},
    {"[Backend home]\n" GOOD "TimeoutSec=soon\n",
     "line 3: TimeoutSec=soon is not valid, it wants a time span"},
    {"[Backend home]\n" GOOD "TimeoutSec=30d\n", "line 3: TimeoutSec is out of bounds"},
    {"[Backend home]\n" GOOD "Polling=perhaps\n", "line 3: Polling=perhaps is not valid"},
    {"[Backend home]\n" GOOD "FailureThreshold=0\n", "line 3: FailureThreshold"},
    {"[Backend home]\n" GOOD "Auth=bearer\n", "backend home: auth needs a credential"},
    {"[Backend no name]\n" GOOD, "line 1: "},
    {"[Backend 12]\n" GOOD, "line 1: "},
    {"[Backend ]\n" GOOD, "line 1: "},
    {"[Backend aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]\n" GOOD,
     "line 1: the name of the section has more than 49 bytes"},
    {"[Manager]\nNetworkProbe=example.org\n", "line 2: NetworkProbe=example.org is not valid"},
    {"[Manager]\nNetworkProbe=http://\n", "line 2: NetworkProbe="},
    {"[Manager]\nNetworkProbe=http://a b/\n", "line 2: NetworkProbe="},
    {"[Manager]\nNetworkProbe=http://a:b@c/\n", "line 2: NetworkProbe= is not valid"},
};

START_TEST(test_refused) {
    load_refused(refused[_i].text, refused[_i].error);
    ck_assert_uint_eq(warnings + errors, 0);
}
END_TEST

/* A value of which the reader of such files would see a part. */
START_TEST(test_long_value) {
    char text[512] = "[Backend home]\nUrl=http://localhost/";

    memset(text + strlen(text), 'a', 300);
    load_refused(text, "line 2 has more than 198 bytes");
}
END_TEST

static const struct {
    const char *text, *warning;
} unknown[] = {
    {"[Backend home]\n" GOOD "Urll=x\n", "unknown key Urll= in section [Backend home], ignoring"},
    {"[Backend home]\n" GOOD "url=x\n", "unknown key url= in section [Backend home], ignoring"},
    {"[Backend]\nUrl=x\n", "unknown key Url= in section [Backend], ignoring"},
    {"[Backends home]\nUrl=x\n", "unknown key Url= in section [Backends home], ignoring"},
};

START_TEST(test_unknown) {
    write_text("longrun.conf", unknown[_i].text);
    Config c = load();

    ck_assert_uint_eq(warnings, 1);
    ck_assert_msg(strstr(last, unknown[_i].warning), "%s", last);
    config_done(&c);
}
END_TEST

START_TEST(test_probe) {
    write_text("longrun.conf", "[Manager]\nNetworkProbe=http://a\nNetworkProbe=https://b/c?d\n");
    Config c = load();

    ck_assert_str_eq(c.network_probe, "https://b/c?d");
    config_done(&c);
    write_text("longrun.conf", "[Manager]\nNetworkProbe=http://a\nNetworkProbe=\n");
    c = load();
    ck_assert_ptr_null(c.network_probe);
    config_done(&c);
}
END_TEST

/* ---- backend.d ---- */

START_TEST(test_drop_in) {
    write_text("backend.d/home.conf", "# mine\n[Backend]\nUrl=http://localhost:1\nPolling=no\n");
    write_text("backend.d/a-b_c.2.conf", "[Backend]\nUrl=http://localhost:2\n");
    write_text("backend.d/.hidden.conf", "rubbish");
    write_text("backend.d/home.conf~", "rubbish");
    write_text("backend.d/.conf", "rubbish");
    write_text("backend.d/README", "rubbish");
    Config c = load(); /* there is no longrun.conf, and none is needed */

    ck_assert_uint_eq(warnings + errors, 0);
    ck_assert_uint_eq(HASH_COUNT(c.backends.by_name), 2);
    ck_assert_str_eq(settings(&c, "home")->url, "http://localhost:1");
    ck_assert(!settings(&c, "home")->polling);
    ck_assert_str_eq(settings(&c, "a-b_c.2")->url, "http://localhost:2");
    ck_assert_str_eq(config_backend_find(&c.backends, "home")->origin,
                     unit_path("backend.d/home.conf"));
    ck_assert(!c.backends.incomplete);
    config_done(&c);
}
END_TEST

/* is_known: its name is that of a backend, which is noted as not of use. */
static const struct {
    const char *file, *text, *error;
    bool is_known;
} left_out[] = {
    {"bad.conf", "", "bad.conf: backend bad: there is no url", true},
    {"bad.conf", "[Backend]\nUrl=nowhere\n", "bad.conf: backend bad: the url \"nowhere\"", true},
    {"bad.conf", "[Backend]\n" GOOD "TimeoutSec=x\n", "bad.conf: line 3: TimeoutSec=x", true},
    {"bad.conf", "[Backend]\nrubbish\n", "bad.conf: line 2 is neither", true},
    {"bad.conf", "[Backend bad]\n" GOOD, "bad.conf: line 1: section [Backend bad] is for", true},
    {"no name.conf", "[Backend]\n" GOOD, "no name.conf is left out: ", false},
    {"1.conf", "[Backend]\n" GOOD, "1.conf is left out: ", false},
    {"first.conf", "[Backend]\n" GOOD, "longrun.conf defines backend first already", false},
};

/* What is wrong with one is no reason to do without the others. */
START_TEST(test_left_out) {
    char path[64];

    write_text("longrun.conf", "[Backend first]\nUrl=http://localhost:1\n");
    write_text("backend.d/z.conf", "[Backend]\n" GOOD);
    snprintf(path, sizeof(path), "backend.d/%s", left_out[_i].file);
    write_text(path, left_out[_i].text);
    Config c = load();

    ck_assert_uint_eq(errors, 1);
    ck_assert_msg(strstr(last, left_out[_i].error), "\"%s\" is not in: %s", left_out[_i].error,
                  last);
    ck_assert_str_eq(settings(&c, "z")->url, "http://localhost");
    ck_assert_str_eq(settings(&c, "first")->url, "http://localhost:1");
    const ConfigBackend *bad = config_backend_find(&c.backends, "bad");
    ck_assert(!bad != left_out[_i].is_known);
    ck_assert(!bad || !bad->settings);
    config_done(&c);
}
END_TEST

START_TEST(test_no_file) {
    ck_assert_int_eq(mkdir(unit_path("backend.d/dir.conf"), 0700), 0);
    ck_assert_int_eq(mkfifo(unit_path("backend.d/fifo.conf"), 0600), 0); /* nobody writes to it */
    ck_assert_int_eq(symlink("nowhere", unit_path("backend.d/link.conf")), 0);
    Config c = load();

    ck_assert_uint_eq(errors, 3);
    ck_assert_uint_eq(HASH_COUNT(c.backends.by_name), 3);
    config_done(&c);
}
END_TEST

/* Nobody knows which backends there would be. */
START_TEST(test_no_folder) {
    ck_assert_int_eq(rmdir(unit_path("backend.d")), 0);
    write_text("backend.d", "");
    Config c = load();

    ck_assert(c.backends.incomplete);
    ck_assert_uint_eq(errors, 1);
    config_done(&c);
}
END_TEST

START_TEST(test_many) {
    _cleanup_free_ char *text = calloc(BACKENDS_MAX + 2, 48);
    size_t n = 0;

    for (int i = 0; i < BACKENDS_MAX; i++)
        n += (size_t)sprintf(text + n, "[Backend b%d]\n" GOOD, i);
    write_text("longrun.conf", text);
    write_text("backend.d/more.conf", "[Backend]\n" GOOD);
    Config c = load();
    ck_assert_uint_eq(HASH_COUNT(c.backends.by_name), BACKENDS_MAX);
    ck_assert_uint_eq(errors, 1);
    ck_assert_msg(strstr(last, "there are more than 2000 backends"), "%s", last);
    config_done(&c);
    sprintf(text + n, "[Backend x]\n" GOOD);
    load_refused(text, "line 4001: there are more than 2000 backends");
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("config-backends");
    TCase *t = tcase_create("config-backends");

    unit_use_dir(t);
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, test_section);
    tcase_add_loop_test(t, test_refused, 0, ELEMENTSOF(refused));
    tcase_add_test(t, test_long_value);
    tcase_add_loop_test(t, test_unknown, 0, ELEMENTSOF(unknown));
    tcase_add_test(t, test_probe);
    tcase_add_test(t, test_drop_in);
    tcase_add_loop_test(t, test_left_out, 0, ELEMENTSOF(left_out));
    tcase_add_test(t, test_no_file);
    tcase_add_test(t, test_no_folder);
    tcase_add_test(t, test_many);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
