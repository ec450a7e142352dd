#include "client-gtk/backends/backends-page.h"

#include <glib/gi18n.h>

#include "client-gtk/backends/backend-add.h"
#include "client-gtk/backends/backend-pane.h"
#include "client-gtk/backends/backend-row.h"
#include "client-gtk/backends/backend-source.h"

struct _BackendsPage {
    AdwBin parent_instance;

    GtkStack *stack;
    AdwStatusPage *failed;
    AdwLeaflet *leaflet;
    GtkListView *view;
    BackendPane *pane;

    DaemonLink *link;
    BackendSource *source;
    GtkSingleSelection *selection;
    guint ticks; /* source, while the page is seen */
};

G_DEFINE_FINAL_TYPE(BackendsPage, backends_page, ADW_TYPE_BIN)

/* ---- which part is seen ---- */

static const char *part_name(BackendsPage *self) {
    BackendList *list = backend_source_get_list(self->source);

    if (g_list_model_get_n_items(G_LIST_MODEL(list)) > 0)
        return "list";
    switch (backend_source_get_state(self->source)) {
    case BACKEND_SOURCE_LOADING:
        return "loading";
    case BACKEND_SOURCE_FAILED:
        return "failed";
    default:
        return "empty";
    }
}

static void show_part(BackendsPage *self) {
    g_autofree char *reason = g_markup_escape_text(backend_source_get_reason(self->source), -1);

    adw_status_page_set_description(self->failed, reason);
    gtk_stack_set_visible_child_name(self->stack, part_name(self));
}

/* Items come and go with BackendAdded and BackendRemoved, without another state of the source. */
static void on_items(BackendsPage *self) {
    show_part(self);
}

/* ---- rows ---- */

static void on_setup(GtkSignalListItemFactory *factory, GtkListItem *list_item, gpointer unused) {
    gtk_list_item_set_child(list_item, backend_row_new());
}

static void on_bind(GtkSignalListItemFactory *factory, GtkListItem *list_item, BackendsPage *self) {
    BackendItem *item = gtk_list_item_get_item(list_item);

    backend_row_set_item(LONGRUN_BACKEND_ROW(gtk_list_item_get_child(list_item)), item);
    backend_source_want(self->source, item);
}

static void on_unbind(GtkSignalListItemFactory *factory, GtkListItem *list_item, gpointer unused) {
    backend_row_set_item(LONGRUN_BACKEND_ROW(gtk_list_item_get_child(list_item)), NULL);
}

static GtkListItemFactory *make_factory(BackendsPage *self) {
    GtkListItemFactory *factory = gtk_signal_list_item_factory_new();

    g_signal_connect(factory, "setup", G_CALLBACK(on_setup), NULL);
    g_signal_connect(factory, "bind", G_CALLBACK(on_bind), self);
    g_signal_connect(factory, "unbind", G_CALLBACK(on_unbind), NULL);
    return factory;
}

/* ---- the one that is chosen ---- */

static void show_list(BackendsPage *self) {
    adw_leaflet_set_visible_child_name(self->leaflet, "list");
}

static void on_selected(BackendsPage *self) {
    BackendItem *item = gtk_single_selection_get_selected_item(self->selection);

    if (item)
        backend_source_want(self->source, item);
    else
        show_list(self);
    backend_pane_set_item(self->pane, item);
}

static void on_activate(GtkListView *view, guint place, BackendsPage *self) {
    gtk_single_selection_set_selected(self->selection, place);
    adw_leaflet_set_visible_child_name(self->leaflet, "pane");
}

static void select_item(BackendsPage *self, BackendItem *item) {
    guint place = backend_list_place(backend_source_get_list(self->source), item);

    gtk_single_selection_set_selected(self->selection, place);
    gtk_widget_activate_action(GTK_WIDGET(self->view), "list.scroll-to-item", "u", place);
}

/* ---- actions ---- */

/* BackendAdded may still be under way. */
static void on_added(BackendAdd *dialog, const char *name, const char *path, BackendsPage *self) {
    BackendList *list = backend_source_get_list(self->source);

    backend_list_add(list, name, path);
    if (backend_list_find(list, name))
        select_item(self, backend_list_find(list, name));
}

static void on_add(GtkWidget *widget, const char *action, GVariant *unused) {
    BackendsPage *self = LONGRUN_BACKENDS_PAGE(widget);
    GtkWindow *dialog = backend_add_new(GTK_WINDOW(gtk_widget_get_root(widget)), self->link);

    g_signal_connect_object(dialog, "added", G_CALLBACK(on_added), self, 0);
    gtk_window_present(dialog);
}

/* Also starts a daemon that is not there. */
static void on_reload(GtkWidget *widget, const char *action, GVariant *unused) {
    BackendsPage *self = LONGRUN_BACKENDS_PAGE(widget);

    if (daemon_link_get_state(self->link) == DAEMON_RUNNING)
        backend_source_reload(self->source);
    else
        daemon_link_open(self->link);
}

static void on_back(GtkWidget *widget, const char *action, GVariant *unused) {
    BackendsPage *self = LONGRUN_BACKENDS_PAGE(widget);

    show_list(self);
    gtk_widget_grab_focus(GTK_WIDGET(self->view));
}

static void on_folded(BackendsPage *self) {
    gtk_widget_action_set_enabled(GTK_WIDGET(self), "backends.back",
                                  adw_leaflet_get_folded(self->leaflet));
}

static void on_link_state(BackendsPage *self) {
    gtk_widget_action_set_enabled(GTK_WIDGET(self), "backends.add",
                                  daemon_link_get_state(self->link) == DAEMON_RUNNING);
}

/* ---- while it is seen ---- */

static gboolean on_tick(gpointer userdata) {
    BackendsPage *self = userdata;

    backend_source_refresh(self->source, backend_pane_get_item(self->pane));
    return G_SOURCE_CONTINUE;
}

static void map(GtkWidget *widget) {
    BackendsPage *self = LONGRUN_BACKENDS_PAGE(widget);

    GTK_WIDGET_CLASS(backends_page_parent_class)->map(widget);
    if (self->source && !self->ticks)
        self->ticks = g_timeout_add_seconds(1, on_tick, self);
}

static void unmap(GtkWidget *widget) {
    g_clear_handle_id(&LONGRUN_BACKENDS_PAGE(widget)->ticks, g_source_remove);
    GTK_WIDGET_CLASS(backends_page_parent_class)->unmap(widget);
}

/* ---- the object ---- */

static void make_list(BackendsPage *self) {
    BackendList *list = backend_source_get_list(self->source);
    g_autoptr(GtkListItemFactory) factory = make_factory(self);

    self->selection = gtk_single_selection_new(NULL);
    gtk_single_selection_set_autoselect(self->selection, FALSE);
    gtk_single_selection_set_can_unselect(self->selection, TRUE);
    gtk_single_selection_set_model(self->selection, G_LIST_MODEL(list));
    g_signal_connect_object(self->selection, "notify::selected-item", G_CALLBACK(on_selected), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(list, "items-changed", G_CALLBACK(on_items), self, G_CONNECT_SWAPPED);
    gtk_list_view_set_factory(self->view, factory);
    gtk_list_view_set_model(self->view, GTK_SELECTION_MODEL(self->selection));
}

void backends_page_set_link(BackendsPage *self, DaemonLink *link) {
    self->link = g_object_ref(link);
    self->source = backend_source_new(link);
    make_list(self);
    backend_pane_set_link(self->pane, link);
    g_signal_connect_object(self->source, "changed", G_CALLBACK(show_part), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(link, "notify::state", G_CALLBACK(on_link_state), self,
                            G_CONNECT_SWAPPED);
    on_link_state(self);
    show_part(self);
}

static void backends_page_dispose(GObject *object) {
    BackendsPage *self = LONGRUN_BACKENDS_PAGE(object);

    g_clear_handle_id(&self->ticks, g_source_remove);
    adw_bin_set_child(ADW_BIN(self), NULL);
    if (self->source)
        g_object_run_dispose(G_OBJECT(self->source));
    g_clear_object(&self->source);
    g_clear_object(&self->selection);
    g_clear_object(&self->link);
    G_OBJECT_CLASS(backends_page_parent_class)->dispose(object);
}

static void add_keys(GtkWidgetClass *widget) {
    gtk_widget_class_add_binding_action(widget, GDK_KEY_F5, 0, "backends.reload", NULL);
    gtk_widget_class_add_binding_action(widget, GDK_KEY_Escape, 0, "backends.back", NULL);
    gtk_widget_class_add_binding_action(widget, GDK_KEY_Left, GDK_ALT_MASK, "backends.back", NULL);
}

static void backends_page_class_init(BackendsPageClass *class) {
    GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);

    g_type_ensure(LONGRUN_TYPE_BACKEND_PANE);
    G_OBJECT_CLASS(class)->dispose = backends_page_dispose;
    widget->map = map;
    widget->unmap = unmap;
    gtk_widget_class_set_template_from_resource(widget,
                                                "/org/longrun/Longrun/backends/backends-page.ui");
    gtk_widget_class_bind_template_child(widget, BackendsPage, stack);
    gtk_widget_class_bind_template_child(widget, BackendsPage, failed);
    gtk_widget_class_bind_template_child(widget, BackendsPage, leaflet);
    gtk_widget_class_bind_template_child(widget, BackendsPage, view);
    gtk_widget_class_bind_template_child(widget, BackendsPage, pane);
    gtk_widget_class_install_action(widget, "backends.add", NULL, on_add);
    gtk_widget_class_install_action(widget, "backends.reload", NULL, on_reload);
    gtk_widget_class_install_action(widget, "backends.back", NULL, on_back);
    add_keys(widget);
}

static void backends_page_init(BackendsPage *self) {
    gtk_widget_init_template(GTK_WIDGET(self));
    g_signal_connect_object(self->leaflet, "notify::folded", G_CALLBACK(on_folded), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect(self->view, "activate", G_CALLBACK(on_activate), self);
    on_folded(self);
}
