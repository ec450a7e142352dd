#include "client-gtk/log/log-finder.h"
#include "client-gtk/log/log-save.h"
#include "client-gtk/log/log-watch.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/resource.h>
#include <unistd.h>

/* ---- what is searched for ---- */

static const struct {
    const char *needle, *text;
    guint count;
} needles[] = {
    {"a", "", 0},
    {"error", "Error: an ERROR, and no err or", 2},
    {"aa", "aaaaa", 2},
    {"ÄRGER", "großer ärger und Ärger", 2},
    {"ß", "STRASSE straße", 1},
    {"[", "a[b", 1},
    {"longer than the text", "long", 0},
    {"@", "a@`", 1}, /* neighbours of the letters are none */
};

START_TEST(test_needle) {
    g_autoptr(LogNeedle) n = log_needle_new(needles[_i].needle);

    ck_assert_uint_eq(log_needle_count(n, needles[_i].text, strlen(needles[_i].text)),
                      needles[_i].count);
}
END_TEST

START_TEST(test_needle_is_capped) {
    g_autofree char *text = g_strnfill(1 << 20, 'x');
    g_autoptr(LogNeedle) n = log_needle_new(text);
    gsize begin, end;

    ck_assert(log_needle_find(n, text, 1 << 20, 0, &begin, &end));
    ck_assert_uint_eq(end, LOG_NEEDLE_MAX);
    ck_assert_ptr_null(log_needle_new(""));
}
END_TEST

/* ---- the finder ---- */

static int log_fd = -1;

static LogReader *open_reader(const char *data) {
    unit_write("log", data, strlen(data));
    log_fd = open(unit_path("log"), O_RDWR);
    MUST(log_fd >= 0);
    return log_reader_new(log_fd);
}

static void wait_for(LogFinder *f) {
    while (log_finder_get_tally(f).busy)
        g_main_context_iteration(NULL, TRUE);
}

static LogFinder *search(LogReader *reader, const char *text, guint64 row) {
    LogFinder *f = log_finder_new();

    log_finder_set_reader(f, reader);
    log_finder_search(f, text, row);
    wait_for(f);
    return f;
}

static void must_be_at(LogFinder *f, guint64 row, guint number) {
    LogMatch match;

    ck_assert(log_finder_get_current(f, &match));
    ck_assert_uint_eq(match.row, row);
    ck_assert_uint_eq(match.number, number);
}

static void step(LogFinder *f, gboolean forward) {
    log_finder_step(f, forward, 0);
    wait_for(f);
}

START_TEST(test_around) {
    /* rows at 0, 6, 17 and 22 */
    g_autoptr(LogReader) reader = open_reader("x one\nx two, x 2\nnone\nX\033[1mx\033[0m three");
    g_autoptr(LogFinder) f = search(reader, "x", 6);
    const struct {
        guint64 row;
        guint number, tally;
    } all[] = {{0, 0, 1}, {6, 0, 2}, {6, 1, 3}, {22, 0, 4}, {22, 1, 5}};

    ck_assert_uint_eq(log_finder_get_tally(f).count, 5);
    must_be_at(f, 6, 0);
    for (guint i = 1; i < 12; i++) {
        guint k = (1 + i) % 5;
        step(f, TRUE);
        must_be_at(f, all[k].row, all[k].number);
        ck_assert_uint_eq(log_finder_get_tally(f).number, all[k].tally);
    }
    guint at = 12 % 5;
    for (guint i = 0; i < 12; i++) {
        at = (at + 4) % 5;
        step(f, FALSE);
        must_be_at(f, all[at].row, all[at].number);
    }
}
END_TEST

START_TEST(test_nothing) {
    g_autoptr(LogReader) reader = open_reader("some\ntext\n");
    g_autoptr(LogFinder) f = search(reader, "other", 0);
    LogMatch match;

    ck_assert(log_finder_get_tally(f).nothing);
    step(f, FALSE);
    ck_assert(log_finder_get_tally(f).nothing);
    ck_assert(!log_finder_get_current(f, &match));
    log_finder_search(f, "", 0);
    ck_assert(!log_finder_get_tally(f).nothing);
}
END_TEST

/* What comes is counted as well; a row that had not ended is not counted twice. */
START_TEST(test_growth) {
    g_autoptr(LogReader) reader = open_reader("x\nx");
    g_autoptr(LogFinder) f = search(reader, "x", 0);

    ck_assert_uint_eq(log_finder_get_tally(f).count, 2);
    MUST(pwrite(log_fd, " x\nx\n", 5, 3) == 5);
    log_finder_grown(f);
    wait_for(f);
    ck_assert_uint_eq(log_finder_get_tally(f).count, 4);
}
END_TEST

START_TEST(test_count_is_capped) {
    g_autoptr(GString) data = g_string_new(NULL);

    for (int i = 0; i < 5000; i++)
        g_string_append_printf(data, "x %d\n", i);
    g_autoptr(LogReader) reader = open_reader(data->str);
    g_autoptr(LogFinder) f = search(reader, "x", 0);
    ck_assert_uint_eq(log_finder_get_tally(f).count, LOG_FINDER_MAX);
    ck_assert_uint_eq(log_finder_get_tally(f).number, 1);
    step(f, FALSE);
    ck_assert_uint_eq(log_finder_get_tally(f).number, 0);
    must_be_at(f, data->len - strlen("x 4999\n"), 0);
}
END_TEST

/* Ten gigabytes of which most are not there, and a match on either side. */
START_TEST(test_gap) {
    const guint64 far = 10ULL << 30;
    g_autoptr(LogReader) reader = open_reader("needle\n");

    MUST(ftruncate(log_fd, (off_t)far) == 0);
    MUST(pwrite(log_fd, "no\nneedle\n", 10, (off_t)far) == 10);
    g_autoptr(LogFinder) f = search(reader, "NEEDLE", 0);
    ck_assert_uint_eq(log_finder_get_tally(f).count, 2);
    must_be_at(f, 0, 0);
    step(f, TRUE);
    must_be_at(f, far + 3, 0);
    step(f, FALSE);
    must_be_at(f, 0, 0);
}
END_TEST

/* Another text, and another log, end a search: nothing of it comes any more. */
START_TEST(test_given_up) {
    g_autofree char *data = g_strnfill(64 << 20, 'y');
    g_autoptr(LogReader) reader = open_reader(data);
    g_autoptr(LogFinder) f = log_finder_new();

    log_finder_set_reader(f, reader);
    log_finder_search(f, "x", 0);
    log_finder_search(f, "z", 0);
    log_finder_set_reader(f, NULL);
    ck_assert(!log_finder_get_tally(f).busy);
    ck_assert_ptr_null(log_finder_get_needle(f));
    while (G_OBJECT(f)->ref_count > 1) /* the threads have ended */
        g_main_context_iteration(NULL, TRUE);
}
END_TEST

/* ---- copies ---- */

typedef struct Saved {
    gboolean done, ok;
    GError *error;
    guint64 progress;
} Saved;

static void on_saved(GObject *source, GAsyncResult *result, gpointer userdata) {
    Saved *s = userdata;

    s->ok = log_save_finish(LONGRUN_LOG_READER(source), result, &s->error);
    s->done = TRUE;
}

static void on_progress(guint64 done, guint64 all, gpointer userdata) {
    Saved *s = userdata;

    MUST(done <= all && done >= s->progress && !s->done);
    s->progress = done;
}

static void save(Saved *s, LogReader *reader, const char *name, GCancellable *cancellable) {
    g_autoptr(GFile) file = g_file_new_for_path(unit_path(name));

    *s = (Saved){};
    log_save_async(reader, file, cancellable, on_progress, on_saved, s);
    while (!s->done)
        g_main_context_iteration(NULL, TRUE);
}

START_TEST(test_save) {
    g_autofree char *data = g_strnfill(3 << 20, 'y');
    g_autoptr(LogReader) reader = open_reader(data);
    g_autofree char *copy = NULL;
    gsize size;
    Saved s;

    unit_write("copy", "old", 3);
    save(&s, reader, "copy", NULL);
    ck_assert(s.ok);
    copy = unit_read("copy", &size);
    ck_assert_uint_eq(size, 3 << 20);
    ck_assert_int_eq(memcmp(copy, data, size), 0);
}
END_TEST

/* A full disk. */
START_TEST(test_save_fails) {
    g_autofree char *data = g_strnfill(3 << 20, 'y');
    g_autoptr(LogReader) reader = open_reader(data);
    struct rlimit limit = {.rlim_cur = 1 << 20, .rlim_max = RLIM_INFINITY};
    gsize size;
    Saved s;

    unit_write("old", "old", 3);
    signal(SIGXFSZ, SIG_IGN);
    MUST(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    save(&s, reader, "new", NULL);
    MUST(!s.ok && s.error);
    g_clear_error(&s.error);
    MUST(!unit_exists("new"));
    save(&s, reader, "old", NULL);
    MUST(!s.ok);
    g_clear_error(&s.error);
    g_autofree char *old = unit_read("old", &size);
    MUST(strcmp(old, "old") == 0);
    limit.rlim_cur = RLIM_INFINITY;
    MUST(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}
END_TEST

START_TEST(test_save_is_cancelled) {
    g_autofree char *data = g_strnfill(3 << 20, 'y');
    g_autoptr(LogReader) reader = open_reader(data);
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    Saved s;

    g_cancellable_cancel(cancellable);
    save(&s, reader, "copy", cancellable);
    ck_assert(g_error_matches(s.error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
    g_clear_error(&s.error);
    ck_assert(!unit_exists("copy"));
}
END_TEST

/* ---- growth ---- */

static gboolean on_changed(gpointer userdata) {
    ++*(guint *)userdata;
    return G_SOURCE_CONTINUE;
}

static void let_come(void) {
    while (g_main_context_iteration(NULL, FALSE))
        ;
}

START_TEST(test_watch) {
    guint changes = 0;

    unit_write("log", "", 0);
    int fd = open(unit_path("log"), O_RDWR | O_APPEND);
    LogWatch *w = log_watch_new(fd, on_changed, &changes);
    MUST(write(fd, "x", 1) == 1);
    let_come();
    ck_assert_uint_eq(changes, 0);
    for (guint i = 1; i < 4; i++) {
        log_watch_arm(w);
        for (int k = 0; k < 100; k++)
            MUST(write(fd, "x", 1) == 1);
        while (changes < i)
            g_main_context_iteration(NULL, TRUE);
        let_come();
        ck_assert_uint_eq(changes, i);
    }
    log_watch_arm(w);
    MUST(g_unlink(unit_path("log")) == 0);
    while (changes < 4)
        g_main_context_iteration(NULL, TRUE);
    log_watch_free(w);
    close(fd);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("log-search");
    TCase *t = tcase_create("all");

    suite_add_tcase(suite, t);
    unit_use_dir(t);
    tcase_add_loop_test(t, test_needle, 0, G_N_ELEMENTS(needles));
    tcase_add_test(t, test_needle_is_capped);
    tcase_add_test(t, test_around);
    tcase_add_test(t, test_nothing);
    tcase_add_test(t, test_growth);
    tcase_add_test(t, test_count_is_capped);
    tcase_add_test(t, test_gap);
    tcase_add_test(t, test_given_up);
    tcase_add_test(t, test_save);
    tcase_add_test(t, test_save_fails);
    tcase_add_test(t, test_save_is_cancelled);
    tcase_add_test(t, test_watch);
    return unit_run(suite);
}
