#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "tests/bus/bus-rig.h"
#include "tests/bus/fake-backends.h"

/* Friends and messages on the bus. */

#define PATH LONGRUN_BACKEND_PATH "/chat"

static BusRig rig;
static FakeDaemon fake;
static Backend *chat;

static void setup(void) {
    bus_rig_setup_fake(&rig, &fake);
    chat = fake_backend_add(&fake, "chat", BACKEND_TYPE_MESSENGER);
}

static void teardown(void) {
    bus_rig_teardown(&rig);
}

#define CALL(...) bus_rig_call(&rig, PATH, LONGRUN_MESSENGER_INTERFACE, __VA_ARGS__)

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

static sd_bus_message *answer;

#define BEGIN(member, ...)                                                                         \
    ck_assert_int_ge(sd_bus_call_method_async(rig.client, NULL, LONGRUN_BUS_NAME, PATH,            \
                                              LONGRUN_MESSENGER_INTERFACE, member, on_answer,      \
                                              &answer, __VA_ARGS__),                               \
                     0)

static void end(const char *asked, ErrorCode error, const void *data) {
    bus_rig_run_until(&rig, is_asked, NULL);
    ck_assert_str_eq(fake_backend_first(&fake)->text, asked);
    ck_assert_ptr_null(answer);
    fake_backend_answer(&fake, error, data);
    bus_rig_run_until(&rig, has_answer, &answer);
    if (error != ERROR_NONE)
        bus_rig_assert_error(TAKE_PTR(answer), error_code_to_string(error), "the server is");
    else
        ck_assert(!sd_bus_message_is_method_error(answer, NULL));
}

static void done(void) {
    answer = sd_bus_message_unref(answer);
}

/* ---- values ---- */

static Friend friends[] = {{(char *)"anna", true, 77}, {(char *)"b\xff", false, 0}};

static void expect_friend(const char *username, bool online, uint64_t last_seen) {
    const char *key, *text;
    uint64_t seen;
    int flag;

    ck_assert_int_gt(sd_bus_message_enter_container(answer, 'a', "{sv}"), 0);
    ck_assert_int_gt(sd_bus_message_read(answer, "{sv}", &key, "s", &text), 0);
    ck_assert_str_eq(key, "username");
    ck_assert_str_eq(text, username);
    ck_assert_int_gt(sd_bus_message_read(answer, "{sv}", &key, "b", &flag), 0);
    ck_assert_str_eq(key, "online");
    ck_assert_int_eq(flag, online);
    ck_assert_int_gt(sd_bus_message_read(answer, "{sv}", &key, "t", &seen), 0);
    ck_assert_str_eq(key, "last-seen");
    ck_assert_uint_eq(seen, last_seen);
    ck_assert_int_eq(sd_bus_message_exit_container(answer), 1);
}

START_TEST(load_friends) {
    const FriendList l = {.n = 2, .items = friends}, none = {};

    BEGIN("LoadFriends", "");
    end("friends of chat", ERROR_NONE, &l);
    ck_assert_int_gt(sd_bus_message_enter_container(answer, 'a', "a{sv}"), 0);
    expect_friend("anna", true, 77);
    expect_friend("b\xef\xbf\xbd", false, 0); /* which a server may send, and no bus takes */
    ck_assert_int_eq(sd_bus_message_at_end(answer, false), 1);
    done();
    BEGIN("LoadFriends", "");
    end("friends of chat", ERROR_NONE, &none);
    done();
    BEGIN("LoadFriends", "");
    end("friends of chat", ERROR_BACKEND_OFFLINE, NULL);
}
END_TEST

START_TEST(change_friends) {
    const FriendList one = {.n = 1, .items = friends};

    BEGIN("AddFriend", "s", "anna");
    end("add anna to chat", ERROR_NONE, &one);
    expect_friend("anna", true, 77);
    done();
    BEGIN("AddFriend", "s", "nobody");
    end("add nobody to chat", ERROR_BACKEND_FAILED, NULL);
    BEGIN("RemoveFriend", "s", "anna");
    end("remove anna from chat", ERROR_NONE, NULL);
    done();
    BEGIN("RemoveFriend", "s", "anna");
    end("remove anna from chat", ERROR_BACKEND_FAILED, NULL);
}
END_TEST

static ChatMessage messages[] = {
    {(char *)"1", (char *)"anna", (char *)"one\ntwo", MESSAGE_SENT, 5, true, false},
    {(char *)"", (char *)"anna", (char *)"", MESSAGE_RECEIVED, 0, false, true},
};

static void expect_text(const char *key, const char *text) {
    const char *k, *t;

    ck_assert_int_gt(sd_bus_message_read(answer, "{sv}", &k, "s", &t), 0);
    ck_assert_str_eq(k, key);
    ck_assert_str_eq(t, text);
}

static void expect_flag(const char *key, bool value) {
    const char *k;
    int flag;

    ck_assert_int_gt(sd_bus_message_read(answer, "{sv}", &k, "b", &flag), 0);
    ck_assert_str_eq(k, key);
    ck_assert_int_eq(flag, value);
}

static void expect_message(const ChatMessage *c) {
    const char *key;
    uint64_t timestamp;

    ck_assert_int_gt(sd_bus_message_enter_container(answer, 'a', "{sv}"), 0);
    expect_text("id", c->id);
    expect_text("peer", c->peer);
    expect_text("direction", message_direction_to_string(c->direction));
    expect_text("content", c->content);
    ck_assert_int_gt(sd_bus_message_read(answer, "{sv}", &key, "t", &timestamp), 0);
    ck_assert_str_eq(key, "timestamp");
    ck_assert_uint_eq(timestamp, c->timestamp);
    expect_flag("delivered", c->delivered);
    expect_flag("stored-offline", c->stored_offline);
    ck_assert_int_eq(sd_bus_message_exit_container(answer), 1);
}

START_TEST(load_messages) {
    const MessageList l = {.n = 2, .items = messages};

    BEGIN("LoadMessages", "sa{sv}", "anna", 1, "limit", "u", 7);
    end("7 messages of anna at chat", ERROR_NONE, &l);
    ck_assert_int_gt(sd_bus_message_enter_container(answer, 'a', "a{sv}"), 0);
    expect_message(&messages[0]);
    expect_message(&messages[1]);
    ck_assert_int_eq(sd_bus_message_at_end(answer, false), 1);
    done();
    BEGIN("LoadMessages", "sa{sv}", "anna", 0);
    end("0 messages of anna at chat", ERROR_BACKEND_FAILED, NULL);
}
END_TEST

START_TEST(load_messages_refused) {
    bus_rig_assert_error(CALL("LoadMessages", "sa{sv}", "anna", 1, "limt", "u", 7), "UnknownOption",
                         "no option \"limt\" of LoadMessages");
    bus_rig_assert_error(CALL("LoadMessages", "sa{sv}", "anna", 1, "limit", "t", UINT64_C(7)),
                         "InvalidOption", "limit is of type u, not t");
    bus_rig_assert_error(CALL("LoadMessages", "sa{sv}", "anna", 1, "limit", "u", 0),
                         "InvalidOption", "limit is from 1 to 1000");
    bus_rig_assert_error(CALL("LoadMessages", "sa{sv}", "anna", 1, "limit", "u", 1001),
                         "InvalidOption", "limit is from 1 to 1000");
    ck_assert_ptr_null(fake_backend_first(&fake));
}
END_TEST

START_TEST(change_messages) {
    const MessageList one = {.n = 1, .items = messages};

    BEGIN("SendMessage", "ss", "anna", "hello");
    end("send hello to anna at chat", ERROR_NONE, &one);
    expect_message(&messages[0]);
    done();
    BEGIN("SendMessage", "ss", "anna", "hello");
    end("send hello to anna at chat", ERROR_BACKEND_OFFLINE, NULL);
    BEGIN("DeleteMessage", "s", "1");
    end("delete 1 at chat", ERROR_NONE, NULL);
    done();
    BEGIN("DeleteMessage", "s", "1");
    end("delete 1 at chat", ERROR_BACKEND_FAILED, NULL);
}
END_TEST

/* What is refused at once waits for nobody. */
START_TEST(what_cannot_be_asked) {
    fake.ask_result = -EREMOTE;
    bus_rig_assert_error(CALL("LoadFriends", ""), "InvalidOption", "refused");
    bus_rig_assert_error(CALL("AddFriend", "s", ""), "InvalidOption", "refused");
    bus_rig_assert_error(CALL("RemoveFriend", "s", ""), "InvalidOption", "refused");
    bus_rig_assert_error(CALL("LoadMessages", "sa{sv}", "", 0), "InvalidOption", "refused");
    bus_rig_assert_error(CALL("SendMessage", "ss", "", ""), "InvalidOption", "refused");
    bus_rig_assert_error(CALL("DeleteMessage", "s", ""), "InvalidOption", "refused");
    ck_assert_uint_eq(fake.bus->n_backend_calls, 0);
}
END_TEST

/* ---- CurrentPeer ---- */

static void expect_peer(const char *expected) {
    sd_bus_message *m = bus_rig_call_good(&rig, PATH, "org.freedesktop.DBus.Properties", "Get",
                                          "ss", LONGRUN_MESSENGER_INTERFACE, "CurrentPeer");
    const char *peer;

    ck_assert_int_gt(sd_bus_message_read(m, "v", "s", &peer), 0);
    ck_assert_str_eq(peer, expected);
    sd_bus_message_unref(m);
}

static sd_bus_message *set_peer(const char *peer) {
    return bus_rig_call(&rig, PATH, "org.freedesktop.DBus.Properties", "Set", "ssv",
                        LONGRUN_MESSENGER_INTERFACE, "CurrentPeer", "s", peer);
}

START_TEST(current_peer) {
    expect_peer("");
    sd_bus_message *m = set_peer("anna");
    ck_assert(!sd_bus_message_is_method_error(m, NULL));
    sd_bus_message_unref(m);
    expect_peer("anna");
    bus_rig_assert_error(set_peer("nobody"), "InvalidOption", "nobody is no peer");
    expect_peer("anna");
}
END_TEST

int main(void) {
    Suite *s = suite_create("bus-messenger");
    TCase *t = tcase_create("messenger");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, load_friends);
    tcase_add_test(t, change_friends);
    tcase_add_test(t, load_messages);
    tcase_add_test(t, load_messages_refused);
    tcase_add_test(t, change_messages);
    tcase_add_test(t, what_cannot_be_asked);
    tcase_add_test(t, current_peer);
    suite_add_tcase(s, t);
    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
