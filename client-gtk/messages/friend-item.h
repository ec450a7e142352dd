#pragma once

#include "client-gtk/messages/item-list.h"

/* A friend. Properties that notify: "online", "last-seen", "unread". */
#define LONGRUN_TYPE_FRIEND_ITEM (friend_item_get_type())
G_DECLARE_FINAL_TYPE(FriendItem, friend_item, LONGRUN, FRIEND_ITEM, GObject)

FriendItem *friend_item_new(const char *name);

const char *friend_item_get_name(FriendItem *self);

gboolean friend_item_get_online(FriendItem *self);

/* Microseconds since the epoch, 0 = not known. */
guint64 friend_item_get_last_seen(FriendItem *self);

/* They have written, and nobody has looked. */
gboolean friend_item_get_unread(FriendItem *self);
void friend_item_set_unread(FriendItem *self, gboolean unread);

/* A list of friends, by name. */
ItemList *friend_list_new(void);

/* The list is as the daemon says (aa{sv}) now. What is in both keeps its item. by_signal: when they
 * are many, there may be more than it says; those that we know stay behind, and the answer is
 * FALSE.
 */
gboolean friend_list_take(ItemList *list, GVariant *friends, gboolean by_signal);
