#pragma once

#include "client-gtk/messages/item-list.h"

/* A message. It never changes but for the property "delivered", which notifies. */
#define LONGRUN_TYPE_MESSAGE_ITEM (message_item_get_type())
G_DECLARE_FINAL_TYPE(MessageItem, message_item, LONGRUN, MESSAGE_ITEM, GObject)

/* As the daemon says (a{sv}); NULL when it has no id. */
MessageItem *message_item_new(GVariant *values);

const char *message_item_get_id(MessageItem *self);
const char *message_item_get_peer(MessageItem *self);
const char *message_item_get_content(MessageItem *self);

/* By us, to the peer. */
gboolean message_item_get_sent(MessageItem *self);

/* Microseconds since the epoch, 0 = not known. */
guint64 message_item_get_time(MessageItem *self);

gboolean message_item_get_delivered(MessageItem *self);

/* Takes over from other what may change; FALSE when it is not the same message. */
gboolean message_item_update(MessageItem *self, MessageItem *other);

/* Messages by id. */
ItemList *message_list_new(void);

/* What a list that the daemon has told is beside what is known. */
typedef enum MessageListPart {
    MESSAGE_LIST_ALL,
    MESSAGE_LIST_LAST, /* there may be older ones, which it has left out: those that are known stay
                        */
} MessageListPart;

/* What is in both keeps its item. Of too many the last stay. */
void message_list_take(ItemList *list, GVariant *messages, MessageListPart part);
