#include "client-gtk/tasks/task-batch.h"

#include "client-gtk/base/daemon-error.h"

#define CALL_MAX 1000u
#define RETRIES_AT_A_TIME 16

struct _TaskBatch {
    GObject parent_instance;

    TaskBatchSort sort;
    GArray *ids, *new_ids; /* guint64 */
    GQueue parts;          /* Part, that are still to come */
    DbusManager *manager;  /* NULL: it has not run */
    guint under_way, n_done;
    GError *error;
};

/* A run of the ids. */
typedef struct Part {
    TaskBatchSort sort;
    guint first, n;
} Part;

G_DEFINE_FINAL_TYPE(TaskBatch, task_batch, G_TYPE_OBJECT)

static guint done_signal;

static void go_on(TaskBatch *self);

/* ---- answers ---- */

static gboolean is_no_matter(const GError *error) {
    return daemon_error_is(error, "NoSuchTask") || daemon_error_is(error, "NotRunning");
}

/* Where it is not about these tasks alone, the others would fare no better. */
static void keep_error(TaskBatch *self, const GError *error) {
    if (is_no_matter(error))
        return;
    if (!self->error)
        self->error = g_error_copy(error);
    if (!daemon_error_is(error, "StillActive"))
        g_queue_clear_full(&self->parts, g_free);
}

static void push(TaskBatch *self, TaskBatchSort sort, guint first, guint n) {
    Part *part = g_new(Part, 1);

    *part = (Part){.sort = sort, .first = first, .n = n};
    g_queue_push_head(&self->parts, part);
}

/* One that is gone spoils the call for all: halves of it find out which. */
static void split(TaskBatch *self, const Part *part) {
    guint half = part->n / 2;

    push(self, part->sort, part->first + half, part->n - half);
    push(self, part->sort, part->first, half);
}

static gboolean is_worth_splitting(const Part *part, const GError *error) {
    return part->n > 1 &&
           (daemon_error_is(error, "NoSuchTask") || daemon_error_is(error, "StillActive"));
}

typedef struct Call {
    TaskBatch *batch; /* with a reference */
    Part part;
} Call;

static void end_call(Call *call, guint n_done, const GError *error) {
    TaskBatch *self = call->batch;

    self->n_done += n_done;
    self->under_way--;
    if (error && is_worth_splitting(&call->part, error))
        split(self, &call->part);
    else if (error)
        keep_error(self, error);
    go_on(self);
    g_object_unref(self);
    g_free(call);
}

static void on_cancelled(GObject *source, GAsyncResult *result, gpointer call) {
    g_autoptr(GError) error = NULL;
    guint n = 0;

    dbus_manager_call_cancel_finish(DBUS_MANAGER(source), &n, result, &error);
    end_call(call, n, error);
}

static void on_removed(GObject *source, GAsyncResult *result, gpointer call) {
    g_autoptr(GError) error = NULL;
    guint n = 0;

    dbus_manager_call_remove_tasks_finish(DBUS_MANAGER(source), &n, result, &error);
    end_call(call, n, error);
}

static void on_waited(GObject *source, GAsyncResult *result, gpointer call) {
    g_autoptr(GError) error = NULL;

    dbus_manager_call_wait_finish(DBUS_MANAGER(source), NULL, result, &error);
    end_call(call, 0, error);
}

static void on_retried(GObject *source, GAsyncResult *result, gpointer userdata) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
    Call *call = userdata;
    guint64 id;

    if (reply) {
        g_variant_get(reply, "(t&o)", &id, NULL);
        g_array_append_val(call->batch->new_ids, id);
    }
    end_call(call, reply ? 1 : 0, error);
}

/* ---- calls ---- */

static guint64 id_at(TaskBatch *self, guint i) {
    return g_array_index(self->ids, guint64, i);
}

static GVariant *ids_of(TaskBatch *self, const Part *part) {
    return g_variant_new_fixed_array(G_VARIANT_TYPE_UINT64,
                                     &g_array_index(self->ids, guint64, part->first), part->n,
                                     sizeof(guint64));
}

static void retry(TaskBatch *self, Call *call) {
    g_autofree char *path = daemon_link_task_path(id_at(self, call->part.first));

    g_dbus_connection_call(g_dbus_proxy_get_connection(G_DBUS_PROXY(self->manager)),
                           g_dbus_proxy_get_name(G_DBUS_PROXY(self->manager)), path,
                           "org.longrun.Longrun1.Task", "Retry", NULL, G_VARIANT_TYPE("(to)"),
                           G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, NULL, on_retried, call);
}

static void call_part(TaskBatch *self, const Part *part) {
    Call *call = g_new(Call, 1);

    *call = (Call){.batch = g_object_ref(self), .part = *part};
    self->under_way++;
    switch (part->sort) {
    case TASK_BATCH_CANCEL:
        dbus_manager_call_cancel(self->manager, ids_of(self, part), NULL, on_cancelled, call);
        break;
    case TASK_BATCH_REMOVE:
        dbus_manager_call_remove_tasks(self->manager, ids_of(self, part), NULL, on_removed, call);
        break;
    case TASK_BATCH_UNDO_RETRY:
        dbus_manager_call_wait(self->manager, ids_of(self, part), NULL, on_waited, call);
        break;
    default:
        retry(self, call);
    }
}

static void go_on(TaskBatch *self) {
    guint at_a_time = self->sort == TASK_BATCH_RETRY ? RETRIES_AT_A_TIME : 1;

    while (self->under_way < at_a_time && !g_queue_is_empty(&self->parts)) {
        g_autofree Part *part = g_queue_pop_head(&self->parts);
        call_part(self, part);
    }
    if (self->under_way == 0)
        g_signal_emit(self, done_signal, 0);
}

static void push_all(TaskBatch *self, TaskBatchSort sort, guint n) {
    for (guint end = self->ids->len; end > 0; end -= MIN(n, end))
        push(self, sort, end - MIN(n, end), MIN(n, end));
}

void task_batch_run(TaskBatch *self, DbusManager *manager) {
    g_return_if_fail(!self->manager);
    self->manager = g_object_ref(manager);
    if (self->sort == TASK_BATCH_RETRY) {
        push_all(self, self->sort, 1);
    } else if (self->sort == TASK_BATCH_UNDO_RETRY) {
        /* What has not ended cannot be removed. The last that is pushed comes first. */
        push_all(self, TASK_BATCH_REMOVE, CALL_MAX);
        push_all(self, TASK_BATCH_UNDO_RETRY, CALL_MAX);
        push_all(self, TASK_BATCH_CANCEL, CALL_MAX);
    } else {
        push_all(self, self->sort, CALL_MAX);
    }
    g_object_ref(self);
    go_on(self);
    g_object_unref(self);
}

/* ---- the object ---- */

TaskBatchSort task_batch_get_sort(TaskBatch *self) {
    return self->sort;
}

const GArray *task_batch_get_ids(TaskBatch *self) {
    return self->ids;
}

gboolean task_batch_has_run(TaskBatch *self) {
    return self->manager != NULL;
}

guint task_batch_count_done(TaskBatch *self) {
    return self->n_done;
}

const GError *task_batch_get_error(TaskBatch *self) {
    return self->error;
}

const GArray *task_batch_get_new_ids(TaskBatch *self) {
    return self->new_ids;
}

static void finalize(GObject *object) {
    TaskBatch *self = LONGRUN_TASK_BATCH(object);

    g_queue_clear_full(&self->parts, g_free);
    g_array_unref(self->ids);
    g_array_unref(self->new_ids);
    g_clear_object(&self->manager);
    g_clear_error(&self->error);
    G_OBJECT_CLASS(task_batch_parent_class)->finalize(object);
}

static void task_batch_class_init(TaskBatchClass *class) {
    G_OBJECT_CLASS(class)->finalize = finalize;
    done_signal = g_signal_new("done", G_TYPE_FROM_CLASS(class), G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                               NULL, G_TYPE_NONE, 0);
}

static void task_batch_init(TaskBatch *self) {
    self->new_ids = g_array_new(FALSE, FALSE, sizeof(guint64));
    g_queue_init(&self->parts);
}

TaskBatch *task_batch_new(TaskBatchSort sort, GArray *ids) {
    TaskBatch *self = g_object_new(LONGRUN_TYPE_TASK_BATCH, NULL);

    self->sort = sort;
    self->ids = ids;
    return self;
}
