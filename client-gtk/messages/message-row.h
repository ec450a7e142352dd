#pragma once

#include <adwaita.h>

#include "client-gtk/messages/message-item.h"

/* A message in the list: ours at the end of the line, theirs at its start. Whatever is in it is
 * text; of a long one the beginning, and all of it in a window.
 *
 * Its menu activates conversation.delete-message(s) of whom it is in. */
#define LONGRUN_TYPE_MESSAGE_ROW (message_row_get_type())
G_DECLARE_FINAL_TYPE(MessageRow, message_row, LONGRUN, MESSAGE_ROW, AdwBin)

GtkWidget *message_row_new(void);

/* NULL: none. */
void message_row_set_item(MessageRow *self, MessageItem *item);
MessageItem *message_row_get_item(MessageRow *self);

/* What it is called for those who do not see it. */
char *message_row_describe(MessageItem *item);
