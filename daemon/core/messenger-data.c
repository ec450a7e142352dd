#include "daemon/core/messenger-data.h"

#include <stdlib.h>

#include "common/str-table.h"

static const char *const message_direction_table[] = {
    [MESSAGE_SENT] = "sent",
    [MESSAGE_RECEIVED] = "received",
};

DEFINE_STR_TABLE(message_direction, MessageDirection, message_direction_table)

void friend_list_done(FriendList *l) {
    for (size_t i = 0; i < l->n; i++)
        free(l->items[i].username);
    free(l->items);
    *l = (FriendList){};
}

void message_done(ChatMessage *m) {
    free(m->id);
    free(m->peer);
    free(m->content);
    *m = (ChatMessage){};
}

void message_list_done(MessageList *l) {
    for (size_t i = 0; i < l->n; i++)
        message_done(&l->items[i]);
    free(l->items);
    *l = (MessageList){};
}

static bool message_equal(const ChatMessage *a, const ChatMessage *b) {
    return a->direction == b->direction && a->timestamp == b->timestamp &&
           a->delivered == b->delivered && a->stored_offline == b->stored_offline &&
           streq(a->id, b->id) && streq(a->peer, b->peer) && streq(a->content, b->content);
}

bool message_list_equal(const MessageList *a, const MessageList *b) {
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (!message_equal(&a->items[i], &b->items[i]))
            return false;
    return true;
}
