#pragma once

#include <gtk/gtk.h>

#include "client-gtk/messages/conversation.h"

/* Where the list of a conversation is scrolled to: at its end, which stays in sight when messages
 * come, or wherever the person has scrolled to, which stays where it is.
 *
 * Property that notifies: "at-end". Signal "top": the person has scrolled to the first message. */
#define LONGRUN_TYPE_CONVERSATION_SCROLL (conversation_scroll_get_type())
G_DECLARE_FINAL_TYPE(ConversationScroll, conversation_scroll, LONGRUN, CONVERSATION_SCROLL, GObject)

/* list: of MessageRow; neither is owned. Dispose it before they go. */
ConversationScroll *conversation_scroll_new(GtkScrolledWindow *window, GtkListView *list);

/* The list shows these messages now. */
void conversation_scroll_restore(ConversationScroll *self, Conversation *c);

/* Where it is, for later. */
void conversation_scroll_save(ConversationScroll *self, Conversation *c);

void conversation_scroll_to_end(ConversationScroll *self);

gboolean conversation_scroll_get_at_end(ConversationScroll *self);
