#pragma once

#include "client-gtk/messages/item-list.h"

/* A backend of type messenger. Property: "name". */
#define LONGRUN_TYPE_MESSENGER_ITEM (messenger_item_get_type())
G_DECLARE_FINAL_TYPE(MessengerItem, messenger_item, LONGRUN, MESSENGER_ITEM, GObject)

MessengerItem *messenger_item_new(const char *name, const char *path);

const char *messenger_item_get_name(MessengerItem *self);
const char *messenger_item_get_path(MessengerItem *self);

/* By path. */
ItemList *messenger_item_list_new(void);
