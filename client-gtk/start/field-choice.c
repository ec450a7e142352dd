#include "client-gtk/start/field-choice.h"

#include <glib/gi18n.h>

struct _FieldChoice {
    GtkBox parent_instance;

    const Field *field;
    GtkDropDown *list;
    GPtrArray *words;    /* as they are in the list */
    gboolean is_filling; /* what changes then was not chosen by anybody */
};

G_DEFINE_FINAL_TYPE(FieldChoice, field_choice, GTK_TYPE_BOX)

enum {
    CHANGED,
    N_SIGNALS
};
static guint signals[N_SIGNALS];

#define SEARCH_FROM 12 /* of a longer list parts can be searched */

/* ---- the value ---- */

const char *field_choice_get(FieldChoice *self) {
    guint i = gtk_drop_down_get_selected(self->list);

    return i < self->words->len ? g_ptr_array_index(self->words, i) : "";
}

static gboolean find(FieldChoice *self, const char *word, guint *ret) {
    return g_ptr_array_find_with_equal_func(self->words, word, g_str_equal, ret);
}

static void add_word(FieldChoice *self, const char *word, const char *title) {
    GtkStringList *titles = GTK_STRING_LIST(gtk_drop_down_get_model(self->list));

    g_ptr_array_add(self->words, g_strdup(word));
    gtk_string_list_append(titles, title);
}

void field_choice_set(FieldChoice *self, const char *word) {
    guint i;

    if (!find(self, word, &i)) {
        if (!*word)
            return;
        add_word(self, word, word);
        i = self->words->len - 1;
    }
    gtk_drop_down_set_selected(self->list, i);
}

/* ---- what can be chosen ---- */

static void fill_words(FieldChoice *self) {
    const Field *f = self->field;

    for (guint i = 0; f->words[i]; i++)
        add_word(self, f->words[i], f->word_titles ? _(f->word_titles[i]) : f->words[i]);
}

/* Of a required one the first is no answer either: people are to choose. */
static void fill_names(FieldChoice *self, const char *const *names) {
    const char *initial = self->field->initial;

    if (initial)
        add_word(self, initial, initial);
    else
        add_word(self, "", self->field->required ? _("None Chosen") : _("None"));
    for (; names && *names; names++)
        if (g_strcmp0(*names, initial) != 0)
            add_word(self, *names, *names);
}

void field_choice_set_names(FieldChoice *self, const char *const *names) {
    g_autofree char *chosen = g_strdup(field_choice_get(self));
    g_autoptr(GtkStringList) titles = gtk_string_list_new(NULL);

    self->is_filling = TRUE;
    g_ptr_array_set_size(self->words, 0);
    gtk_drop_down_set_model(self->list, G_LIST_MODEL(titles));
    if (self->field->words)
        fill_words(self);
    else
        fill_names(self, names);
    gtk_drop_down_set_enable_search(self->list, self->words->len >= SEARCH_FROM);
    field_choice_set(self, chosen);
    self->is_filling = FALSE;
}

static void on_selected(FieldChoice *self) {
    if (!self->is_filling)
        g_signal_emit(self, signals[CHANGED], 0);
}

/* ---- the object ---- */

GtkWidget *field_choice_get_input(FieldChoice *self) {
    return GTK_WIDGET(self->list);
}

FieldChoice *field_choice_new(const Field *f) {
    FieldChoice *self = g_object_new(LONGRUN_TYPE_FIELD_CHOICE, NULL);

    self->field = f;
    field_choice_set_names(self, NULL);
    g_signal_connect_swapped(self->list, "notify::selected", G_CALLBACK(on_selected), self);
    return self;
}

static void finalize(GObject *object) {
    g_ptr_array_unref(LONGRUN_FIELD_CHOICE(object)->words);
    G_OBJECT_CLASS(field_choice_parent_class)->finalize(object);
}

static void field_choice_class_init(FieldChoiceClass *class) {
    G_OBJECT_CLASS(class)->finalize = finalize;
    signals[CHANGED] = g_signal_new("changed", LONGRUN_TYPE_FIELD_CHOICE, G_SIGNAL_RUN_LAST, 0,
                                    NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void field_choice_init(FieldChoice *self) {
    GtkExpression *title = gtk_property_expression_new(GTK_TYPE_STRING_OBJECT, NULL, "string");

    self->words = g_ptr_array_new_with_free_func(g_free);
    self->list = GTK_DROP_DOWN(gtk_drop_down_new(NULL, title));
    gtk_widget_set_hexpand(GTK_WIDGET(self->list), TRUE);
    gtk_box_append(GTK_BOX(self), GTK_WIDGET(self->list));
}
