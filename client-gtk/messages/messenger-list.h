#pragma once

#include "client-gtk/messages/messenger-item.h"
#include "dbus/dbus-proxies.h"

/* The backends of type messenger, by name, as they come and go; over an absence of the daemon they
 * stay as they were.
 *
 * Signal "changed": they were loaded, or that has failed. */
#define LONGRUN_TYPE_MESSENGER_LIST (messenger_list_get_type())
G_DECLARE_FINAL_TYPE(MessengerList, messenger_list, LONGRUN, MESSENGER_LIST, GObject)

MessengerList *messenger_list_new(void);

/* Each time that the daemon has come. */
void messenger_list_load(MessengerList *self, DbusManager *manager);

/* Owned by self. */
ItemList *messenger_list_get_items(MessengerList *self);

gboolean messenger_list_get_loaded(MessengerList *self);

/* Why they could not be loaded; NULL: they could. */
const char *messenger_list_get_problem(MessengerList *self);
