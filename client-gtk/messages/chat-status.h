#pragma once

#include <gio/gio.h>

/* The text of the status bar: something that is said for a while, and then again how things are.
 * Property that notifies: "text". */
#define LONGRUN_TYPE_CHAT_STATUS (chat_status_get_type())
G_DECLARE_FINAL_TYPE(ChatStatus, chat_status, LONGRUN, CHAT_STATUS, GObject)

ChatStatus *chat_status_new(void);

const char *chat_status_get_text(ChatStatus *self);

/* How things are. */
void chat_status_set(ChatStatus *self, const char *text);

/* Takes text. */
void chat_status_say(ChatStatus *self, guint msec, char *text);

/* What was said is no longer so. */
void chat_status_unsay(ChatStatus *self);
