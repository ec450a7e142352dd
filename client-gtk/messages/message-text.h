#pragma once

#include <gtk/gtk.h>

/* Text of any kind, wrapped, as it is: no markup. A label would find out how narrow it
 * can be by laying the text out character by character, which takes seconds for one long word; this
 * one is as wide as its text, up to a limit, and lays it out once, in pieces. */
#define LONGRUN_TYPE_MESSAGE_TEXT (message_text_get_type())
G_DECLARE_FINAL_TYPE(MessageText, message_text, LONGRUN, MESSAGE_TEXT, GtkWidget)

void message_text_set(MessageText *self, const char *text);
