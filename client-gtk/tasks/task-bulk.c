#include "client-gtk/tasks/task-bulk.h"

#include <glib/gi18n.h>

#include "client-gtk/widgets/toast.h"

struct _TaskBulk {
    GObject parent_instance;

    GtkWidget *page; /* not owned; NULL: there is none any more */
    DaemonLink *link;
    TaskModel *model;
    TaskBatch *planned; /* NULL: none */
    AdwToast *toast;    /* of what is planned, or can be taken back; NULL: none */
};

G_DEFINE_FINAL_TYPE(TaskBulk, task_bulk, G_TYPE_OBJECT)

/* ---- words ---- */

static char *words_of(TaskBatchSort sort, guint n) {
    switch (sort) {
    case TASK_BATCH_CANCEL:
        return g_strdup_printf(
            ngettext("%u task will be cancelled", "%u tasks will be cancelled", n), n);
    case TASK_BATCH_REMOVE:
        return g_strdup_printf(ngettext("%u task will be removed", "%u tasks will be removed", n),
                               n);
    default:
        return g_strdup_printf(ngettext("%u task started again", "%u tasks started again", n), n);
    }
}

static const char *failure_of(TaskBatchSort sort) {
    switch (sort) {
    case TASK_BATCH_CANCEL:
        return _("Not all tasks could be cancelled");
    case TASK_BATCH_REMOVE:
        return _("Not all tasks could be removed");
    case TASK_BATCH_RETRY:
        return _("Not all tasks could be started again");
    default:
        return _("Not all new tasks could be removed");
    }
}

/* ---- plans ---- */

static void set_plan(TaskBulk *self, TaskBatch *batch, TaskPlan plan) {
    const GArray *ids = task_batch_get_ids(batch);

    task_model_set_plan(self->model, &g_array_index(ids, guint64, 0), ids->len, plan);
}

static TaskPlan plan_of(TaskBatchSort sort) {
    return sort == TASK_BATCH_CANCEL   ? TASK_PLAN_CANCEL
           : sort == TASK_BATCH_REMOVE ? TASK_PLAN_REMOVE
                                       : TASK_PLAN_NONE;
}

/* ---- what is done ---- */

static void offer_undo(TaskBulk *self, TaskBatchSort sort, guint n);
static void supersede(TaskBulk *self);

static void on_retried(TaskBulk *self, TaskBatch *batch) {
    const GArray *ids = task_batch_get_new_ids(batch);
    GArray *copy = g_array_sized_new(FALSE, FALSE, sizeof(guint64), ids->len);

    if (ids->len == 0) {
        g_array_unref(copy);
        return;
    }
    supersede(self);
    g_array_append_vals(copy, ids->data, ids->len);
    self->planned = task_batch_new(TASK_BATCH_UNDO_RETRY, copy);
    offer_undo(self, TASK_BATCH_RETRY, ids->len);
}

static void on_done(TaskBatch *batch, TaskBulk *self) {
    const GError *error = task_batch_get_error(batch);
    TaskBatchSort sort = task_batch_get_sort(batch);

    set_plan(self, batch, TASK_PLAN_NONE);
    if (self->page && error)
        toast_error(self->page, failure_of(sort), error);
    if (self->page && sort == TASK_BATCH_RETRY)
        on_retried(self, batch);
    g_application_release(g_application_get_default());
    g_object_unref(self);
}

/* self and the application live until it is done. FALSE: the daemon has gone. */
static gboolean run(TaskBulk *self, TaskBatch *batch) {
    if (daemon_link_get_state(self->link) != DAEMON_RUNNING) {
        set_plan(self, batch, TASK_PLAN_NONE);
        return FALSE;
    }
    g_application_hold(g_application_get_default());
    g_signal_connect(batch, "done", G_CALLBACK(on_done), g_object_ref(self));
    task_batch_run(batch, daemon_link_get_manager(self->link));
    return TRUE;
}

static void run_or_say(TaskBulk *self, TaskBatch *batch) {
    if (!run(self, batch) && self->page)
        toast_text(self->page, failure_of(task_batch_get_sort(batch)));
}

/* ---- toasts ---- */

static gboolean forget_toast(TaskBulk *self, AdwToast *toast) {
    if (self->toast != toast)
        return FALSE;
    g_signal_handlers_disconnect_by_data(toast, self);
    g_clear_object(&self->toast);
    return TRUE;
}

static void on_undo(AdwToast *toast, TaskBulk *self) {
    g_autoptr(TaskBatch) batch = g_steal_pointer(&self->planned);

    forget_toast(self, toast);
    if (task_batch_get_sort(batch) == TASK_BATCH_UNDO_RETRY)
        run_or_say(self, batch);
    else
        set_plan(self, batch, TASK_PLAN_NONE);
}

/* Nobody has taken it back. NULL: there is nothing to do. */
static TaskBatch *take_planned(TaskBulk *self) {
    if (self->planned && task_batch_get_sort(self->planned) == TASK_BATCH_UNDO_RETRY)
        g_clear_object(&self->planned);
    return g_steal_pointer(&self->planned);
}

static void on_dismissed(AdwToast *toast, TaskBulk *self) {
    g_autoptr(TaskBatch) batch = NULL;

    if (forget_toast(self, toast))
        batch = take_planned(self);
    if (batch)
        run_or_say(self, batch);
}

static void offer_undo(TaskBulk *self, TaskBatchSort sort, guint n) {
    g_autofree char *title = words_of(sort, n);

    self->toast = adw_toast_new(title);
    adw_toast_set_button_label(self->toast, _("Undo"));
    g_signal_connect(self->toast, "button-clicked", G_CALLBACK(on_undo), self);
    g_signal_connect(self->toast, "dismissed", G_CALLBACK(on_dismissed), self);
    toast_show(self->page, g_object_ref(self->toast));
}

/* The toast is not dismissed: of a window that closes, what it is in may be gone already. */
void task_bulk_settle(TaskBulk *self) {
    g_autoptr(TaskBatch) batch = take_planned(self);

    if (self->toast)
        forget_toast(self, self->toast);
    if (batch)
        run(self, batch);
}

/* One thing at a time can be taken back. */
static void supersede(TaskBulk *self) {
    g_autoptr(AdwToast) toast = self->toast ? g_object_ref(self->toast) : NULL;

    task_bulk_settle(self);
    if (toast)
        adw_toast_dismiss(toast);
}

/* ---- what people do ---- */

void task_bulk_do(TaskBulk *self, TaskBatchSort sort, GArray *ids) {
    g_autoptr(TaskBatch) batch = NULL;
    guint n = ids->len;

    supersede(self);
    batch = task_batch_new(sort, ids);
    if (n == 0)
        return;
    if (sort == TASK_BATCH_RETRY) {
        run_or_say(self, batch);
        return;
    }
    set_plan(self, batch, plan_of(sort));
    self->planned = g_steal_pointer(&batch);
    offer_undo(self, sort, n);
}

/* ---- the object ---- */

static void dispose(GObject *object) {
    TaskBulk *self = LONGRUN_TASK_BULK(object);

    g_clear_weak_pointer(&self->page);
    if (self->toast)
        forget_toast(self, self->toast);
    g_clear_object(&self->planned);
    g_clear_object(&self->model);
    g_clear_object(&self->link);
    G_OBJECT_CLASS(task_bulk_parent_class)->dispose(object);
}

static void task_bulk_class_init(TaskBulkClass *class) {
    G_OBJECT_CLASS(class)->dispose = dispose;
}

static void task_bulk_init(TaskBulk *self) {
}

TaskBulk *task_bulk_new(GtkWidget *page, DaemonLink *link, TaskModel *model) {
    TaskBulk *self = g_object_new(LONGRUN_TYPE_TASK_BULK, NULL);

    g_set_weak_pointer(&self->page, page);
    self->link = g_object_ref(link);
    self->model = g_object_ref(model);
    return self;
}
