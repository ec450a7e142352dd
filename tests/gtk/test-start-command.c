/* A command line: its words, files that are dropped on it, and the history of those before. */

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "client-gtk/start/command-history.h"
#include "client-gtk/start/command-line.h"
#include "client-gtk/start/history-file.h"
#include "tests/unit/unit.h"

/* ---- words ---- */

static const struct {
    const char *line;
    const char *words; /* with | between them; NULL: none */
    bool is_shell;
} lines[] = {
    {"ls", "ls"},
    {"  ls   -l ", "ls|-l"},
    {"cp 'a b' \"c d\" e\\ f", "cp|a b|c d|e f"},
    {"echo \"it's\"", "echo|it's"},
    {"echo ''", "echo|"},
    {"echo a=b,c:d", "echo|a=b,c:d"},
    {"echo a~", "echo|a~"},
    {"echo '$HOME' \\| 'a*'", "echo|$HOME|||a*"},
    {"echo \"$HOME\"", "echo|$HOME", true},
    {"echo $HOME", "echo|$HOME", true},
    {"a | b", "a|||b", true},
    {"a && b", "a|&&|b", true},
    {"a > b", "a|>|b", true},
    {"rm *.o", "rm|*.o", true},
    {"ls ~/x", "ls|~/x", true},
    {"", NULL},
    {"   ", NULL},
    {"'", NULL},
    {"a \"b", NULL},
    {"a \\", NULL},
    {"'' a", NULL},
};

START_TEST(test_split) {
    g_autofree char *error = NULL, *words = NULL;
    bool is_shell = false;
    g_auto(GStrv) argv = command_line_split(lines[_i].line, &is_shell, &error);

    ck_assert_int_eq(argv == NULL, lines[_i].words == NULL);
    ck_assert_int_eq(error == NULL, argv != NULL);
    if (!argv)
        return;
    words = g_strjoinv("|", argv);
    ck_assert_str_eq(words, lines[_i].words);
    ck_assert_int_eq(is_shell, lines[_i].is_shell);
}
END_TEST

START_TEST(test_long_line) {
    g_autofree char *error = NULL, *line = g_strnfill(COMMAND_LINE_MAX + 1, 'x');

    ck_assert_ptr_null(command_line_split(line, NULL, &error));
    ck_assert_ptr_nonnull(strstr(error, "script"));
}
END_TEST

/* What is put into a shell is read there as it was written. */
START_TEST(test_in_shell) {
    g_autofree char *error = NULL, *line = command_line_in_shell(" echo 'a b' | wc\n");
    bool is_shell = true;
    g_auto(GStrv) argv = command_line_split(line, &is_shell, &error);

    ck_assert_uint_eq(g_strv_length(argv), 3);
    ck_assert_str_eq(argv[0], "sh");
    ck_assert_str_eq(argv[1], "-c");
    ck_assert_str_eq(argv[2], "echo 'a b' | wc");
    ck_assert(!is_shell);
}
END_TEST

START_TEST(test_append) {
    static const char *const words[] = {"/plain/x-1.tar", "/a b", "/it's", "", "/\xc3\xa9", NULL};
    g_autofree char *line = command_line_append("tar -c", words), *error = NULL;
    g_auto(GStrv) argv = command_line_split(line, NULL, &error);

    ck_assert_ptr_nonnull(g_str_has_prefix(line, "tar -c /plain/x-1.tar '/a b'") ? line : NULL);
    ck_assert_uint_eq(g_strv_length(argv), 7);
    for (int i = 0; words[i]; i++)
        ck_assert_str_eq(argv[i + 2], words[i]);
}
END_TEST

START_TEST(test_shown) {
    g_autofree char *shown = command_line_shown("a\nb\x7f\xc3\xa9");
    g_autofree char *many = g_strnfill(100, 'x'), *shortened = command_line_shown(many);

    ck_assert_str_eq(shown, "a␊b␡\xc3\xa9");
    ck_assert_int_eq(g_utf8_strlen(shortened, -1), 61);
    ck_assert(g_str_has_suffix(shortened, "…"));
}
END_TEST

/* ---- the file ---- */

static char *joined(GStrv history) {
    return g_strjoinv("|", history);
}

START_TEST(test_history) {
    g_autofree char *path = g_build_filename(unit_dir, "new", "commands", NULL), *text = NULL;
    g_auto(GStrv) none = history_file_read(path), all = NULL;
    struct stat st;

    ck_assert_ptr_null(none[0]);
    g_strfreev(history_file_add(path, "first"));
    g_strfreev(history_file_add(path, "second 'x y'"));
    g_strfreev(history_file_add(path, " secret"));
    g_strfreev(history_file_add(path, "two\nlines"));
    all = history_file_add(path, "first");
    text = joined(all);
    ck_assert_str_eq(text, "first|second 'x y'");
    ck_assert_int_eq(g_stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0600);
    history_file_clear(path);
    ck_assert(!g_file_test(path, G_FILE_TEST_EXISTS));
}
END_TEST

START_TEST(test_history_is_bounded) {
    const char *path = unit_path("commands");
    g_autofree char *long_line = g_strnfill(COMMAND_LINE_MAX, 'x');
    g_auto(GStrv) all = NULL, few = NULL;
    GString *text = g_string_new(NULL);
    struct stat st;

    for (int i = 0; i < HISTORY_LINES_MAX + 50; i++)
        g_string_append_printf(text, "command %d\n", i);
    unit_write("commands", text->str, text->len);
    all = history_file_add(path, "last");
    ck_assert_uint_eq(g_strv_length(all), HISTORY_LINES_MAX);
    ck_assert_str_eq(all[0], "last");
    ck_assert_str_eq(all[1], "command 249");
    for (char c = 'a'; c < 'k'; c++) {
        long_line[0] = c;
        g_strfreev(history_file_add(path, long_line));
    }
    few = history_file_read(path);
    ck_assert_uint_ge(g_strv_length(few), 3);
    ck_assert_uint_lt(g_strv_length(few), 10);
    ck_assert_int_eq(g_stat(path, &st), 0);
    ck_assert_uint_le((guint64)st.st_size, HISTORY_BYTES_MAX);
    g_string_free(text, TRUE);
}
END_TEST

/* Whatever is there: nothing of it breaks anything. */
START_TEST(test_strange_history) {
    static const char strange[] = "good\n\xff\xfe\n\nbell\x07\n\nalso good";
    g_autofree char *noise = g_strnfill(2 * HISTORY_BYTES_MAX, '\xff'), *text = NULL;
    g_auto(GStrv) of_noise = NULL, of_folder = NULL, good = NULL;

    unit_write("commands", noise, 2 * HISTORY_BYTES_MAX);
    of_noise = history_file_read(unit_path("commands"));
    ck_assert_ptr_null(of_noise[0]);
    of_folder = history_file_read(unit_dir);
    ck_assert_ptr_null(of_folder[0]);
    unit_write("commands", strange, sizeof(strange) - 1);
    good = history_file_read(unit_path("commands"));
    text = joined(good);
    ck_assert_str_eq(text, "also good|good");
}
END_TEST

/* ---- in a thread ---- */

static void on_changed(CommandHistory *history, guint *n_changes) {
    (*n_changes)++;
}

static void wait_for(guint *n_changes, guint n) {
    while (*n_changes < n)
        g_main_context_iteration(NULL, TRUE);
}

START_TEST(test_history_object) {
    CommandHistory *history = command_history_new(unit_path("commands"));
    g_auto(GStrv) kept = NULL;
    guint n_changes = 0;

    g_signal_connect(history, "changed", G_CALLBACK(on_changed), &n_changes);
    wait_for(&n_changes, 1);
    ck_assert_ptr_null(command_history_lines(history)[0]);
    command_history_add(history, "ls");
    wait_for(&n_changes, 2);
    ck_assert_str_eq(command_history_lines(history)[0], "ls");
    command_history_clear(history);
    wait_for(&n_changes, 3);
    ck_assert_ptr_null(command_history_lines(history)[0]);
    command_history_add(history, "last");
    g_object_unref(history); /* held until that is done */
    wait_for(&n_changes, 4);
    kept = history_file_read(unit_path("commands"));
    ck_assert_str_eq(kept[0], "last");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("start-command");
    TCase *words = tcase_create("words"), *history = tcase_create("history");

    tcase_add_loop_test(words, test_split, 0, G_N_ELEMENTS(lines));
    tcase_add_test(words, test_long_line);
    tcase_add_test(words, test_in_shell);
    tcase_add_test(words, test_append);
    tcase_add_test(words, test_shown);
    unit_use_dir(history);
    tcase_add_test(history, test_history);
    tcase_add_test(history, test_history_is_bounded);
    tcase_add_test(history, test_strange_history);
    tcase_add_test(history, test_history_object);
    suite_add_tcase(suite, words);
    suite_add_tcase(suite, history);
    return unit_run(suite);
}
