#include "client-gtk/messages/messages-page.h"

struct _MessagesPage {
    AdwBin parent_instance;

    DaemonLink *link;
};

G_DEFINE_FINAL_TYPE(MessagesPage, messages_page, ADW_TYPE_BIN)

void messages_page_set_link(MessagesPage *self, DaemonLink *link) {
    self->link = g_object_ref(link);
}

static void messages_page_dispose(GObject *object) {
    MessagesPage *self = LONGRUN_MESSAGES_PAGE(object);

    g_clear_object(&self->link);
    adw_bin_set_child(ADW_BIN(self), NULL);
    G_OBJECT_CLASS(messages_page_parent_class)->dispose(object);
}

static void messages_page_class_init(MessagesPageClass *class) {
    G_OBJECT_CLASS(class)->dispose = messages_page_dispose;
    gtk_widget_class_set_template_from_resource(GTK_WIDGET_CLASS(class),
                                                "/org/longrun/Longrun/messages/messages-page.ui");
}

static void messages_page_init(MessagesPage *self) {
    gtk_widget_init_template(GTK_WIDGET(self));
}
