#include "client-gtk/messages/messenger-item.h"

struct _MessengerItem {
    GObject parent_instance;

    char *name, *path;
};

G_DEFINE_FINAL_TYPE(MessengerItem, messenger_item, G_TYPE_OBJECT)

enum {
    PROP_NAME = 1,
    N_PROPS,
};
static GParamSpec *properties[N_PROPS];

const char *messenger_item_get_name(MessengerItem *self) {
    return self->name;
}

const char *messenger_item_get_path(MessengerItem *self) {
    return self->path;
}

static const char *key_of(gpointer item) {
    return messenger_item_get_path(item);
}

ItemList *messenger_item_list_new(void) {
    return item_list_new(LONGRUN_TYPE_MESSENGER_ITEM, key_of);
}

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *pspec) {
    if (id == PROP_NAME)
        g_value_set_string(value, LONGRUN_MESSENGER_ITEM(object)->name);
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
}

static void finalize(GObject *object) {
    MessengerItem *self = LONGRUN_MESSENGER_ITEM(object);

    g_free(self->name);
    g_free(self->path);
    G_OBJECT_CLASS(messenger_item_parent_class)->finalize(object);
}

static void messenger_item_class_init(MessengerItemClass *class) {
    G_OBJECT_CLASS(class)->get_property = get_property;
    G_OBJECT_CLASS(class)->finalize = finalize;
    properties[PROP_NAME] =
        g_param_spec_string("name", NULL, NULL, "", G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
    g_object_class_install_properties(G_OBJECT_CLASS(class), N_PROPS, properties);
}

static void messenger_item_init(MessengerItem *self) {
}

MessengerItem *messenger_item_new(const char *name, const char *path) {
    MessengerItem *self = g_object_new(LONGRUN_TYPE_MESSENGER_ITEM, NULL);

    self->name = g_strdup(name);
    self->path = g_strdup(path);
    return self;
}
