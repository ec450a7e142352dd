#include "client-gtk/log/log-search.h"

#include <errno.h>
#include <sys/stat.h>

/* Backwards, so much is looked through forwards, from one such distance to the next. */
#define BACK_STEP (1024 * 1024)

/* Whether anybody still wants to know is asked after so many rows. */
#define ASK_ROWS 4096

void log_found_free(LogFound *f) {
    if (!f)
        return;
    g_array_unref(f->matches);
    g_free(f);
}

typedef struct Job {
    LogQuery query;
    LogNeedle *needle;
    int fd; /* the reader holds it open */
    GCancellable *cancellable;
    LogDecoder decoder;
    GString *text;
    LogFound *found;
} Job;

static void job_free(Job *j) {
    log_needle_unref(j->needle);
    log_decoder_done(&j->decoder);
    g_string_free(j->text, TRUE);
    log_found_free(j->found);
    g_free(j);
}

/* ---- rows ---- */

static guint count_in_row(Job *j, const LogRow *row) {
    g_string_truncate(j->text, 0);
    log_decoder_row(&j->decoder, row->data, row->size, row->continued, j->text, NULL);
    return log_needle_count(j->needle, j->text->str, j->text->len);
}

static guint add_matches(Job *j, const LogRow *row) {
    guint count = count_in_row(j, row);

    for (guint i = 0; i < count; i++) {
        LogMatch match = {.row = row->offset, .number = i};
        g_array_append_val(j->found->matches, match);
    }
    return count;
}

static void add_open_row(Job *j, LogScan *scan) {
    LogRow row;

    j->found->at_end = TRUE;
    if (!log_scan_open_row(scan, &row))
        return;
    j->found->next.from = row.from;
    if (row.offset < j->query.limit)
        j->found->open = add_matches(j, &row);
}

static gboolean is_given_up(Job *j, guint rows) {
    return rows % ASK_ROWS == 0 && g_cancellable_is_cancelled(j->cancellable);
}

/* From the place in found->next on, up to the limit. */
static int look_through(Job *j, guint64 limit, guint max, gsize bytes) {
    LogFound *f = j->found;
    guint64 stop = f->next.row + bytes;
    LogScan scan;
    LogRow row;
    int r = 1;

    log_scan_init(&scan, j->fd, f->next.row, f->next.from);
    for (guint rows = 1; f->next.row < limit && f->next.row < stop && f->matches->len < max;
         rows++) {
        if (is_given_up(j, rows)) {
            r = -ECANCELED;
            break;
        }
        r = log_scan_next(&scan, &row);
        if (r <= 0)
            break;
        stop += scan.left_out; /* a gap costs nothing */
        scan.left_out = 0;
        add_matches(j, &row);
        f->next = (LogPlace){.row = row.end};
    }
    if (r == 0)
        add_open_row(j, &scan);
    f->at_end |= f->next.row >= limit;
    log_scan_done(&scan);
    return r < 0 ? r : 0;
}

/* ---- back ---- */

/* The last of those that count. */
static gboolean pick_last(Job *j) {
    GArray *matches = j->found->matches;

    for (guint i = matches->len; i > 0; i--) {
        LogMatch match = g_array_index(matches, LogMatch, i - 1);
        if (log_match_compare(&match, &j->query.before) >= 0)
            continue;
        g_array_set_size(matches, 0);
        g_array_append_val(matches, match);
        return TRUE;
    }
    g_array_set_size(matches, 0);
    return FALSE;
}

static int look_back(Job *j) {
    guint64 end = j->query.place.row, looked = 0, begin;

    for (; looked < LOG_SEARCH_SLICE; looked += BACK_STEP) {
        guint64 from = log_scan_data_before(j->fd, end);
        int r = log_scan_row_at(j->fd, from > BACK_STEP ? from - BACK_STEP : 0, &begin);
        if (r < 0)
            return r;
        begin = log_scan_data_at(j->fd, begin);
        j->found->next = (LogPlace){.row = begin};
        j->found->at_end = FALSE;
        r = begin < end ? look_through(j, end, G_MAXUINT, G_MAXSIZE / 2) : 0;
        if (r < 0)
            return r;
        j->found->next = (LogPlace){.row = begin};
        j->found->at_end = begin == 0 || begin >= end;
        if (pick_last(j) || j->found->at_end)
            return 0;
        end = begin;
    }
    return 0;
}

static int search(Job *j) {
    struct stat st;

    if (fstat(j->fd, &st) < 0)
        return -errno;
    j->found->size = (guint64)st.st_size;
    if (j->query.backwards)
        return look_back(j);
    j->found->next = j->query.place;
    return look_through(j, j->query.limit, j->query.max, LOG_SEARCH_SLICE);
}

/* ---- outside ---- */

static void work(GTask *task, gpointer reader, gpointer userdata, GCancellable *cancellable) {
    Job *j = userdata;
    int r = search(j);

    if (r < 0)
        g_task_return_new_error(task, G_IO_ERROR, g_io_error_from_errno(-r), "%s", g_strerror(-r));
    else
        g_task_return_pointer(task, g_steal_pointer(&j->found), (GDestroyNotify)log_found_free);
}

void log_search_async(LogReader *reader, const LogQuery *query, GCancellable *cancellable,
                      GAsyncReadyCallback callback, gpointer userdata) {
    g_autoptr(GTask) task = g_task_new(reader, cancellable, callback, userdata);
    Job *j = g_new0(Job, 1);

    j->query = *query;
    j->needle = log_needle_ref(query->needle);
    j->fd = log_reader_get_files(reader)->log;
    j->cancellable = cancellable;
    log_decoder_init(&j->decoder);
    j->text = g_string_new(NULL);
    j->found = g_new0(LogFound, 1);
    j->found->matches = g_array_new(FALSE, FALSE, sizeof(LogMatch));
    g_task_set_source_tag(task, log_search_async);
    g_task_set_task_data(task, j, (GDestroyNotify)job_free);
    g_task_run_in_thread(task, work);
}

LogFound *log_search_finish(LogReader *reader, GAsyncResult *result, GError **error) {
    return g_task_propagate_pointer(G_TASK(result), error);
}
