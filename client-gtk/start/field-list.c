#include "client-gtk/start/field-list.h"

#include <glib/gi18n.h>
#include <string.h>

#include "client-gtk/start/command-line.h"
#include "common/parse.h"

#define IDS_MAX 100000
#define CODES_MAX 256
#define TOKENS_MAX 64

/* What was written is named, as far as it is not too long. format: with one %s. */
static void set_wrong(char **ret_error, const char *format, const char *written) {
    g_autofree char *shown = command_line_shown(written);

    *ret_error = g_strdup_printf(format, shown);
}

/* ---- lines ---- */

/* Without the empty ones at the end, and the CR of other systems. */
static GStrv split_lines(const char *text) {
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    GPtrArray *kept = g_ptr_array_new();

    for (char **line = lines; *line; line++) {
        g_autofree char *stripped = g_strstrip(g_strdup(*line));
        g_strdelimit(*line, "\r", '\0');
        if (*stripped)
            g_ptr_array_add(kept, g_strdup(*line));
    }
    g_ptr_array_add(kept, NULL);
    return (GStrv)g_ptr_array_free(kept, FALSE);
}

static GVariant *lines_variant(GStrv lines) {
    return *lines ? g_variant_new_strv((const char *const *)lines, -1) : NULL;
}

GVariant *field_list_lines(const char *text) {
    g_auto(GStrv) lines = split_lines(text);

    return lines_variant(lines);
}

static gboolean is_variable(const char *line) {
    const char *equals = strchr(line, '=');

    return equals && equals > line && !memchr(line, ' ', (gsize)(equals - line));
}

GVariant *field_list_env(const char *text, char **ret_error) {
    g_auto(GStrv) lines = split_lines(text);

    for (char **line = lines; *line; line++) {
        g_strchug(*line);
        if (!is_variable(*line)) {
            set_wrong(ret_error,
                      /* Translators: %s is what was written. NAME=VALUE is to stay in capitals. */
                      _("Write a variable on each line, as NAME=VALUE; “%s” is none."), *line);
            return NULL;
        }
    }
    return lines_variant(lines);
}

GVariant *field_list_headers(const char *text, char **ret_error) {
    g_auto(GStrv) lines = split_lines(text);
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("a{ss}"));
    for (char **line = lines; *line; line++) {
        char *colon = strchr(*line, ':');
        if (!colon || colon == *line) {
            set_wrong(ret_error, _("Write a header on each line, as “Name: value”; “%s” is none."),
                      *line);
            g_variant_builder_clear(&builder);
            return NULL;
        }
        *colon = '\0';
        g_variant_builder_add(&builder, "{ss}", g_strstrip(*line), g_strstrip(colon + 1));
    }
    return g_variant_builder_end(&builder);
}

/* ---- paths ---- */

char *field_list_path(const char *text, char **ret_error) {
    if (*text == '/')
        return g_strdup(text);
    if (g_str_equal(text, "~") || g_str_has_prefix(text, "~/"))
        return g_strconcat(g_get_home_dir(), text + 1, NULL);
    set_wrong(ret_error, _("Write a whole path, which begins with / or ~/, not “%s”."), text);
    return NULL;
}

GVariant *field_list_paths(const char *text, char **ret_error) {
    g_auto(GStrv) lines = split_lines(text);

    for (char **line = lines; *line; line++) {
        char *path = field_list_path(*line, ret_error);
        if (!path)
            return NULL;
        g_free(*line);
        *line = path;
    }
    return lines_variant(lines);
}

/* ---- numbers and names ---- */

static GStrv split_words(const char *text) {
    g_auto(GStrv) words = g_strsplit_set(text, ", \t\n", -1);
    GPtrArray *kept = g_ptr_array_new();

    for (char **word = words; *word; word++)
        if (**word)
            g_ptr_array_add(kept, g_strdup(*word));
    g_ptr_array_add(kept, NULL);
    return (GStrv)g_ptr_array_free(kept, FALSE);
}

/* "#12" is what the window shows of a task. */
static gboolean read_id(const char *word, guint64 *ret) {
    return parse_u64(word + (*word == '#'), ret) >= 0 && *ret > 0;
}

GVariant *field_list_id(const char *text, char **ret_error) {
    guint64 id;

    if (read_id(text, &id))
        return g_variant_new_uint64(id);
    set_wrong(ret_error, _("Write the number of one task, such as 12; not “%s”."), text);
    return NULL;
}

GVariant *field_list_ids(const char *text, char **ret_error) {
    g_auto(GStrv) words = split_words(text);
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(guint64));
    guint64 id;

    for (char **word = words; *word; word++) {
        if (!read_id(*word, &id)) {
            set_wrong(ret_error, _("Write the numbers of tasks, such as 12, 15; not “%s”."), *word);
            return NULL;
        }
        g_array_append_val(ids, id);
    }
    if (ids->len > IDS_MAX) {
        *ret_error = g_strdup_printf(_("A task can wait for at most %d others."), IDS_MAX);
        return NULL;
    }
    return ids->len ? g_variant_new_fixed_array(G_VARIANT_TYPE_UINT64, ids->data, ids->len,
                                                sizeof(guint64))
                    : NULL;
}

GVariant *field_list_codes(const char *text, char **ret_error) {
    g_auto(GStrv) words = split_words(text);
    g_autoptr(GArray) codes = g_array_new(FALSE, FALSE, sizeof(gint32));
    guint32 code;

    for (char **word = words; *word; word++) {
        if (parse_u32(*word, &code) < 0 || code < 1 || code > 255 || codes->len == CODES_MAX) {
            set_wrong(ret_error, _("Write exit codes from 1 to 255, such as 1, 75; not “%s”."),
                      *word);
            return NULL;
        }
        g_array_append_val(codes, code);
    }
    return codes->len ? g_variant_new_fixed_array(G_VARIANT_TYPE_INT32, codes->data, codes->len,
                                                  sizeof(gint32))
                      : NULL;
}

/* ---- tokens ---- */

static gboolean read_token(char *word, guint32 *ret_amount) {
    char *equals = strchr(word, '=');

    *ret_amount = 1;
    if (!equals)
        return TRUE;
    *equals = '\0';
    return equals > word && parse_u32(equals + 1, ret_amount) >= 0 && *ret_amount > 0;
}

static gboolean add_token(GHashTable *seen, char *word, GVariantBuilder *builder,
                          char **ret_error) {
    g_autofree char *shown = g_strdup(word);
    guint32 amount;

    if (!read_token(word, &amount))
        set_wrong(ret_error, _("Write names of resources, such as gpu or net=2; not “%s”."), shown);
    else if (!g_hash_table_add(seen, g_strdup(word)))
        set_wrong(ret_error, _("“%s” is there twice: add up what is wanted of it."), word);
    else if (g_hash_table_size(seen) > TOKENS_MAX)
        *ret_error = g_strdup_printf(_("A task can claim at most %d resources."), TOKENS_MAX);
    else
        g_variant_builder_add(builder, "{su}", word, amount);
    return !*ret_error;
}

GVariant *field_list_tokens(const char *text, char **ret_error) {
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_auto(GStrv) words = split_words(text);
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("a{su}"));
    for (char **word = words; *word; word++)
        if (!add_token(seen, *word, &builder, ret_error)) {
            g_variant_builder_clear(&builder);
            return NULL;
        }
    return g_variant_builder_end(&builder);
}
