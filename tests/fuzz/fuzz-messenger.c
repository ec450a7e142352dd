/* Answers of messengers: the first byte is the status (2 for 200, 4 for 404, ...), the rest the
 * body. Whatever it is, what is taken of it fits D-Bus, a path and a screen, and of what is refused
 * nothing is taken. */

#include <errno.h>

#include "common/cleanup.h"
#include "common/text.h"
#include "daemon/http/messenger-parse.h"
#include "daemon/http/messenger-text.h"
#include "tests/fuzz/fuzz.h"

#define LIMIT 20

static void check_error(int r, const Error *error) {
    MUST(r == 0 || r == -EREMOTE);
    MUST((r == 0) == (error->code == ERROR_NONE));
    if (r == 0)
        return;
    MUST(error->code == ERROR_BACKEND_FAILED && error->message && error->message[0]);
    MUST(utf8_is_valid(error->message) && !strchr(error->message, '\n'));
    MUST(strlen(error->message) < 1024);
}

static void check_friends(int r, const FriendList *l, const Error *error) {
    check_error(r, error);
    MUST(r == 0 || l->n == 0);
    MUST(l->n <= MESSENGER_FRIENDS_MAX);
    for (size_t i = 0; i < l->n; i++)
        MUST(!messenger_name_problem(l->items[i].username));
}

static void check_content(const char *content) {
    MUST(utf8_is_valid(content) && strlen(content) <= MESSENGER_CONTENT_MAX + 4);
    for (const char *p = content; *p; p++)
        MUST(((unsigned char)*p >= 0x20 && *p != 0x7f) || *p == '\n' || *p == '\t');
}

static void check_messages(int r, const MessageList *l, const Error *error) {
    check_error(r, error);
    MUST(r == 0 || l->n == 0);
    MUST(l->n <= LIMIT);
    for (size_t i = 0; i < l->n; i++) {
        MUST(streq(l->items[i].peer, "anna"));
        MUST(!l->items[i].id[0] || !messenger_name_problem(l->items[i].id));
        check_content(l->items[i].content);
    }
}

static void read_lists(const MessengerAnswer *a) {
    _cleanup_friend_list_ FriendList friends = {};
    _cleanup_message_list_ MessageList messages = {};
    _cleanup_error_ Error e1 = {}, e2 = {};

    check_friends(messenger_read_friends(a, &friends, &e1), &friends, &e1);
    check_messages(messenger_read_messages(a, "anna", LIMIT, &messages, &e2), &messages, &e2);
}

static void read_changes(const MessengerAnswer *a) {
    _cleanup_friend_list_ FriendList friends = {};
    _cleanup_message_list_ MessageList messages = {};
    _cleanup_error_ Error e1 = {}, e2 = {}, e3 = {};

    check_friends(messenger_read_added(a, "anna", &friends, &e1), &friends, &e1);
    check_messages(messenger_read_sent(a, "anna", "hi", &messages, &e2), &messages, &e2);
    check_error(messenger_read_done(a, &e3), &e3);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    MessengerAnswer a;

    if (size == 0)
        return 0;
    a = (MessengerAnswer){
        .status = (data[0] - '0') % 6U * 100, .body = (const char *)data + 1, .size = size - 1};
    read_lists(&a);
    read_changes(&a);
    return 0;
}
