/* Which messages of a list that comes again and again are new. */

#include "client-cli/chat-seen.h"
#include "client-cli/json.h"
#include "tests/unit/unit.h"

/* Lists that come one after the other, messages by their ids, and which of them are told.
 * Their times are in the order of the alphabet. */
static const struct {
    const char *lists[5], *told;
} table[] = {
    {{""}, ""},
    {{"a"}, "a"},
    {{"a", "a"}, "a"},
    {{"a", "ab", "abc"}, "abc"},
    {{"", "a"}, "a"},
    {{"ab", "", "abc"}, "abc"}, /* a list that was lost is no news when it is back */
    {{"cd", "abcd"}, "cd"},     /* what was before is old */
    {{"cd", "abcde"}, "cde"},
    {{"abc", "c", "abcd"}, "abcd"},   /* somebody has asked for fewer */
    {{"abc", "ac", "acd"}, "abcd"},   /* deleted */
    {{"bcd", "abc", "abce"}, "bcde"}, /* the last one deleted, an older one moves in */
    {{"ad", "abd"}, "adb"},           /* late, and in between */
    {{"abc", "def"}, "abcdef"},       /* all of it is new: more than a list takes have come */
    {{"def", "abc"}, "def"},          /* all of that was deleted: what is left is older */
    {{"abc", "abcdefghij"}, "abcdefghij"},
};

static cJSON *new_list(const char *ids, bool has_ids) {
    cJSON *list = cJSON_CreateArray();

    for (; *ids; ids++) {
        char id[] = {*ids, '\0'};
        cJSON *message = cJSON_CreateObject();
        cJSON_AddStringToObject(message, "id", has_ids ? id : "");
        cJSON_AddStringToObject(message, "direction", "received");
        cJSON_AddStringToObject(message, "content", id);
        cJSON_AddNumberToObject(message, "timestamp", 1e6 * (*ids - 'a' + 1));
        cJSON_AddItemToArray(list, message);
    }
    return list;
}

static void on_message(void *userdata, const cJSON *message) {
    strcat(userdata, json_string(message, "content"));
}

static void check(size_t row, bool has_ids) {
    ChatSeen seen = {};
    char told[64] = "";

    for (size_t i = 0; i < ELEMENTSOF(table[row].lists) && table[row].lists[i]; i++) {
        cJSON *list = new_list(table[row].lists[i], has_ids);
        chat_seen_take(&seen, list, on_message, told);
        cJSON_Delete(list);
    }
    ck_assert_str_eq(told, table[row].told);
    chat_seen_done(&seen);
}

START_TEST(test_new) {
    check((size_t)_i, true);
}
END_TEST

START_TEST(test_without_ids) {
    check((size_t)_i, false);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("chat-seen");
    TCase *t = tcase_create("seen");

    tcase_add_loop_test(t, test_new, 0, (int)ELEMENTSOF(table));
    tcase_add_loop_test(t, test_without_ids, 0, (int)ELEMENTSOF(table));
    suite_add_tcase(suite, t);
    return unit_run(suite);
}
