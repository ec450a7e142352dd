#include <errno.h>

#include "common/cleanup.h"
#include "common/text.h"
#include "daemon/bus/bus-messenger.h"

/* Friends and messages as dictionaries. */

/* Bytes of one in a message beside its texts, roughly. */
#define FRIEND_SIZE 96
#define CHAT_MESSAGE_SIZE 224

/* What comes from a server may be anything; on the bus it is UTF-8. */
static int append_text(sd_bus_message *m, const char *key, const char *text) {
    _cleanup_free_ char *clean = NULL;

    if (!utf8_is_valid(text)) {
        clean = text_clean(text, strlen(text), MIB);
        if (!clean)
            return -ENOMEM;
        text = clean;
    }
    return sd_bus_message_append(m, "{sv}", key, "s", text);
}

int bus_friend_append(sd_bus_message *m, const Friend *f) {
    int r = sd_bus_message_open_container(m, 'a', "{sv}");

    if (r >= 0)
        r = append_text(m, "username", f->username);
    if (r >= 0)
        r = sd_bus_message_append(m, "{sv}{sv}", "online", "b", (int)f->online, "last-seen", "t",
                                  f->last_seen);
    return r < 0 ? r : sd_bus_message_close_container(m);
}

int bus_friends_append(sd_bus_message *m, const FriendList *l, size_t max) {
    int r = sd_bus_message_open_container(m, 'a', "a{sv}");
    size_t size = 0;

    for (size_t i = 0; r >= 0 && i < l->n; i++) {
        size += FRIEND_SIZE + strlen(l->items[i].username);
        if (size > max)
            break;
        r = bus_friend_append(m, &l->items[i]);
    }
    return r < 0 ? r : sd_bus_message_close_container(m);
}

int bus_chat_message_append(sd_bus_message *m, const ChatMessage *c) {
    int r = sd_bus_message_open_container(m, 'a', "{sv}");

    if (r >= 0)
        r = append_text(m, "id", c->id);
    if (r >= 0)
        r = append_text(m, "peer", c->peer);
    if (r >= 0)
        r = append_text(m, "direction", message_direction_to_string(c->direction));
    if (r >= 0)
        r = append_text(m, "content", c->content);
    if (r >= 0)
        r = sd_bus_message_append(m, "{sv}{sv}{sv}", "timestamp", "t", c->timestamp, "delivered",
                                  "b", (int)c->delivered, "stored-offline", "b",
                                  (int)c->stored_offline);
    return r < 0 ? r : sd_bus_message_close_container(m);
}

/* The place of the first one from which on all have room. */
static size_t first_with_room(const MessageList *l, size_t max) {
    size_t size = 0, i = l->n;

    for (; i > 0; i--) {
        const ChatMessage *c = &l->items[i - 1];
        size += CHAT_MESSAGE_SIZE + strlen(c->id) + strlen(c->peer) + strlen(c->content);
        if (size > max)
            break;
    }
    return i;
}

int bus_chat_messages_append(sd_bus_message *m, const MessageList *l, size_t max) {
    int r = sd_bus_message_open_container(m, 'a', "a{sv}");

    for (size_t i = first_with_room(l, max); r >= 0 && i < l->n; i++)
        r = bus_chat_message_append(m, &l->items[i]);
    return r < 0 ? r : sd_bus_message_close_container(m);
}
