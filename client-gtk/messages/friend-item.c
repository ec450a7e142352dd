#include "client-gtk/messages/friend-item.h"

/* A signal of the daemon holds this much; it counts so much for each friend, and their name. */
#define SIGNAL_MAX (1024 * 1024)
#define FRIEND_SIZE 96
#define NAME_MAX_SIZE 255

struct _FriendItem {
    GObject parent_instance;

    char *name;
    guint64 last_seen;
    gboolean online, unread;
};

G_DEFINE_FINAL_TYPE(FriendItem, friend_item, G_TYPE_OBJECT)

enum {
    PROP_ONLINE = 1,
    PROP_LAST_SEEN,
    PROP_UNREAD,
    N_PROPS,
};
static GParamSpec *properties[N_PROPS];

/* ---- what is known ---- */

const char *friend_item_get_name(FriendItem *self) {
    return self->name;
}

gboolean friend_item_get_online(FriendItem *self) {
    return self->online;
}

guint64 friend_item_get_last_seen(FriendItem *self) {
    return self->last_seen;
}

gboolean friend_item_get_unread(FriendItem *self) {
    return self->unread;
}

void friend_item_set_unread(FriendItem *self, gboolean unread) {
    if (self->unread == unread)
        return;
    self->unread = unread;
    g_object_notify_by_pspec(G_OBJECT(self), properties[PROP_UNREAD]);
}

static void take(FriendItem *self, gboolean online, guint64 last_seen) {
    if (self->online != online) {
        self->online = online;
        g_object_notify_by_pspec(G_OBJECT(self), properties[PROP_ONLINE]);
    }
    if (self->last_seen != last_seen) {
        self->last_seen = last_seen;
        g_object_notify_by_pspec(G_OBJECT(self), properties[PROP_LAST_SEEN]);
    }
}

/* ---- the list ---- */

static const char *key_of(gpointer item) {
    return friend_item_get_name(item);
}

ItemList *friend_list_new(void) {
    return item_list_new(LONGRUN_TYPE_FRIEND_ITEM, key_of);
}

static FriendItem *item_of(ItemList *list, const char *name, GHashTable *seen) {
    FriendItem *item = item_list_find(list, name);

    return item && !g_hash_table_contains(seen, item) ? g_object_ref(item) : friend_item_new(name);
}

typedef struct Told {
    const char *name; /* NULL: not said */
    gboolean online;
    guint64 last_seen;
} Told;

/* Of ten thousand, each in one go. */
static Told read_friend(GVariant *values) {
    Told told = {};
    GVariantIter iter;
    GVariant *value;
    const char *key;

    g_variant_iter_init(&iter, values);
    while (g_variant_iter_loop(&iter, "{&sv}", &key, &value)) {
        if (g_str_equal(key, "username") && g_variant_is_of_type(value, G_VARIANT_TYPE_STRING))
            told.name = g_variant_get_string(value, NULL);
        else if (g_str_equal(key, "online") && g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN))
            told.online = g_variant_get_boolean(value);
        else if (g_str_equal(key, "last-seen") &&
                 g_variant_is_of_type(value, G_VARIANT_TYPE_UINT64))
            told.last_seen = g_variant_get_uint64(value);
    }
    return told;
}

/* Gives how large the daemon takes them for. */
static gsize add_from(GPtrArray *items, ItemList *list, GVariant *friends, GHashTable *seen) {
    GVariantIter iter;
    GVariant *values;
    gsize size = 0;

    g_variant_iter_init(&iter, friends);
    while (g_variant_iter_loop(&iter, "@a{sv}", &values)) {
        Told told = read_friend(values);
        FriendItem *item;

        if (!told.name)
            continue;
        size += FRIEND_SIZE + strlen(told.name);
        item = item_of(list, told.name, seen);
        take(item, told.online, told.last_seen);
        g_hash_table_add(seen, item);
        g_ptr_array_add(items, item);
    }
    return size;
}

static void add_others(GPtrArray *items, ItemList *list, GHashTable *seen) {
    for (guint i = 0; i < item_list_size(list); i++)
        if (!g_hash_table_contains(seen, item_list_get(list, i)))
            g_ptr_array_add(items, g_object_ref(item_list_get(list, i)));
}

gboolean friend_list_take(ItemList *list, GVariant *friends, gboolean by_signal) {
    GPtrArray *items = g_ptr_array_new_with_free_func(g_object_unref);
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    gsize size = add_from(items, list, friends, seen);
    gboolean all = !by_signal || size + FRIEND_SIZE + NAME_MAX_SIZE <= SIGNAL_MAX;

    if (!all)
        add_others(items, list, seen);
    item_list_replace(list, items);
    return all;
}

/* ---- the object ---- */

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *pspec) {
    FriendItem *self = LONGRUN_FRIEND_ITEM(object);

    if (id == PROP_ONLINE)
        g_value_set_boolean(value, self->online);
    else if (id == PROP_LAST_SEEN)
        g_value_set_uint64(value, self->last_seen);
    else if (id == PROP_UNREAD)
        g_value_set_boolean(value, self->unread);
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
}

static void finalize(GObject *object) {
    g_free(LONGRUN_FRIEND_ITEM(object)->name);
    G_OBJECT_CLASS(friend_item_parent_class)->finalize(object);
}

static void friend_item_class_init(FriendItemClass *class) {
    const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

    G_OBJECT_CLASS(class)->get_property = get_property;
    G_OBJECT_CLASS(class)->finalize = finalize;
    properties[PROP_ONLINE] = g_param_spec_boolean("online", NULL, NULL, FALSE, flags);
    properties[PROP_LAST_SEEN] =
        g_param_spec_uint64("last-seen", NULL, NULL, 0, G_MAXUINT64, 0, flags);
    properties[PROP_UNREAD] = g_param_spec_boolean("unread", NULL, NULL, FALSE, flags);
    g_object_class_install_properties(G_OBJECT_CLASS(class), N_PROPS, properties);
}

static void friend_item_init(FriendItem *self) {
}

FriendItem *friend_item_new(const char *name) {
    FriendItem *self = g_object_new(LONGRUN_TYPE_FRIEND_ITEM, NULL);

    self->name = g_strdup(name);
    return self;
}
