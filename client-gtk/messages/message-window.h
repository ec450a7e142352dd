#pragma once

#include <adwaita.h>

#include "client-gtk/messages/message-item.h"

/* A window with all of a long message: to read, and to take parts of. It lays out what is in sight,
 * so that the length does not matter. */
GtkWindow *message_window_new(GtkWindow *parent, MessageItem *item);
