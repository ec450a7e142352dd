#include "client-gtk/log/log-save.h"

#include <errno.h>
#include <sys/stat.h>

#include "common/gap-file.h"

#define PIECE (256 * 1024)
#define PROGRESS_USEC (100 * 1000)

typedef struct Job {
    int fd; /* the reader holds it open */
    GFile *to;
    LogSaveProgress progress;
    gpointer userdata;
    gint64 told; /* when, last */
} Job;

static void job_free(Job *j) {
    g_object_unref(j->to);
    g_free(j);
}

/* ---- progress ---- */

typedef struct News {
    GTask *task;
    guint64 done, all;
} News;

static gboolean on_news(gpointer userdata) {
    News *news = userdata;
    const Job *j = g_task_get_task_data(news->task);

    if (!g_task_get_completed(news->task))
        j->progress(news->done, news->all, j->userdata);
    return G_SOURCE_REMOVE;
}

static void news_free(gpointer userdata) {
    News *news = userdata;

    g_object_unref(news->task);
    g_free(news);
}

static void tell(GTask *task, Job *j, guint64 done, guint64 all) {
    gint64 now = g_get_monotonic_time();
    News *news;

    if (!j->progress || now < j->told + PROGRESS_USEC)
        return;
    j->told = now;
    news = g_new(News, 1);
    *news = (News){.task = g_object_ref(task), .done = done, .all = all};
    g_main_context_invoke_full(g_task_get_context(task), G_PRIORITY_DEFAULT, on_news, news,
                               news_free);
}

/* ---- copying ---- */

/* The log may grow meanwhile: the copy ends where it ended at first. */
static gboolean copy(GTask *task, Job *j, GOutputStream *out, guint64 all, GError **error) {
    g_autofree char *buffer = g_malloc(PIECE);
    GCancellable *cancellable = g_task_get_cancellable(task);

    for (guint64 at = 0; at < all;) {
        gssize n = gap_file_read(j->fd, &at, buffer, (gsize)MIN((guint64)PIECE, all - at));
        if (n < 0) {
            g_set_error(error, G_IO_ERROR, g_io_error_from_errno((int)-n), "%s",
                        g_strerror((int)-n));
            return FALSE;
        }
        if (n == 0 || at >= all)
            break;
        if (!g_output_stream_write_all(out, buffer, MIN((gsize)n, all - at), NULL, cancellable,
                                       error))
            return FALSE;
        at += (guint64)n;
        tell(task, j, at, all);
    }
    return TRUE;
}

/* A stream that is disposed of when it has not been closed takes the place of the old file; one
 * that is closed with a cancelled cancellable does not. */
static void give_up(GOutputStream *out) {
    g_autoptr(GCancellable) cancelled = g_cancellable_new();

    g_cancellable_cancel(cancelled);
    (void)g_output_stream_close(out, cancelled, NULL);
}

static gboolean save(GTask *task, Job *j, GError **error) {
    g_autoptr(GFileOutputStream) out = NULL;
    gboolean is_new = !g_file_query_exists(j->to, NULL);
    struct stat st;

    if (fstat(j->fd, &st) < 0) {
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno), "%s", g_strerror(errno));
        return FALSE;
    }
    out =
        g_file_replace(j->to, NULL, FALSE, G_FILE_CREATE_NONE, g_task_get_cancellable(task), error);
    if (!out)
        return FALSE;
    if (copy(task, j, G_OUTPUT_STREAM(out), (guint64)st.st_size, error) &&
        g_output_stream_close(G_OUTPUT_STREAM(out), g_task_get_cancellable(task), error))
        return TRUE;
    give_up(G_OUTPUT_STREAM(out));
    if (is_new)
        (void)g_file_delete(j->to, NULL, NULL);
    return FALSE;
}

static void work(GTask *task, gpointer reader, gpointer userdata, GCancellable *cancellable) {
    GError *error = NULL;

    if (save(task, userdata, &error))
        g_task_return_boolean(task, TRUE);
    else
        g_task_return_error(task, error);
}

/* ---- outside ---- */

void log_save_async(LogReader *reader, GFile *to, GCancellable *cancellable,
                    LogSaveProgress progress, GAsyncReadyCallback callback, gpointer userdata) {
    g_autoptr(GTask) task = g_task_new(reader, cancellable, callback, userdata);
    Job *j = g_new0(Job, 1);

    *j = (Job){
        .fd = log_reader_get_files(reader)->log,
        .to = g_object_ref(to),
        .progress = progress,
        .userdata = userdata,
    };
    g_task_set_source_tag(task, log_save_async);
    g_task_set_task_data(task, j, (GDestroyNotify)job_free);
    g_task_run_in_thread(task, work);
}

gboolean log_save_finish(LogReader *reader, GAsyncResult *result, GError **error) {
    return g_task_propagate_boolean(G_TASK(result), error);
}
