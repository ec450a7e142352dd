/* Operations of a messenger, against a server that answers when, and in what order, it likes. */

#include <errno.h>
#include <stdio.h>

#include "tests/unit/messenger-rig.h"
#include "tests/unit/unit.h"

#define ANNA "/api/messages?peer=anna&limit=50"
#define BERT "/api/messages?peer=bert&limit=50"

static const char *message(const char *content) {
    static char text[4][256];
    static unsigned next;
    char *t = text[next++ % 4];

    snprintf(t, sizeof(text[0]), "[{\"id\":1,\"direction\":\"sent\",\"content\":\"%s\"}]", content);
    return t;
}

#define assert_told(text) ck_assert_str_eq(rig_told(), text)

/* ---- lists ---- */

START_TEST(test_load_friends) {
    ck_assert_str_eq(rig_load_friends(), "");
    ck_assert_str_eq(rig_call(0), "GET /api/friends");
    rig_answer(0, 200, "[\"anna\",\"bert\"]");
    assert_told("friends(anna bert) -> anna bert");
    ck_assert_str_eq(rig_load_friends(), "");
    rig_answer(1, 500, "{\"error\":\"out of order\"}");
    assert_told("error(Failed to load friends: out of order) "
                "-> Failed to load friends: out of order");
}
END_TEST

/* One request, however many ask while it is under way. */
START_TEST(test_load_together) {
    for (int i = 0; i < 5; i++)
        ck_assert_str_eq(rig_load_friends(), "");
    ck_assert_str_eq(rig_load_messages("anna", 0), "");
    ck_assert_str_eq(rig_load_messages("anna", 0), "");
    ck_assert_uint_eq(rig_n_calls(), 2);
    rig_told();
    rig_answer(0, 200, "[\"anna\"]");
    assert_told("friends(anna) -> anna -> anna -> anna -> anna -> anna");
    rig_answer(1, 200, "[]");
    assert_told("messages(anna:) -> anna: -> anna:");
    ck_assert_uint_eq(rig_n_calls(), 2);
}
END_TEST

/* The answer about the one comes after the other was asked for: it stays the one's. */
START_TEST(test_late_reply) {
    rig_load_messages("anna", 0);
    rig_load_messages("bert", 0);
    assert_told("peer(anna) later peer(bert) later");
    ck_assert_str_eq(rig_call(0), "GET " ANNA);
    ck_assert_str_eq(rig_call(1), "GET " BERT);
    rig_answer(1, 200, message("of-bert"));
    assert_told("messages(bert: of-bert) -> bert: of-bert");
    rig_answer(0, 200, message("of-anna"));
    assert_told("messages(anna: of-anna) -> anna: of-anna");
    /* And is not what polls of the other are held against. */
    ck_assert_str_eq(rig_poll(BERT, message("of-bert")), "");
    assert_told("");
}
END_TEST

/* A poll of the peer before. */
START_TEST(test_late_poll) {
    rig_set_peer("anna");
    rig_set_peer("bert");
    assert_told("peer(anna) anew peer(bert) anew");
    ck_assert_str_eq(rig_poll(ANNA, message("of-anna")), "");
    assert_told("");
    ck_assert_str_eq(rig_poll(BERT, message("of-bert")), "");
    assert_told("messages(bert: of-bert)");
    rig_set_peer("");
    assert_told("peer() anew");
    ck_assert_str_eq(rig_poll(BERT, message("of-bert")), "");
    assert_told("");
    ck_assert_str_eq(rig_poll_path(), "");
}
END_TEST

START_TEST(test_wrong_peer) {
    rig_load_messages("anna", 0);
    rig_told();
    rig_answer(0, 200, "[{\"id\":1,\"peer\":\"bert\",\"direction\":\"sent\",\"content\":\"x\"}]");
    assert_told("error(Failed to load messages: the answer is wrong: messages[0].peer is not "
                "\"anna\": these are messages of somebody else) -> Failed to load messages: the "
                "answer is wrong: messages[0].peer is not \"anna\": these are messages of somebody "
                "else");
}
END_TEST

/* ---- polls ---- */

START_TEST(test_poll_tells_news) {
    ck_assert_str_eq(rig_poll_path(), "");
    rig_set_peer("anna");
    rig_told();
    ck_assert_str_eq(rig_poll_path(), ANNA);
    rig_poll(ANNA, "[]");
    assert_told("messages(anna:)"); /* nobody knew before that there is nothing */
    rig_poll(ANNA, "{\"messages\":[],\"served_at\":5}");
    assert_told("");
    rig_poll(ANNA, message("a"));
    assert_told("messages(anna: a)");
    rig_poll(ANNA, message("a"));
    assert_told("");
    rig_load_messages("anna", 0);
    rig_answer(0, 200, message("a"));
    assert_told("later messages(anna: a) -> anna: a"); /* somebody has asked */
    rig_poll(ANNA, message("a"));
    assert_told("");
    rig_set_peer("anna");
    assert_told("");
}
END_TEST

/* What was told stays, whatever comes: nothing is emptied, and afterwards nothing is new. */
START_TEST(test_outage) {
    rig_set_peer("anna");
    rig_poll(ANNA, message("a"));
    rig_told();
    ck_assert_str_eq(rig_poll(ANNA, "{\"messages\":7}"),
                     "the answer is wrong: it is no list of messages");
    ck_assert_str_eq(rig_poll(ANNA, "{\"error\":\"not now\"}"), "not now");
    assert_told("");
    rig_load_friends();
    rig_load_messages("anna", 0);
    rig_break(0, -ECONNREFUSED, "127.0.0.1: connection refused");
    rig_break(1, -ETIMEDOUT, "no answer within 5s");
    assert_told("later error(Failed to load friends: 127.0.0.1: connection refused) "
                "-> Failed to load friends: 127.0.0.1: connection refused "
                "error(Failed to load messages: no answer within 5s) "
                "-> Failed to load messages: no answer within 5s");
    rig_poll(ANNA, message("a"));
    assert_told("");
}
END_TEST

/* Never two of a kind: what is being loaded is not polled. */
START_TEST(test_poll_while_loading) {
    rig_load_messages("anna", 0);
    ck_assert(!rig_polls());
    rig_load_messages("bert", 0);
    rig_answer(1, 200, "[]");
    ck_assert(rig_polls());
    rig_load_messages("anna", 0);
    ck_assert(!rig_polls());
    rig_answer(0, 200, "[]");
    ck_assert(rig_polls());
}
END_TEST

START_TEST(test_limits) {
    rig_load_messages("anna", 5);
    ck_assert_str_eq(rig_call(0), "GET /api/messages?peer=anna&limit=5");
    rig_answer(0, 200, "[]");
    ck_assert_str_eq(rig_poll_path(), "/api/messages?peer=anna&limit=5");
    rig_load_messages("anna", 200);
    rig_answer(1, 200, message("all"));
    ck_assert_str_eq(rig_poll_path(), "/api/messages?peer=anna&limit=200");
    /* Who wants few does not take them from those who want many: they get them again. */
    rig_load_messages("anna", 1);
    rig_answer(2, 200, message("one"));
    rig_told();
    ck_assert_str_eq(rig_poll_path(), "/api/messages?peer=anna&limit=200");
    rig_poll("/api/messages?peer=anna&limit=200", message("all"));
    assert_told("messages(anna: all)");
    ck_assert_str_eq(rig_load_messages("anna", 1001), "limit must be at most 1000");
    rig_set_peer("bert");
    ck_assert_str_eq(rig_poll_path(), BERT);
}
END_TEST

START_TEST(test_encoded) {
    rig_load_messages("a&b/c d#?%", 0);
    ck_assert_str_eq(rig_call(0), "GET /api/messages?peer=a%26b%2Fc%20d%23%3F%25&limit=50");
    rig_remove("../friends");
    ck_assert_str_eq(rig_call(1), "DELETE /api/friends/..%2Ffriends");
    rig_answer(1, 204, "");
    rig_delete("m/1?x");
    ck_assert_str_eq(rig_call(3), "DELETE /api/messages/m%2F1%3Fx");
    rig_answer(3, 204, "");
    rig_add("q\"\\");
    ck_assert_str_eq(rig_call(4), "POST /api/friends {\"username\":\"q\\\"\\\\\"}");
}
END_TEST

/* ---- changes ---- */

START_TEST(test_add_friend) {
    ck_assert_str_eq(rig_add("anna"), "");
    rig_answer(0, 200, "{\"username\":\"Anna\",\"online\":true}");
    assert_told("added(Anna) -> Anna");
    ck_assert_str_eq(rig_call(1), "GET /api/friends");
    rig_answer(1, 200, "[\"Anna\"]");
    assert_told("friends(Anna)");
}
END_TEST

START_TEST(test_add_fails) {
    rig_add("anna");
    rig_answer(0, 409, "{\"error\":\"anna is a friend already\"}");
    assert_told("error(Failed to add friend: anna is a friend already) "
                "-> Failed to add friend: anna is a friend already");
    ck_assert_uint_eq(rig_n_calls(), 1); /* nothing has changed */
}
END_TEST

START_TEST(test_reload_fails) {
    rig_add("anna");
    rig_answer(0, 201, "");
    assert_told("added(anna) -> anna");
    rig_answer(1, 503, "");
    assert_told("error(Failed to load friends: HTTP 503)");
}
END_TEST

START_TEST(test_remove_friend) {
    rig_remove("anna");
    rig_answer(0, 200, "{\"success\":true}");
    assert_told("-> done");
    ck_assert_str_eq(rig_call(1), "GET /api/friends");
    rig_answer(1, 200, "[]");
    assert_told("friends()"); /* that is no outage: the server says so */
    rig_remove("bert");
    rig_answer(2, 404, "");
    assert_told("error(Failed to remove friend: HTTP 404) -> Failed to remove friend: HTTP 404");
}
END_TEST

START_TEST(test_send) {
    rig_set_peer("anna");
    rig_told();
    ck_assert_str_eq(rig_send("anna", "<b>hi</b> & \"you\"\n2"), "");
    ck_assert_str_eq(
        rig_call(0),
        "POST /api/messages {\"to\":\"anna\",\"content\":\"<b>hi</b> & \\\"you\\\"\\n2\"}");
    rig_answer(0, 200, "{\"message_id\":7,\"delivered\":true}");
    assert_told("sent(anna: <b>hi</b> & \"you\"\n2) -> anna: <b>hi</b> & \"you\"\n2 later");
    ck_assert_str_eq(rig_call(1), "GET " ANNA);
    ck_assert(!rig_polls());
    rig_answer(1, 200, message("hi"));
    assert_told("messages(anna: hi)");
    ck_assert(rig_polls());
}
END_TEST

/* To somebody else: whose messages are shown stays as it is. */
START_TEST(test_send_to_other) {
    rig_set_peer("anna");
    rig_send("bert", "hi");
    rig_told();
    rig_answer(0, 202, "");
    assert_told("sent(bert: hi) -> bert: hi");
    ck_assert_str_eq(rig_call(1), "GET " BERT);
    ck_assert_str_eq(rig_poll_path(), ANNA);
    rig_answer(1, 200, message("hi"));
    assert_told("messages(bert: hi)");
    ck_assert_str_eq(rig_backend->current_peer, "anna");
}
END_TEST

START_TEST(test_delete) {
    rig_delete("5");
    rig_answer(0, 204, "");
    assert_told("-> done");
    ck_assert_uint_eq(rig_n_calls(), 1); /* nobody looks at messages */
    rig_set_peer("anna");
    rig_delete("6");
    rig_told();
    rig_answer(1, 204, "");
    assert_told("-> done later");
    ck_assert_str_eq(rig_call(2), "GET " ANNA);
    rig_answer(2, 200, "[]");
    rig_told();
    rig_delete("7");
    rig_answer(3, 404, "{\"error\":\"no such message: 7\"}");
    assert_told("error(Failed to delete message: no such message: 7) "
                "-> Failed to delete message: no such message: 7");
}
END_TEST

/* One after the other, whoever it is for, and none is lost. */
START_TEST(test_order) {
    char content[8];

    for (int i = 0; i < 20; i++) {
        snprintf(content, sizeof(content), "m%d", i);
        ck_assert_str_eq(rig_send(i % 2 ? "anna" : "bert", content), "");
    }
    for (size_t i = 0, seen = 0; seen < 20; i++) {
        const char *call = rig_call(i);
        if (strncmp(call, "GET", 3) == 0)
            continue;
        snprintf(content, sizeof(content), "\"m%zu\"", seen);
        ck_assert_msg(strstr(call, content), "%s instead of %s", call, content);
        rig_answer(i, i == 6 ? 500 : 201, "");
        seen++;
    }
    /* Of each peer one list is under way, and one is to follow. */
    ck_assert_uint_eq(rig_n_open(), 2);
    for (size_t i = 0; i < rig_n_calls() && rig_n_open() > 0; i++)
        if (strncmp(rig_call(i), "GET", 3) == 0)
            rig_answer(i, 200, "[]");
    ck_assert_uint_eq(rig_n_open(), 0);
}
END_TEST

/* The reload that was under way when a message went out may not have it; and it is not told. */
START_TEST(test_outdated_reload) {
    rig_set_peer("anna");
    rig_send("anna", "one");
    rig_answer(0, 201, "");
    rig_send("anna", "two");
    ck_assert_str_eq(rig_call(1), "GET " ANNA);
    rig_answer(2, 201, "");
    rig_told();
    rig_answer(1, 200, message("one"));
    assert_told("");
    ck_assert_str_eq(rig_call(3), "GET " ANNA);
    rig_answer(3, 200, message("one-two"));
    assert_told("messages(anna: one-two)");
}
END_TEST

/* Nobody has seen it: when the newer one does not come, the next poll is news. */
START_TEST(test_outdated_is_not_told) {
    rig_set_peer("anna");
    rig_send("anna", "one");
    rig_answer(0, 201, "");
    rig_send("anna", "two");
    rig_answer(2, 201, "");
    rig_told();
    rig_answer(1, 200, message("one"));
    assert_told("");
    rig_break(3, -ECONNREFUSED, "gone");
    rig_told();
    rig_poll(ANNA, message("one"));
    assert_told("messages(anna: one)");
}
END_TEST

/* Who asks after a change is not answered from before it. */
START_TEST(test_load_after_change) {
    rig_load_friends();
    rig_add("anna");
    rig_answer(1, 201, "");
    rig_load_friends();
    rig_told();
    ck_assert_uint_eq(rig_n_calls(), 2);
    rig_answer(0, 200, "[]");
    assert_told("friends() -> ");
    ck_assert_str_eq(rig_call(2), "GET /api/friends");
    rig_answer(2, 200, "[\"anna\"]");
    assert_told("friends(anna) -> anna");
}
END_TEST

/* The server is gone: those behind would wait as long, each; and nothing is sent twice. */
START_TEST(test_send_breaks) {
    rig_send("anna", "one");
    rig_send("anna", "two");
    rig_add("bert");
    rig_break(0, -ECONNRESET, "the connection broke");
    assert_told(
        "error(Failed to send message: the connection broke) "
        "-> Failed to send message: the connection broke "
        "-> Failed to send message: not tried, for what was asked before failed: the connection "
        "broke "
        "-> Failed to add friend: not tried, for what was asked before failed: the connection "
        "broke");
    ck_assert_uint_eq(rig_n_calls(), 1);
    rig_send("anna", "three");
    ck_assert_uint_eq(rig_n_calls(), 2);
    rig_answer(1, 201, "");
    rig_answer(2, 200, "[]");
}
END_TEST

START_TEST(test_slow) {
    rig_send("anna", "one");
    rig_send("anna", "two");
    rig_wait(16 * USEC_PER_SEC);
    rig_send("anna", "three");
    rig_answer(0, 204, "");
    assert_told("sent(anna: one) -> anna: one -> Failed to send message: not tried: the backend is "
                "too slow, others were asked for before");
    ck_assert_str_eq(rig_call(2), "POST /api/messages {\"to\":\"anna\",\"content\":\"three\"}");
}
END_TEST

/* ---- what cannot be ---- */

START_TEST(test_arguments) {
    static char long_text[64 * KIB + 2];

    memset(long_text, 'a', sizeof(long_text) - 1);
    ck_assert_str_eq(rig_add(""), "the username is empty");
    ck_assert_str_eq(rig_add("  "), "the username is empty");
    ck_assert_str_eq(rig_add("a\nb"), "the username has a control character in it");
    ck_assert_str_eq(rig_remove(".."), "the username cannot be part of a URL");
    ck_assert_str_eq(rig_load_messages("", 0), "the peer is empty");
    ck_assert_str_eq(rig_send("", "hi"), "the peer is empty");
    ck_assert_str_eq(rig_send("anna", ""), "the message is empty: there is nothing to send");
    ck_assert_str_eq(rig_send("anna", " \n\t"), "the message is empty: there is nothing to send");
    ck_assert_str_eq(rig_send("anna", long_text),
                     "the message is longer than 64 KiB: send it in parts");
    ck_assert_str_eq(rig_send(long_text, "hi"), "the peer is longer than 255 bytes");
    ck_assert_str_eq(rig_delete(""), "the id is empty");
    ck_assert_str_eq(rig_set_peer(" "), "CurrentPeer is empty");
    ck_assert_uint_eq(rig_n_calls(), 0);
    assert_told("");
    ck_assert_str_eq(rig_backend->current_peer, "");
}
END_TEST

START_TEST(test_too_many) {
    for (int i = 0; i < BACKEND_ASKED_MAX; i++)
        ck_assert_str_eq(i % 2 ? rig_send("anna", "x") : rig_load_friends(), "");
    ck_assert_str_eq(rig_load_friends(), "ENOBUFS");
    ck_assert_str_eq(rig_send("anna", "x"), "ENOBUFS");
    rig_answer(0, 200, "[]");
    rig_told();
    ck_assert_str_eq(rig_send("anna", "x"), "");
}
END_TEST

START_TEST(test_cannot_begin) {
    rig_refuse(-EREMOTE);
    ck_assert_str_eq(rig_load_friends(), "Failed to load friends: refused");
    rig_refuse(-ENOBUFS);
    ck_assert_str_eq(rig_send("anna", "x"), "ENOBUFS");
    assert_told("");
    /* When it is promised already, the answer comes later. */
    rig_send("anna", "x");
    rig_send("anna", "y");
    rig_told();
    rig_break(0, -ECONNREFUSED, "no");
    rig_told();
    rig_send("anna", "x");
    rig_send("anna", "y");
    rig_refuse(-EREMOTE);
    rig_answer(1, 500, "");
    assert_told("error(Failed to send message: HTTP 500) -> Failed to send message: HTTP 500 "
                "-> Failed to send message: refused");
    ck_assert_uint_eq(rig_n_open(), 0);
}
END_TEST

/* All who wait are told, and nothing comes any more. */
START_TEST(test_forget) {
    rig_load_friends();
    rig_load_messages("anna", 0);
    rig_send("anna", "x");
    rig_send("anna", "y");
    rig_told();
    backend_type_messenger.forget(rig_backend);
    assert_told(
        "-> the backend \"chat\" has been removed -> the backend \"chat\" has been removed "
        "-> the backend \"chat\" has been removed -> the backend \"chat\" has been removed");
    ck_assert_uint_eq(rig_n_open(), 0);
    ck_assert(rig_is_dropped(0) && rig_is_dropped(1) && rig_is_dropped(2));
}
END_TEST

int main(void) {
    Suite *s = suite_create("messenger");
    TCase *t = tcase_create("all");

    tcase_add_checked_fixture(t, rig_setup, rig_teardown);
    tcase_add_test(t, test_load_friends);
    tcase_add_test(t, test_load_together);
    tcase_add_test(t, test_late_reply);
    tcase_add_test(t, test_late_poll);
    tcase_add_test(t, test_wrong_peer);
    tcase_add_test(t, test_poll_tells_news);
    tcase_add_test(t, test_outage);
    tcase_add_test(t, test_poll_while_loading);
    tcase_add_test(t, test_limits);
    tcase_add_test(t, test_encoded);
    tcase_add_test(t, test_add_friend);
    tcase_add_test(t, test_add_fails);
    tcase_add_test(t, test_reload_fails);
    tcase_add_test(t, test_remove_friend);
    tcase_add_test(t, test_send);
    tcase_add_test(t, test_send_to_other);
    tcase_add_test(t, test_delete);
    tcase_add_test(t, test_order);
    tcase_add_test(t, test_outdated_reload);
    tcase_add_test(t, test_outdated_is_not_told);
    tcase_add_test(t, test_load_after_change);
    tcase_add_test(t, test_send_breaks);
    tcase_add_test(t, test_slow);
    tcase_add_test(t, test_arguments);
    tcase_add_test(t, test_too_many);
    tcase_add_test(t, test_cannot_begin);
    tcase_add_test(t, test_forget);
    suite_add_tcase(s, t);
    return unit_run(s);
}
