#include "client-gtk/messages/conversation-pane.h"

#include <glib/gi18n.h>

#include "client-gtk/messages/context-menu.h"
#include "client-gtk/messages/conversation-scroll.h"
#include "client-gtk/messages/message-row.h"

struct _ConversationPane {
    AdwBin parent_instance;

    GtkStack *stack, *content;
    GtkWidget *back, *to_end;
    GtkLabel *title;
    GtkSpinner *spinner;
    AdwStatusPage *problem;
    GtkScrolledWindow *window;
    GtkListView *list;
    GtkEntry *entry;
    GtkButton *send;

    ConversationScroll *scroll;
    ChatClient *client;
    Conversation *conversation;
    gboolean drafting; /* the text of the entry is being set, by us */
};

G_DEFINE_FINAL_TYPE(ConversationPane, conversation_pane, ADW_TYPE_BIN)

/* ---- what it shows ---- */

static const char *content_of(Conversation *c) {
    if (item_list_size(conversation_get_messages(c)) > 0)
        return "messages";
    if (conversation_get_loaded(c))
        return "empty";
    return conversation_get_problem(c) ? "problem" : "loading";
}

static void show_problem(ConversationPane *self) {
    const char *problem = conversation_get_problem(self->conversation);
    g_autofree char *escaped = g_markup_escape_text(problem ? problem : "", -1);

    adw_status_page_set_description(self->problem, escaped);
}

static gboolean may_send(ConversationPane *self) {
    ChatState state = chat_client_get_state(self->client);
    g_autofree char *draft = g_strdup(conversation_get_draft(self->conversation));

    return state != CHAT_ABSENT && !conversation_get_sending(self->conversation) &&
           g_strstrip(draft)[0];
}

static void show_send(ConversationPane *self) {
    gboolean sending = conversation_get_sending(self->conversation) != NULL;

    gtk_button_set_label(self->send, sending ? _("Sending...") : _("Send"));
    gtk_widget_action_set_enabled(GTK_WIDGET(self), "conversation.send", may_send(self));
}

/* The person may be writing: their text and cursor stay, unless it is another text. The draft goes
 * when the entry has changed: that tells us its text, first without the old and then with the new.
 */
static void show_draft(ConversationPane *self) {
    GtkEditable *entry = GTK_EDITABLE(self->entry);
    g_autofree char *draft = g_strdup(conversation_get_draft(self->conversation));

    if (g_str_equal(gtk_editable_get_text(entry), draft))
        return;
    self->drafting = TRUE;
    gtk_editable_set_text(entry, draft);
    gtk_editable_set_position(entry, -1);
    self->drafting = FALSE;
}

static void show_content(ConversationPane *self) {
    gtk_stack_set_visible_child_name(self->content, content_of(self->conversation));
}

static void show(ConversationPane *self) {
    if (!self->conversation)
        return;
    gtk_spinner_set_spinning(self->spinner, conversation_get_loading(self->conversation) &&
                                                !conversation_get_loaded(self->conversation));
    show_problem(self);
    show_content(self);
    show_draft(self);
    show_send(self);
}

/* ---- which conversation ---- */

static void forget_conversation(ConversationPane *self) {
    if (!self->conversation)
        return;
    conversation_scroll_save(self->scroll, self->conversation);
    g_signal_handlers_disconnect_by_data(conversation_get_messages(self->conversation), self);
    g_signal_handlers_disconnect_by_data(self->conversation, self);
    g_clear_object(&self->conversation);
}

static void set_conversation(ConversationPane *self, Conversation *c) {
    GtkNoSelection *model;

    if (self->conversation == c)
        return;
    forget_conversation(self);
    gtk_stack_set_visible_child_name(self->stack, c ? "somebody" : "nobody");
    if (!c) {
        gtk_list_view_set_model(self->list, NULL);
        return;
    }
    self->conversation = g_object_ref(c);
    g_signal_connect_swapped(c, "changed", G_CALLBACK(show), self);
    g_signal_connect_swapped(conversation_get_messages(c), "items-changed",
                             G_CALLBACK(show_content), self);
    gtk_label_set_text(self->title, conversation_get_peer(c));
    model = gtk_no_selection_new(g_object_ref(G_LIST_MODEL(conversation_get_messages(c))));
    gtk_list_view_set_model(self->list, GTK_SELECTION_MODEL(model));
    g_object_unref(model);
    conversation_scroll_restore(self->scroll, c);
    show(self);
}

static void on_client_changed(ConversationPane *self) {
    set_conversation(self, chat_client_get_conversation(self->client));
    show(self);
}

void conversation_pane_set_client(ConversationPane *self, ChatClient *client) {
    if (self->client == client)
        return;
    if (self->client)
        g_signal_handlers_disconnect_by_data(self->client, self);
    set_conversation(self, NULL);
    g_set_object(&self->client, client);
    if (!client)
        return;
    g_signal_connect_swapped(client, "changed", G_CALLBACK(on_client_changed), self);
    on_client_changed(self);
}

void conversation_pane_set_back(ConversationPane *self, gboolean back) {
    gtk_widget_set_visible(self->back, back);
}

/* ---- rows ---- */

static void on_setup(ConversationPane *self, GtkListItem *item) {
    gtk_list_item_set_child(item, message_row_new());
    gtk_list_item_set_activatable(item, FALSE);
}

static void on_bind(ConversationPane *self, GtkListItem *item) {
    MessageItem *message = gtk_list_item_get_item(item);
    GtkWidget *row = gtk_list_item_get_child(item);
    g_autofree char *words = message_row_describe(message);

    message_row_set_item(LONGRUN_MESSAGE_ROW(row), message);
    gtk_accessible_update_property(GTK_ACCESSIBLE(gtk_widget_get_parent(row)),
                                   GTK_ACCESSIBLE_PROPERTY_LABEL, words, -1);
}

static void on_unbind(ConversationPane *self, GtkListItem *item) {
    message_row_set_item(LONGRUN_MESSAGE_ROW(gtk_list_item_get_child(item)), NULL);
}

static void set_factory(ConversationPane *self) {
    GtkListItemFactory *factory = gtk_signal_list_item_factory_new();

    g_signal_connect_swapped(factory, "setup", G_CALLBACK(on_setup), self);
    g_signal_connect_swapped(factory, "bind", G_CALLBACK(on_bind), self);
    g_signal_connect_swapped(factory, "unbind", G_CALLBACK(on_unbind), self);
    gtk_list_view_set_factory(self->list, factory);
    g_object_unref(factory);
}

/* ---- what the person does ---- */

static void on_typed(ConversationPane *self) {
    if (self->conversation && !self->drafting)
        conversation_set_draft(self->conversation,
                               gtk_editable_get_text(GTK_EDITABLE(self->entry)));
}

static void on_send(GtkWidget *widget, const char *action, GVariant *unused) {
    ConversationPane *self = LONGRUN_CONVERSATION_PANE(widget);
    g_autofree char *text = NULL;

    if (!self->conversation)
        return;
    text = g_strdup(conversation_get_draft(self->conversation));
    if (chat_client_send(self->client, text))
        conversation_scroll_to_end(self->scroll);
}

static void on_entered(ConversationPane *self) {
    gtk_widget_activate_action(GTK_WIDGET(self), "conversation.send", NULL);
}

static void on_to_end(GtkWidget *widget, const char *action, GVariant *unused) {
    conversation_scroll_to_end(LONGRUN_CONVERSATION_PANE(widget)->scroll);
}

static void on_top(ConversationPane *self) {
    if (self->client)
        chat_client_load_older(self->client);
}

static void on_at_end(ConversationPane *self) {
    gtk_widget_set_visible(self->to_end, !conversation_scroll_get_at_end(self->scroll));
}

/* The answer may come when another messenger is looked at: the dialog keeps its own. */
static void on_delete_answer(GObject *dialog, const char *answer, ChatClient *client) {
    if (g_str_equal(answer, "delete"))
        chat_client_delete_message(client, g_object_get_data(dialog, "message-id"));
}

static void on_delete(GtkWidget *widget, const char *action, GVariant *id) {
    ConversationPane *self = LONGRUN_CONVERSATION_PANE(widget);
    GtkWidget *dialog =
        adw_message_dialog_new(GTK_WINDOW(gtk_widget_get_root(widget)), _("Delete Message?"),
                               _("The server forgets it; it cannot be undone."));
    AdwMessageDialog *d = ADW_MESSAGE_DIALOG(dialog);

    adw_message_dialog_add_responses(d, "cancel", _("_Cancel"), "delete", _("_Delete"), NULL);
    adw_message_dialog_set_response_appearance(d, "delete", ADW_RESPONSE_DESTRUCTIVE);
    adw_message_dialog_set_default_response(d, "cancel");
    g_object_set_data_full(G_OBJECT(dialog), "message-id", g_variant_dup_string(id, NULL), g_free);
    g_signal_connect_object(dialog, "response", G_CALLBACK(on_delete_answer), self->client, 0);
    gtk_window_present(GTK_WINDOW(dialog));
}

/* ---- keyboard ---- */

static gboolean on_row_key(GtkWidget *list, GVariant *action, gpointer unused) {
    GtkWidget *row = context_menu_focused_row(list);

    return row && gtk_widget_activate_action(row, g_variant_get_string(action, NULL), NULL);
}

static void add_key(GtkEventController *controller, guint key, GdkModifierType modifiers,
                    const char *action) {
    GtkShortcut *shortcut = gtk_shortcut_new_with_arguments(
        gtk_keyval_trigger_new(key, modifiers), gtk_callback_action_new(on_row_key, NULL, NULL),
        "s", action);

    gtk_shortcut_controller_add_shortcut(GTK_SHORTCUT_CONTROLLER(controller), shortcut);
}

static void add_keys(ConversationPane *self) {
    GtkEventController *controller = gtk_shortcut_controller_new();

    add_key(controller, GDK_KEY_c, GDK_CONTROL_MASK, "message.copy");
    add_key(controller, GDK_KEY_Delete, 0, "message.delete");
    gtk_widget_add_controller(GTK_WIDGET(self->list), controller);
    context_menu_add_keys(GTK_WIDGET(self->list));
}

/* ---- the object ---- */

static void dispose(GObject *object) {
    ConversationPane *self = LONGRUN_CONVERSATION_PANE(object);

    if (self->scroll) {
        conversation_pane_set_client(self, NULL);
        g_signal_handlers_disconnect_by_data(self->scroll, self);
        g_object_run_dispose(G_OBJECT(self->scroll));
        g_clear_object(&self->scroll);
        g_signal_handlers_disconnect_by_data(self->entry, self);
    }
    adw_bin_set_child(ADW_BIN(self), NULL);
    G_OBJECT_CLASS(conversation_pane_parent_class)->dispose(object);
}

static void bind_children(GtkWidgetClass *widget) {
    gtk_widget_class_bind_template_child(widget, ConversationPane, stack);
    gtk_widget_class_bind_template_child(widget, ConversationPane, content);
    gtk_widget_class_bind_template_child(widget, ConversationPane, back);
    gtk_widget_class_bind_template_child(widget, ConversationPane, to_end);
    gtk_widget_class_bind_template_child(widget, ConversationPane, title);
    gtk_widget_class_bind_template_child(widget, ConversationPane, spinner);
    gtk_widget_class_bind_template_child(widget, ConversationPane, problem);
    gtk_widget_class_bind_template_child(widget, ConversationPane, window);
    gtk_widget_class_bind_template_child(widget, ConversationPane, list);
    gtk_widget_class_bind_template_child(widget, ConversationPane, entry);
    gtk_widget_class_bind_template_child(widget, ConversationPane, send);
}

static void conversation_pane_class_init(ConversationPaneClass *class) {
    GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = dispose;
    gtk_widget_class_set_template_from_resource(
        widget, "/org/longrun/Longrun/messages/conversation-pane.ui");
    bind_children(widget);
    gtk_widget_class_install_action(widget, "conversation.send", NULL, on_send);
    gtk_widget_class_install_action(widget, "conversation.to-end", NULL, on_to_end);
    gtk_widget_class_install_action(widget, "conversation.delete-message", "s", on_delete);
}

static void conversation_pane_init(ConversationPane *self) {
    gtk_widget_init_template(GTK_WIDGET(self));
    set_factory(self);
    add_keys(self);
    self->scroll = conversation_scroll_new(self->window, self->list);
    g_signal_connect_swapped(self->scroll, "top", G_CALLBACK(on_top), self);
    g_signal_connect_swapped(self->scroll, "notify::at-end", G_CALLBACK(on_at_end), self);
    g_signal_connect_swapped(self->entry, "changed", G_CALLBACK(on_typed), self);
    g_signal_connect_swapped(self->entry, "activate", G_CALLBACK(on_entered), self);
}
