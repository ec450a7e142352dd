#pragma once

#include <gio/gio.h>

/* A list of objects, each of which has a key: a whole new list is compared with the one before, and
 * only what is another is told, so that selections and places in it stay. Of objects with the same
 * key, the first is found.
 *
 * It does not grow beyond ITEM_LIST_MAX. */
#define LONGRUN_TYPE_ITEM_LIST (item_list_get_type())
G_DECLARE_FINAL_TYPE(ItemList, item_list, LONGRUN, ITEM_LIST, GObject)

#define ITEM_LIST_MAX 10000

/* Never NULL, owned by the item, and the same for as long as that lives. */
typedef const char *(*ItemListKey)(gpointer item);

ItemList *item_list_new(GType type, ItemListKey key);

/* NULL when there is none. Not owned by the caller. */
gpointer item_list_find(ItemList *self, const char *key);

/* Not owned by the caller. NULL beyond the end. */
gpointer item_list_get(ItemList *self, guint position);

/* G_MAXUINT when there is none of this key. */
guint item_list_position(ItemList *self, const char *key);

guint item_list_size(ItemList *self);

/* Takes items, whose free function unrefs. Of too many the first stay. */
void item_list_replace(ItemList *self, GPtrArray *items);
