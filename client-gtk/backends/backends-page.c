#include "client-gtk/backends/backends-page.h"

struct _BackendsPage {
    AdwBin parent_instance;

    DaemonLink *link;
};

G_DEFINE_FINAL_TYPE(BackendsPage, backends_page, ADW_TYPE_BIN)

void backends_page_set_link(BackendsPage *self, DaemonLink *link) {
    self->link = g_object_ref(link);
}

static void backends_page_dispose(GObject *object) {
    BackendsPage *self = LONGRUN_BACKENDS_PAGE(object);

    g_clear_object(&self->link);
    adw_bin_set_child(ADW_BIN(self), NULL);
    G_OBJECT_CLASS(backends_page_parent_class)->dispose(object);
}

static void backends_page_class_init(BackendsPageClass *class) {
    G_OBJECT_CLASS(class)->dispose = backends_page_dispose;
    gtk_widget_class_set_template_from_resource(GTK_WIDGET_CLASS(class),
                                                "/org/longrun/Longrun/backends/backends-page.ui");
}

static void backends_page_init(BackendsPage *self) {
    gtk_widget_init_template(GTK_WIDGET(self));
}
