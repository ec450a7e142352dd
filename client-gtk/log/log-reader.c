#include "client-gtk/log/log-reader.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

struct _LogReader {
    GObject parent_instance;

    LogFiles files;
};

G_DEFINE_FINAL_TYPE(LogReader, log_reader, G_TYPE_OBJECT)

const LogFiles *log_reader_get_files(LogReader *self) {
    return &self->files;
}

void log_reader_set_index(LogReader *self, int index_fd) {
    g_return_if_fail(self->files.index < 0);
    self->files.index = index_fd;
}

/* ---- in a thread ---- */

typedef struct Job {
    LogRequest request;
    LogFiles files; /* as they were; the reader holds them open */
} Job;

static gboolean is_too_far(const Job *job) {
    const LogRequest *q = &job->request;
    struct stat st;

    return q->what == LOG_READ_AFTER && q->skip > 0 && fstat(job->files.log, &st) >= 0 &&
           (guint64)st.st_size > MAX(q->place.row, q->place.from) + q->skip;
}

static int read_block(const Job *job, LogBlock **ret) {
    const LogRequest *q = &job->request;
    LogWhat what = is_too_far(job) ? LOG_READ_END : q->what;

    switch (what) {
    case LOG_READ_AFTER:
        return log_block_read_after(&job->files, &q->place, q->rows, q->bytes, ret);
    case LOG_READ_BEFORE:
        return log_block_read_before(&job->files, q->place.row, q->rows, q->bytes, ret);
    case LOG_READ_AROUND:
        return log_block_read_around(&job->files, q->place.row, q->rows, q->bytes, ret);
    case LOG_READ_SIZE:
        return log_block_read_after(&job->files, &q->place, 0, 0, ret);
    default:
        return log_block_read_before(&job->files, G_MAXUINT64, q->rows, q->bytes, ret);
    }
}

static void work(GTask *task, gpointer self, gpointer userdata, GCancellable *cancellable) {
    LogBlock *block = NULL;
    int r = read_block(userdata, &block);

    if (r < 0)
        g_task_return_new_error(task, G_IO_ERROR, g_io_error_from_errno(-r), "%s", g_strerror(-r));
    else
        g_task_return_pointer(task, block, (GDestroyNotify)log_block_free);
}

/* ---- outside ---- */

void log_reader_read_async(LogReader *self, const LogRequest *request, GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer userdata) {
    g_autoptr(GTask) task = g_task_new(self, cancellable, callback, userdata);
    Job *job = g_new(Job, 1);

    *job = (Job){.request = *request, .files = self->files};
    g_task_set_source_tag(task, log_reader_read_async);
    g_task_set_task_data(task, job, g_free);
    g_task_run_in_thread(task, work);
}

LogBlock *log_reader_read_finish(LogReader *self, GAsyncResult *result, GError **error) {
    return g_task_propagate_pointer(G_TASK(result), error);
}

/* ---- the object ---- */

static void finalize(GObject *object) {
    LogReader *self = LONGRUN_LOG_READER(object);

    close(self->files.log);
    if (self->files.index >= 0)
        close(self->files.index);
    G_OBJECT_CLASS(log_reader_parent_class)->finalize(object);
}

static void log_reader_class_init(LogReaderClass *class) {
    G_OBJECT_CLASS(class)->finalize = finalize;
}

static void log_reader_init(LogReader *self) {
    self->files = (LogFiles){.log = -EBADF, .index = -EBADF};
}

LogReader *log_reader_new(int log_fd) {
    LogReader *self = g_object_new(LONGRUN_TYPE_LOG_READER, NULL);

    self->files.log = log_fd;
    return self;
}
