#pragma once

#include <adwaita.h>

#include "client-gtk/messages/chat-client.h"

/* The friends of a messenger: one is chosen, more are added, some removed. */
#define LONGRUN_TYPE_FRIENDS_PANE (friends_pane_get_type())
G_DECLARE_FINAL_TYPE(FriendsPane, friends_pane, LONGRUN, FRIENDS_PANE, AdwBin)

/* NULL: none. */
void friends_pane_set_client(FriendsPane *self, ChatClient *client);
