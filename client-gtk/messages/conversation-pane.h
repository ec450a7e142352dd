#pragma once

#include <adwaita.h>

#include "client-gtk/messages/chat-client.h"

/* What is said with the friend who is chosen, and the entry for what one says. */
#define LONGRUN_TYPE_CONVERSATION_PANE (conversation_pane_get_type())
G_DECLARE_FINAL_TYPE(ConversationPane, conversation_pane, LONGRUN, CONVERSATION_PANE, AdwBin)

/* NULL: none. */
void conversation_pane_set_client(ConversationPane *self, ChatClient *client);

/* There is a way back to the friends; else both are in sight. */
void conversation_pane_set_back(ConversationPane *self, gboolean back);
