#pragma once

#include <adwaita.h>

#include "client-gtk/messages/friend-item.h"

/* A friend in the list. Its menu activates friends.remove(s) of whom it is in. */
#define LONGRUN_TYPE_FRIEND_ROW (friend_row_get_type())
G_DECLARE_FINAL_TYPE(FriendRow, friend_row, LONGRUN, FRIEND_ROW, AdwBin)

GtkWidget *friend_row_new(void);

/* NULL: none. */
void friend_row_set_item(FriendRow *self, FriendItem *item);
