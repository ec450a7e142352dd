/* Friends, messages and conversations, as the daemon tells them. */

#include "client-gtk/messages/chat-status.h"
#include "client-gtk/messages/chat-time.h"
#include "client-gtk/messages/conversations.h"
#include "client-gtk/messages/friend-item.h"
#include "client-gtk/messages/text-cut.h"
#include "tests/unit/unit.h"

/* ---- lists from words: "a b c" ---- */

static GVariant *friends_of(const char *names) {
    g_auto(GStrv) words = g_strsplit(names, " ", -1);
    GVariantBuilder b;

    g_variant_builder_init(&b, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; words[i] && words[i][0]; i++)
        g_variant_builder_add_parsed(&b, "{'username': <%s>, 'online': <true>}", words[i]);
    return g_variant_ref_sink(g_variant_builder_end(&b));
}

/* Of each word the first letter is the id; capital letters are messages that we have sent. */
static GVariant *messages_of(const char *ids) {
    g_auto(GStrv) words = g_strsplit(ids, " ", -1);
    GVariantBuilder b;

    g_variant_builder_init(&b, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; words[i] && words[i][0]; i++)
        g_variant_builder_add_parsed(
            &b, "{'id': <%s>, 'peer': <'anna'>, 'direction': <%s>, 'content': <%s>}",
            ((char[]){words[i][0], '\0'}), g_ascii_isupper(words[i][0]) ? "sent" : "received",
            words[i]);
    return g_variant_ref_sink(g_variant_builder_end(&b));
}

static char *words_of(ItemList *list, const char *(*word)(gpointer item)) {
    GString *all = g_string_new(NULL);

    for (guint i = 0; i < item_list_size(list); i++)
        g_string_append_printf(all, "%s%s", i > 0 ? " " : "", word(item_list_get(list, i)));
    return g_string_free(all, FALSE);
}

static const char *friend_word(gpointer item) {
    return friend_item_get_name(item);
}

static const char *message_word(gpointer item) {
    return message_item_get_content(item);
}

/* What was told of a list. */
typedef struct Told {
    guint n, position, removed, added;
} Told;

static void on_items(GListModel *list, guint position, guint removed, guint added, Told *told) {
    *told = (Told){told->n + 1, position, removed, added};
}

/* ---- changes ---- */

static const struct {
    const char *before, *after;
    gboolean part;
    const char *then;
    Told told;
} changes[] = {
    {"", "", FALSE, "", {0}},
    {"", "a b", FALSE, "a b", {1, 0, 0, 2}},
    {"a b", "a b", FALSE, "a b", {0}},
    {"a b", "a b c", FALSE, "a b c", {1, 2, 0, 1}},
    {"a b c", "a c", FALSE, "a c", {1, 1, 1, 0}},
    {"a b c", "b c", FALSE, "b c", {1, 0, 1, 0}},
    {"a b c", "a x c", FALSE, "a x c", {1, 1, 1, 1}},
    {"a b c", "", FALSE, "", {1, 0, 3, 0}},
    {"a b c", "c b a", FALSE, "c b a", {1, 0, 3, 3}},
    {"a a", "a a", FALSE, "a a", {1, 1, 1, 1}}, /* the second has no name of its own */
};

START_TEST(friends_change) {
    g_autoptr(GVariant) before = friends_of(changes[_i].before);
    g_autoptr(GVariant) after = friends_of(changes[_i].after);
    g_autoptr(ItemList) list = friend_list_new();
    g_autofree char *words = NULL;
    Told told = {};

    friend_list_take(list, before, FALSE);
    g_signal_connect(list, "items-changed", G_CALLBACK(on_items), &told);
    friend_list_take(list, after, FALSE);
    words = words_of(list, friend_word);
    ck_assert_str_eq(words, changes[_i].then);
    ck_assert_mem_eq(&told, &changes[_i].told, sizeof(Told));
}
END_TEST

START_TEST(messages_change) {
    g_autoptr(GVariant) before = messages_of(changes[_i].before);
    g_autoptr(GVariant) after = messages_of(changes[_i].after);
    g_autoptr(ItemList) list = message_list_new();
    g_autofree char *words = NULL;
    Told told = {};

    message_list_take(list, before, MESSAGE_LIST_ALL);
    g_signal_connect(list, "items-changed", G_CALLBACK(on_items), &told);
    message_list_take(list, after, MESSAGE_LIST_ALL);
    words = words_of(list, message_word);
    ck_assert_str_eq(words, changes[_i].then);
    ck_assert_mem_eq(&told, &changes[_i].told, sizeof(Told));
}
END_TEST

static const struct {
    const char *before, *last, *then;
} parts[] = {
    {"a b c", "b c d", "a b c d"},
    {"a b c", "c", "a b c"},
    {"a b c", "x y", "x y"},
    {"a b c", "a b", "a b"},
    {"a b c", "b c2", "a b c2"},
    {"", "a", "a"},
    {"a b", "", ""},
};

START_TEST(last_messages) {
    g_autoptr(GVariant) before = messages_of(parts[_i].before);
    g_autoptr(GVariant) last = messages_of(parts[_i].last);
    g_autoptr(ItemList) list = message_list_new();
    g_autofree char *words = NULL;

    message_list_take(list, before, MESSAGE_LIST_ALL);
    message_list_take(list, last, MESSAGE_LIST_LAST);
    words = words_of(list, message_word);
    ck_assert_str_eq(words, parts[_i].then);
}
END_TEST

/* As many as a signal holds: there may be more. */
static GVariant *signal_full_of_friends(void) {
    GVariantBuilder b;

    g_variant_builder_init(&b, G_VARIANT_TYPE("aa{sv}"));
    g_variant_builder_add_parsed(&b, "{'username': <'a'>}");
    for (guint i = 0; i < 4000; i++) {
        g_autofree char *name = g_strdup_printf("%0200u", i);
        g_variant_builder_add_parsed(&b, "{'username': <%s>}", name);
    }
    return g_variant_ref_sink(g_variant_builder_end(&b));
}

START_TEST(friends_not_all) {
    g_autoptr(GVariant) before = friends_of("a b c"), few = friends_of("a c");
    g_autoptr(GVariant) many = signal_full_of_friends();
    g_autoptr(ItemList) list = friend_list_new();
    FriendItem *a;

    friend_list_take(list, before, FALSE);
    a = item_list_find(list, "a");
    friend_item_set_unread(a, TRUE);
    friend_list_take(list, few, TRUE);
    ck_assert_uint_eq(item_list_size(list), 2);
    friend_list_take(list, many, TRUE);
    ck_assert_uint_eq(item_list_position(list, "c"), 4001);
    ck_assert_ptr_eq(item_list_get(list, 0), a);
    ck_assert(friend_item_get_unread(a));
    friend_list_take(list, many, FALSE);
    ck_assert_uint_eq(item_list_position(list, "c"), G_MAXUINT);
}
END_TEST

START_TEST(delivered) {
    g_autoptr(GVariant) before = g_variant_ref_sink(g_variant_new_parsed(
        "[{'id': <'1'>, 'direction': <'sent'>, 'delivered': <false>}, {'peer': <'no id'>}]"));
    g_autoptr(GVariant) after = g_variant_ref_sink(
        g_variant_new_parsed("[{'id': <'1'>, 'direction': <'sent'>, 'delivered': <true>}]"));
    g_autoptr(ItemList) list = message_list_new();
    MessageItem *item;

    message_list_take(list, before, MESSAGE_LIST_ALL);
    ck_assert_uint_eq(item_list_size(list), 1);
    item = item_list_get(list, 0);
    ck_assert(!message_item_get_delivered(item));
    message_list_take(list, after, MESSAGE_LIST_ALL);
    ck_assert_ptr_eq(item_list_get(list, 0), item);
    ck_assert(message_item_get_delivered(item));
}
END_TEST

START_TEST(too_many) {
    g_autoptr(ItemList) friends = friend_list_new(), messages = message_list_new();
    g_autoptr(GVariant) f = NULL, m = NULL;
    GVariantBuilder fb, mb;

    g_variant_builder_init(&fb, G_VARIANT_TYPE("aa{sv}"));
    g_variant_builder_init(&mb, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i <= ITEM_LIST_MAX; i++) {
        g_autofree char *id = g_strdup_printf("%u", i);
        g_variant_builder_add_parsed(&fb, "{'username': <%s>}", id);
        g_variant_builder_add_parsed(&mb, "{'id': <%s>}", id);
    }
    f = g_variant_ref_sink(g_variant_builder_end(&fb));
    m = g_variant_ref_sink(g_variant_builder_end(&mb));
    friend_list_take(friends, f, FALSE);
    message_list_take(messages, m, MESSAGE_LIST_ALL);
    ck_assert_uint_eq(item_list_size(friends), ITEM_LIST_MAX);
    ck_assert_uint_eq(item_list_size(messages), ITEM_LIST_MAX);
    ck_assert_str_eq(friend_item_get_name(item_list_get(friends, 0)), "0");
    ck_assert_str_eq(message_item_get_id(item_list_get(messages, 0)), "1");
}
END_TEST

/* ---- conversations ---- */

static const struct {
    const char *before, *after;
    gboolean news;
} news[] = {
    {NULL, "a b", FALSE}, {"", "a", TRUE},     {"a", "a b", TRUE},
    {"a", "a B", FALSE},  {"a b", "a", FALSE}, {"a", "a", FALSE},
};

START_TEST(what_is_new) {
    g_autoptr(Conversation) c = conversation_new("anna");
    g_autoptr(GVariant) before = news[_i].before ? messages_of(news[_i].before) : NULL;
    g_autoptr(GVariant) after = messages_of(news[_i].after);

    if (before)
        ck_assert(!conversation_take(c, before, MESSAGE_LIST_ALL));
    ck_assert_int_eq(conversation_take(c, after, MESSAGE_LIST_ALL), news[_i].news);
    ck_assert(conversation_get_loaded(c));
}
END_TEST

START_TEST(draft) {
    g_autoptr(Conversation) c = conversation_new("anna");

    conversation_set_sending(c, "one");
    conversation_set_draft(c, "two");
    conversation_sending_failed(c);
    ck_assert_str_eq(conversation_get_draft(c), "one two");
    ck_assert_ptr_null(conversation_get_sending(c));
    conversation_sending_failed(c);
    ck_assert_str_eq(conversation_get_draft(c), "one two");
}
END_TEST

START_TEST(limit) {
    g_autoptr(GVariant) few = messages_of("a b c");
    g_autoptr(Conversation) c = conversation_new("anna");
    GVariantBuilder b;
    g_autoptr(GVariant) many = NULL;

    conversation_take(c, few, MESSAGE_LIST_ALL);
    ck_assert(!conversation_raise_limit(c));
    g_variant_builder_init(&b, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < CONVERSATION_LIMIT_MAX; i++) {
        g_autofree char *id = g_strdup_printf("%u", i);
        g_variant_builder_add_parsed(&b, "{'id': <%s>}", id);
    }
    many = g_variant_ref_sink(g_variant_builder_end(&b));
    conversation_take(c, many, MESSAGE_LIST_ALL);
    while (conversation_raise_limit(c))
        ck_assert_uint_le(conversation_get_limit(c), CONVERSATION_LIMIT_MAX);
    ck_assert_uint_eq(conversation_get_limit(c), CONVERSATION_LIMIT_MAX);
}
END_TEST

START_TEST(forgotten) {
    g_autoptr(Conversations) all = conversations_new();
    g_autoptr(GVariant) messages = messages_of("a");

    conversation_set_draft(conversations_get(all, "drafted", NULL), "x");
    conversation_take(conversations_get(all, "looked-at", NULL), messages, MESSAGE_LIST_ALL);
    for (guint i = 0; i < 3 * CONVERSATIONS_MAX; i++) {
        g_autofree char *peer = g_strdup_printf("%u", i);
        conversation_take(conversations_get(all, peer, "looked-at"), messages, MESSAGE_LIST_ALL);
    }
    ck_assert_uint_eq(conversations_size(all), CONVERSATIONS_MAX);
    ck_assert_str_eq(conversation_get_draft(conversations_get(all, "drafted", NULL)), "x");
    ck_assert(conversation_get_loaded(conversations_get(all, "looked-at", NULL)));
    ck_assert(!conversation_get_loaded(conversations_get(all, "0", NULL)));
}
END_TEST

/* ---- words ---- */

static const struct {
    const char *text;
    TextCutMax max;
    const char *cut;
} cuts[] = {
    {"", {3, 3}, ""},         {"abc", {3, 3}, "abc"},       {"abcd", {3, 3}, "abc…"},
    {"a\nb", {9, 2}, "a\nb"}, {"a\nb\nc", {9, 2}, "a\nb…"}, {"äöü€", {3, 3}, "äöü…"},
};

START_TEST(cut) {
    g_autofree char *text = text_cut(cuts[_i].text, &cuts[_i].max, NULL);

    ck_assert_str_eq(text, cuts[_i].cut);
}
END_TEST

static const struct {
    const char *text, *pieces;
} piece_cases[] = {
    {"", ""},
    {"abcd", "abcd"},
    {"abcdef", "abcd|ef"},
    {"abc def", "abc |def"},
    {"a bcdef", "a bc|def"},
    {"abc\ndef", "abc|def"},
    {"äöüßäö", "äöüß|äö"},
};

START_TEST(pieces) {
    g_autoptr(GPtrArray) found = text_pieces(piece_cases[_i].text, 4);
    g_autofree char *all = NULL;

    g_ptr_array_add(found, NULL);
    all = g_strjoinv("|", (char **)found->pdata);
    ck_assert_str_eq(all, piece_cases[_i].pieces);
}
END_TEST

START_TEST(times) {
    g_autoptr(GDateTime) now = g_date_time_new_from_unix_local(1700000000);
    g_autofree char *today = chat_time(1700000000 * G_GUINT64_CONSTANT(1000000), now);
    g_autofree char *before = chat_time(1600000000 * G_GUINT64_CONSTANT(1000000), now);
    G_GNUC_UNUSED g_autofree char *end = chat_time(G_MAXUINT64, now);

    ck_assert_ptr_nonnull(today);
    ck_assert_uint_gt(strlen(before), strlen(today));
    ck_assert_ptr_null(chat_time(0, now));
}
END_TEST

static void on_text(ChatStatus *status, GParamSpec *pspec, GMainLoop *loop) {
    if (g_str_equal(chat_status_get_text(status), "base"))
        g_main_loop_quit(loop);
}

START_TEST(status) {
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    g_autoptr(ChatStatus) s = chat_status_new();

    chat_status_set(s, "base");
    chat_status_say(s, 60000, g_strdup("one"));
    chat_status_say(s, 10, g_strdup("two"));
    ck_assert_str_eq(chat_status_get_text(s), "two");
    chat_status_set(s, "base");
    ck_assert_str_eq(chat_status_get_text(s), "two");
    g_signal_connect(s, "notify::text", G_CALLBACK(on_text), loop);
    g_main_loop_run(loop);
    chat_status_say(s, 60000, g_strdup("three"));
    chat_status_unsay(s);
    ck_assert_str_eq(chat_status_get_text(s), "base");
}
END_TEST

int main(void) {
    Suite *s = suite_create("chat");
    TCase *tc = tcase_create("models");

    tcase_add_loop_test(tc, friends_change, 0, G_N_ELEMENTS(changes));
    tcase_add_loop_test(tc, messages_change, 0, G_N_ELEMENTS(changes));
    tcase_add_loop_test(tc, last_messages, 0, G_N_ELEMENTS(parts));
    tcase_add_test(tc, friends_not_all);
    tcase_add_test(tc, delivered);
    tcase_add_test(tc, too_many);
    tcase_add_loop_test(tc, what_is_new, 0, G_N_ELEMENTS(news));
    tcase_add_test(tc, draft);
    tcase_add_test(tc, limit);
    tcase_add_test(tc, forgotten);
    tcase_add_loop_test(tc, cut, 0, G_N_ELEMENTS(cuts));
    tcase_add_loop_test(tc, pieces, 0, G_N_ELEMENTS(piece_cases));
    tcase_add_test(tc, times);
    tcase_add_test(tc, status);
    suite_add_tcase(s, tc);
    return unit_run(s);
}
