#include "client-gtk/start/task-chooser.h"

#include "client-gtk/start/task-search.h"
#include "client-gtk/widgets/state-icon.h"

struct _TaskChooser {
    GtkPopover parent_instance;

    GtkEditable *entry;
    GtkListBox *list;
    TaskSearch *search;
};

G_DEFINE_FINAL_TYPE(TaskChooser, task_chooser, GTK_TYPE_POPOVER)

enum {
    CHOSEN,
    N_SIGNALS
};
static guint signals[N_SIGNALS];

/* ---- rows ---- */

static GtkWidget *create_row(gpointer item, gpointer userdata) {
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6), *icon = gtk_image_new();
    g_autofree char *text = g_strdup_printf("#%" G_GUINT64_FORMAT " %s", task_match_get_id(item),
                                            task_match_get_label(item));
    GtkWidget *label = gtk_label_new(text);

    state_icon_set(GTK_IMAGE(icon), task_state_from_string(task_match_get_state(item)));
    gtk_label_set_ellipsize(GTK_LABEL(label), PANGO_ELLIPSIZE_END);
    gtk_label_set_single_line_mode(GTK_LABEL(label), TRUE);
    gtk_box_append(GTK_BOX(box), icon);
    gtk_box_append(GTK_BOX(box), label);
    return box;
}

static void choose(TaskChooser *self, guint position) {
    g_autoptr(TaskMatch) match = g_list_model_get_item(G_LIST_MODEL(self->search), position);

    if (!match)
        return;
    gtk_popover_popdown(GTK_POPOVER(self));
    g_signal_emit(self, signals[CHOSEN], 0, task_match_get_id(match));
}

static void on_row(TaskChooser *self, GtkListBoxRow *row) {
    choose(self, (guint)gtk_list_box_row_get_index(row));
}

static void on_first(TaskChooser *self) {
    choose(self, 0);
}

/* ---- searching ---- */

static void on_search(TaskChooser *self) {
    task_search_ask(self->search, gtk_editable_get_text(self->entry));
}

static void on_map(GtkWidget *widget) {
    TaskChooser *self = LONGRUN_TASK_CHOOSER(widget);

    gtk_editable_set_text(self->entry, "");
    on_search(self);
    GTK_WIDGET_CLASS(task_chooser_parent_class)->map(widget);
}

/* ---- the object ---- */

static void dispose(GObject *object) {
    g_clear_object(&LONGRUN_TASK_CHOOSER(object)->search);
    G_OBJECT_CLASS(task_chooser_parent_class)->dispose(object);
}

static void task_chooser_class_init(TaskChooserClass *class) {
    GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = dispose;
    widget->map = on_map;
    signals[CHOSEN] = g_signal_new("chosen", LONGRUN_TYPE_TASK_CHOOSER, G_SIGNAL_RUN_LAST, 0, NULL,
                                   NULL, NULL, G_TYPE_NONE, 1, G_TYPE_UINT64);
    gtk_widget_class_set_template_from_resource(widget,
                                                "/org/longrun/Longrun/start/task-chooser.ui");
    gtk_widget_class_bind_template_child(widget, TaskChooser, entry);
    gtk_widget_class_bind_template_child(widget, TaskChooser, list);
    gtk_widget_class_bind_template_callback(widget, on_search);
    gtk_widget_class_bind_template_callback(widget, on_first);
    gtk_widget_class_bind_template_callback(widget, on_row);
}

static void task_chooser_init(TaskChooser *self) {
    gtk_widget_init_template(GTK_WIDGET(self));
}

GtkWidget *task_chooser_new(DaemonLink *link) {
    TaskChooser *self = g_object_new(LONGRUN_TYPE_TASK_CHOOSER, NULL);

    self->search = task_search_new(link);
    gtk_list_box_bind_model(self->list, G_LIST_MODEL(self->search), create_row, NULL, NULL);
    return GTK_WIDGET(self);
}
