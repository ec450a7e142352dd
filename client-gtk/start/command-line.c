#include "client-gtk/start/command-line.h"

#include <glib/gi18n.h>
#include <string.h>

#define SHOWN_MAX 60 /* characters */

/* ---- splitting ---- */

static void set_wrong(const GError *error, char **ret_error) {
    if (g_error_matches(error, G_SHELL_ERROR, G_SHELL_ERROR_BAD_QUOTING))
        *ret_error = g_strdup(_("A quotation mark or a backslash has nothing that ends it."));
    else
        *ret_error = g_strdup(_("Write a program and its arguments."));
}

/* Characters that a shell acts on outside of quotes. The tilde and patterns do so inside of words
 * as well. */
static bool has_shell_syntax(const char *line) {
    char quote = '\0';

    for (const char *p = line; *p; p++) {
        if (*p == '\\' && quote != '\'' && p[1])
            p++;
        else if (quote == '"' && strchr("$`", *p))
            return true;
        else if (quote)
            quote = *p == quote ? '\0' : quote;
        else if (*p == '\'' || *p == '"')
            quote = *p;
        else if (strchr("|&;<>$`*?(){}", *p) || (*p == '~' && (p == line || p[-1] == ' ')))
            return true;
    }
    return false;
}

GStrv command_line_split(const char *line, bool *ret_is_shell, char **ret_error) {
    g_autoptr(GError) error = NULL;
    char **argv = NULL;

    if (strlen(line) > COMMAND_LINE_MAX) {
        *ret_error = g_strdup(_("This is too long for one line: put it into a script."));
        return NULL;
    }
    if (!g_shell_parse_argv(line, NULL, &argv, &error)) {
        set_wrong(error, ret_error);
        return NULL;
    }
    if (!*argv[0]) {
        *ret_error = g_strdup(_("The name of the program is empty."));
        g_strfreev(argv);
        return NULL;
    }
    if (ret_is_shell)
        *ret_is_shell = has_shell_syntax(line);
    return argv;
}

/* ---- putting together ---- */

static bool is_plain(const char *word) {
    for (const char *p = word; *p; p++)
        if (!g_ascii_isalnum(*p) && !strchr("_-./=:,+@%^", *p) && (guchar)*p < 0x80)
            return false;
    return *word;
}

static char *quote(const char *word) {
    return is_plain(word) ? g_strdup(word) : g_shell_quote(word);
}

char *command_line_in_shell(const char *line) {
    g_autofree char *stripped = g_strstrip(g_strdup(line)), *quoted = g_shell_quote(stripped);

    return g_strconcat("sh -c ", quoted, NULL);
}

char *command_line_append(const char *line, const char *const *words) {
    GString *all = g_string_new(line);

    for (; *words; words++) {
        g_autofree char *quoted = quote(*words);
        if (all->len > 0 && all->str[all->len - 1] != ' ')
            g_string_append_c(all, ' ');
        g_string_append(all, quoted);
    }
    return g_string_free(all, FALSE);
}

/* ---- showing ---- */

/* Control characters as the pictures that Unicode has of them; what cannot be seen is seen. */
char *command_line_shown(const char *word) {
    GString *shown = g_string_new(NULL);
    const char *p = word;

    for (int n = 0; *p && n < SHOWN_MAX; p = g_utf8_next_char(p), n++) {
        gunichar c = g_utf8_get_char(p);
        if (c < 0x20)
            c += 0x2400;
        else if (c == 0x7f)
            c = 0x2421;
        g_string_append_unichar(shown, c);
    }
    if (*p)
        g_string_append(shown, "…");
    return g_string_free(shown, FALSE);
}
