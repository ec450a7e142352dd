#include "client-gtk/tasks/task-list.h"

#include "client-gtk/tasks/task-row.h"

struct _TaskList {
    AdwBin parent_instance;

    GtkListView *view;
    TaskModel *model;
    GtkSelectionModel *selection;
    GHashTable *rows; /* set of all TaskRow, not owned */
    gboolean selecting;
    guint catching_up; /* rows are to, when they have been laid out */
};

G_DEFINE_FINAL_TYPE(TaskList, task_list, ADW_TYPE_BIN)

enum {
    PROP_SELECTING = 1,
    N_PROPS,
};
static GParamSpec *properties[N_PROPS];
static guint selection_changed_signal;

/* ---- opening, and selecting by the mouse ---- */

static void open_task(TaskList *self, guint position) {
    TaskEntry e = task_model_entry(self->model, position);

    gtk_widget_activate_action(GTK_WIDGET(self), "app.show-task", "t", e.id);
}

static void on_activate(TaskList *self, guint position) {
    if (!self->selecting)
        open_task(self, position);
}

static void toggle(TaskList *self, guint position) {
    if (gtk_selection_model_is_selected(self->selection, position))
        gtk_selection_model_unselect_item(self->selection, position);
    else
        gtk_selection_model_select_item(self->selection, position, FALSE);
}

/* The list's own gesture around the row would select this one alone: it gets what is left. */
static void on_released(GtkGestureClick *click, int n_press, double x, double y,
                        gpointer list_item) {
    GtkEventController *controller = GTK_EVENT_CONTROLLER(click);
    GtkWidget *row = gtk_event_controller_get_widget(controller);
    TaskList *self = LONGRUN_TASK_LIST(gtk_widget_get_ancestor(row, LONGRUN_TYPE_TASK_LIST));
    GdkModifierType state = gtk_event_controller_get_current_event_state(controller);
    guint position = gtk_list_item_get_position(list_item);

    if (!self || position == GTK_INVALID_LIST_POSITION || state & GDK_SHIFT_MASK ||
        !gtk_widget_contains(row, x, y))
        return;
    if (state & GDK_CONTROL_MASK)
        task_list_set_selecting(self, TRUE);
    gtk_gesture_set_state(GTK_GESTURE(click), GTK_EVENT_SEQUENCE_CLAIMED);
    if (self->selecting)
        toggle(self, position);
    else
        open_task(self, position);
}

/* ---- rows ---- */

static void on_selected(GtkListItem *list_item, GParamSpec *pspec, TaskRow *row) {
    task_row_set_selected(row, gtk_list_item_get_selected(list_item));
}

/* Not when its list item is torn down: that may have no child any more then. */
static void on_row_gone(GtkWidget *row, TaskList *self) {
    g_hash_table_remove(self->rows, row);
}

static void on_setup(GtkListItemFactory *factory, GtkListItem *list_item, TaskList *self) {
    GtkWidget *row = task_row_new();
    GtkGesture *click = gtk_gesture_click_new();

    g_signal_connect(click, "released", G_CALLBACK(on_released), list_item);
    gtk_widget_add_controller(row, GTK_EVENT_CONTROLLER(click));
    g_signal_connect_object(list_item, "notify::selected", G_CALLBACK(on_selected), row, 0);
    g_signal_connect_object(row, "destroy", G_CALLBACK(on_row_gone), self, 0);
    g_hash_table_add(self->rows, row);
    task_row_set_selecting(LONGRUN_TASK_ROW(row), self->selecting);
    gtk_list_item_set_child(list_item, row);
}

static void on_bind(GtkListItemFactory *factory, GtkListItem *list_item, TaskList *self) {
    TaskItem *item = gtk_list_item_get_item(list_item);
    TaskRow *row = LONGRUN_TASK_ROW(gtk_list_item_get_child(list_item));

    task_row_set_item(row, item);
    task_row_set_selected(row, gtk_list_item_get_selected(list_item));
    task_model_show(self->model, item);
}

static void on_unbind(GtkListItemFactory *factory, GtkListItem *list_item, TaskList *self) {
    TaskRow *row = LONGRUN_TASK_ROW(gtk_list_item_get_child(list_item));

    task_model_hide(self->model, task_row_get_item(row));
    task_row_set_item(row, NULL);
}

static GtkListItemFactory *make_factory(TaskList *self) {
    GtkListItemFactory *factory = gtk_signal_list_item_factory_new();

    g_signal_connect_object(factory, "setup", G_CALLBACK(on_setup), self, 0);
    g_signal_connect_object(factory, "bind", G_CALLBACK(on_bind), self, 0);
    g_signal_connect_object(factory, "unbind", G_CALLBACK(on_unbind), self, 0);
    return factory;
}

static gboolean catch_up(gpointer userdata) {
    TaskList *self = userdata;
    GHashTableIter iter;
    gpointer row;

    self->catching_up = 0;
    g_hash_table_iter_init(&iter, self->rows);
    while (g_hash_table_iter_next(&iter, &row, NULL))
        task_row_catch_up(row);
    return G_SOURCE_REMOVE;
}

static void on_scrolled(TaskList *self) {
    if (self->catching_up == 0)
        self->catching_up = g_idle_add(catch_up, self);
}

/* The view takes one when it comes into its scrolled window. */
static void on_adjustment(TaskList *self) {
    GtkAdjustment *vertical = gtk_scrollable_get_vadjustment(GTK_SCROLLABLE(self->view));

    if (!vertical)
        return;
    g_signal_connect_object(vertical, "value-changed", G_CALLBACK(on_scrolled), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(vertical, "changed", G_CALLBACK(on_scrolled), self, G_CONNECT_SWAPPED);
}

/* ---- what is selected ---- */

static void on_selection_changed(TaskList *self) {
    g_signal_emit(self, selection_changed_signal, 0);
}

void task_list_set_model(TaskList *self, TaskModel *model) {
    g_autoptr(GtkListItemFactory) factory = make_factory(self);

    self->model = g_object_ref(model);
    self->selection =
        GTK_SELECTION_MODEL(gtk_multi_selection_new(g_object_ref(G_LIST_MODEL(model))));
    g_signal_connect_object(self->selection, "selection-changed", G_CALLBACK(on_selection_changed),
                            self, G_CONNECT_SWAPPED);
    /* What is gone is not selected any more. */
    g_signal_connect_object(self->selection, "items-changed", G_CALLBACK(on_selection_changed),
                            self, G_CONNECT_SWAPPED);
    gtk_list_view_set_factory(self->view, factory);
    gtk_list_view_set_model(self->view, self->selection);
}

GtkSelectionModel *task_list_get_selection(TaskList *self) {
    return self->selection;
}

guint task_list_count_selected(TaskList *self) {
    g_autoptr(GtkBitset) selected = gtk_selection_model_get_selection(self->selection);

    return (guint)gtk_bitset_get_size(selected);
}

void task_list_sum_up(TaskList *self, gboolean *ret_any_ended, gboolean *ret_any_active) {
    g_autoptr(GtkBitset) selected = gtk_selection_model_get_selection(self->selection);
    gboolean any[2] = {FALSE, FALSE};
    GtkBitsetIter iter;
    guint position;

    for (gboolean on = gtk_bitset_iter_init_first(&iter, selected, &position);
         on && !(any[0] && any[1]); on = gtk_bitset_iter_next(&iter, &position))
        any[task_state_is_final(task_model_entry(self->model, position).state)] = TRUE;
    *ret_any_ended = any[TRUE];
    *ret_any_active = any[FALSE];
}

GArray *task_list_get_selected(TaskList *self, gboolean ended) {
    g_autoptr(GtkBitset) selected = gtk_selection_model_get_selection(self->selection);
    GArray *ids = g_array_new(FALSE, FALSE, sizeof(guint64));
    GtkBitsetIter iter;
    guint position;

    for (gboolean on = gtk_bitset_iter_init_first(&iter, selected, &position); on;
         on = gtk_bitset_iter_next(&iter, &position)) {
        TaskEntry e = task_model_entry(self->model, position);
        if (task_state_is_final(e.state) == ended)
            g_array_append_val(ids, e.id);
    }
    return ids;
}

gboolean task_list_get_selecting(TaskList *self) {
    return self->selecting;
}

void task_list_set_selecting(TaskList *self, gboolean selecting) {
    GHashTableIter iter;
    gpointer row;

    if (self->selecting == selecting)
        return;
    self->selecting = selecting;
    g_hash_table_iter_init(&iter, self->rows);
    while (g_hash_table_iter_next(&iter, &row, NULL))
        task_row_set_selecting(row, selecting);
    /* The cursor selects where it goes: that is not what is meant here. */
    gtk_selection_model_unselect_all(self->selection);
    g_object_notify_by_pspec(G_OBJECT(self), properties[PROP_SELECTING]);
}

/* ---- the object ---- */

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *pspec) {
    if (id == PROP_SELECTING)
        g_value_set_boolean(value, LONGRUN_TASK_LIST(object)->selecting);
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
}

static void set_property(GObject *object, guint id, const GValue *value, GParamSpec *pspec) {
    if (id == PROP_SELECTING)
        task_list_set_selecting(LONGRUN_TASK_LIST(object), g_value_get_boolean(value));
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
}

/* Rows tell the model that they are gone, and leave the set, while both are there. */
static void dispose(GObject *object) {
    TaskList *self = LONGRUN_TASK_LIST(object);

    g_clear_handle_id(&self->catching_up, g_source_remove);
    if (self->view)
        gtk_list_view_set_model(self->view, NULL);
    self->view = NULL;
    adw_bin_set_child(ADW_BIN(self), NULL);
    g_clear_object(&self->selection);
    g_clear_object(&self->model);
    G_OBJECT_CLASS(task_list_parent_class)->dispose(object);
}

static void finalize(GObject *object) {
    g_hash_table_unref(LONGRUN_TASK_LIST(object)->rows);
    G_OBJECT_CLASS(task_list_parent_class)->finalize(object);
}

static void task_list_class_init(TaskListClass *class) {
    GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->get_property = get_property;
    G_OBJECT_CLASS(class)->set_property = set_property;
    G_OBJECT_CLASS(class)->dispose = dispose;
    G_OBJECT_CLASS(class)->finalize = finalize;
    properties[PROP_SELECTING] =
        g_param_spec_boolean("selecting", NULL, NULL, FALSE,
                             G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
    g_object_class_install_properties(G_OBJECT_CLASS(class), N_PROPS, properties);
    selection_changed_signal = g_signal_new("selection-changed", G_TYPE_FROM_CLASS(class),
                                            G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
    gtk_widget_class_set_template_from_resource(widget, "/org/longrun/Longrun/tasks/task-list.ui");
    gtk_widget_class_bind_template_child(widget, TaskList, view);
    gtk_widget_class_bind_template_callback(widget, on_activate);
}

static void task_list_init(TaskList *self) {
    self->rows = g_hash_table_new(NULL, NULL);
    gtk_widget_init_template(GTK_WIDGET(self));
    g_signal_connect_object(self->view, "notify::vadjustment", G_CALLBACK(on_adjustment), self,
                            G_CONNECT_SWAPPED);
    on_adjustment(self);
}
