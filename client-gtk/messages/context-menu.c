#include "client-gtk/messages/context-menu.h"

#define MENU_KEY "longrun-context-menu"
#define POPOVER_KEY "longrun-context-popover"

/* ---- the popover ---- */

static GtkPopover *popover_of(GtkWidget *row) {
    GtkWidget *popover = g_object_get_data(G_OBJECT(row), POPOVER_KEY);

    if (popover)
        return GTK_POPOVER(popover);
    popover = gtk_popover_menu_new_from_model(g_object_get_data(G_OBJECT(row), MENU_KEY));
    gtk_popover_set_has_arrow(GTK_POPOVER(popover), FALSE);
    gtk_widget_set_halign(popover, GTK_ALIGN_START);
    gtk_widget_set_parent(popover, row);
    g_object_set_data(G_OBJECT(row), POPOVER_KEY, popover);
    return GTK_POPOVER(popover);
}

static void popup(GtkWidget *row, double x, double y) {
    GtkPopover *popover = popover_of(row);
    const GdkRectangle at = {.x = (int)x, .y = (int)y, .width = 1, .height = 1};

    gtk_popover_set_pointing_to(popover, &at);
    gtk_popover_popup(popover);
}

void context_menu_detach(GtkWidget *row) {
    GtkWidget *popover = g_object_steal_data(G_OBJECT(row), POPOVER_KEY);

    if (popover)
        gtk_widget_unparent(popover);
}

/* ---- pointer ---- */

static void on_pressed(GtkGesture *gesture, int n, double x, double y, GtkWidget *row) {
    gtk_gesture_set_state(gesture, GTK_EVENT_SEQUENCE_CLAIMED);
    popup(row, x, y);
}

static void on_long_press(GtkGesture *gesture, double x, double y, GtkWidget *row) {
    gtk_gesture_set_state(gesture, GTK_EVENT_SEQUENCE_CLAIMED);
    popup(row, x, y);
}

void context_menu_attach(GtkWidget *row, GMenuModel *menu) {
    GtkGesture *click = gtk_gesture_click_new(), *press = gtk_gesture_long_press_new();

    g_object_set_data_full(G_OBJECT(row), MENU_KEY, g_object_ref(menu), g_object_unref);
    gtk_gesture_single_set_button(GTK_GESTURE_SINGLE(click), GDK_BUTTON_SECONDARY);
    g_signal_connect(click, "pressed", G_CALLBACK(on_pressed), row);
    gtk_widget_add_controller(row, GTK_EVENT_CONTROLLER(click));
    gtk_gesture_single_set_touch_only(GTK_GESTURE_SINGLE(press), TRUE);
    g_signal_connect(press, "pressed", G_CALLBACK(on_long_press), row);
    gtk_widget_add_controller(row, GTK_EVENT_CONTROLLER(press));
}

/* ---- keyboard ---- */

/* The focus is on what the list view has around the row. */
GtkWidget *context_menu_focused_row(GtkWidget *list_view) {
    GtkWidget *focus = gtk_root_get_focus(gtk_widget_get_root(list_view));

    if (!focus || gtk_widget_get_parent(focus) != list_view)
        return NULL;
    return gtk_widget_get_first_child(focus);
}

static gboolean on_keys(GtkWidget *list_view, GVariant *unused, gpointer userdata) {
    GtkWidget *row = context_menu_focused_row(list_view);

    if (!row || !g_object_get_data(G_OBJECT(row), MENU_KEY))
        return FALSE;
    popup(row, gtk_widget_get_width(row) / 2.0, gtk_widget_get_height(row) / 2.0);
    return TRUE;
}

void context_menu_add_keys(GtkWidget *list_view) {
    GtkEventController *controller = gtk_shortcut_controller_new();
    GtkShortcutTrigger *trigger =
        gtk_alternative_trigger_new(gtk_keyval_trigger_new(GDK_KEY_Menu, 0),
                                    gtk_keyval_trigger_new(GDK_KEY_F10, GDK_SHIFT_MASK));

    gtk_shortcut_controller_add_shortcut(
        GTK_SHORTCUT_CONTROLLER(controller),
        gtk_shortcut_new(trigger, gtk_callback_action_new(on_keys, NULL, NULL)));
    gtk_widget_add_controller(list_view, controller);
}
