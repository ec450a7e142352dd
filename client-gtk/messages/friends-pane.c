#include "client-gtk/messages/friends-pane.h"

#include <glib/gi18n.h>

#include "client-gtk/messages/context-menu.h"
#include "client-gtk/messages/friend-row.h"

struct _FriendsPane {
    AdwBin parent_instance;

    GtkStack *stack;
    AdwStatusPage *problem;
    GtkListView *list;
    GtkEntry *entry;
    GtkRevealer *wrong;
    GtkLabel *wrong_text;

    ChatClient *client;
    GtkSingleSelection *selection;
    gboolean selecting; /* by us, not by the person */
};

G_DEFINE_FINAL_TYPE(FriendsPane, friends_pane, ADW_TYPE_BIN)

/* ---- what it shows ---- */

static const char *content_of(ChatClient *client) {
    if (item_list_size(chat_client_get_friends(client)) > 0)
        return "friends";
    if (chat_client_get_friends_loaded(client))
        return "empty";
    return chat_client_get_friends_problem(client) ? "problem" : "loading";
}

/* The choice is a name: whatever happens to the list, it stays. */
static void show_choice(FriendsPane *self) {
    guint position = item_list_position(chat_client_get_friends(self->client),
                                        chat_client_get_peer(self->client));

    if (position == gtk_single_selection_get_selected(self->selection))
        return;
    self->selecting = TRUE;
    gtk_single_selection_set_selected(self->selection, position);
    self->selecting = FALSE;
}

static void show_add(FriendsPane *self) {
    g_autofree char *name = g_strdup(gtk_editable_get_text(GTK_EDITABLE(self->entry)));

    gtk_widget_action_set_enabled(GTK_WIDGET(self), "friends.add",
                                  self->client && g_strstrip(name)[0] &&
                                      chat_client_get_state(self->client) != CHAT_ABSENT);
}

static void show(FriendsPane *self) {
    const char *problem = chat_client_get_friends_problem(self->client);
    g_autofree char *escaped = g_markup_escape_text(problem ? problem : "", -1);

    adw_status_page_set_description(self->problem, escaped);
    gtk_stack_set_visible_child_name(self->stack, content_of(self->client));
    show_choice(self);
    show_add(self);
}

/* ---- the choice ---- */

static void on_chosen(FriendsPane *self) {
    FriendItem *friend = gtk_single_selection_get_selected_item(self->selection);

    if (friend && !self->selecting)
        chat_client_set_peer(self->client, friend_item_get_name(friend));
}

static void set_model(FriendsPane *self) {
    GListModel *friends = G_LIST_MODEL(chat_client_get_friends(self->client));

    self->selection = gtk_single_selection_new(NULL);
    gtk_single_selection_set_autoselect(self->selection, FALSE);
    gtk_single_selection_set_can_unselect(self->selection, TRUE);
    gtk_single_selection_set_model(self->selection, friends);
    show_choice(self);
    g_signal_connect_swapped(self->selection, "notify::selected-item", G_CALLBACK(on_chosen), self);
    gtk_list_view_set_model(self->list, GTK_SELECTION_MODEL(self->selection));
}

/* ---- a new friend ---- */

static void show_wrong(FriendsPane *self, const char *problem) {
    GtkAccessible *entry = GTK_ACCESSIBLE(self->entry);

    gtk_revealer_set_reveal_child(self->wrong, problem[0] != '\0');
    gtk_label_set_text(self->wrong_text, problem);
    if (problem[0])
        gtk_widget_add_css_class(GTK_WIDGET(self->entry), "error");
    else
        gtk_widget_remove_css_class(GTK_WIDGET(self->entry), "error");
    gtk_accessible_update_state(
        entry, GTK_ACCESSIBLE_STATE_INVALID,
        problem[0] ? GTK_ACCESSIBLE_INVALID_TRUE : GTK_ACCESSIBLE_INVALID_FALSE, -1);
}

static void on_added(FriendsPane *self, const char *name, const char *problem) {
    g_autofree char *typed = g_strdup(gtk_editable_get_text(GTK_EDITABLE(self->entry)));

    /* The person may have gone on to another name meanwhile. */
    if (!g_str_equal(g_strstrip(typed), name))
        return;
    if (!problem[0])
        gtk_editable_set_text(GTK_EDITABLE(self->entry), "");
    show_wrong(self, problem);
}

static void on_add(GtkWidget *widget, const char *action, GVariant *unused) {
    FriendsPane *self = LONGRUN_FRIENDS_PANE(widget);
    g_autofree char *name = g_strdup(gtk_editable_get_text(GTK_EDITABLE(self->entry)));

    show_wrong(self, "");
    if (self->client && g_strstrip(name)[0])
        chat_client_add_friend(self->client, name);
}

static void on_entered(FriendsPane *self) {
    gtk_widget_activate_action(GTK_WIDGET(self), "friends.add", NULL);
}

static void on_typed(FriendsPane *self) {
    show_wrong(self, "");
    show_add(self);
}

/* ---- one less ---- */

static void on_remove_answer(GObject *dialog, const char *answer, ChatClient *client) {
    if (g_str_equal(answer, "remove"))
        chat_client_remove_friend(client, g_object_get_data(dialog, "friend"));
}

static void on_remove(GtkWidget *widget, const char *action, GVariant *name) {
    FriendsPane *self = LONGRUN_FRIENDS_PANE(widget);
    GtkWidget *dialog = adw_message_dialog_new(GTK_WINDOW(gtk_widget_get_root(widget)), NULL, NULL);
    AdwMessageDialog *d = ADW_MESSAGE_DIALOG(dialog);

    adw_message_dialog_set_heading(d, _("Remove Friend?"));
    /* Translators: %s is the name of a friend */
    adw_message_dialog_format_body(d, _("%s will not be in the list any more."),
                                   g_variant_get_string(name, NULL));
    adw_message_dialog_add_responses(d, "cancel", _("_Cancel"), "remove", _("_Remove"), NULL);
    adw_message_dialog_set_response_appearance(d, "remove", ADW_RESPONSE_DESTRUCTIVE);
    adw_message_dialog_set_default_response(d, "cancel");
    g_object_set_data_full(G_OBJECT(dialog), "friend", g_variant_dup_string(name, NULL), g_free);
    g_signal_connect_object(dialog, "response", G_CALLBACK(on_remove_answer), self->client, 0);
    gtk_window_present(GTK_WINDOW(dialog));
}

static gboolean on_delete_key(GtkWidget *list, GVariant *unused, gpointer userdata) {
    GtkWidget *row = context_menu_focused_row(list);

    return row && gtk_widget_activate_action(row, "friend.remove", NULL);
}

static void add_keys(FriendsPane *self) {
    GtkEventController *controller = gtk_shortcut_controller_new();

    gtk_shortcut_controller_add_shortcut(
        GTK_SHORTCUT_CONTROLLER(controller),
        gtk_shortcut_new(gtk_keyval_trigger_new(GDK_KEY_Delete, 0),
                         gtk_callback_action_new(on_delete_key, NULL, NULL)));
    gtk_widget_add_controller(GTK_WIDGET(self->list), controller);
    context_menu_add_keys(GTK_WIDGET(self->list));
}

/* ---- rows ---- */

static void on_setup(FriendsPane *self, GtkListItem *item) {
    gtk_list_item_set_child(item, friend_row_new());
}

static void on_bind(FriendsPane *self, GtkListItem *item) {
    friend_row_set_item(LONGRUN_FRIEND_ROW(gtk_list_item_get_child(item)),
                        gtk_list_item_get_item(item));
}

static void on_unbind(FriendsPane *self, GtkListItem *item) {
    friend_row_set_item(LONGRUN_FRIEND_ROW(gtk_list_item_get_child(item)), NULL);
}

static void set_factory(FriendsPane *self) {
    GtkListItemFactory *factory = gtk_signal_list_item_factory_new();

    g_signal_connect_swapped(factory, "setup", G_CALLBACK(on_setup), self);
    g_signal_connect_swapped(factory, "bind", G_CALLBACK(on_bind), self);
    g_signal_connect_swapped(factory, "unbind", G_CALLBACK(on_unbind), self);
    gtk_list_view_set_factory(self->list, factory);
    g_object_unref(factory);
}

/* ---- the object ---- */

static void forget_client(FriendsPane *self) {
    if (!self->client)
        return;
    g_signal_handlers_disconnect_by_data(self->client, self);
    g_signal_handlers_disconnect_by_data(self->selection, self);
    gtk_list_view_set_model(self->list, NULL);
    g_clear_object(&self->selection);
    g_clear_object(&self->client);
}

void friends_pane_set_client(FriendsPane *self, ChatClient *client) {
    if (self->client == client)
        return;
    forget_client(self);
    show_wrong(self, "");
    if (!client)
        return;
    self->client = g_object_ref(client);
    set_model(self);
    g_signal_connect_swapped(client, "changed", G_CALLBACK(show), self);
    g_signal_connect_swapped(client, "added", G_CALLBACK(on_added), self);
    show(self);
}

static void dispose(GObject *object) {
    FriendsPane *self = LONGRUN_FRIENDS_PANE(object);

    forget_client(self);
    if (self->entry)
        g_signal_handlers_disconnect_by_data(self->entry, self);
    adw_bin_set_child(ADW_BIN(self), NULL);
    self->entry = NULL;
    G_OBJECT_CLASS(friends_pane_parent_class)->dispose(object);
}

static void friends_pane_class_init(FriendsPaneClass *class) {
    GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = dispose;
    gtk_widget_class_set_template_from_resource(widget,
                                                "/org/longrun/Longrun/messages/friends-pane.ui");
    gtk_widget_class_bind_template_child(widget, FriendsPane, stack);
    gtk_widget_class_bind_template_child(widget, FriendsPane, problem);
    gtk_widget_class_bind_template_child(widget, FriendsPane, list);
    gtk_widget_class_bind_template_child(widget, FriendsPane, entry);
    gtk_widget_class_bind_template_child(widget, FriendsPane, wrong);
    gtk_widget_class_bind_template_child(widget, FriendsPane, wrong_text);
    gtk_widget_class_install_action(widget, "friends.add", NULL, on_add);
    gtk_widget_class_install_action(widget, "friends.remove", "s", on_remove);
}

static void friends_pane_init(FriendsPane *self) {
    gtk_widget_init_template(GTK_WIDGET(self));
    set_factory(self);
    add_keys(self);
    show_add(self);
    g_signal_connect_swapped(self->entry, "changed", G_CALLBACK(on_typed), self);
    g_signal_connect_swapped(self->entry, "activate", G_CALLBACK(on_entered), self);
}
