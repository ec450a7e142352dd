#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "daemon/bus/bus-backend-emit.h"
#include "tests/bus/bus-rig.h"
#include "tests/bus/fake-backends.h"

/* What the bus is told of backends: each signal from its object, and none of them too large. */

#define PATH LONGRUN_BACKEND_PATH "/chat_2d1"

static BusRig rig;
static FakeDaemon fake;
static Backend *chat;
static sd_bus_message *last; /* the last signal */

static int on_message(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    uint8_t type;

    ck_assert_int_ge(sd_bus_message_get_type(m, &type), 0);
    if (type == SD_BUS_MESSAGE_SIGNAL) {
        ck_assert_ptr_null(last);
        last = sd_bus_message_ref(m);
    }
    return 0;
}

static void setup(void) {
    bus_rig_setup_fake(&rig, &fake);
    chat = fake_backend_add(&fake, "chat-1", BACKEND_TYPE_MESSENGER);
    /* Signals before that are not sent. */
    sd_bus_message_unref(
        bus_rig_call_good(&rig, LONGRUN_ROOT_PATH, LONGRUN_MANAGER_INTERFACE, "ListBackends", ""));
    ck_assert_int_ge(sd_bus_add_filter(rig.client, NULL, on_message, NULL), 0);
}

static void teardown(void) {
    bus_rig_teardown(&rig);
}

static bool has_last(void *userdata) {
    return last;
}

static void expect(const char *path, const char *interface, const char *member) {
    bus_rig_run_until(&rig, has_last, NULL);
    ck_assert_str_eq(sd_bus_message_get_path(last), path);
    ck_assert_str_eq(sd_bus_message_get_interface(last), interface);
    ck_assert_str_eq(sd_bus_message_get_member(last), member);
}

static void done(void) {
    ck_assert_int_eq(sd_bus_message_at_end(last, true), 1);
    last = sd_bus_message_unref(last);
}

static void expect_text(const char *text) {
    const char *s;

    ck_assert_int_gt(sd_bus_message_read_basic(last, 's', &s), 0);
    ck_assert_str_eq(s, text);
}

/* ---- which there are ---- */

START_TEST(comings_and_goings) {
    const char *path;

    for (int i = 0; i < 2; i++) {
        (i ? bus_emit_backend_removed : bus_emit_backend_added)(rig.server, "chat-1");
        expect(LONGRUN_ROOT_PATH, LONGRUN_MANAGER_INTERFACE, i ? "BackendRemoved" : "BackendAdded");
        expect_text("chat-1");
        ck_assert_int_gt(sd_bus_message_read_basic(last, 'o', &path), 0);
        ck_assert_str_eq(path, PATH);
        done();
    }
}
END_TEST

/* ---- of a backend ---- */

START_TEST(checks_and_polls) {
    int online;

    bus_emit_backend_online(rig.server, chat, true);
    expect(PATH, LONGRUN_BACKEND_INTERFACE, "BackendOnline");
    ck_assert_int_gt(sd_bus_message_read_basic(last, 'b', &online), 0);
    ck_assert(online);
    done();
    bus_emit_backend_status(rig.server, chat, "{\"a\":\"\xc3\xa4\"}");
    expect(PATH, LONGRUN_BACKEND_INTERFACE, "StatusUpdated");
    expect_text("{\"a\":\"\xc3\xa4\"}");
    done();
    bus_emit_backend_updated(rig.server, chat, "/x", "[]");
    expect(PATH, LONGRUN_BACKEND_INTERFACE, "Updated");
    expect_text("/x");
    expect_text("[]");
    done();
    bus_emit_backend_error(rig.server, chat, "no\nroute \xff");
    expect(PATH, LONGRUN_BACKEND_INTERFACE, "Error");
    expect_text("noroute \xef\xbf\xbd");
    done();
}
END_TEST

/* Everybody is told that there is something; who wants it asks. */
START_TEST(json_that_is_too_large) {
    _cleanup_free_ char *json = calloc(1, BUS_BACKEND_JSON_MAX + 2);

    memset(json, ' ', BUS_BACKEND_JSON_MAX);
    json[0] = '7';
    bus_emit_backend_status(rig.server, chat, json);
    expect(PATH, LONGRUN_BACKEND_INTERFACE, "StatusUpdated");
    expect_text(json);
    done();
    json[BUS_BACKEND_JSON_MAX] = ' ';
    bus_emit_backend_status(rig.server, chat, json);
    expect(PATH, LONGRUN_BACKEND_INTERFACE, "StatusUpdated");
    expect_text("");
    done();
    bus_emit_backend_updated(rig.server, chat, "/x", json);
    expect(PATH, LONGRUN_BACKEND_INTERFACE, "Updated");
    expect_text("/x");
    expect_text("");
    done();
    bus_emit_backend_updated(rig.server, chat, "/x", "\"\xff\"");
    expect(PATH, LONGRUN_BACKEND_INTERFACE, "Updated");
    expect_text("/x");
    expect_text("");
    done();
}
END_TEST

/* ---- properties ---- */

static void expect_changed(const char *interface, const char *const *names, size_t n) {
    const char *name;

    expect(PATH, "org.freedesktop.DBus.Properties", "PropertiesChanged");
    expect_text(interface);
    ck_assert_int_gt(sd_bus_message_enter_container(last, 'a', "{sv}"), 0);
    for (size_t i = 0; i < n; i++) {
        ck_assert_int_gt(sd_bus_message_enter_container(last, 'e', "sv"), 0);
        ck_assert_int_gt(sd_bus_message_read_basic(last, 's', &name), 0);
        ck_assert_str_eq(name, names[i]);
        ck_assert_int_gt(sd_bus_message_skip(last, "v"), 0);
        ck_assert_int_eq(sd_bus_message_exit_container(last), 1);
    }
    ck_assert_int_eq(sd_bus_message_exit_container(last), 1);
    ck_assert_int_gt(sd_bus_message_skip(last, "as"), 0);
    done();
}

#define CHANGED(interface, ...)                                                                    \
    expect_changed(interface, (const char *const[]){__VA_ARGS__},                                  \
                   sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

START_TEST(properties_that_change) {
    bus_emit_backend_state(rig.server, chat);
    CHANGED(LONGRUN_BACKEND_INTERFACE, "State", "Reason");
    bus_emit_backend_polling(rig.server, chat);
    CHANGED(LONGRUN_BACKEND_INTERFACE, "Polling");
    bus_emit_backend_peer(rig.server, chat);
    CHANGED(LONGRUN_MESSENGER_INTERFACE, "CurrentPeer");
    bus_emit_backend_settings(rig.server, chat);
    CHANGED(LONGRUN_BACKEND_INTERFACE, "Url", "Type", "Origin", "Polling", "StatusInterval",
            "PollInterval", "Settings");
}
END_TEST

/* ---- of a messenger ---- */

/* How many dictionaries there are, and the text at the beginning of the first. */
static size_t count(const char *key, const char **ret_first) {
    const char *k, *text;
    size_t n = 0;

    ck_assert_int_gt(sd_bus_message_enter_container(last, 'a', "a{sv}"), 0);
    while (sd_bus_message_enter_container(last, 'a', "{sv}") > 0) {
        ck_assert_int_gt(sd_bus_message_read(last, "{sv}", &k, "s", &text), 0);
        ck_assert_str_eq(k, key);
        if (n++ == 0)
            *ret_first = text;
        while (sd_bus_message_skip(last, "{sv}") > 0)
            ;
        ck_assert_int_eq(sd_bus_message_exit_container(last), 1);
    }
    ck_assert_int_eq(sd_bus_message_exit_container(last), 1);
    return n;
}

#define MANY 10

START_TEST(friends) {
    _cleanup_free_ char *large = calloc(1, BUS_BACKEND_JSON_MAX / 4);
    Friend items[MANY] = {{.username = (char *)"anna"}};
    FriendList l = {.n = 1, .items = items};
    const char *first;

    memset(large, 'x', BUS_BACKEND_JSON_MAX / 4 - 1);
    bus_emit_friend_added(rig.server, chat, &l);
    expect(PATH, LONGRUN_MESSENGER_INTERFACE, "FriendAdded");
    last = sd_bus_message_unref(last);
    bus_emit_friends_loaded(rig.server, chat, &l);
    expect(PATH, LONGRUN_MESSENGER_INTERFACE, "FriendsLoaded");
    ck_assert_uint_eq(count("username", &first), 1);
    ck_assert_str_eq(first, "anna");
    done();
    for (size_t i = 1; i < MANY; i++)
        items[i].username = large;
    l.n = MANY;
    bus_emit_friends_loaded(rig.server, chat, &l);
    expect(PATH, LONGRUN_MESSENGER_INTERFACE, "FriendsLoaded");
    ck_assert_uint_eq(count("username", &first), 4);
    ck_assert_str_eq(first, "anna");
    done();
}
END_TEST

/* Of many the last, as in a window. */
START_TEST(messages) {
    _cleanup_free_ char *large = calloc(1, BUS_BACKEND_JSON_MAX / 4);
    char ids[MANY][4];
    ChatMessage items[MANY];
    MessageList l = {.n = 1, .items = items};
    const char *first;

    memset(large, 'x', BUS_BACKEND_JSON_MAX / 4 - 1);
    for (size_t i = 0; i < MANY; i++) {
        snprintf(ids[i], sizeof(ids[i]), "m%d", (int)(unsigned char)i);
        items[i] = (ChatMessage){.id = ids[i], .peer = (char *)"anna", .content = large};
    }
    bus_emit_message_sent(rig.server, chat, &l);
    expect(PATH, LONGRUN_MESSENGER_INTERFACE, "MessageSent");
    last = sd_bus_message_unref(last);
    l.n = MANY;
    bus_emit_messages_loaded(rig.server, chat, "anna", &l);
    expect(PATH, LONGRUN_MESSENGER_INTERFACE, "MessagesLoaded");
    expect_text("anna");
    ck_assert_uint_eq(count("id", &first), 3);
    ck_assert_str_eq(first, "m7");
    done();
    l.n = 0;
    bus_emit_messages_loaded(rig.server, chat, "anna", &l);
    expect(PATH, LONGRUN_MESSENGER_INTERFACE, "MessagesLoaded");
    expect_text("anna");
    ck_assert_uint_eq(count("id", &first), 0);
    done();
}
END_TEST

int main(void) {
    Suite *s = suite_create("bus-backend-signals");
    TCase *t = tcase_create("signals");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, comings_and_goings);
    tcase_add_test(t, checks_and_polls);
    tcase_add_test(t, json_that_is_too_large);
    tcase_add_test(t, properties_that_change);
    tcase_add_test(t, friends);
    tcase_add_test(t, messages);
    suite_add_tcase(s, t);
    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
