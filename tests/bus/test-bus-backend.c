#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/strv.h"
#include "daemon/bus/bus-backend-call.h"
#include "tests/bus/bus-rig.h"
#include "tests/bus/fake-backends.h"

/* Backends on the bus: which there are, what is asked of them, and who is answered when. */

#define PATH LONGRUN_BACKEND_PATH "/home"

static BusRig rig;
static FakeDaemon fake;

static void setup(void) {
    bus_rig_setup_fake(&rig, &fake);
}

static void teardown(void) {
    bus_rig_teardown(&rig);
}

#define MANAGER(...) bus_rig_call(&rig, LONGRUN_ROOT_PATH, LONGRUN_MANAGER_INTERFACE, __VA_ARGS__)
#define MANAGER_GOOD(...)                                                                          \
    bus_rig_call_good(&rig, LONGRUN_ROOT_PATH, LONGRUN_MANAGER_INTERFACE, __VA_ARGS__)

/* ---- AddBackend, RemoveBackend, ListBackends ---- */

static const BackendSettings *settings(const char *name) {
    Backend *b;

    HASH_FIND_STR(fake.backends, name, b);
    ck_assert_ptr_nonnull(b);
    return b->settings;
}

START_TEST(settings_are_read) {
    sd_bus_message *m = MANAGER_GOOD(
        "AddBackend", "sa{sv}", "a-b.c", 7, "url", "s", "http://localhost", "status-interval", "t",
        UINT64_C(7000000), "polling", "b", 0, "failure-threshold", "u", 3, "expect", "as", 2,
        "/a == 1", "/b == 2", "response-max", "t", UINT64_C(4096), "auth", "s", "");
    const char *path;

    ck_assert_int_gt(sd_bus_message_read_basic(m, 'o', &path), 0);
    ck_assert_str_eq(path, LONGRUN_BACKEND_PATH "/a_2db_2ec");
    sd_bus_message_unref(m);
    const BackendSettings *s = settings("a-b.c");
    ck_assert_str_eq(s->url, "http://localhost");
    ck_assert_uint_eq(s->status_interval_usec, 7000000);
    ck_assert(!s->polling);
    ck_assert_uint_eq(s->failure_threshold, 3);
    ck_assert_str_eq(s->expect[1], "/b == 2");
    ck_assert_uint_eq(s->response_max, 4096);
    ck_assert_uint_eq(s->poll_interval_usec, 2 * USEC_PER_SEC);
}
END_TEST

START_TEST(what_is_wrong_is_named) {
    bus_rig_assert_error(MANAGER("AddBackend", "sa{sv}", "b", 1, "urll", "s", "x"), "UnknownOption",
                         "no setting \"urll\" of a backend. Known are: url, type, status-path");
    bus_rig_assert_error(MANAGER("AddBackend", "sa{sv}", "b", 1, "Url", "s", "x"), "UnknownOption",
                         "no setting \"Url\"");
    bus_rig_assert_error(MANAGER("AddBackend", "sa{sv}", "b", 1, "timeout", "s", "5s"),
                         "InvalidOption", "timeout is of type t, not s");
    bus_rig_assert_error(MANAGER("AddBackend", "sa{sv}", "b", 1, "timeout", "u", 5),
                         "InvalidOption", "timeout is of type t, not u");
    bus_rig_assert_error(MANAGER("AddBackend", "sa{sv}", "b", 1, "expect", "s", "x"),
                         "InvalidOption", "expect is of type as, not s");
    bus_rig_assert_error(MANAGER("AddBackend", "sa{sv}", "b", 2, "url", "s", "x", "url", "s", "y"),
                         "InvalidOption", "url is given twice");
    ck_assert_ptr_null(fake.backends);
}
END_TEST

static void add_with(const BackendSetting *i) {
    const char *type = i->type;
    sd_bus_message *m =
        type[0] == 's'   ? MANAGER_GOOD("AddBackend", "sa{sv}", "home", 1, i->name, type, "text")
        : type[0] == 'a' ? MANAGER_GOOD("AddBackend", "sa{sv}", "home", 1, i->name, type, 1, "text")
        : type[0] == 'b' ? MANAGER_GOOD("AddBackend", "sa{sv}", "home", 1, i->name, type, 0)
        : type[0] == 'u'
            ? MANAGER_GOOD("AddBackend", "sa{sv}", "home", 1, i->name, type, 7)
            : MANAGER_GOOD("AddBackend", "sa{sv}", "home", 1, i->name, type, UINT64_C(7));

    sd_bus_message_unref(m);
}

/* Adds another one with the settings that are shown of the first. */
static void add_copy(void) {
    sd_bus_message *shown = bus_rig_call_good(&rig, PATH, "org.freedesktop.DBus.Properties", "Get",
                                              "ss", LONGRUN_BACKEND_INTERFACE, "Settings");
    sd_bus_message *m = NULL;

    ck_assert_int_gt(sd_bus_message_enter_container(shown, 'v', "a{sv}"), 0);
    ck_assert_int_ge(sd_bus_message_new_method_call(rig.client, &m, LONGRUN_BUS_NAME,
                                                    LONGRUN_ROOT_PATH, LONGRUN_MANAGER_INTERFACE,
                                                    "AddBackend"),
                     0);
    ck_assert_int_ge(sd_bus_message_append_basic(m, 's', "copy"), 0);
    ck_assert_int_ge(sd_bus_message_copy(m, shown, true), 0);
    ck_assert_int_ge(sd_bus_send(rig.client, m, NULL), 0);
    sd_bus_message_unref(MANAGER_GOOD("ListBackends", ""));
    sd_bus_message_unref(m);
    sd_bus_message_unref(shown);
}

/* The whole table: each goes in by its type, and what is shown can be given. */
START_TEST(each_setting_comes_back) {
    BackendSettings *plain = backend_settings_new();

    add_with(&backend_settings()[_i]);
    add_copy();
    ck_assert(backend_settings_equal(settings("copy"), settings("home")));
    ck_assert(!backend_settings_equal(settings("home"), plain));
    backend_settings_free(plain);
}
END_TEST

START_TEST(backends_are_listed) {
    const char *name, *path;

    fake_backend_add(&fake, "a", BACKEND_TYPE_JSON);
    fake_backend_add(&fake, "b.c", BACKEND_TYPE_JSON);
    sd_bus_message *m = MANAGER_GOOD("ListBackends", "");
    ck_assert_int_gt(sd_bus_message_enter_container(m, 'a', "(so)"), 0);
    ck_assert_int_gt(sd_bus_message_read(m, "(so)", &name, &path), 0);
    ck_assert_str_eq(name, "a");
    ck_assert_str_eq(path, LONGRUN_BACKEND_PATH "/a");
    ck_assert_int_gt(sd_bus_message_read(m, "(so)", &name, &path), 0);
    ck_assert_str_eq(name, "b.c");
    ck_assert_str_eq(path, LONGRUN_BACKEND_PATH "/b_2ec");
    ck_assert_int_eq(sd_bus_message_at_end(m, false), 1);
    sd_bus_message_unref(m);

    sd_bus_message_unref(MANAGER_GOOD("RemoveBackend", "s", "a"));
    bus_rig_assert_error(MANAGER("RemoveBackend", "s", "a"), "NoSuchBackend", "no a");
    bus_rig_assert_error(MANAGER("AddBackend", "sa{sv}", "b.c", 0), "InvalidOption", "already");
}
END_TEST

/* ---- objects ---- */

static void expect_nodes(const char *path, const char *part, bool is_there) {
    sd_bus_message *m =
        bus_rig_call_good(&rig, path, "org.freedesktop.DBus.Introspectable", "Introspect", "");
    const char *xml;

    ck_assert_int_gt(sd_bus_message_read_basic(m, 's', &xml), 0);
    ck_assert_msg(!strstr(xml, part) != is_there, "%s of %s: %s", part, path, xml);
    sd_bus_message_unref(m);
}

START_TEST(objects_can_be_looked_at) {
    fake_backend_add(&fake, "home", BACKEND_TYPE_JSON);
    fake_backend_add(&fake, "chat-1", BACKEND_TYPE_MESSENGER);
    expect_nodes(LONGRUN_ROOT_PATH, "<node name=\"backend\"/>", true);
    expect_nodes(LONGRUN_BACKEND_PATH, "<node name=\"home\"/>", true);
    expect_nodes(LONGRUN_BACKEND_PATH, "<node name=\"chat_2d1\"/>", true);
    expect_nodes(PATH, LONGRUN_BACKEND_INTERFACE, true);
    expect_nodes(PATH, LONGRUN_MESSENGER_INTERFACE, false);
    expect_nodes(LONGRUN_BACKEND_PATH "/chat_2d1", LONGRUN_BACKEND_INTERFACE, true);
    expect_nodes(LONGRUN_BACKEND_PATH "/chat_2d1", LONGRUN_MESSENGER_INTERFACE, true);
}
END_TEST

static const char *const unknown[] = {"/work", "/_", "/home_2e", "/HOME"};

START_TEST(an_object_that_is_not_there) {
    char path[256];

    fake_backend_add(&fake, "home", BACKEND_TYPE_JSON);
    snprintf(path, sizeof(path), LONGRUN_BACKEND_PATH "%s", unknown[_i]);
    bus_rig_assert_error(bus_rig_call(&rig, path, LONGRUN_BACKEND_INTERFACE, "CheckStatus", ""),
                         "NoSuchBackend", "longrun backend list");
    bus_rig_assert_error(bus_rig_call(&rig, path, "org.freedesktop.DBus.Properties", "GetAll", "s",
                                      LONGRUN_BACKEND_INTERFACE),
                         "NoSuchBackend", "There is no backend");
}
END_TEST

START_TEST(a_messenger_is_asked_for) {
    fake_backend_add(&fake, "home", BACKEND_TYPE_JSON);
    bus_rig_assert_error(bus_rig_call(&rig, PATH, LONGRUN_MESSENGER_INTERFACE, "LoadFriends", ""),
                         "InvalidOption", "Backend home is of type json");
}
END_TEST

/* ---- properties ---- */

static void set(char **field, const char *text) {
    free(*field);
    *field = strdup(text);
}

static void expect_text(const char *property, const char *expected) {
    sd_bus_message *m = bus_rig_call_good(&rig, PATH, "org.freedesktop.DBus.Properties", "Get",
                                          "ss", LONGRUN_BACKEND_INTERFACE, property);
    const char *text;

    ck_assert_int_gt(sd_bus_message_read(m, "v", "s", &text), 0);
    ck_assert_str_eq(text, expected);
    sd_bus_message_unref(m);
}

static void expect_number(const char *property, uint64_t expected) {
    sd_bus_message *m = bus_rig_call_good(&rig, PATH, "org.freedesktop.DBus.Properties", "Get",
                                          "ss", LONGRUN_BACKEND_INTERFACE, property);
    uint64_t number;

    ck_assert_int_gt(sd_bus_message_read(m, "v", "t", &number), 0);
    ck_assert_uint_eq(number, expected);
    sd_bus_message_unref(m);
}

START_TEST(properties_are_shown) {
    Backend *b = fake_backend_add(&fake, "home", BACKEND_TYPE_JSON);

    expect_text("Origin", "");
    expect_text("State", "unknown");
    expect_text("Status", "");
    set(&b->settings->url, "http://localhost");
    set(&b->reason, "no route");
    set(&b->last_error, "cut \xc3"); /* within a character */
    set(&b->status, "{\"a\":1}");
    b->origin = strdup("/etc/x.conf");
    b->state = BACKEND_ONLINE;
    b->last_update = 11;
    b->latency_usec = 12;
    b->next_check = 13;
    expect_text("Name", "home");
    expect_text("Origin", "/etc/x.conf");
    expect_text("Url", "http://localhost");
    expect_text("Type", "json");
    expect_text("State", "online");
    expect_text("Reason", "no route");
    expect_text("LastError", "cut \xef\xbf\xbd");
    expect_text("Status", "{\"a\":1}");
    expect_number("StatusInterval", 10 * USEC_PER_SEC);
    expect_number("PollInterval", 2 * USEC_PER_SEC);
    expect_number("LastUpdate", 11);
    expect_number("Latency", 12);
    expect_number("NextCheck", 13);
}
END_TEST

START_TEST(polling_is_switched) {
    Backend *b = fake_backend_add(&fake, "home", BACKEND_TYPE_JSON);

    sd_bus_message_unref(
        bus_rig_call_good(&rig, PATH, LONGRUN_BACKEND_INTERFACE, "StopPolling", ""));
    ck_assert(!b->polling);
    sd_bus_message_unref(
        bus_rig_call_good(&rig, PATH, LONGRUN_BACKEND_INTERFACE, "StartPolling", ""));
    ck_assert(b->polling);
}
END_TEST

/* ---- calls that wait for the server ---- */

static int on_answer(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    *(sd_bus_message **)userdata = sd_bus_message_ref(m);
    return 0;
}

static bool has_answer(void *userdata) {
    return *(sd_bus_message **)userdata;
}

static bool is_asked(void *userdata) {
    return fake_backend_first(&fake);
}

#define BEGIN(answer, member, ...)                                                                 \
    ck_assert_int_ge(sd_bus_call_method_async(rig.client, NULL, LONGRUN_BUS_NAME, PATH,            \
                                              LONGRUN_BACKEND_INTERFACE, member, on_answer,        \
                                              answer, __VA_ARGS__),                                \
                     0)

/* Runs until it is asked, answers, and gives what the caller gets. */
static sd_bus_message *answered(sd_bus_message **answer, const char *asked, ErrorCode error,
                                const void *data) {
    bus_rig_run_until(&rig, is_asked, NULL);
    ck_assert_str_eq(fake_backend_first(&fake)->text, asked);
    /* Nothing is answered before; others are. */
    sd_bus_message_unref(MANAGER_GOOD("ListBackends", ""));
    ck_assert_ptr_null(*answer);
    fake_backend_answer(&fake, error, data);
    bus_rig_run_until(&rig, has_answer, answer);
    return *answer;
}

/* That it is offline is no error; that it is gone is one. */
START_TEST(check_status) {
    static const struct {
        bool online;
        ErrorCode error;
        bool expected;
    } answers[] = {{true, ERROR_NONE, true},
                   {false, ERROR_NONE, false},
                   {false, ERROR_BACKEND_OFFLINE, false},
                   {false, ERROR_BACKEND_FAILED, false}};
    sd_bus_message *m = NULL;
    int online;

    fake_backend_add(&fake, "home", BACKEND_TYPE_JSON);
    for (size_t i = 0; i < ELEMENTSOF(answers); i++) {
        BEGIN(&m, "CheckStatus", "");
        answered(&m, "check home", answers[i].error, &answers[i].online);
        ck_assert(!sd_bus_message_is_method_error(m, NULL));
        ck_assert_int_gt(sd_bus_message_read_basic(m, 'b', &online), 0);
        ck_assert_int_eq(online, answers[i].expected);
        m = sd_bus_message_unref(m);
    }
    BEGIN(&m, "CheckStatus", "");
    bus_rig_assert_error(answered(&m, "check home", ERROR_NO_SUCH_BACKEND, NULL), "NoSuchBackend",
                         "away");
}
END_TEST

START_TEST(poll_once) {
    sd_bus_message *m = NULL;

    fake_backend_add(&fake, "home", BACKEND_TYPE_JSON);
    BEGIN(&m, "Poll", "");
    ck_assert(!sd_bus_message_is_method_error(answered(&m, "poll home", ERROR_NONE, NULL), NULL));
    m = sd_bus_message_unref(m);
    BEGIN(&m, "Poll", "");
    bus_rig_assert_error(answered(&m, "poll home", ERROR_BACKEND_FAILED, NULL), "BackendFailed",
                         "the server is \"away\"");
}
END_TEST

START_TEST(request) {
    sd_bus_message *m = NULL;
    const char *body;
    uint32_t status;

    fake_backend_add(&fake, "home", BACKEND_TYPE_JSON);
    BEGIN(&m, "Request", "sss", "POST", "/tea?a=b", "{}");
    answered(&m, "POST home /tea?a=b {}", ERROR_NONE, "no \xc3\xa4");
    ck_assert_int_gt(sd_bus_message_read(m, "us", &status, &body), 0);
    ck_assert_uint_eq(status, 418);
    ck_assert_str_eq(body, "no \xc3\xa4");
    m = sd_bus_message_unref(m);
    BEGIN(&m, "Request", "sss", "GET", "/", "");
    bus_rig_assert_error(answered(&m, "GET home / ", ERROR_NONE, "\xff"), "BackendFailed",
                         "no UTF-8");
    m = NULL;
    BEGIN(&m, "Request", "sss", "GET", "/", "");
    bus_rig_assert_error(answered(&m, "GET home / ", ERROR_BACKEND_OFFLINE, NULL), "BackendOffline",
                         "away");
}
END_TEST

START_TEST(request_that_is_too_large) {
    _cleanup_free_ char *body = calloc(1, 8 * MIB + 2);
    sd_bus_message *m = NULL;

    fake_backend_add(&fake, "home", BACKEND_TYPE_JSON);
    memset(body, ' ', 8 * MIB + 1);
    BEGIN(&m, "Request", "sss", "POST", "/", body);
    bus_rig_run_until(&rig, has_answer, &m);
    bus_rig_assert_error(m, "InvalidOption", "at most 8 MiB");
    ck_assert_ptr_null(fake_backend_first(&fake));
}
END_TEST

static const struct {
    const char *member, *types;
} asking[] = {{"CheckStatus", ""}, {"Poll", ""}, {"Request", "sss"}};

START_TEST(what_cannot_be_asked) {
    const char *member = asking[_i].member, *types = asking[_i].types;

    fake_backend_add(&fake, "home", BACKEND_TYPE_JSON);
    fake.ask_result = -EREMOTE;
    bus_rig_assert_error(
        bus_rig_call(&rig, PATH, LONGRUN_BACKEND_INTERFACE, member, types, "GET", "/", ""),
        "InvalidOption", "refused");
    fake.ask_result = -ENOBUFS;
    sd_bus_message *m =
        bus_rig_call(&rig, PATH, LONGRUN_BACKEND_INTERFACE, member, types, "GET", "/", "");
    ck_assert(sd_bus_message_is_method_error(m, SD_BUS_ERROR_LIMITS_EXCEEDED));
    sd_bus_message_unref(m);
    ck_assert_uint_eq(fake.bus->n_backend_calls, 0);
}
END_TEST

/* ---- caps ---- */

static void expect_limit(const char *path, const char *part) {
    sd_bus_message *m = bus_rig_call(&rig, path, LONGRUN_BACKEND_INTERFACE, "Poll", "");

    ck_assert(sd_bus_message_is_method_error(m, SD_BUS_ERROR_LIMITS_EXCEEDED));
    ck_assert_msg(strstr(sd_bus_message_get_error(m)->message, part), "%s",
                  sd_bus_message_get_error(m)->message);
    sd_bus_message_unref(m);
}

static void begin_polls(const char *path, size_t n, sd_bus_message **answer) {
    for (size_t i = 0; i < n; i++)
        ck_assert_int_ge(sd_bus_call_method_async(rig.client, NULL, LONGRUN_BUS_NAME, path,
                                                  LONGRUN_BACKEND_INTERFACE, "Poll", on_answer,
                                                  answer, ""),
                         0);
}

/* So many of one; others are asked still, and it is, too, when one was answered. */
START_TEST(calls_of_one) {
    sd_bus_message *m = NULL, *other = NULL;

    fake_backend_add(&fake, "home", BACKEND_TYPE_JSON);
    fake_backend_add(&fake, "work", BACKEND_TYPE_JSON);
    begin_polls(PATH, BUS_BACKEND_CALLS_EACH, &m);
    expect_limit(PATH, "100 calls wait for this backend already");
    begin_polls(LONGRUN_BACKEND_PATH "/work", 1, &other);
    sd_bus_message_unref(MANAGER_GOOD("ListBackends", ""));
    fake_backend_answer(&fake, ERROR_NONE, NULL);
    bus_rig_run_until(&rig, has_answer, &m);
    ck_assert_uint_eq(fake.bus->n_backend_calls, BUS_BACKEND_CALLS_EACH);
    m = sd_bus_message_unref(m);
    begin_polls(PATH, 1, &other);
    expect_limit(PATH, "100 calls wait for this backend already");
    ck_assert_ptr_null(other);
    /* The bus goes with those that wait. */
}
END_TEST

START_TEST(calls_of_all) {
    sd_bus_message *m = NULL;
    char name[16], path[256];

    for (int i = 0; i <= 10; i++) {
        snprintf(name, sizeof(name), "b%d", i);
        fake_backend_add(&fake, name, BACKEND_TYPE_JSON);
        snprintf(path, sizeof(path), LONGRUN_BACKEND_PATH "/%s", name);
        if (i < 10)
            begin_polls(path, BUS_BACKEND_CALLS_EACH, &m);
    }
    expect_limit(path, "1000 calls wait for backends already");
    ck_assert_ptr_null(m);
}
END_TEST

/* ---- the disk ---- */

static const struct {
    const char *path, *interface, *method, *types;
} changes[] = {
    {LONGRUN_ROOT_PATH, LONGRUN_MANAGER_INTERFACE, "AddBackend", "sa{sv}"},
    {LONGRUN_ROOT_PATH, LONGRUN_MANAGER_INTERFACE, "RemoveBackend", "s"},
    {PATH, LONGRUN_BACKEND_INTERFACE, "StartPolling", ""},
    {PATH, LONGRUN_BACKEND_INTERFACE, "StopPolling", ""},
};

static sd_bus_message *answer_after_commit(size_t i, int commit_error) {
    sd_bus_message *answer = NULL;

    fake_backend_add(&fake, "home", BACKEND_TYPE_JSON);
    fake_backend_add(&fake, "gone", BACKEND_TYPE_JSON);
    fake.commits_stopped = true;
    fake.commit_error = commit_error;
    ck_assert_int_ge(sd_bus_call_method_async(rig.client, NULL, LONGRUN_BUS_NAME, changes[i].path,
                                              changes[i].interface, changes[i].method, on_answer,
                                              &answer, changes[i].types, i == 1 ? "gone" : "new",
                                              0),
                     0);
    sd_bus_message_unref(MANAGER_GOOD("ListBackends", ""));
    ck_assert_ptr_null(answer);
    fake_daemon_go_on(&fake);
    bus_rig_run_until(&rig, has_answer, &answer);
    return answer;
}

START_TEST(the_answer_waits_for_the_disk) {
    sd_bus_message *answer = answer_after_commit((size_t)_i, 0);

    ck_assert(!sd_bus_message_is_method_error(answer, NULL));
    sd_bus_message_unref(answer);
}
END_TEST

START_TEST(the_answer_tells_of_the_disk) {
    bus_rig_assert_error(answer_after_commit((size_t)_i, -ENOSPC), "Storage",
                         "The change is made, but it is not on disk yet");
}
END_TEST

static int count_settings(void) {
    int n = 0;

    while (backend_settings()[n].name)
        n++;
    return n;
}

int main(void) {
    Suite *s = suite_create("bus-backend");
    TCase *t = tcase_create("backend");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, settings_are_read);
    tcase_add_test(t, what_is_wrong_is_named);
    tcase_add_loop_test(t, each_setting_comes_back, 0, count_settings());
    tcase_add_test(t, backends_are_listed);
    tcase_add_test(t, objects_can_be_looked_at);
    tcase_add_loop_test(t, an_object_that_is_not_there, 0, (int)ELEMENTSOF(unknown));
    tcase_add_test(t, a_messenger_is_asked_for);
    tcase_add_test(t, properties_are_shown);
    tcase_add_test(t, polling_is_switched);
    tcase_add_test(t, check_status);
    tcase_add_test(t, poll_once);
    tcase_add_test(t, request);
    tcase_add_test(t, request_that_is_too_large);
    tcase_add_loop_test(t, what_cannot_be_asked, 0, (int)ELEMENTSOF(asking));
    tcase_add_test(t, calls_of_one);
    tcase_add_test(t, calls_of_all);
    tcase_add_loop_test(t, the_answer_waits_for_the_disk, 0, (int)ELEMENTSOF(changes));
    tcase_add_loop_test(t, the_answer_tells_of_the_disk, 0, (int)ELEMENTSOF(changes));
    suite_add_tcase(s, t);
    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
