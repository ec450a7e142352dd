/* What servers of messengers answer: both dialects, and lies. */

#include <errno.h>
#include <inttypes.h>

#include "common/cleanup.h"
#include "daemon/http/messenger-parse.h"
#include "daemon/http/messenger-text.h"
#include "tests/unit/unit.h"

#define TOO_LONG_NAME 256

/* ---- as text, to compare it at one glance ---- */

static char *show_friends(const FriendList *l) {
    char *text = strdup("");

    for (size_t i = 0; i < l->n; i++) {
        char *more;
        MUST(asprintf(&more, "%s%s%s,%d,%" PRIu64, text, i > 0 ? " " : "", l->items[i].username,
                      l->items[i].online, l->items[i].last_seen) >= 0);
        free(text);
        text = more;
    }
    return text;
}

static char *show_messages(const MessageList *l) {
    char *text = strdup("");

    for (size_t i = 0; i < l->n; i++) {
        const ChatMessage *m = &l->items[i];
        char *more;
        MUST(asprintf(&more, "%s%s%s,%s,%s,%s,%" PRIu64 ",%d%d", text, i > 0 ? " " : "", m->id,
                      m->peer, message_direction_to_string(m->direction), m->content, m->timestamp,
                      m->delivered, m->stored_offline) >= 0);
        free(text);
        text = more;
    }
    return text;
}

static MessengerAnswer answer(unsigned status, const char *body) {
    return (MessengerAnswer){.status = status, .body = body, .size = strlen(body)};
}

/* text: the list, or what the error says. */
static void assert_result(int r, const char *shown, const Error *error, const char *text) {
    if (r == 0) {
        ck_assert_str_eq(shown, text);
        return;
    }
    ck_assert_int_eq(r, -EREMOTE);
    ck_assert_int_eq(error->code, ERROR_BACKEND_FAILED);
    ck_assert_str_eq(error->message, text);
}

/* ---- friends ---- */

static const struct {
    unsigned status;
    const char *body;
    int r;
    const char *text;
} friends[] = {
    /* The one dialect, the other, and in between. */
    {200, "{\"friends\":[{\"username\":\"anna\",\"online\":true,\"last_seen\":1700000000}]}", 0,
     "anna,1,1700000000000000"},
    {200, "[{\"username\":\"anna\",\"online\":true,\"last_seen\":1700000000123}]", 0,
     "anna,1,1700000000123000"},
    {200,
     "[{\"name\":\"anna\",\"online\":1,\"last_seen\":\"2023-11-14T22:13:20Z\"},{\"name\":\"b\"}]",
     0, "anna,1,1700000000000000 b,0,0"},
    {200, "[\"anna\", \"b\\u00f6rn\"]", 0, "anna,0,0 b\xc3\xb6rn,0,0"},
    {201, " {\"friends\" : [ ] , \"more\": {\"a\":[1,2,{}]}} \n", 0, ""},
    {200, "[{\"username\":\"a b/c?d#e\",\"online\":null,\"last_seen\":null,\"x\":1.5e3}]", 0,
     "a b/c?d#e,0,0"},
    {200, "[{\"username\":\"anna\",\"last_seen\":\"never\"}]", 0, "anna,0,0"},
    {200, "{\"error\":null,\"success\":true,\"friends\":[]}", 0, ""},
    {200, "{\"error\":\"\",\"friends\":[]}", 0, ""},
    {200, "{\"error\":0,\"friends\":[]}", 0, ""},

    /* Errors, whatever the status. */
    {404, "{\"error\":\"no such user\"}", -1, "no such user"},
    {500, "{\"error\":{\"code\":7,\"message\":\"database\\n is \\u001b[31mdown\"}}", -1,
     "database  is down"},
    {500, "{\"error\":\"a\\u0000b \\ud83d\"}", -1,
     "a\xef\xbf\xbd"
     "b \xef\xbf\xbd"},
    {500, "<html>no</html>", -1, "HTTP 500"},
    {503, "", -1, "HTTP 503"},
    {500, "[]", -1, "HTTP 500"},
    {500, "{\"error\":5}", -1, "HTTP 500"},
    {500, "{\"error\":\"  \"}", -1, "HTTP 500"},
    {500, "{\"error\":{}}", -1, "HTTP 500"},
    {422, "{\"detail\":\"too short\"}", -1, "too short"},
    {422, "{\"message\":\"too short\",\"detail\":[]}", -1, "too short"},
    {302, "{}", -1, "HTTP 302"},
    {200, "{\"error\":\"not today\"}", -1, "not today"},
    {200, "{\"error\":\"not today\",\"friends\":[]}", -1, "not today"},
    {200, "{\"error\":true,\"message\":\"why\"}", -1, "why"},
    {200, "{\"success\":false,\"message\":\"why\"}", -1, "why"},
    {200, "{\"ok\":false}", -1, "the server says that it did not succeed, and not why"},
    {200, "{\"error\":true}", -1, "the server says that it did not succeed, and not why"},
    {200, "{\"error\":[1]}", -1, "the server says that it did not succeed, and not why"},

    /* Lies. */
    {200, "", -1, "the answer is empty"},
    {204, "", -1, "the answer is empty"},
    {200, "null", -1, "the answer is empty"},
    {200, "<html>\n<body>Please log in to the network of the hotel", -1,
     "the answer is not JSON: <html> <body>Please log in to the networ\xe2\x80\xa6"},
    {200, "{\"friends\":[", -1, "the answer is not JSON: {\"friends\":["},
    {200, "[]]", -1, "the answer is not JSON: []]"},
    {200, "{}", -1, "the answer is wrong: friends is missing"},
    {200, "{\"friends\":null}", -1, "the answer is wrong: friends is missing"},
    {200, "{\"friends\":{}}", -1, "the answer is wrong: it is no list of friends"},
    {200, "5", -1, "the answer is wrong: it is no list of friends"},
    {200, "\"friends\"", -1, "the answer is wrong: it is no list of friends"},
    {200, "[5]", -1, "the answer is wrong: friends[0].username must be a string"},
    {200, "[null]", -1, "the answer is wrong: friends[0].username is missing"},
    {200, "[[]]", -1, "the answer is wrong: friends[0].username must be a string"},
    {200, "[\"a\",{}]", -1, "the answer is wrong: friends[1].username is missing"},
    {200, "[{\"username\":5}]", -1, "the answer is wrong: friends[0].username must be a string"},
    {200, "[{\"username\":\"\"}]", -1, "the answer is wrong: friends[0].username is empty"},
    {200, "[{\"username\":\"  \"}]", -1, "the answer is wrong: friends[0].username is empty"},
    {200, "[{\"username\":\"..\"}]", -1,
     "the answer is wrong: friends[0].username cannot be part of a URL"},
    {200, "[{\"username\":\"a\\nb\"}]", -1,
     "the answer is wrong: friends[0].username has a control character in it"},
    {200, "[{\"username\":\"\xff\"}]", -1, "the answer is wrong: friends[0].username is not UTF-8"},
    {200, "[{\"username\":\"a\",\"online\":\"yes\"}]", -1,
     "the answer is wrong: friends[0].online must be true or false"},
    {200, "[{\"username\":\"a\",\"online\":2}]", -1,
     "the answer is wrong: friends[0].online must be true or false"},
    {200, "[{\"username\":\"a\",\"last_seen\":true}]", -1,
     "the answer is wrong: friends[0].last_seen must be a time"},
};

START_TEST(test_friends) {
    MessengerAnswer a = answer(friends[_i].status, friends[_i].body);
    _cleanup_friend_list_ FriendList l = {};
    _cleanup_error_ Error error = {};
    int r = messenger_read_friends(&a, &l, &error);
    _cleanup_free_ char *shown = show_friends(&l);

    ck_assert_int_eq(r < 0 ? -1 : 0, friends[_i].r);
    assert_result(r, shown, &error, friends[_i].text);
}
END_TEST

/* ---- messages ---- */

#define FULL(id, peer, direction, content, timestamp)                                              \
    "{\"id\":" id ",\"peer\":\"" peer "\",\"direction\":\"" direction "\",\"content\":\"" content  \
    "\",\"timestamp\":" timestamp "}"
#define PLAIN(members) "[{\"id\":1,\"direction\":\"sent\",\"content\":\"x\"" members "}]"

static const struct {
    const char *body;
    int r;
    const char *text;
} messages[] = {
    {"{\"messages\":[" FULL("\"m1\"", "anna", "received", "hi", "1700000000") "," FULL(
         "\"m2\"", "anna", "sent", "yes", "1700000001") "]}",
     0, "m1,anna,received,hi,1700000000000000,10 m2,anna,sent,yes,1700000001000000,10"},
    {"[{\"msg_id\":18446744073709551615,\"from\":\"anna\",\"direction\":\"received\","
     "\"text\":\"hi\",\"time\":\"2023-11-14T22:13:20.5+00:00\"}]",
     0, "18446744073709551615,anna,received,hi,1700000000500000,10"},
    /* Nobody says who wrote it, but it is clear. */
    {"[{\"id\":-7,\"from\":\"anna\",\"to\":\"me\",\"text\":\"a\"},"
     "{\"id\":8,\"from\":\"me\",\"to\":\"ANNA\",\"text\":\"b\"}]",
     0, "-7,anna,received,a,0,10 8,anna,sent,b,0,10"},
    {PLAIN(",\"from\":\"me\""), 0, "1,anna,sent,x,0,10"},
    {PLAIN(",\"from\":\"anna\""), 0, "1,anna,sent,x,0,10"},
    {PLAIN(",\"delivered\":false"), 0, "1,anna,sent,x,0,00"},
    {PLAIN(",\"stored_offline\":true"), 0, "1,anna,sent,x,0,01"},
    {PLAIN(",\"stored_offline\":true,\"delivered\":true"), 0, "1,anna,sent,x,0,11"},
    /* The name of the dialect goes before that of the other. */
    {PLAIN(",\"text\":\"y\",\"msg_id\":2"), 0, "1,anna,sent,x,0,10"},
    {"[{\"id\":null,\"msg_id\":2,\"direction\":\"sent\",\"content\":null,\"text\":\"\"}]", 0,
     "2,anna,sent,,0,10"},
    /* The text is text. */
    {"[{\"id\":1,\"direction\":\"sent\",\"content\":\"<b>&amp;</b> \\\"%s\\\" "
     "\\u20ac\\n\\ttwo\\r\\n3\"}]",
     0, "1,anna,sent,<b>&amp;</b> \"%s\" \xe2\x82\xac\n\ttwo\n3,0,10"},
    {"[{\"id\":1,\"direction\":\"sent\",\"content\":\"\\u001b[2J\\u0000\\ud83d|\\ud83d\\ude00|"
     "\\udc00"
     "\\u009b\\uffff\xff\"}]",
     0,
     "1,anna,sent,\xef\xbf\xbd[2J\xef\xbf\xbd\xef\xbf\xbd|\xf0\x9f\x98\x80|\xef\xbf\xbd"
     "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd,0,10"},
    {"[{\"id\":1,\"direction\":\"sent\",\"content\":\"\\\\u0000 \\\\\\\\ud800\"}]", 0,
     "1,anna,sent,\\u0000 \\\\ud800,0,10"},
    /* Newest first is turned; what is in no order is left. */
    {"[" FULL("3", "anna", "sent", "c", "3") "," FULL("2", "anna", "sent", "b", "2") "," FULL(
         "1", "anna", "sent", "a", "2") "]",
     0, "1,anna,sent,a,2000000,10 2,anna,sent,b,2000000,10 3,anna,sent,c,3000000,10"},
    {"[" FULL("1", "anna", "sent", "a", "2") "," FULL("2", "anna", "sent", "b", "1") "," FULL(
         "3", "anna", "sent", "c", "3") "]",
     0, "1,anna,sent,a,2000000,10 2,anna,sent,b,1000000,10 3,anna,sent,c,3000000,10"},
    /* More than were asked for. */
    {"[" FULL("1", "anna", "sent", "a", "1") "," FULL("2", "anna", "sent", "b", "2") "," FULL(
         "3", "anna", "sent", "c", "3") "," FULL("4", "anna", "sent", "d", "4") "]",
     0, "2,anna,sent,b,2000000,10 3,anna,sent,c,3000000,10 4,anna,sent,d,4000000,10"},
    {"{\"messages\":[]}", 0, ""},

    {"{\"friends\":[]}", -1, "the answer is wrong: messages is missing"},
    {"{\"messages\":\"none\"}", -1, "the answer is wrong: it is no list of messages"},
    {"[\"hi\"]", -1, "the answer is wrong: messages[0] is no object"},
    {"[{}]", -1, "the answer is wrong: messages[0].id is missing"},
    {"[{\"id\":1.5}]", -1,
     "the answer is wrong: messages[0].id must be a string or a whole number"},
    {"[{\"id\":18446744073709551616}]", -1,
     "the answer is wrong: messages[0].id must be a string or a whole number"},
    {"[{\"id\":\"\"}]", -1, "the answer is wrong: messages[0].id is empty"},
    {"[{\"id\":\"a\\tb\"}]", -1,
     "the answer is wrong: messages[0].id has a control character in it"},
    {"[{\"id\":1}]", -1, "the answer is wrong: messages[0].direction is missing"},
    {"[{\"id\":1,\"direction\":\"up\"}]", -1,
     "the answer is wrong: messages[0].direction must be \"sent\" or \"received\""},
    {"[{\"id\":1,\"direction\":1}]", -1,
     "the answer is wrong: messages[0].direction must be \"sent\" or \"received\""},
    {"[{\"id\":1,\"from\":\"bert\"}]", -1, "the answer is wrong: messages[0].direction is missing"},
    {"[{\"id\":1,\"direction\":\"sent\"}]", -1,
     "the answer is wrong: messages[0].content is missing"},
    {"[{\"id\":1,\"direction\":\"sent\",\"content\":7}]", -1,
     "the answer is wrong: messages[0].content must be a string"},
    {PLAIN(",\"timestamp\":[]"), -1, "the answer is wrong: messages[0].timestamp must be a time"},
    {PLAIN(",\"delivered\":\"yes\""), -1,
     "the answer is wrong: messages[0].delivered must be true or false"},
    {PLAIN(",\"peer\":1"), -1, "the answer is wrong: messages[0].peer must be a string"},
    {PLAIN(",\"to\":{}"), -1, "the answer is wrong: messages[0].to must be a string"},
    /* Of somebody else. */
    {"[" FULL("1", "anna", "sent", "a", "1") "," FULL("2", "bert", "received", "b", "2") "]", -1,
     "the answer is wrong: messages[1].peer is not \"anna\": these are messages of somebody else"},
    {"[{\"id\":1,\"from\":\"bert\",\"direction\":\"received\",\"text\":\"x\"}]", -1,
     "the answer is wrong: messages[0].from is not \"anna\": these are messages of somebody else"},
    {PLAIN(",\"to\":\"bert\""), -1,
     "the answer is wrong: messages[0].to is not \"anna\": these are messages of somebody else"},
    {"{\"error\":\"no such peer\",\"messages\":[]}", -1, "no such peer"},
};

START_TEST(test_messages) {
    MessengerAnswer a = answer(200, messages[_i].body);
    _cleanup_message_list_ MessageList l = {};
    _cleanup_error_ Error error = {};
    int r = messenger_read_messages(&a, "anna", 3, &l, &error);
    _cleanup_free_ char *shown = show_messages(&l);

    ck_assert_int_eq(r < 0 ? -1 : 0, messages[_i].r);
    assert_result(r, shown, &error, messages[_i].text);
}
END_TEST

/* ---- what was done ---- */

static const struct {
    unsigned status;
    const char *body;
    int r;
    const char *text;
} added[] = {
    {200, "{\"username\":\"Anna\",\"online\":true}", 0, "Anna,1,0"},
    {201, "{\"name\":\"anna\",\"last_seen\":1700000000}", 0, "anna,0,1700000000000000"},
    {201, "", 0, "anna,0,0"},
    {204, " \n", 0, "anna,0,0"},
    {202, "{}", 0, "anna,0,0"},
    {200, "{\"success\":true}", 0, "anna,0,0"},
    {200, "{}", -1, "the answer is wrong: username is missing; nobody knows whether it was done"},
    {200, "", -1, "the answer is wrong: username is missing; nobody knows whether it was done"},
    {200, "[]", -1, "the answer is wrong: it is no object"},
    {201, "true", -1, "the answer is wrong: it is no object"},
    {201, "Created", -1, "the answer is not JSON: Created"},
    {201, "{\"username\":7}", -1, "the answer is wrong: username must be a string"},
    {404, "{\"error\":\"nobody has that name\"}", -1, "nobody has that name"},
    {409, "", -1, "HTTP 409"},
    {200, "{\"username\":\"anna\",\"error\":\"no\"}", -1, "no"},
};

START_TEST(test_added) {
    MessengerAnswer a = answer(added[_i].status, added[_i].body);
    _cleanup_friend_list_ FriendList l = {};
    _cleanup_error_ Error error = {};
    int r = messenger_read_added(&a, "anna", &l, &error);
    _cleanup_free_ char *shown = show_friends(&l);

    ck_assert_int_eq(r < 0 ? -1 : 0, added[_i].r);
    assert_result(r, shown, &error, added[_i].text);
}
END_TEST

static const struct {
    unsigned status;
    const char *body;
    int r;
    const char *text;
} sent[] = {
    {200, "{\"message_id\":\"m5\",\"delivered\":true}", 0, "m5,anna,sent,hi,0,10"},
    {200, "{\"message_id\":5,\"delivered\":false,\"stored_offline\":true}", 0,
     "5,anna,sent,hi,0,01"},
    {201, "{\"msg_id\":5,\"timestamp\":1700000000}", 0, "5,anna,sent,hi,1700000000000000,10"},
    {201, "{\"id\":5,\"stored_offline\":true}", 0, "5,anna,sent,hi,0,01"},
    {201, "", 0, ",anna,sent,hi,0,10"},
    {202, "{\"id\":5}", 0, "5,anna,sent,hi,0,00"},
    {204, "", 0, ",anna,sent,hi,0,10"},
    {200, "{\"ok\":true}", 0, ",anna,sent,hi,0,10"},
    {200, "{\"delivered\":false}", 0, ",anna,sent,hi,0,00"},
    {200, "{\"status\":\"fine\"}", -1,
     "the answer is wrong: message_id is missing; nobody knows whether it was done"},
    {200, "{\"message_id\":[],\"delivered\":true}", -1,
     "the answer is wrong: message_id must be a string or a whole number"},
    {200, "{\"message_id\":1,\"delivered\":\"no\"}", -1,
     "the answer is wrong: delivered must be true or false"},
    {200, "{\"message_id\":1,\"error\":\"blocked\"}", -1, "blocked"},
    {200, "{\"success\":false,\"error\":\"blocked\"}", -1, "blocked"},
    {413, "{\"error\":\"too long\"}", -1, "too long"},
    {200, "OK", -1, "the answer is not JSON: OK"},
};

START_TEST(test_sent) {
    MessengerAnswer a = answer(sent[_i].status, sent[_i].body);
    _cleanup_message_list_ MessageList l = {};
    _cleanup_error_ Error error = {};
    int r = messenger_read_sent(&a, "anna", "hi", &l, &error);
    _cleanup_free_ char *shown = show_messages(&l);

    ck_assert_int_eq(r < 0 ? -1 : 0, sent[_i].r);
    assert_result(r, shown, &error, sent[_i].text);
}
END_TEST

static const struct {
    unsigned status;
    const char *body, *error;
} done[] = {
    {200, "", NULL},
    {204, "", NULL},
    {202, "{}", NULL},
    {200, "{\"success\":true}", NULL},
    {200, "[]", NULL},
    {200, "{\"error\":\"no\"}", "no"},
    {200, "gone", "the answer is not JSON: gone"},
    {404, "", "HTTP 404"},
};

START_TEST(test_done) {
    MessengerAnswer a = answer(done[_i].status, done[_i].body);
    _cleanup_error_ Error error = {};

    ck_assert_int_eq(messenger_read_done(&a, &error), done[_i].error ? -EREMOTE : 0);
    ck_assert_pstr_eq(error.message, done[_i].error);
}
END_TEST

/* ---- caps ---- */

static char *repeat(const char *begin, const char *item, size_t n, const char *end) {
    size_t size = strlen(item);
    char *text = malloc(strlen(begin) + n * (size + 1) + strlen(end) + 1), *p;

    MUST(text);
    p = stpcpy(text, begin);
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && *begin == '[')
            *p++ = ',';
        p = stpcpy(p, item);
    }
    strcpy(p, end);
    return text;
}

START_TEST(test_too_many) {
    _cleanup_free_ char *all = repeat("[", "\"a\"", MESSENGER_FRIENDS_MAX, "]");
    _cleanup_free_ char *more = repeat("[", "\"a\"", MESSENGER_FRIENDS_MAX + 1, "]");
    _cleanup_friend_list_ FriendList l = {};
    _cleanup_message_list_ MessageList m = {};
    _cleanup_error_ Error error = {}, second = {};
    MessengerAnswer a = answer(200, all);

    ck_assert_int_eq(messenger_read_friends(&a, &l, &error), 0);
    ck_assert_uint_eq(l.n, MESSENGER_FRIENDS_MAX);
    a = answer(200, more);
    ck_assert_int_eq(messenger_read_friends(&a, &l, &error), -EREMOTE);
    ck_assert_str_eq(error.message, "the answer has more than 10000 friends");
    ck_assert_int_eq(messenger_read_messages(&a, "anna", 50, &m, &second), -EREMOTE);
    ck_assert_str_eq(second.message, "the answer has more than 10000 messages");
}
END_TEST

/* Of a memory that somebody else fills: no more than a few times what was sent. */
START_TEST(test_deep_and_wide) {
    _cleanup_free_ char *deep = repeat("", "[", 1000000, ""),
                        *wide = repeat("[", "[]", 1000000, "]");
    const char *bodies[] = {deep, wide};

    for (size_t i = 0; i < ELEMENTSOF(bodies); i++) {
        _cleanup_friend_list_ FriendList l = {};
        _cleanup_error_ Error error = {};
        MessengerAnswer a = answer(200, bodies[i]);
        ck_assert_int_eq(messenger_read_friends(&a, &l, &error), -EREMOTE);
    }
}
END_TEST

START_TEST(test_long_texts) {
    _cleanup_free_ char *name = repeat("[{\"username\":\"", "a", TOO_LONG_NAME, "\"}]");
    _cleanup_free_ char *content =
        repeat("{\"messages\":[{\"id\":1,\"direction\":\"sent\",\"text\":\"", "\xc3\xa4",
               MESSENGER_CONTENT_MAX, "\"}]}");
    _cleanup_free_ char *why = repeat("{\"error\":\"", "a", 100000, "\"}");
    _cleanup_friend_list_ FriendList l = {};
    _cleanup_message_list_ MessageList m = {};
    _cleanup_error_ Error error = {}, second = {};
    MessengerAnswer a = answer(200, name);

    ck_assert_int_eq(messenger_read_friends(&a, &l, &error), -EREMOTE);
    ck_assert_str_eq(error.message,
                     "the answer is wrong: friends[0].username is longer than 255 bytes");
    a = answer(200, content);
    ck_assert_int_eq(messenger_read_messages(&a, "anna", 50, &m, &second), 0);
    ck_assert_uint_eq(strlen(m.items[0].content), MESSENGER_CONTENT_MAX + strlen("…"));
    a = answer(500, why);
    ck_assert_int_eq(messenger_read_messages(&a, "anna", 50, &m, &second), -EREMOTE);
    ck_assert_uint_le(strlen(second.message), 310);
}
END_TEST

START_TEST(test_nul) {
    static const char body[] = "{\"friends\":[]\0}";
    _cleanup_friend_list_ FriendList l = {};
    _cleanup_error_ Error error = {};
    MessengerAnswer a = {.status = 200, .body = body, .size = sizeof(body) - 1};

    ck_assert_int_eq(messenger_read_friends(&a, &l, &error), -EREMOTE);
    ck_assert_str_eq(error.message, "the answer is not JSON: {\"friends\":[]");
}
END_TEST

int main(void) {
    Suite *s = suite_create("messenger-parse");
    TCase *t = tcase_create("all");

    tcase_add_loop_test(t, test_friends, 0, ELEMENTSOF(friends));
    tcase_add_loop_test(t, test_messages, 0, ELEMENTSOF(messages));
    tcase_add_loop_test(t, test_added, 0, ELEMENTSOF(added));
    tcase_add_loop_test(t, test_sent, 0, ELEMENTSOF(sent));
    tcase_add_loop_test(t, test_done, 0, ELEMENTSOF(done));
    tcase_add_test(t, test_too_many);
    tcase_add_test(t, test_deep_and_wide);
    tcase_add_test(t, test_long_texts);
    tcase_add_test(t, test_nul);
    suite_add_tcase(s, t);
    return unit_run(s);
}
